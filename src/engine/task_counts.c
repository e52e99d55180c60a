// SPDX-License-Identifier: Apache-2.0
// What a task has counted, as a page of its state:
//
//   page 'A': version u8 | next_offset i64 | records, events, duplicates, dead… varint | queries varint |
//             (hash of table name u64 | rows, filtered, late, folded varint)…
// All other pages are the query core's.
#include "base/hash.h"
#include "base/memory.h"
#include "engine/pipeline.h"
#include <stdlib.h>

enum { VERSION = 2 };

void counts_open(struct task_counts *c, const struct weir_plan *plan)
{
    *c = (struct task_counts){0};
    c->rows = weir_zalloc(plan->query_count, sizeof *c->rows);
    c->queries = weir_zalloc(plan->query_count, sizeof *c->queries);
}

void counts_drop(struct task_counts *c)
{
    free(c->rows);
    free(c->queries);
    *c = (struct task_counts){0};
}

void counts_copy(struct task_counts *to, const struct task_counts *from, const struct weir_plan *plan)
{
    uint64_t *rows = to->rows;
    struct weir_query_counts *queries = to->queries;
    memcpy(rows, from->rows, plan->query_count * sizeof *rows);
    memcpy(queries, from->queries, plan->query_count * sizeof *queries);
    *to = *from;
    to->rows = rows;
    to->queries = queries;
}

static uint64_t name_hash(const struct weir_plan *plan, uint32_t query)
{
    const char *name = plan->queries[query].table.name;
    return weir_hash64(name, strlen(name), 0);
}

void counts_save(const struct task_counts *c, const struct weir_plan *plan, int64_t next_offset, struct weir_buffer *page)
{
    weir_buffer_byte(page, VERSION);
    weir_buffer_be64(page, (uint64_t)next_offset);
    weir_buffer_varint(page, c->records);
    weir_buffer_varint(page, c->events);
    weir_buffer_varint(page, c->duplicates);
    for (int r = 0; r < WEIR_REASONS; r++)
        weir_buffer_varint(page, c->dead[r]);
    weir_buffer_varint(page, plan->query_count);
    for (uint32_t q = 0; q < plan->query_count; q++) {
        weir_buffer_be64(page, name_hash(plan, q));
        weir_buffer_varint(page, c->rows[q]);
        weir_buffer_varint(page, c->queries[q].filtered);
        weir_buffer_varint(page, c->queries[q].late);
        weir_buffer_varint(page, c->queries[q].folded);
    }
}

static void restore_query(struct task_counts *counts, const struct weir_plan *plan, struct weir_cursor *c, bool *known)
{
    uint64_t name = weir_cursor_be64(c), rows = weir_cursor_varint(c);
    struct weir_query_counts query = {.filtered = weir_cursor_varint(c)};
    query.late = weir_cursor_varint(c);
    query.folded = weir_cursor_varint(c);
    for (uint32_t q = 0; q < plan->query_count; q++)
        if (name_hash(plan, q) == name) {
            counts->rows[q] = rows;
            counts->queries[q] = query;
            known[q] = true;
        }
}

int counts_restore(struct task_counts *counts, const struct weir_plan *plan, int64_t *ret_next_offset, struct weir_str page, struct weir_error *err)
{
    struct weir_cursor c = {(const uint8_t *)page.data, (const uint8_t *)page.data + page.bytes, false};
    bool right_version = weir_cursor_byte(&c) == VERSION;
    weir_cleanup(weir_freep) bool *known = weir_zalloc(plan->query_count, sizeof *known);
    *ret_next_offset = (int64_t)weir_cursor_be64(&c);
    counts->records = weir_cursor_varint(&c);
    counts->events = weir_cursor_varint(&c);
    counts->duplicates = weir_cursor_varint(&c);
    for (int r = 0; r < WEIR_REASONS; r++)
        counts->dead[r] = weir_cursor_varint(&c);
    for (uint64_t left = weir_cursor_varint(&c); left > 0 && !c.bad; left--)
        restore_query(counts, plan, &c, known);
    if (!right_version || c.bad)
        return weir_fail(err, WEIR_IO, WEIR_STOP, "the saved counters cannot be read: they have another shape than this version of weir writes");
    for (uint32_t q = 0; q < plan->query_count; q++)
        if (!known[q])
            return weir_fail(err, WEIR_BAD_CONFIG, WEIR_STOP,
                             "query '%s' is new since the state was made; its table would lack the events already read: start over with `weir reset "
                             "FILE`, or use another --data folder",
                             plan->queries[q].table.name);
    return 0;
}
