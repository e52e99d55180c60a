// SPDX-License-Identifier: Apache-2.0
#include "query/sketch.h"

#include "base/error.h"
#include "base/memory.h"
#include "query/quantile.h"
#include "query/sketch_inside.h"
#include <stdlib.h>

enum { OCTAVES_ALIGNED = 4 };

static struct blob *sized(uint32_t octaves, uint32_t chunks)
{
    size_t bytes = sizeof(struct sketch) + 2 * octaves + chunks * SKETCH_BINS * sizeof(uint64_t);
    struct blob *blob = weir_zalloc(1, sizeof *blob + bytes);
    blob->bytes = blob->capacity = (uint32_t)bytes;
    return blob;
}

struct blob *sketch_new(void)
{
    struct blob *blob = sized(0, 0);
    *sketch_of(blob) = (struct sketch){.mark = SKETCH_MARK, .min = INFINITY, .max = -INFINITY};
    return blob;
}

// Moves the sketch to where it has slots for octaves from `first` and room for so many chunks; no less of either than it had.
static void reshape(struct blob **sketch, uint32_t first, uint32_t octaves, uint32_t chunks)
{
    const struct sketch *old = sketch_of(*sketch);
    struct blob *blob = sized(octaves, chunks);
    struct sketch *s = sketch_of(blob);
    *s = *old;
    s->first = (uint16_t)first;
    s->octaves = (uint16_t)octaves;
    if (old->octaves)
        memcpy((uint8_t *)(s + 1) + 2 * (old->first - first), old + 1, 2 * (size_t)old->octaves);
    memcpy(sketch_counts(s), sketch_counts(old), old->chunks * SKETCH_BINS * sizeof(uint64_t));
    free(*sketch);
    *sketch = blob;
}

static void cover(struct blob **sketch, uint32_t octave)
{
    const struct sketch *s = sketch_of(*sketch);
    uint32_t first = octave & ~(uint32_t)(OCTAVES_ALIGNED - 1), end = first + OCTAVES_ALIGNED;
    if (s->octaves) {
        first = first < s->first ? first : s->first;
        end = end > (uint32_t)s->first + s->octaves ? end : (uint32_t)s->first + s->octaves;
    }
    if (end - first != s->octaves)
        reshape(sketch, first, end - first, s->chunks);
}

static uint32_t lowest_key(const struct sketch *s)
{
    const uint8_t *slots = (const uint8_t *)(s + 1);
    uint32_t at = 0;
    while (!slots[at])
        at++;
    return 2 * (uint32_t)s->first + at;
}

// Counts the lowest chunk as zeros; returns its slot, free again.
static uint8_t drop_lowest(struct sketch *s)
{
    uint64_t *counts = sketch_chunk(s, s->floor);
    for (uint32_t bin = 0; bin < SKETCH_BINS; bin++)
        s->zeros += counts[bin];
    memset(counts, 0, SKETCH_BINS * sizeof *counts);
    uint8_t *slot = (uint8_t *)(s + 1) + (s->floor - 2 * s->first), freed = *slot;
    *slot = 0;
    return freed;
}

uint64_t *sketch_chunk_make(struct blob **sketch, uint32_t key)
{
    uint64_t *counts = sketch_chunk(sketch_of(*sketch), key);
    if (counts)
        return counts;
    if (key < sketch_of(*sketch)->floor)
        return NULL;
    cover(sketch, key / 2);
    struct sketch *s = sketch_of(*sketch);
    uint8_t slot;
    if (s->chunks == SKETCH_CHUNKS_MAX) {
        slot = drop_lowest(s);
    } else {
        reshape(sketch, s->first, s->octaves, s->chunks + 1u);
        s = sketch_of(*sketch);
        slot = (uint8_t)++s->chunks;
    }
    ((uint8_t *)(s + 1))[key - 2 * (uint32_t)s->first] = slot;
    s->floor = s->chunks == SKETCH_CHUNKS_MAX ? (uint16_t)lowest_key(s) : 0;
    return sketch_chunk(s, key);
}

