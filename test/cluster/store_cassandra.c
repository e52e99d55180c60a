// SPDX-License-Identifier: Apache-2.0
// needs: cassandra
// The store on a real ring: the stores' suite, and what only Cassandra has.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static char keyspace[48];
#define SUITE_KEYSPACE keyspace
#include "contract/store_cases.h"

#include "base/memory.h"
#include "base/time.h"
#include "cql/cql.h"
#include <unistd.h>

static char url[256], hosts[160];

static void open_all(struct store_subject *s)
{
    struct weir_cassandra_where where = {.url = url};
    struct weir_error err;
    if (weir_store_cassandra(&where, &s->store, &err) < 0 || weir_writer_new(s->store, keyspace, &s->writer, &err) < 0)
        fail_msg("%s", err.text);
}

static void close_all(struct store_subject *s)
{
    weir_writer_free(s->writer);
    weir_store_close(s->store);
}

static void reopen(struct store_subject *s)
{
    close_all(s);
    open_all(s);
}

static bool is_acked(struct weir_writer *w, uint64_t ticket, int64_t within_ms)
{
    int64_t until_us = weir_monotonic_us() + within_ms * 1000;
    while (!weir_writer_acked(w, ticket))
        if (weir_monotonic_us() > until_us)
            return false;
    return true;
}

static void commit(struct store_subject *s)
{
    struct weir_commit none = {0};
    struct weir_error err;
    uint64_t ticket;
    assert_int_equal(weir_writer_flush(s->writer, &none, &ticket, &err), 0);
    assert_true(is_acked(s->writer, ticket, 30000));
}

static int set_up(void **state)
{
    static struct store_subject s;
    s = (struct store_subject){.commit = commit, .reopen = reopen, .random_tables = 8};
    open_all(&s);
    *state = &s;
    return 0;
}

static int tear_down(void **state)
{
    close_all(*state);
    return 0;
}

// The answer is the caller's to free.
static struct cql_result *say(const char *statement)
{
    const char *host = hosts;
    char first[64];
    snprintf(first, sizeof first, "%.*s", (int)strcspn(host, ","), host);
    const char *const addresses[] = {first};
    struct cql_options options = {.host_count = 1, .hosts = addresses, .request_timeout_ms = 60000};
    struct cql_session *session;
    struct cql_result *result = NULL;
    struct weir_error err;
    if (cql_session_open(&options, &session, &err) < 0 || cql_run_text(session, statement, &result, &err) < 0)
        fail_msg("%s: %s", statement, err.text);
    cql_session_close(session);
    return result;
}

static void drop(const char *what, const char *name)
{
    weir_cleanup(weir_freep) char *statement = weir_format("DROP %s %s", what, name);
    cql_result_free(say(statement));
}

// Table by table: see drop_keyspace in cluster.py.
static void drop_keyspace(void)
{
    weir_cleanup(weir_freep) char *tables = weir_format("SELECT table_name FROM system_schema.tables WHERE keyspace_name = '%s'", keyspace);
    struct cql_result *result = say(tables);
    struct cql_rows rows;
    struct cql_cell cell;
    cql_rows_begin(result, &rows);
    while (cql_rows_next(&rows, &cell) > 0) {
        weir_cleanup(weir_freep) char *table = weir_format("%s.%.*s", keyspace, (int)cell.bytes.bytes, cell.bytes.data);
        drop("TABLE", table);
    }
    cql_result_free(result);
    drop("KEYSPACE", keyspace);
}

// ---- what only Cassandra has

