// SPDX-License-Identifier: Apache-2.0
// The newest rows of each table, for live views. Shared by the tasks of a pipeline; a lock a table.
#include "base/memory.h"
#include "engine/pipeline.h"
#include <stdlib.h>

struct ring {
    pthread_mutex_t lock;
    uint32_t columns;
    uint64_t added;
    struct weir_value *values; // rows × columns
    char **texts;              // what text values point to, by value
};

struct recent {
    uint32_t rows, queries;
    struct ring *rings;
};

struct recent *recent_new(const struct weir_plan *plan, uint32_t rows)
{
    struct recent *r = weir_zalloc(1, sizeof *r);
    r->rows = rows;
    r->queries = plan->query_count;
    r->rings = weir_zalloc(plan->query_count, sizeof *r->rings);
    for (uint32_t q = 0; q < r->queries; q++) {
        struct ring *ring = &r->rings[q];
        pthread_mutex_init(&ring->lock, NULL);
        ring->columns = plan->queries[q].table.column_count;
        ring->values = weir_zalloc((size_t)rows * ring->columns, sizeof *ring->values);
        ring->texts = weir_zalloc((size_t)rows * ring->columns, sizeof *ring->texts);
    }
    return r;
}

void recent_free(struct recent *r)
{
    if (!r)
        return;
    for (uint32_t q = 0; q < r->queries; q++) {
        struct ring *ring = &r->rings[q];
        for (size_t i = 0; i < (size_t)r->rows * ring->columns; i++)
            free(ring->texts[i]);
        free(ring->texts);
        free(ring->values);
        pthread_mutex_destroy(&ring->lock);
    }
    free(r->rings);
    free(r);
}

static void keep(struct ring *ring, size_t at, struct weir_value value)
{
    free(ring->texts[at]);
    ring->texts[at] = NULL;
    if (value.kind == WEIR_STRS && !value.null) {
        ring->texts[at] = weir_alloc(value.str.bytes);
        if (value.str.bytes)
            memcpy(ring->texts[at], value.str.data, value.str.bytes);
        value.str.data = ring->texts[at];
    }
    ring->values[at] = value;
}

void recent_add(struct recent *r, const struct weir_rows *rows)
{
    struct ring *ring = &r->rings[rows->table_index];
    uint32_t first = rows->count > r->rows ? rows->count - r->rows : 0;
    pthread_mutex_lock(&ring->lock);
    for (uint32_t i = first; i < rows->count; i++, ring->added++)
        for (uint32_t c = 0; c < ring->columns; c++)
            keep(ring, ring->added % r->rows * ring->columns + c, weir_column_get(&rows->columns[c], i));
    pthread_mutex_unlock(&ring->lock);
}

static struct weir_value *copy_row(const struct ring *ring, uint32_t rows, uint64_t number, struct weir_arena *arena)
{
    struct weir_value *copy = weir_arena_alloc(arena, ring->columns * sizeof *copy);
    for (uint32_t c = 0; c < ring->columns; c++) {
        copy[c] = ring->values[number % rows * ring->columns + c];
        if (copy[c].kind == WEIR_STRS && !copy[c].null)
            copy[c].str = weir_arena_copy(arena, copy[c].str);
    }
    return copy;
}

uint32_t recent_get(struct recent *r, uint32_t query, uint32_t limit, struct weir_arena *arena, struct weir_value ***ret_rows)
{
    struct ring *ring = &r->rings[query];
    pthread_mutex_lock(&ring->lock);
    uint32_t count = ring->added < r->rows ? (uint32_t)ring->added : r->rows;
    count = count < limit ? count : limit;
    *ret_rows = weir_arena_alloc(arena, count * sizeof **ret_rows);
    for (uint32_t i = 0; i < count; i++)
        (*ret_rows)[i] = copy_row(ring, r->rows, ring->added - 1 - i, arena);
    pthread_mutex_unlock(&ring->lock);
    return count;
}

uint32_t recent_since(struct recent *r, uint32_t query, uint64_t since, uint32_t limit, struct weir_arena *arena, struct weir_value ***ret_rows,
                      uint64_t *ret_next)
{
    struct ring *ring = &r->rings[query];
    pthread_mutex_lock(&ring->lock);
    uint64_t kept = ring->added < r->rows ? ring->added : r->rows, fresh = since == 0 || since > ring->added + 1 ? 0 : ring->added + 1 - since;
    uint32_t count = (uint32_t)(fresh < kept ? fresh : kept);
    count = count < limit ? count : limit;
    *ret_rows = weir_arena_alloc(arena, count * sizeof **ret_rows);
    for (uint32_t i = 0; i < count; i++)
        (*ret_rows)[i] = copy_row(ring, r->rows, ring->added - count + i, arena);
    *ret_next = ring->added + 1;
    pthread_mutex_unlock(&ring->lock);
    return count;
}
