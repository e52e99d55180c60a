// SPDX-License-Identifier: Apache-2.0
// What every store must do, case by case. Each case finds in *state a subject that set_up made.
#pragma once
#include "store_suite.h"

// readings: id text, at bigint; value double, note text
struct reading {
    const char *id;
    int64_t at;
    double value; // NaN: null
    const char *note;
    int64_t revision;
};

static struct weir_table_column readings_columns[] = {
    {"id", WEIR_CQL_TEXT}, {"at", WEIR_CQL_BIGINT}, {"value", WEIR_CQL_DOUBLE}, {"note", WEIR_CQL_TEXT}};
static uint32_t readings_partition[] = {0};
static struct weir_clustering readings_clustering[] = {{1, true}};

static struct weir_table readings_named(const char *name, bool upserts)
{
    return (struct weir_table){.name = name,
                               .column_count = 4,
                               .columns = readings_columns,
                               .partition_count = 1,
                               .partition = readings_partition,
                               .clustering_count = 1,
                               .clustering = readings_clustering,
                               .upserts = upserts,
                               .consistency = "QUORUM"};
}

static void readings_add(struct store_subject *s, const struct weir_table *table, const struct reading *readings, uint32_t count, bool deleted)
{
    struct weir_str *ids = calloc(count, sizeof *ids), *notes = calloc(count, sizeof *notes);
    int64_t *at = calloc(count, sizeof *at), *revisions = calloc(count, sizeof *revisions);
    double *values = calloc(count, sizeof *values);
    uint8_t *value_valid = calloc(count, 1), *note_valid = calloc(count, 1);
    for (uint32_t i = 0; i < count; i++) {
        ids[i] = weir_str_of(readings[i].id);
        at[i] = readings[i].at;
        values[i] = readings[i].value;
        value_valid[i] = !isnan(readings[i].value);
        note_valid[i] = readings[i].note != NULL;
        notes[i] = readings[i].note ? weir_str_of(readings[i].note) : (struct weir_str){0};
        revisions[i] = readings[i].revision;
    }
    struct weir_column columns[] = {{.kind = WEIR_STRS, .str = ids},
                                    {.kind = WEIR_I64, .i64 = at},
                                    {.kind = WEIR_F64, .f64 = values, .valid = value_valid},
                                    {.kind = WEIR_STRS, .str = notes, .valid = note_valid}};
    struct weir_rows rows = {.table = table, .table_index = 7, .count = count, .deleted = deleted, .columns = columns, .revision = revisions};
    struct weir_error err;
    if (weir_writer_add(s->writer, &rows, &err) < 0)
        fail_msg("%s", err.text);
    free(ids), free(notes), free(at), free(revisions), free(values), free(value_valid), free(note_valid);
}

struct readings_found {
    char *text; // a line a row: id at value note
    size_t bytes, capacity;
    int count;
};

static int readings_print(void *context, const struct weir_value *values)
{
    struct readings_found *found = context;
    size_t room = 128 + values[0].str.bytes + (values[3].null ? 0 : values[3].str.bytes);
    if (found->bytes + room > found->capacity)
        found->text = realloc(found->text, found->capacity = 2 * (found->bytes + room));
    char value[40] = "-";
    if (!values[2].null)
        snprintf(value, sizeof value, "%g", values[2].f64);
    found->bytes +=
        (size_t)snprintf(found->text + found->bytes, room, "%.*s %lld %s %.*s\n", (int)values[0].str.bytes, values[0].str.data,
                         (long long)values[1].i64, value, values[3].null ? 1 : (int)values[3].str.bytes, values[3].null ? "-" : values[3].str.data);
    found->count++;
    return 0;
}

static struct readings_found readings_scan(struct store_subject *s, const struct weir_scan *scan)
{
    struct readings_found found = {.text = calloc(1, 1), .capacity = 1};
    struct weir_error err;
    if (weir_store_scan(s->store, SUITE_KEYSPACE, scan, readings_print, &found, &err) < 0)
        fail_msg("%s", err.text);
    return found;
}

static void readings_are(struct store_subject *s, const struct weir_table *table, const char *want)
{
    struct readings_found found = readings_scan(s, &(struct weir_scan){.table = table});
    assert_string_equal(found.text, want);
    free(found.text);
}

static void readings_create(struct store_subject *s, const struct weir_table *table)
{
    struct weir_error err;
    for (int again = 0; again < 2; again++)
        if (weir_store_create(s->store, SUITE_KEYSPACE, table, &err) < 0)
            fail_msg("%s", err.text);
}

