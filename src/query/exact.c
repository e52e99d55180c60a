// SPDX-License-Identifier: Apache-2.0
// In memory: struct exact | values, the first `sorted` of them in order; or the sketch they became, which begins with another word.
// As bytes: form (0 empty, 1 values, 2 sketch) | 1: n varint, n doubles in order; 2: the sketch's bytes
#include "query/exact.h"

#include "base/error.h"
#include "base/memory.h"
#include "query/quantile.h"
#include "query/sketch_inside.h"
#include <stdlib.h>

enum { FIRST_VALUES = 16, FORM_EMPTY = 0, FORM_VALUES, FORM_SKETCH };

struct exact {
    uint64_t sorted;
    double values[];
};

static struct exact *exact_of(const struct blob *set)
{
    return (struct exact *)set->data;
}

static uint32_t values_in(const struct blob *set)
{
    return (set->bytes - (uint32_t)sizeof(struct exact)) / (uint32_t)sizeof(double);
}

bool exact_is_estimate(const struct blob *set)
{
    return set && sketch_is(set);
}

uint64_t exact_count(const struct blob *set)
{
    return !set ? 0 : sketch_is(set) ? sketch_count(set) : values_in(set);
}

static struct blob *with_room(struct blob *set, uint32_t values)
{
    uint32_t capacity = (uint32_t)(sizeof(struct exact) + values * sizeof(double));
    struct blob *blob = weir_realloc(set, sizeof *blob + capacity);
    if (!set) {
        blob->bytes = sizeof(struct exact);
        exact_of(blob)->sorted = 0;
    }
    blob->capacity = capacity;
    return blob;
}

static void become_sketch(struct blob **set)
{
    struct blob *sketch = sketch_new();
    for (uint32_t i = 0; i < values_in(*set); i++)
        sketch_add(&sketch, exact_of(*set)->values[i]);
    free(*set);
    *set = sketch;
}

void exact_add(struct blob **set, double x)
{
    if (!*set)
        *set = with_room(NULL, FIRST_VALUES);
    if (!sketch_is(*set) && values_in(*set) == EXACT_MAX)
        become_sketch(set);
    if (sketch_is(*set)) {
        sketch_add(set, x);
        return;
    }
    if ((*set)->bytes == (*set)->capacity)
        *set = with_room(*set, values_in(*set) * 2);
    exact_of(*set)->values[values_in(*set)] = x + 0.0; // one zero
    (*set)->bytes += sizeof(double);
}

void exact_merge(struct blob **into, const struct blob *from)
{
    if (from && sketch_is(from)) {
        if (*into && !sketch_is(*into))
            become_sketch(into);
        sketch_merge(into, from);
        return;
    }
    for (uint32_t i = 0; from && i < values_in(from); i++)
        exact_add(into, exact_of(from)->values[i]);
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

// Sorts what came since the last time and merges it into what was in order.
static void sort(struct blob *set)
{
    struct exact *e = exact_of(set);
    uint32_t n = values_in(set), old = (uint32_t)e->sorted, fresh = n - old;
    if (fresh == 0)
        return;
    qsort(e->values + old, fresh, sizeof(double), compare);
    if (old && e->values[old - 1] > e->values[old]) {
        double *tail = weir_alloc(fresh * sizeof *tail);
        memcpy(tail, e->values + old, fresh * sizeof *tail);
        for (uint32_t to = n; fresh > 0;)
            e->values[--to] = old && e->values[old - 1] > tail[fresh - 1] ? e->values[--old] : tail[--fresh];
        free(tail);
    }
    e->sorted = n;
}

double exact_quantile(struct blob *set, double q)
{
    weir_assert(exact_count(set) > 0 && q >= 0 && q <= 1);
    if (sketch_is(set))
        return sketch_quantile(set, q);
    sort(set);
    struct quantile_place place = quantile_place_of(values_in(set), q);
    const double *at = exact_of(set)->values + place.rank;
    return place.fraction == 0 ? at[0] : quantile_between(at[0], at[1], place.fraction);
}

void exact_save(struct blob *set, struct weir_buffer *out)
{
    weir_buffer_byte(out, !set ? FORM_EMPTY : sketch_is(set) ? FORM_SKETCH : FORM_VALUES);
    if (!set)
        return;
    if (sketch_is(set)) {
        sketch_save(set, out);
        return;
    }
    sort(set);
    weir_buffer_varint(out, values_in(set));
    weir_buffer_add(out, exact_of(set)->values, values_in(set) * sizeof(double));
}

static bool in_order(const double *values, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++)
        if (isnan(values[i]) || (i && values[i] < values[i - 1]))
            return false;
    return true;
}

static int restore_values(struct blob **ret, struct weir_cursor *from)
{
    uint64_t n = weir_cursor_varint(from);
    struct weir_str bytes = weir_cursor_take(from, n <= EXACT_MAX ? n * sizeof(double) : UINT64_MAX);
    if (from->bad || n == 0)
        return -1;
    struct blob *set = with_room(NULL, (uint32_t)n);
    memcpy(exact_of(set)->values, bytes.data, bytes.bytes);
    set->bytes += bytes.bytes;
    exact_of(set)->sorted = n;
    if (!in_order(exact_of(set)->values, (uint32_t)n)) {
        blob_drop(&set);
        return -1;
    }
    *ret = set;
    return 0;
}

static int restore_sketch(struct blob **ret, struct weir_cursor *from)
{
    struct blob *sketch = NULL;
    if (sketch_restore(&sketch, from) < 0)
        return -1;
    if (sketch_count(sketch) <= EXACT_MAX) {
        blob_drop(&sketch);
        return -1;
    }
    *ret = sketch;
    return 0;
}

int exact_restore(struct blob **ret, struct weir_cursor *from)
{
    switch (weir_cursor_byte(from)) {
    case FORM_EMPTY:
        *ret = NULL;
        return from->bad ? -1 : 0;
    case FORM_VALUES:
        return restore_values(ret, from);
    case FORM_SKETCH:
        return restore_sketch(ret, from);
    default:
        return -1;
    }
}
