// SPDX-License-Identifier: Apache-2.0
#include "store/embedded/block.h"

#include "base/memory.h"
#include "base/uuid.h"
#include "store/key.h"
#include <stdlib.h>

enum { FORMAT = 1, VARINT_BYTES_MAX = 10, KEY_BYTES_MAX = 64 << 10, UUID_BYTES = 16, UUID_TEXT_BYTES = 36 };

// ---- layout

void store_layout_make(const struct weir_table *table, struct store_layout *ret)
{
    uint32_t *values = weir_alloc(table->column_count * sizeof *values + 1), count = 0;
    for (uint32_t c = 0; c < table->column_count; c++)
        if (!weir_table_is_key(table, c))
            values[count++] = c;
    *ret = (struct store_layout){.table = table,
                                 .upserts = table->upserts || table->windowed || table->clustering_count == 0,
                                 .value_count = count,
                                 .values = values,
                                 .row_bytes_max = table->column_count * 16u + count / 8 + 1 + 3 * VARINT_BYTES_MAX};
}

void store_layout_drop(struct store_layout *layout)
{
    free(layout->values);
    *layout = (struct store_layout){0};
}

// ---- rows

static inline struct weir_value cell(const struct weir_column *column, uint32_t row)
{
    struct weir_value value = {.kind = column->kind};
    if (column->kind == WEIR_STRS)
        value.str = column->str[row];
    else if (column->kind == WEIR_F64)
        value.f64 = column->f64[row];
    else
        value.i64 = column->i64[row];
    return value;
}

static inline uint8_t *put_varint(uint8_t *at, uint64_t value)
{
    while (value >= 0x80) {
        *at++ = (uint8_t)(value | 0x80);
        value >>= 7;
    }
    *at++ = (uint8_t)value;
    return at;
}

static inline uint8_t *put_zigzag(uint8_t *at, int64_t value)
{
    return put_varint(at, (uint64_t)value << 1 ^ (uint64_t)(value >> 63));
}

static uint8_t *put_float(uint8_t *at, double value)
{
    float narrow = (float)value;
    memcpy(at, &narrow, sizeof narrow);
    return at + sizeof narrow;
}

static uint8_t *put_double(uint8_t *at, double value)
{
    memcpy(at, &value, sizeof value);
    return at + sizeof value;
}

static uint8_t *put_text(uint8_t *at, struct weir_str text)
{
    at = put_varint(at, text.bytes);
    if (text.bytes)
        memcpy(at, text.data, text.bytes);
    return at + text.bytes;
}

// Returns where the next value goes; NULL: no uuid.
static uint8_t *put_value(uint8_t *at, enum weir_cql_type type, const struct weir_column *column, uint32_t row)
{
    switch (type) {
    case WEIR_CQL_TEXT:
        return put_text(at, column->str[row]);
    case WEIR_CQL_UUID:
        return weir_uuid_parse(column->str[row], at) == 0 ? at + UUID_BYTES : NULL;
    case WEIR_CQL_FLOAT:
        return put_float(at, column->f64[row]);
    case WEIR_CQL_DOUBLE:
        return put_double(at, column->f64[row]);
    default:
        return put_zigzag(at, column->i64[row]);
    }
}

static uint8_t *put_body(const struct store_layout *layout, const struct weir_rows *rows, uint32_t row, uint8_t *at)
{
    uint8_t *present = at;
    uint32_t bitmap_bytes = (layout->value_count + 7) / 8;
    memset(present, 0, bitmap_bytes);
    at += bitmap_bytes;
    for (uint32_t i = 0; i < layout->value_count && at; i++) {
        const struct weir_column *column = &rows->columns[layout->values[i]];
        if (weir_column_is_null(column, row))
            continue;
        present[i / 8] |= (uint8_t)(1u << i % 8);
        at = put_value(at, layout->table->columns[layout->values[i]].type, column, row);
    }
    return at;
}

