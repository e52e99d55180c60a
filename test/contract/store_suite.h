// SPDX-License-Identifier: Apache-2.0
// What every store must do: random upserts and scans of random tables, against a list that is searched from end to end.
// Include after cmocka.h; store_cases.h has the list of tests.
#pragma once
#include "base/uuid.h"
#include "store/store.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct store_subject {
    struct weir_store *store;
    struct weir_writer *writer;
    void (*commit)(struct store_subject *s); // what was added to the writer becomes visible
    void (*reopen)(struct store_subject *s); // closes and opens everything
    uint64_t random_tables;                  // how many are tried
    void *context;
};

#ifndef SUITE_KEYSPACE
#define SUITE_KEYSPACE "suite"
#endif

static struct {          // where stores may differ
    bool plain_texts;    // UTF-8 only, keys not empty; uuids of version 4 only
    bool merges;         // a null leaves what an older row of the key has
    bool windows_untold; // a window's start is not kept beside the columns
} suite_manners;

enum { SUITE_COLUMNS_MAX = 8, SUITE_ROWS_MAX = 3000, SUITE_TEXT_BYTES = 40 };

struct suite_cell {
    bool null;
    int64_t i64;
    double f64;
    char text[SUITE_TEXT_BYTES];
    uint32_t bytes;
};

struct suite_row {
    struct suite_cell cells[SUITE_COLUMNS_MAX];
    int64_t revision, window_start_ms;
    int64_t cell_revision[SUITE_COLUMNS_MAX]; // of the model's rows, where nulls leave what there is
};

struct suite_table {
    struct weir_table table;
    struct weir_table_column columns[SUITE_COLUMNS_MAX];
    uint32_t partition[2];
    struct weir_clustering clustering[3];
    struct suite_row rows[SUITE_ROWS_MAX]; // the model
    uint32_t row_count;
    int64_t revision;
};

