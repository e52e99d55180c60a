// SPDX-License-Identifier: Apache-2.0
#include "query/core.h"

#include "base/hash.h"
#include "base/memory.h"
#include "base/time.h"
#include <stdlib.h>

// ---- life

static struct keys *key_set(struct weir_core *core, const struct weir_query_spec *q)
{
    for (uint32_t i = 0; i < core->key_set_count; i++) {
        struct keys *k = core->key_sets[i];
        if (k->field_count == q->group_count && memcmp(k->fields, q->group_by, q->group_count * sizeof *q->group_by) == 0)
            return k;
    }
    struct keys *k = weir_alloc(sizeof *k);
    keys_open(k, core->plan, q->group_by, q->group_count);
    core->key_sets[core->key_set_count++] = k;
    return k;
}

struct weir_core *weir_core_new(const struct weir_plan *plan, int64_t epoch_us, const struct weir_core_sink *sink)
{
    struct weir_core *core = weir_zalloc(1, sizeof *core);
    core->plan = plan;
    core->sink = *sink;
    core->emitter = (struct emitter){.plan = plan, .sink = *sink, .epoch_us = epoch_us};
    core->high_ms = INT64_MIN;
    core->windows = weir_zalloc(plan->query_count, sizeof *core->windows);
    core->sessions = weir_zalloc(plan->query_count, sizeof *core->sessions);
    if (plan->event.dedupe_count) {
        core->dedupe = weir_alloc(sizeof *core->dedupe);
        dedupe_open(core->dedupe, &plan->event);
    }
    core->key_sets = weir_zalloc(plan->query_count, sizeof *core->key_sets);
    core->ids = weir_zalloc(plan->query_count, sizeof *core->ids);
    core->counts = weir_zalloc(plan->query_count, sizeof *core->counts);
    for (uint32_t q = 0; q < plan->query_count; q++) {
        const struct weir_query_spec *query = &plan->queries[q];
        uint64_t identity = weir_hash64(query->table.name, strlen(query->table.name), weir_query_fingerprint(plan, query));
        if (query->grouped)
            windows_open(&core->windows[q], query, plan->zone, key_set(core, query), identity);
        if (query->window.kind == WEIR_WINDOW_SESSION)
            sessions_open(&core->sessions[q], query, core->windows[q].keys, identity);
        core->windows[q].query = query;
    }
    return core;
}

void weir_core_set_epoch(struct weir_core *core, int64_t epoch_us)
{
    core->emitter.epoch_us = epoch_us;
}

void weir_core_free(struct weir_core *core)
{
    if (!core)
        return;
    for (uint32_t q = 0; q < core->plan->query_count; q++) {
        if (core->plan->queries[q].grouped)
            windows_close(&core->windows[q]);
        if (core->plan->queries[q].window.kind == WEIR_WINDOW_SESSION)
            sessions_close(&core->sessions[q]);
    }
    for (uint32_t i = 0; i < core->key_set_count; i++) {
        keys_close(core->key_sets[i]);
        free(core->key_sets[i]);
    }
    if (core->dedupe)
        dedupe_close(core->dedupe);
    free(core->dedupe);
    free(core->windows);
    free(core->sessions);
    free(core->key_sets);
    free(core->ids);
    free(core->counts);
    weir_buffer_drop(&core->dropped);
    weir_arena_drop(&core->arena);
    weir_arena_drop(&core->emitter.arena);
    free(core);
}

// ---- what is late

struct pass { // one batch on its way through the queries
    const struct weir_batch *batch;
    struct eval_frame frame;
    uint32_t *all, all_count;     // the rows that count: without those that were seen before
    uint32_t *rows;               // those that go into the query at hand
    int64_t *high_before;         // by row: highest event time of the partition's earlier events; NULL until asked for
    int64_t earliest_ms, high_ms; // of the batch; of all events with the batch
    uint8_t **records;
};

static const int64_t *high_before(struct weir_core *core, struct pass *p)
{
    if (p->high_before)
        return p->high_before;
    p->high_before = weir_arena_alloc(&core->arena, p->batch->rows * sizeof *p->high_before);
    int64_t high = core->high_ms;
    for (uint32_t i = 0; i < p->batch->rows; i++) {
        p->high_before[i] = high;
        high = p->batch->time_ms[i] > high ? p->batch->time_ms[i] : high;
    }
    return p->high_before;
}

static void take_all(struct pass *p)
{
    p->all_count = p->batch->rows;
    for (uint32_t i = 0; i < p->batch->rows; i++)
        p->all[i] = i;
}

