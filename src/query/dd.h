// SPDX-License-Identifier: Apache-2.0
// Sums in two doubles: `hi` is the rounded sum, `lo` collects what rounding lost (TwoSum, Knuth, TAOCP vol. 2, 4.2.2; summed as Neumaier does), so that
// hi + lo is right to the last bits of a double over millions of values. An infinite hi stands for itself.
#pragma once
#include <math.h>

struct dd {
    double hi, lo;
};

static inline void dd_add(struct dd *sum, double x)
{
    double s = sum->hi + x;
    double rounded = s - sum->hi;
    sum->lo += (sum->hi - (s - rounded)) + (x - rounded);
    sum->hi = s;
}

// Squares are summed to be subtracted from later: what lo has collected is carried over to hi each time, so that lo is never large enough to round
// away more than 2^-104 of the sum.
static inline void dd_add_square(struct dd *sum, double x)
{
    double square = x * x;
    dd_add(sum, square);
    double hi = sum->hi, lo = sum->lo + fma(x, x, -square);
    sum->hi = hi + lo;
    sum->lo = lo - (sum->hi - hi);
}

static inline double dd_value(struct dd sum)
{
    return isfinite(sum.hi) ? sum.hi + sum.lo : sum.hi;
}
