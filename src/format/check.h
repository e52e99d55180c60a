// SPDX-License-Identifier: Apache-2.0
// What every format's events must hold, looked at column by column once a batch is decoded: event time in its unit, uuids, time not far ahead.
#pragma once
#include "format/format.h"

struct check {
    const struct weir_event_spec *event;
    const struct weir_record *records;
    const uint32_t *record_of; // by row: index into records
    struct weir_batch *batch;
    struct weir_rejects *rejects;
    uint8_t *failed; // by row; NULL while no row has
    uint32_t failed_count;
};

// Fills batch->time_ms and rejects the rows that fail; they are still in the batch, marked in `failed`.
void check_rows(struct check *c);
// Takes the marked rows out of the batch.
void check_compact(struct check *c);
