// SPDX-License-Identifier: Apache-2.0
// Quantiles from the values themselves: `quantiles: exact`. Like the sketch a function of the values alone, to the bit. It keeps up to EXACT_MAX values
// (8 bytes each, 32 MiB in all, for one group of one window); one more, and it is the sketch of them all from then on. Each checkpoint of a group that
// changed writes all its values: for windows of moderate size.
#pragma once
#include "query/sketch.h"

enum { EXACT_MAX = 1 << 22 };

void exact_add(struct blob **set, double x); // not NaN; -0 is 0
void exact_merge(struct blob **into, const struct blob *from);
uint64_t exact_count(const struct blob *set);
double exact_quantile(struct blob *set, double q); // of one that is not empty; puts the values in order
bool exact_is_estimate(const struct blob *set);

// As sketch_save and sketch_restore. Saving puts the values in order.
void exact_save(struct blob *set, struct weir_buffer *out);
int exact_restore(struct blob **ret, struct weir_cursor *from);
