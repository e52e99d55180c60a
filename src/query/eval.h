// SPDX-License-Identifier: Apache-2.0
// Evaluates checked expressions over whole columns. A leaf gives the column it stands for without a copy; everything else lives in the arena.
#pragma once
#include "base/zone.h"
#include "spec/expr.h"

struct eval_frame {
    uint32_t rows;
    const struct weir_column *fields;     // per event: WEIR_OP_FIELD
    struct weir_column event_time;        // per event
    const struct weir_column *groups;     // per row: WEIR_OP_GROUP
    const struct weir_column *aggregates; // per row
    struct weir_column window_start, window_end;
    const struct weir_zone *zone; // of year(), month(), day(), hour(); NULL: UTC
    struct weir_arena *arena;
};

struct weir_column eval_expr(const struct weir_expr *expr, const struct eval_frame *frame);

// The same column as doubles; itself if it has them already.
struct weir_column eval_to_f64(struct weir_column column, const struct eval_frame *frame);

// The rows on which a boolean expression is true, among `count` rows of `rows`; both may be the same array. Returns how many.
uint32_t eval_select(const struct weir_expr *where, const struct eval_frame *frame, const uint32_t *rows, uint32_t count, uint32_t *ret_rows);
