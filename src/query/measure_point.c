// SPDX-License-Identifier: Apache-2.0
// One value that stands out: the first or last by event time, or the least or greatest text. Of events of one time the first keeps the lower offset,
// the last the higher; events come in offset order.
#include "query/measure.h"
#include <math.h>

static bool replaces(const struct measure *m, const struct point *p, int64_t time_ms, const struct weir_column *values, uint32_t i)
{
    if (p->n == 0)
        return true;
    switch (m->point) {
    case POINT_FIRST:
        return time_ms < p->time_ms;
    case POINT_LAST:
        return time_ms >= p->time_ms;
    case POINT_LEAST:
        return weir_str_compare(values->str[i], blob_view(p->text)) < 0;
    case POINT_GREATEST:
        return weir_str_compare(values->str[i], blob_view(p->text)) > 0;
    }
    return false;
}

void point_fold(const struct measure *m, const struct fold *f)
{
    const struct weir_column *values = f->values;
    for (uint32_t j = 0; j < f->count; j++) {
        uint32_t i = f->rows[j];
        if (weir_column_is_null(values, i) || (values->kind == WEIR_F64 && isnan(values->f64[i])))
            continue;
        struct point *p = (struct point *)(f->records[j] + m->offset);
        if (replaces(m, p, f->time_ms[i], values, i)) {
            p->time_ms = f->time_ms[i];
            if (m->value_kind == WEIR_STRS)
                blob_set(&p->text, values->str[i]);
            else
                p->bits = values->i64[i]; // the bits of a double too
        }
        p->n++;
    }
}

void point_result(const struct measure *m, uint8_t *const *records, uint32_t count, struct weir_column *ret)
{
    for (uint32_t j = 0; j < count; j++) {
        const struct point *p = (const struct point *)(records[j] + m->offset);
        ret->valid[j] = p->n > 0;
        if (m->value_kind == WEIR_STRS)
            ret->str[j] = blob_view(p->text);
        else
            ret->i64[j] = p->bits;
    }
}
