// SPDX-License-Identifier: Apache-2.0
// Which stretch of time an instant belongs to, by a query's window: for tumbling and calendar windows the window itself, for sliding ones the slice of
// one slide's length that the windows over it share, without a window all time.
#pragma once
#include "spec/plan.h"

struct span {
    int64_t start_ms, end_ms;
};

struct span span_at(const struct weir_window_spec *window, const struct weir_zone *zone, int64_t time_ms);

// When the last window ends that holds something of the span.
int64_t span_last_end(const struct weir_window_spec *window, int64_t span_start_ms, int64_t span_end_ms);
