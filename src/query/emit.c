// SPDX-License-Identifier: Apache-2.0
// Rows for the tables: of events as they are, and of groups that changed.
#include "query/emit.h"
#include "base/memory.h"

enum { EMIT_ROWS = 512 };

static void gather(struct weir_column *c, const uint32_t *rows, uint32_t count, struct weir_arena *arena)
{
    struct weir_column to = {.kind = c->kind};
    if (c->kind == WEIR_STRS) {
        to.str = weir_arena_alloc(arena, count * sizeof *to.str);
        for (uint32_t j = 0; j < count; j++)
            to.str[j] = c->str[rows[j]];
    } else {
        to.i64 = weir_arena_alloc(arena, count * 8);
        for (uint32_t j = 0; j < count; j++)
            to.i64[j] = c->i64[rows[j]]; // the bits of a double too
    }
    if (c->valid) {
        to.valid = weir_arena_alloc(arena, count);
        for (uint32_t j = 0; j < count; j++)
            to.valid[j] = c->valid[rows[j]];
    }
    *c = to;
}

// A count that has outgrown an int column stays at its greatest value.
static void clamp_to_int(struct weir_column *c, uint32_t rows, struct weir_arena *arena)
{
    int64_t *clamped = weir_arena_alloc(arena, rows * 8);
    for (uint32_t i = 0; i < rows; i++)
        clamped[i] = c->i64[i] > INT32_MAX ? INT32_MAX : c->i64[i] < INT32_MIN ? INT32_MIN : c->i64[i];
    c->i64 = clamped;
}

static struct weir_column table_column(const struct weir_query_spec *q, uint32_t column, const struct eval_frame *frame)
{
    enum weir_cql_type type = q->table.columns[column].type;
    struct weir_column c = eval_expr(q->columns[column], frame);
    if (weir_cql_kind(type) == WEIR_F64)
        return eval_to_f64(c, frame);
    if (type == WEIR_CQL_INT && q->columns[column]->type != WEIR_INT)
        clamp_to_int(&c, frame->rows, frame->arena);
    return c;
}

static int give(struct emitter *e, uint32_t query, struct weir_rows *rows, struct weir_error *err)
{
    rows->table = &e->plan->queries[query].table;
    rows->table_index = query;
    e->rows += rows->count;
    return rows->count ? e->sink.rows(e->sink.context, rows, err) : 0;
}

int emit_events(struct emitter *e, uint32_t query, const struct eval_frame *frame, const struct weir_batch *batch, const uint32_t *rows,
                uint32_t count, struct weir_error *err)
{
    const struct weir_query_spec *q = &e->plan->queries[query];
    struct weir_arena *arena = frame->arena;
    struct weir_rows out = {.count = count};
    out.columns = weir_arena_alloc(arena, q->table.column_count * sizeof *out.columns);
    out.revision = weir_arena_alloc(arena, count * sizeof *out.revision);
    for (uint32_t c = 0; c < q->table.column_count; c++) {
        out.columns[c] = table_column(q, c, frame);
        if (count < batch->rows)
            gather(&out.columns[c], rows, count, arena);
    }
    for (uint32_t j = 0; j < count; j++)
        out.revision[j] = e->epoch_us + batch->offset[rows[j]] + 1;
    return give(e, query, &out, err);
}

static int64_t *repeated(int64_t value, uint32_t count, struct weir_arena *arena)
{
    int64_t *values = weir_arena_alloc(arena, count * sizeof *values);
    for (uint32_t i = 0; i < count; i++)
        values[i] = value;
    return values;
}

int emit_records(struct emitter *e, uint32_t query, const struct windows *ws, const struct span *window, uint8_t *const *records, const uint32_t *ids,
                 uint32_t count, struct weir_error *err)
{
    const struct weir_query_spec *q = ws->query;
    struct weir_arena *arena = &e->arena;
    weir_arena_reset(arena);
    struct weir_column *groups = weir_arena_alloc(arena, q->group_count * sizeof *groups);
    struct weir_column *aggregates = weir_arena_alloc(arena, q->aggregate_count * sizeof *aggregates);
    keys_columns(ws->keys, ids, count, arena, groups);
    for (uint32_t a = 0; a < q->aggregate_count; a++)
        layout_result(&ws->layout, a, records, count, arena, &aggregates[a]);
    struct eval_frame frame = {.rows = count, .groups = groups, .aggregates = aggregates, .zone = e->plan->zone, .arena = arena};
    frame.window_start = (struct weir_column){.kind = WEIR_I64, .i64 = repeated(window->start_ms, count, arena)};
    frame.window_end = (struct weir_column){.kind = WEIR_I64, .i64 = repeated(window->end_ms, count, arena)};

    struct weir_rows out = {.count = count, .deleted = e->deleting, .revision = repeated(e->epoch_us + e->position, count, arena)};
    out.window_start_ms = q->table.windowed ? frame.window_start.i64 : NULL;
    out.columns = weir_arena_alloc(arena, q->table.column_count * sizeof *out.columns);
    for (uint32_t c = 0; c < q->table.column_count; c++)
        out.columns[c] = table_column(q, c, &frame);
    if (give(e, query, &out, err) < 0)
        return -1;
    for (uint32_t j = 0; j < count; j++)
        ((struct record_head *)records[j])->emitted = ((struct record_head *)records[j])->events;
    return 0;
}

int emit_window(struct emitter *e, uint32_t query, const struct windows *ws, struct window *w, struct weir_error *err)
{
    const struct span span = {w->start_ms, w->end_ms};
    uint8_t *records[EMIT_ROWS];
    uint32_t ids[EMIT_ROWS], count = 0;
    for (uint32_t page = 0; w->changed && page < w->page_count; page++) {
        if (!(w->flags[page] & PAGE_CHANGED))
            continue;
        for (uint32_t i = 0; i < KEYS_PER_PAGE; i++) {
            uint8_t *record = w->pages[page] + (size_t)i * ws->layout.bytes;
            const struct record_head *head = (const struct record_head *)record;
            ids[count] = page * KEYS_PER_PAGE + i;
            records[count] = record;
            count += head->events != head->emitted;
        }
        w->flags[page] = (uint8_t)((w->flags[page] & ~PAGE_CHANGED) | PAGE_UNSAVED);
        if (count <= EMIT_ROWS - KEYS_PER_PAGE)
            continue;
        if (emit_records(e, query, ws, &span, records, ids, count, err) < 0)
            return -1;
        count = 0;
    }
    w->changed = false;
    return count ? emit_records(e, query, ws, &span, records, ids, count, err) : 0;
}