// splitmix64 (Steele, Lea, Flood: Fast Splittable Pseudorandom Number Generators)
static uint64_t suite_roll(uint64_t *state)
{
    uint64_t z = *state += 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

static uint32_t suite_below(uint64_t *state, uint32_t limit)
{
    return (uint32_t)(suite_roll(state) % limit);
}

// ---- values: few different ones, so that they meet again, with the edges among them

static void suite_text(uint64_t *dice, struct suite_cell *cell, bool key)
{
    static const char bytes[] = {0, 1, 'a', 'b', (char)0xfe, (char)0xff};
    cell->bytes = suite_below(dice, 4);
    for (uint32_t i = 0; i < cell->bytes; i++)
        cell->text[i] = bytes[suite_below(dice, suite_manners.plain_texts ? 4 : sizeof bytes)];
    if (cell->bytes == 0 && key && suite_manners.plain_texts)
        cell->text[cell->bytes++] = 'c';
}

static void suite_uuid(uint64_t *dice, struct suite_cell *cell)
{
    uint8_t id[16] = {0};
    id[suite_below(dice, 16)] = (uint8_t)(suite_below(dice, 3) * 127);
    if (suite_manners.plain_texts)
        id[6] = 0x40; // the version orders uuids before anything else in Cassandra
    weir_uuid_format(id, cell->text);
    cell->bytes = 36;
}

static int64_t suite_integer(uint64_t *dice, bool wide)
{
    static const int64_t edges[] = {INT64_MIN, INT64_MAX, -1, 0, 1, 1700000000000};
    uint32_t pick = suite_below(dice, 20);
    if (wide && pick < 6)
        return edges[pick];
    return (int64_t)suite_below(dice, 50) - 25;
}

static double suite_double(uint64_t *dice, bool key)
{
    static const double edges[] = {-INFINITY, INFINITY, 0.1, -0.25, 1e300, 1e-300};
    uint32_t pick = suite_below(dice, 12);
    if (pick < 6)
        return edges[pick];
    return pick == 6 && !key ? NAN : (double)suite_below(dice, 20) - 10;
}

static struct suite_cell suite_cell_of(uint64_t *dice, enum weir_cql_type type, bool key)
{
    struct suite_cell cell = {.null = !key && suite_below(dice, 4) == 0};
    if (type == WEIR_CQL_TEXT)
        suite_text(dice, &cell, key);
    else if (type == WEIR_CQL_UUID)
        suite_uuid(dice, &cell);
    else if (type == WEIR_CQL_BOOLEAN)
        cell.i64 = suite_below(dice, 2);
    else if (type == WEIR_CQL_DOUBLE)
        cell.f64 = suite_double(dice, key);
    else if (type == WEIR_CQL_FLOAT)
        cell.f64 = (double)(float)suite_double(dice, key);
    else
        cell.i64 = suite_integer(dice, type != WEIR_CQL_INT);
    return cell;
}

static struct weir_value suite_value(const struct suite_cell *cell, enum weir_cql_type type)
{
    struct weir_value value = {.null = cell->null, .kind = weir_cql_kind(type)};
    if (value.kind == WEIR_STRS)
        value.str = (struct weir_str){cell->text, cell->bytes};
    else if (value.kind == WEIR_F64)
        value.f64 = cell->f64;
    else
        value.i64 = cell->i64;
    return value;
}

static int suite_compare_cells(const struct suite_cell *a, const struct suite_cell *b, enum weir_cql_type type)
{
    if (weir_cql_kind(type) == WEIR_STRS)
        return weir_str_compare((struct weir_str){a->text, a->bytes}, (struct weir_str){b->text, b->bytes});
    if (weir_cql_kind(type) == WEIR_F64)
        return (a->f64 > b->f64) - (a->f64 < b->f64);
    return (a->i64 > b->i64) - (a->i64 < b->i64);
}

// ---- tables

static void suite_add_clustering(uint64_t *dice, struct suite_table *t, uint32_t column)
{
    t->clustering[t->table.clustering_count++] = (struct weir_clustering){column, suite_below(dice, 2) == 0};
}

static void suite_table_make(uint64_t *dice, struct suite_table *t, const char *name)
{
    static const char *const names[SUITE_COLUMNS_MAX] = {"a", "b", "c", "d", "e", "f", "g", "h"};
    memset(t, 0, sizeof *t);
    uint32_t partitions = 1 + suite_below(dice, 2), clusterings = suite_below(dice, 4), values = suite_below(dice, 4);
    t->table = (struct weir_table){.name = name,
                                   .column_count = partitions + clusterings + values,
                                   .columns = t->columns,
                                   .partition_count = partitions,
                                   .partition = t->partition,
                                   .clustering = t->clustering,
                                   .windowed = suite_below(dice, 3) == 0};
    for (uint32_t c = 0; c < t->table.column_count; c++)
        t->columns[c] = (struct weir_table_column){names[c], (enum weir_cql_type)suite_below(dice, WEIR_CQL_TYPE_COUNT)};
    uint32_t turn = suite_below(dice, t->table.column_count); // key columns stand anywhere in the table
    for (uint32_t i = 0; i < partitions; i++)
        t->partition[i] = (turn + i) % t->table.column_count;
    for (uint32_t i = 0; i < clusterings; i++)
        suite_add_clustering(dice, t, (turn + partitions + i) % t->table.column_count);
    if (clusterings && suite_below(dice, 2) == 0)
        t->columns[t->clustering[0].column].type = WEIR_CQL_TIMESTAMP;
}

static int suite_compare_keys(const struct weir_table *table, const struct suite_row *a, const struct suite_row *b)
{
    for (uint32_t i = 0; i < table->partition_count; i++) {
        uint32_t c = table->partition[i];
        int order = suite_compare_cells(&a->cells[c], &b->cells[c], table->columns[c].type);
        if (order)
            return order;
    }
    for (uint32_t i = 0; i < table->clustering_count; i++) {
        uint32_t c = table->clustering[i].column;
        int order = suite_compare_cells(&a->cells[c], &b->cells[c], table->columns[c].type);
        if (order)
            return table->clustering[i].descending ? -order : order;
    }
    return 0;
}

// ---- writing

// Cell by cell the newest that is not null.
static void suite_merge(const struct weir_table *table, struct suite_row *kept, const struct suite_row *row)
{
    for (uint32_t c = 0; c < table->column_count; c++) {
        if (row->cells[c].null || row->revision < kept->cell_revision[c])
            continue;
        kept->cells[c] = row->cells[c];
        kept->cell_revision[c] = row->revision;
    }
    kept->revision = row->revision > kept->revision ? row->revision : kept->revision;
}

static void suite_remember(struct suite_table *t, const struct suite_row *row)
{
    uint32_t at = 0;
    while (at < t->row_count && suite_compare_keys(&t->table, &t->rows[at], row) != 0)
        at++;
    if (at == t->row_count) {
        assert_true(t->row_count < SUITE_ROWS_MAX);
        t->rows[t->row_count] = *row;
        for (uint32_t c = 0; c < t->table.column_count; c++)
            t->rows[t->row_count].cell_revision[c] = row->cells[c].null ? INT64_MIN : row->revision;
        t->row_count++;
    } else if (suite_manners.merges) {
        suite_merge(&t->table, &t->rows[at], row);
    } else if (row->revision >= t->rows[at].revision) {
        t->rows[at] = *row;
    }
}

static struct suite_row suite_row_of(uint64_t *dice, struct suite_table *t)
{
    struct suite_row row = {.window_start_ms = (int64_t)suite_below(dice, 40) - 20};
    for (uint32_t c = 0; c < t->table.column_count; c++)
        row.cells[c] = suite_cell_of(dice, t->columns[c].type, weir_table_is_key(&t->table, c));
    enum { APART = 4096 }; // no revision is given twice: rows of one would have to be the same
    int64_t number = ++t->revision;
    row.revision = number * APART + number;
    bool rewritten = t->table.windowed || t->table.clustering_count == 0; // their revisions only grow
    if (!rewritten && suite_below(dice, 4) == 0)
        row.revision -= (int64_t)suite_below(dice, 20) * APART;
    return row;
}

static void suite_fill_column(const struct suite_table *t, uint32_t c, const struct suite_row *rows, uint32_t count, struct weir_column *column)
{
    enum weir_cql_type type = t->columns[c].type;
    column->kind = weir_cql_kind(type);
    column->data = calloc(count, sizeof(struct weir_str));
    column->valid = calloc(count, 1);
    for (uint32_t i = 0; i < count; i++) {
        struct weir_value value = suite_value(&rows[i].cells[c], type);
        column->valid[i] = !value.null;
        if (column->kind == WEIR_STRS)
            column->str[i] = value.str;
        else if (column->kind == WEIR_F64)
            column->f64[i] = value.f64;
        else
            column->i64[i] = value.i64;
    }
}

static void suite_write(struct store_subject *s, uint64_t *dice, struct suite_table *t, uint32_t count)
{
    struct weir_column columns[SUITE_COLUMNS_MAX] = {0};
    struct suite_row *rows = calloc(count, sizeof *rows);
    int64_t *revisions = calloc(count, sizeof *revisions), *windows = calloc(count, sizeof *windows);
    for (uint32_t i = 0; i < count; i++) {
        rows[i] = suite_row_of(dice, t);
        revisions[i] = rows[i].revision;
        windows[i] = rows[i].window_start_ms;
        suite_remember(t, &rows[i]);
    }
    for (uint32_t c = 0; c < t->table.column_count; c++)
        suite_fill_column(t, c, rows, count, &columns[c]);
    struct weir_rows batch = {
        .table = &t->table, .count = count, .columns = columns, .revision = revisions, .window_start_ms = t->table.windowed ? windows : NULL};
    struct weir_error err;
    assert_int_equal(weir_writer_add(s->writer, &batch, &err), 0);
    for (uint32_t c = 0; c < t->table.column_count; c++) {
        free(columns[c].data);
        free(columns[c].valid);
    }
    free(rows);
    free(revisions);
    free(windows);
}

// ---- scanning

struct suite_expected {
    const struct suite_table *table;
    const struct suite_row *rows[SUITE_ROWS_MAX];
    uint32_t count, seen;
};

static const struct suite_table *suite_sorting;

static int suite_by_key(const void *a, const void *b)
{
    return suite_compare_keys(&suite_sorting->table, *(const struct suite_row *const *)a, *(const struct suite_row *const *)b);
}

static bool suite_in_bounds(const struct suite_table *t, const struct weir_scan *scan, const struct suite_row *row, const struct suite_cell *from,
                            const struct suite_cell *to)
{
    if (t->table.windowed)
        return !(scan->bound_from && row->window_start_ms < from->i64) && !(scan->bound_to && row->window_start_ms > to->i64);
    if (!scan->bound_from && !scan->bound_to)
        return true;
    uint32_t c = t->clustering[0].column;
    return !(scan->bound_from && suite_compare_cells(&row->cells[c], from, t->columns[c].type) < 0) &&
           !(scan->bound_to && suite_compare_cells(&row->cells[c], to, t->columns[c].type) > 0);
}

static int suite_check_row(void *context, const struct weir_value *values)
{
    struct suite_expected *e = context;
    assert_true(e->seen < e->count);
    const struct suite_row *row = e->rows[e->seen++];
    for (uint32_t c = 0; c < e->table->table.column_count; c++) {
        struct weir_value want = suite_value(&row->cells[c], e->table->columns[c].type);
        assert_int_equal(values[c].null, want.null);
        assert_int_equal(values[c].kind, want.kind);
        if (want.null)
            continue;
        if (want.kind == WEIR_STRS)
            assert_true(weir_str_eq(values[c].str, want.str));
        else
            assert_memory_equal(&values[c].i64, &want.i64, sizeof want.i64); // NaN, too
    }
    return 0;
}

static void suite_scan(struct store_subject *s, uint64_t *dice, const struct suite_table *t)
{
    static struct suite_expected e;
    struct suite_row like = {0};
    struct suite_cell from, to;
    struct weir_value key[SUITE_COLUMNS_MAX];
    struct weir_scan scan = {.table = &t->table, .key = key, .limit = suite_below(dice, 3) ? 0 : 1 + suite_below(dice, 6)};
    if (t->row_count && suite_below(dice, 4))
        like = t->rows[suite_below(dice, t->row_count)];
    else
        for (uint32_t c = 0; c < t->table.column_count; c++)
            like.cells[c] = suite_cell_of(dice, t->columns[c].type, true);
    if (suite_below(dice, 3))
        scan.key_count = t->table.partition_count + suite_below(dice, t->table.clustering_count + 1);
    for (uint32_t i = 0; i < scan.key_count; i++) {
        uint32_t c = weir_table_key(&t->table, i);
        key[i] = suite_value(&like.cells[c], t->columns[c].type);
    }
    if (t->table.windowed ? !suite_manners.windows_untold : t->table.clustering_count > 0) {
        enum weir_cql_type type = t->table.windowed ? WEIR_CQL_BIGINT : t->columns[t->clustering[0].column].type;
        from = suite_cell_of(dice, type, true);
        to = suite_cell_of(dice, type, true);
        scan.bound_from = suite_below(dice, 3) == 0;
        scan.bound_to = suite_below(dice, 3) == 0;
        scan.from = suite_value(&from, type);
        scan.to = suite_value(&to, type);
    }
    e.table = t;
    e.count = e.seen = 0;
    for (uint32_t i = 0; i < t->row_count; i++) {
        bool match = suite_in_bounds(t, &scan, &t->rows[i], &from, &to);
        for (uint32_t k = 0; match && k < scan.key_count; k++) {
            uint32_t c = weir_table_key(&t->table, k);
            match = suite_compare_cells(&t->rows[i].cells[c], &like.cells[c], t->columns[c].type) == 0;
        }
        if (match)
            e.rows[e.count++] = &t->rows[i];
    }
    suite_sorting = t;
    qsort(e.rows, e.count, sizeof *e.rows, suite_by_key);
    if (scan.limit && e.count > scan.limit)
        e.count = (uint32_t)scan.limit;
    struct weir_error err = {0};
    int rc = weir_store_scan(s->store, SUITE_KEYSPACE, &scan, suite_check_row, &e, &err);
    if (rc < 0)
        print_error("%s\n", err.text);
    assert_int_equal(rc, 0);
    assert_int_equal(e.seen, e.count);
}

// Rounds of writes to a random table, commits, reopenings and scans.
static void suite_random_table(struct store_subject *s, uint64_t seed)
{
    struct suite_table *t = calloc(1, sizeof *t);
    uint64_t dice = seed;
    char name[32];
    snprintf(name, sizeof name, "t%llu", (unsigned long long)seed);
    suite_table_make(&dice, t, name);
    struct weir_error err;
    assert_int_equal(weir_store_create(s->store, SUITE_KEYSPACE, &t->table, &err), 0);
    for (int round = 0; round < 8; round++) {
        uint32_t writes = suite_below(&dice, 4);
        for (uint32_t i = 0; i < writes; i++)
            suite_write(s, &dice, t, 1 + suite_below(&dice, 60));
        s->commit(s);
        if (suite_below(&dice, 4) == 0)
            s->reopen(s);
        for (int i = 0; i < 12; i++)
            suite_scan(s, &dice, t);
    }
    s->reopen(s); // lets go of the table
    free(t);
}

static void suite_refuses_another_shape(void **state)
{
    struct store_subject *s = *state;
    struct weir_table_column columns[] = {{"id", WEIR_CQL_TEXT}, {"at", WEIR_CQL_BIGINT}, {"value", WEIR_CQL_DOUBLE}};
    uint32_t partition[] = {0};
    struct weir_clustering clustering[] = {{1, true}};
    struct weir_table table = {.name = "shape",
                               .column_count = 3,
                               .columns = columns,
                               .partition_count = 1,
                               .partition = partition,
                               .clustering_count = 1,
                               .clustering = clustering};
    struct weir_error err;
    assert_int_equal(weir_store_create(s->store, SUITE_KEYSPACE, &table, &err), 0);
    assert_int_equal(weir_store_create(s->store, SUITE_KEYSPACE, &table, &err), 0);
    columns[2].type = WEIR_CQL_FLOAT;
    assert_true(weir_store_create(s->store, SUITE_KEYSPACE, &table, &err) < 0);
    assert_int_equal(err.code, WEIR_BAD_CONFIG);
    assert_non_null(strstr(err.text, "column value is double, not float"));
    columns[2] = (struct weir_table_column){"other", WEIR_CQL_DOUBLE};
    assert_true(weir_store_create(s->store, SUITE_KEYSPACE, &table, &err) < 0);
    assert_non_null(strstr(err.text, "no column other"));
    columns[2] = (struct weir_table_column){"value", WEIR_CQL_DOUBLE};
    clustering[0].descending = false;
    assert_true(weir_store_create(s->store, SUITE_KEYSPACE, &table, &err) < 0);
    assert_non_null(strstr(err.text, "key"));
}
