// SPDX-License-Identifier: Apache-2.0
// What a row costs the CQL client in CPU: pipeline A's raw row (uuid, bigint, float, float, text), bound, routed by token, with the default timestamp of
// its request, answered by a stub in another process. Usage: bench_cql [ROWS]; cql_stub must lie in the same folder.
#include "base/hash.h"
#include "base/memory.h"
#include "base/time.h"
#include "cql/cql.h"

#include <libgen.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

enum { DEVICES = 1000, IN_FLIGHT = 768, ROWS = 1000000 };

static void must(int rc, const struct weir_error *err)
{
    if (rc >= 0)
        return;
    fprintf(stderr, "bench_cql: %s\n", err->text);
    exit(1);
}

// ---- the stub

struct stub {
    pid_t pid;
    int input;
    uint16_t port;
};

static struct stub stub_start(const char *path, const char *version, const char *compression)
{
    int in[2], out[2];
    char text[16] = "";
    if (pipe(in) < 0 || pipe(out) < 0)
        exit(1);
    pid_t pid = fork();
    if (pid == 0) {
        dup2(in[0], 0);
        dup2(out[1], 1);
        close(in[1]);
        execl(path, path, version, compression, (char *)NULL);
        _exit(127);
    }
    close(in[0]);
    close(out[1]);
    if (read(out[0], text, sizeof text - 1) <= 0) {
        fprintf(stderr, "bench_cql: %s does not start\n", path);
        exit(1);
    }
    close(out[0]);
    return (struct stub){pid, in[1], (uint16_t)strtoul(text, NULL, 10)};
}

static void stub_stop(const struct stub *s)
{
    close(s->input);
    waitpid(s->pid, NULL, 0);
}

// ---- rows

struct load {
    struct cql_session *session;
    const struct cql_prepared *insert;
    char devices[DEVICES][37];
    pthread_mutex_t lock;
    pthread_cond_t changed;
    atomic_uint in_flight;
    atomic_ullong failed;
};

// The submitter sleeps while IN_FLIGHT requests are out, and is woken when half of them are back.
static void done(void *context, const struct cql_answer *answer)
{
    struct load *l = context;
    if (answer->error && atomic_fetch_add(&l->failed, 1) == 0)
        fprintf(stderr, "bench_cql: %s\n", answer->error->text);
    uint32_t left = atomic_fetch_sub(&l->in_flight, 1) - 1;
    if (left == IN_FLIGHT / 2 || left == 0) {
        pthread_mutex_lock(&l->lock);
        pthread_cond_signal(&l->changed);
        pthread_mutex_unlock(&l->lock);
    }
}

static void await(struct load *l, uint32_t most)
{
    pthread_mutex_lock(&l->lock);
    while (atomic_load(&l->in_flight) > most)
        pthread_cond_wait(&l->changed, &l->lock);
    pthread_mutex_unlock(&l->lock);
}

static void bind_row(struct weir_buffer *b, const char *device, uint32_t n)
{
    static const char *const places[] = {"Roma", "Milano", "Torino", "Napoli", "Bologna", "Firenze", "Palermo"};
    cql_bind_uuid(b, (struct weir_str){device, 36});
    cql_bind_bigint(b, 1700000000000 + n);
    cql_bind_float(b, 15.0f + (float)(n % 2000) / 100);
    cql_bind_float(b, 30.0f + (float)(n % 6000) / 100);
    cql_bind_text(b, weir_str_of(places[n % 7]));
}

