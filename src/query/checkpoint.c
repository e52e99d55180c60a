// SPDX-License-Identifier: Apache-2.0
// The core's state as pages of bytes, and back.
//
//   'C'                                              version u8 | high_ms i64 | next_offset i64 | count varint | (query u64 | released_ms i64)…
//   'D' | number u64                                 dedupe.c
//   'K' | key set u64 | page u32                     keys_save_page
//   'S' | query u64 | page u32                        sessions_save
//   'W' | query u64 | window start i64 | after i64 | page u32   window end i64 | bitmap of records u64 | layout_save…
// Numbers in keys are big-endian, the window's start with its sign flipped, so that keys sort; numbers in pages are the machine's own (little-endian).
// Pages say which queries made them: state of other queries is refused rather than misread.
#include "base/memory.h"
#include "query/core.h"

enum { VERSION = 1, WINDOW_KEY_BYTES = 29, KEYS_KEY_BYTES = 13 };

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "checkpoints hold little-endian numbers");

static void window_key(const struct windows *ws, const struct window *w, uint32_t page, struct weir_buffer *out)
{
    weir_buffer_byte(out, 'W');
    weir_buffer_be64(out, ws->identity);
    weir_buffer_be64(out, (uint64_t)w->start_ms ^ (uint64_t)1 << 63);
    weir_buffer_be64(out, (uint64_t)w->after_ms ^ (uint64_t)1 << 63);
    weir_buffer_be32(out, page);
}

void checkpoint_forget(struct weir_core *core, const struct windows *ws, const struct window *w)
{
    for (uint32_t page = 0; page < w->page_count; page++)
        if (w->flags[page] & PAGE_SAVED)
            window_key(ws, w, page, &core->dropped);
}

// ---- saving

struct saving {
    struct weir_core *core;
    void (*put)(void *context, struct weir_str key, struct weir_str page);
    void *context;
    struct weir_buffer key, page;
};

static void put(struct saving *s)
{
    s->put(s->context, weir_buffer_view(&s->key), weir_buffer_view(&s->page));
    s->key.bytes = s->page.bytes = 0;
}

static void save_dropped(struct saving *s)
{
    for (size_t at = 0; at < s->core->dropped.bytes; at += WINDOW_KEY_BYTES)
        s->put(s->context, (struct weir_str){(const char *)s->core->dropped.data + at, WINDOW_KEY_BYTES}, (struct weir_str){"", 0});
    s->core->dropped.bytes = 0;
}

static void save_query(const struct windows *ws, struct weir_buffer *out)
{
    weir_buffer_add(out, &ws->identity, 8);
    weir_buffer_add(out, &ws->released_ms, 8);
}

static void save_core(struct saving *s)
{
    const struct weir_core *core = s->core;
    uint64_t grouped = 0;
    weir_buffer_byte(&s->key, 'C');
    weir_buffer_byte(&s->page, VERSION);
    weir_buffer_add(&s->page, &core->high_ms, 8);
    weir_buffer_add(&s->page, &core->emitter.position, 8);
    for (uint32_t q = 0; q < core->plan->query_count; q++)
        grouped += core->plan->queries[q].grouped;
    weir_buffer_varint(&s->page, grouped);
    for (uint32_t q = 0; q < core->plan->query_count; q++)
        if (core->plan->queries[q].grouped)
            save_query(&core->windows[q], &s->page);
    put(s);
}

static void save_keys(struct saving *s, struct keys *k)
{
    for (uint32_t page = 0; page < k->capacity / KEYS_PER_PAGE; page++) {
        if (!(k->page_flags[page] & KEYS_PAGE_DIRTY))
            continue;
        weir_buffer_byte(&s->key, 'K');
        weir_buffer_be64(&s->key, k->identity);
        weir_buffer_be32(&s->key, page);
        keys_save_page(k, page, &s->page);
        k->page_flags[page] = KEYS_PAGE_SAVED;
        put(s);
    }
}

