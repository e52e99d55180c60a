// SPDX-License-Identifier: Apache-2.0
#include "registry/inline.h"

#include <stdlib.h>

enum { DEPTH_MAX = 64, NESTED_MAX = 16, FETCHES_MAX = 256 };

struct inliner {
    const struct inline_source *source;
    struct weir_arena *arena;
    struct weir_error *err;
    json_t *known; // full name → definition, of all that is referred to
    json_t *seen;  // names that were written out
    uint32_t fetches;
};

static const char *qualify(struct inliner *in, const char *name, const char *space)
{
    return strchr(name, '.') || !*space ? name : weir_arena_format(in->arena, "%s.%s", space, name);
}

static const char *space_of(struct inliner *in, const char *full)
{
    const char *dot = strrchr(full, '.');
    return dot ? weir_arena_copy(in->arena, (struct weir_str){full, (uint32_t)(dot - full)}).data : "";
}

static bool is_definition(const json_t *json)
{
    const char *type = json_string_value(json_object_get(json, "type"));
    return type && json_is_string(json_object_get(json, "name")) &&
           (strcmp(type, "record") == 0 || strcmp(type, "error") == 0 || strcmp(type, "enum") == 0 || strcmp(type, "fixed") == 0);
}

static const char *full_name(struct inliner *in, const json_t *definition, const char *space)
{
    const char *own = json_string_value(json_object_get(definition, "namespace"));
    return qualify(in, json_string_value(json_object_get(definition, "name")), own ? own : space);
}

// The parts of a schema that are schemas themselves: visit gives what stands in their place (a new reference) or NULL after a failure.
typedef json_t *(*visit_part)(struct inliner *in, json_t *part, const char *space, uint32_t depth);

static int visit_key(struct inliner *in, json_t *object, const char *key, const char *space, uint32_t depth, visit_part visit)
{
    json_t *part = json_object_get(object, key);
    if (!part)
        return 0;
    json_t *now = visit(in, part, space, depth + 1);
    return now && json_object_set_new(object, key, now) == 0 ? 0 : -1;
}

static int visit_items(struct inliner *in, json_t *array, const char *space, uint32_t depth, visit_part visit)
{
    for (size_t i = 0; i < json_array_size(array); i++) {
        json_t *now = visit(in, json_array_get(array, i), space, depth + 1);
        if (!now || json_array_set_new(array, i, now) < 0)
            return -1;
    }
    return 0;
}

static int visit_fields(struct inliner *in, json_t *record, const char *space, uint32_t depth, visit_part visit)
{
    json_t *fields = json_object_get(record, "fields");
    for (size_t i = 0; i < json_array_size(fields); i++)
        if (visit_key(in, json_array_get(fields, i), "type", space, depth, visit) < 0)
            return -1;
    return 0;
}

static int visit_object(struct inliner *in, json_t *object, const char *space, uint32_t depth, visit_part visit)
{
    if (is_definition(object))
        return visit_fields(in, object, space_of(in, full_name(in, object, space)), depth, visit);
    if (visit_key(in, object, "items", space, depth, visit) < 0 || visit_key(in, object, "values", space, depth, visit) < 0)
        return -1;
    const char *type = json_string_value(json_object_get(object, "type"));
    return type && (strcmp(type, "array") == 0 || strcmp(type, "map") == 0) ? 0 : visit_key(in, object, "type", space, depth, visit);
}

static int too_deep(struct inliner *in)
{
    return weir_fail(in->err, WEIR_BAD_DATA, WEIR_DEAD_LETTER, "the schema is nested deeper than %d", DEPTH_MAX);
}

// ---- what others define

static json_t *collect(struct inliner *in, json_t *part, const char *space, uint32_t depth)
{
    if (depth > DEPTH_MAX) {
        too_deep(in);
        return NULL;
    }
    if (json_is_object(part) && is_definition(part)) {
        const char *full = full_name(in, part, space);
        json_t *definition = json_deep_copy(part);
        json_object_set_new(definition, "name", json_string(full));
        json_object_del(definition, "namespace");
        if (!json_object_get(in->known, full))
            json_object_set(in->known, full, definition);
        json_decref(definition);
    }
    if ((json_is_object(part) && visit_object(in, part, space, depth, collect) < 0) ||
        (json_is_array(part) && visit_items(in, part, space, depth, collect) < 0))
        return NULL;
    return json_incref(part);
}

