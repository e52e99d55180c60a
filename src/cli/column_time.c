// SPDX-License-Identifier: Apache-2.0
#include "cli/column_time.h"
#include "base/time.h"

int column_time_unit(const struct weir_plan *plan, const struct weir_query_spec *query, uint32_t column)
{
    const struct weir_expr *expr = query->columns[column];
    enum weir_cql_type type = query->table.columns[column].type;
    if (weir_cql_kind(type) != WEIR_I64)
        return -1;
    if (type == WEIR_CQL_TIMESTAMP || expr->type == WEIR_TIMESTAMP || expr->op == WEIR_OP_EPOCH_MS || expr->op == WEIR_OP_EVENT_TIME)
        return WEIR_UNIT_MS;
    if (expr->op == WEIR_OP_EPOCH_S)
        return WEIR_UNIT_S;
    if (expr->op == WEIR_OP_FIELD && expr->index == plan->event.time_field && plan->event.time_unit != WEIR_UNIT_ISO8601)
        return (int)plan->event.time_unit;
    return -1;
}

int64_t column_time_from_ms(int64_t ms, int unit)
{
    return unit == WEIR_UNIT_S ? weir_floor_div(ms, 1000) : unit == WEIR_UNIT_US ? ms * 1000 : ms;
}

int64_t column_time_to_ms(int64_t value, int unit)
{
    return unit == WEIR_UNIT_S ? value * 1000 : unit == WEIR_UNIT_US ? weir_floor_div(value, 1000) : value;
}
