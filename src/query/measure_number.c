// SPDX-License-Identifier: Apache-2.0
// Doubles: n | sum hi, lo? | squares hi, lo? | min? | max?
#include "query/dd.h"
#include "query/measure.h"
#include <math.h>

// Positions in 8-byte words; each part that is absent takes no room.
static inline __attribute__((always_inline)) unsigned at_squares(unsigned parts)
{
    return 1 + (parts & PART_SUM ? 2 : 0);
}

static inline __attribute__((always_inline)) unsigned at_min(unsigned parts)
{
    return at_squares(parts) + (parts & PART_SQUARES ? 2 : 0);
}

static inline __attribute__((always_inline)) unsigned at_max(unsigned parts)
{
    return at_min(parts) + (parts & PART_MIN ? 1 : 0);
}

uint32_t number_bytes(unsigned parts)
{
    return 8 * (at_max(parts) + (parts & PART_MAX ? 1 : 0));
}

void number_fresh(unsigned parts, uint8_t *at)
{
    double *words = (double *)at;
    if (parts & PART_MIN)
        words[at_min(parts)] = INFINITY;
    if (parts & PART_MAX)
        words[at_max(parts)] = -INFINITY;
}

static inline __attribute__((always_inline)) void add(unsigned parts, double *words, double x)
{
    uint64_t *n = (uint64_t *)words;
    ++*n;
    if (parts & PART_SUM)
        dd_add((struct dd *)(words + 1), x);
    if (parts & PART_SQUARES)
        dd_add_square((struct dd *)(words + at_squares(parts)), x);
    if (parts & PART_MIN)
        words[at_min(parts)] = x < words[at_min(parts)] ? x : words[at_min(parts)];
    if (parts & PART_MAX)
        words[at_max(parts)] = x > words[at_max(parts)] ? x : words[at_max(parts)];
}

static inline __attribute__((always_inline)) void fold(unsigned parts, uint32_t offset, const struct fold *f)
{
    const double *values = f->values->f64;
    const uint8_t *valid = f->values->valid;
    for (uint32_t j = 0; j < f->count; j++) {
        uint32_t i = f->rows[j];
        if ((valid && !valid[i]) || isnan(values[i]))
            continue;
        add(parts, (double *)(f->records[j] + offset), values[i]);
    }
}

// One copy of the loop for each set of parts, so that none is looked at inside it.
#define FOLD(p)                                                                                                                                      \
    case p:                                                                                                                                          \
        fold(p, m->offset, f);                                                                                                                       \
        break;

void number_fold(const struct measure *m, const struct fold *f)
{
    switch (m->parts) {
        FOLD(0) FOLD(1) FOLD(2) FOLD(3) FOLD(4) FOLD(5) FOLD(6) FOLD(7) FOLD(8) FOLD(9) FOLD(10) FOLD(11) FOLD(12) FOLD(13) FOLD(14) FOLD(15)
    }
}

// Of a sample. Sums and squares have over a hundred bits between them; so has the difference here. One that rounding alone can have made (dd.h) is none:
// readings that stay the same deviate by exactly 0.
static double deviation(const double *words, unsigned parts, uint64_t n)
{
    __float128 sum = (__float128)words[1] + words[2];
    __float128 squares = (__float128)words[at_squares(parts)] + words[at_squares(parts) + 1];
    __float128 around_mean = squares - sum * sum / n;
    if (around_mean <= squares * n * 0x1p-104)
        return 0;
    return sqrt((double)(around_mean / (n - 1)));
}

static double result(const struct measure *m, enum weir_agg aggregate, const double *words, uint64_t n)
{
    switch (aggregate) {
    case WEIR_AGG_SUM:
        return dd_value((struct dd){words[1], words[2]});
    case WEIR_AGG_AVG:
        return dd_value((struct dd){words[1], words[2]}) / (double)n;
    case WEIR_AGG_MIN:
        return words[at_min(m->parts)];
    case WEIR_AGG_MAX:
        return words[at_max(m->parts)];
    default:
        return deviation(words, m->parts, n);
    }
}

void number_result(const struct measure *m, enum weir_agg aggregate, uint8_t *const *records, uint32_t count, struct weir_column *ret)
{
    for (uint32_t j = 0; j < count; j++) {
        const double *words = (const double *)(records[j] + m->offset);
        uint64_t n = *(const uint64_t *)words;
        if (aggregate == WEIR_AGG_COUNT) {
            ret->i64[j] = (int64_t)n;
            continue;
        }
        ret->valid[j] = n >= (aggregate == WEIR_AGG_STDDEV ? 2 : 1);
        ret->f64[j] = ret->valid[j] ? result(m, aggregate, words, n) : 0;
    }
}
