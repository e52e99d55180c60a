// SPDX-License-Identifier: Apache-2.0
// What happens as the watermark rises: windows that end are given, corrections of ended ones that are kept (`amend`) are given again, and what can
// receive no more events is dropped.
#include "query/core.h"

int64_t watermark_of(const struct weir_query_spec *q, int64_t high_ms)
{
    int64_t watermark;
    return high_ms == INT64_MIN || __builtin_sub_overflow(high_ms, q->lateness_ms, &watermark) ? INT64_MIN : watermark;
}

int64_t ended_until(const struct weir_query_spec *q, int64_t high_ms)
{
    int64_t watermark_ms = watermark_of(q, high_ms), ended_ms;
    return watermark_ms == INT64_MIN || __builtin_sub_overflow(watermark_ms, q->amend_ms, &ended_ms) ? INT64_MIN : ended_ms;
}

bool is_past_amending(const struct weir_query_spec *q, int64_t end_ms, int64_t high_ms)
{
    int64_t ended_ms = ended_until(q, high_ms);
    return ended_ms != INT64_MIN && ended_ms >= end_ms;
}

static int give_ended(struct weir_core *core, uint32_t q, int64_t watermark_ms, struct weir_error *err)
{
    struct windows *ws = &core->windows[q];
    for (size_t i = 0; i < ws->count && ws->open[i]->end_ms <= watermark_ms; i++)
        if (emit_window(&core->emitter, q, ws, ws->open[i], err) < 0)
            return -1;
    return 0;
}

// A sliding window that ends is given whole, since its slices may have been given with windows before it. An update query has given them all but for
// what changed since. Windows that had ended for good are never given again: their first slices are gone.
int give_closed_sliding(const struct gathering *g, int64_t over_ms, int64_t before_ms, int64_t watermark_ms, struct weir_error *err)
{
    const struct weir_query_spec *query = g->parts[0]->query;
    if (query->emit_update)
        return gather_give(g, over_ms, INT64_MAX, true, err);
    if (query->amend_ms > 0 && gather_give(g, over_ms, before_ms, true, err) < 0)
        return -1;
    return gather_give(g, before_ms, watermark_ms, false, err);
}

bool window_is_over(const struct windows *ws, const struct window *w, int64_t high_ms)
{
    return is_past_amending(ws->query, span_last_end(&ws->query->window, w->start_ms, w->end_ms), high_ms);
}

static void drop_over(struct weir_core *core, struct windows *ws, int64_t high_ms)
{
    while (ws->count && window_is_over(ws, ws->open[0], high_ms)) {
        checkpoint_forget(core, ws, ws->open[0]);
        windows_drop_first(ws);
    }
}

void weir_core_release(struct weir_core *core, uint32_t query, int64_t high_ms)
{
    struct windows *ws = &core->windows[query];
    if (!ws->query->spans_partitions || ws->query->window.kind == WEIR_WINDOW_NONE || high_ms <= ws->released_ms)
        return;
    ws->released_ms = high_ms;
    drop_over(core, ws, high_ms);
}

int64_t weir_core_released_ms(const struct weir_core *core, uint32_t query)
{
    return core->windows[query].released_ms;
}

int close_windows(struct weir_core *core, uint32_t q, int64_t high_before_ms, struct weir_error *err)
{
    struct windows *ws = &core->windows[q];
    int64_t before_ms = watermark_of(ws->query, high_before_ms), watermark_ms = watermark_of(ws->query, core->high_ms);
    if (ws->query->window.kind == WEIR_WINDOW_SESSION)
        return sessions_advance(&core->sessions[q], &core->emitter, q, core->high_ms, err);
    if (ws->query->spans_partitions || ws->query->window.kind == WEIR_WINDOW_NONE || ws->count == 0 || watermark_ms < ws->open[0]->end_ms)
        return 0;
    struct gathering g = {&core->emitter, q, &ws, 1};
    bool sliding = ws->query->window.kind == WEIR_WINDOW_SLIDING;
    int result = sliding ? give_closed_sliding(&g, ended_until(ws->query, high_before_ms), before_ms, watermark_ms, err)
                         : give_ended(core, q, watermark_ms, err);
    if (result < 0)
        return -1;
    drop_over(core, ws, core->high_ms);
    return 0;
}
