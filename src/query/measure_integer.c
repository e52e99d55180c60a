// SPDX-License-Identifier: Apache-2.0
// Integers, booleans and times: n | sum (128 bits)? | min? | max?
#include "query/measure.h"
#include <string.h>

static unsigned at_min(unsigned parts)
{
    return 1 + (parts & PART_SUM ? 2 : 0);
}

static unsigned at_max(unsigned parts)
{
    return at_min(parts) + (parts & PART_MIN ? 1 : 0);
}

uint32_t integer_bytes(unsigned parts)
{
    return 8 * (at_max(parts) + (parts & PART_MAX ? 1 : 0));
}

void integer_fresh(unsigned parts, uint8_t *at)
{
    int64_t *words = (int64_t *)at;
    if (parts & PART_MIN)
        words[at_min(parts)] = INT64_MAX;
    if (parts & PART_MAX)
        words[at_max(parts)] = INT64_MIN;
}

static __int128 load_sum(const int64_t *words)
{
    __int128 sum;
    memcpy(&sum, words + 1, sizeof sum); // records are aligned to 8 bytes only
    return sum;
}

void integer_fold(const struct measure *m, const struct fold *f)
{
    unsigned parts = m->parts, min = at_min(parts), max = at_max(parts);
    for (uint32_t j = 0; j < f->count; j++) {
        uint32_t i = f->rows[j];
        if (weir_column_is_null(f->values, i))
            continue;
        int64_t *words = (int64_t *)(f->records[j] + m->offset), x = f->values->i64[i];
        words[0]++;
        if (parts & PART_SUM) {
            __int128 sum = load_sum(words) + x;
            memcpy(words + 1, &sum, sizeof sum);
        }
        if (parts & PART_MIN)
            words[min] = x < words[min] ? x : words[min];
        if (parts & PART_MAX)
            words[max] = x > words[max] ? x : words[max];
    }
}

// False where a sum has left the range of a long: the result is then null rather than wrong.
static bool sum_result(const int64_t *words, struct weir_column *ret, uint32_t j)
{
    __int128 sum = load_sum(words);
    ret->i64[j] = (int64_t)sum;
    return sum == (int64_t)sum;
}

void integer_result(const struct measure *m, enum weir_agg aggregate, uint8_t *const *records, uint32_t count, struct weir_column *ret)
{
    for (uint32_t j = 0; j < count; j++) {
        const int64_t *words = (const int64_t *)(records[j] + m->offset);
        bool any = words[0] > 0;
        if (ret->valid)
            ret->valid[j] = any;
        if (aggregate == WEIR_AGG_COUNT)
            ret->i64[j] = words[0];
        else if (aggregate == WEIR_AGG_AVG)
            ret->f64[j] = any ? (double)((__float128)load_sum(words) / words[0]) : 0;
        else if (aggregate == WEIR_AGG_SUM)
            ret->valid[j] = sum_result(words, ret, j) && any;
        else
            ret->i64[j] = any ? words[aggregate == WEIR_AGG_MIN ? at_min(m->parts) : at_max(m->parts)] : 0;
    }
}
