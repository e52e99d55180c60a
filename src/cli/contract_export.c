// SPDX-License-Identifier: Apache-2.0
#include "base/memory.h"
#include "cli/contract.h"
#include <ctype.h>
#include <jansson.h>
#include <stdlib.h>

// hourly_aggregates → HourlyAggregate
static void record_name(const char *table, char *out, size_t bytes)
{
    size_t used = 0;
    bool start = true;
    for (; *table && used + 1 < bytes; table++) {
        if (*table != '_')
            out[used++] = start ? (char)toupper((unsigned char)*table) : *table;
        start = *table == '_';
    }
    bool plural = used > 2 && out[used - 1] == 's' && out[used - 2] != 's';
    out[plural ? used - 1 : used] = 0;
}

static json_t *type_of(enum weir_cql_type type)
{
    switch (type) {
    case WEIR_CQL_UUID:
        return json_pack("{s:s, s:s}", "type", "string", "logicalType", "uuid");
    case WEIR_CQL_TIMESTAMP:
        return json_pack("{s:s, s:s}", "type", "long", "logicalType", "timestamp-millis");
    case WEIR_CQL_BOOLEAN:
        return json_string("boolean");
    case WEIR_CQL_INT:
        return json_string("int");
    case WEIR_CQL_BIGINT:
        return json_string("long");
    case WEIR_CQL_FLOAT:
        return json_string("float");
    case WEIR_CQL_DOUBLE:
        return json_string("double");
    default:
        return json_string("string");
    }
}

static bool is_key(const struct weir_table *table, uint32_t column)
{
    for (uint32_t i = 0; i < table->partition_count; i++)
        if (table->partition[i] == column)
            return true;
    for (uint32_t i = 0; i < table->clustering_count; i++)
        if (table->clustering[i].column == column)
            return true;
    return false;
}

static json_t *field_of(const struct weir_query_spec *query, uint32_t column)
{
    const struct weir_table_column *c = &query->table.columns[column];
    json_t *type = type_of(c->type);
    if (is_key(&query->table, column) || !query->columns[column]->nullable)
        return json_pack("{s:s, s:o}", "name", c->name, "type", type);
    return json_pack("{s:s, s:[s, o], s:n}", "name", c->name, "type", "null", type, "default");
}

static const char *space_of(const struct weir_plan *plan, struct weir_arena *arena)
{
    const char *name = plan->event.record_name, *dot = name ? strrchr(name, '.') : NULL;
    return dot ? weir_arena_copy(arena, (struct weir_str){name, (uint32_t)(dot - name)}).data : NULL;
}

void contract_export(FILE *out, const struct weir_plan *plan, const struct weir_query_spec *query)
{
    weir_cleanup(weir_arena_drop) struct weir_arena arena = {0};
    char name[200], doc[300];
    record_name(query->table.name, name, sizeof name);
    snprintf(doc, sizeof doc, "A row of the table %s of the pipeline %s.", query->table.name, plan->pipeline);
    json_t *schema = json_pack("{s:s, s:s}", "type", "record", "name", name), *fields = json_array();
    const char *space = space_of(plan, &arena);
    if (space)
        json_object_set_new(schema, "namespace", json_string(space));
    json_object_set_new(schema, "doc", json_string(doc));
    for (uint32_t i = 0; i < query->table.column_count; i++)
        json_array_append_new(fields, field_of(query, i));
    json_object_set_new(schema, "fields", fields);
    char *text = json_dumps(schema, JSON_COMPACT);
    fprintf(out, "%s\n", text ? text : "");
    free(text);
    json_decref(schema);
}
