// SPDX-License-Identifier: Apache-2.0
// Keyspaces and tables: made where they are missing, compared with what is wanted where they are there. What is there is looked at first, so that a
// login that may not make anything can still use it.
#include "base/memory.h"
#include "base/time.h"
#include "store/cassandra/inside.h"
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>

enum { COPIES = 3, PATIENCE_US = 30000000, TRY_AGAIN_MS = 100 };

void cassandra_keyspace_name(const char *keyspace, char ret[CASSANDRA_NAME_BYTES])
{
    snprintf(ret, CASSANDRA_NAME_BYTES, "%s", keyspace);
    for (char *at = ret; *at; at++)
        *at = *at == '-' ? '_' : *at;
}

// ---- what is there

struct found_column {
    struct weir_str name, type, kind;
    int32_t position;
    bool descending;
};

struct found_table { // no columns: there is no such table
    uint32_t count;
    struct found_column *columns;
};

static int ask(struct cassandra_store *s, const char *text, const char *keyspace, const char *table, struct cql_result **ret, struct weir_error *err)
{
    weir_cleanup(weir_buffer_drop) struct weir_buffer values = {0};
    cql_bind_text(&values, weir_str_of(keyspace));
    if (table)
        cql_bind_text(&values, weir_str_of(table));
    struct cql_request request = {.kind = CQL_QUERY,
                                  .text = text,
                                  .values = weir_buffer_view(&values),
                                  .value_count = table ? 2 : 1,
                                  .consistency = CQL_LOCAL_ONE,
                                  .idempotent = true};
    return cql_run(s->session, &request, ret, err);
}

static int read_column(struct cql_rows *rows, struct weir_arena *arena, struct found_column *ret)
{
    struct cql_cell cells[5];
    if (cql_rows_next(rows, cells) <= 0 || !cql_cell_int(cells[3].bytes, &ret->position))
        return -1;
    ret->name = weir_arena_copy(arena, cells[0].bytes);
    ret->type = weir_arena_copy(arena, cells[1].bytes);
    ret->kind = weir_arena_copy(arena, cells[2].bytes);
    ret->descending = weir_str_is(cells[4].bytes, "desc");
    return 0;
}

static int find_table(struct cassandra_store *s, const char *keyspace, const char *table, struct weir_arena *arena, struct found_table *ret,
                      struct weir_error *err)
{
    static const char text[] = "SELECT column_name, type, kind, position, clustering_order FROM system_schema.columns "
                               "WHERE keyspace_name = ? AND table_name = ?";
    struct cql_result *result;
    struct cql_rows rows;
    if (ask(s, text, keyspace, table, &result, err) < 0)
        return -1;
    uint32_t count = cql_result_rows(result);
    bool good = cql_result_columns(result) == 5;
    struct found_table found = {count, weir_arena_zalloc(arena, (count + 1) * sizeof *found.columns)};
    cql_rows_begin(result, &rows);
    for (uint32_t i = 0; i < count && good; i++)
        good = read_column(&rows, arena, &found.columns[i]) == 0;
    cql_result_free(result);
    if (!good)
        return weir_fail(err, WEIR_BAD_DATA, WEIR_STOP, "system_schema.columns cannot be read");
    *ret = found;
    return 0;
}

// ---- the difference in words

static const struct found_column *column_named(const struct found_table *found, const char *name)
{
    for (uint32_t i = 0; i < found->count; i++)
        if (weir_str_is(found->columns[i].name, name))
            return &found->columns[i];
    return NULL;
}

static const struct found_column *column_at(const struct found_table *found, const char *kind, uint32_t position)
{
    for (uint32_t i = 0; i < found->count; i++)
        if (weir_str_is(found->columns[i].kind, kind) && found->columns[i].position == (int32_t)position)
            return &found->columns[i];
    return NULL;
}

static bool wants_column(const struct weir_table *table, struct weir_str name)
{
    for (uint32_t i = 0; i < table->column_count; i++)
        if (weir_str_is(name, table->columns[i].name))
            return true;
    return false;
}

