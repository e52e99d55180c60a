// SPDX-License-Identifier: Apache-2.0
// Partitions' records between processes: the messages of a log of partials (query.h).
//
//   'R' | query u64 | window start i64 | after i64 | partition u32 | group key   window end i64 | position i64 | layout_save
//   'H' | partition u32                                                          high_ms i64 | position i64 | idle queries varint | (query u64)…
//   'G' | query u64                                                              released_ms i64
// Numbers in keys are big-endian, in values the machine's own (little-endian), as in checkpoints. A query is its fingerprint.
#include "base/hash.h"
#include "base/memory.h"
#include "query/merger.h"

// ---- giving

void partial_key(uint64_t identity, const struct window *w, uint32_t partition, struct weir_str group, struct weir_buffer *out)
{
    weir_buffer_byte(out, 'R');
    weir_buffer_be64(out, identity);
    weir_buffer_be64(out, (uint64_t)w->start_ms);
    weir_buffer_be64(out, (uint64_t)w->after_ms);
    weir_buffer_be32(out, partition);
    weir_buffer_add(out, group.data, group.bytes);
}

struct exporting {
    const struct weir_core *core;
    uint32_t partition;
    uint64_t identity;
    const struct weir_partial_sink *sink;
    struct weir_buffer key, value;
};

static void give_record(struct exporting *x, const struct windows *ws, const struct window *w, struct weir_str group, const uint8_t *record)
{
    x->key.bytes = x->value.bytes = 0;
    partial_key(x->identity, w, x->partition, group, &x->key);
    weir_buffer_add(&x->value, &w->end_ms, 8);
    weir_buffer_add(&x->value, &x->core->emitter.position, 8);
    layout_save(&ws->layout, record, &x->value);
    x->sink->put(x->sink->context, weir_hash64(group.data, group.bytes, 0), weir_buffer_view(&x->key), weir_buffer_view(&x->value));
}

static void give_window(struct exporting *x, struct windows *ws, struct window *w)
{
    for (uint32_t page = 0; page < w->page_count; page++) {
        if (!(w->flags[page] & PAGE_CHANGED))
            continue;
        for (uint32_t i = 0; i < KEYS_PER_PAGE; i++) {
            uint8_t *record = w->pages[page] + (size_t)i * ws->layout.bytes;
            struct record_head *head = (struct record_head *)record;
            if (head->events == head->emitted)
                continue;
            give_record(x, ws, w, key_view(&ws->keys->keys[page * KEYS_PER_PAGE + i]), record);
            head->emitted = head->events; // not saved for it: a restarted core gives everything
        }
        w->flags[page] = (uint8_t)(w->flags[page] & ~PAGE_CHANGED);
    }
    w->changed = false;
}

bool weir_core_export(struct weir_core *core, uint32_t partition, const struct weir_partial_sink *sink)
{
    bool any = false;
    struct exporting x = {.core = core, .partition = partition, .sink = sink};
    for (uint32_t q = 0; q < core->plan->query_count; q++) {
        struct windows *ws = &core->windows[q];
        if (!core->plan->queries[q].spans_partitions)
            continue;
        x.identity = weir_query_fingerprint(core->plan, &core->plan->queries[q]);
        for (size_t i = 0; i < ws->count; i++) {
            any |= ws->open[i]->changed;
            if (ws->open[i]->changed)
                give_window(&x, ws, ws->open[i]);
        }
        weir_core_release(core, q, core->high_ms);
    }
    weir_buffer_drop(&x.key);
    weir_buffer_drop(&x.value);
    return any;
}

void weir_core_export_progress(const struct weir_core *core, uint32_t partition, const bool *idle, const struct weir_partial_sink *sink)
{
    weir_cleanup(weir_buffer_drop) struct weir_buffer key = {0}, value = {0};
    uint64_t idle_count = 0;
    weir_buffer_byte(&key, 'H');
    weir_buffer_be32(&key, partition);
    weir_buffer_add(&value, &core->high_ms, 8);
    weir_buffer_add(&value, &core->emitter.position, 8);
    for (uint32_t q = 0; q < core->plan->query_count; q++)
        idle_count += core->plan->queries[q].spans_partitions && idle[q];
    weir_buffer_varint(&value, idle_count);
    for (uint32_t q = 0; q < core->plan->query_count; q++) {
        uint64_t identity = weir_query_fingerprint(core->plan, &core->plan->queries[q]);
        if (core->plan->queries[q].spans_partitions && idle[q])
            weir_buffer_add(&value, &identity, 8);
    }
    sink->put(sink->context, 0, weir_buffer_view(&key), weir_buffer_view(&value));
}

void weir_merger_on_dropped(struct weir_merger *m, const struct weir_partial_sink *sink)
{
    m->dropped = *sink;
}