static void test_the_difference_is_told_column_by_column(void **state)
{
    struct store_subject *s = *state;
    struct weir_error err;
    weir_cleanup(weir_freep) char *statement = weir_format("CREATE TABLE %s.another (id text PRIMARY KEY, value int, more text)", keyspace);
    struct weir_table table = readings_named("another", false);
    readings_create(s, &(struct weir_table){
                           .name = "first", .column_count = 1, .columns = readings_columns, .partition_count = 1, .partition = readings_partition});
    cql_result_free(say(statement));
    assert_true(weir_store_create(s->store, keyspace, &table, &err) < 0);
    assert_int_equal(err.code, WEIR_BAD_CONFIG);
    static const char *const said[] = {"no column at", "column value is int, not double", "no column note", "a column more more",
                                       "its key is ((id)), not ((id), at desc)"};
    for (size_t i = 0; i < sizeof said / sizeof *said; i++)
        if (!strstr(err.text, said[i]))
            fail_msg("'%s' is missing in: %s", said[i], err.text);
}

static void test_refused_rows_come_out_and_others_go_on(void **state)
{
    struct store_subject *s = *state;
    struct weir_table table = readings_named("refusing", false);
    struct reading rows[100];
    static const char *const names[] = {"a", "a", "b", "a"};
    for (int i = 0; i < 100; i++)
        rows[i] = (struct reading){names[i % 4], i, i, i == 41 ? "bad \xff \"text\"" : "good", 1000 + i};
    rows[57].id = ""; // Cassandra has no empty keys
    readings_create(s, &table);
    readings_add(s, &table, rows, 100, false);
    commit(s);
    struct weir_refused_row refused;
    bool text = false, key = false;
    for (int i = 0; i < 2; i++) {
        assert_true(weir_writer_refused(s->writer, &refused));
        assert_int_equal(refused.table_index, 7);
        text |= refused.revision == 1041 && weir_str_is(refused.row, "{\"id\":\"a\",\"at\":41,\"value\":41,\"note\":\"bad \\ufffd \\\"text\\\"\"}");
        key |= refused.revision == 1057 && weir_str_is(refused.row, "{\"id\":\"\",\"at\":57,\"value\":57,\"note\":\"good\"}");
        assert_true(strlen(refused.text) > 0);
    }
    assert_true(text && key);
    assert_false(weir_writer_refused(s->writer, &refused));
    struct readings_found found = readings_scan(s, &(struct weir_scan){.table = &table});
    assert_int_equal(found.count, 98);
    free(found.text);
    assert_true(weir_store_healthy(s->store, &(struct weir_buffer){0}));
    reopen(s);
}

static void await_health(struct store_subject *s, bool healthy, const char *said)
{
    weir_cleanup(weir_buffer_drop) struct weir_buffer reasons = {0};
    int64_t until_us = weir_monotonic_us() + 30000000;
    while (weir_store_healthy(s->store, &reasons) != healthy) {
        if (weir_monotonic_us() > until_us)
            fail_msg("still %s: %.*s", healthy ? "in trouble" : "healthy", (int)reasons.bytes, (const char *)reasons.data);
        reasons.bytes = 0;
    }
    weir_buffer_byte(&reasons, 0);
    if (said && !strstr((const char *)reasons.data, said))
        fail_msg("'%s' is missing in: %s", said, (const char *)reasons.data);
}

static void test_a_table_that_goes_and_comes_back(void **state)
{
    struct store_subject *s = *state;
    struct weir_table table = readings_named("lost", false);
    static const struct reading before[] = {{"a", 1, 1, NULL, 1}}, after[] = {{"a", 2, 2, NULL, 2}, {"a", 3, 3, NULL, 3}};
    struct weir_commit none = {0};
    struct weir_error err;
    uint64_t ticket;
    weir_cleanup(weir_freep) char *lost = weir_format("%s.lost", keyspace);
    readings_create(s, &table);
    readings_add(s, &table, before, 1, false);
    commit(s);
    drop("TABLE", lost);
    readings_add(s, &table, after, 2, false);
    assert_int_equal(weir_writer_flush(s->writer, &none, &ticket, &err), 0);
    await_health(s, false, "lost");
    assert_false(weir_writer_acked(s->writer, ticket));
    assert_false(weir_writer_refused(s->writer, &(struct weir_refused_row){0}));
    readings_create(s, &table);
    assert_true(is_acked(s->writer, ticket, 30000));
    await_health(s, true, NULL);
    readings_are(s, &table, "a 3 3 -\na 2 2 -\n");
    reopen(s);
}

