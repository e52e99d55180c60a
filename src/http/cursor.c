// SPDX-License-Identifier: Apache-2.0
// Where a page of rows ended: the primary key of its last row, so that rows that arrive before it move nothing. As bytes, in base64 for URLs:
//
//   fingerprint of the table and the query's bounds u64 | each key column: integers as zigzag varint, doubles as bits u64, text as length and bytes
#include "http/inside.h"

static void add_value(struct weir_buffer *b, const struct weir_value *value)
{
    uint64_t bits;
    if (value->kind == WEIR_STRS) {
        weir_buffer_varint(b, value->str.bytes);
        weir_buffer_add(b, value->str.data, value->str.bytes);
    } else if (value->kind == WEIR_I64) {
        weir_buffer_zigzag(b, value->i64);
    } else {
        memcpy(&bits, &value->f64, sizeof bits);
        weir_buffer_be64(b, bits);
    }
}

void http_cursor_add(struct weir_buffer *out, uint64_t fingerprint, const struct weir_table *table, const struct weir_value *values)
{
    weir_cleanup(weir_buffer_drop) struct weir_buffer bytes = {0};
    weir_buffer_be64(&bytes, fingerprint);
    for (uint32_t i = 0; i < weir_table_key_count(table); i++)
        add_value(&bytes, &values[weir_table_key(table, i)]);
    http_base64_add(out, weir_buffer_view(&bytes));
}

static struct weir_value take_value(struct weir_cursor *c, enum weir_kind kind, struct weir_arena *arena)
{
    struct weir_value value = {.kind = kind};
    uint64_t bits;
    if (kind == WEIR_STRS) {
        value.str = weir_arena_copy(arena, weir_cursor_take(c, weir_cursor_varint(c)));
    } else if (kind == WEIR_I64) {
        value.i64 = weir_cursor_zigzag(c);
    } else {
        bits = weir_cursor_be64(c);
        memcpy(&value.f64, &bits, sizeof bits);
    }
    return value;
}

int http_cursor_parse(struct weir_str text, uint64_t fingerprint, const struct weir_table *table, struct weir_arena *arena, struct weir_value *ret)
{
    weir_cleanup(weir_buffer_drop) struct weir_buffer bytes = {0};
    if (http_base64_parse(text, &bytes) < 0 || bytes.bytes == 0)
        return -1;
    struct weir_cursor c = {bytes.data, bytes.data + bytes.bytes, false};
    if (weir_cursor_be64(&c) != fingerprint)
        return -1;
    for (uint32_t i = 0; i < weir_table_key_count(table) && !c.bad; i++)
        ret[i] = take_value(&c, weir_cql_kind(table->columns[weir_table_key(table, i)].type), arena);
    return c.bad || c.at != c.end ? -1 : 0;
}

static int compare(const struct weir_value *a, const struct weir_value *b)
{
    if (a->kind == WEIR_STRS)
        return weir_str_compare(a->str, b->str);
    if (a->kind == WEIR_I64)
        return (a->i64 > b->i64) - (a->i64 < b->i64);
    return (a->f64 > b->f64) - (a->f64 < b->f64);
}

int http_key_compare(const struct weir_table *table, const struct weir_value *row, const struct weir_value *key)
{
    for (uint32_t i = 0; i < weir_table_key_count(table); i++) {
        int order = compare(&row[weir_table_key(table, i)], &key[i]);
        if (order != 0)
            return i >= table->partition_count && table->clustering[i - table->partition_count].descending ? -order : order;
    }
    return 0;
}
