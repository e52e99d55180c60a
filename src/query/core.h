// SPDX-License-Identifier: Apache-2.0
// What the core is made of; shared by its files only.
#pragma once
#include "query/query.h"
#include "query/window.h"

struct weir_core {
    const struct weir_plan *plan;
    struct weir_core_sink sink;
    int64_t epoch_us;
    int64_t next_offset;     // after the last record applied
    int64_t high_ms;         // highest event time so far; INT64_MIN: none
    struct windows *windows; // by query; keys is NULL where rows are events
    uint32_t key_set_count;
    struct keys **key_sets;           // one for each list of group fields that some query has
    uint32_t **ids;                   // by key set: of the batch being applied; NULL until asked for
    struct weir_buffer dropped;       // keys of checkpoint pages whose window has closed
    struct weir_arena arena;          // of one apply or emit
    struct weir_query_counts *counts; // by query
    struct weir_core_stats stats;
};

// emit.c: rows out of what is selected or changed
int emit_events(struct weir_core *core, uint32_t query, const struct eval_frame *frame, const struct weir_batch *batch, const uint32_t *rows,
                uint32_t count, struct weir_error *err);
int emit_window(struct weir_core *core, uint32_t query, struct window *w, struct weir_error *err); // the groups that changed

// checkpoint.c
void checkpoint_forget(struct weir_core *core, const struct windows *ws, const struct window *w); // a window is about to close