static void suite_replays_change_nothing(void **state)
{
    struct store_subject *s = *state;
    struct weir_table table = readings_named("replayed", false);
    static const struct reading rows[] = {{"a", 1, 0.5, "x", 101}, {"b", 1, 1.5, NULL, 102}, {"a", 2, NAN, "y", 103}};
    readings_create(s, &table);
    for (int again = 0; again < 3; again++) {
        readings_add(s, &table, rows, 3, false);
        s->commit(s);
    }
    readings_are(s, &table, "a 2 - y\na 1 0.5 x\nb 1 1.5 -\n");
    s->reopen(s);
}

static void suite_newest_revisions_win(void **state)
{
    struct store_subject *s = *state;
    struct weir_table table = readings_named("revised", false);
    static const struct reading together[] = {{"a", 1, 1, "first", 11}, {"a", 1, 3, "third", 13}, {"a", 1, 2, "second", 12}};
    static const struct reading older[] = {{"a", 1, 0, "older", 10}}, newer[] = {{"a", 1, 4, "fourth", 14}};
    readings_create(s, &table);
    readings_add(s, &table, together, 3, false);
    s->commit(s);
    readings_are(s, &table, "a 1 3 third\n");
    readings_add(s, &table, older, 1, false);
    s->commit(s);
    readings_are(s, &table, "a 1 3 third\n");
    readings_add(s, &table, newer, 1, false);
    s->commit(s);
    readings_are(s, &table, "a 1 4 fourth\n");
    s->reopen(s);
}

// As sessions do that are joined: their row is taken back, and one may be given for the same key in the same breath.
static void suite_rows_are_taken_back(void **state)
{
    struct store_subject *s = *state;
    struct weir_table table = readings_named("taken_back", true);
    static const struct reading first[] = {{"a", 1, 1, "one", 10}, {"a", 5, 1, "five", 10}};
    static const struct reading gone[] = {{"a", 1, 0, NULL, 20}, {"a", 5, 0, NULL, 20}}, again[] = {{"a", 1, 2, "two", 20}};
    static const struct reading last[] = {{"a", 1, 0, NULL, 30}}, anew[] = {{"a", 1, 3, "three", 31}};
    readings_create(s, &table);
    readings_add(s, &table, first, 2, false);
    s->commit(s);
    readings_are(s, &table, "a 5 1 five\na 1 1 one\n");
    readings_add(s, &table, gone, 2, true);
    readings_add(s, &table, again, 1, false);
    s->commit(s);
    readings_are(s, &table, "a 1 2 two\n");
    readings_add(s, &table, last, 1, true);
    s->commit(s);
    readings_are(s, &table, "");
    readings_add(s, &table, anew, 1, false);
    s->commit(s);
    readings_are(s, &table, "a 1 3 three\n");
    s->reopen(s);
}

static void suite_texts_may_be_long(void **state)
{
    struct store_subject *s = *state;
    enum { BYTES = 1 << 20 };
    struct weir_table table = readings_named("long_texts", false);
    char *text = malloc(BYTES + 1);
    memset(text, 'x', BYTES);
    text[BYTES] = 0;
    struct reading rows[] = {{"a", 1, 1, text, 1}, {"a", 2, 2, text, 2}, {"b", 1, 1, "", 3}};
    readings_create(s, &table);
    readings_add(s, &table, rows, 3, false);
    s->commit(s);
    struct readings_found found = readings_scan(s, &(struct weir_scan){.table = &table});
    assert_int_equal(found.count, 3);
    assert_true(found.bytes > 2 * BYTES && found.text[BYTES] == 'x');
    free(found.text);
    free(text);
    s->reopen(s);
}

struct keys_seen {
    char last[32], first[32];
    int count;
};

static int see_key(void *context, const struct weir_value *values)
{
    struct keys_seen *seen = context;
    char key[32];
    snprintf(key, sizeof key, "%.*s", (int)values[0].str.bytes, values[0].str.data);
    assert_true(strcmp(seen->last, key) <= 0); // keys in their order, several rows each
    if (seen->count++ == 0)
        memcpy(seen->first, key, sizeof key);
    memcpy(seen->last, key, sizeof key);
    return 0;
}

