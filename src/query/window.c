// SPDX-License-Identifier: Apache-2.0
#include "query/window.h"

#include "base/error.h"
#include "base/memory.h"
#include <stdlib.h>

void windows_open(struct windows *ws, const struct weir_query_spec *query, const struct weir_zone *zone, struct keys *keys, uint64_t identity)
{
    *ws = (struct windows){.query = query, .zone = zone, .keys = keys, .identity = identity, .released_ms = INT64_MIN};
    layout_open(&ws->layout, query);
}

static void window_free(struct windows *ws, struct window *w)
{
    for (uint32_t page = 0; page < w->page_count; page++) {
        uint8_t *records = w->pages[page];
        for (uint32_t i = 0; records && ws->layout.has_blobs && i < KEYS_PER_PAGE; i++)
            layout_drop(&ws->layout, records + (size_t)i * ws->layout.bytes);
        if (records)
            ws->bytes -= (uint64_t)KEYS_PER_PAGE * ws->layout.bytes;
        free(records);
    }
    ws->bytes -= w->blob_bytes;
    free(w->page_blob_bytes);
    free(w->pages);
    free(w->flags);
    free(w);
}

void windows_close(struct windows *ws)
{
    for (size_t i = 0; i < ws->count; i++)
        window_free(ws, ws->open[i]);
    free(ws->open);
    layout_close(&ws->layout);
}

size_t windows_search(const struct windows *ws, int64_t start_ms)
{
    size_t low = 0, high = ws->count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (ws->open[middle]->start_ms < start_ms)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static struct window *window_new(struct windows *ws, size_t at, struct span span, int64_t after_ms)
{
    struct window *w = weir_zalloc(1, sizeof *w);
    w->start_ms = span.start_ms;
    w->end_ms = span.end_ms;
    w->after_ms = after_ms;
    weir_grow(&ws->open, &ws->capacity, ws->count + 1, sizeof *ws->open);
    memmove(ws->open + at + 1, ws->open + at, (ws->count - at) * sizeof *ws->open);
    ws->open[at] = w;
    ws->count++;
    return w;
}

struct window *windows_open_at(struct windows *ws, struct span span, int64_t after_ms)
{
    size_t at = windows_search(ws, span.start_ms);
    while (at < ws->count && ws->open[at]->start_ms == span.start_ms && ws->open[at]->after_ms < after_ms)
        at++;
    bool there = at < ws->count && ws->open[at]->start_ms == span.start_ms && ws->open[at]->after_ms == after_ms;
    return there ? ws->open[at] : window_new(ws, at, span, after_ms);
}

// The stretch that an instant lies in, from an open window if there is one over it: looking at a calendar costs more.
static struct span span_over(const struct windows *ws, int64_t time_ms)
{
    size_t at = windows_search(ws, time_ms);
    if (at == ws->count || ws->open[at]->start_ms != time_ms)
        at--; // wraps where there is none before
    if (at < ws->count && time_ms < ws->open[at]->end_ms)
        return (struct span){ws->open[at]->start_ms, ws->open[at]->end_ms};
    return span_at(&ws->query->window, ws->zone, time_ms);
}

static bool is_over_instant(const struct window *w, int64_t time_ms)
{
    return w && time_ms >= w->start_ms && time_ms < w->end_ms;
}

struct span windows_span(const struct windows *ws, int64_t time_ms)
{
    return is_over_instant(ws->current, time_ms) ? (struct span){ws->current->start_ms, ws->current->end_ms} : span_over(ws, time_ms);
}

int64_t windows_last_end(const struct windows *ws, int64_t time_ms)
{
    struct span span = windows_span(ws, time_ms);
    return span_last_end(&ws->query->window, span.start_ms, span.end_ms);
}

struct window *windows_at(struct windows *ws, int64_t time_ms, int64_t after_ms)
{
    if (!is_over_instant(ws->current, time_ms) || ws->current->after_ms != after_ms)
        ws->current = windows_open_at(ws, windows_span(ws, time_ms), after_ms);
    return ws->current;
}

static void cover(struct window *w, uint32_t pages)
{
    if (pages <= w->page_count)
        return;
    w->pages = weir_realloc(w->pages, pages * sizeof *w->pages);
    w->flags = weir_realloc(w->flags, pages);
    memset(w->pages + w->page_count, 0, (pages - w->page_count) * sizeof *w->pages);
    memset(w->flags + w->page_count, 0, pages - w->page_count);
    w->page_blob_bytes = weir_realloc(w->page_blob_bytes, pages * sizeof *w->page_blob_bytes);
    memset(w->page_blob_bytes + w->page_count, 0, (pages - w->page_count) * sizeof *w->page_blob_bytes);
    w->page_count = pages;
}

uint8_t *window_new_page(struct windows *ws, struct window *w, uint32_t page)
{
    uint32_t all = ws->keys->capacity / KEYS_PER_PAGE;
    cover(w, page < all ? all : page + 1);
    uint8_t *records = weir_alloc((size_t)KEYS_PER_PAGE * ws->layout.bytes);
    for (uint32_t i = 0; i < KEYS_PER_PAGE; i++)
        memcpy(records + (size_t)i * ws->layout.bytes, ws->layout.fresh, ws->layout.bytes);
    ws->bytes += (uint64_t)KEYS_PER_PAGE * ws->layout.bytes;
    return w->pages[page] = records;
}

void windows_drop_first(struct windows *ws)
{
    struct window *w = ws->open[0];
    for (uint32_t page = 0; page < w->page_count; page++)
        for (uint32_t i = 0; w->pages[page] && i < KEYS_PER_PAGE; i++) {
            const struct record_head *head = (const struct record_head *)(w->pages[page] + (size_t)i * ws->layout.bytes);
            if (head->events == 0)
                continue;
            keys_unref(ws->keys, page * KEYS_PER_PAGE + i);
            ws->groups--;
        }
    if (ws->current == w)
        ws->current = NULL;
    window_free(ws, w);
    memmove(ws->open, ws->open + 1, --ws->count * sizeof *ws->open);
}

void window_note_blobs(struct windows *ws, struct window *w, uint32_t page)
{
    uint64_t bytes = 0;
    for (uint32_t i = 0; ws->layout.has_blobs && i < KEYS_PER_PAGE; i++)
        bytes += layout_blob_bytes(&ws->layout, w->pages[page] + (size_t)i * ws->layout.bytes);
    uint32_t noted = bytes < UINT32_MAX ? (uint32_t)bytes : UINT32_MAX;
    ws->bytes += noted - (uint64_t)w->page_blob_bytes[page];
    w->blob_bytes += noted - (uint64_t)w->page_blob_bytes[page];
    w->page_blob_bytes[page] = noted;
}