static void submit(struct load *l, struct weir_buffer *values, uint32_t first, uint32_t rows)
{
    const char *device = l->devices[first / rows % DEVICES];
    values->bytes = 0;
    for (uint32_t i = 0; i < rows; i++)
        bind_row(values, device, first + i);
    struct cql_request request = {.kind = rows == 1 ? CQL_EXECUTE : CQL_BATCH,
                                  .prepared = l->insert,
                                  .rows = rows,
                                  .values = weir_buffer_view(values),
                                  .consistency = CQL_ONE,
                                  .has_token = true,
                                  .token = cql_token((struct weir_str){(const char *)values->data + 4, 16}),
                                  .keyspace = "ks",
                                  .has_timestamp = true,
                                  .timestamp_us = 1700000000000000 + first,
                                  .idempotent = true};
    if (atomic_fetch_add(&l->in_flight, 1) + 1 >= IN_FLIGHT)
        await(l, IN_FLIGHT / 2);
    cql_submit(l->session, &request, done, l);
}

static double cpu_us(void)
{
    struct rusage u;
    getrusage(RUSAGE_SELF, &u);
    return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) * 1e6 + (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec);
}

static void measure(struct load *l, uint32_t batch, uint32_t rows, const char *how)
{
    struct weir_buffer values = {0};
    double cpu = cpu_us();
    int64_t wall = weir_monotonic_us();
    uint64_t sent = cql_session_counters(l->session).bytes_sent;
    for (uint32_t i = 0; i < rows; i += batch)
        submit(l, &values, i, batch);
    await(l, 0);
    cpu = cpu_us() - cpu;
    wall = weir_monotonic_us() - wall;
    sent = cql_session_counters(l->session).bytes_sent - sent;
    printf("%-12s rows at once %3u  %8.0f k rows/s  %6.3f us CPU a row  %5.1f bytes a row  %llu failed\n", how, batch, rows * 1e3 / (double)wall,
           cpu / rows, (double)sent / rows, (unsigned long long)atomic_load(&l->failed));
    weir_buffer_drop(&values);
}

static void run(const char *stub_path, const char *version, const char *compression, uint32_t rows)
{
    static const uint32_t batches[] = {1, 10, 30, 100, 300};
    struct stub stub = stub_start(stub_path, version, compression);
    struct weir_error err;
    static struct load l;
    char how[32];
    l = (struct load){.lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};
    for (uint32_t i = 0; i < DEVICES; i++) {
        uint64_t id[2] = {weir_hash64(&i, sizeof i, 1), weir_hash64(&i, sizeof i, 2)};
        const uint8_t *b = (const uint8_t *)id;
        snprintf(l.devices[i], sizeof l.devices[i], "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", b[0], b[1], b[2], b[3],
                 b[4], b[5], b[6], b[7], b[8], b[9], b[10], b[11], b[12], b[13], b[14], b[15]);
    }
    struct cql_options options = {.host_count = 1, .hosts = (const char *const[]){"127.0.1.1"}, .port = stub.port};
    must(cql_session_open(&options, &l.session, &err), &err);
    must(cql_prepare(l.session, "INSERT INTO ks.raw (device_id, timestamp, temperature, humidity, location) VALUES (?, ?, ?, ?, ?)", &l.insert, &err),
         &err);
    snprintf(how, sizeof how, "%s %s", version, compression);
    for (size_t i = 0; i < sizeof batches / sizeof *batches; i++)
        measure(&l, batches[i], batches[i] == 1 ? rows / 2 : rows, how);
    cql_session_close(l.session);
    stub_stop(&stub);
}

int main(int argc, char **argv)
{
    uint32_t rows = argc > 1 ? (uint32_t)strtoul(argv[1], NULL, 10) : ROWS;
    char path[4096];
    ssize_t bytes = readlink("/proc/self/exe", path, sizeof path - 1);
    if (bytes < 0)
        return 1;
    path[bytes] = 0;
    weir_cleanup(weir_freep) char *stub = weir_format("%s/cql_stub", dirname(path));
    signal(SIGPIPE, SIG_IGN);
    run(stub, "v5", "lz4", rows);
    run(stub, "v5", "plain", rows);
    run(stub, "v4", "lz4", rows);
    run(stub, "v4", "plain", rows);
    return 0;
}
