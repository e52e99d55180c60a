// SPDX-License-Identifier: Apache-2.0
#include "base/memory.h"
#include "store/cassandra/read.h"
#include "store/key.h"

enum { PAGE_ROWS = 2000 };

// ---- rows

struct scanning {
    const struct bounds *bounds;
    uint64_t limit, given;
    int (*visit)(void *context, const struct weir_value *values);
    void *context;
};

static int give(void *context, const struct weir_value *values, struct weir_error *err)
{
    struct scanning *s = context;
    (void)err;
    if (!bounds_let_through(s->bounds, values))
        return 0;
    s->given++;
    return s->visit(s->context, values) != 0 || s->given == s->limit;
}

static int run(struct cassandra_store *s, const char *keyspace, const struct cassandra_shape *shape, const struct bounds *b,
               struct scanning *scanning, struct weir_error *err)
{
    weir_cleanup(partitions_drop) struct partitions partitions = {0};
    weir_cleanup(weir_buffer_drop) struct weir_buffer text = {0};
    struct fetch_request request = {
        .store = s, .keyspace = keyspace, .shape = shape, .partitions = &partitions, .more = weir_buffer_view(&b->values), .page_rows = PAGE_ROWS};
    if (scanning->limit && scanning->limit < PAGE_ROWS && !b->rows_tell)
        request.page_rows = (int32_t)scanning->limit;
    cassandra_put_select(&text, keyspace, shape, b->equal);
    weir_buffer_add(&text, b->text.data, b->text.bytes);
    weir_buffer_byte(&text, 0);
    if (cql_prepare(s->session, (const char *)text.data, &request.select, err) < 0)
        return weir_wrap(err, "table %s.%s", keyspace, shape->table->name);
    bool keyed = b->scan->key_count > 0;
    if ((keyed ? partitions_of_key : partitions_of_table)(s, keyspace, shape, b, &partitions, err) < 0)
        return -1;
    return fetch_rows(&request, give, scanning, err);
}

int cassandra_scan(struct weir_store *store, const char *keyspace, const struct weir_scan *scan,
                   int (*visit)(void *context, const struct weir_value *values), void *context, struct weir_error *err)
{
    struct cassandra_shape shape;
    struct bounds bounds;
    char name[CASSANDRA_NAME_BYTES];
    cassandra_keyspace_name(keyspace, name);
    if (cassandra_shape_make(scan->table, &shape, err) < 0)
        return -1;
    struct scanning scanning = {.bounds = &bounds, .limit = scan->limit, .visit = visit, .context = context};
    int rc = bounds_make(&shape, scan, &bounds, err);
    if (rc == 0)
        rc = run(cassandra_store_of(store), name, &shape, &bounds, &scanning, err);
    bounds_drop(&bounds);
    cassandra_shape_drop(&shape);
    return rc;
}

// ---- keys

// The bytes of a key without its bucket, which comes last and has a fixed length.
static struct weir_str without_bucket(const struct cassandra_shape *shape, struct weir_str key)
{
    enum { BUCKET_BYTES = 8 };
    key.bytes -= shape->unit == CASSANDRA_NO_BUCKET ? 0 : BUCKET_BYTES;
    return key;
}

static void take_key(const struct weir_table *table, struct weir_str key, struct weir_arena *arena, struct weir_value *values)
{
    struct weir_cursor c = {(const uint8_t *)key.data, (const uint8_t *)key.data + key.bytes, false};
    for (uint32_t i = 0; i < table->partition_count; i++)
        values[i] = store_key_take(&c, table->columns[table->partition[i]].type, false, arena);
}

static bool begins_with(const struct weir_value *value, struct weir_str prefix)
{
    return value->kind != WEIR_STRS || (value->str.bytes >= prefix.bytes && memcmp(value->str.data, prefix.data, prefix.bytes) == 0);
}

static void give_keys(const struct cassandra_shape *shape, const struct partitions *p, struct weir_str prefix, uint64_t limit,
                      int (*visit)(void *context, const struct weir_value *values), void *context)
{
    weir_cleanup(weir_arena_drop) struct weir_arena arena = {0};
    weir_cleanup(weir_freep) struct weir_value *values = weir_zalloc(shape->table->partition_count, sizeof *values);
    bool is_text = shape->table->columns[shape->table->partition[0]].type == WEIR_CQL_TEXT;
    struct weir_str last = {0};
    uint64_t given = 0;
    for (size_t i = 0; i < p->count && (limit == 0 || given < limit); i++) {
        struct weir_str key = without_bucket(shape, partition_key(p, &p->items[i]));
        if (i > 0 && weir_str_eq(key, last))
            continue;
        last = key;
        weir_arena_reset(&arena);
        take_key(shape->table, key, &arena, values);
        if (is_text && prefix.bytes && !begins_with(&values[0], prefix))
            continue;
        given++;
        if (visit(context, values) != 0)
            return;
    }
}

int cassandra_keys(struct weir_store *store, const char *keyspace, const struct weir_table *table, struct weir_str prefix, uint64_t limit,
                   int (*visit)(void *context, const struct weir_value *values), void *context, struct weir_error *err)
{
    weir_cleanup(partitions_drop) struct partitions partitions = {0};
    struct cassandra_shape shape;
    char name[CASSANDRA_NAME_BYTES];
    cassandra_keyspace_name(keyspace, name);
    if (cassandra_shape_make(table, &shape, err) < 0)
        return -1;
    int rc = partitions_of_table(cassandra_store_of(store), name, &shape, NULL, &partitions, err);
    if (rc == 0)
        give_keys(&shape, &partitions, prefix, limit, visit, context);
    cassandra_shape_drop(&shape);
    return rc;
}