static void save_window_page(struct saving *s, struct windows *ws, struct window *w, uint32_t page)
{
    window_note_blobs(ws, w, page);
    uint64_t present = 0;
    window_key(ws, w, page, &s->key);
    weir_buffer_add(&s->page, &w->end_ms, 8);
    for (uint32_t i = 0; i < KEYS_PER_PAGE; i++) {
        const struct record_head *head = (const struct record_head *)(w->pages[page] + (size_t)i * ws->layout.bytes);
        present |= (uint64_t)(head->events > 0) << i;
    }
    weir_buffer_add(&s->page, &present, 8);
    for (uint32_t i = 0; i < KEYS_PER_PAGE; i++)
        if (present >> i & 1)
            layout_save(&ws->layout, w->pages[page] + (size_t)i * ws->layout.bytes, &s->page);
    w->flags[page] = (uint8_t)((w->flags[page] & ~PAGE_UNSAVED) | PAGE_SAVED);
    put(s);
}

void weir_core_checkpoint(struct weir_core *core, void (*put_page)(void *context, struct weir_str key, struct weir_str page), void *context)
{
    struct saving s = {.core = core, .put = put_page, .context = context};
    save_dropped(&s);
    save_core(&s);
    if (core->dedupe)
        dedupe_save(core->dedupe, core->high_ms, put_page, context);
    for (uint32_t i = 0; i < core->key_set_count; i++)
        save_keys(&s, core->key_sets[i]);
    for (uint32_t q = 0; q < core->plan->query_count; q++) {
        struct windows *ws = &core->windows[q];
        if (ws->query->window.kind == WEIR_WINDOW_SESSION)
            sessions_save(&core->sessions[q], put_page, context);
        for (size_t i = 0; i < ws->count; i++)
            for (uint32_t page = 0; page < ws->open[i]->page_count; page++)
                if (ws->open[i]->flags[page] & PAGE_UNSAVED)
                    save_window_page(&s, ws, ws->open[i], page);
    }
    weir_buffer_drop(&s.key);
    weir_buffer_drop(&s.page);
}

// ---- restoring

static int damaged(struct weir_error *err)
{
    return weir_fail(err, WEIR_IO, WEIR_STOP, "the saved state cannot be read: a page has another shape than this version of weir writes");
}

static uint64_t take_u64(struct weir_cursor *c)
{
    uint64_t value = 0;
    struct weir_str bytes = weir_cursor_take(c, 8);
    if (!c->bad)
        memcpy(&value, bytes.data, 8);
    return value;
}

static bool restore_query(struct windows *ws, struct weir_str queries)
{
    for (uint32_t at = 0; at + 16 <= queries.bytes; at += 16)
        if (memcmp(queries.data + at, &ws->identity, 8) == 0) {
            memcpy(&ws->released_ms, queries.data + at + 8, 8);
            return true;
        }
    return false;
}

static int restore_core(struct weir_core *core, struct weir_str page, struct weir_error *err)
{
    struct weir_cursor c = {(const uint8_t *)page.data, (const uint8_t *)page.data + page.bytes, false};
    uint8_t version = weir_cursor_byte(&c);
    int64_t high_ms = (int64_t)take_u64(&c), next_offset = (int64_t)take_u64(&c);
    uint64_t saved = weir_cursor_varint(&c), grouped = 0;
    struct weir_str queries = weir_cursor_take(&c, saved > 100000 ? UINT64_MAX : saved * 16);
    if (c.bad || version != VERSION)
        return damaged(err);
    for (uint32_t q = 0; q < core->plan->query_count; q++) {
        if (!core->plan->queries[q].grouped)
            continue;
        grouped++;
        if (!restore_query(&core->windows[q], queries))
            return weir_fail(err, WEIR_BAD_CONFIG, WEIR_STOP,
                             "query '%s' is new, or its window, groups, filter or aggregates changed since the data folder was made; its table would "
                             "lack the events "
                             "already read: use another --data folder, or put the query back as it was",
                             core->plan->queries[q].table.name);
    }
    if (grouped != saved)
        return weir_fail(err, WEIR_BAD_CONFIG, WEIR_STOP,
                         "a query that the data folder holds state of is gone from the pipeline file: use another --data folder, or put it back");
    core->high_ms = high_ms;
    core->emitter.position = next_offset;
    return 0;
}

