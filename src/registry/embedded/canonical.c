// SPDX-License-Identifier: Apache-2.0
#include "base/number.h"
#include "registry/embedded/inside.h"
#include <stdlib.h>

static const char *const type_keys[] = {"type", "name", "namespace", "doc", "fields", "symbols", "size", "items", "values", "default", NULL};
static const char *const field_keys[] = {"name", "type", "doc", "default", "order", NULL};

struct printing {
    struct weir_buffer *out;
    bool sorted; // properties that mean nothing to Avro, by name
};

static void print_schema(const struct printing *p, const json_t *schema, struct weir_str space);

static void print_json(struct weir_buffer *out, const json_t *value, bool sorted);

static void print_text(struct weir_buffer *out, const char *text, size_t bytes)
{
    json_t *string = json_stringn_nocheck(text, bytes);
    char *quoted = json_dumps(string, JSON_ENCODE_ANY);
    if (quoted)
        weir_buffer_add(out, quoted, strlen(quoted));
    free(quoted);
    json_decref(string);
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

// The keys of an object, in its own order or sorted; the caller's.
static const char **keys_of(const json_t *object, bool sorted, size_t *ret_count)
{
    const char **keys = weir_zalloc(json_object_size(object) + 1, sizeof *keys), *key;
    json_t *value;
    size_t count = 0;
    json_object_foreach((json_t *)(uintptr_t)object, key, value) keys[count++] = key;
    if (sorted)
        qsort(keys, count, sizeof *keys, by_name);
    *ret_count = count;
    return keys;
}

static void print_object(struct weir_buffer *out, const json_t *object, bool sorted)
{
    size_t count;
    weir_cleanup(weir_freep) const char **keys = keys_of(object, sorted, &count);
    weir_buffer_byte(out, '{');
    for (size_t i = 0; i < count; i++) {
        if (i)
            weir_buffer_byte(out, ',');
        print_text(out, keys[i], strlen(keys[i]));
        weir_buffer_byte(out, ':');
        print_json(out, json_object_get(object, keys[i]), sorted);
    }
    weir_buffer_byte(out, '}');
}

static void print_json(struct weir_buffer *out, const json_t *value, bool sorted)
{
    char number[32];
    switch (json_typeof(value)) {
    case JSON_OBJECT:
        print_object(out, value, sorted);
        break;
    case JSON_ARRAY:
        weir_buffer_byte(out, '[');
        for (size_t i = 0; i < json_array_size(value); i++) {
            if (i)
                weir_buffer_byte(out, ',');
            print_json(out, json_array_get(value, i), sorted);
        }
        weir_buffer_byte(out, ']');
        break;
    case JSON_STRING:
        print_text(out, json_string_value(value), json_string_length(value));
        break;
    case JSON_INTEGER:
        weir_buffer_add(out, number, weir_format_i64(json_integer_value(value), number));
        break;
    case JSON_REAL:
        weir_buffer_add(out, number, weir_format_f64(json_real_value(value), number));
        break;
    default:
        weir_buffer_format(out, "%s", json_is_true(value) ? "true" : json_is_false(value) ? "false" : "null");
    }
}

// ---- names

static struct weir_str text_of(const json_t *string)
{
    const char *text = json_string_value(string);
    return text ? (struct weir_str){text, (uint32_t)json_string_length(string)} : (struct weir_str){"", 0};
}

static struct weir_str before_dot(struct weir_str name)
{
    const char *dot = name.bytes ? memrchr(name.data, '.', name.bytes) : NULL;
    return dot ? (struct weir_str){name.data, (uint32_t)(dot - name.data)} : (struct weir_str){"", 0};
}

static struct weir_str after_dot(struct weir_str name)
{
    struct weir_str space = before_dot(name);
    uint32_t cut = memchr(name.data, '.', name.bytes) ? space.bytes + 1 : 0;
    return (struct weir_str){name.data + cut, name.bytes - cut};
}

static bool is_defined_by(const json_t *object)
{
    struct weir_str type = text_of(json_object_get(object, "type"));
    return weir_str_is(type, "record") || weir_str_is(type, "error") || weir_str_is(type, "enum") || weir_str_is(type, "fixed");
}

static struct weir_str space_of(const json_t *definition, struct weir_str space)
{
    struct weir_str name = text_of(json_object_get(definition, "name"));
    const json_t *own = json_object_get(definition, "namespace");
    return name.bytes && memchr(name.data, '.', name.bytes) ? before_dot(name) : own ? text_of(own) : space;
}

static void print_reference(struct weir_buffer *out, struct weir_str name, struct weir_str space)
{
    bool near = name.bytes && memchr(name.data, '.', name.bytes) && weir_str_eq(before_dot(name), space);
    struct weir_str shown = near ? after_dot(name) : name;
    print_text(out, shown.data, shown.bytes);
}

// ---- attributes

static bool is_among(const char *key, const char *const *keys)
{
    for (; *keys; keys++)
        if (strcmp(key, *keys) == 0)
            return true;
    return false;
}

static void key_of(struct weir_buffer *out, const char *key, bool *more)
{
    if (*more)
        weir_buffer_byte(out, ',');
    *more = true;
    print_text(out, key, strlen(key));
    weir_buffer_byte(out, ':');
}

// Attributes that mean nothing to Avro's form, then the aliases.
static void print_others(const struct printing *p, const json_t *object, const char *const *known, bool *more)
{
    size_t count;
    weir_cleanup(weir_freep) const char **keys = keys_of(object, p->sorted, &count);
    for (size_t i = 0; i < count; i++) {
        if (is_among(keys[i], known) || strcmp(keys[i], "aliases") == 0)
            continue;
        key_of(p->out, keys[i], more);
        print_json(p->out, json_object_get(object, keys[i]), p->sorted);
    }
    const json_t *aliases = json_object_get(object, "aliases");
    if (json_array_size(aliases)) {
        key_of(p->out, "aliases", more);
        print_json(p->out, aliases, p->sorted);
    }
}

static void print_field(const struct printing *p, const json_t *field, struct weir_str space)
{
    bool more = false;
    weir_buffer_byte(p->out, '{');
    for (const char *const *key = field_keys; *key; key++) {
        const json_t *value = json_object_get(field, *key);
        if (!value || (strcmp(*key, "order") == 0 && weir_str_is(text_of(value), "ascending")))
            continue;
        key_of(p->out, *key, &more);
        if (strcmp(*key, "type") == 0)
            print_schema(p, value, space);
        else
            print_json(p->out, value, p->sorted);
    }
    print_others(p, field, field_keys, &more);
    weir_buffer_byte(p->out, '}');
}

static void print_fields(const struct printing *p, const json_t *fields, struct weir_str space)
{
    weir_buffer_byte(p->out, '[');
    for (size_t i = 0; i < json_array_size(fields); i++) {
        if (i)
            weir_buffer_byte(p->out, ',');
        print_field(p, json_array_get(fields, i), space);
    }
    weir_buffer_byte(p->out, ']');
}

static void print_attribute(const struct printing *p, const char *key, const json_t *value, struct weir_str space, bool *more)
{
    key_of(p->out, key, more);
    if (strcmp(key, "fields") == 0)
        print_fields(p, value, space);
    else if (strcmp(key, "items") == 0 || strcmp(key, "values") == 0)
        print_schema(p, value, space);
    else
        print_json(p->out, value, p->sorted);
}

static void print_type(const struct printing *p, const json_t *object, struct weir_str outer)
{
    bool defines = is_defined_by(object), more = false;
    struct weir_str space = defines ? space_of(object, outer) : outer;
    weir_buffer_byte(p->out, '{');
    for (const char *const *key = type_keys; *key; key++) {
        const json_t *value = json_object_get(object, *key);
        if (defines && strcmp(*key, "namespace") == 0) {
            if (weir_str_eq(space, outer))
                continue;
            key_of(p->out, *key, &more);
            print_text(p->out, space.data, space.bytes);
        } else if (defines && strcmp(*key, "name") == 0) {
            struct weir_str name = after_dot(text_of(value));
            key_of(p->out, *key, &more);
            print_text(p->out, name.data, name.bytes);
        } else if (value) {
            print_attribute(p, *key, value, space, &more);
        }
    }
    print_others(p, object, type_keys, &more);
    weir_buffer_byte(p->out, '}');
}

static void print_schema(const struct printing *p, const json_t *schema, struct weir_str space)
{
    const json_t *type = json_object_get(schema, "type");
    if (json_is_array(schema)) {
        weir_buffer_byte(p->out, '[');
        for (size_t i = 0; i < json_array_size(schema); i++) {
            if (i)
                weir_buffer_byte(p->out, ',');
            print_schema(p, json_array_get(schema, i), space);
        }
        weir_buffer_byte(p->out, ']');
    } else if (json_is_string(schema)) {
        print_reference(p->out, text_of(schema), space);
    } else if (type && (!json_is_string(type) || (json_object_size(schema) == 1 && !is_defined_by(schema)))) {
        print_schema(p, type, space);
    } else {
        print_type(p, schema, space);
    }
}

void contracts_canonical(const json_t *schema, bool sorted, struct weir_buffer *out)
{
    const struct printing p = {out, sorted};
    print_schema(&p, schema, (struct weir_str){"", 0});
}
