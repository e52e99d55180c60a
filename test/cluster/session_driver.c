// SPDX-License-Identifier: Apache-2.0
// Drives a CQL session for session_test.py and session_trouble_test.py:
//   session_driver HOSTS VERSION LZ4 [CA USER PASSWORD]   then a line each way: what is asked, its answer; bytes in hexadecimal
//     prepare TEXT → markers | execute VALUES → ok | pages ROWS TEXT → pages, then a row a line, cells parted by blanks, "null"; "."
//     replicas KEYSPACE TOKEN → addresses | nodes → address:up … | counters → retries orphans reprepared
//     load TABLE KEYSPACE ROWS → writes batches of so many rows at QUORUM until the next line comes; then "p n count" of each that was acknowledged; "."
// Bad news: "error TEXT".
#include "base/memory.h"
#include "base/time.h"
#include "cql/cql.h"
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

static struct cql_session *session;
static const struct cql_prepared *prepared;

static void print_hex(struct weir_str s)
{
    for (uint32_t i = 0; i < s.bytes; i++)
        printf("%02x", (uint8_t)s.data[i]);
}

static void unhex(const char *text, struct weir_buffer *out)
{
    unsigned byte;
    for (out->bytes = 0; sscanf(text, "%2x", &byte) == 1; text += 2)
        weir_buffer_byte(out, (uint8_t)byte);
}

static void do_prepare(const char *text)
{
    struct weir_error err;
    if (cql_prepare(session, text, &prepared, &err) < 0)
        printf("error %s\n", err.text);
    else
        printf("%u\n", cql_prepared_values(prepared));
}

static void do_execute(const char *hex)
{
    struct weir_error err;
    struct cql_result *result;
    struct weir_buffer values = {0};
    unhex(hex, &values);
    struct cql_request r = {
        .kind = CQL_EXECUTE, .prepared = prepared, .values = weir_buffer_view(&values), .consistency = CQL_QUORUM, .idempotent = true};
    if (cql_run(session, &r, &result, &err) < 0)
        printf("error %s\n", err.text);
    else {
        printf("ok\n");
        cql_result_free(result);
    }
    weir_buffer_drop(&values);
}

static void print_rows(const struct cql_result *result)
{
    struct cql_rows rows;
    uint32_t columns = cql_result_columns(result);
    struct cql_cell *cells = weir_zalloc(columns, sizeof *cells);
    cql_rows_begin(result, &rows);
    while (cql_rows_next(&rows, cells) > 0) {
        for (uint32_t i = 0; i < columns; i++) {
            if (cells[i].null)
                printf("null");
            else
                print_hex(cells[i].bytes);
            printf(" ");
        }
        printf("\n");
    }
    free(cells);
}

static void do_pages(char *arguments)
{
    char *text = arguments;
    int32_t page_rows = (int32_t)strtol(arguments, &text, 10);
    struct weir_error err;
    struct weir_buffer state = {0};
    struct cql_result *result;
    unsigned pages = 0;
    do {
        struct cql_request r = {.kind = CQL_QUERY,
                                .text = text + 1,
                                .consistency = CQL_QUORUM,
                                .idempotent = true,
                                .page_rows = page_rows,
                                .paging_state = weir_buffer_view(&state)};
        if (cql_run(session, &r, &result, &err) < 0) {
            printf("error %s\n", err.text);
            weir_buffer_drop(&state);
            return;
        }
        if (!result)
            break;
        print_rows(result);
        pages++;
        state.bytes = 0;
        weir_buffer_add(&state, cql_result_paging_state(result).data, cql_result_paging_state(result).bytes);
        cql_result_free(result);
    } while (state.bytes);
    printf(". %u\n", pages);
    weir_buffer_drop(&state);
}

static void do_replicas(const char *arguments)
{
    char keyspace[64], addresses[8][46];
    long long token;
    if (sscanf(arguments, "%63s %lld", keyspace, &token) != 2)
        return;
    uint32_t count = cql_session_replicas(session, keyspace, token, 8, addresses);
    for (uint32_t i = 0; i < count; i++)
        printf("%s ", addresses[i]);
    printf("\n");
}

static void do_nodes(void)
{
    struct weir_arena arena = {0};
    struct cql_node *nodes;
    uint32_t count = cql_session_nodes(session, &arena, &nodes);
    for (uint32_t i = 0; i < count; i++)
        printf("%s:%d:%u:%.3f ", nodes[i].address, nodes[i].up, nodes[i].tokens, nodes[i].ownership);
    printf("\n");
    weir_arena_drop(&arena);
}

// ---- load

struct batch {
    struct batch *next;
    int32_t partition, first;
};
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct batch *acked;
static uint64_t open_batches, failed;

static void batch_done(void *context, const struct cql_answer *answer)
{
    struct batch *b = context;
    pthread_mutex_lock(&lock);
    open_batches--;
    if (answer->error) {
        if (failed++ == 0)
            fprintf(stderr, "failed: %s\n", answer->error->text);
        free(b);
    } else {
        b->next = acked;
        acked = b;
    }
    pthread_mutex_unlock(&lock);
}

