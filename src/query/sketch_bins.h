// SPDX-License-Identifier: Apache-2.0
// Where a value's magnitude belongs: its octave (the power of two at or below it) and in that one of 35 bins, each a 35th of the octave on a logarithmic
// scale. Bins are looked up by the bits of the fraction, not computed, so that every machine finds the same one. A bin's value is within 0.991 % of
// everything in it: the ends of a bin are 2^(1/35) = 1.02000 apart, and (1.02000 - 1) / (1.02000 + 1) = 0.00991.
#pragma once
#include <stdint.h>
#include <string.h>

enum {
    SKETCH_BINS = 35,
    SKETCH_OCTAVES = 2099,                // 2^-1074, the least subnormal, to 2^1023; the last holds infinity
    SKETCH_INFINITY = SKETCH_OCTAVES - 1, //
    SKETCH_KEYS = 2 * SKETCH_OCTAVES,     // octaves of both signs: twice the octave, plus one if negative
    SKETCH_FRACTION_BITS = 52,            // of a double
    SKETCH_NEAR_BITS = 7,                 // of a fraction decide its bin but for one comparison
};

extern const uint64_t sketch_bin_low[SKETCH_BINS + 1]; // the lowest fraction of each bin, in units of 2^-52
extern const uint8_t sketch_bin_near[1 << SKETCH_NEAR_BITS];

struct sketch_place {
    uint32_t key, bin;
};

// Of a number that is neither zero nor NaN.
static inline struct sketch_place sketch_place_of(double x)
{
    const uint64_t mask = ((uint64_t)1 << SKETCH_FRACTION_BITS) - 1;
    uint64_t bits;
    memcpy(&bits, &x, sizeof bits);
    uint32_t exponent = (uint32_t)(bits >> SKETCH_FRACTION_BITS & 0x7ff), sign = (uint32_t)(bits >> 63);
    uint32_t octave = exponent + SKETCH_FRACTION_BITS - 1;
    uint64_t fraction = bits & mask;
    if (__builtin_expect(exponent == 0, 0)) { // subnormal: the highest bit set is the one that others do not store
        octave = 63 - (uint32_t)__builtin_clzll(fraction);
        fraction = fraction << (SKETCH_FRACTION_BITS - octave) & mask;
    }
    uint32_t bin = sketch_bin_near[fraction >> (SKETCH_FRACTION_BITS - SKETCH_NEAR_BITS)];
    return (struct sketch_place){2 * octave + sign, bin + (fraction >= sketch_bin_low[bin + 1])};
}

// What the values of a bin are taken for; a magnitude.
double sketch_bin_value(uint32_t octave, uint32_t bin);
