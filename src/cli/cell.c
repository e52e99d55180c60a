// SPDX-License-Identifier: Apache-2.0
#include "cli/cell.h"
#include "base/number.h"
#include "base/time.h"
#include "base/uuid.h"

enum printer_kind cell_kind(enum weir_cql_type type)
{
    if (type == WEIR_CQL_BOOLEAN)
        return PRINTER_BOOLEAN;
    return weir_cql_kind(type) == WEIR_STRS || type == WEIR_CQL_TIMESTAMP ? PRINTER_TEXT : PRINTER_NUMBER;
}

struct printer_cell cell_of(enum weir_cql_type type, const struct weir_value *value, char text[CELL_BYTES])
{
    if (value->null)
        return (struct printer_cell){.null = true};
    switch (type) {
    case WEIR_CQL_TEXT:
    case WEIR_CQL_UUID:
        return (struct printer_cell){.text = value->str};
    case WEIR_CQL_BOOLEAN:
        return (struct printer_cell){.text = value->i64 ? WEIR_STR("true") : WEIR_STR("false")};
    case WEIR_CQL_FLOAT:
        return (struct printer_cell){.text = {text, (uint32_t)weir_format_f32((float)value->f64, text)}};
    case WEIR_CQL_DOUBLE:
        return (struct printer_cell){.text = {text, (uint32_t)weir_format_f64(value->f64, text)}};
    case WEIR_CQL_TIMESTAMP:
        weir_iso8601_format(value->i64, text);
        return (struct printer_cell){.text = weir_str_of(text)};
    case WEIR_CQL_INT:
    case WEIR_CQL_BIGINT:
    case WEIR_CQL_TYPE_COUNT:
        break;
    }
    return (struct printer_cell){.text = {text, (uint32_t)weir_format_i64(value->i64, text)}};
}

int cell_parse_time(const char *text, int64_t *ret_ms)
{
    const int64_t seconds_max = 100000000000;
    int64_t number;
    if (weir_parse_i64(weir_str_of(text), &number) < 0)
        return weir_iso8601_parse(weir_str_of(text), ret_ms);
    *ret_ms = number > -seconds_max && number < seconds_max ? number * 1000 : number;
    return 0;
}

static int parse_uuid(const char *text, struct weir_arena *arena, struct weir_value *ret)
{
    uint8_t id[16];
    if (weir_uuid_parse(weir_str_of(text), id) < 0)
        return -1;
    char lower[37];
    weir_uuid_format(id, lower);
    ret->str = weir_arena_copy(arena, weir_str_of(lower));
    return 0;
}

static int parse_boolean(const char *text, int64_t *ret)
{
    if (strcmp(text, "true") != 0 && strcmp(text, "false") != 0)
        return -1;
    *ret = text[0] == 't';
    return 0;
}

int cell_parse(const struct weir_table_column *column, const char *text, struct weir_arena *arena, struct weir_value *ret, struct weir_error *err)
{
    struct weir_value value = {.kind = weir_cql_kind(column->type)};
    int status = 0;
    if (column->type == WEIR_CQL_UUID)
        status = parse_uuid(text, arena, &value);
    else if (value.kind == WEIR_STRS)
        value.str = weir_arena_copy(arena, weir_str_of(text));
    else if (column->type == WEIR_CQL_BOOLEAN)
        status = parse_boolean(text, &value.i64);
    else if (column->type == WEIR_CQL_TIMESTAMP)
        status = cell_parse_time(text, &value.i64);
    else if (value.kind == WEIR_I64)
        status = weir_parse_i64(weir_str_of(text), &value.i64);
    else
        status = weir_parse_f64(weir_str_of(text), &value.f64);
    if (status < 0)
        return weir_fail(err, WEIR_USAGE, WEIR_STOP, "'%.80s' is no %s, which column '%s' holds", text, weir_cql_type_name(column->type),
                         column->name);
    *ret = value;
    return 0;
}