void weir_merger_export_progress(struct weir_merger *m)
{
    for (uint32_t q = 0; q < m->plan->query_count; q++) {
        struct merged_query *mq = &m->queries[q];
        if (!mq->query || !mq->untold)
            continue;
        weir_cleanup(weir_buffer_drop) struct weir_buffer key = {0}, value = {0};
        weir_buffer_byte(&key, 'G');
        weir_buffer_be64(&key, mq->identity);
        weir_buffer_add(&value, &mq->released_ms, 8);
        m->dropped.put(m->dropped.context, 0, weir_buffer_view(&key), weir_buffer_view(&value));
        mq->untold = false;
    }
}

// ---- taking

static int strange(struct weir_error *err)
{
    return weir_fail(err, WEIR_BAD_CONFIG, WEIR_STOP,
                     "the log of partials holds records of other queries, or of another version of weir: start over with `weir reset FILE`");
}

static int64_t take_i64(struct weir_cursor *c)
{
    int64_t value = 0;
    struct weir_str bytes = weir_cursor_take(c, 8);
    if (!c->bad)
        memcpy(&value, bytes.data, 8);
    return value;
}

static struct merged_query *find_query(struct weir_merger *m, uint64_t identity)
{
    for (uint32_t q = 0; q < m->plan->query_count; q++)
        if (m->queries[q].query && m->queries[q].identity == identity)
            return &m->queries[q];
    return NULL;
}

static void reach(struct weir_merger *m, uint32_t partition, int64_t position)
{
    if (position > m->position[partition])
        m->position[partition] = position;
}

static int take_record(struct weir_merger *m, struct weir_cursor *key, struct weir_str value, struct weir_error *err)
{
    struct merged_query *mq = find_query(m, weir_cursor_be64(key));
    int64_t start_ms = (int64_t)weir_cursor_be64(key), after_ms = (int64_t)weir_cursor_be64(key);
    uint32_t partition = weir_cursor_be32(key);
    struct weir_str group = {(const char *)key->at, (uint32_t)(key->end - key->at)};
    struct weir_cursor c = {(const uint8_t *)value.data, (const uint8_t *)value.data + value.bytes, false};
    int64_t end_ms = take_i64(&c), position = take_i64(&c);
    if (key->bad || c.bad || !mq || partition >= m->partition_count)
        return strange(err);
    struct windows *ws = &mq->parts[partition];
    struct window *w = windows_open_at(ws, (struct span){start_ms, end_ms}, after_ms);
    uint8_t *record = merger_replace(ws, w, group);
    if (layout_restore(&ws->layout, record, &c) < 0)
        return strange(err);
    ((struct record_head *)record)->emitted = 0;
    reach(m, partition, position);
    return 0;
}

static int take_progress(struct weir_merger *m, struct weir_cursor *key, struct weir_str value, struct weir_error *err)
{
    uint32_t partition = weir_cursor_be32(key);
    struct weir_cursor c = {(const uint8_t *)value.data, (const uint8_t *)value.data + value.bytes, false};
    int64_t high_ms = take_i64(&c), position = take_i64(&c);
    uint64_t idle = weir_cursor_varint(&c);
    if (key->bad || c.bad || partition >= m->partition_count)
        return strange(err);
    m->high_ms[partition] = high_ms;
    reach(m, partition, position);
    for (uint32_t q = 0; q < m->plan->query_count; q++)
        if (m->queries[q].query)
            m->queries[q].idle[partition] = false;
    for (; idle > 0 && !c.bad; idle--) {
        struct merged_query *mq = find_query(m, (uint64_t)take_i64(&c));
        if (mq)
            mq->idle[partition] = true;
    }
    return c.bad ? strange(err) : 0;
}

static int take_released(struct weir_merger *m, struct weir_cursor *key, struct weir_str value, struct weir_error *err)
{
    struct merged_query *mq = find_query(m, weir_cursor_be64(key));
    struct weir_cursor c = {(const uint8_t *)value.data, (const uint8_t *)value.data + value.bytes, false};
    int64_t released_ms = take_i64(&c);
    if (key->bad || c.bad || !mq)
        return strange(err);
    if (released_ms > mq->released_ms)
        mq->released_ms = released_ms;
    return 0;
}

// What was released before stays so: a deleted message may still stand before its deletion.
void weir_merger_imported(struct weir_merger *m)
{
    struct weir_partial_sink dropped = m->dropped;
    m->dropped = (struct weir_partial_sink){0};
    for (uint32_t q = 0; q < m->plan->query_count; q++)
        if (m->queries[q].query) {
            merger_drop_over(m, &m->queries[q]);
            keys_sweep(m->queries[q].keys);
        }
    m->dropped = dropped;
}

int weir_merger_import(struct weir_merger *m, struct weir_str key, struct weir_str value, struct weir_error *err)
{
    struct weir_cursor c = {(const uint8_t *)key.data, (const uint8_t *)key.data + key.bytes, false};
    uint8_t kind = weir_cursor_byte(&c);
    if (!value.data) // we deleted it ourselves
        return 0;
    switch (kind) {
    case 'R':
        return take_record(m, &c, value, err);
    case 'H':
        return take_progress(m, &c, value, err);
    case 'G':
        return take_released(m, &c, value, err);
    default:
        return strange(err);
    }
}
