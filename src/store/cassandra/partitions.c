// SPDX-License-Identifier: Apache-2.0
#include "base/memory.h"
#include "base/time.h"
#include "store/cassandra/read.h"
#include "store/key.h"
#include <stdlib.h>

enum { KEYS_BYTES_MAX = 256 << 20, BUCKETS_MAX = 2000, PAGE_ROWS = 5000 };

void partitions_drop(struct partitions *p)
{
    weir_buffer_drop(&p->bytes);
    free(p->items);
}

struct weir_str partition_key(const struct partitions *p, const struct partition *item)
{
    return (struct weir_str){(const char *)p->bytes.data + item->key, item->key_bytes};
}

struct weir_str partition_bound(const struct partitions *p, const struct partition *item)
{
    return (struct weir_str){(const char *)p->bytes.data + item->bound, item->bound_bytes};
}

// Buckets lie in the order of the first clustering column, which is time.
static bool descends(const struct cassandra_shape *shape, uint32_t i)
{
    return i >= shape->table->partition_count && shape->table->clustering[0].descending;
}

static int add(struct partitions *p, const struct cassandra_shape *shape, const struct weir_value *values, struct weir_error *err)
{
    const struct weir_table *table = &shape->physical;
    struct partition item = {.key = p->bytes.bytes};
    bool good = true;
    for (uint32_t i = 0; i < table->partition_count && good; i++)
        good = store_key_add(&p->bytes, table->columns[table->partition[i]].type, descends(shape, i), &values[i]) == 0;
    item.bound = p->bytes.bytes;
    for (uint32_t i = 0; i < table->partition_count && good; i++)
        good = cassandra_bind(&p->bytes, table->columns[table->partition[i]].type, &values[i]) == 0;
    if (!good)
        return weir_fail(err, WEIR_BAD_DATA, WEIR_STOP, "table %s: a value of the partition key is no uuid", table->name);
    if (p->bytes.bytes > KEYS_BYTES_MAX)
        return weir_fail(err, WEIR_BAD_DATA, WEIR_STOP, "table %s has more than %zu partition keys, too many to put into order: give one",
                         table->name, p->count);
    item.key_bytes = (uint32_t)(item.bound - item.key);
    item.bound_bytes = (uint32_t)(p->bytes.bytes - item.bound);
    weir_grow(&p->items, &p->capacity, p->count + 1, sizeof *p->items);
    p->items[p->count++] = item;
    return 0;
}

static int by_key(const void *left, const void *right, void *context)
{
    return weir_str_compare(partition_key(context, left), partition_key(context, right));
}

static void sort(struct partitions *p)
{
    if (p->count > 1)
        qsort_r(p->items, p->count, sizeof *p->items, by_key, p);
}

// ---- those that there are

static int add_page(const struct cql_result *page, const struct cassandra_shape *shape, const struct bounds *b, struct partitions *p,
                    struct weir_error *err)
{
    const struct weir_table *table = &shape->physical;
    weir_cleanup(weir_arena_drop) struct weir_arena arena = {0};
    struct cql_cell *cells = weir_arena_alloc(&arena, table->partition_count * sizeof *cells);
    struct weir_value *values = weir_arena_alloc(&arena, table->partition_count * sizeof *values);
    struct cql_rows rows;
    bool good = cql_result_columns(page) == table->partition_count;
    int more = 0;
    cql_rows_begin(page, &rows);
    while (good && (more = cql_rows_next(&rows, cells)) > 0) {
        for (uint32_t i = 0; i < table->partition_count && good; i++)
            good = !cells[i].null && cassandra_take(&cells[i], table->columns[table->partition[i]].type, &arena, &values[i]) == 0;
        bool wanted =
            good && (!b || shape->unit == CASSANDRA_NO_BUCKET || bounds_let_bucket_through(b, shape, values[table->partition_count - 1].i64));
        if (wanted && add(p, shape, values, err) < 0)
            return -1;
    }
    return good && more == 0 ? 0 : weir_fail(err, WEIR_BAD_DATA, WEIR_STOP, "table %s: the keys that Cassandra sent cannot be read", table->name);
}

static int ask_pages(struct cassandra_store *s, struct cql_request *request, const struct cassandra_shape *shape, const struct bounds *b,
                     struct partitions *p, struct weir_error *err)
{
    weir_cleanup(weir_buffer_drop) struct weir_buffer paging = {0};
    do {
        struct cql_result *page;
        if (cql_run(s->session, request, &page, err) < 0)
            return -1;
        struct weir_str next = cql_result_paging_state(page);
        paging.bytes = 0;
        weir_buffer_add(&paging, next.data, next.bytes);
        request->paging_state = weir_buffer_view(&paging);
        int rc = add_page(page, shape, b, p, err);
        cql_result_free(page);
        if (rc < 0)
            return -1;
    } while (paging.bytes);
    sort(p);
    return 0;
}

