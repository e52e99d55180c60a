// SPDX-License-Identifier: Apache-2.0
#include "avro/parse.h"

#include "base/memory.h"

static const struct weir_avro_schema primitives[] = {
    [WEIR_AVRO_NULL] = {.kind = WEIR_AVRO_NULL},   [WEIR_AVRO_BOOLEAN] = {.kind = WEIR_AVRO_BOOLEAN}, [WEIR_AVRO_INT] = {.kind = WEIR_AVRO_INT},
    [WEIR_AVRO_LONG] = {.kind = WEIR_AVRO_LONG},   [WEIR_AVRO_FLOAT] = {.kind = WEIR_AVRO_FLOAT},     [WEIR_AVRO_DOUBLE] = {.kind = WEIR_AVRO_DOUBLE},
    [WEIR_AVRO_BYTES] = {.kind = WEIR_AVRO_BYTES}, [WEIR_AVRO_STRING] = {.kind = WEIR_AVRO_STRING},
};

static struct weir_avro_schema *new_schema(struct parse *p, enum weir_avro_kind kind)
{
    struct weir_avro_schema *schema = weir_arena_zalloc(p->arena, sizeof *schema);
    schema->kind = kind;
    return schema;
}

static int parse_field_order(struct parse *p, const json_t *json)
{
    const json_t *order = json_object_get(json, "order");
    struct weir_str text = name_text(order);
    if (order && !weir_str_is(text, "ascending") && !weir_str_is(text, "descending") && !weir_str_is(text, "ignore"))
        return parse_fail(p, "'order' must be ascending, descending or ignore");
    return 0;
}

static void note_default(struct parse *p, const struct weir_avro_field *field)
{
    weir_grow(&p->defaults, &p->default_capacity, p->default_count + 1, sizeof *p->defaults);
    const char *path = weir_arena_copy(p->arena, (struct weir_str){p->path, p->path_bytes}).data;
    p->defaults[p->default_count++] = (struct parse_default){field, path};
}

static int parse_field(struct parse *p, const json_t *json, struct weir_str space, struct weir_avro_field *field)
{
    struct weir_str name = name_text(json_object_get(json, "name"));
    if (!json_is_object(json))
        return parse_fail(p, "a field must be an object");
    if (!name_is_simple(name))
        return parse_fail(p, name.bytes ? "'%.*s' is not a field name" : "a field without a name%.*s", (int)(name.bytes < 64 ? name.bytes : 64),
                          name.data);
    field->name = weir_arena_copy(p->arena, name).data;
    const json_t *type = json_object_get(json, "type");
    if (!type)
        return parse_fail(p, "field '%s' has no type", field->name);
    uint32_t mark = parse_enter(p, ".type");
    field->schema = parse_type(p, type, space);
    if (!field->schema)
        return -1;
    parse_leave(p, mark);
    field->default_value = json_object_get(json, "default");
    if (field->default_value)
        note_default(p, field);
    if (parse_field_order(p, json) < 0)
        return -1;
    return name_list(p, json, "aliases", name_is_simple, (struct weir_str){"", 0}, &field->alias_count, &field->aliases);
}

static int refuse_duplicate_fields(struct parse *p, const struct weir_avro_schema *record, uint32_t last)
{
    for (uint32_t i = 0; i < last; i++)
        if (strcmp(record->fields[i].name, record->fields[last].name) == 0)
            return parse_fail(p, "field '%s' is there twice", record->fields[last].name);
    return 0;
}

static int parse_record(struct parse *p, const json_t *json, struct weir_str space, struct weir_avro_schema *schema)
{
    const json_t *fields = json_object_get(json, "fields");
    if (name_define(p, json, space, schema) < 0)
        return -1;
    if (!json_is_array(fields))
        return parse_fail(p, "record '%s' needs a list of fields", schema->name);
    size_t count = json_array_size(fields);
    if (count > PARSE_ITEMS_MAX)
        return parse_fail(p, "record '%s' has more than %d fields", schema->name, PARSE_ITEMS_MAX);
    schema->fields = weir_arena_zalloc(p->arena, count * sizeof *schema->fields);
    for (uint32_t i = 0; i < count; i++) {
        uint32_t mark = parse_enter(p, "%sfields[%u]", p->path_bytes ? "." : "", i);
        if (parse_field(p, json_array_get(fields, i), name_space(schema->name), &schema->fields[i]) < 0 || refuse_duplicate_fields(p, schema, i) < 0)
            return -1;
        parse_leave(p, mark);
    }
    schema->field_count = (uint32_t)count;
    return 0;
}

