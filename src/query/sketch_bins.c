// SPDX-License-Identifier: Apache-2.0
#include "query/sketch_bins.h"

#include <math.h>

// ceil(2^52 (2^(k/35) - 1))
const uint64_t sketch_bin_low[SKETCH_BINS + 1] = {
    0x00000000000000, 0x0051ed35254d7b, 0x00a57de9c16bc8, 0x00faba81d4e5e0, 0x0151ab8c56eea3, 0x01aa59c4115e7e, 0x0204ce10811782, 0x02611186bae675,
    0x02bf2d6a54f7db, 0x031f2b2e54f85d, 0x0381147622f887, 0x03e4f316812c30, 0x044ad116889e7c, 0x04b2b8b0aaf3c8, 0x051cb453b9536d, 0x0588cea3f093be,
    0x05f7127c0ac32a, 0x06678aee5629f8, 0x06da4345d1e0ae, 0x074f47075017a0, 0x07c6a1f29e2ce7, 0x08406003b2ae5d, 0x08bc8d73e16610, 0x093b36bb158fff,
    0x09bc68911258c0, 0x0a402feeb9c533, 0x0ac69a0f5a241d, 0x0b4fb472022b1b, 0x0bdb8cdadbe121, 0x0c6a31548e794e, 0x0cfbb031a741a5, 0x0d90180e09c9e4,
    0x0e2777d0676771, 0x0ec1deabbe3c15, 0x0f5f5c20dfe5f3, 0x10000000000000,
};

// The bin in which each 128th of an octave begins.
const uint8_t sketch_bin_near[128] = {
    0,  0,  0,  1,  1,  1,  2,  2,  3,  3,  3,  4,  4,  4,  5,  5,  5,  6,  6,  6,  7,  7,  8,  8,  8,  9,  9,  9,  9,  10, 10, 10,
    11, 11, 11, 12, 12, 12, 13, 13, 13, 14, 14, 14, 14, 15, 15, 15, 16, 16, 16, 16, 17, 17, 17, 18, 18, 18, 18, 19, 19, 19, 19, 20,
    20, 20, 20, 21, 21, 21, 22, 22, 22, 22, 23, 23, 23, 23, 24, 24, 24, 24, 24, 25, 25, 25, 25, 26, 26, 26, 26, 27, 27, 27, 27, 28,
    28, 28, 28, 28, 29, 29, 29, 29, 30, 30, 30, 30, 30, 31, 31, 31, 31, 31, 32, 32, 32, 32, 32, 33, 33, 33, 33, 34, 34, 34, 34, 34,
};

// The value from which both ends of the bin are equally far, relative to themselves: the harmonic mean.
double sketch_bin_value(uint32_t octave, uint32_t bin)
{
    if (octave == SKETCH_INFINITY)
        return INFINITY;
    double low = 1 + (double)sketch_bin_low[bin] * 0x1p-52, high = 1 + (double)sketch_bin_low[bin + 1] * 0x1p-52;
    return ldexp(2 * low * high / (low + high), (int)octave - 1074);
}