// hours: id text, when the window began as `column` says; n int
static void add_hours(struct store_subject *s, const struct weir_table *table, int64_t (*column)(int64_t ms, uint32_t c), int64_t first_ms,
                      uint32_t count)
{
    struct weir_str *ids = calloc(count, sizeof *ids);
    int64_t *cells = calloc((size_t)count * table->column_count, sizeof *cells), *starts = calloc(count, sizeof *starts),
            *revisions = calloc(count, sizeof *revisions);
    struct weir_column *columns = calloc(table->column_count, sizeof *columns);
    columns[0] = (struct weir_column){.kind = WEIR_STRS, .str = ids};
    for (uint32_t i = 0; i < count; i++) {
        ids[i] = WEIR_STR("a");
        starts[i] = first_ms + i * 3600000ll;
        revisions[i] = i + 1;
        for (uint32_t c = 1; c < table->column_count; c++) {
            columns[c] = (struct weir_column){.kind = WEIR_I64, .i64 = cells + (size_t)c * count};
            cells[(size_t)c * count + i] = column(starts[i], c);
        }
    }
    struct weir_rows rows = {.table = table, .count = count, .columns = columns, .revision = revisions, .window_start_ms = starts};
    struct weir_error err;
    assert_int_equal(weir_writer_add(s->writer, &rows, &err), 0);
    commit(s);
    free(ids), free(cells), free(starts), free(revisions), free(columns);
}

struct hours_seen {
    int64_t sum; // of the last column
    int count;
    uint32_t last;
};

static int see_hour(void *context, const struct weir_value *values)
{
    struct hours_seen *seen = context;
    seen->count++;
    seen->sum += values[seen->last].i64;
    return 0;
}

static int hours_between(struct store_subject *s, const struct weir_table *table, bool keyed, int64_t from_ms, int64_t to_ms)
{
    struct weir_value key = {.kind = WEIR_STRS, .str = WEIR_STR("a")};
    struct hours_seen seen = {.last = table->column_count - 1};
    struct weir_scan scan = {.table = table, .key_count = keyed, .key = &key, .bound_from = from_ms != INT64_MIN, .bound_to = to_ms != INT64_MAX};
    scan.from = (struct weir_value){.kind = WEIR_I64, .i64 = from_ms};
    scan.to = (struct weir_value){.kind = WEIR_I64, .i64 = to_ms};
    struct weir_error err;
    if (weir_store_scan(s->store, keyspace, &scan, see_hour, &seen, &err) < 0)
        fail_msg("%s", err.text);
    return seen.count;
}

static const int64_t day0_ms = 1704067200000 - 86400000; // 2023-12-31, so that a year ends

static void check_hours(struct store_subject *s, const struct weir_table *table)
{
    const int64_t hour_ms = 3600000;
    for (int keyed = 0; keyed < 2; keyed++) {
        assert_int_equal(hours_between(s, table, keyed, INT64_MIN, INT64_MAX), 60);
        assert_int_equal(hours_between(s, table, keyed, day0_ms + 10 * hour_ms, INT64_MAX), 50);
        assert_int_equal(hours_between(s, table, keyed, day0_ms + 10 * hour_ms + 1, INT64_MAX), 49);
        assert_int_equal(hours_between(s, table, keyed, INT64_MIN, day0_ms + 10 * hour_ms), 11);
        assert_int_equal(hours_between(s, table, keyed, day0_ms + 20 * hour_ms, day0_ms + 29 * hour_ms), 10);
        assert_int_equal(hours_between(s, table, keyed, day0_ms + 100 * hour_ms, INT64_MAX), 0);
    }
}

static int64_t seconds_of(int64_t ms, uint32_t c)
{
    return c == 1 ? ms / 1000 : 1;
}

static int64_t date_of(int64_t ms, uint32_t c)
{
    struct weir_civil civil = weir_civil_of(ms);
    const int64_t fields[] = {0, civil.year, civil.month, civil.day, civil.hour, 1};
    return fields[c];
}

