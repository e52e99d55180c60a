// SPDX-License-Identifier: Apache-2.0
// What is left after a kill -9, a torn write-ahead log and flipped bytes: a prefix of what was committed, in which log, rows and state agree; and
// damage is named. The program runs itself as the process that is killed.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/buffer.h"
#include "embedded/embedded.h"
#include "folder.h"
#include "log/log.h"
#include "state/state.h"
#include "store/store.h"

#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>

// Step n appends record n, durably; then commits row n and a page that says n + 1.
struct world {
    struct weir_embedded *db;
    struct weir_log *log;
    struct weir_state *state;
    struct weir_store *store;
    struct weir_producer *producer;
    struct weir_writer *writer;
    struct weir_txn *txn;
};

enum { VALUE_BYTES = 200 };

static struct weir_table_column columns[] = {{"id", WEIR_CQL_TEXT}, {"n", WEIR_CQL_BIGINT}, {"value", WEIR_CQL_DOUBLE}};
static uint32_t partition_key[] = {0};
static struct weir_clustering clustering[] = {{1, true}};
static const struct weir_table table = {.name = "rows",
                                        .column_count = 3,
                                        .columns = columns,
                                        .partition_count = 1,
                                        .partition = partition_key,
                                        .clustering_count = 1,
                                        .clustering = clustering};

static int world_open(struct world *w, const char *dir, struct weir_error *err)
{
    *w = (struct world){0};
    struct weir_topic_config config = {.name = "events", .partitions = 1, .replication = 1};
    if (weir_embedded_open(dir, WEIR_OWNER, &w->db, err) < 0)
        return -1;
    w->txn = weir_txn_new(w->db);
    if (weir_log_embedded(w->db, &w->log, err) < 0 || weir_topic_create(w->log, &config, err) < 0 ||
        weir_state_embedded(w->db, "suite", &w->state, err) < 0 || weir_store_embedded(w->db, &w->store, err) < 0 ||
        weir_store_create(w->store, "suite", &table, err) < 0 || weir_writer_new(w->store, "suite", &w->writer, err) < 0 ||
        weir_producer_open(w->log, "events", "feed", &w->producer, err) < 0)
        return -1;
    return 0;
}

static void world_close(struct world *w)
{
    weir_producer_close(w->producer);
    weir_writer_free(w->writer);
    weir_store_close(w->store);
    weir_state_close(w->state);
    weir_log_close(w->log);
    weir_txn_free(w->txn);
    weir_embedded_close(w->db);
}

static int append(struct world *w, int64_t n, uint32_t value_bytes, struct weir_error *err)
{
    char *value = malloc(value_bytes + 24), position[24];
    int head = snprintf(value, 24, "%lld:", (long long)n);
    uint64_t noise = (uint64_t)n;
    for (uint32_t i = (uint32_t)head; i < value_bytes; i++)
        value[i] = (char)((noise = noise * 6364136223846793005u + 1442695040888963407u) >> 56);
    weir_producer_add(w->producer, n, WEIR_STR("key"), false, (struct weir_str){value, value_bytes});
    free(value);
    snprintf(position, sizeof position, "%lld", (long long)n + 1);
    return weir_producer_flush(w->producer, weir_str_of(position), err);
}

static int process(struct world *w, int64_t n, struct weir_error *err)
{
    struct weir_str id = WEIR_STR("device");
    double value = (double)n / 7;
    char page[24];
    struct weir_column cells[3] = {{.kind = WEIR_STRS, .str = &id}, {.kind = WEIR_I64, .i64 = &n}, {.kind = WEIR_F64, .f64 = &value}};
    int64_t revision = n;
    struct weir_rows rows = {.table = &table, .count = 1, .columns = cells, .revision = &revision};
    snprintf(page, sizeof page, "%lld", (long long)n + 1);
    if (weir_writer_add(w->writer, &rows, err) < 0 ||
        weir_writer_flush(w->writer, &(struct weir_commit){.embedded = w->txn}, &(uint64_t){0}, err) < 0)
        return -1;
    weir_state_put(w->state, &(struct weir_commit){.embedded = w->txn}, 0, WEIR_STR("done"), weir_str_of(page));
    return weir_txn_commit(w->txn, false, err);
}

// ---- what is there

struct found {
    int64_t records, position, done, rows, row_next;
};

static int64_t number_of(struct weir_str text)
{
    char copy[24] = "";
    snprintf(copy, sizeof copy, "%.*s", (int)text.bytes, text.bytes ? text.data : "");
    return strtoll(copy, NULL, 10);
}

