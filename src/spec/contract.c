// SPDX-License-Identifier: Apache-2.0
#include "spec/contract.h"
#include "base/memory.h"
#include <ctype.h>
#include <jansson.h>

enum { NAME_BYTES = 200 };

// hourly_aggregates → HourlyAggregate
static void record_name(const char *table, char *out, size_t bytes)
{
    size_t used = 0;
    bool start = true;
    for (; *table && used + 1 < bytes; table++) {
        bool letter = isalnum((unsigned char)*table) != 0;
        if (letter)
            out[used++] = start ? (char)toupper((unsigned char)*table) : *table;
        start = !letter;
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

static json_t *field_of(const struct weir_query_spec *query, uint32_t column)
{
    const struct weir_table_column *c = &query->table.columns[column];
    json_t *type = type_of(c->type);
    if (weir_table_is_key(&query->table, column) || !query->columns[column]->nullable)
        return json_pack("{s:s, s:o}", "name", c->name, "type", type);
    return json_pack("{s:s, s:[s, o], s:n}", "name", c->name, "type", "null", type, "default");
}

static const char *space_of(const struct weir_plan *plan, struct weir_arena *arena)
{
    const char *name = plan->event.record_name, *dot = name ? strrchr(name, '.') : NULL;
    return dot ? weir_arena_copy(arena, (struct weir_str){name, (uint32_t)(dot - name)}).data : NULL;
}

static void add_json(struct weir_buffer *out, json_t *schema)
{
    weir_cleanup(weir_freep) char *text = json_dumps(schema, JSON_COMPACT);
    weir_assert(text);
    weir_buffer_add(out, text, strlen(text));
    json_decref(schema);
}

static json_t *record(const char *of, const char *space, const char *doc)
{
    char name[NAME_BYTES];
    record_name(of, name, sizeof name);
    json_t *schema = json_pack("{s:s, s:s}", "type", "record", "name", name);
    if (space)
        json_object_set_new(schema, "namespace", json_string(space));
    json_object_set_new(schema, "doc", json_string(doc));
    return schema;
}

void weir_contract_rows(struct weir_buffer *out, const struct weir_plan *plan, const struct weir_query_spec *query)
{
    weir_cleanup(weir_arena_drop) struct weir_arena arena = {0};
    const char *doc = weir_arena_format(&arena, "A row of the table %s of the pipeline %s.", query->table.name, plan->pipeline);
    json_t *schema = record(query->table.name, space_of(plan, &arena), doc), *fields = json_array();
    for (uint32_t i = 0; i < query->table.column_count; i++)
        json_array_append_new(fields, field_of(query, i));
    json_object_set_new(schema, "fields", fields);
    add_json(out, schema);
}

char *weir_contract_rows_subject(const struct weir_plan *plan, const struct weir_query_spec *query)
{
    return weir_format("%s.%s-value", plan->keyspace, query->table.name);
}

// ---- events

static json_t *event_field(const struct weir_field *f)
{
    const char *type = weir_type_name(f->type); // names are Avro's
    return f->optional ? json_pack("{s:s, s:[s, s], s:n}", "name", f->name, "type", "null", type, "default")
                       : json_pack("{s:s, s:s}", "name", f->name, "type", type);
}

void weir_contract_event(struct weir_buffer *out, const struct weir_plan *plan)
{
    if (plan->event.schema_text) {
        weir_buffer_add(out, plan->event.schema_text, strlen(plan->event.schema_text));
        return;
    }
    weir_cleanup(weir_arena_drop) struct weir_arena arena = {0};
    const char *doc = weir_arena_format(&arena, "An event of the topic %s, written as JSON.", plan->topic.name);
    bool usable = isalpha((unsigned char)*plan->topic.name) != 0; // a topic may begin with what no record can
    json_t *schema = record(usable ? plan->topic.name : "events", NULL, doc), *fields = json_array();
    for (uint32_t i = 0; i < plan->event.field_count; i++)
        json_array_append_new(fields, event_field(&plan->event.fields[i]));
    json_object_set_new(schema, "fields", fields);
    add_json(out, schema);
}
