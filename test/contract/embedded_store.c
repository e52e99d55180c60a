// SPDX-License-Identifier: Apache-2.0
// The embedded store through the stores' suite.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/time.h"
#include "embedded/embedded.h"
#include "folder.h"
#include "store_cases.h"

struct embedded_store {
    struct folder folder;
    struct weir_embedded *db;
    struct weir_txn *txn;
};

static void open_all(struct store_subject *s)
{
    struct embedded_store *e = s->context;
    struct weir_error err;
    assert_int_equal(weir_embedded_open(e->folder.path, WEIR_OWNER, &e->db, &err), 0);
    assert_int_equal(weir_store_embedded(e->db, &s->store, &err), 0);
    assert_int_equal(weir_writer_new(s->store, SUITE_KEYSPACE, &s->writer, &err), 0);
    e->txn = weir_txn_new(e->db);
}

static void close_all(struct store_subject *s)
{
    struct embedded_store *e = s->context;
    weir_writer_free(s->writer);
    weir_store_close(s->store);
    weir_txn_free(e->txn);
    weir_embedded_close(e->db);
}

static void commit(struct store_subject *s)
{
    struct embedded_store *e = s->context;
    struct weir_error err;
    assert_int_equal(weir_writer_flush(s->writer, &(struct weir_commit){.embedded = e->txn}, &(uint64_t){0}, &err), 0);
    assert_int_equal(weir_txn_commit(e->txn, false, &err), 0);
}

static void reopen(struct store_subject *s)
{
    close_all(s);
    open_all(s);
}

static int set_up(void **state)
{
    static struct embedded_store e;
    static struct store_subject s;
    e = (struct embedded_store){.folder = folder_make()};
    s = (struct store_subject){.commit = commit, .reopen = reopen, .random_tables = 40, .context = &e};
    open_all(&s);
    *state = &s;
    return 0;
}

static int tear_down(void **state)
{
    struct store_subject *s = *state;
    struct embedded_store *e = s->context;
    close_all(s);
    folder_remove(&e->folder);
    return 0;
}

static struct weir_table readings_table(int64_t ttl_ms)
{
    static struct weir_table_column columns[] = {{"id", WEIR_CQL_TEXT}, {"at", WEIR_CQL_TIMESTAMP}};
    static uint32_t partition[] = {0};
    static struct weir_clustering clustering[] = {{1, true}};
    return (struct weir_table){.name = "readings",
                               .column_count = 2,
                               .columns = columns,
                               .partition_count = 1,
                               .partition = partition,
                               .clustering_count = 1,
                               .clustering = clustering,
                               .ttl_ms = ttl_ms};
}

static void add_reading(struct store_subject *s, const struct weir_table *table, int64_t at)
{
    struct weir_str id = WEIR_STR("one");
    struct weir_error err;
    struct weir_column cells[] = {{.kind = WEIR_STRS, .str = &id}, {.kind = WEIR_I64, .i64 = &at}};
    struct weir_rows rows = {.table = table, .count = 1, .columns = cells, .revision = &at};
    assert_int_equal(weir_writer_add(s->writer, &rows, &err), 0);
    commit(s);
}

static int count_row(void *context, const struct weir_value *values)
{
    (void)values;
    ++*(int *)context;
    return 0;
}

static int count_rows(struct weir_store *store, const struct weir_table *table)
{
    struct weir_scan scan = {.table = table};
    struct weir_error err;
    int count = 0;
    if (weir_store_scan(store, SUITE_KEYSPACE, &scan, count_row, &count, &err) < 0)
        fail_msg("%s", err.text);
    return count;
}

static void test_ttl(void **state)
{
    struct store_subject *s = *state;
    struct weir_error err;
    struct weir_table brief = readings_table(1), lasting = readings_table(1000000);
    assert_int_equal(weir_store_create(s->store, SUITE_KEYSPACE, &brief, &err), 0);
    add_reading(s, &brief, 1);
    add_reading(s, &lasting, 2);
    for (int64_t written_ms = weir_now_ms(); weir_now_ms() <= written_ms + 1;)
        ;
    assert_int_equal(count_rows(s->store, &lasting), 1);
}

static void test_reader_beside_owner(void **state)
{
    struct store_subject *s = *state;
    struct embedded_store *e = s->context;
    struct weir_error err;
    struct weir_table table = readings_table(0);
    struct weir_embedded *db;
    struct weir_store *beside;
    assert_int_equal(weir_store_create(s->store, SUITE_KEYSPACE, &table, &err), 0);
    add_reading(s, &table, 1);
    assert_int_equal(weir_embedded_open(e->folder.path, WEIR_READER, &db, &err), 0);
    assert_int_equal(weir_store_embedded(db, &beside, &err), 0);
    assert_int_equal(count_rows(beside, &table), 1);
    add_reading(s, &table, 2);
    add_reading(s, &table, 3);
    assert_int_equal(count_rows(beside, &table), 1);
    assert_int_equal(weir_embedded_refresh(db, &err), 0);
    assert_int_equal(count_rows(beside, &table), 3);
    weir_store_close(beside);
    weir_embedded_close(db);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        STORE_SUITE(set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_ttl, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_reader_beside_owner, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