static void separate(struct weir_buffer *out)
{
    weir_buffer_format(out, out->bytes ? "; " : "");
}

static void compare_columns(const struct weir_table *table, const struct found_table *found, struct weir_buffer *out)
{
    for (uint32_t i = 0; i < table->column_count; i++) {
        const struct weir_table_column *want = &table->columns[i];
        const struct found_column *column = column_named(found, want->name);
        if (column && weir_str_is(column->type, weir_cql_type_name(want->type)))
            continue;
        separate(out);
        if (column)
            weir_buffer_format(out, "its column %s is %.*s, not %s", want->name, (int)column->type.bytes, column->type.data,
                               weir_cql_type_name(want->type));
        else
            weir_buffer_format(out, "it has no column %s", want->name);
    }
    for (uint32_t i = 0; i < found->count; i++) {
        if (wants_column(table, found->columns[i].name))
            continue;
        separate(out);
        weir_buffer_format(out, "it has a column %.*s more", (int)found->columns[i].name.bytes, found->columns[i].name.data);
    }
}

static void put_found_key(const struct found_table *found, struct weir_buffer *out)
{
    const struct found_column *column;
    for (uint32_t i = 0; (column = column_at(found, "partition_key", i)); i++)
        weir_buffer_format(out, "%s%.*s", i ? ", " : "((", (int)column->name.bytes, column->name.data);
    weir_buffer_format(out, ")");
    for (uint32_t i = 0; (column = column_at(found, "clustering", i)); i++)
        weir_buffer_format(out, ", %.*s %s", (int)column->name.bytes, column->name.data, column->descending ? "desc" : "asc");
    weir_buffer_format(out, ")");
}

static void put_wanted_key(const struct weir_table *table, struct weir_buffer *out)
{
    for (uint32_t i = 0; i < table->partition_count; i++)
        weir_buffer_format(out, "%s%s", i ? ", " : "((", table->columns[table->partition[i]].name);
    weir_buffer_format(out, ")");
    for (uint32_t i = 0; i < table->clustering_count; i++)
        weir_buffer_format(out, ", %s %s", table->columns[table->clustering[i].column].name, table->clustering[i].descending ? "desc" : "asc");
    weir_buffer_format(out, ")");
}

static void compare_keys(const struct weir_table *table, const struct found_table *found, struct weir_buffer *out)
{
    weir_cleanup(weir_buffer_drop) struct weir_buffer is = {0}, wanted = {0};
    put_found_key(found, &is);
    put_wanted_key(table, &wanted);
    if (weir_str_eq(weir_buffer_view(&is), weir_buffer_view(&wanted)))
        return;
    separate(out);
    weir_buffer_format(out, "its key is %.*s, not %.*s", (int)is.bytes, (const char *)is.data, (int)wanted.bytes, (const char *)wanted.data);
}

static int compare(const char *keyspace, const struct weir_table *table, const struct found_table *found, struct weir_error *err)
{
    weir_cleanup(weir_buffer_drop) struct weir_buffer difference = {0};
    compare_columns(table, found, &difference);
    compare_keys(table, found, &difference);
    if (difference.bytes == 0)
        return 0;
    return weir_fail(err, WEIR_BAD_CONFIG, WEIR_STOP, "table %s.%s exists, but %.*s: give the table another name, or drop the one that is there",
                     keyspace, table->name, (int)(difference.bytes < 380 ? difference.bytes : 380), (const char *)difference.data);
}

// ---- making

// A copy on each of three nodes, or on all there are; in one data centre SimpleStrategy says all there is to say.
static void put_replication(struct cassandra_store *s, struct weir_buffer *out)
{
    weir_cleanup(weir_arena_drop) struct weir_arena arena = {0};
    struct cql_node *nodes;
    uint32_t count = cql_session_nodes(s->session, &arena, &nodes), copies = s->options.copies;
    bool spread = false;
    for (uint32_t i = 1; i < count; i++)
        spread |= strcmp(nodes[i].datacenter, nodes[0].datacenter) != 0;
    if (copies == 0)
        copies = count < COPIES ? (count ? count : 1) : COPIES;
    weir_buffer_format(out, "{'class': '%s', 'replication_factor': %u}", spread ? "NetworkTopologyStrategy" : "SimpleStrategy", copies);
}

