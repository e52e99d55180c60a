// SPDX-License-Identifier: Apache-2.0
#include "format/check.h"

#include "base/time.h"
#include "base/uuid.h"
#include "format/reject.h"
#include <stdarg.h>
#include <stdio.h>

// Times further from 1970 (about 270,000 years) are nonsense, and would overflow in window arithmetic.
static const int64_t TIME_MS_MAX = 8640000000000000;

__attribute__((cold, format(printf, 4, 5))) static void fail_row(struct check *c, uint32_t row, enum weir_reason reason, const char *format, ...)
{
    struct weir_reject reject = {.record = c->record_of[row], .reason = reason};
    if (!c->failed)
        c->failed = weir_arena_zalloc(c->batch->arena, c->batch->rows);
    if (c->failed[row])
        return;
    c->failed[row] = 1;
    c->failed_count++;
    const struct weir_record *record = &c->records[reject.record];
    if (c->event->format == WEIR_FORMAT_AVRO && record->value.bytes && record->value.data[0] == 0) {
        struct weir_cursor frame = {(const uint8_t *)record->value.data + 1, (const uint8_t *)record->value.data + record->value.bytes, false};
        reject.schema_id = (int32_t)weir_cursor_be32(&frame);
    }
    va_list args;
    va_start(args, format);
    vsnprintf(reject.text, sizeof reject.text, format, args);
    va_end(args);
    rejects_add(c->rejects, &reject);
}

static const char *time_name(const struct check *c)
{
    return c->event->fields[c->event->time_field].name;
}

static void times_of_integers(struct check *c, const int64_t *values, int64_t *ret)
{
    uint32_t rows = c->batch->rows;
    if (c->event->time_unit == WEIR_UNIT_S) {
        for (uint32_t i = 0; i < rows; i++)
            if (__builtin_mul_overflow(values[i], 1000, &ret[i]))
                ret[i] = INT64_MAX;
    } else if (c->event->time_unit == WEIR_UNIT_US) {
        for (uint32_t i = 0; i < rows; i++)
            ret[i] = weir_floor_div(values[i], 1000);
    } else {
        memcpy(ret, values, rows * sizeof *ret);
    }
}

static void times_of_numbers(struct check *c, const double *values, int64_t *ret)
{
    double factor = c->event->time_unit == WEIR_UNIT_S ? 1000 : c->event->time_unit == WEIR_UNIT_US ? 0.001 : 1;
    for (uint32_t i = 0; i < c->batch->rows; i++) {
        double ms = __builtin_floor(values[i] * factor);
        ret[i] = ms >= -(double)TIME_MS_MAX && ms <= (double)TIME_MS_MAX ? (int64_t)ms : INT64_MAX;
    }
}

static void times_of_texts(struct check *c, const struct weir_column *column, int64_t *ret)
{
    for (uint32_t i = 0; i < c->batch->rows; i++) {
        struct weir_str text = column->str[i];
        ret[i] = 0;
        if (!weir_column_is_null(column, i) && weir_iso8601_parse(text, &ret[i]) < 0)
            fail_row(c, i, WEIR_MALFORMED, "%s: '%.*s' is not an ISO 8601 time", time_name(c), (int)(text.bytes < 64 ? text.bytes : 64), text.data);
    }
}

static void refuse_null_times(struct check *c, const struct weir_column *column)
{
    for (uint32_t i = 0; column->valid && i < c->batch->rows; i++)
        if (!column->valid[i])
            fail_row(c, i, WEIR_MALFORMED, "%s: null, but it is the event's time", time_name(c));
}

static void refuse_absurd_times(struct check *c)
{
    const int64_t *time_ms = c->batch->time_ms;
    uint64_t beyond = 0;
    for (uint32_t i = 0; i < c->batch->rows; i++)
        beyond |= (uint64_t)time_ms[i] + (uint64_t)TIME_MS_MAX > 2 * (uint64_t)TIME_MS_MAX;
    for (uint32_t i = 0; beyond && i < c->batch->rows; i++)
        if ((uint64_t)time_ms[i] + (uint64_t)TIME_MS_MAX > 2 * (uint64_t)TIME_MS_MAX)
            fail_row(c, i, WEIR_MALFORMED, "%s: out of the range of times", time_name(c));
}

