// SPDX-License-Identifier: Apache-2.0
// What was written, by the bytes of partition and clustering key: the last write wins by its timestamp, and all timestamps are counted.
#include "base/hash.h"
#include "inside.h"
#include <stdlib.h>

static struct weir_str own(struct weir_str bytes)
{
    char *copy = weir_alloc(bytes.bytes + 1);
    if (bytes.bytes)
        memcpy(copy, bytes.data, bytes.bytes);
    return (struct weir_str){copy, bytes.bytes};
}

static size_t slot_of(const struct fake_rows *rows, struct weir_str key)
{
    size_t slot = weir_hash64(key.data, key.bytes, 7) & (rows->slot_count - 1);
    while (rows->slots[slot] && !weir_str_eq(rows->rows[rows->slots[slot] - 1].key, key))
        slot = (slot + 1) & (rows->slot_count - 1);
    return slot;
}

const struct fake_cells *fake_rows_find(const struct fake_rows *rows, struct weir_str key)
{
    uint32_t found = rows->slot_count ? rows->slots[slot_of(rows, key)] : 0;
    return found ? &rows->rows[found - 1] : NULL;
}

static void slots_double(struct fake_rows *rows)
{
    free(rows->slots);
    rows->slot_count = rows->slot_count ? rows->slot_count * 2 : 1024;
    rows->slots = weir_zalloc(rows->slot_count, sizeof *rows->slots);
    for (size_t i = 0; i < rows->count; i++)
        rows->slots[slot_of(rows, rows->rows[i].key)] = (uint32_t)i + 1;
}

static struct fake_cells *row_of(struct fake_rows *rows, struct weir_str key)
{
    if (rows->count * 2 >= rows->slot_count)
        slots_double(rows);
    size_t slot = slot_of(rows, key);
    if (!rows->slots[slot]) {
        weir_grow(&rows->rows, &rows->capacity, rows->count + 1, sizeof *rows->rows);
        rows->rows[rows->count] = (struct fake_cells){.key = own(key), .timestamp_us = INT64_MIN};
        rows->slots[slot] = (uint32_t)++rows->count;
    }
    return &rows->rows[rows->slots[slot] - 1];
}

static void count_timestamp(struct fake_cells *row, int64_t timestamp_us)
{
    uint32_t most = sizeof row->timestamps / sizeof *row->timestamps;
    for (uint32_t i = 0; i < row->timestamp_count; i++) {
        if (row->timestamps[i] == timestamp_us)
            return;
    }
    if (row->timestamp_count < most)
        row->timestamps[row->timestamp_count++] = timestamp_us;
}

void fake_rows_write(struct fake_rows *rows, struct weir_str values, uint32_t count, int64_t timestamp_us)
{
    struct weir_cursor c = {(const uint8_t *)values.data, (const uint8_t *)values.data + values.bytes, false};
    struct weir_str cell = {0}, value = {0};
    for (uint32_t i = 0; i < 2 && i < count; i++)
        cql_take_value(&c, &cell);
    struct weir_str key = {values.data, (uint32_t)(c.at - (const uint8_t *)values.data)};
    if (count > 2 && !cql_take_value(&c, &value))
        value.bytes = 0;
    if (c.bad)
        return;
    struct fake_cells *row = row_of(rows, key);
    row->writes++;
    count_timestamp(row, timestamp_us);
    if (timestamp_us >= row->timestamp_us) {
        free((void *)row->value.data);
        row->value = own(value);
        row->timestamp_us = timestamp_us;
    }
}

void fake_rows_drop(struct fake_rows *rows)
{
    for (size_t i = 0; i < rows->count; i++) {
        free((void *)rows->rows[i].key.data);
        free((void *)rows->rows[i].value.data);
    }
    free(rows->rows);
    free(rows->slots);
    *rows = (struct fake_rows){0};
}

// ---- SELECT

void fake_result_id(const struct fake_ring *r, uint8_t ret[16])
{
    uint64_t id[2] = {weir_hash64(&r->altered, sizeof r->altered, 3), weir_hash64(&r->altered, sizeof r->altered, 4)};
    memcpy(ret, id, 16);
}

