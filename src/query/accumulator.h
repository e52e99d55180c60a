// SPDX-License-Identifier: Apache-2.0
// What a group is folded into: one record of fixed size per (window, group), laid out once per query. Aggregates over the same argument share a measure.
//
//   record: events u64 | emitted u64 (events when its row was last given) | measures
//   NUMBER   n | sum hi, lo? | squares hi, lo? | min? | max?      doubles; the parts that some aggregate needs, in this order
//   INTEGER  n | sum (128 bits)? | min? | max?                    int64
//   COUNT    n
//   POINT    n | time | value                                     first or last, by event time; also min or max of text, without time
//   DISTINCT blob
//   QUANTILE blob                                                 a sketch, or (EXACT) all values
// A value of text, a set and a sketch are blobs: memory of their own that the record points to.
#pragma once
#include "base/buffer.h"
#include "query/eval.h"
#include "spec/plan.h"

enum measure_kind { MEASURE_NUMBER, MEASURE_INTEGER, MEASURE_COUNT, MEASURE_POINT, MEASURE_DISTINCT, MEASURE_QUANTILE, MEASURE_EXACT };
enum measure_parts { PART_SUM = 1, PART_SQUARES = 2, PART_MIN = 4, PART_MAX = 8, PARTS = 16 };
enum point_kind { POINT_FIRST, POINT_LAST, POINT_LEAST, POINT_GREATEST };

struct measure {
    enum measure_kind kind;
    unsigned parts;            // NUMBER, INTEGER
    enum point_kind point;     // POINT
    enum weir_kind value_kind; // POINT, DISTINCT
    const struct weir_expr *arg;
    uint32_t offset; // in the record
};

struct record_head {
    uint64_t events, emitted;
};

struct layout {
    const struct weir_query_spec *query;
    uint32_t measure_count;
    struct measure *measures;
    uint32_t *measure_of; // by aggregate; UINT32_MAX for count()
    uint32_t bytes;       // of a record; a multiple of 8
    uint8_t *fresh;       // a record of no events
    bool has_blobs;
};

void layout_open(struct layout *l, const struct weir_query_spec *query);
void layout_close(struct layout *l);

// Folds rows[j] of the frame into records[j], for `count` of them.
void layout_fold(const struct layout *l, const struct eval_frame *frame, uint8_t *const *records, const uint32_t *rows, uint32_t count);

// The results of an aggregate over `count` records.
void layout_result(const struct layout *l, uint32_t aggregate, uint8_t *const *records, uint32_t count, struct weir_arena *arena,
                   struct weir_column *ret);

// Folds into one record all that another of the same layout was folded from, as if its events had come after. `from` stays as it is; so does when `into` was
// last given. What depends on no order (all but first, last and the last bits of sums) does not depend on the order of merges either. Returns 0.
int layout_merge(const struct layout *l, uint8_t *into, const uint8_t *from);

// Checkpoints: one record as bytes and back (-1: these bytes are none). The record restored into must be fresh.
void layout_save(const struct layout *l, const uint8_t *record, struct weir_buffer *out);
int layout_restore(const struct layout *l, uint8_t *record, struct weir_cursor *from);
void layout_drop(const struct layout *l, uint8_t *record); // frees its blobs
uint64_t layout_blob_bytes(const struct layout *l, const uint8_t *record);
