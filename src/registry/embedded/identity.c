// SPDX-License-Identifier: Apache-2.0
// What makes two schemas the same: their type, canonical text, and what they refer to.
#include "avro/schema.h"
#include "registry/embedded/inside.h"
#include <stdlib.h>

static int refuse(struct weir_arena *arena, struct weir_contracts_error *err, const char *why)
{
    return contracts_fail(arena, err, BAD_SCHEMA, "Invalid schema: %s", why);
}

// ---- references

static json_t *level_reference(const json_t *from)
{
    const char *name = json_string_value(json_object_get(from, "name")), *subject = json_string_value(json_object_get(from, "subject"));
    json_int_t version = json_integer_value(json_object_get(from, "version"));
    if (!name || !subject || (version < 1 && version != -1) || version > WEIR_VERSION_MAX)
        return NULL;
    return json_pack("{s:s, s:s, s:I}", "name", name, "subject", subject, "version", version);
}

static int by_name(const void *a, const void *b)
{
    return strcmp(json_string_value(json_object_get(*(json_t *const *)a, "name")), json_string_value(json_object_get(*(json_t *const *)b, "name")));
}

// NULL: not a list of references.
static json_t *level_references(const json_t *from, bool sorted)
{
    json_t *items[REFERENCES_MAX];
    size_t count = 0, wanted = json_array_size(from);
    if (!json_is_array(from) || wanted > REFERENCES_MAX)
        return NULL;
    while (count < wanted && (items[count] = level_reference(json_array_get(from, count))) != NULL)
        count++;
    if (sorted && count)
        qsort(items, count, sizeof *items, by_name);
    json_t *out = json_array();
    for (size_t i = 0; i < count; i++)
        json_array_append_new(out, items[i]);
    if (count == wanted)
        return out;
    json_decref(out);
    return NULL;
}

static int identify_references(struct weir_arena *arena, struct weir_contracts_error *err, const char *references, bool sorted, const char **ret)
{
    *ret = NULL;
    if (!references)
        return 0;
    json_t *given = json_loads(references, 0, NULL), *leveled = given ? level_references(given, sorted) : NULL;
    json_decref(given);
    char *text = json_array_size(leveled) ? json_dumps(leveled, JSON_COMPACT) : NULL;
    bool good = leveled != NULL;
    json_decref(leveled);
    if (text)
        *ret = weir_arena_copy(arena, weir_str_of(text)).data;
    free(text);
    return good ? 0 : refuse(arena, err, "references are a list of up to 100 of {name, subject, version}");
}

// ---- texts

static int identify_avro(struct weir_contracts *c, struct weir_arena *arena, struct weir_contracts_error *err, const char *text, bool normalize,
                         struct identity *ret)
{
    struct weir_error why;
    const struct weir_avro_schema *parsed;
    json_t *json = NULL;
    weir_cleanup(weir_buffer_drop) struct weir_buffer canonical = {0};
    contracts_read(c);
    int rc = contracts_whole(c, text, ret->references, arena, &ret->whole, &why);
    contracts_end(c);
    if (rc < 0 || weir_avro_parse(weir_str_of(ret->whole), arena, &parsed, &json, &why) < 0)
        return refuse(arena, err, why.text);
    if (ret->references) {
        json_decref(json);
        json = json_loads(text, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
    }
    contracts_canonical(json, normalize, &canonical);
    json_decref(json);
    ret->text = weir_arena_copy(arena, weir_buffer_view(&canonical)).data;
    if (!ret->references)
        ret->whole = ret->text;
    return 0;
}

static int identify_json(struct weir_arena *arena, struct weir_contracts_error *err, const char *text, bool normalize, struct identity *ret)
{
    json_error_t mistake;
    json_t *json = json_loads(text, JSON_DECODE_ANY | JSON_REJECT_DUPLICATES, &mistake);
    if (!json || !(json_is_object(json) || json_is_boolean(json))) {
        json_decref(json);
        return refuse(arena, err, json ? "a JSON schema is an object, true or false" : mistake.text);
    }
    char *compact = json_dumps(json, JSON_COMPACT | JSON_ENCODE_ANY | (normalize ? JSON_SORT_KEYS : 0));
    json_decref(json);
    ret->whole = ret->text = compact ? weir_arena_copy(arena, weir_str_of(compact)).data : "";
    free(compact);
    return 0;
}

int contracts_identify(struct weir_contracts *c, struct weir_arena *arena, struct weir_contracts_error *err, const struct weir_contract *schema,
                       bool normalize, struct identity *ret)
{
    *ret = (struct identity){.type = schema->type};
    if (!schema->schema || !*schema->schema)
        return refuse(arena, err, "it is empty");
    if (strlen(schema->schema) > CONTRACT_BYTES_MAX)
        return refuse(arena, err, "it is larger than 1 MiB");
    if (identify_references(arena, err, schema->references, normalize, &ret->references) < 0)
        return -1;
    switch (schema->type) {
    case WEIR_SCHEMA_AVRO:
        return identify_avro(c, arena, err, schema->schema, normalize, ret);
    case WEIR_SCHEMA_JSON:
        return identify_json(arena, err, schema->schema, normalize, ret);
    default:
        ret->whole = ret->text = schema->schema;
        return 0;
    }
}
