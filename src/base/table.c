// SPDX-License-Identifier: Apache-2.0
#include "base/table.h"

static const struct {
    const char *name;
    enum weir_kind kind;
} cql_types[WEIR_CQL_TYPE_COUNT] = {
    [WEIR_CQL_TEXT] = {"text", WEIR_STRS},    [WEIR_CQL_UUID] = {"uuid", WEIR_STRS},          [WEIR_CQL_BOOLEAN] = {"boolean", WEIR_I64},
    [WEIR_CQL_INT] = {"int", WEIR_I64},       [WEIR_CQL_BIGINT] = {"bigint", WEIR_I64},       [WEIR_CQL_FLOAT] = {"float", WEIR_F64},
    [WEIR_CQL_DOUBLE] = {"double", WEIR_F64}, [WEIR_CQL_TIMESTAMP] = {"timestamp", WEIR_I64},
};

const char *weir_cql_type_name(enum weir_cql_type type)
{
    return cql_types[type].name;
}

int weir_cql_type_parse(struct weir_str name, enum weir_cql_type *ret)
{
    for (int t = 0; t < WEIR_CQL_TYPE_COUNT; t++)
        if (weir_str_is(name, cql_types[t].name)) {
            *ret = (enum weir_cql_type)t;
            return 0;
        }
    return -1;
}

enum weir_kind weir_cql_kind(enum weir_cql_type type)
{
    return cql_types[type].kind;
}

uint32_t weir_table_key_count(const struct weir_table *table)
{
    return table->partition_count + table->clustering_count;
}

uint32_t weir_table_key(const struct weir_table *table, uint32_t index)
{
    return index < table->partition_count ? table->partition[index] : table->clustering[index - table->partition_count].column;
}

bool weir_table_is_key(const struct weir_table *table, uint32_t column)
{
    for (uint32_t i = 0; i < weir_table_key_count(table); i++)
        if (weir_table_key(table, i) == column)
            return true;
    return false;
}