static void put_cell(struct weir_buffer *b, const struct fake_cells *row, struct weir_str column)
{
    struct weir_cursor c = {(const uint8_t *)row->key.data, (const uint8_t *)row->key.data + row->key.bytes, false};
    struct weir_str first = {0}, second = {0};
    bool has_first = cql_take_value(&c, &first), has_second = cql_take_value(&c, &second) && !c.bad;
    if (weir_str_is(column, "k") && has_first)
        cql_put_bytes(b, first);
    else if (weir_str_is(column, "c") && has_second)
        cql_put_bytes(b, second);
    else if (weir_str_is(column, "v"))
        cql_put_bytes(b, row->value);
    else
        cql_put_int(b, -1);
}

static uint32_t columns_asked(const struct fake_ring *r, struct weir_str text, struct weir_str *ret)
{
    uint32_t count = fake_select_columns(text, ret);
    if (count == 1 && weir_str_is(ret[0], "*")) {
        ret[0] = WEIR_STR("k"), ret[1] = WEIR_STR("c"), ret[2] = WEIR_STR("v");
        count = 3;
    }
    if (r->altered && count < FAKE_COLUMNS_MAX)
        ret[count++] = WEIR_STR("x");
    return count;
}

static bool row_matches(const struct fake_cells *row, const struct weir_str *partition)
{
    return !partition || (row->key.bytes >= partition->bytes && memcmp(row->key.data, partition->data, partition->bytes) == 0);
}

// Rows [from, …) up to a page; gives where the next page starts, 0: nowhere.
static size_t put_page(const struct fake_rows *rows, size_t from, uint32_t page_rows, const struct weir_str *partition, struct weir_buffer *b,
                       const struct weir_str *columns, uint32_t column_count, uint32_t *ret_rows)
{
    size_t i = from;
    for (*ret_rows = 0; i < rows->count && (!page_rows || *ret_rows < page_rows); i++) {
        if (!row_matches(&rows->rows[i], partition))
            continue;
        for (uint32_t c = 0; c < column_count; c++)
            put_cell(b, &rows->rows[i], columns[c]);
        ++*ret_rows;
    }
    while (i < rows->count && !row_matches(&rows->rows[i], partition))
        i++;
    return i < rows->count ? i : 0;
}

static void put_select_metadata(struct fake_ring *r, const struct fake_request *q, struct weir_buffer *b, const struct weir_str *columns,
                                uint32_t column_count, size_t next)
{
    uint8_t id[16];
    fake_result_id(r, id);
    struct weir_str known = q->asked.metadata_id, current = {(const char *)id, sizeof id};
    bool changed = q->header->opcode == CQL_OP_EXECUTE && q->version >= CQL_V5 && !weir_str_eq(known, current);
    bool left_out = q->asked.parameters.skip_metadata && !changed;
    cql_put_int(b, (left_out ? 4 : 1) | (next ? 2 : 0) | (changed ? 8 : 0));
    cql_put_int(b, (int32_t)column_count);
    if (next) {
        uint64_t state = next;
        cql_put_bytes(b, (struct weir_str){(const char *)&state, sizeof state});
    }
    if (changed)
        cql_put_short_bytes(b, current);
    if (!left_out)
        fake_put_columns(b, "ks", "t", columns, column_count);
}

void fake_put_select(struct fake_ring *r, const struct fake_request *q, struct weir_buffer *b)
{
    const struct cql_parameters *p = &q->asked.parameters;
    struct weir_str columns[FAKE_COLUMNS_MAX], partition = {0};
    uint32_t count = columns_asked(r, q->text, columns), rows = 0;
    uint64_t from = 0;
    if (p->paging_state.bytes == sizeof from)
        memcpy(&from, p->paging_state.data, sizeof from);
    if (p->value_count) {
        struct weir_cursor c = {(const uint8_t *)p->values.data, (const uint8_t *)p->values.data + p->values.bytes, false};
        struct weir_str first;
        cql_take_value(&c, &first);
        partition = (struct weir_str){p->values.data, (uint32_t)(c.at - (const uint8_t *)p->values.data)};
    }
    struct weir_buffer page = {0};
    size_t next = put_page(&r->rows, from, (uint32_t)p->page_rows, p->value_count ? &partition : NULL, &page, columns, count, &rows);
    cql_put_int(b, CQL_RESULT_ROWS);
    put_select_metadata(r, q, b, columns, count, next);
    cql_put_int(b, (int32_t)rows);
    weir_buffer_add(b, page.data, page.bytes);
    weir_buffer_drop(&page);
}
