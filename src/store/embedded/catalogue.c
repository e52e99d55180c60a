// SPDX-License-Identifier: Apache-2.0
// A table's description: columns count, then name and type of each; partition count, then column indexes; clustering count, then column index
// and direction of each; whether it is windowed (1) and whether its rows are rewritten (2). Numbers are varints, names have their length before them.
#include "base/memory.h"
#include "store/embedded/inside.h"
#include <endian.h>
#include <stdio.h>

static const char next_id_key[] = "next-table-id";

static void add_name(struct weir_buffer *out, const char *name)
{
    weir_buffer_varint(out, strlen(name));
    weir_buffer_add(out, name, strlen(name));
}

static void describe(const struct weir_table *table, struct weir_buffer *out)
{
    weir_buffer_varint(out, table->column_count);
    for (uint32_t i = 0; i < table->column_count; i++) {
        add_name(out, table->columns[i].name);
        weir_buffer_varint(out, table->columns[i].type);
    }
    weir_buffer_varint(out, table->partition_count);
    for (uint32_t i = 0; i < table->partition_count; i++)
        weir_buffer_varint(out, table->partition[i]);
    weir_buffer_varint(out, table->clustering_count);
    for (uint32_t i = 0; i < table->clustering_count; i++) {
        weir_buffer_varint(out, table->clustering[i].column);
        weir_buffer_byte(out, table->clustering[i].descending);
    }
    weir_buffer_byte(out, (uint8_t)(table->windowed | table->upserts << 1));
}

// ---- the difference in words

struct described { // as much of a kept description as is needed to tell how it differs
    struct weir_cursor cursor;
    uint32_t columns;
    struct weir_str *names;
    uint8_t *types;
};

static void read_columns(struct described *d, struct weir_arena *arena)
{
    struct weir_cursor *c = &d->cursor;
    uint64_t count = weir_cursor_varint(c);
    if (count > (uint64_t)(c->end - c->at))
        count = 0;
    d->columns = (uint32_t)count;
    d->names = weir_arena_zalloc(arena, count * sizeof *d->names);
    d->types = weir_arena_zalloc(arena, count);
    for (uint64_t i = 0; i < count; i++) {
        d->names[i] = weir_cursor_take(c, weir_cursor_varint(c));
        uint64_t type = weir_cursor_varint(c);
        d->types[i] = type < WEIR_CQL_TYPE_COUNT ? (uint8_t)type : WEIR_CQL_TEXT;
    }
}

static int find_column(const struct described *d, const char *name)
{
    for (uint32_t i = 0; i < d->columns; i++)
        if (weir_str_is(d->names[i], name))
            return (int)i;
    return -1;
}

static bool asks_for(const struct weir_table *table, struct weir_str name)
{
    for (uint32_t i = 0; i < table->column_count; i++)
        if (weir_str_is(name, table->columns[i].name))
            return true;
    return false;
}

static void explain(const struct weir_table *table, struct weir_str kept, char *out, size_t bytes)
{
    weir_cleanup(weir_arena_drop) struct weir_arena arena = {0};
    struct described d = {.cursor = {.at = (const uint8_t *)kept.data, .end = (const uint8_t *)kept.data + kept.bytes}};
    read_columns(&d, &arena);
    for (uint32_t i = 0; i < table->column_count; i++) {
        const struct weir_table_column *column = &table->columns[i];
        int at = find_column(&d, column->name);
        if (at < 0) {
            snprintf(out, bytes, "it has no column %s", column->name);
            return;
        }
        if (d.types[at] != column->type) {
            snprintf(out, bytes, "its column %s is %s, not %s", column->name, weir_cql_type_name((enum weir_cql_type)d.types[at]),
                     weir_cql_type_name(column->type));
            return;
        }
    }
    for (uint32_t i = 0; i < d.columns; i++)
        if (!asks_for(table, d.names[i])) {
            snprintf(out, bytes, "it has a column %.*s more", (int)d.names[i].bytes, d.names[i].data);
            return;
        }
    snprintf(out, bytes, "its %s is another",
             kept.bytes && (uint8_t)kept.data[kept.bytes - 1] != (table->windowed | table->upserts << 1) ? "window or grouping"
                                                                                                         : "key or the order of its columns");
}

// ---- tables by name

static void table_key(const char *keyspace, const struct weir_table *table, struct weir_buffer *out)
{
    weir_buffer_format(out, "table/%s.%s", keyspace, table->name);
}

static int compare(const char *keyspace, const struct weir_table *table, struct weir_str value, uint32_t *ret_id, struct weir_error *err)
{
    weir_cleanup(weir_buffer_drop) struct weir_buffer wanted = {0};
    struct weir_cursor c = {.at = (const uint8_t *)value.data, .end = (const uint8_t *)value.data + value.bytes};
    uint32_t id = weir_cursor_be32(&c);
    if (c.bad)
        return weir_fail(err, WEIR_IO, WEIR_STOP, "damaged description of table %s.%s", keyspace, table->name);
    struct weir_str kept = {(const char *)c.at, (uint32_t)(c.end - c.at)};
    describe(table, &wanted);
    if (!weir_str_eq(kept, weir_buffer_view(&wanted))) {
        char difference[256];
        explain(table, kept, difference, sizeof difference);
        return weir_fail(err, WEIR_BAD_CONFIG, WEIR_STOP,
                         "table %s.%s exists, but %s: give the table another name, or start with an empty data folder", keyspace, table->name,
                         difference);
    }
    *ret_id = id;
    return 0;
}

