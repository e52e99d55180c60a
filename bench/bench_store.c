// SPDX-License-Identifier: Apache-2.0
// What the embedded engines cost: appending to the log (durable), reading it, raw rows through the store's writer, and scanning them.
// Usage: bench_store [FOLDER]; the folder is made and removed.
#include "base/hash.h"
#include "base/memory.h"
#include "base/time.h"
#include "base/uuid.h"
#include "log/log.h"
#include "store/store.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

enum { EVENT_BYTES = 74, EVENTS = 1000000, APPEND_BYTES = 1 << 20, ROWS = 2000000, ROWS_AT_ONCE = 4096, COMMIT_ROWS = 65536 };

static void must(int rc, const struct weir_error *err)
{
    if (rc >= 0)
        return;
    fprintf(stderr, "bench_store: %s\n", err->text);
    exit(1);
}

struct stopwatch {
    int64_t wall_us, cpu_us;
};

static int64_t cpu_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static struct stopwatch start(void)
{
    return (struct stopwatch){weir_monotonic_us(), cpu_us()};
}

static void report(const char *what, struct stopwatch since, uint64_t count, uint64_t bytes)
{
    double wall = (double)(weir_monotonic_us() - since.wall_us), cpu = (double)(cpu_us() - since.cpu_us);
    printf("%-34s %9.0f k/s %8.1f MB/s  wall %6.1f ns  cpu %6.1f ns each\n", what, (double)count / wall * 1000, (double)bytes / wall,
           wall * 1000 / (double)count, cpu * 1000 / (double)count);
}

// ---- log

static void bench_append(struct weir_log *log)
{
    struct weir_error err;
    struct weir_topic_config config = {.name = "bench", .partitions = 3, .replication = 1};
    struct weir_producer *p;
    char keys[100][37], event[EVENT_BYTES];
    for (int i = 0; i < 100; i++) {
        uint64_t id[2] = {weir_hash64(&i, sizeof i, 1), weir_hash64(&i, sizeof i, 2)};
        weir_uuid_format((const uint8_t *)id, keys[i]);
    }
    must(weir_topic_create(log, &config, &err), &err);
    must(weir_producer_open(log, "bench", "feed", &p, &err), &err);
    struct stopwatch since = start();
    for (uint32_t i = 0; i < EVENTS; i++) {
        memcpy(event, keys[i % 100], 36);
        for (uint32_t at = 36; at < EVENT_BYTES; at += 8) {
            uint64_t noise = weir_hash64(&i, sizeof i, at);
            memcpy(event + at, &noise, EVENT_BYTES - at < 8 ? EVENT_BYTES - at : 8);
        }
        weir_producer_add(p, 1700000000000 + i, (struct weir_str){keys[i % 100], 36}, false, (struct weir_str){event, EVENT_BYTES});
        if (weir_producer_bytes(p) >= APPEND_BYTES)
            must(weir_producer_flush(p, WEIR_STR("position"), &err), &err);
    }
    must(weir_producer_flush(p, WEIR_STR("end"), &err), &err);
    report("log append, durable, 1 MiB", since, EVENTS, (uint64_t)EVENTS * (EVENT_BYTES + 36));
    weir_producer_close(p);
}

static void bench_fetch(struct weir_log *log)
{
    struct weir_error err;
    struct stopwatch since = start();
    uint64_t count = 0, bytes = 0;
    for (int32_t partition = 0; partition < 3; partition++) {
        struct weir_reader *r;
        struct weir_fetch fetch;
        int64_t lost;
        must(weir_reader_open(log, "bench", partition, 0, &r, &err), &err);
        do {
            must(weir_reader_fetch(r, 1 << 20, &fetch, &lost, &err), &err);
            for (uint32_t i = 0; i < fetch.count; i++) {
                struct weir_batch_info info;
                must(weir_batch_peek(fetch.batches[i], &info, &err), &err);
                count += (uint64_t)info.count;
                bytes += info.total_bytes;
            }
        } while (fetch.count);
        weir_reader_close(r);
    }
    report("log fetch, CRC checked", since, count, bytes);
}

// ---- store

struct bench_rows {
    struct weir_table_column columns[5];
    uint32_t partition[1];
    struct weir_clustering clustering[1];
    struct weir_table table;
    struct weir_column cells[5];
    int64_t revision[ROWS_AT_ONCE];
};

static void make_table(struct bench_rows *b, const char *name)
{
    *b = (struct bench_rows){.columns = {{"device_id", WEIR_CQL_UUID},
                                         {"timestamp", WEIR_CQL_BIGINT},
                                         {"temperature", WEIR_CQL_FLOAT},
                                         {"humidity", WEIR_CQL_FLOAT},
                                         {"location", WEIR_CQL_TEXT}},
                             .clustering = {{1, true}}};
    b->table = (struct weir_table){.name = name,
                                   .column_count = 5,
                                   .columns = b->columns,
                                   .partition_count = 1,
                                   .partition = b->partition,
                                   .clustering_count = 1,
                                   .clustering = b->clustering};
    for (uint32_t c = 0; c < 5; c++) {
        b->cells[c].kind = weir_cql_kind(b->columns[c].type);
        b->cells[c].data = weir_zalloc(ROWS_AT_ONCE, sizeof(struct weir_str));
    }
}