static void pass_begin(struct weir_core *core, struct pass *p, const struct weir_batch *batch)
{
    *p = (struct pass){.batch = batch, .earliest_ms = INT64_MAX, .high_ms = core->high_ms};
    p->frame = (struct eval_frame){.rows = batch->rows, .fields = batch->columns, .zone = core->plan->zone, .arena = &core->arena};
    p->frame.event_time = (struct weir_column){.kind = WEIR_I64, .i64 = batch->time_ms};
    p->all = weir_arena_alloc(&core->arena, batch->rows * sizeof *p->all);
    p->rows = weir_arena_alloc(&core->arena, batch->rows * sizeof *p->rows);
    p->records = weir_arena_alloc(&core->arena, batch->rows * sizeof *p->records);
    for (uint32_t i = 0; i < batch->rows; i++) {
        int64_t t = batch->time_ms[i];
        p->earliest_ms = t < p->earliest_ms ? t : p->earliest_ms;
        p->high_ms = t > p->high_ms ? t : p->high_ms;
    }
    if (core->dedupe)
        p->all_count = dedupe_select(core->dedupe, batch, high_before(core, p), p->all);
    else
        take_all(p);
    core->stats.duplicates += batch->rows - p->all_count;
    memset(core->ids, 0, core->key_set_count * sizeof *core->ids);
}

// Takes the late events out of `rows`; gives them to the sink. Returns how many rows are left, or -1.
static int64_t drop_late(struct weir_core *core, struct pass *p, uint32_t q, uint32_t *rows, uint32_t count, struct weir_error *err)
{
    const struct windows *ws = &core->windows[q];
    if (!is_past_amending(ws->query, windows_last_end(ws, p->earliest_ms), p->high_ms))
        return count;
    const int64_t *high = high_before(core, p);
    uint32_t kept = 0;
    for (uint32_t j = 0; j < count; j++) {
        uint32_t i = rows[j];
        if (!is_past_amending(ws->query, windows_last_end(ws, p->batch->time_ms[i]), high[i])) {
            rows[kept++] = i;
            continue;
        }
        if (core->sink.late(core->sink.context, q, p->batch, i, err) < 0)
            return -1;
    }
    core->counts[q].late += count - kept;
    return kept;
}

// ---- folding

static const uint32_t *batch_ids(struct weir_core *core, const struct pass *p, struct keys *keys)
{
    uint32_t set = 0;
    while (core->key_sets[set] != keys)
        set++;
    if (!core->ids[set]) {
        core->ids[set] = weir_arena_alloc(&core->arena, p->batch->rows * sizeof **core->ids);
        keys_intern(keys, p->batch, core->ids[set]);
    }
    return core->ids[set];
}

// Whether some event of the batch may lie in a slice of which windows have ended: such events must not count for those.
static bool any_after(struct pass *p, const struct windows *ws)
{
    return ws->query->window.kind == WEIR_WINDOW_SLIDING && is_past_amending(ws->query, windows_span(ws, p->earliest_ms).end_ms, p->high_ms);
}

// The end of the last window over the slice that had ended when the event came; INT64_MIN where none had.
static int64_t ended_before(const struct windows *ws, int64_t time_ms, int64_t high_ms)
{
    int64_t slice_end_ms = windows_span(ws, time_ms).end_ms, ended_ms = ended_until(ws->query, high_ms);
    return ended_ms >= slice_end_ms ? weir_floor_div(ended_ms, ws->query->window.slide_ms) * ws->query->window.slide_ms : INT64_MIN;
}

static void fold(struct weir_core *core, struct pass *p, struct windows *ws, const uint32_t *rows, uint32_t count)
{
    const uint32_t *ids = batch_ids(core, p, ws->keys);
    const int64_t *high = any_after(p, ws) ? high_before(core, p) : NULL;
    struct window *w = NULL;
    for (uint32_t j = 0; j < count; j++) {
        int64_t time_ms = p->batch->time_ms[rows[j]];
        int64_t after_ms = high ? ended_before(ws, time_ms, high[rows[j]]) : INT64_MIN;
        if (!w || time_ms < w->start_ms || time_ms >= w->end_ms || w->after_ms != after_ms)
            w = windows_at(ws, time_ms, after_ms);
        w->changed = true;
        p->records[j] = window_record(ws, w, ids[rows[j]]);
        __builtin_prefetch(p->records[j], 1);
    }
    for (uint32_t j = 0; j < count; j++) {
        struct record_head *head = (struct record_head *)p->records[j];
        if (head->events++ == 0) {
            keys_ref(ws->keys, ids[rows[j]]);
            ws->groups++;
        }
    }
    layout_fold(&ws->layout, &p->frame, p->records, rows, count);
}

