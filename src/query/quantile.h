// SPDX-License-Identifier: Apache-2.0
// What a quantile is: quantile q of n values in order lies q (n − 1) ranks above the lowest, and between two ranks on the straight line from one value to
// the other. The median of an even count is thus half the sum of the middle two. (Hyndman and Fan, "Sample Quantiles in Statistical Packages", 1996,
// definition 7: what SQL calls PERCENTILE_CONT.)
#pragma once
#include <math.h>
#include <stdint.h>

struct quantile_place {
    uint64_t rank;   // of the value at or below it, from 0
    double fraction; // of the way to the next rank; 0 at the last
};

// In integers, with q as the decimal it was written as, to twelve places: 0.29 of 101 values is rank 29, though 0.29 * 100 in binary is a little less.
static inline struct quantile_place quantile_place_of(uint64_t n, double q)
{
    const uint64_t one = 1000000000000;
    unsigned __int128 at = (unsigned __int128)(n - 1) * (uint64_t)llround(q * (double)one);
    return (struct quantile_place){(uint64_t)(at / one), (double)(uint64_t)(at % one) / (double)one};
}

// Between -Infinity and Infinity there is no such line: NaN.
static inline double quantile_between(double low, double high, double fraction)
{
    if (fraction == 0 || low == high)
        return low;
    if (!isfinite(high - low))
        return low * (1 - fraction) + high * fraction;
    if (fraction == 0.5 && isfinite(low + high))
        return (low + high) / 2;
    return fraction < 0.5 ? low + (high - low) * fraction : high - (high - low) * (1 - fraction);
}
