// SPDX-License-Identifier: Apache-2.0
#include "cql/window.h"

enum { START = 8, LATENCY_FLOOR = 8, TARGET_MIN_US = 50 * 1000, TARGET_MAX_US = 150 * 1000, STRETCH_US = 15 * 1000 * 1000 };

void cql_window_init(struct cql_window *w, uint32_t max)
{
    *w = (struct cql_window){.limit = max < START ? max : START, .max = max, .probing = true};
}

uint32_t cql_window_size(const struct cql_window *w)
{
    return w->limit < 1 ? 1 : (uint32_t)w->limit;
}

static void window_note(struct cql_window *w, int64_t now_us, int64_t latency_us)
{
    if (now_us >= w->stretch_end_us) {
        int64_t most = w->lowest_us + w->lowest_us / 8; // a full window hides how fast the node is when it is not
        int64_t next = w->lowest_next_us ? w->lowest_next_us : latency_us;
        w->lowest_us = w->lowest_us && next > most ? most : next;
        w->lowest_next_us = 0;
        w->stretch_end_us = now_us + STRETCH_US;
    }
    if (latency_us < w->lowest_us)
        w->lowest_us = latency_us;
    if (!w->lowest_next_us || latency_us < w->lowest_next_us)
        w->lowest_next_us = latency_us;
    w->smoothed_us = w->smoothed_us ? w->smoothed_us + (latency_us - w->smoothed_us) / 8 : latency_us;
}

static int64_t window_target_us(const struct cql_window *w)
{
    int64_t target = w->lowest_us * 4;
    if (target < TARGET_MIN_US)
        return TARGET_MIN_US;
    if (target > TARGET_MAX_US)
        return w->lowest_us * 2 > TARGET_MAX_US ? w->lowest_us * 2 : TARGET_MAX_US;
    return target;
}

static void window_cut(struct cql_window *w, int64_t now_us, double to)
{
    w->limit *= to;
    if (w->limit < 1)
        w->limit = 1;
    w->probing = false;
    w->cut_until_us = now_us;
}

void cql_window_answered(struct cql_window *w, int64_t now_us, int64_t latency_us, uint32_t in_flight)
{
    window_note(w, now_us, latency_us);
    if (w->smoothed_us > window_target_us(w)) {
        if (now_us - latency_us >= w->cut_until_us && w->limit * 0.9 >= LATENCY_FLOOR)
            window_cut(w, now_us, 0.9);
        return;
    }
    if ((in_flight + 1) * 5 < cql_window_size(w) * 4)
        return; // it was not the window that held anything back
    w->limit += w->probing ? 1 : 1 / w->limit;
    if (w->limit > w->max)
        w->limit = w->max;
}

void cql_window_troubled(struct cql_window *w, int64_t now_us, int64_t latency_us)
{
    if (now_us - latency_us >= w->cut_until_us)
        window_cut(w, now_us, 0.5);
}
