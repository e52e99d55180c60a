// SPDX-License-Identifier: Apache-2.0
// Quantiles from counts in logarithmic bins (C. Masson, J. Rim, H. Lee, "DDSketch", VLDB 2019). It is a function of the values alone: in whatever order
// they are added, and however they are split over sketches that are merged, the results and the saved bytes are the same to the bit.
//
// Each value found is within 1 % of the true value of its rank; the lowest and the highest rank are exact, and zero is. Bins exist in chunks of one octave
// and one sign, of which the SKETCH_CHUNKS_MAX furthest from zero are kept; what lies nearer to zero than all of those counts as zero, so its error is
// below 2^-61 of the largest finite value, less than a double's own. (Dropping depends on nothing but the set of octaves seen, hence not on order; and an
// outlier, however far, costs one chunk and no accuracy.)
//
// Memory: 48 bytes, 280 for each octave of each sign that has values, and two for each octave between the lowest and the highest: 1.2 kB for
// values from 10 to 100, never above 40.2 kB.
#pragma once
#include "base/buffer.h"
#include "query/blob.h"

enum { SKETCH_CHUNKS_MAX = 128 };

void sketch_add(struct blob **sketch, double x); // not NaN; -0 is 0
void sketch_merge(struct blob **into, const struct blob *from);
uint64_t sketch_count(const struct blob *sketch);
double sketch_quantile(const struct blob *sketch, double q); // of one that is not empty; 0 ≤ q ≤ 1

// The bytes say where they end. Restoring gives -1 where they are no sketch, and leaves *ret alone.
void sketch_save(const struct blob *sketch, struct weir_buffer *out);
int sketch_restore(struct blob **ret, struct weir_cursor *from);