static void suite_partitions_may_be_many(void **state)
{
    struct store_subject *s = *state;
    enum { KEYS = 10000 };
    struct weir_table table = readings_named("many", false);
    struct reading *rows = calloc(KEYS, sizeof *rows);
    char(*ids)[16] = calloc(KEYS, sizeof *ids);
    for (int i = 0; i < KEYS; i++) {
        snprintf(ids[i], sizeof ids[i], "key-%05d", i * 7919 % KEYS);
        rows[i] = (struct reading){ids[i], i, i, NULL, i + 1};
    }
    readings_create(s, &table);
    readings_add(s, &table, rows, KEYS, false);
    s->commit(s);
    struct weir_error err;
    struct keys_seen seen = {0}, some = {0};
    assert_int_equal(weir_store_scan(s->store, SUITE_KEYSPACE, &(struct weir_scan){.table = &table}, see_key, &seen, &err), 0);
    assert_int_equal(seen.count, KEYS);
    seen = (struct keys_seen){0};
    assert_int_equal(weir_store_keys(s->store, SUITE_KEYSPACE, &table, (struct weir_str){0}, 0, see_key, &seen, &err), 0);
    assert_int_equal(seen.count, KEYS);
    assert_int_equal(weir_store_keys(s->store, SUITE_KEYSPACE, &table, WEIR_STR("key-042"), 30, see_key, &some, &err), 0);
    assert_int_equal(some.count, 30);
    assert_string_equal(some.first, "key-04200");
    assert_string_equal(some.last, "key-04229");
    free(ids);
    free(rows);
    s->reopen(s);
}

static void suite_bounds(void **state)
{
    struct store_subject *s = *state;
    struct weir_table table = readings_named("bounded", false);
    static const struct reading rows[] = {{"a", 10, 1, NULL, 1}, {"a", 20, 2, NULL, 2}, {"a", 30, 3, NULL, 3}, {"b", 20, 4, NULL, 4}};
    struct weir_value key[] = {{.kind = WEIR_STRS, .str = WEIR_STR("a")}, {.kind = WEIR_I64, .i64 = 20}};
    readings_create(s, &table);
    readings_add(s, &table, rows, 4, false);
    s->commit(s);
    const struct {
        struct weir_scan scan;
        const char *want;
    } cases[] = {
        {{.key_count = 1, .bound_from = true, .from = {.i64 = 20}}, "a 30 3 -\na 20 2 -\n"},
        {{.key_count = 1, .bound_to = true, .to = {.i64 = 20}}, "a 20 2 -\na 10 1 -\n"},
        {{.bound_from = true, .from = {.i64 = 15}, .bound_to = true, .to = {.i64 = 25}}, "a 20 2 -\nb 20 4 -\n"},
        {{.key_count = 2}, "a 20 2 -\n"},
        {{.key_count = 2, .bound_from = true, .from = {.i64 = 21}}, ""},
        {{.key_count = 1, .limit = 2}, "a 30 3 -\na 20 2 -\n"},
        {{.limit = 4}, "a 30 3 -\na 20 2 -\na 10 1 -\nb 20 4 -\n"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct weir_scan scan = cases[i].scan;
        scan.table = &table;
        scan.key = key;
        struct readings_found found = readings_scan(s, &scan);
        assert_string_equal(found.text, cases[i].want);
        free(found.text);
    }
    s->reopen(s);
}

static void suite_random_tables(void **state)
{
    struct store_subject *s = *state;
    for (uint64_t seed = 1; seed <= s->random_tables; seed++)
        suite_random_table(s, seed);
}

#define STORE_SUITE(set_up, tear_down)                                                                                                               \
    cmocka_unit_test_setup_teardown(suite_random_tables, set_up, tear_down),                                                                         \
        cmocka_unit_test_setup_teardown(suite_refuses_another_shape, set_up, tear_down),                                                             \
        cmocka_unit_test_setup_teardown(suite_replays_change_nothing, set_up, tear_down),                                                            \
        cmocka_unit_test_setup_teardown(suite_newest_revisions_win, set_up, tear_down),                                                              \
        cmocka_unit_test_setup_teardown(suite_rows_are_taken_back, set_up, tear_down),                                                               \
        cmocka_unit_test_setup_teardown(suite_texts_may_be_long, set_up, tear_down),                                                                 \
        cmocka_unit_test_setup_teardown(suite_partitions_may_be_many, set_up, tear_down),                                                            \
        cmocka_unit_test_setup_teardown(suite_bounds, set_up, tear_down)
