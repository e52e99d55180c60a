// SPDX-License-Identifier: Apache-2.0
// What the core is made of; shared by its files only.
#pragma once
#include "query/dedupe.h"
#include "query/emit.h"
#include "query/gather.h"
#include "query/session.h"

struct weir_core {
    const struct weir_plan *plan;
    struct weir_core_sink sink;
    struct emitter emitter;    // its position: the offset after the last record applied
    int64_t high_ms;           // highest event time so far; INT64_MIN: none
    struct windows *windows;   // by query; keys is NULL where rows are events
    struct sessions *sessions; // by query; of those with session windows, whose `windows` stay empty
    uint32_t key_set_count;
    struct keys **key_sets;           // one for each list of group fields that some query has
    uint32_t **ids;                   // by key set: of the batch being applied; NULL until asked for
    struct dedupe *dedupe;            // NULL: every event counts
    struct weir_buffer dropped;       // keys of checkpoint pages whose window has closed
    struct weir_arena arena;          // of one apply or emit
    struct weir_query_counts *counts; // by query
    struct weir_core_stats stats;
};

// closing.c
int64_t watermark_of(const struct weir_query_spec *q, int64_t high_ms);
int64_t ended_until(const struct weir_query_spec *q, int64_t high_ms); // windows that ended by then receive no more events; INT64_MIN: none
bool is_past_amending(const struct weir_query_spec *q, int64_t end_ms, int64_t high_ms); // an event of a window that ended then would be late
bool window_is_over(const struct windows *ws, const struct window *w, int64_t high_ms);  // no event can fall into it any more
// Windows up to over_ms have ended for good, up to before_ms they had been given.
int give_closed_sliding(const struct gathering *g, int64_t over_ms, int64_t before_ms, int64_t watermark_ms, struct weir_error *err);
int close_windows(struct weir_core *core, uint32_t query, int64_t high_before_ms, struct weir_error *err);

// checkpoint.c
void checkpoint_forget(struct weir_core *core, const struct windows *ws, const struct window *w); // a window is about to close
