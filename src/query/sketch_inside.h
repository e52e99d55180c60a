// SPDX-License-Identifier: Apache-2.0
// A sketch in memory, for sketch*.c only:
//   struct sketch | slots: 2 × octaves bytes | counts: chunks × SKETCH_BINS u64
// slots[key − 2 × first] is 1 + the chunk of that key, 0 where it has none.
#pragma once
#include "query/sketch.h"
#include "query/sketch_bins.h"

#define SKETCH_MARK UINT64_MAX

struct sketch {
    uint64_t mark;           // SKETCH_MARK, which tells it from a list of values (exact.c)
    uint16_t first, octaves; // that have slots; multiples of 4, which keeps counts aligned
    uint16_t chunks;
    uint16_t floor; // the lowest key that has a chunk, once there are SKETCH_CHUNKS_MAX of them; else 0
    uint64_t zeros; // and what is too near to zero
    double min, max;
};

static inline bool sketch_is(const struct blob *blob)
{
    uint64_t mark;
    memcpy(&mark, blob->data, sizeof mark);
    return mark == SKETCH_MARK;
}

static inline struct sketch *sketch_of(const struct blob *blob)
{
    return (struct sketch *)blob->data;
}

static inline uint64_t *sketch_counts(const struct sketch *s)
{
    return (uint64_t *)((uint8_t *)(s + 1) + 2 * (size_t)s->octaves);
}

// The counts of a key's bins; NULL if it has none.
static inline uint64_t *sketch_chunk(const struct sketch *s, uint32_t key)
{
    uint32_t at = key - 2 * (uint32_t)s->first;
    if (__builtin_expect(at >= 2 * (uint32_t)s->octaves, 0))
        return NULL;
    uint32_t slot = ((const uint8_t *)(s + 1))[at];
    return slot ? sketch_counts(s) + (slot - 1) * SKETCH_BINS : NULL;
}

struct blob *sketch_new(void);

// The same, made if need be: *sketch may move. NULL: too near to zero.
uint64_t *sketch_chunk_make(struct blob **sketch, uint32_t key);
