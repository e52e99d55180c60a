// SPDX-License-Identifier: Apache-2.0
// Rows that Cassandra will never take, as JSON objects of their columns.
#include "store/cassandra/writer.h"

#include "base/memory.h"
#include "base/number.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static struct weir_str shown(struct weir_str text)
{
    enum { SHOWN_BYTES = 16 << 10 }; // of a text too long for any store
    return (struct weir_str){text.data, text.bytes < SHOWN_BYTES ? text.bytes : SHOWN_BYTES};
}

static void put_value(struct weir_buffer *out, enum weir_cql_type type, const struct weir_value *value)
{
    char number[32];
    if (value->null)
        weir_buffer_format(out, "null");
    else if (value->kind == WEIR_STRS)
        weir_buffer_json_text(out, shown(value->str));
    else if (type == WEIR_CQL_BOOLEAN)
        weir_buffer_format(out, value->i64 ? "true" : "false");
    else if (value->kind == WEIR_I64)
        weir_buffer_format(out, "%lld", (long long)value->i64);
    else {
        size_t bytes = type == WEIR_CQL_FLOAT ? weir_format_f32((float)value->f64, number) : weir_format_f64(value->f64, number);
        weir_buffer_format(out, isfinite(value->f64) ? "%.*s" : "\"%.*s\"", (int)bytes, number);
    }
}

static void put_member(struct weir_buffer *out, const struct weir_table_column *column, struct weir_cursor *bound, bool shown)
{
    weir_cleanup(weir_arena_drop) struct weir_arena arena = {0};
    struct cql_cell cell = {0};
    struct weir_value value;
    cell.null = !cql_take_bytes(bound, &cell.bytes);
    if (!shown || cassandra_take(&cell, column->type, &arena, &value) < 0)
        return;
    weir_buffer_format(out, out->bytes > 1 ? "," : "");
    weir_buffer_json_text(out, weir_str_of(column->name));
    weir_buffer_byte(out, ':');
    put_value(out, column->type, &value);
}

static int64_t put_row(struct weir_buffer *out, const struct chunk *chunk)
{
    const struct weir_table *table = &chunk->table->shape.physical;
    uint32_t shown = chunk->table->shape.table->column_count;
    struct weir_cursor c = {.at = chunk->values.data, .end = chunk->values.data + chunk->values.bytes};
    struct weir_str timestamp = {0};
    int64_t revision = 0;
    weir_buffer_byte(out, '{');
    if (chunk->deleted)
        cql_take_bytes(&c, &timestamp);
    for (uint32_t i = 0; chunk->deleted && i < weir_table_key_count(table); i++) {
        uint32_t column = weir_table_key(table, i);
        put_member(out, &table->columns[column], &c, column < shown);
    }
    for (uint32_t i = 0; !chunk->deleted && i < table->column_count; i++)
        put_member(out, &table->columns[i], &c, i < shown);
    if (!chunk->deleted)
        cql_take_bytes(&c, &timestamp);
    weir_buffer_byte(out, '}');
    cql_cell_bigint(timestamp, &revision);
    return revision;
}

void writer_refuse(struct cassandra_writer *w, const struct chunk *chunk, int64_t revision_more, const char *text)
{
    struct refusal *r = weir_zalloc(1, sizeof *r);
    int64_t revision = put_row(&r->json, chunk) + revision_more;
    snprintf(r->text, sizeof r->text, "%s", text);
    r->row = (struct weir_refused_row){.table = chunk->table->shape.table,
                                       .table_index = chunk->table->table_index,
                                       .revision = revision,
                                       .row = weir_buffer_view(&r->json),
                                       .text = r->text};
    if (w->last_refused)
        w->last_refused->next = r;
    else
        w->refused = r;
    w->last_refused = r;
    w->progress = true;
    chunk_count_bytes(w, (int64_t)(sizeof *r + r->json.bytes));
    atomic_fetch_add(&w->store->counters.refused, 1);
}
