// SPDX-License-Identifier: Apache-2.0
// What the merger is made of; shared by merger.c, which merges, and partial.c, which takes partitions' records in from other processes.
#pragma once
#include "query/core.h"

struct merged_query {
    const struct weir_query_spec *query; // NULL: not one that spans partitions
    struct keys *keys;
    struct windows *parts;      // by partition
    struct windows **part_list; // the same, as gathering wants them
    int64_t given_until_ms;     // sliding windows that end until then were given
    int64_t released_ms;        // highest event time that all partitions had reached when rows were last given
    bool *idle;                 // by partition
    uint64_t identity;          // names the query between processes
    bool untold;                // windows have gone, and the log of partials does not know up to where
};

struct weir_merger {
    const struct weir_plan *plan;
    struct emitter emitter;
    uint32_t partition_count;
    int64_t *high_ms, *position; // by partition
    struct merged_query *queries;
    struct weir_partial_sink dropped; // keys of partials whose window has gone; put NULL: nobody asks
};

// Puts a record of a partition in the place of what was known of its key; `restore` fills it.
uint8_t *merger_replace(struct windows *to, struct window *w, struct weir_str key);
void merger_drop_over(struct weir_merger *m, struct merged_query *mq); // windows that are over as of released_ms
void partial_key(uint64_t identity, const struct window *w, uint32_t partition, struct weir_str group, struct weir_buffer *out);
