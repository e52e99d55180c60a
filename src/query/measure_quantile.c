// SPDX-License-Identifier: Apache-2.0
// Median and quantiles: one sketch, or all values, for every quantile of an argument.
#include "query/exact.h"
#include "query/measure.h"
#include <math.h>

static inline __attribute__((always_inline)) void fold(uint32_t offset, const struct fold *f, void (*add)(struct blob **, double))
{
    const double *values = f->values->f64;
    const uint8_t *valid = f->values->valid;
    for (uint32_t j = 0; j < f->count; j++) {
        uint32_t i = f->rows[j];
        if ((valid && !valid[i]) || isnan(values[i]))
            continue;
        add((struct blob **)(f->records[j] + offset), values[i]);
    }
}

void quantile_fold(const struct measure *m, const struct fold *f)
{
    if (m->kind == MEASURE_EXACT)
        fold(m->offset, f, exact_add);
    else
        fold(m->offset, f, sketch_add);
}

void quantile_merge(const struct measure *m, struct blob **into, const struct blob *from)
{
    if (m->kind == MEASURE_EXACT)
        exact_merge(into, from);
    else
        sketch_merge(into, from);
}

void quantile_result(const struct measure *m, double q, uint8_t *const *records, uint32_t count, struct weir_column *ret)
{
    bool exact = m->kind == MEASURE_EXACT;
    for (uint32_t j = 0; j < count; j++) {
        struct blob *blob = *(struct blob **)(records[j] + m->offset);
        ret->valid[j] = blob != NULL; // made by the first value
        ret->f64[j] = !blob ? 0 : exact ? exact_quantile(blob, q) : sketch_quantile(blob, q);
    }
}

void quantile_save(const struct measure *m, struct blob *blob, struct weir_buffer *out)
{
    if (m->kind == MEASURE_EXACT)
        exact_save(blob, out);
    else
        sketch_save(blob, out);
}

int quantile_restore(const struct measure *m, struct blob **ret, struct weir_cursor *from)
{
    return m->kind == MEASURE_EXACT ? exact_restore(ret, from) : sketch_restore(ret, from);
}
