// SPDX-License-Identifier: Apache-2.0
#include "avro/parse.h"

#include "base/memory.h"

static const char *const kind_names[] = {
    [WEIR_AVRO_NULL] = "null",     [WEIR_AVRO_BOOLEAN] = "boolean", [WEIR_AVRO_INT] = "int",     [WEIR_AVRO_LONG] = "long",
    [WEIR_AVRO_FLOAT] = "float",   [WEIR_AVRO_DOUBLE] = "double",   [WEIR_AVRO_BYTES] = "bytes", [WEIR_AVRO_STRING] = "string",
    [WEIR_AVRO_RECORD] = "record", [WEIR_AVRO_ENUM] = "enum",       [WEIR_AVRO_ARRAY] = "array", [WEIR_AVRO_MAP] = "map",
    [WEIR_AVRO_UNION] = "union",   [WEIR_AVRO_FIXED] = "fixed",
};

const char *weir_avro_kind_name(enum weir_avro_kind kind)
{
    return kind_names[kind];
}

bool name_primitive(struct weir_str text, enum weir_avro_kind *ret)
{
    for (int kind = WEIR_AVRO_NULL; kind <= WEIR_AVRO_STRING; kind++)
        if (weir_str_is(text, kind_names[kind])) {
            *ret = (enum weir_avro_kind)kind;
            return true;
        }
    return false;
}

static bool letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

bool name_is_simple(struct weir_str text)
{
    if (text.bytes == 0 || text.bytes > PARSE_NAME_BYTES_MAX || !letter(text.data[0]))
        return false;
    for (uint32_t i = 1; i < text.bytes; i++)
        if (!letter(text.data[i]) && !(text.data[i] >= '0' && text.data[i] <= '9'))
            return false;
    return true;
}

bool name_is_full(struct weir_str text)
{
    if (text.bytes > PARSE_NAME_BYTES_MAX)
        return false;
    const char *dot;
    while ((dot = text.bytes ? memchr(text.data, '.', text.bytes) : NULL)) {
        uint32_t part = (uint32_t)(dot - text.data);
        if (!name_is_simple((struct weir_str){text.data, part}))
            return false;
        text = (struct weir_str){dot + 1, text.bytes - part - 1};
    }
    return name_is_simple(text);
}

struct weir_str name_space(const char *full_name)
{
    const char *dot = strrchr(full_name, '.');
    return (struct weir_str){full_name, dot ? (uint32_t)(dot - full_name) : 0};
}

const char *weir_avro_short_name(const char *full_name)
{
    const char *dot = strrchr(full_name, '.');
    return dot ? dot + 1 : full_name;
}

struct weir_str name_text(const json_t *string)
{
    if (!json_is_string(string))
        return (struct weir_str){"", 0};
    return (struct weir_str){json_string_value(string), (uint32_t)json_string_length(string)};
}

static const char *qualify(struct weir_arena *arena, struct weir_str text, struct weir_str space)
{
    if (space.bytes == 0 || memchr(text.data, '.', text.bytes))
        return weir_arena_copy(arena, text).data;
    return weir_arena_format(arena, "%.*s.%.*s", (int)space.bytes, space.data, (int)text.bytes, text.data);
}

int name_list(struct parse *p, const json_t *object, const char *key, bool (*valid)(struct weir_str), struct weir_str space, uint32_t *ret_count,
              const char ***ret)
{
    const json_t *list = json_object_get(object, key);
    *ret_count = 0;
    if (!list)
        return 0;
    if (!json_is_array(list))
        return parse_fail(p, "'%s' must be a list of names", key);
    uint32_t count = (uint32_t)json_array_size(list);
    const char **items = weir_arena_alloc(p->arena, count * sizeof *items);
    for (uint32_t i = 0; i < count; i++) {
        struct weir_str text = name_text(json_array_get(list, i));
        if (!valid(text))
            return parse_fail(p, "%s[%u] is not a name", key, i);
        items[i] = qualify(p->arena, text, space);
    }
    *ret_count = count;
    *ret = items;
    return 0;
}

static const struct weir_avro_schema *find_full(const struct parse *p, struct weir_str full)
{
    for (size_t i = 0; i < p->name_count; i++)
        if (weir_str_is(full, p->names[i]->name))
            return p->names[i];
    return NULL;
}

const struct weir_avro_schema *name_find(const struct parse *p, struct weir_str text, struct weir_str space)
{
    char full[2 * PARSE_NAME_BYTES_MAX + 2];
    if (text.bytes == 0 || text.bytes > PARSE_NAME_BYTES_MAX || space.bytes > PARSE_NAME_BYTES_MAX)
        return NULL;
    if (space.bytes && !memchr(text.data, '.', text.bytes)) {
        memcpy(full, space.data, space.bytes);
        full[space.bytes] = '.';
        memcpy(full + space.bytes + 1, text.data, text.bytes);
        const struct weir_avro_schema *found = find_full(p, (struct weir_str){full, space.bytes + 1 + text.bytes});
        if (found)
            return found;
    }
    return find_full(p, text);
}

// The namespace a definition is in: its own attribute's, or else that around it.
static int definition_space(struct parse *p, const json_t *json, struct weir_str around, struct weir_str *ret)
{
    const json_t *attribute = json_object_get(json, "namespace");
    *ret = attribute ? name_text(attribute) : around;
    if (attribute && !json_is_string(attribute) && !json_is_null(attribute))
        return parse_fail(p, "'namespace' must be a string");
    if (ret->bytes && !name_is_full(*ret))
        return parse_fail(p, "'%.*s' is not a namespace", (int)(ret->bytes < 64 ? ret->bytes : 64), ret->data);
    return 0;
}

int name_define(struct parse *p, const json_t *json, struct weir_str space, struct weir_avro_schema *schema)
{
    struct weir_str name = name_text(json_object_get(json, "name")), own_space;
    enum weir_avro_kind primitive;
    if (name.bytes == 0)
        return parse_fail(p, "%s without a name", kind_names[schema->kind]);
    if (!name_is_full(name))
        return parse_fail(p, "'%.*s' is not a name (letters, digits and _, not starting with a digit)", (int)(name.bytes < 64 ? name.bytes : 64),
                          name.data);
    if (name_primitive(name, &primitive))
        return parse_fail(p, "'%.*s' is a primitive type and cannot be defined", (int)name.bytes, name.data);
    if (definition_space(p, json, space, &own_space) < 0)
        return -1;
    const char *full = qualify(p->arena, name, own_space);
    if (find_full(p, weir_str_of(full)))
        return parse_fail(p, "'%s' is defined twice", full);
    if (p->name_count == PARSE_ITEMS_MAX)
        return parse_fail(p, "more than %d named types", PARSE_ITEMS_MAX);
    schema->name = full;
    weir_grow(&p->names, &p->name_capacity, p->name_count + 1, sizeof *p->names);
    p->names[p->name_count++] = schema;
    return name_list(p, json, "aliases", name_is_full, name_space(full), &schema->alias_count, &schema->aliases);
}