static int count_records(struct world *w, int64_t *ret, struct weir_error *err)
{
    struct weir_reader *r;
    struct weir_fetch fetch;
    int64_t lost, next = 0;
    if (weir_reader_open(w->log, "events", 0, 0, &r, err) < 0)
        return -1;
    int rc;
    while ((rc = weir_reader_fetch(r, 1 << 20, &fetch, &lost, err)) == 0 && fetch.count > 0)
        for (uint32_t i = 0; i < fetch.count; i++) {
            struct weir_batch_walk walk;
            struct weir_record record;
            weir_batch_walk_begin(&walk, fetch.batches[i]);
            while (weir_batch_walk_next(&walk, &record) > 0) {
                assert_int_equal(record.offset, next);
                assert_int_equal(number_of(record.value), next);
                next++;
            }
        }
    weir_reader_close(r);
    *ret = next;
    return rc;
}

static int take_page(void *context, struct weir_str key, struct weir_str page, struct weir_error *err)
{
    (void)err;
    assert_true(weir_str_is(key, "done"));
    *(int64_t *)context = number_of(page);
    return 0;
}

static int take_row(void *context, const struct weir_value *values)
{
    struct found *f = context;
    if (f->rows++ == 0)
        f->row_next = values[1].i64;
    assert_int_equal(values[1].i64, f->row_next); // newest first, none missing
    assert_true(values[2].f64 == (double)values[1].i64 / 7);
    f->row_next--;
    return 0;
}

static int look(struct world *w, struct found *ret, struct weir_error *err)
{
    struct found f = {0};
    struct weir_scan scan = {.table = &table};
    f.position = number_of(weir_producer_position(w->producer));
    if (count_records(w, &f.records, err) < 0 || weir_state_load(w->state, 0, take_page, &f.done, err) < 0 ||
        weir_store_scan(w->store, "suite", &scan, take_row, &f, err) < 0)
        return -1;
    *ret = f;
    return 0;
}

static void check_agreement(const struct found *f)
{
    assert_int_equal(f->position, f->records);
    assert_int_equal(f->rows, f->done);
    assert_true(f->done == f->records || f->done + 1 == f->records);
    assert_true(f->rows == 0 || f->row_next == -1);
}

static void run_steps(struct world *w, int64_t first, int64_t count)
{
    struct weir_error err;
    for (int64_t n = first; n < first + count; n++)
        if (append(w, n, VALUE_BYTES, &err) < 0 || process(w, n, &err) < 0)
            fail_msg("%s", err.text);
}

// ---- killed

static int be_killed(const char *dir)
{
    struct world w;
    struct found f;
    struct weir_error err;
    if (world_open(&w, dir, &err) < 0 || look(&w, &f, &err) < 0)
        return 1;
    if (f.done < f.records && process(&w, f.done, &err) < 0)
        return 1;
    run_steps(&w, f.records, 1000);
    world_close(&w);
    return 0;
}

