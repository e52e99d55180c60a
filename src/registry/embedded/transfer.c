// SPDX-License-Identifier: Apache-2.0
// The whole registry as JSON lines, and back: {"subject","version","id","schemaType","schema","references","deleted"}, {"level","subject"?},
// {"mode","subject"?}. Versions come in the order of ids, so that what is referred to comes first.
#include "registry/embedded/inside.h"
#include <stdlib.h>

static int by_id(const void *a, const void *b)
{
    const struct weir_contract *x = a, *y = b;
    return x->id != y->id                   ? (x->id > y->id) - (x->id < y->id)
           : strcmp(x->subject, y->subject) ? strcmp(x->subject, y->subject)
                                            : x->version - y->version;
}

static json_t *json_of_version(const struct weir_contract *v)
{
    json_t *json = json_pack("{s:s, s:i, s:i, s:s, s:s}", "subject", v->subject, "version", v->version, "id", v->id, "schemaType",
                             weir_schema_type_name(v->type), "schema", v->schema);
    if (json && v->references)
        json_object_set_new(json, "references", json_loads(v->references, 0, NULL));
    if (json && v->deleted)
        json_object_set_new(json, "deleted", json_true());
    return json;
}

static json_t *json_of_setting(const char *subject, const char *what, const char *value)
{
    json_t *json = json_pack("{s:s}", what, value);
    if (*subject)
        json_object_set_new(json, "subject", json_string(subject));
    return json;
}

static int give(json_t *json, int (*line)(void *context, const char *text), void *context)
{
    char *text = json ? json_dumps(json, JSON_COMPACT) : NULL;
    int rc = text ? line(context, text) : -1;
    free(text);
    json_decref(json);
    return rc;
}

int weir_contracts_export(struct weir_contracts *c, int (*line)(void *context, const char *text), void *context)
{
    weir_cleanup(weir_arena_drop) struct weir_arena arena = {0};
    const struct weir_selection all = {.deleted = true};
    struct weir_contract *versions;
    uint32_t count = weir_contracts_select(c, &all, &arena, &versions);
    qsort(versions, count, sizeof *versions, by_id);
    int rc = 0;
    for (uint32_t i = 0; rc == 0 && i < count; i++)
        rc = give(json_of_version(&versions[i]), line, context);
    contracts_read(c);
    for (size_t i = 0; rc == 0 && i < c->book.setting_count; i++) {
        const struct book_setting *s = &c->book.settings[i];
        if (s->level >= 0)
            rc = give(json_of_setting(s->subject, "level", weir_level_name((enum weir_level)s->level)), line, context);
        if (rc == 0 && s->mode >= 0)
            rc = give(json_of_setting(s->subject, "mode", weir_mode_name((enum weir_mode)s->mode)), line, context);
    }
    contracts_end(c);
    return rc;
}

// ---- import

static int bad_line(struct weir_arena *arena, struct weir_contracts_error *err, const char *why)
{
    return contracts_fail(arena, err, BAD_SCHEMA, "not a line of an export: %s", why);
}

static int import_version(struct weir_contracts *c, struct weir_arena *arena, struct weir_contracts_error *err, const json_t *json)
{
    struct weir_contract v = {.subject = json_string_value(json_object_get(json, "subject")),
                              .schema = json_string_value(json_object_get(json, "schema"))};
    json_int_t id = json_integer_value(json_object_get(json, "id")), version = json_integer_value(json_object_get(json, "version"));
    const char *type = json_string_value(json_object_get(json, "schemaType"));
    if (!v.subject || id < 1 || id >= INT32_MAX || version < 1 || version >= INT32_MAX)
        return bad_line(arena, err, "a version has a subject, a version and an id");
    if (type && weir_schema_type_parse(type, &v.type) < 0)
        return bad_line(arena, err, "schemaType is AVRO, JSON or PROTOBUF");
    char *references = json_is_array(json_object_get(json, "references")) ? json_dumps(json_object_get(json, "references"), JSON_COMPACT) : NULL;
    v.references = references ? weir_arena_copy(arena, weir_str_of(references)).data : NULL;
    free(references);
    v.id = (int32_t)id;
    v.version = (int32_t)version;
    v.deleted = json_is_true(json_object_get(json, "deleted"));
    return contracts_restore(c, arena, err, &v);
}

static int import_setting(struct weir_contracts *c, struct weir_arena *arena, struct weir_contracts_error *err, const json_t *json)
{
    const char *subject = json_string_value(json_object_get(json, "subject")), *level = json_string_value(json_object_get(json, "level"));
    const char *mode = json_string_value(json_object_get(json, "mode"));
    enum weir_level parsed_level;
    enum weir_mode parsed_mode;
    if (level && weir_level_parse(weir_str_of(level), &parsed_level) == 0)
        return weir_contracts_set_level(c, arena, err, subject, parsed_level);
    if (mode && weir_mode_parse(mode, &parsed_mode) == 0)
        return weir_contracts_set_mode(c, arena, err, subject, parsed_mode, true);
    return bad_line(arena, err, "neither a schema, nor a level, nor a mode");
}

int weir_contracts_import(CONTRACTS, const char *line)
{
    json_error_t mistake;
    json_t *json = json_loads(line, JSON_REJECT_DUPLICATES, &mistake);
    if (!json)
        return bad_line(arena, err, mistake.text);
    int rc = json_object_get(json, "schema") ? import_version(c, arena, err, json) : import_setting(c, arena, err, json);
    json_decref(json);
    return rc;
}
