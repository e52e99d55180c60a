// SPDX-License-Identifier: Apache-2.0
#include "base/value.h"

static const char *const type_names[WEIR_TYPE_COUNT] = {
    [WEIR_BOOLEAN] = "boolean", [WEIR_INT] = "int",       [WEIR_LONG] = "long",           [WEIR_FLOAT] = "float",
    [WEIR_DOUBLE] = "double",   [WEIR_STRING] = "string", [WEIR_TIMESTAMP] = "timestamp",
};

const char *weir_type_name(enum weir_type type)
{
    return type_names[type];
}

int weir_type_parse(struct weir_str name, enum weir_type *ret)
{
    for (int t = 0; t < WEIR_TIMESTAMP; t++)
        if (weir_str_is(name, type_names[t])) {
            *ret = (enum weir_type)t;
            return 0;
        }
    return -1;
}

struct weir_value weir_column_get(const struct weir_column *c, uint32_t row)
{
    struct weir_value v = {.kind = c->kind};
    if (weir_column_is_null(c, row))
        v.null = true;
    else if (c->kind == WEIR_I64)
        v.i64 = c->i64[row];
    else if (c->kind == WEIR_F64)
        v.f64 = c->f64[row];
    else
        v.str = c->str[row];
    return v;
}