static void run_and_kill(const char *dir, const char *fault)
{
    pid_t pid = fork();
    if (pid == 0) {
        setenv("WEIR_FAULT", fault, 1);
        execl("/proc/self/exe", "embedded_recovery", dir, (char *)NULL);
        _exit(2);
    }
    int status = 0;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

static void test_kills(void **state)
{
    (void)state;
    static const char *const points[] = {"log.append.before", "log.append.after",   "txn.commit.before",
                                         "txn.commit.after",  "store.flush.before", "store.flush.after"};
    struct folder folder = folder_make();
    int64_t before = 0;
    for (int round = 0; round < 24; round++) {
        char fault[64];
        snprintf(fault, sizeof fault, "%s:%d", points[round % 6], 8 + 3 * round);
        run_and_kill(folder.path, fault);
        struct world w;
        struct found f;
        struct weir_error err;
        if (world_open(&w, folder.path, &err) < 0 || look(&w, &f, &err) < 0)
            fail_msg("%s", err.text);
        check_agreement(&f);
        assert_true(f.records > before); // a kill loses nothing that was committed
        before = f.records;
        world_close(&w);
    }
    folder_remove(&folder);
}

// ---- torn

static void test_torn_tail(void **state)
{
    (void)state;
    struct folder folder = folder_make();
    struct world w;
    struct weir_error err;
    assert_int_equal(world_open(&w, folder.path, &err), 0);
    run_steps(&w, 0, 40);
    struct folder image = folder_copy(&folder); // as a power loss would leave it
    world_close(&w);
    long bytes = file_bytes(folder_last(&image, ".log").path);
    int64_t most = 40;
    for (long cut = 0; cut < bytes; cut += cut < 600 ? 37 : 1499) {
        struct folder torn = folder_copy(&image);
        assert_int_equal(truncate(folder_last(&torn, ".log").path, bytes - cut), 0);
        struct found f;
        if (world_open(&w, torn.path, &err) < 0 || look(&w, &f, &err) < 0)
            fail_msg("%s", err.text);
        check_agreement(&f);
        assert_true(f.records <= most);
        assert_true(cut > 0 || f.done == 40);
        most = f.records;
        run_steps(&w, f.done, 0);
        if (f.done < f.records)
            assert_int_equal(process(&w, f.done, &err), 0);
        run_steps(&w, f.records, 3); // and it goes on from there
        assert_int_equal(look(&w, &f, &err), 0);
        check_agreement(&f);
        world_close(&w);
        folder_remove(&torn);
    }
    folder_remove(&image);
    folder_remove(&folder);
}

// ---- damaged

static void flip(const char *path, long at)
{
    FILE *file = fopen(path, "r+b");
    assert_non_null(file);
    assert_int_equal(fseek(file, at, SEEK_SET), 0);
    int byte = fgetc(file);
    assert_int_equal(fseek(file, at, SEEK_SET), 0);
    assert_true(fputc(byte ^ 0x10, file) != EOF);
    fclose(file);
}

static void test_flipped_bytes(void **state)
{
    (void)state;
    enum { RECORDS = 400, RECORD_BYTES = 100000, PLACES = 12 };
    struct folder folder = folder_make();
    struct world w;
    struct weir_error err;
    int64_t records;
    assert_int_equal(world_open(&w, folder.path, &err), 0);
    for (int64_t n = 0; n < RECORDS; n++)
        assert_int_equal(append(&w, n, RECORD_BYTES, &err), 0);
    world_close(&w);
    struct folder_search file = folder_last(&folder, ".sst");
    long bytes = file_bytes(file.path);
    const char *name = strrchr(file.path, '/') + 1;
    assert_true(bytes > 1000000);
    for (int i = 0; i < PLACES; i++) {
        flip(file.path, bytes / PLACES * i + 4321);
        assert_int_equal(world_open(&w, folder.path, &err), 0);
        assert_true(count_records(&w, &records, &err) < 0);
        assert_int_equal(err.code, WEIR_IO);
        assert_int_equal(err.fate, WEIR_STOP);
        assert_non_null(strstr(err.text, name));
        assert_non_null(strstr(err.text, "topic events partition 0 offset "));
        world_close(&w);
        flip(file.path, bytes / PLACES * i + 4321);
    }
    assert_int_equal(world_open(&w, folder.path, &err), 0);
    assert_int_equal(count_records(&w, &records, &err), 0);
    assert_int_equal(records, RECORDS);
    world_close(&w);
    folder_remove(&folder);
}

// ---- full

// A file size limit stands for a full disk.
static void test_failed_write_is_the_last(void **state)
{
    (void)state;
    struct folder folder = folder_make();
    struct world w;
    struct found f;
    struct rlimit before, small;
    struct weir_error err, again;
    assert_int_equal(world_open(&w, folder.path, &err), 0);
    run_steps(&w, 0, 5);
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    small = (struct rlimit){.rlim_cur = 100000, .rlim_max = before.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    assert_true(append(&w, 5, 200000, &err) < 0);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    assert_int_equal(err.code, WEIR_IO);
    assert_int_equal(err.fate, WEIR_STOP);
    assert_true(append(&w, 5, VALUE_BYTES, &again) < 0);
    assert_string_equal(again.text, err.text);
    assert_true(process(&w, 5, &again) < 0);
    world_close(&w);
    assert_int_equal(world_open(&w, folder.path, &err), 0);
    assert_int_equal(look(&w, &f, &err), 0);
    check_agreement(&f);
    assert_int_equal(f.records, 5);
    world_close(&w);
    folder_remove(&folder);
}

int main(int argc, char **argv)
{
    if (argc > 1)
        return be_killed(argv[1]);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_kills),
        cmocka_unit_test(test_torn_tail),
        cmocka_unit_test(test_flipped_bytes),
        cmocka_unit_test(test_failed_write_is_the_last),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