static void test_windows_are_bounded_by_columns_made_of_them(void **state)
{
    struct store_subject *s = *state;
    struct weir_table_column columns[] = {{"id", WEIR_CQL_TEXT}, {"hour", WEIR_CQL_BIGINT}, {"n", WEIR_CQL_INT}};
    enum weir_time_part parts[] = {WEIR_PART_NONE, WEIR_PART_S, WEIR_PART_NONE};
    struct weir_table table = readings_named("hours_s", true);
    table.columns = columns, table.column_count = 3, table.windowed = true, table.time_parts = parts;
    readings_create(s, &table);
    add_hours(s, &table, seconds_of, day0_ms, 60);
    check_hours(s, &table);
    parts[1] = WEIR_PART_NONE;
    struct weir_error err;
    struct weir_scan scan = {.table = &table, .bound_from = true, .from = {.kind = WEIR_I64}};
    assert_true(weir_store_scan(s->store, keyspace, &scan, see_hour, &(struct hours_seen){0}, &err) < 0);
    assert_non_null(strstr(err.text, "epoch_s(window_start)"));
    reopen(s);
}

static struct weir_table dates_table(const char *name)
{
    static struct weir_table_column columns[] = {{"id", WEIR_CQL_TEXT}, {"year", WEIR_CQL_INT}, {"month", WEIR_CQL_INT},
                                                 {"day", WEIR_CQL_INT}, {"hour", WEIR_CQL_INT}, {"n", WEIR_CQL_INT}};
    static enum weir_time_part parts[] = {WEIR_PART_NONE, WEIR_PART_YEAR, WEIR_PART_MONTH, WEIR_PART_DAY, WEIR_PART_HOUR, WEIR_PART_NONE};
    static struct weir_clustering clustering[] = {{1, true}, {2, true}, {3, true}, {4, true}};
    struct weir_table table = readings_named(name, true);
    table.columns = columns, table.column_count = 6, table.windowed = true, table.time_parts = parts;
    table.clustering = clustering, table.clustering_count = 4;
    return table;
}

static void test_windows_are_bounded_by_their_date(void **state)
{
    struct weir_table table = dates_table("hours_date");
    readings_create(*state, &table);
    add_hours(*state, &table, date_of, day0_ms, 60);
    check_hours(*state, &table);
    reopen(*state);
}

static void test_partitions_by_time(void **state)
{
    struct store_subject *s = *state;
    static const char *const units[] = {"hour", "day", "week", "month", "year"};
    for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
        weir_cleanup(weir_freep) char *name = weir_format("hours_by_%s", units[i]);
        struct weir_table table = dates_table(name);
        table.partition_by = units[i];
        readings_create(s, &table);
        add_hours(s, &table, date_of, day0_ms, 60);
        check_hours(s, &table);
        struct keys_seen keys = {0};
        struct weir_error err;
        assert_int_equal(weir_store_keys(s->store, keyspace, &table, (struct weir_str){0}, 0, see_key, &keys, &err), 0);
        assert_int_equal(keys.count, 1);
        reopen(s);
    }
}