static int parse_enum_default(struct parse *p, const json_t *json, struct weir_avro_schema *schema)
{
    const json_t *value = json_object_get(json, "default");
    if (!value)
        return 0;
    for (uint32_t i = 0; i < schema->symbol_count; i++)
        if (json_is_string(value) && weir_str_is(name_text(value), schema->symbols[i])) {
            schema->enum_default = schema->symbols[i];
            return 0;
        }
    return parse_fail(p, "the default of enum '%s' is none of its symbols", schema->name);
}

static int parse_enum(struct parse *p, const json_t *json, struct weir_str space, struct weir_avro_schema *schema)
{
    if (name_define(p, json, space, schema) < 0)
        return -1;
    if (!json_object_get(json, "symbols"))
        return parse_fail(p, "enum '%s' has no symbols", schema->name);
    if (json_array_size(json_object_get(json, "symbols")) > PARSE_ITEMS_MAX)
        return parse_fail(p, "enum '%s' has more than %d symbols", schema->name, PARSE_ITEMS_MAX);
    if (name_list(p, json, "symbols", name_is_simple, (struct weir_str){"", 0}, &schema->symbol_count, &schema->symbols) < 0)
        return -1;
    for (uint32_t i = 0; i < schema->symbol_count; i++)
        for (uint32_t k = 0; k < i; k++)
            if (strcmp(schema->symbols[i], schema->symbols[k]) == 0)
                return parse_fail(p, "symbol '%s' is there twice", schema->symbols[i]);
    return parse_enum_default(p, json, schema);
}

static int parse_fixed(struct parse *p, const json_t *json, struct weir_str space, struct weir_avro_schema *schema)
{
    const json_t *size = json_object_get(json, "size");
    if (name_define(p, json, space, schema) < 0)
        return -1;
    if (!json_is_integer(size) || json_integer_value(size) < 0 || json_integer_value(size) > INT32_MAX)
        return parse_fail(p, "fixed '%s' needs a size from 0 to %d", schema->name, INT32_MAX);
    schema->fixed_bytes = (uint32_t)json_integer_value(size);
    return 0;
}

static int parse_items(struct parse *p, const json_t *json, const char *key, struct weir_str space, struct weir_avro_schema *schema)
{
    const json_t *items = json_object_get(json, key);
    if (!items)
        return parse_fail(p, "%s without '%s'", weir_avro_kind_name(schema->kind), key);
    uint32_t mark = parse_enter(p, "%s%s", p->path_bytes ? "." : "", key);
    schema->items = parse_type(p, items, space);
    if (!schema->items)
        return -1;
    parse_leave(p, mark);
    return 0;
}

static bool same_branch(const struct weir_avro_schema *a, const struct weir_avro_schema *b)
{
    return a->kind == b->kind && (!a->name || strcmp(a->name, b->name) == 0);
}

static int check_branch(struct parse *p, const struct weir_avro_schema *schema, uint32_t last)
{
    const struct weir_avro_schema *branch = schema->branches[last];
    if (branch->kind == WEIR_AVRO_UNION)
        return parse_fail(p, "a union directly inside a union");
    for (uint32_t i = 0; i < last; i++)
        if (same_branch(schema->branches[i], branch))
            return parse_fail(p, "a union has %s twice", branch->name ? branch->name : weir_avro_kind_name(branch->kind));
    return 0;
}