// An event may join sessions, so that which record it goes into is known only once all events of the batch have been looked at.
static int fold_sessions(struct weir_core *core, struct pass *p, uint32_t q, uint32_t *rows, uint32_t count, struct weir_error *err)
{
    struct sessions *s = &core->sessions[q];
    const uint32_t *ids = batch_ids(core, p, s->keys);
    const int64_t *high = high_before(core, p);
    struct session **taken = weir_arena_alloc(&core->arena, count * sizeof(struct session *) + 1);
    uint32_t kept = 0;
    for (uint32_t j = 0; j < count; j++) {
        uint32_t i = rows[j];
        if (sessions_take(s, &core->emitter, q, ids[i], p->batch->time_ms[i], high[i], &taken[kept], err) < 0)
            return -1;
        if (!taken[kept] && core->sink.late(core->sink.context, q, p->batch, i, err) < 0)
            return -1;
        rows[kept] = i;
        kept += taken[kept] != NULL;
    }
    for (uint32_t j = 0; j < kept; j++) {
        p->records[j] = session_final(taken[j])->record;
        ((struct record_head *)p->records[j])->events++;
    }
    layout_fold(&s->layout, &p->frame, p->records, rows, kept);
    core->counts[q].late += count - kept;
    core->counts[q].folded += kept;
    return 0;
}

static int apply_query(struct weir_core *core, struct pass *p, uint32_t q, struct weir_error *err)
{
    struct windows *ws = &core->windows[q];
    const struct weir_query_spec *query = ws->query;
    uint32_t *rows = p->rows;
    int64_t count = p->all_count;
    if (query->where)
        count = eval_select(query->where, &p->frame, p->all, p->all_count, rows);
    else
        memcpy(rows, p->all, p->all_count * sizeof *rows);
    core->counts[q].filtered += p->all_count - (uint64_t)count;
    if (!query->grouped) {
        core->counts[q].folded += (uint64_t)count;
        return emit_events(&core->emitter, q, &p->frame, p->batch, rows, (uint32_t)count, err);
    }
    if (query->window.kind == WEIR_WINDOW_SESSION)
        return fold_sessions(core, p, q, rows, (uint32_t)count, err);
    if (query->window.kind != WEIR_WINDOW_NONE)
        count = drop_late(core, p, q, rows, (uint32_t)count, err);
    if (count < 0)
        return -1;
    fold(core, p, ws, rows, (uint32_t)count);
    core->counts[q].folded += (uint64_t)count;
    return 0;
}

int weir_core_apply(struct weir_core *core, const struct weir_batch *batch, int64_t next_offset, struct weir_error *err)
{
    core->emitter.position = next_offset;
    if (batch->rows == 0)
        return 0;
    weir_arena_reset(&core->arena);
    struct pass pass;
    pass_begin(core, &pass, batch);
    for (uint32_t q = 0; q < core->plan->query_count; q++)
        if (apply_query(core, &pass, q, err) < 0)
            return -1;
    int64_t high_before_ms = core->high_ms;
    core->high_ms = pass.high_ms;
    core->stats.events += batch->rows;
    for (uint32_t q = 0; q < core->plan->query_count; q++)
        if (close_windows(core, q, high_before_ms, err) < 0)
            return -1;
    for (uint32_t i = 0; i < core->key_set_count; i++)
        keys_sweep(core->key_sets[i]);
    return 0;
}

// ---- giving rows between batches

int weir_core_emit_ended(struct weir_core *core, uint32_t q, int64_t ended_ms, struct weir_error *err)
{
    struct windows *ws = &core->windows[q];
    if (ws->query->spans_partitions)
        return 0; // weir_merger gives its rows
    if (ws->query->window.kind == WEIR_WINDOW_SESSION)
        return sessions_give(&core->sessions[q], &core->emitter, q, ended_ms, err);
    if (ws->query->window.kind == WEIR_WINDOW_SLIDING)
        return gather_give(&(struct gathering){&core->emitter, q, &ws, 1}, ended_until(ws->query, core->high_ms), ended_ms, true, err);
    for (size_t i = 0; i < ws->count && ws->open[i]->end_ms <= ended_ms; i++)
        if (emit_window(&core->emitter, q, ws, ws->open[i], err) < 0)
            return -1;
    return 0;
}

int weir_core_emit_changed(struct weir_core *core, uint32_t q, struct weir_error *err)
{
    return weir_core_emit_ended(core, q, INT64_MAX, err);
}

const struct weir_query_counts *weir_core_counts(const struct weir_core *core)
{
    return core->counts;
}

struct weir_core_stats weir_core_stats(const struct weir_core *core)
{
    struct weir_core_stats stats = core->stats;
    stats.high_ms = core->high_ms;
    stats.rows = core->emitter.rows;
    for (uint32_t q = 0; q < core->plan->query_count; q++) {
        stats.open_windows += core->windows[q].count + core->sessions[q].count;
        stats.open_groups += core->windows[q].groups + core->sessions[q].count;
        stats.memory_bytes += core->windows[q].bytes;
    }
    for (uint32_t i = 0; i < core->key_set_count; i++) {
        stats.keys += core->key_sets[i]->live;
        stats.memory_bytes += core->key_sets[i]->capacity * sizeof(struct key) + (core->key_sets[i]->slot_mask + 1) * sizeof(struct key_slot);
    }
    return stats;
}
