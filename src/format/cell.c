// SPDX-License-Identifier: Apache-2.0
#include "format/cell.h"

#include "base/number.h"
#include "base/time.h"
#include "base/uuid.h"

struct weir_str weir_cell_text(enum weir_cql_type type, const struct weir_value *value, char text[WEIR_CELL_BYTES])
{
    switch (type) {
    case WEIR_CQL_TEXT:
    case WEIR_CQL_UUID:
        return value->str;
    case WEIR_CQL_BOOLEAN:
        return value->i64 ? WEIR_STR("true") : WEIR_STR("false");
    case WEIR_CQL_FLOAT:
        return (struct weir_str){text, (uint32_t)weir_format_f32((float)value->f64, text)};
    case WEIR_CQL_DOUBLE:
        return (struct weir_str){text, (uint32_t)weir_format_f64(value->f64, text)};
    case WEIR_CQL_TIMESTAMP:
        weir_iso8601_format(value->i64, text);
        return weir_str_of(text);
    case WEIR_CQL_INT:
    case WEIR_CQL_BIGINT:
    case WEIR_CQL_TYPE_COUNT:
        break;
    }
    return (struct weir_str){text, (uint32_t)weir_format_i64(value->i64, text)};
}

// ---- from text

int weir_moment_parse(struct weir_str text, int64_t *ret_ms)
{
    const int64_t seconds_max = 100000000000;
    int64_t number;
    if (weir_parse_i64(text, &number) < 0)
        return weir_iso8601_parse(text, ret_ms);
    *ret_ms = number > -seconds_max && number < seconds_max ? number * 1000 : number;
    return 0;
}

static int parse_uuid(struct weir_str text, struct weir_arena *arena, struct weir_str *ret)
{
    uint8_t id[16];
    char lower[37];
    if (weir_uuid_parse(text, id) < 0)
        return -1;
    weir_uuid_format(id, lower);
    *ret = weir_arena_copy(arena, weir_str_of(lower));
    return 0;
}

static int parse_boolean(struct weir_str text, int64_t *ret)
{
    *ret = weir_str_is(text, "true");
    return *ret || weir_str_is(text, "false") ? 0 : -1;
}

static int parse_integer(enum weir_cql_type type, struct weir_str text, int64_t *ret)
{
    if (weir_parse_i64(text, ret) < 0)
        return -1;
    return type == WEIR_CQL_INT && (*ret < INT32_MIN || *ret > INT32_MAX) ? -1 : 0;
}

static int parse_kind(enum weir_cql_type type, struct weir_str text, struct weir_arena *arena, struct weir_value *ret)
{
    switch (type) {
    case WEIR_CQL_UUID:
        return parse_uuid(text, arena, &ret->str);
    case WEIR_CQL_TEXT:
        ret->str = weir_arena_copy(arena, text);
        return 0;
    case WEIR_CQL_BOOLEAN:
        return parse_boolean(text, &ret->i64);
    case WEIR_CQL_TIMESTAMP:
        return weir_moment_parse(text, &ret->i64);
    case WEIR_CQL_FLOAT:
    case WEIR_CQL_DOUBLE:
        return weir_parse_f64(text, &ret->f64);
    case WEIR_CQL_INT:
    case WEIR_CQL_BIGINT:
    case WEIR_CQL_TYPE_COUNT:
        break;
    }
    return parse_integer(type, text, &ret->i64);
}

int weir_cell_parse(const struct weir_table_column *column, struct weir_str text, struct weir_arena *arena, struct weir_value *ret)
{
    struct weir_value value = {.kind = weir_cql_kind(column->type)};
    if (parse_kind(column->type, text, arena, &value) < 0)
        return -1;
    *ret = value;
    return 0;
}

// ---- bounds

int weir_column_unit(const struct weir_plan *plan, const struct weir_query_spec *query, uint32_t column)
{
    const struct weir_expr *expr = query->columns[column];
    enum weir_cql_type type = query->table.columns[column].type;
    if (weir_cql_kind(type) != WEIR_I64)
        return -1;
    if (type == WEIR_CQL_TIMESTAMP || expr->type == WEIR_TIMESTAMP || expr->op == WEIR_OP_EPOCH_MS || expr->op == WEIR_OP_EVENT_TIME)
        return WEIR_UNIT_MS;
    if (expr->op == WEIR_OP_EPOCH_S)
        return WEIR_UNIT_S;
    bool is_time = expr->op == WEIR_OP_FIELD && expr->index == plan->event.time_field && plan->event.time_unit != WEIR_UNIT_ISO8601;
    return is_time ? (int)plan->event.time_unit : -1;
}

// An epoch may be in seconds, milliseconds or, where the column is, microseconds.
static int parse_moment(struct weir_str text, int unit, int64_t *ret)
{
    const int64_t us_min = 100000000000000;
    int64_t ms;
    if (unit == WEIR_UNIT_US && weir_parse_i64(text, &ms) == 0 && ms >= us_min) {
        *ret = ms;
        return 0;
    }
    if (weir_moment_parse(text, &ms) < 0)
        return -1;
    *ret = ms;
    if (unit == WEIR_UNIT_S)
        *ret = weir_floor_div(ms, 1000);
    return unit == WEIR_UNIT_US && __builtin_mul_overflow(ms, 1000, ret) ? -1 : 0;
}

int weir_bound_parse(const struct weir_plan *plan, const struct weir_query_spec *query, struct weir_str text, struct weir_arena *arena,
                     struct weir_value *ret)
{
    const struct weir_table *table = &query->table;
    struct weir_value value = {.kind = WEIR_I64};
    int unit = table->windowed ? WEIR_UNIT_MS : weir_column_unit(plan, query, table->clustering[0].column);
    if (unit < 0)
        return weir_cell_parse(&table->columns[table->clustering[0].column], text, arena, ret);
    if (parse_moment(text, unit, &value.i64) < 0)
        return -1;
    *ret = value;
    return 0;
}
