// SPDX-License-Identifier: Apache-2.0
// A sketch as bytes, the same for the same values:
//   entries + 1 varint | min, max: doubles | zeros varint | entries × (steps varint, count varint)        or, of no values, a zero alone
// An entry is a bin that is not empty. Its place, SKETCH_BINS × key + bin, is `steps` beyond the one before; the first counts from -1.
#include "query/sketch_inside.h"
#include <math.h>
#include <stdlib.h>

enum { ENTRIES_MAX = SKETCH_CHUNKS_MAX * SKETCH_BINS, PLACES = SKETCH_KEYS * SKETCH_BINS };

#define COUNT_MAX ((uint64_t)1 << 50) // a million values a second for 35 years; sums of many such do not overflow

static uint64_t entries_of(const struct sketch *s)
{
    const uint64_t *counts = sketch_counts(s);
    uint64_t entries = 0;
    for (uint32_t i = 0; i < s->chunks * (uint32_t)SKETCH_BINS; i++)
        entries += counts[i] > 0;
    return entries;
}

void sketch_save(const struct blob *sketch, struct weir_buffer *out)
{
    const struct sketch *s = sketch ? sketch_of(sketch) : NULL;
    weir_buffer_varint(out, s ? 1 + entries_of(s) : 0);
    if (!s)
        return;
    weir_buffer_add(out, &s->min, sizeof s->min);
    weir_buffer_add(out, &s->max, sizeof s->max);
    weir_buffer_varint(out, s->zeros);
    uint64_t next = 0; // place
    for (uint32_t key = 2u * s->first; key < 2u * (s->first + s->octaves); key++) {
        const uint64_t *counts = sketch_chunk(s, key);
        for (uint32_t bin = 0; counts && bin < SKETCH_BINS; bin++) {
            if (!counts[bin])
                continue;
            uint64_t place = (uint64_t)key * SKETCH_BINS + bin;
            weir_buffer_varint(out, place + 1 - next);
            weir_buffer_varint(out, counts[bin]);
            next = place + 1;
        }
    }
}

static double take_f64(struct weir_cursor *from)
{
    double value = NAN;
    struct weir_str bytes = weir_cursor_take(from, sizeof value);
    if (!from->bad)
        memcpy(&value, bytes.data, sizeof value);
    return value;
}

// Reads one entry into the sketch; false where there can be none such.
static bool take_entry(struct blob **sketch, uint64_t *next, uint64_t *total, struct weir_cursor *from)
{
    uint64_t steps = weir_cursor_varint(from), count = weir_cursor_varint(from);
    if (from->bad || steps == 0 || count == 0 || steps > PLACES - *next || __builtin_add_overflow(*total, count, total))
        return false;
    *next += steps;
    uint32_t key = (uint32_t)(*next - 1) / SKETCH_BINS, bin = (uint32_t)(*next - 1) % SKETCH_BINS;
    const struct sketch *s = sketch_of(*sketch);
    if ((key / 2 == SKETCH_INFINITY && bin > 0) || (s->chunks == SKETCH_CHUNKS_MAX && !sketch_chunk(s, key)))
        return false;
    sketch_chunk_make(sketch, key)[bin] = count;
    return true;
}

static bool take_all(struct blob **sketch, uint64_t entries, struct weir_cursor *from)
{
    double min = take_f64(from), max = take_f64(from);
    uint64_t zeros = weir_cursor_varint(from), total = zeros, next = 0;
    if (from->bad || entries > ENTRIES_MAX || !(min <= max))
        return false;
    struct sketch *s = sketch_of(*sketch);
    s->min = min;
    s->max = max;
    s->zeros = zeros;
    for (; entries > 0; entries--)
        if (!take_entry(sketch, &next, &total, from))
            return false;
    return total > 0 && total <= COUNT_MAX;
}

int sketch_restore(struct blob **ret, struct weir_cursor *from)
{
    uint64_t entries = weir_cursor_varint(from);
    if (from->bad)
        return -1;
    struct blob *sketch = entries ? sketch_new() : NULL;
    if (sketch && !take_all(&sketch, entries - 1, from)) {
        blob_drop(&sketch);
        return -1;
    }
    *ret = sketch;
    return 0;
}
