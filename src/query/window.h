// SPDX-License-Identifier: Apache-2.0
// The open windows of one query, each an array of records indexed by key id, in pages of 64 so that only what is in use has memory and only what
// changed is saved. A query without a window has one that never ends.
#pragma once
#include "query/accumulator.h"
#include "query/keys.h"
#include "query/span.h"

enum { PAGE_UNSAVED = 1, PAGE_CHANGED = 2, PAGE_SAVED = 4 }; // not in a checkpoint as it is; has records whose row is out of date; is in a checkpoint

struct window {
    int64_t start_ms, end_ms;
    int64_t after_ms; // of a slice: its events count only for windows that end later, since those before had ended when they came; else INT64_MIN
    bool changed;     // some page is
    uint32_t page_count;
    uint8_t **pages; // NULL: no record there
    uint8_t *flags;
    uint64_t blob_bytes; // of its records, as of the last checkpoint
    uint32_t *page_blob_bytes;
};

struct windows {
    const struct weir_query_spec *query;
    const struct weir_zone *zone;
    struct layout layout;
    struct keys *keys;
    uint64_t identity;    // names them in checkpoints: hash of what shapes the query's state
    struct window **open; // by start
    size_t count, capacity;
    int64_t released_ms;    // of a query that spans partitions: windows over by then were dropped
    struct window *current; // the one the last event fell into
    uint64_t groups;        // records in all windows
    uint64_t bytes;         // of pages, and of the blobs behind them
};

void windows_open(struct windows *ws, const struct weir_query_spec *query, const struct weir_zone *zone, struct keys *keys, uint64_t identity);
void windows_close(struct windows *ws);

// The window (of a sliding query: the slice) that an instant lies in, open or not.
struct span windows_span(const struct windows *ws, int64_t time_ms);
// When the last window ends that an event of that time falls into; what is late is decided by it.
int64_t windows_last_end(const struct windows *ws, int64_t time_ms);
// The open window or slice over that instant, opened if it is not.
struct window *windows_at(struct windows *ws, int64_t time_ms, int64_t after_ms);
size_t windows_search(const struct windows *ws, int64_t start_ms); // the index of the first open window that starts then or later
struct window *windows_open_at(struct windows *ws, struct span span, int64_t after_ms);

// The record of a key, made if there is none (events == 0 until the first is folded in).
uint8_t *window_new_page(struct windows *ws, struct window *w, uint32_t page);

static inline uint8_t *window_record(struct windows *ws, struct window *w, uint32_t id)
{
    uint32_t page = id / KEYS_PER_PAGE;
    uint8_t *records = page < w->page_count && w->pages[page] ? w->pages[page] : window_new_page(ws, w, page);
    w->flags[page] |= PAGE_UNSAVED | PAGE_CHANGED;
    return records + (size_t)(id % KEYS_PER_PAGE) * ws->layout.bytes;
}

// Counts what hangs off the page's records into `bytes`.
void window_note_blobs(struct windows *ws, struct window *w, uint32_t page);

// Closes and frees the first window, giving back its keys.
void windows_drop_first(struct windows *ws);
