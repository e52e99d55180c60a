// SPDX-License-Identifier: Apache-2.0
// Groups that span partitions: each partition's core folds its own events; here their records are put side by side and merged, partition after partition,
// into rows. The cores keep the records until every partition is past their window, and save them; the merger itself needs no saving: after a restart the
// cores hand it what they have.
#include "query/merger.h"
#include "base/memory.h"
#include <stdlib.h>

// ---- life

static void open_query(struct weir_merger *m, uint32_t q)
{
    struct merged_query *mq = &m->queries[q];
    const struct weir_query_spec *query = &m->plan->queries[q];
    mq->query = query;
    mq->given_until_ms = mq->released_ms = INT64_MIN;
    mq->identity = weir_query_fingerprint(m->plan, query);
    mq->keys = weir_alloc(sizeof *mq->keys);
    keys_open(mq->keys, m->plan, query->group_by, query->group_count);
    mq->parts = weir_zalloc(m->partition_count, sizeof *mq->parts);
    mq->part_list = weir_zalloc(m->partition_count, sizeof(struct windows *));
    mq->idle = weir_zalloc(m->partition_count, sizeof *mq->idle);
    for (uint32_t p = 0; p < m->partition_count; p++) {
        windows_open(&mq->parts[p], query, m->plan->zone, mq->keys, 0);
        mq->part_list[p] = &mq->parts[p];
    }
}

struct weir_merger *weir_merger_new(const struct weir_plan *plan, int64_t epoch_us)
{
    struct weir_merger *m = weir_zalloc(1, sizeof *m);
    m->plan = plan;
    m->emitter = (struct emitter){.plan = plan, .epoch_us = epoch_us};
    m->partition_count = (uint32_t)plan->topic.partitions;
    m->high_ms = weir_zalloc(m->partition_count, sizeof *m->high_ms);
    m->position = weir_zalloc(m->partition_count, sizeof *m->position);
    m->queries = weir_zalloc(plan->query_count, sizeof *m->queries);
    for (uint32_t p = 0; p < m->partition_count; p++)
        m->high_ms[p] = INT64_MIN;
    for (uint32_t q = 0; q < plan->query_count; q++)
        if (plan->queries[q].spans_partitions)
            open_query(m, q);
    return m;
}

void weir_merger_free(struct weir_merger *m)
{
    if (!m)
        return;
    for (uint32_t q = 0; q < m->plan->query_count; q++) {
        struct merged_query *mq = &m->queries[q];
        if (!mq->query)
            continue;
        for (uint32_t p = 0; p < m->partition_count; p++)
            windows_close(&mq->parts[p]);
        keys_close(mq->keys);
        free(mq->keys);
        free(mq->parts);
        free(mq->part_list);
        free(mq->idle);
    }
    weir_arena_drop(&m->emitter.arena);
    free(m->high_ms);
    free(m->position);
    free(m->queries);
    free(m);
}

// ---- taking what a core has

uint8_t *merger_replace(struct windows *to, struct window *w, struct weir_str key)
{
    uint32_t id = keys_find(to->keys, key);
    uint8_t *mine = window_record(to, w, id);
    w->changed = true;
    if (((struct record_head *)mine)->events == 0) {
        keys_ref(to->keys, id);
        to->groups++;
    }
    layout_drop(&to->layout, mine);
    memcpy(mine, to->layout.fresh, to->layout.bytes);
    return mine;
}

static void take_record(struct windows *to, struct window *w, struct weir_str key, const uint8_t *record)
{
    layout_merge(&to->layout, merger_replace(to, w, key), record);
}

static void take_window(struct windows *to, struct windows *from, struct window *w)
{
    struct window *mine = windows_open_at(to, (struct span){w->start_ms, w->end_ms}, w->after_ms);
    for (uint32_t page = 0; page < w->page_count; page++) {
        if (!(w->flags[page] & PAGE_CHANGED))
            continue;
        for (uint32_t i = 0; i < KEYS_PER_PAGE; i++) {
            uint8_t *record = w->pages[page] + (size_t)i * from->layout.bytes;
            struct record_head *head = (struct record_head *)record;
            if (head->events == head->emitted)
                continue;
            take_record(to, mine, key_view(&from->keys->keys[page * KEYS_PER_PAGE + i]), record);
            head->emitted = head->events; // not saved for it: a restarted core hands over everything
        }
        w->flags[page] = (uint8_t)(w->flags[page] & ~PAGE_CHANGED);
    }
    w->changed = false;
}

bool weir_merger_take(struct weir_merger *m, uint32_t partition, struct weir_core *core)
{
    bool any = m->high_ms[partition] != core->high_ms;
    m->high_ms[partition] = core->high_ms;
    m->position[partition] = core->emitter.position;
    for (uint32_t q = 0; q < m->plan->query_count; q++) {
        struct windows *from = &core->windows[q];
        if (!m->queries[q].query)
            continue;
        for (size_t i = 0; i < from->count; i++) {
            any |= from->open[i]->changed;
            if (from->open[i]->changed)
                take_window(&m->queries[q].parts[partition], from, from->open[i]);
        }
        keys_sweep(m->queries[q].keys);
    }
    return any;
}

