// SPDX-License-Identifier: Apache-2.0
// What `weir demo` shows: a screen on a terminal, a line now and then elsewhere.
#pragma once
#include "cli/progress.h"
#include "engine/engine.h"
#include <stdio.h>

enum { DEMO_RATES = 60 };

struct demo_view {
    struct progress_rate rate;
    double rates[DEMO_RATES]; // events a second, oldest first
    size_t rate_count;
    bool color;
    const char *query;    // the table of windows that is shown
    const char *data_dir; // where everything is kept
    const char *url;      // of the page
    int clock_factor;
};

// Takes a sample of the rate.
void demo_view_sample(struct demo_view *v, double now_s, uint64_t events);
// The whole screen, about `columns` by `rows`.
void demo_view_screen(FILE *out, const struct demo_view *v, const struct weir_pipeline_status *status, struct weir_value **recent,
                      uint32_t recent_count, int rows);
// One line.
void demo_view_line(FILE *out, const struct demo_view *v, const struct weir_pipeline_status *status);
