// SPDX-License-Identifier: Apache-2.0
// Which measures a query's aggregates need, and where they lie in a record.
#include "base/error.h"
#include "base/memory.h"
#include "query/accumulator.h"
#include "query/blob.h"
#include "query/distinct.h"
#include "query/measure.h"
#include <math.h>
#include <stdlib.h>

// What one aggregate alone would need.
static struct measure wanted(const struct weir_query_spec *query, const struct weir_aggregate *aggregate)
{
    enum weir_kind kind = weir_kind_of(aggregate->arg->type);
    struct measure m = {.arg = aggregate->arg, .value_kind = kind};
    m.kind = kind == WEIR_F64 ? MEASURE_NUMBER : kind == WEIR_I64 ? MEASURE_INTEGER : MEASURE_COUNT;
    switch (aggregate->kind) {
    case WEIR_AGG_SUM:
    case WEIR_AGG_AVG:
        m.parts = PART_SUM;
        break;
    case WEIR_AGG_STDDEV:
        m.kind = MEASURE_NUMBER;
        m.parts = PART_SUM | PART_SQUARES;
        break;
    case WEIR_AGG_MIN:
    case WEIR_AGG_MAX:
        m.parts = aggregate->kind == WEIR_AGG_MIN ? PART_MIN : PART_MAX;
        if (kind == WEIR_STRS)
            m = (struct measure){
                .kind = MEASURE_POINT, .point = aggregate->kind == WEIR_AGG_MIN ? POINT_LEAST : POINT_GREATEST, .value_kind = kind, .arg = m.arg};
        break;
    case WEIR_AGG_FIRST:
    case WEIR_AGG_LAST:
        m.kind = MEASURE_POINT;
        m.point = aggregate->kind == WEIR_AGG_FIRST ? POINT_FIRST : POINT_LAST;
        break;
    case WEIR_AGG_DISTINCT:
        m.kind = MEASURE_DISTINCT;
        break;
    case WEIR_AGG_MEDIAN:
    case WEIR_AGG_QUANTILE:
        m.kind = query->exact_quantiles ? MEASURE_EXACT : MEASURE_QUANTILE;
        break;
    default:
        weir_assert(aggregate->kind == WEIR_AGG_COUNT);
    }
    return m;
}

// The measure that serves an aggregate: one over the same argument that can take its parts too, or a new one.
static uint32_t place(struct layout *l, const struct weir_aggregate *aggregate)
{
    struct measure want = wanted(l->query, aggregate);
    for (uint32_t i = 0; i < l->measure_count; i++) {
        struct measure *m = &l->measures[i];
        if (m->kind == want.kind && m->point == want.point && weir_expr_same(m->arg, want.arg)) {
            m->parts |= want.parts;
            return i;
        }
    }
    l->measures[l->measure_count] = want;
    return l->measure_count++;
}

static uint32_t measure_bytes(const struct measure *m)
{
    switch (m->kind) {
    case MEASURE_NUMBER:
        return number_bytes(m->parts);
    case MEASURE_INTEGER:
        return integer_bytes(m->parts);
    case MEASURE_COUNT:
        return 8;
    case MEASURE_POINT:
        return sizeof(struct point);
    case MEASURE_DISTINCT:
    case MEASURE_QUANTILE:
    case MEASURE_EXACT:
        return sizeof(struct blob *);
    }
    return 0;
}

static void fill_fresh(const struct measure *m, uint8_t *at)
{
    if (m->kind == MEASURE_NUMBER)
        number_fresh(m->parts, at);
    else if (m->kind == MEASURE_INTEGER)
        integer_fresh(m->parts, at);
}

void layout_open(struct layout *l, const struct weir_query_spec *query)
{
    *l = (struct layout){.query = query, .bytes = sizeof(struct record_head)};
    l->measures = weir_zalloc(query->aggregate_count, sizeof *l->measures);
    l->measure_of = weir_zalloc(query->aggregate_count, sizeof *l->measure_of);
    for (uint32_t i = 0; i < query->aggregate_count; i++)
        l->measure_of[i] = query->aggregates[i].kind == WEIR_AGG_COUNT_ALL ? UINT32_MAX : place(l, &query->aggregates[i]);
    for (uint32_t i = 0; i < l->measure_count; i++) {
        l->measures[i].offset = l->bytes;
        l->bytes += measure_bytes(&l->measures[i]);
        l->has_blobs |= measure_has_blob(&l->measures[i]);
    }
    l->fresh = weir_zalloc(1, l->bytes);
    for (uint32_t i = 0; i < l->measure_count; i++)
        fill_fresh(&l->measures[i], l->fresh + l->measures[i].offset);
}

void layout_close(struct layout *l)
{
    free(l->measures);
    free(l->measure_of);
    free(l->fresh);
}

// ---- checkpoints: the record's bytes (zeros where the blobs' addresses were), then the blobs, each in a form that says where it ends

static void save_blob(const struct measure *m, struct blob *blob, struct weir_buffer *out)
{
    if (measure_is_quantile(m)) {
        quantile_save(m, blob, out);
        return;
    }
    struct weir_str view = blob_view(blob);
    weir_buffer_varint(out, view.bytes);
    weir_buffer_add(out, view.data, view.bytes);
}

static int restore_blob(const struct measure *m, struct blob **ret, struct weir_cursor *from)
{
    if (measure_is_quantile(m))
        return quantile_restore(m, ret, from);
    struct weir_str bytes = weir_cursor_take(from, weir_cursor_varint(from));
    if (from->bad || (m->kind == MEASURE_DISTINCT && !distinct_valid(bytes)))
        return -1;
    if (bytes.bytes)
        blob_set(ret, bytes);
    return 0;
}

void layout_save(const struct layout *l, const uint8_t *record, struct weir_buffer *out)
{
    size_t at = out->bytes;
    weir_buffer_add(out, record, l->bytes);
    for (uint32_t i = 0; i < l->measure_count && l->has_blobs; i++) {
        const struct measure *m = &l->measures[i];
        if (!measure_has_blob(m))
            continue;
        struct blob **blob = measure_blob(m, (uint8_t *)record);
        memset(out->data + at + ((uint8_t *)blob - record), 0, sizeof *blob);
        save_blob(m, *blob, out);
    }
}

int layout_restore(const struct layout *l, uint8_t *record, struct weir_cursor *from)
{
    struct weir_str fixed = weir_cursor_take(from, l->bytes);
    if (from->bad)
        return -1;
    memcpy(record, fixed.data, l->bytes);
    for (uint32_t i = 0; i < l->measure_count; i++)
        if (measure_has_blob(&l->measures[i]))
            *measure_blob(&l->measures[i], record) = NULL;
    for (uint32_t i = 0; i < l->measure_count && l->has_blobs; i++)
        if (measure_has_blob(&l->measures[i]) && restore_blob(&l->measures[i], measure_blob(&l->measures[i], record), from) < 0)
            return -1;
    return 0;
}

void layout_drop(const struct layout *l, uint8_t *record)
{
    for (uint32_t i = 0; i < l->measure_count && l->has_blobs; i++)
        if (measure_has_blob(&l->measures[i]))
            blob_drop(measure_blob(&l->measures[i], record));
}

uint64_t layout_blob_bytes(const struct layout *l, const uint8_t *record)
{
    uint64_t bytes = 0;
    for (uint32_t i = 0; i < l->measure_count && l->has_blobs; i++) {
        const struct blob *blob = measure_has_blob(&l->measures[i]) ? *measure_blob(&l->measures[i], (uint8_t *)record) : NULL;
        bytes += blob ? sizeof *blob + blob->capacity : 0;
    }
    return bytes;
}
