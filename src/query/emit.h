// SPDX-License-Identifier: Apache-2.0
// Rows for the tables: of events as they are, and of groups.
#pragma once
#include "query/query.h"
#include "query/window.h"

struct emitter {
    const struct weir_plan *plan;
    struct weir_core_sink sink;
    int64_t epoch_us;
    int64_t position;        // offsets applied when rows of groups are given: their revision is epoch + position
    uint64_t rows;           // given
    bool deleting;           // rows of groups that are given now are to be taken out of the table
    struct weir_arena arena; // of one run of rows
};

// One row for each of the rows of the batch that are named.
int emit_events(struct emitter *e, uint32_t query, const struct eval_frame *frame, const struct weir_batch *batch, const uint32_t *rows,
                uint32_t count, struct weir_error *err);
// One row for each of the records, which are then up to date.
int emit_records(struct emitter *e, uint32_t query, const struct windows *ws, const struct span *window, uint8_t *const *records, const uint32_t *ids,
                 uint32_t count, struct weir_error *err);
// A row for each group of the window that changed.
int emit_window(struct emitter *e, uint32_t query, const struct windows *ws, struct window *w, struct weir_error *err);
