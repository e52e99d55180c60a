// SPDX-License-Identifier: Apache-2.0
// Schemas by id, and what is asked of the registry as a whole.
#include "http/registry_answer.h"

#include "base/number.h"

#define ASK(r) (r)->http->contracts, &(r)->arena, &err

enum { LIMIT_MAX = 10000 };

static int64_t number_param(const struct http_request *r, const char *name, int64_t usual)
{
    const struct weir_str *text = http_param(r, name);
    int64_t number;
    return text && weir_parse_i64(*text, &number) == 0 && number >= 0 ? number : usual;
}

void registry_schemas(struct http_request *r)
{
    const struct weir_str *prefix = http_param(r, "subjectPrefix");
    struct weir_selection s = {.deleted = registry_flag(r, "deleted"), .prefix = prefix && !weir_str_is(*prefix, ":*:") ? prefix->data : NULL};
    struct weir_contract *list;
    uint32_t count = weir_contracts_select(r->http->contracts, &s, &r->arena, &list);
    bool latest = registry_flag(r, "latestOnly");
    int64_t offset = number_param(r, "offset", 0), limit = number_param(r, "limit", LIMIT_MAX), seen = 0;
    json_t *out = json_array();
    for (uint32_t i = 0; i < count; i++) {
        bool newest = i + 1 == count || strcmp(list[i].subject, list[i + 1].subject) != 0;
        if ((latest && !newest) || seen++ < offset || (int64_t)json_array_size(out) >= (limit < LIMIT_MAX ? limit : LIMIT_MAX))
            continue;
        json_array_append_new(out, registry_json_of(&list[i], true));
    }
    registry_send(r, out);
}

void registry_types(struct http_request *r)
{
    json_t *types = json_array();
    for (int i = 0; i < WEIR_SCHEMA_TYPES; i++)
        json_array_append_new(types, json_string(weir_schema_type_name((enum weir_schema_type)i)));
    registry_send(r, types);
}

static int get_id(struct http_request *r, struct weir_contract *ret)
{
    struct weir_contracts_error err;
    int32_t id;
    if (registry_id(r, 0, &id) < 0)
        return -1;
    if (weir_contracts_by_id(ASK(r), id, ret) == 0)
        return 0;
    registry_refuse(r, &err);
    return -1;
}

void registry_by_id(struct http_request *r)
{
    struct weir_contract found;
    if (get_id(r, &found) < 0)
        return;
    json_t *json = registry_json_of(&found, false);
    if (registry_flag(r, "fetchMaxId")) {
        struct weir_contract *list;
        uint32_t count = weir_contracts_select(r->http->contracts, &(struct weir_selection){.deleted = true, .bare = true}, &r->arena, &list);
        int32_t most = 0;
        for (uint32_t i = 0; i < count; i++)
            most = list[i].id > most ? list[i].id : most;
        json_object_set_new(json, "maxId", json_integer(most));
    }
    registry_send(r, json);
}

void registry_text_by_id(struct http_request *r)
{
    struct weir_contract found;
    if (get_id(r, &found) < 0)
        return;
    struct weir_buffer *b = http_json(r);
    weir_buffer_add(b, found.schema, strlen(found.schema));
}

static uint32_t places_of_id(struct http_request *r, struct weir_contract **ret)
{
    struct weir_contract found;
    if (get_id(r, &found) < 0)
        return 0;
    const struct weir_selection s = {.id = found.id, .deleted = registry_flag(r, "deleted"), .bare = true};
    uint32_t count = weir_contracts_select(r->http->contracts, &s, &r->arena, ret);
    if (count == 0)
        registry_fail(r, 40403, "Schema %d not found", found.id);
    return count;
}

void registry_subjects_of_id(struct http_request *r)
{
    struct weir_contract *list;
    uint32_t count = places_of_id(r, &list);
    if (count == 0)
        return;
    json_t *out = json_array();
    for (uint32_t i = 0; i < count; i++)
        if (i == 0 || strcmp(list[i].subject, list[i - 1].subject) != 0)
            json_array_append_new(out, json_string(list[i].subject));
    registry_send(r, out);
}

void registry_versions_of_id(struct http_request *r)
{
    struct weir_contract *list;
    uint32_t count = places_of_id(r, &list);
    if (count == 0)
        return;
    json_t *out = json_array();
    for (uint32_t i = 0; i < count; i++)
        json_array_append_new(out, json_pack("{s:s, s:i}", "subject", list[i].subject, "version", list[i].version));
    registry_send(r, out);
}

// ---- the registry as a whole

// A subject `:.name:subject` is in the context `.name`, any other in the default one.
void registry_contexts(struct http_request *r)
{
    struct weir_contract *list;
    uint32_t count = weir_contracts_select(r->http->contracts, &(struct weir_selection){.deleted = true, .bare = true}, &r->arena, &list);
    json_t *names = json_array(), *seen = json_object();
    json_array_append_new(names, json_string("."));
    for (uint32_t i = 0; i < count; i++) {
        const char *subject = list[i].subject, *end = strncmp(subject, ":.", 2) == 0 ? strchr(subject + 1, ':') : NULL;
        if (!end)
            continue;
        const char *name = weir_arena_copy(&r->arena, (struct weir_str){subject + 1, (uint32_t)(end - subject - 1)}).data;
        if (!json_object_get(seen, name))
            json_array_append_new(names, json_string(name));
        json_object_set_new(seen, name, json_true());
    }
    json_decref(seen);
    registry_send(r, names);
}

void registry_cluster(struct http_request *r)
{
    registry_send(r, json_pack("{s:{s:[], s:{s:s, s:s}}, s:s}", "scope", "path", "clusters", "kafka-cluster", "weir", "schema-registry-cluster",
                               "weir", "id", ""));
}

void registry_server(struct http_request *r)
{
    registry_send(r, json_pack("{s:s, s:s}", "version", WEIR_VERSION, "commitId", "weir"));
}

void registry_root(struct http_request *r)
{
    registry_send(r, json_object());
}