static size_t text_bytes(const struct store_layout *layout, const struct weir_rows *rows, uint32_t row)
{
    size_t bytes = 0;
    for (uint32_t c = 0; c < layout->table->column_count; c++)
        if (layout->table->columns[c].type == WEIR_CQL_TEXT && !weir_column_is_null(&rows->columns[c], row))
            bytes += 2 * (size_t)rows->columns[c].str[row].bytes + 2;
    return bytes;
}

static uint8_t *put_clustering(const struct store_layout *layout, const struct weir_rows *rows, uint32_t row, uint8_t *at)
{
    const struct weir_table *table = layout->table;
    for (uint32_t i = 0; i < table->clustering_count && at; i++) {
        uint32_t column = table->clustering[i].column;
        struct weir_value value = cell(&rows->columns[column], row);
        at = store_key_put(at, table->columns[column].type, table->clustering[i].descending, &value);
    }
    return at;
}

static int bad_uuid(const struct store_layout *layout, struct weir_error *err)
{
    return weir_fail(err, WEIR_BAD_DATA, WEIR_DEAD_LETTER, "table %s: a value of a uuid column is no uuid", layout->table->name);
}

int store_row_add(const struct store_layout *layout, const struct weir_rows *rows, uint32_t row, int64_t base_revision, struct weir_buffer *out,
                  uint32_t *ret_key_bytes, struct weir_error *err)
{
    uint8_t *start = weir_buffer_reserve(out, layout->row_bytes_max + text_bytes(layout, rows, row) + VARINT_BYTES_MAX);
    uint8_t *at = put_clustering(layout, rows, row, start);
    if (!at)
        return bad_uuid(layout, err);
    if (at - start > KEY_BYTES_MAX)
        return weir_fail(err, WEIR_BAD_DATA, WEIR_DEAD_LETTER, "table %s: a key is longer than %d KiB", layout->table->name, KEY_BYTES_MAX >> 10);
    *ret_key_bytes = (uint32_t)(at - start);
    at = put_zigzag(at, (int64_t)((uint64_t)rows->revision[row] - (uint64_t)base_revision));
    if (layout->table->windowed)
        at = put_zigzag(at, rows->window_start_ms[row]);
    uint8_t *body = at + 1, *end = put_body(layout, rows, row, body);
    if (!end)
        return bad_uuid(layout, err);
    uint8_t size[VARINT_BYTES_MAX];
    size_t body_bytes = (size_t)(end - body), size_bytes = (size_t)(put_varint(size, body_bytes) - size);
    if (size_bytes > 1)
        memmove(at + size_bytes, body, body_bytes);
    memcpy(at, size, size_bytes);
    out->bytes += (size_t)(at - start) + size_bytes + body_bytes;
    return 0;
}

void store_block_begin(struct weir_buffer *out, int64_t expires_ms, uint32_t rows, int64_t base_revision, struct weir_str last_key)
{
    weir_buffer_be64(out, (uint64_t)expires_ms);
    weir_buffer_byte(out, FORMAT);
    weir_buffer_varint(out, rows);
    weir_buffer_zigzag(out, base_revision);
    weir_buffer_varint(out, last_key.bytes);
    weir_buffer_add(out, last_key.data, last_key.bytes);
}

// ---- reading

int store_block_open(struct weir_str bytes, struct store_block *ret)
{
    struct store_block block = {.cursor = {.at = (const uint8_t *)bytes.data, .end = (const uint8_t *)bytes.data + bytes.bytes}};
    struct weir_cursor *c = &block.cursor;
    block.expires_ms = (int64_t)weir_cursor_be64(c);
    uint8_t format = weir_cursor_byte(c);
    uint64_t rows = weir_cursor_varint(c);
    block.base_revision = weir_cursor_zigzag(c);
    block.last_key = weir_cursor_take(c, weir_cursor_varint(c));
    if (c->bad || format != FORMAT || rows > (uint64_t)(c->end - c->at))
        return -1;
    block.left = (uint32_t)rows;
    *ret = block;
    return 0;
}