static int restore_window(struct weir_core *core, struct weir_cursor *key, struct weir_str page, struct weir_error *err)
{
    uint64_t identity = weir_cursor_be64(key);
    int64_t start_ms = (int64_t)(weir_cursor_be64(key) ^ (uint64_t)1 << 63);
    int64_t after_ms = (int64_t)(weir_cursor_be64(key) ^ (uint64_t)1 << 63);
    uint32_t number = weir_cursor_be32(key);
    struct windows *ws = core->windows;
    while (ws < core->windows + core->plan->query_count && ws->identity != identity)
        ws++;
    struct weir_cursor c = {(const uint8_t *)page.data, (const uint8_t *)page.data + page.bytes, false};
    int64_t end_ms = (int64_t)take_u64(&c);
    uint64_t present = take_u64(&c);
    if (key->bad || c.bad || ws == core->windows + core->plan->query_count || !ws->keys || number >= ws->keys->capacity / KEYS_PER_PAGE)
        return damaged(err);
    struct window *w = windows_open_at(ws, (struct span){start_ms, end_ms}, after_ms);
    for (uint32_t i = 0; i < KEYS_PER_PAGE; i++) {
        if (!(present >> i & 1))
            continue;
        uint32_t id = number * KEYS_PER_PAGE + i;
        uint8_t *record = window_record(ws, w, id);
        if (layout_restore(&ws->layout, record, &c) < 0 || !ws->keys->keys[id].hash)
            return damaged(err);
        if (ws->query->spans_partitions)
            ((struct record_head *)record)->emitted = 0; // a merger of another life had it
        keys_ref(ws->keys, id);
        ws->groups++;
    }
    w->changed = true; // which of them are out of date, the records tell
    if (number < w->page_count)
        w->flags[number] = PAGE_SAVED | PAGE_CHANGED;
    return 0;
}

static int restore_keys(struct weir_core *core, struct weir_cursor *key, struct weir_str page, struct weir_error *err)
{
    uint64_t identity = weir_cursor_be64(key);
    uint32_t number = weir_cursor_be32(key);
    for (uint32_t i = 0; i < core->key_set_count; i++)
        if (core->key_sets[i]->identity == identity)
            return key->bad || keys_restore_page(core->key_sets[i], number, page) < 0 ? damaged(err) : 0;
    return damaged(err);
}

static int restore_sessions(struct weir_core *core, struct weir_cursor *key, struct weir_str page, struct weir_error *err)
{
    uint64_t identity = weir_cursor_be64(key);
    uint32_t number = weir_cursor_be32(key);
    for (uint32_t q = 0; q < core->plan->query_count; q++)
        if (core->plan->queries[q].window.kind == WEIR_WINDOW_SESSION && core->sessions[q].identity == identity)
            return key->bad || sessions_restore(&core->sessions[q], number, page) < 0 ? damaged(err) : 0;
    return damaged(err);
}

int weir_core_restore(struct weir_core *core, struct weir_str key, struct weir_str page, struct weir_error *err)
{
    struct weir_cursor c = {(const uint8_t *)key.data, (const uint8_t *)key.data + key.bytes, false};
    switch (weir_cursor_byte(&c)) {
    case 'C':
        return restore_core(core, page, err);
    case 'D':
        return !core->dedupe || dedupe_restore(core->dedupe, weir_cursor_be64(&c), page) < 0 || c.bad ? damaged(err) : 0;
    case 'K':
        return restore_keys(core, &c, page, err);
    case 'S':
        return restore_sessions(core, &c, page, err);
    case 'W':
        return restore_window(core, &c, page, err);
    default:
        return damaged(err);
    }
}

void weir_core_restored(struct weir_core *core)
{
    for (uint32_t i = 0; i < core->key_set_count; i++)
        keys_restore_done(core->key_sets[i]);
}
