// SPDX-License-Identifier: Apache-2.0
// An event is folded into one record, whatever windows overlap there; a row is its records merged.
#include "query/gather.h"

#include "base/memory.h"
#include "base/time.h"
#include <stdlib.h>

enum { GATHER_ROWS = 256 };

struct work {
    const struct gathering *g;
    struct span window;
    const struct window **pieces; // what lies in the window at hand, part after part, in the order of time
    size_t piece_count, piece_capacity;
    uint8_t *records[GATHER_ROWS];
    uint32_t ids[GATHER_ROWS], count;
};

static const struct windows *any_part(const struct gathering *g)
{
    return g->parts[0];
}

static const uint8_t *record_at(const struct layout *layout, const struct window *piece, uint32_t id)
{
    uint32_t page = id / KEYS_PER_PAGE;
    if (page >= piece->page_count || !piece->pages[page])
        return NULL;
    const uint8_t *record = piece->pages[page] + (size_t)(id % KEYS_PER_PAGE) * layout->bytes;
    return ((const struct record_head *)record)->events ? record : NULL;
}

static int flush(struct work *k, struct weir_error *err)
{
    const struct windows *ws = any_part(k->g);
    int result = k->count ? emit_records(k->g->emitter, k->g->query, ws, &k->window, k->records, k->ids, k->count, err) : 0;
    for (uint32_t i = 0; i < k->count; i++)
        layout_drop(&ws->layout, k->records[i]);
    k->count = 0;
    return result;
}

static bool is_wanted(const struct work *k, uint32_t id, bool changed_only)
{
    for (size_t i = 0; i < k->piece_count; i++) {
        const struct record_head *head = (const struct record_head *)record_at(&any_part(k->g)->layout, k->pieces[i], id);
        if (head && (!changed_only || head->events != head->emitted))
            return true;
    }
    return false;
}

static int gather_key(struct work *k, uint32_t id, struct weir_error *err)
{
    const struct layout *layout = &any_part(k->g)->layout;
    uint8_t *merged = k->records[k->count];
    memcpy(merged, layout->fresh, layout->bytes);
    for (size_t i = 0; i < k->piece_count; i++) {
        const uint8_t *record = record_at(layout, k->pieces[i], id);
        if (record)
            layout_merge(layout, merged, record);
    }
    k->ids[k->count++] = id;
    return k->count == GATHER_ROWS ? flush(k, err) : 0;
}

static int give_window(struct work *k, bool changed_only, struct weir_error *err)
{
    uint32_t pages = 0;
    for (size_t i = 0; i < k->piece_count; i++)
        pages = k->pieces[i]->page_count > pages ? k->pieces[i]->page_count : pages;
    for (uint32_t id = 0; id < pages * KEYS_PER_PAGE; id++)
        if (is_wanted(k, id, changed_only) && gather_key(k, id, err) < 0)
            return -1;
    return flush(k, err);
}

// ---- which windows

// Whether the window holds anything (that changed).
static bool find_pieces(struct work *k, bool changed_only)
{
    bool any = false;
    k->piece_count = 0;
    for (uint32_t p = 0; p < k->g->part_count; p++) {
        const struct windows *ws = k->g->parts[p];
        for (size_t i = windows_search(ws, k->window.start_ms); i < ws->count && ws->open[i]->start_ms < k->window.end_ms; i++) {
            if (ws->open[i]->after_ms >= k->window.end_ms)
                continue;
            weir_grow(&k->pieces, &k->piece_capacity, k->piece_count + 1, sizeof *k->pieces);
            k->pieces[k->piece_count++] = ws->open[i];
            any |= !changed_only || ws->open[i]->changed;
        }
    }
    return any;
}

// The first window that ends after `after_ms` and may hold something; its end is INT64_MIN where there is none.
static struct span next_window(const struct gathering *g, int64_t after_ms)
{
    const struct weir_window_spec *spec = &any_part(g)->query->window;
    bool sliding = spec->kind == WEIR_WINDOW_SLIDING, found = false;
    struct span next = {0, INT64_MIN};
    for (uint32_t p = 0; p < g->part_count; p++)
        for (size_t i = 0; i < g->parts[p]->count; i++) {
            const struct window *piece = g->parts[p]->open[i];
            int64_t end_ms = piece->end_ms, start_ms = piece->start_ms, from_ms = piece->after_ms > after_ms ? piece->after_ms : after_ms;
            if (sliding && end_ms <= from_ms)
                end_ms = (weir_floor_div(from_ms, spec->slide_ms) + 1) * spec->slide_ms;
            if (end_ms <= after_ms || end_ms > span_last_end(spec, start_ms, piece->end_ms) || (found && end_ms >= next.end_ms))
                continue;
            next = sliding ? (struct span){end_ms - spec->size_ms, end_ms} : (struct span){start_ms, end_ms};
            found = true;
        }
    return next;
}

// ---- what is up to date afterwards

static void mark_window(struct windows *ws, struct window *w)
{
    for (uint32_t page = 0; page < w->page_count; page++) {
        if (!(w->flags[page] & PAGE_CHANGED))
            continue;
        for (uint32_t r = 0; r < KEYS_PER_PAGE; r++) {
            struct record_head *head = (struct record_head *)(w->pages[page] + (size_t)r * ws->layout.bytes);
            head->emitted = head->events;
        }
        w->flags[page] = (uint8_t)((w->flags[page] & ~PAGE_CHANGED) | PAGE_UNSAVED);
    }
    w->changed = false;
}

// A slice is up to date once the last window over it was given.
static void mark_given(const struct gathering *g, int64_t until_ms)
{
    for (uint32_t p = 0; p < g->part_count; p++)
        for (size_t i = 0; i < g->parts[p]->count; i++) {
            struct window *w = g->parts[p]->open[i];
            if (w->changed && span_last_end(&g->parts[p]->query->window, w->start_ms, w->end_ms) <= until_ms)
                mark_window(g->parts[p], w);
        }
}

bool gather_any_changed(const struct gathering *g)
{
    for (uint32_t p = 0; p < g->part_count; p++)
        for (size_t i = 0; i < g->parts[p]->count; i++)
            if (g->parts[p]->open[i]->changed)
                return true;
    return false;
}

static int give_windows(struct work *k, int64_t after_ms, int64_t until_ms, bool changed_only, struct weir_error *err)
{
    for (k->window = next_window(k->g, after_ms); k->window.end_ms != INT64_MIN && k->window.end_ms <= until_ms;
         k->window = next_window(k->g, k->window.end_ms))
        if (find_pieces(k, changed_only) && give_window(k, changed_only, err) < 0)
            return -1;
    mark_given(k->g, until_ms);
    return 0;
}

int gather_give(const struct gathering *g, int64_t after_ms, int64_t until_ms, bool changed_only, struct weir_error *err)
{
    if (after_ms >= until_ms || (changed_only && !gather_any_changed(g)))
        return 0;
    uint32_t bytes = any_part(g)->layout.bytes;
    weir_cleanup(weir_freep) uint8_t *scratch = weir_alloc((size_t)GATHER_ROWS * bytes);
    struct work k = {.g = g};
    for (uint32_t i = 0; i < GATHER_ROWS; i++)
        k.records[i] = scratch + (size_t)i * bytes;
    int result = give_windows(&k, after_ms, until_ms, changed_only, err);
    free(k.pieces);
    return result;
}