static int parse_union(struct parse *p, const json_t *json, struct weir_str space, struct weir_avro_schema *schema)
{
    size_t count = json_array_size(json);
    if (count == 0 || count > PARSE_ITEMS_MAX)
        return parse_fail(p, count ? "a union with more than %d branches" : "a union without branches%.0d", PARSE_ITEMS_MAX);
    schema->branches = weir_arena_alloc(p->arena, count * sizeof(void *));
    for (uint32_t i = 0; i < count; i++) {
        uint32_t mark = parse_enter(p, "[%u]", i);
        schema->branches[i] = parse_type(p, json_array_get(json, i), space);
        if (!schema->branches[i] || check_branch(p, schema, i) < 0)
            return -1;
        parse_leave(p, mark);
    }
    schema->branch_count = (uint32_t)count;
    return 0;
}

static const struct weir_avro_schema *parse_name(struct parse *p, struct weir_str text, struct weir_str space)
{
    enum weir_avro_kind kind;
    if (name_primitive(text, &kind))
        return &primitives[kind];
    const struct weir_avro_schema *found = name_find(p, text, space);
    if (!found)
        parse_fail(p, "unknown type '%.*s'", (int)(text.bytes < 128 ? text.bytes : 128), text.data);
    return found;
}

static int parse_body(struct parse *p, const json_t *json, struct weir_str space, struct weir_avro_schema *schema)
{
    switch (schema->kind) {
    case WEIR_AVRO_RECORD:
        return parse_record(p, json, space, schema);
    case WEIR_AVRO_ENUM:
        return parse_enum(p, json, space, schema);
    case WEIR_AVRO_FIXED:
        return parse_fixed(p, json, space, schema);
    case WEIR_AVRO_ARRAY:
        return parse_items(p, json, "items", space, schema);
    case WEIR_AVRO_MAP:
        return parse_items(p, json, "values", space, schema);
    default:
        return 0;
    }
}

static bool complex_kind(struct weir_str text, enum weir_avro_kind *ret)
{
    static const enum weir_avro_kind kinds[] = {WEIR_AVRO_RECORD, WEIR_AVRO_ENUM, WEIR_AVRO_ARRAY, WEIR_AVRO_MAP, WEIR_AVRO_FIXED};
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (weir_str_is(text, weir_avro_kind_name(kinds[i]))) {
            *ret = kinds[i];
            return true;
        }
    *ret = WEIR_AVRO_RECORD;
    return weir_str_is(text, "error"); // a record that a protocol throws
}

static const struct weir_avro_schema *parse_object(struct parse *p, const json_t *json, struct weir_str space)
{
    struct weir_str text = name_text(json_object_get(json, "type")), logical = name_text(json_object_get(json, "logicalType"));
    enum weir_avro_kind kind;
    if (text.bytes == 0) {
        parse_fail(p, "'type' must be the name of a type");
        return NULL;
    }
    bool primitive = name_primitive(text, &kind);
    if (!primitive && !complex_kind(text, &kind))
        return parse_name(p, text, space);
    struct weir_avro_schema *schema = new_schema(p, kind);
    if (logical.bytes)
        schema->logical_type = weir_arena_copy(p->arena, logical).data;
    if (!primitive && parse_body(p, json, space, schema) < 0)
        return NULL;
    logical_read(json, schema);
    return schema;
}

const struct weir_avro_schema *parse_type(struct parse *p, const json_t *json, struct weir_str space)
{
    const struct weir_avro_schema *schema = NULL;
    if (p->depth == PARSE_DEPTH_MAX) {
        parse_fail(p, "types nest deeper than %d levels", PARSE_DEPTH_MAX);
        return NULL;
    }
    p->depth++;
    if (json_is_string(json)) {
        schema = parse_name(p, name_text(json), space);
    } else if (json_is_object(json)) {
        schema = parse_object(p, json, space);
    } else if (json_is_array(json)) {
        struct weir_avro_schema *own = new_schema(p, WEIR_AVRO_UNION);
        schema = parse_union(p, json, space, own) == 0 ? own : NULL;
    } else {
        parse_fail(p, "a type is a name, an object or a list");
    }
    p->depth--;
    return schema;
}
