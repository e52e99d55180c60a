// SPDX-License-Identifier: Apache-2.0
#include "query/accumulator.h"

#include "base/hash.h"
#include "query/distinct.h"
#include "query/measure.h"
#include <math.h>

static void count_fold(const struct measure *m, const struct fold *f)
{
    for (uint32_t j = 0; j < f->count; j++)
        *(uint64_t *)(f->records[j] + m->offset) += !weir_column_is_null(f->values, f->rows[j]);
}

static uint64_t value_hash(const struct weir_column *values, uint32_t i)
{
    if (values->kind == WEIR_STRS)
        return weir_hash64(values->str[i].data, values->str[i].bytes, 0);
    int64_t bits = values->i64[i];
    if (values->kind == WEIR_F64 && values->f64[i] == 0)
        bits = 0; // zero and minus zero are one value
    return weir_hash64(&bits, sizeof bits, 0);
}

static void distinct_fold(const struct measure *m, const struct fold *f)
{
    for (uint32_t j = 0; j < f->count; j++) {
        uint32_t i = f->rows[j];
        if (weir_column_is_null(f->values, i) || (f->values->kind == WEIR_F64 && isnan(f->values->f64[i])))
            continue;
        distinct_add((struct blob **)(f->records[j] + m->offset), value_hash(f->values, i));
    }
}

void layout_fold(const struct layout *l, const struct eval_frame *frame, uint8_t *const *records, const uint32_t *rows, uint32_t count)
{
    for (uint32_t i = 0; i < l->measure_count; i++) {
        const struct measure *m = &l->measures[i];
        struct weir_column values = eval_expr(m->arg, frame);
        if (m->kind == MEASURE_NUMBER || measure_is_quantile(m))
            values = eval_to_f64(values, frame);
        struct fold f = {&values, frame->event_time.i64, records, rows, count};
        switch (m->kind) {
        case MEASURE_NUMBER:
            number_fold(m, &f);
            break;
        case MEASURE_INTEGER:
            integer_fold(m, &f);
            break;
        case MEASURE_COUNT:
            count_fold(m, &f);
            break;
        case MEASURE_POINT:
            point_fold(m, &f);
            break;
        case MEASURE_DISTINCT:
            distinct_fold(m, &f);
            break;
        case MEASURE_QUANTILE:
        case MEASURE_EXACT:
            quantile_fold(m, &f);
            break;
        }
    }
}

static void count_result(const struct measure *m, uint8_t *const *records, uint32_t count, struct weir_column *ret)
{
    for (uint32_t j = 0; j < count; j++)
        ret->i64[j] = m ? *(const int64_t *)(records[j] + m->offset) : (int64_t)((const struct record_head *)records[j])->events;
}

static void distinct_result(const struct measure *m, uint8_t *const *records, uint32_t count, struct weir_column *ret)
{
    for (uint32_t j = 0; j < count; j++)
        ret->i64[j] = distinct_count(*(struct blob *const *)(records[j] + m->offset));
}

void layout_result(const struct layout *l, uint32_t aggregate, uint8_t *const *records, uint32_t count, struct weir_arena *arena,
                   struct weir_column *ret)
{
    const struct weir_aggregate *a = &l->query->aggregates[aggregate];
    const struct measure *m = l->measure_of[aggregate] == UINT32_MAX ? NULL : &l->measures[l->measure_of[aggregate]];
    ret->kind = weir_kind_of(a->type);
    ret->data = weir_arena_alloc(arena, count * (ret->kind == WEIR_STRS ? sizeof(struct weir_str) : 8));
    bool counts = a->kind == WEIR_AGG_COUNT_ALL || a->kind == WEIR_AGG_COUNT || a->kind == WEIR_AGG_DISTINCT;
    ret->valid = counts ? NULL : weir_arena_alloc(arena, count);
    if (!m || m->kind == MEASURE_COUNT)
        count_result(m, records, count, ret);
    else if (m->kind == MEASURE_DISTINCT)
        distinct_result(m, records, count, ret);
    else if (measure_is_quantile(m))
        quantile_result(m, a->quantile, records, count, ret);
    else if (m->kind == MEASURE_POINT)
        point_result(m, records, count, ret);
    else if (m->kind == MEASURE_NUMBER)
        number_result(m, a->kind, records, count, ret);
    else
        integer_result(m, a->kind, records, count, ret);
}
