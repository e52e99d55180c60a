// SPDX-License-Identifier: Apache-2.0
// The measures themselves: how each lies in a record, folds values in and gives results. Inside accumulator.h's layout.
#pragma once
#include "query/accumulator.h"
#include "query/blob.h"

struct point { // first, last, least, greatest
    uint64_t n;
    int64_t time_ms;
    union {
        int64_t bits; // an int64, or the bits of a double
        struct blob *text;
    };
};

struct fold { // one argument over the events that go into a query
    const struct weir_column *values;
    const int64_t *time_ms;
    uint8_t *const *records;
    const uint32_t *rows;
    uint32_t count;
};

uint32_t number_bytes(unsigned parts);
void number_fresh(unsigned parts, uint8_t *at);
void number_fold(const struct measure *m, const struct fold *f);
void number_result(const struct measure *m, enum weir_agg aggregate, uint8_t *const *records, uint32_t count, struct weir_column *ret);

uint32_t integer_bytes(unsigned parts);
void integer_fresh(unsigned parts, uint8_t *at);
void integer_fold(const struct measure *m, const struct fold *f);
void integer_result(const struct measure *m, enum weir_agg aggregate, uint8_t *const *records, uint32_t count, struct weir_column *ret);

void point_fold(const struct measure *m, const struct fold *f);
void point_result(const struct measure *m, uint8_t *const *records, uint32_t count, struct weir_column *ret);

void quantile_fold(const struct measure *m, const struct fold *f);
void quantile_merge(const struct measure *m, struct blob **into, const struct blob *from);
void quantile_result(const struct measure *m, double q, uint8_t *const *records, uint32_t count, struct weir_column *ret);
void quantile_save(const struct measure *m, struct blob *blob, struct weir_buffer *out);
int quantile_restore(const struct measure *m, struct blob **ret, struct weir_cursor *from);

static inline bool measure_is_quantile(const struct measure *m)
{
    return m->kind == MEASURE_QUANTILE || m->kind == MEASURE_EXACT;
}

static inline bool measure_has_blob(const struct measure *m)
{
    return m->kind == MEASURE_DISTINCT || measure_is_quantile(m) || (m->kind == MEASURE_POINT && m->value_kind == WEIR_STRS);
}

static inline struct blob **measure_blob(const struct measure *m, uint8_t *record)
{
    uint8_t *at = record + m->offset;
    return m->kind == MEASURE_POINT ? &((struct point *)at)->text : (struct blob **)at;
}
