// SPDX-License-Identifier: Apache-2.0
// Two records of a group made one: slices of a window, partials of partitions.
#include "query/dd.h"
#include "query/distinct.h"
#include "query/measure.h"

static void sum_merge(struct dd *into, const struct dd *from)
{
    dd_add(into, from->hi);
    into->lo += from->lo;
}

static void number_merge(unsigned parts, double *into, const double *from)
{
    *(uint64_t *)into += *(const uint64_t *)from;
    uint32_t at = 1;
    for (unsigned part = PART_SUM; part <= PART_SQUARES; part <<= 1) {
        if (parts & part) {
            sum_merge((struct dd *)(into + at), (const struct dd *)(from + at));
            at += 2;
        }
    }
    if (parts & PART_MIN) {
        into[at] = from[at] < into[at] ? from[at] : into[at];
        at++;
    }
    if (parts & PART_MAX)
        into[at] = from[at] > into[at] ? from[at] : into[at];
}

static void integer_merge(unsigned parts, int64_t *into, const int64_t *from)
{
    into[0] += from[0];
    uint32_t at = 1;
    if (parts & PART_SUM) {
        __int128 a, b;
        memcpy(&a, into + at, sizeof a);
        memcpy(&b, from + at, sizeof b);
        a += b;
        memcpy(into + at, &a, sizeof a);
        at += 2;
    }
    if (parts & PART_MIN) {
        into[at] = from[at] < into[at] ? from[at] : into[at];
        at++;
    }
    if (parts & PART_MAX)
        into[at] = from[at] > into[at] ? from[at] : into[at];
}

static bool stands_out(enum point_kind kind, const struct point *from, const struct point *into)
{
    switch (kind) {
    case POINT_FIRST:
        return from->time_ms < into->time_ms;
    case POINT_LAST:
        return from->time_ms >= into->time_ms;
    case POINT_LEAST:
        return weir_str_compare(blob_view(from->text), blob_view(into->text)) < 0;
    case POINT_GREATEST:
        return weir_str_compare(blob_view(from->text), blob_view(into->text)) > 0;
    }
    return false;
}

static void point_merge(const struct measure *m, struct point *into, const struct point *from)
{
    if (from->n && (into->n == 0 || stands_out(m->point, from, into))) {
        into->time_ms = from->time_ms;
        if (m->value_kind == WEIR_STRS)
            blob_set(&into->text, blob_view(from->text));
        else
            into->bits = from->bits;
    }
    into->n += from->n;
}

static void measure_merge(const struct measure *m, uint8_t *into, const uint8_t *from)
{
    switch (m->kind) {
    case MEASURE_NUMBER:
        number_merge(m->parts, (double *)into, (const double *)from);
        break;
    case MEASURE_INTEGER:
        integer_merge(m->parts, (int64_t *)into, (const int64_t *)from);
        break;
    case MEASURE_COUNT:
        *(uint64_t *)into += *(const uint64_t *)from;
        break;
    case MEASURE_POINT:
        point_merge(m, (struct point *)into, (const struct point *)from);
        break;
    case MEASURE_DISTINCT:
        distinct_merge((struct blob **)into, *(struct blob *const *)from);
        break;
    case MEASURE_QUANTILE:
    case MEASURE_EXACT:
        quantile_merge(m, (struct blob **)into, *(struct blob *const *)from);
        break;
    }
}

int layout_merge(const struct layout *l, uint8_t *into, const uint8_t *from)
{
    ((struct record_head *)into)->events += ((const struct record_head *)from)->events;
    for (uint32_t i = 0; i < l->measure_count; i++) {
        const struct measure *m = &l->measures[i];
        measure_merge(m, into + m->offset, from + m->offset);
    }
    return 0;
}
