// SPDX-License-Identifier: Apache-2.0
// Counting distinct values, by their 64-bit hashes: exactly up to DISTINCT_EXACT of them, beyond that by a HyperLogLog of 2^14 registers (standard error
// 0.8 %; estimator of O. Ertl, "New cardinality estimation algorithms for HyperLogLog sketches", 2017, algorithm 6). Adding is idempotent and does not
// depend on order, so a replay gives the same bits.
//
//   exact:  an open-addressing table of u64 hashes, 0 = empty; 8 to 1,024 of them
//   sketch: 16,384 registers of one byte
#pragma once
#include "query/blob.h"

enum { DISTINCT_EXACT = 768 };

void distinct_add(struct blob **set, uint64_t hash);
void distinct_merge(struct blob **into, const struct blob *from); // the union
int64_t distinct_count(const struct blob *set);
bool distinct_is_estimate(const struct blob *set);
bool distinct_valid(struct weir_str bytes); // whether bytes from a checkpoint are a set