static void widen(struct sketch *s, double min, double max)
{
    s->min = min < s->min ? min : s->min;
    s->max = max > s->max ? max : s->max;
}

void sketch_add(struct blob **sketch, double x)
{
    if (__builtin_expect(!*sketch, 0))
        *sketch = sketch_new();
    x += 0.0; // one zero
    widen(sketch_of(*sketch), x, x);
    if (x == 0) {
        sketch_of(*sketch)->zeros++;
        return;
    }
    struct sketch_place place = sketch_place_of(x);
    uint64_t *counts = sketch_chunk(sketch_of(*sketch), place.key);
    if (__builtin_expect(!counts, 0))
        counts = sketch_chunk_make(sketch, place.key);
    if (counts)
        counts[place.bin]++;
    else
        sketch_of(*sketch)->zeros++;
}

void sketch_merge(struct blob **into, const struct blob *from)
{
    if (!from)
        return;
    if (!*into)
        *into = sketch_new();
    const struct sketch *f = sketch_of(from);
    widen(sketch_of(*into), f->min, f->max);
    sketch_of(*into)->zeros += f->zeros;
    for (uint32_t key = 2u * f->first; key < 2u * (f->first + f->octaves); key++) {
        const uint64_t *add = sketch_chunk(f, key);
        uint64_t *counts = add ? sketch_chunk_make(into, key) : NULL;
        for (uint32_t bin = 0; add && bin < SKETCH_BINS; bin++)
            *(counts ? &counts[bin] : &sketch_of(*into)->zeros) += add[bin];
    }
}

uint64_t sketch_count(const struct blob *sketch)
{
    if (!sketch)
        return 0;
    const struct sketch *s = sketch_of(sketch);
    const uint64_t *counts = sketch_counts(s);
    uint64_t n = s->zeros;
    for (uint32_t i = 0; i < s->chunks * (uint32_t)SKETCH_BINS; i++)
        n += counts[i];
    return n;
}

// Steps over `count` values; true if the one sought is among them.
static bool reach(uint64_t count, uint64_t *rank)
{
    if (*rank < count)
        return true;
    *rank -= count;
    return false;
}

static double value_at(const struct sketch *s, uint64_t rank)
{
    for (uint32_t octave = s->first + (uint32_t)s->octaves; octave-- > s->first;) {
        const uint64_t *counts = sketch_chunk(s, 2 * octave + 1);
        for (uint32_t bin = SKETCH_BINS; counts && bin-- > 0;)
            if (reach(counts[bin], &rank))
                return -sketch_bin_value(octave, bin);
    }
    if (reach(s->zeros, &rank))
        return 0;
    for (uint32_t octave = s->first; octave < s->first + (uint32_t)s->octaves; octave++) {
        const uint64_t *counts = sketch_chunk(s, 2 * octave);
        for (uint32_t bin = 0; counts && bin < SKETCH_BINS; bin++)
            if (reach(counts[bin], &rank))
                return sketch_bin_value(octave, bin);
    }
    return s->max;
}

static double value_of_rank(const struct sketch *s, uint64_t rank, uint64_t n)
{
    if (rank == 0)
        return s->min;
    if (rank == n - 1)
        return s->max;
    double value = value_at(s, rank);
    return value < s->min ? s->min : value > s->max ? s->max : value;
}

double sketch_quantile(const struct blob *sketch, double q)
{
    const struct sketch *s = sketch_of(sketch);
    uint64_t n = sketch_count(sketch);
    weir_assert(n > 0 && q >= 0 && q <= 1);
    struct quantile_place place = quantile_place_of(n, q);
    double low = value_of_rank(s, place.rank, n);
    return place.fraction == 0 ? low : quantile_between(low, value_of_rank(s, place.rank + 1, n), place.fraction);
}
