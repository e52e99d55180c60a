// SPDX-License-Identifier: Apache-2.0
// One line of how far a run is. Pure: numbers in, text out.
#pragma once
#include "engine/engine.h"
#include <stddef.h>
#include <stdint.h>

struct progress_rate { // events a second, smoothed over about two seconds
    double at_s, per_s;
    uint64_t count;
    bool started;
};

void progress_rate_update(struct progress_rate *r, double now_s, uint64_t count);

struct progress { // of all pipelines of a run
    double seconds;
    uint64_t records, lag, dead, rows;
    double records_per_s;
    bool has_watermark;
    int64_t watermark_ms;
    uint64_t feed_done, feed_total; // bytes; total 0: endless
    bool feed_ended;
};

// Adds a pipeline's numbers.
void progress_add(struct progress *p, const struct weir_pipeline_status *status);
// A bar while a file is read, else rate, watermark, lag and dead letters; at most `columns` wide.
void progress_line(const struct progress *p, int columns, char *out, size_t bytes);

// The lowest watermark of the partitions that have had events, by the first windowed query's lateness. False: no event yet.
bool progress_watermark(const struct weir_pipeline_status *status, int64_t *ret_ms);