static int ask(struct cassandra_store *s, const char *keyspace, const struct cassandra_shape *shape, const struct bounds *b,
               const struct weir_buffer *equal, struct partitions *p, struct weir_error *err)
{
    weir_cleanup(weir_buffer_drop) struct weir_buffer text = {0};
    cassandra_put_select_keys(&text, keyspace, shape);
    for (uint32_t i = 0; equal && i < shape->table->partition_count; i++) {
        weir_buffer_format(&text, i ? " AND " : " WHERE ");
        cassandra_put_name(&text, shape->table->columns[shape->table->partition[i]].name);
        weir_buffer_format(&text, " = ?");
    }
    weir_buffer_format(&text, equal ? " ALLOW FILTERING" : "");
    weir_buffer_byte(&text, 0);
    struct cql_request request = {.kind = CQL_EXECUTE, .consistency = shape->read, .keyspace = keyspace, .idempotent = true, .page_rows = PAGE_ROWS};
    if (equal)
        request.values = weir_buffer_view(equal);
    if (cql_prepare(s->session, (const char *)text.data, &request.prepared, err) < 0 || ask_pages(s, &request, shape, b, p, err) < 0)
        return weir_wrap(err, "table %s.%s", keyspace, shape->table->name);
    return 0;
}

int partitions_of_table(struct cassandra_store *s, const char *keyspace, const struct cassandra_shape *shape, const struct bounds *b,
                        struct partitions *ret, struct weir_error *err)
{
    *ret = (struct partitions){0};
    return ask(s, keyspace, shape, b, NULL, ret, err);
}

// ---- those of a key

// The stretch of time that a scan is about, where that is known from both ends.
static bool known_stretch(const struct cassandra_shape *shape, const struct bounds *b, int64_t *ret_from_ms, int64_t *ret_to_ms)
{
    const struct weir_table *table = shape->table;
    const struct weir_scan *scan = b->scan;
    enum weir_time_part part = table->time_parts[table->clustering[0].column];
    const struct weir_value *from = &scan->from, *to = &scan->to;
    if (b->equal > 0 && part < WEIR_PART_YEAR)
        from = to = &scan->key[table->partition_count];
    else if (!scan->bound_from || !scan->bound_to)
        return false;
    else if (table->windowed)
        part = WEIR_PART_MS;
    *ret_from_ms = part == WEIR_PART_US ? weir_floor_div(from->i64, 1000) : from->i64;
    *ret_to_ms = part == WEIR_PART_US ? weir_floor_div(to->i64, 1000) : to->i64;
    bool fits = part != WEIR_PART_S || (!__builtin_mul_overflow(from->i64, 1000, ret_from_ms) && !__builtin_mul_overflow(to->i64, 1000, ret_to_ms));
    return fits && *ret_from_ms > -60000000000000 && *ret_to_ms < 250000000000000;
}

static int add_buckets(const struct cassandra_shape *shape, int64_t from_ms, int64_t to_ms, struct weir_value *values, struct partitions *p,
                       struct weir_error *err)
{
    uint32_t bucket = shape->table->partition_count;
    for (int64_t ms = cassandra_bucket_ms(shape->unit, from_ms); ms <= to_ms; ms = cassandra_bucket_next_ms(shape->unit, ms)) {
        values[bucket] = (struct weir_value){.kind = WEIR_I64, .i64 = ms};
        if (add(p, shape, values, err) < 0)
            return -1;
    }
    sort(p);
    return 0;
}

static bool are_few(enum cassandra_unit unit, int64_t from_ms, int64_t to_ms)
{
    int64_t least_ms = unit == CASSANDRA_HOUR ? 3600000 : 86400000;
    return to_ms < from_ms || (to_ms - from_ms) / least_ms < BUCKETS_MAX;
}

static int bind_key(const struct cassandra_shape *shape, const struct weir_value *key, struct weir_buffer *out, struct weir_error *err)
{
    const struct weir_table *table = shape->table;
    for (uint32_t i = 0; i < table->partition_count; i++)
        if (cassandra_bind(out, table->columns[table->partition[i]].type, &key[i]) < 0)
            return weir_fail(err, WEIR_BAD_DATA, WEIR_STOP, "table %s: the value for key column %s is no uuid", table->name,
                             table->columns[table->partition[i]].name);
    return 0;
}

int partitions_of_key(struct cassandra_store *s, const char *keyspace, const struct cassandra_shape *shape, const struct bounds *b,
                      struct partitions *ret, struct weir_error *err)
{
    weir_cleanup(weir_buffer_drop) struct weir_buffer equal = {0};
    weir_cleanup(weir_freep) struct weir_value *values = weir_zalloc(shape->physical.partition_count, sizeof *values);
    int64_t from_ms, to_ms;
    *ret = (struct partitions){0};
    memcpy(values, b->scan->key, shape->table->partition_count * sizeof *values);
    if (bind_key(shape, values, &equal, err) < 0)
        return -1;
    if (shape->unit == CASSANDRA_NO_BUCKET)
        return add(ret, shape, values, err);
    if (known_stretch(shape, b, &from_ms, &to_ms) && are_few(shape->unit, from_ms, to_ms))
        return add_buckets(shape, from_ms, to_ms, values, ret, err);
    return ask(s, keyspace, shape, b, &equal, ret, err);
}