void weir_merger_idle(struct weir_merger *m, uint32_t partition, uint32_t query, bool idle)
{
    if (m->queries[query].query)
        m->queries[query].idle[partition] = idle;
}

// ---- giving rows

// The watermark of all partitions, or of those that are not silent; INT64_MAX where all are silent.
static int64_t lowest_watermark(const struct weir_merger *m, const struct merged_query *mq, bool without_idle)
{
    int64_t lowest = INT64_MAX;
    for (uint32_t p = 0; p < m->partition_count; p++) {
        int64_t watermark = watermark_of(mq->query, m->high_ms[p]);
        if (!(without_idle && mq->idle[p]) && watermark < lowest)
            lowest = watermark;
    }
    return lowest;
}

// Of a final sliding query: windows that all partitions have passed are given whole, once; those that only silent partitions hold up as they change.
static int give_sliding(struct weir_merger *m, const struct gathering *g, int64_t until_ms, struct weir_error *err)
{
    struct merged_query *mq = &m->queries[g->query];
    int64_t over_ms = ended_until(mq->query, mq->released_ms), before_ms = mq->given_until_ms > over_ms ? mq->given_until_ms : over_ms;
    int64_t passed_ms = lowest_watermark(m, mq, false);
    if (give_closed_sliding(g, over_ms, before_ms, passed_ms < until_ms ? passed_ms : until_ms, err) < 0)
        return -1;
    if (passed_ms > mq->given_until_ms)
        mq->given_until_ms = passed_ms;
    return gather_give(g, passed_ms > before_ms ? passed_ms : before_ms, until_ms, true, err);
}

static int give_until(struct weir_merger *m, uint32_t q, int64_t until_ms, struct weir_error *err)
{
    struct merged_query *mq = &m->queries[q];
    struct gathering g = {&m->emitter, q, mq->part_list, m->partition_count};
    if (mq->query->window.kind == WEIR_WINDOW_SLIDING && !mq->query->emit_update)
        return give_sliding(m, &g, until_ms, err);
    return gather_give(&g, ended_until(mq->query, mq->released_ms), until_ms, true, err);
}

void weir_merger_resume(struct weir_merger *m, uint32_t query, int64_t released_ms)
{
    m->queries[query].released_ms = released_ms;
}

static int64_t lowest_high(const struct weir_merger *m)
{
    int64_t lowest = INT64_MAX;
    for (uint32_t p = 0; p < m->partition_count; p++)
        lowest = m->high_ms[p] < lowest ? m->high_ms[p] : lowest;
    return lowest;
}

// Whoever keeps the partitions' records learns which are no longer wanted.
static void tell_dropped(struct weir_merger *m, struct merged_query *mq, uint32_t partition)
{
    weir_cleanup(weir_buffer_drop) struct weir_buffer key = {0};
    const struct windows *ws = &mq->parts[partition];
    const struct window *w = ws->open[0];
    mq->untold |= m->dropped.put != NULL;
    for (uint32_t id = 0; m->dropped.put && id < w->page_count * KEYS_PER_PAGE; id++) {
        const uint8_t *page = w->pages[id / KEYS_PER_PAGE];
        if (!page || ((const struct record_head *)(page + (size_t)(id % KEYS_PER_PAGE) * ws->layout.bytes))->events == 0)
            continue;
        key.bytes = 0;
        partial_key(mq->identity, w, partition, key_view(&ws->keys->keys[id]), &key);
        m->dropped.put(m->dropped.context, 0, weir_buffer_view(&key), (struct weir_str){NULL, 0});
    }
}

void merger_drop_over(struct weir_merger *m, struct merged_query *mq)
{
    for (uint32_t p = 0; p < m->partition_count && mq->query->window.kind != WEIR_WINDOW_NONE; p++)
        while (mq->parts[p].count && window_is_over(&mq->parts[p], mq->parts[p].open[0], mq->released_ms)) {
            tell_dropped(m, mq, p);
            windows_drop_first(&mq->parts[p]);
        }
}

int weir_merger_give(struct weir_merger *m, uint32_t query, const struct weir_core_sink *sink, bool everything, int64_t silent_now_ms,
                     struct weir_error *err)
{
    struct merged_query *mq = &m->queries[query];
    if (!mq->query)
        return 0;
    m->emitter.sink = *sink;
    m->emitter.position = 0;
    for (uint32_t p = 0; p < m->partition_count; p++)
        m->emitter.position += m->position[p];
    int64_t until_ms = lowest_watermark(m, mq, true);
    if (until_ms == INT64_MAX)
        until_ms = silent_now_ms;
    if (give_until(m, query, everything ? INT64_MAX : until_ms, err) < 0)
        return -1;
    mq->released_ms = lowest_high(m);
    merger_drop_over(m, mq);
    return 0;
}

int64_t weir_merger_released_ms(const struct weir_merger *m, uint32_t query)
{
    return m->queries[query].released_ms;
}