static void fill(struct bench_rows *b, uint32_t first, char (*keys)[37], uint32_t key_count)
{
    static const char *const places[] = {"Roma", "Milano", "Torino", "Napoli", "Bologna", "Firenze", "Palermo"};
    for (uint32_t i = 0; i < ROWS_AT_ONCE; i++) {
        uint32_t n = first + i;
        b->cells[0].str[i] = (struct weir_str){keys[n % key_count], 36};
        b->cells[1].i64[i] = 1700000000000 + n / key_count * 1000 + n % 1000;
        b->cells[2].f64[i] = (float)(15 + (double)(n * 7919 % 2000) / 100);
        b->cells[3].f64[i] = (float)(30 + (double)(n * 104729 % 6000) / 100);
        b->cells[4].str[i] = weir_str_of(places[n % 7]);
        b->revision[i] = n;
    }
}

static int count_row(void *context, const struct weir_value *values)
{
    (void)values;
    ++*(uint64_t *)context;
    return 0;
}

static void bench_rows(struct weir_embedded *db, struct weir_store *store, uint32_t key_count)
{
    struct weir_error err;
    static struct bench_rows b;
    char name[32], what[64];
    char(*keys)[37] = weir_alloc(key_count * sizeof *keys);
    for (uint32_t i = 0; i < key_count; i++) {
        uint64_t id[2] = {weir_hash64(&i, sizeof i, 3), weir_hash64(&i, sizeof i, 4)};
        weir_uuid_format((const uint8_t *)id, keys[i]);
    }
    snprintf(name, sizeof name, "rows_%u", key_count);
    make_table(&b, name);
    struct weir_writer *writer;
    struct weir_txn *txn = weir_txn_new(db);
    must(weir_store_create(store, "bench", &b.table, &err), &err);
    must(weir_writer_new(store, "bench", &writer, &err), &err);
    struct stopwatch since = start();
    int64_t filling_us = 0;
    for (uint32_t done = 0; done < ROWS; done += ROWS_AT_ONCE) {
        int64_t before = weir_monotonic_us();
        fill(&b, done, keys, key_count);
        filling_us += weir_monotonic_us() - before;
        struct weir_rows rows = {.table = &b.table, .count = ROWS_AT_ONCE, .columns = b.cells, .revision = b.revision};
        must(weir_writer_add(writer, &rows, &err), &err);
        if ((done / ROWS_AT_ONCE + 1) % (COMMIT_ROWS / ROWS_AT_ONCE) == 0) {
            must(weir_writer_flush(writer, &(struct weir_commit){.embedded = txn}, &(uint64_t){0}, &err), &err);
            must(weir_txn_commit(txn, false, &err), &err);
        }
    }
    must(weir_writer_flush(writer, &(struct weir_commit){.embedded = txn}, &(uint64_t){0}, &err), &err);
    must(weir_txn_commit(txn, true, &err), &err);
    since.wall_us += filling_us;
    since.cpu_us += filling_us;
    snprintf(what, sizeof what, "raw rows, %u keys, 64 Ki a commit", key_count);
    uint32_t total = (ROWS + ROWS_AT_ONCE - 1) / ROWS_AT_ONCE * ROWS_AT_ONCE;
    report(what, since, total, 0);
    uint64_t seen = 0;
    struct weir_scan scan = {.table = &b.table};
    since = start();
    must(weir_store_scan(store, "bench", &scan, count_row, &seen, &err), &err);
    snprintf(what, sizeof what, "scan, %u keys", key_count);
    report(what, since, seen, 0);
    if (seen != total)
        printf("  but %lu rows instead of %u\n", (unsigned long)seen, total);
    struct weir_value key = {.kind = WEIR_STRS, .str = {keys[key_count / 2], 36}};
    struct weir_scan newest = {.table = &b.table, .key_count = 1, .key = &key, .limit = 5};
    since = start();
    for (int i = 0; i < 200; i++)
        must(weir_store_scan(store, "bench", &newest, count_row, &seen, &err), &err);
    report("newest five of a key", since, 200, 0);
    weir_writer_free(writer);
    weir_txn_free(txn);
    for (uint32_t c = 0; c < 5; c++)
        free(b.cells[c].data);
    free(keys);
}

static void remove_folder(const char *path)
{
    DIR *dir = opendir(path);
    for (struct dirent *entry; dir && (entry = readdir(dir));) {
        weir_cleanup(weir_freep) char *file = weir_format("%s/%s", path, entry->d_name);
        unlink(file);
    }
    if (dir)
        closedir(dir);
    rmdir(path);
}

int main(int argc, char **argv)
{
    char folder[256] = "/tmp/weir-bench-XXXXXX";
    struct weir_error err;
    struct weir_embedded *db;
    struct weir_log *log;
    struct weir_store *store;
    if (argc > 1)
        snprintf(folder, sizeof folder, "%s", argv[1]);
    else if (!mkdtemp(folder))
        return 1;
    must(weir_embedded_open(folder, WEIR_OWNER, &db, &err), &err);
    must(weir_log_embedded(db, &log, &err), &err);
    must(weir_store_embedded(db, &store, &err), &err);
    bench_append(log);
    bench_fetch(log);
    bench_rows(db, store, 100);
    bench_rows(db, store, 10000);
    weir_store_close(store);
    weir_log_close(log);
    weir_embedded_close(db);
    remove_folder(folder);
    return 0;
}