static json_t *parse(const char *text)
{
    return json_loads(text, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
}

static int collect_all(struct inliner *in, const json_t *references, uint32_t nested);

static int collect_from(struct inliner *in, const json_t *reference, uint32_t nested)
{
    const char *subject = json_string_value(json_object_get(reference, "subject")), *text;
    json_t *own = NULL;
    if (!subject)
        return weir_fail(in->err, WEIR_BAD_DATA, WEIR_DEAD_LETTER, "a reference without a subject");
    if (nested > NESTED_MAX || ++in->fetches > FETCHES_MAX)
        return weir_fail(in->err, WEIR_BAD_DATA, WEIR_DEAD_LETTER, "the schema refers to too many others");
    int32_t version = (int32_t)json_integer_value(json_object_get(reference, "version"));
    if (in->source->fetch(in->source->context, subject, version, in->arena, &text, &own, in->err) < 0)
        return -1;
    int rc = collect_all(in, own, nested + 1);
    json_decref(own);
    if (rc < 0)
        return -1;
    json_t *schema = parse(text), *same = schema ? collect(in, schema, "", 0) : NULL;
    json_decref(same);
    json_decref(schema);
    return same ? 0 : schema ? -1 : weir_fail(in->err, WEIR_BAD_DATA, WEIR_DEAD_LETTER, "version %d of '%.80s' is no Avro schema", version, subject);
}

static int collect_all(struct inliner *in, const json_t *references, uint32_t nested)
{
    for (size_t i = 0; i < json_array_size(references); i++)
        if (collect_from(in, json_array_get(references, i), nested) < 0)
            return -1;
    return 0;
}

// ---- writing it out

static json_t *expand(struct inliner *in, json_t *part, const char *space, uint32_t depth);

static json_t *expand_name(struct inliner *in, json_t *name, const char *space, uint32_t depth)
{
    const char *full = qualify(in, json_string_value(name), space);
    if (!json_object_get(in->known, full))
        full = json_string_value(name); // of the null namespace
    const json_t *definition = json_object_get(in->known, full);
    if (!definition || json_object_get(in->seen, full))
        return json_incref(name);
    json_t *copy = json_deep_copy(definition), *now = expand(in, copy, "", depth);
    json_decref(copy);
    return now;
}

static json_t *expand(struct inliner *in, json_t *part, const char *space, uint32_t depth)
{
    if (depth > DEPTH_MAX) {
        too_deep(in);
        return NULL;
    }
    if (json_is_string(part))
        return expand_name(in, part, space, depth);
    if (json_is_object(part) && is_definition(part))
        json_object_set_new(in->seen, full_name(in, part, space), json_true());
    if ((json_is_object(part) && visit_object(in, part, space, depth, expand) < 0) ||
        (json_is_array(part) && visit_items(in, part, space, depth, expand) < 0))
        return NULL;
    return json_incref(part);
}

static int write_out(struct inliner *in, const char *schema, const char **ret)
{
    json_t *json = parse(schema);
    if (!json)
        return weir_fail(in->err, WEIR_BAD_DATA, WEIR_DEAD_LETTER, "the schema is no JSON");
    json_t *whole = expand(in, json, "", 0);
    json_decref(json);
    if (!whole)
        return -1;
    char *text = json_dumps(whole, JSON_COMPACT | JSON_ENCODE_ANY);
    json_decref(whole);
    if (!text)
        return weir_fail(in->err, WEIR_BAD_DATA, WEIR_DEAD_LETTER, "the schema cannot be written out");
    *ret = weir_arena_copy(in->arena, weir_str_of(text)).data;
    free(text);
    return 0;
}

int inline_references(const char *schema, const json_t *references, const struct inline_source *source, struct weir_arena *arena, const char **ret,
                      struct weir_error *err)
{
    if (json_array_size(references) == 0) {
        *ret = schema;
        return 0;
    }
    struct inliner in = {.source = source, .arena = arena, .err = err, .known = json_object(), .seen = json_object()};
    int rc = collect_all(&in, references, 0);
    if (rc == 0)
        rc = write_out(&in, schema, ret);
    json_decref(in.known);
    json_decref(in.seen);
    return rc;
}
