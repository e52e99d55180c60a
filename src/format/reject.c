// SPDX-License-Identifier: Apache-2.0
#include "format/reject.h"

#include "base/memory.h"
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

int reject_because(struct weir_reject *reject, enum weir_reason reason, int32_t schema_id, const char *format, ...)
{
    reject->reason = reason;
    reject->schema_id = schema_id;
    va_list args;
    va_start(args, format);
    vsnprintf(reject->text, sizeof reject->text, format, args);
    va_end(args);
    return 0;
}

void rejects_add(struct weir_rejects *rejects, const struct weir_reject *reject)
{
    weir_grow(&rejects->items, &rejects->capacity, rejects->count + 1, sizeof *rejects->items);
    rejects->items[rejects->count++] = *reject;
}

static int by_record(const void *a, const void *b)
{
    uint32_t left = ((const struct weir_reject *)a)->record, right = ((const struct weir_reject *)b)->record;
    return left < right ? -1 : left > right;
}

void rejects_sort(struct weir_rejects *rejects, size_t from)
{
    if (rejects->count - from > 1)
        qsort(rejects->items + from, rejects->count - from, sizeof *rejects->items, by_record);
}
