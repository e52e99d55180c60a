// SPDX-License-Identifier: Apache-2.0
// Rows that are put together from several records: of the slices under a sliding window, of the partials of several partitions, or of both.
#pragma once
#include "query/emit.h"

struct gathering {
    struct emitter *emitter;
    uint32_t query;
    struct windows *const *parts; // one a partition, sharing their keys; merged in this order
    uint32_t part_count;
};

// Gives the rows of windows that end after `after_ms` and until `until_ms`: whole, or those groups of them of which some record changed. What it gave is
// then up to date.
int gather_give(const struct gathering *g, int64_t after_ms, int64_t until_ms, bool changed_only, struct weir_error *err);
bool gather_any_changed(const struct gathering *g);