int store_block_next(const struct store_layout *layout, struct store_block *block, struct store_row *ret)
{
    struct weir_cursor *c = &block->cursor;
    const struct weir_table *table = layout->table;
    if (block->left == 0)
        return c->at == c->end ? 0 : -1;
    const uint8_t *start = c->at;
    for (uint32_t i = 0; i < table->clustering_count; i++)
        store_key_skip(c, table->columns[table->clustering[i].column].type, table->clustering[i].descending);
    struct store_row row = {.clustering = {(const char *)start, (uint32_t)(c->at - start)}};
    row.revision = (int64_t)((uint64_t)block->base_revision + (uint64_t)weir_cursor_zigzag(c));
    row.window_start_ms = table->windowed ? weir_cursor_zigzag(c) : 0;
    row.body = weir_cursor_take(c, weir_cursor_varint(c));
    if (c->bad)
        return -1;
    block->left--;
    *ret = row;
    return 1;
}

int store_partition_values(const struct store_layout *layout, struct weir_str partition_key, struct weir_arena *arena, struct weir_value *values)
{
    struct weir_cursor c = {.at = (const uint8_t *)partition_key.data, .end = (const uint8_t *)partition_key.data + partition_key.bytes};
    const struct weir_table *table = layout->table;
    for (uint32_t i = 0; i < table->partition_count; i++) {
        uint32_t column = table->partition[i];
        values[column] = store_key_take(&c, table->columns[column].type, false, arena);
    }
    return c.bad || c.at != c.end ? -1 : 0;
}

static struct weir_value take_float(struct weir_cursor *c)
{
    struct weir_value value = {.kind = WEIR_F64};
    float narrow = 0;
    struct weir_str bytes = weir_cursor_take(c, sizeof narrow);
    if (bytes.bytes)
        memcpy(&narrow, bytes.data, sizeof narrow);
    value.f64 = narrow;
    return value;
}

static struct weir_value take_double(struct weir_cursor *c)
{
    struct weir_value value = {.kind = WEIR_F64};
    struct weir_str bytes = weir_cursor_take(c, sizeof value.f64);
    if (bytes.bytes)
        memcpy(&value.f64, bytes.data, sizeof value.f64);
    return value;
}

static struct weir_value take_value(struct weir_cursor *c, enum weir_cql_type type, struct weir_arena *arena)
{
    switch (type) {
    case WEIR_CQL_TEXT:
        return (struct weir_value){.kind = WEIR_STRS, .str = weir_cursor_take(c, weir_cursor_varint(c))};
    case WEIR_CQL_UUID:
        return store_key_take(c, WEIR_CQL_UUID, false, arena);
    case WEIR_CQL_FLOAT:
        return take_float(c);
    case WEIR_CQL_DOUBLE:
        return take_double(c);
    default:
        return (struct weir_value){.kind = WEIR_I64, .i64 = weir_cursor_zigzag(c)};
    }
}

int store_row_values(const struct store_layout *layout, const struct store_row *row, struct weir_arena *arena, struct weir_value *values)
{
    const struct weir_table *table = layout->table;
    struct weir_cursor key = {.at = (const uint8_t *)row->clustering.data, .end = (const uint8_t *)row->clustering.data + row->clustering.bytes};
    for (uint32_t i = 0; i < table->clustering_count; i++) {
        uint32_t column = table->clustering[i].column;
        values[column] = store_key_take(&key, table->columns[column].type, table->clustering[i].descending, arena);
    }
    struct weir_cursor c = {.at = (const uint8_t *)row->body.data, .end = (const uint8_t *)row->body.data + row->body.bytes};
    struct weir_str present = weir_cursor_take(&c, (layout->value_count + 7) / 8);
    for (uint32_t i = 0; i < layout->value_count && !c.bad; i++) {
        enum weir_cql_type type = table->columns[layout->values[i]].type;
        bool there = (uint8_t)present.data[i / 8] >> i % 8 & 1;
        values[layout->values[i]] = there ? take_value(&c, type, arena) : (struct weir_value){.null = true, .kind = weir_cql_kind(type)};
    }
    return key.bad || key.at != key.end || c.bad || c.at != c.end ? -1 : 0;
}