static void submit_batch(const char *keyspace, int32_t number, int32_t rows)
{
    enum { PARTITIONS = 97 };
    struct batch *b = weir_zalloc(1, sizeof *b);
    struct weir_buffer values = {0};
    b->partition = number % PARTITIONS;
    b->first = number / PARTITIONS * rows;
    for (int32_t i = 0; i < rows; i++) {
        char text[40];
        int bytes = snprintf(text, sizeof text, "%d-%d", b->partition, b->first + i);
        cql_bind_int(&values, b->partition);
        cql_bind_int(&values, b->first + i);
        cql_bind_text(&values, (struct weir_str){text, (uint32_t)bytes});
    }
    char key[4];
    cql_store32((uint8_t *)key, (uint32_t)b->partition);
    struct cql_request r = {.kind = CQL_BATCH,
                            .prepared = prepared,
                            .rows = (uint32_t)rows,
                            .values = weir_buffer_view(&values),
                            .consistency = CQL_QUORUM,
                            .has_token = true,
                            .token = cql_token((struct weir_str){key, 4}),
                            .keyspace = keyspace,
                            .has_timestamp = true,
                            .timestamp_us = 1000 + b->first,
                            .idempotent = true,
                            .patience_ms = UINT32_MAX};
    pthread_mutex_lock(&lock);
    open_batches++;
    pthread_mutex_unlock(&lock);
    cql_submit(session, &r, batch_done, b);
    weir_buffer_drop(&values);
}

static uint64_t batches_open(void)
{
    pthread_mutex_lock(&lock);
    uint64_t open = open_batches;
    pthread_mutex_unlock(&lock);
    return open;
}

static bool line_waits(int timeout_ms)
{
    struct pollfd in = {.fd = 0, .events = POLLIN};
    return poll(&in, 1, timeout_ms) > 0;
}

static void do_load(const char *arguments, char *line, size_t bytes)
{
    enum { OPEN_MAX = 64 };
    char keyspace[64], text[160];
    int rows;
    struct weir_error err;
    if (sscanf(arguments, "%63s %d", keyspace, &rows) != 2)
        return;
    snprintf(text, sizeof text, "INSERT INTO %s.load (p, n, v) VALUES (?, ?, ?)", keyspace);
    if (cql_prepare(session, text, &prepared, &err) < 0) {
        printf("error %s\n", err.text);
        return;
    }
    printf("going\n");
    fflush(stdout);
    for (int32_t number = 0; !line_waits(batches_open() >= OPEN_MAX ? 2 : 0);)
        if (batches_open() < OPEN_MAX)
            submit_batch(keyspace, number++, rows);
    if (!fgets(line, (int)bytes, stdin))
        return;
    while (batches_open())
        poll(NULL, 0, 5);
    while (acked) {
        struct batch *b = acked;
        acked = b->next;
        printf("%d %d %d\n", b->partition, b->first, rows);
        free(b);
    }
    printf(". %llu\n", (unsigned long long)failed);
}

static void do_line(char *line, size_t bytes)
{
    line[strcspn(line, "\n")] = 0;
    char *arguments = line + strcspn(line, " ");
    arguments += *arguments == ' ';
    struct cql_counters n = cql_session_counters(session);
    if (strncmp(line, "prepare ", 8) == 0)
        do_prepare(arguments);
    else if (strncmp(line, "execute ", 8) == 0)
        do_execute(arguments);
    else if (strncmp(line, "pages ", 6) == 0)
        do_pages(arguments);
    else if (strncmp(line, "replicas ", 9) == 0)
        do_replicas(arguments);
    else if (strcmp(line, "nodes") == 0)
        do_nodes();
    else if (strcmp(line, "counters") == 0)
        printf("%llu %llu %llu\n", (unsigned long long)n.retries, (unsigned long long)n.orphans, (unsigned long long)n.reprepared);
    else if (strncmp(line, "load ", 5) == 0)
        do_load(arguments, line, bytes);
    else
        printf("error what?\n");
    fflush(stdout);
}

static void print_log(void *context, const char *line)
{
    (void)context;
    fprintf(stderr, "%s\n", line);
}

int main(int count, char **arguments)
{
    static char line[1 << 20];
    const char *hosts[8];
    struct weir_error err;
    if (count < 4)
        return 64;
    struct cql_options o = {.hosts = hosts,
                            .port = (uint16_t)(getenv("CQL_PORT") ? strtoul(getenv("CQL_PORT"), NULL, 10) : 0),
                            .version_max = (int)strtol(arguments[2], NULL, 10),
                            .no_compression = arguments[3][0] == '0',
                            .open_timeout_ms = getenv("OPEN_TIMEOUT_MS") ? (uint32_t)strtoul(getenv("OPEN_TIMEOUT_MS"), NULL, 10) : 30000,
                            .log = print_log};
    for (char *save, *host = strtok_r(arguments[1], ",", &save); host && o.host_count < 8; host = strtok_r(NULL, ",", &save))
        hosts[o.host_count++] = host;
    if (count > 4 && arguments[4][0])
        o.tls = (struct cql_tls){.on = true, .ca_file = arguments[4], .server_name = getenv("SERVER_NAME")};
    o.username = count > 5 ? arguments[5] : NULL;
    o.password = count > 6 ? arguments[6] : NULL;
    if (cql_session_open(&o, &session, &err) < 0) {
        printf("error %d %s\n", err.code, err.text);
        return 1;
    }
    printf("open %d\n", cql_session_version(session));
    fflush(stdout);
    while (fgets(line, sizeof line, stdin))
        do_line(line, sizeof line);
    cql_session_close(session);
    return 0;
}