// *ret_id is 0 where there is no such table.
static int look_up(struct embedded_store *s, const char *keyspace, const struct weir_table *table, uint32_t *ret_id, struct weir_error *err)
{
    weir_cleanup(weir_buffer_drop) struct weir_buffer key = {0};
    struct weir_pin *pin;
    struct weir_str value;
    table_key(keyspace, table, &key);
    if (weir_pin_get(s->db, WEIR_META, weir_buffer_view(&key), &pin, &value, err) < 0)
        return -1;
    int rc = 0;
    if (pin)
        rc = compare(keyspace, table, value, ret_id, err);
    else
        *ret_id = 0;
    weir_pin_drop(pin);
    return rc;
}

int store_table_id(struct embedded_store *s, const char *keyspace, const struct weir_table *table, uint32_t *ret_id, struct weir_error *err)
{
    uint32_t id;
    if (look_up(s, keyspace, table, &id, err) < 0)
        return -1;
    if (id == 0)
        return weir_fail(err, WEIR_BAD_DATA, WEIR_STOP, "there is no table %s.%s yet", keyspace, table->name);
    *ret_id = id;
    return 0;
}

// ---- making

static int make_table(struct embedded_store *s, const char *keyspace, const struct weir_table *table, struct weir_error *err)
{
    weir_cleanup(weir_buffer_drop) struct weir_buffer key = {0}, value = {0}, next = {0};
    uint64_t id;
    if (weir_embedded_get_number(s->db, WEIR_STR(next_id_key), 4, 1, &id, err) < 0)
        return -1;
    table_key(keyspace, table, &key);
    weir_buffer_be32(&value, (uint32_t)id);
    describe(table, &value);
    weir_buffer_be32(&next, (uint32_t)id + 1);
    struct weir_txn *txn = weir_txn_new(s->db);
    weir_txn_put(txn, WEIR_META, weir_buffer_view(&key), weir_buffer_view(&value));
    weir_txn_put(txn, WEIR_META, WEIR_STR(next_id_key), weir_buffer_view(&next));
    int rc = weir_txn_commit(txn, true, err);
    weir_txn_free(txn);
    return rc;
}

int embedded_create(struct weir_store *store, const char *keyspace, const struct weir_table *table, struct weir_error *err)
{
    struct embedded_store *s = embedded_store_of(store);
    uint32_t id;
    pthread_mutex_lock(&s->mutex);
    int rc = look_up(s, keyspace, table, &id, err);
    if (rc == 0 && id == 0)
        rc = make_table(s, keyspace, table, err);
    pthread_mutex_unlock(&s->mutex);
    return rc;
}

// ---- spans

static void span_key(uint32_t table_id, unsigned level, struct weir_buffer *out)
{
    weir_buffer_add(out, "span/", 5);
    weir_buffer_be32(out, table_id);
    weir_buffer_byte(out, (uint8_t)level);
}

bool store_has_span(const struct weir_table *table)
{
    if (table->clustering_count == 0)
        return false;
    enum weir_cql_type type = table->columns[table->clustering[0].column].type;
    return type == WEIR_CQL_INT || type == WEIR_CQL_BIGINT || type == WEIR_CQL_TIMESTAMP;
}

uint64_t store_leading(struct weir_str clustering_key)
{
    uint64_t leading = 0;
    memcpy(&leading, clustering_key.data, clustering_key.bytes < sizeof leading ? clustering_key.bytes : sizeof leading);
    return be64toh(leading);
}

void store_put_span(struct weir_txn *txn, uint32_t table_id, unsigned level)
{
    weir_cleanup(weir_buffer_drop) struct weir_buffer key = {0};
    span_key(table_id, level, &key);
    weir_txn_put(txn, WEIR_META, weir_buffer_view(&key), WEIR_STR(""));
}

int store_span(struct embedded_store *s, uint32_t table_id, uint64_t *ret_span, struct weir_error *err)
{
    weir_cleanup(weir_buffer_drop) struct weir_buffer from = {0}, to = {0};
    span_key(table_id, 0, &from);
    span_key(table_id, UINT8_MAX, &to);
    struct weir_walk *walk = weir_walk_new(s->db, WEIR_META, weir_buffer_view(&from), weir_buffer_view(&to));
    uint64_t span = 0;
    for (; weir_walk_valid(walk); weir_walk_next(walk)) {
        struct weir_str key = weir_walk_key(walk);
        unsigned level = (uint8_t)key.data[key.bytes - 1];
        span = level >= 64 ? UINT64_MAX : (1ull << level) - 1; // levels come in ascending order
    }
    int rc = weir_walk_error(walk, err);
    weir_walk_free(walk);
    if (rc == 0)
        *ret_span = span;
    return rc;
}