static int run(struct cassandra_store *s, struct weir_buffer *text, struct weir_error *err)
{
    struct cql_result *result = NULL;
    weir_buffer_byte(text, 0);
    int rc = cql_run_text(s->session, (const char *)text->data, &result, err);
    if (rc == 0)
        cql_result_free(result);
    return rc;
}

static int make_keyspace(struct cassandra_store *s, const char *keyspace, struct weir_error *err)
{
    weir_cleanup(weir_buffer_drop) struct weir_buffer text = {0}, replication = {0};
    struct cql_result *result;
    if (ask(s, "SELECT keyspace_name FROM system_schema.keyspaces WHERE keyspace_name = ?", keyspace, NULL, &result, err) < 0)
        return -1;
    bool exists = cql_result_rows(result) > 0;
    cql_result_free(result);
    if (exists)
        return 0;
    if (s->options.replication)
        weir_buffer_format(&replication, "%s", s->options.replication);
    else
        put_replication(s, &replication);
    weir_buffer_byte(&replication, 0);
    cassandra_put_create_keyspace(&text, keyspace, (const char *)replication.data);
    return run(s, &text, err) < 0 ? weir_wrap(err, "keyspace %s", keyspace) : 0;
}

static int make_table(struct cassandra_store *s, const char *keyspace, const struct cassandra_shape *shape, struct weir_error *err)
{
    weir_cleanup(weir_buffer_drop) struct weir_buffer text = {0};
    if (make_keyspace(s, keyspace, err) < 0)
        return -1;
    cassandra_put_create_table(&text, keyspace, shape);
    return run(s, &text, err) < 0 ? weir_wrap(err, "table %s.%s", keyspace, shape->table->name) : 0;
}

static int make_or_compare(struct cassandra_store *s, const char *keyspace, const struct cassandra_shape *shape, struct weir_error *err)
{
    weir_cleanup(weir_arena_drop) struct weir_arena arena = {0};
    struct found_table found;
    if (find_table(s, keyspace, shape->table->name, &arena, &found, err) < 0)
        return -1;
    if (found.count == 0 && make_table(s, keyspace, shape, err) < 0)
        return -1;
    if (found.count == 0 && find_table(s, keyspace, shape->table->name, &arena, &found, err) < 0)
        return -1;
    if (found.count == 0)
        return weir_fail(err, WEIR_UNAVAILABLE, WEIR_RETRY, "table %s.%s was made, but some node does not know it yet", keyspace, shape->table->name);
    return compare(keyspace, &shape->physical, &found, err);
}

// Nothing here does harm when it is done twice. Where another process was first, nobody told this session of the change; a node may fall silent meanwhile, or
// this process be stopped for a while: all is no reason to give up at once.
static int make_patiently(struct cassandra_store *s, const char *keyspace, const struct cassandra_shape *shape, struct weir_error *err)
{
    int64_t deadline_us = weir_monotonic_us() + PATIENCE_US;
    int rc;
    while ((rc = make_or_compare(s, keyspace, shape, err)) < 0 && err->fate == WEIR_RETRY && weir_monotonic_us() < deadline_us)
        poll(NULL, 0, TRY_AGAIN_MS);
    return rc;
}

int cassandra_create(struct weir_store *store, const char *keyspace, const struct weir_table *table, struct weir_error *err)
{
    struct cassandra_store *s = cassandra_store_of(store);
    struct cassandra_shape shape;
    char name[CASSANDRA_NAME_BYTES];
    cassandra_keyspace_name(keyspace, name);
    if (cassandra_shape_make(table, &shape, err) < 0)
        return -1;
    pthread_mutex_lock(&s->schema);
    int rc = make_patiently(s, name, &shape, err);
    pthread_mutex_unlock(&s->schema);
    cassandra_shape_drop(&shape);
    return rc;
}
