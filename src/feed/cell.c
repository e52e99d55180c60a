// SPDX-License-Identifier: Apache-2.0
#include "feed/cell.h"

#include "base/number.h"
#include "base/time.h"
#include "format/json_text.h"
#include <math.h>
#include <strings.h>

static struct weir_str trimmed(struct weir_str text)
{
    while (text.bytes && (*text.data == ' ' || *text.data == '\t')) {
        text.data++;
        text.bytes--;
    }
    while (text.bytes && (text.data[text.bytes - 1] == ' ' || text.data[text.bytes - 1] == '\t'))
        text.bytes--;
    return text;
}

static const char *boolean_value(struct weir_str text, int64_t *ret)
{
    bool yes = weir_str_is(text, "1") || (text.bytes == 4 && strncasecmp(text.data, "true", 4) == 0);
    bool no = weir_str_is(text, "0") || (text.bytes == 5 && strncasecmp(text.data, "false", 5) == 0);
    *ret = yes;
    return yes || no ? NULL : "is not a boolean";
}

static const char *integer_value(enum weir_type type, struct weir_str text, int64_t *ret)
{
    if (type == WEIR_BOOLEAN)
        return boolean_value(text, ret);
    if (weir_parse_integral(text, ret) < 0)
        return type == WEIR_INT ? "is not an int" : "is not a long";
    return type == WEIR_INT && *ret != (int32_t)*ret ? "is out of the range of int" : NULL;
}

static const char *float_value(enum weir_type type, struct weir_str text, double *ret)
{
    if (weir_parse_f64(text, ret) < 0)
        return type == WEIR_FLOAT ? "is not a float" : "is not a double";
    if (type == WEIR_DOUBLE)
        return NULL;
    bool overflow = isfinite(*ret) && isinf((float)*ret);
    *ret = (double)(float)*ret;
    return overflow ? "is out of the range of float" : NULL;
}

static const char *time_value(enum weir_kind kind, struct weir_str text, struct weir_value *ret)
{
    int64_t ms;
    if (weir_iso8601_parse(text, &ms) < 0)
        return "is not an ISO 8601 time";
    if (kind == WEIR_I64)
        ret->i64 = ms;
    else if (kind == WEIR_F64)
        ret->f64 = (double)ms;
    else
        ret->str = text;
    return NULL;
}

int cell_value(const struct cell_shape *shape, struct weir_str cell, struct weir_value *ret, const char **ret_wrong)
{
    struct weir_value value = {.null = cell.bytes == 0, .kind = weir_kind_of(shape->type)};
    const char *wrong = NULL;
    if (value.null)
        wrong = NULL;
    else if (shape->iso8601)
        wrong = time_value(value.kind, trimmed(cell), &value);
    else if (value.kind == WEIR_I64)
        wrong = integer_value(shape->type, trimmed(cell), &value.i64);
    else if (value.kind == WEIR_F64)
        wrong = float_value(shape->type, trimmed(cell), &value.f64);
    else if (json_text_utf8(cell))
        value.str = cell;
    else
        wrong = "is not UTF-8";
    if (wrong) {
        *ret_wrong = wrong;
        return -1;
    }
    *ret = value;
    return 0;
}