static void test_raw_rows_by_time_keep_their_order(void **state)
{
    struct store_subject *s = *state;
    enum weir_time_part parts[] = {WEIR_PART_NONE, WEIR_PART_MS, WEIR_PART_NONE, WEIR_PART_NONE};
    struct weir_table table = readings_named("raw_by_day", false);
    static const struct reading rows[] = {
        {"b", 86400000, 1, NULL, 1}, {"a", 1, 1, NULL, 2}, {"a", 86400001, 2, NULL, 3}, {"a", 3 * 86400000ll, 3, NULL, 4}, {"a", 2, 4, NULL, 5}};
    table.time_parts = parts, table.partition_by = "day";
    readings_create(s, &table);
    readings_add(s, &table, rows, 5, false);
    commit(s);
    readings_are(s, &table, "a 259200000 3 -\na 86400001 2 -\na 2 4 -\na 1 1 -\nb 86400000 1 -\n");
    struct weir_value key[] = {{.kind = WEIR_STRS, .str = WEIR_STR("a")}, {.kind = WEIR_I64, .i64 = 86400001}};
    struct weir_scan scan = {.table = &table, .key_count = 2, .key = key};
    struct readings_found found = readings_scan(s, &scan);
    assert_string_equal(found.text, "a 86400001 2 -\n");
    free(found.text);
    scan = (struct weir_scan){.table = &table, .key_count = 1, .key = key, .bound_to = true, .to = {.kind = WEIR_I64, .i64 = 86400000}};
    found = readings_scan(s, &scan);
    assert_string_equal(found.text, "a 2 4 -\na 1 1 -\n");
    free(found.text);
    reopen(s);
}

static void test_operators_see_nodes_and_tables(void **state)
{
    struct store_subject *s = *state;
    weir_cleanup(weir_arena_drop) struct weir_arena arena = {0};
    struct weir_store_stats stats;
    struct weir_error err;
    struct weir_table table = readings_named("watched", false);
    static const struct reading rows[] = {{"a", 1, 1, NULL, 1}, {"a", 2, 2, NULL, 2}};
    readings_create(s, &table);
    readings_add(s, &table, rows, 2, false);
    commit(s);
    assert_int_equal(weir_store_stats(s->store, keyspace, &arena, &stats, &err), 0);
    assert_string_equal(stats.kind, "cassandra");
    assert_true(stats.node_count >= 1);
    double ownership = 0;
    for (uint32_t i = 0; i < stats.node_count; i++)
        ownership += stats.nodes[i].ownership;
    assert_true(ownership > 0.99 && ownership < 1.01);
    assert_int_equal(stats.rows_sent, 2);
    const struct weir_store_table *watched = NULL;
    for (uint32_t i = 0; i < stats.table_count; i++)
        watched = strcmp(stats.tables[i].name, "watched") == 0 ? &stats.tables[i] : watched;
    assert_non_null(watched);
    assert_true(watched->writes >= 1);
    reopen(s);
}

static void open_with(struct store_subject *s, uint32_t count, const struct weir_option *options)
{
    struct weir_cassandra_where where = {.url = url, .option_count = count, .options = options};
    struct weir_error err;
    close_all(s);
    assert_int_equal(weir_store_cassandra(&where, &s->store, &err), 0);
    assert_int_equal(weir_writer_new(s->store, keyspace, &s->writer, &err), 0);
}

static uint64_t batches_sent(struct store_subject *s)
{
    weir_cleanup(weir_arena_drop) struct weir_arena arena = {0};
    struct weir_store_stats stats;
    struct weir_error err;
    assert_int_equal(weir_store_stats(s->store, keyspace, &arena, &stats, &err), 0);
    return stats.batches;
}

static void test_busy_partitions_gather_and_quiet_ones_do_not_wait(void **state)
{
    enum { LINGER_MS = 3000 };
    struct store_subject *s = *state;
    struct weir_table table = readings_named("lingering", false);
    open_with(s, 1, &(struct weir_option){"linger", "3 s"});
    readings_create(s, &table);
    int64_t begun_us = weir_monotonic_us();
    readings_add(s, &table, &(struct reading){"busy", 0, 0, NULL, 1}, 1, false);
    commit(s);
    readings_add(s, &table, &(struct reading){"quiet", 0, 0, NULL, 1}, 1, false);
    commit(s);
    assert_true(weir_monotonic_us() - begun_us < LINGER_MS * 1000);
    assert_int_equal(batches_sent(s), 2);
    for (int i = 1; i <= 20; i++) {
        struct weir_commit none = {0};
        struct weir_error err;
        uint64_t ticket;
        readings_add(s, &table, &(struct reading){"busy", i, i, NULL, i + 1}, 1, false);
        assert_int_equal(weir_writer_flush(s->writer, &none, &ticket, &err), 0);
    }
    commit(s);
    assert_in_range(batches_sent(s), 3, 4); // 4 on a machine that stood still between two rows
    struct readings_found found = readings_scan(s, &(struct weir_scan){.table = &table});
    assert_int_equal(found.count, 22);
    free(found.text);
    reopen(s);
}