static void check_times(struct check *c)
{
    const struct weir_column *column = &c->batch->columns[c->event->time_field];
    refuse_null_times(c, column);
    if (column->kind == WEIR_I64 && c->event->time_unit == WEIR_UNIT_MS) {
        c->batch->time_ms = column->i64;
    } else {
        c->batch->time_ms = weir_arena_alloc(c->batch->arena, c->batch->rows * sizeof(int64_t));
        if (column->kind == WEIR_I64)
            times_of_integers(c, column->i64, c->batch->time_ms);
        else if (column->kind == WEIR_F64)
            times_of_numbers(c, column->f64, c->batch->time_ms);
        else
            times_of_texts(c, column, c->batch->time_ms);
    }
    refuse_absurd_times(c);
}

// The text in lower case, so that a device is one whichever way its id is spelt.
static struct weir_str canonical(const struct check *c, struct weir_str text)
{
    uint8_t id[16];
    char *lower = weir_arena_alloc(c->batch->arena, 37);
    weir_assert(weir_uuid_parse(text, id) == 0);
    weir_uuid_format(id, lower);
    return (struct weir_str){lower, 36};
}

static void check_uuids(struct check *c, const struct weir_field *field, const struct weir_column *column)
{
    for (uint32_t i = 0; i < c->batch->rows; i++) {
        struct weir_str text = column->str[i];
        if (weir_column_is_null(column, i))
            continue;
        enum weir_uuid_form form = weir_uuid_form_of(text);
        if (form == WEIR_UUID_NONE)
            fail_row(c, i, WEIR_MALFORMED, "%s: '%.*s' is not a uuid", field->name, (int)(text.bytes < 64 ? text.bytes : 64), text.data);
        else if (form == WEIR_UUID_UPPER_CASE)
            column->str[i] = canonical(c, text);
    }
}

__attribute__((cold)) static void fail_future(struct check *c, uint32_t row, int64_t record_ms)
{
    char event[32], log[32];
    weir_iso8601_format(c->batch->time_ms[row], event);
    weir_iso8601_format(record_ms, log);
    fail_row(c, row, WEIR_FUTURE, "%s: %s is too far ahead of the record's own time %s", time_name(c), event, log);
}

static void check_ahead(struct check *c)
{
    for (uint32_t i = 0; i < c->batch->rows; i++) {
        int64_t record_ms = c->records[c->record_of[i]].timestamp_ms, ahead_ms;
        if (__builtin_sub_overflow(c->batch->time_ms[i], record_ms, &ahead_ms))
            ahead_ms = record_ms < 0 ? INT64_MAX : INT64_MIN;
        if (ahead_ms > c->event->max_ahead_ms)
            fail_future(c, i, record_ms);
    }
}

void check_rows(struct check *c)
{
    check_times(c);
    for (uint32_t f = 0; f < c->batch->column_count; f++)
        if (c->event->fields[f].is_uuid && c->batch->columns[f].data)
            check_uuids(c, &c->event->fields[f], &c->batch->columns[f]);
    if (c->event->max_ahead_ms >= 0)
        check_ahead(c);
}

static void compact(const uint8_t *failed, uint32_t rows, void *items, size_t item_bytes)
{
    char *to = items;
    for (uint32_t i = 0; i < rows; i++)
        if (!failed[i]) {
            memmove(to, (char *)items + i * item_bytes, item_bytes);
            to += item_bytes;
        }
}

void check_compact(struct check *c)
{
    struct weir_batch *batch = c->batch;
    bool own_time = batch->time_ms != batch->columns[c->event->time_field].i64;
    for (uint32_t f = 0; f < batch->column_count; f++) {
        struct weir_column *column = &batch->columns[f];
        if (column->data)
            compact(c->failed, batch->rows, column->data, column->kind == WEIR_STRS ? sizeof(struct weir_str) : sizeof(int64_t));
        if (column->valid)
            compact(c->failed, batch->rows, column->valid, 1);
    }
    if (own_time)
        compact(c->failed, batch->rows, batch->time_ms, sizeof *batch->time_ms);
    compact(c->failed, batch->rows, batch->offset, sizeof *batch->offset);
    batch->rows -= c->failed_count;
}