static void test_without_a_linger_nothing_gathers(void **state)
{
    enum { ROWS = 20 };
    struct store_subject *s = *state;
    struct weir_table table = readings_named("no_linger", false);
    open_with(s, 1, &(struct weir_option){"linger", "0"});
    readings_create(s, &table);
    for (int i = 0; i < ROWS; i++) {
        readings_add(s, &table, &(struct reading){"busy", i, i, NULL, i + 1}, 1, false);
        commit(s);
    }
    assert_int_equal(batches_sent(s), ROWS);
    reopen(s);
}

static void test_memory_is_bounded(void **state)
{
    struct store_subject *s = *state;
    struct weir_table table = readings_named("bounded_memory", false);
    open_with(s, 2, (struct weir_option[]){{"memory_max", "1 MiB"}, {"batches_in_flight", "1"}});
    readings_create(s, &table);
    struct reading rows[100];
    int added = 0;
    for (; !weir_writer_full(s->writer) && added < 1000; added++) {
        for (int i = 0; i < 100; i++)
            rows[i] = (struct reading){"a", added * 100 + i, 1, "a note that takes some room", added * 100 + i + 1};
        readings_add(s, &table, rows, 100, false);
    }
    assert_true(added < 1000);
    assert_true(weir_writer_bytes(s->writer) < 2 << 20);
    commit(s);
    assert_int_equal(weir_writer_bytes(s->writer), 0);
    assert_false(weir_writer_full(s->writer));
    struct readings_found found =
        readings_scan(s, &(struct weir_scan){.table = &table, .key_count = 1, .key = &(struct weir_value){.kind = WEIR_STRS, .str = WEIR_STR("a")}});
    assert_int_equal(found.count, added * 100);
    free(found.text);
    reopen(s);
}

static void test_a_ring_that_does_not_answer_is_named(void **state)
{
    struct weir_cassandra_where where = {.url = "cassandra://127.0.0.99:9/k"};
    struct weir_store *store;
    struct weir_error err;
    (void)state;
    assert_true(weir_store_cassandra(&where, &store, &err) < 0);
    assert_int_equal(err.code, WEIR_UNAVAILABLE);
    assert_non_null(strstr(err.text, "127.0.0.99"));
}

#define TEST(what) cmocka_unit_test_setup_teardown(test_##what, set_up, tear_down)

int main(void)
{
    if (getenv("ONLY"))
        cmocka_set_test_filter(getenv("ONLY"));
    const struct CMUnitTest tests[] = {
        STORE_SUITE(set_up, tear_down),
        TEST(the_difference_is_told_column_by_column),
        TEST(refused_rows_come_out_and_others_go_on),
        TEST(a_table_that_goes_and_comes_back),
        TEST(windows_are_bounded_by_columns_made_of_them),
        TEST(windows_are_bounded_by_their_date),
        TEST(partitions_by_time),
        TEST(raw_rows_by_time_keep_their_order),
        TEST(operators_see_nodes_and_tables),
        TEST(busy_partitions_gather_and_quiet_ones_do_not_wait),
        TEST(without_a_linger_nothing_gathers),
        TEST(memory_is_bounded),
        cmocka_unit_test(test_a_ring_that_does_not_answer_is_named),
    };
    const char *given = getenv("HOSTS");
    snprintf(hosts, sizeof hosts, "%s", given ? given : "127.0.0.1");
    snprintf(keyspace, sizeof keyspace, "store_%d", (int)getpid());
    snprintf(url, sizeof url, "cassandra://%s/%s", hosts, keyspace);
    suite_manners.plain_texts = suite_manners.merges = suite_manners.windows_untold = true;
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    drop_keyspace();
    return failed;
}
