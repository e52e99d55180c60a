// SPDX-License-Identifier: Apache-2.0
// Subjects and their versions: asked for, registered, deleted, and checked for compatibility.
#include "http/registry_answer.h"

#define ASK(r) (r)->http->contracts, &(r)->arena, &err

void registry_subjects(struct http_request *r)
{
    const struct weir_str *prefix = http_param(r, "subjectPrefix");
    struct weir_selection s = {.deleted = registry_flag(r, "deleted"), .deleted_only = registry_flag(r, "deletedOnly"), .bare = true};
    struct weir_contract *list;
    s.prefix = prefix && !weir_str_is(*prefix, ":*:") ? prefix->data : NULL;
    if (s.prefix && strncmp(s.prefix, ":.:", 3) == 0)
        s.prefix += 3;
    uint32_t count = weir_contracts_select(r->http->contracts, &s, &r->arena, &list);
    json_t *names = json_array();
    for (uint32_t i = 0; i < count; i++)
        if (i == 0 || strcmp(list[i].subject, list[i - 1].subject) != 0)
            json_array_append_new(names, json_string(list[i].subject));
    registry_send(r, names);
}

void registry_versions(struct http_request *r)
{
    const char *subject = registry_subject(r, 0);
    struct weir_selection s = {
        .subject = subject, .deleted = registry_flag(r, "deleted"), .deleted_only = registry_flag(r, "deletedOnly"), .bare = true};
    struct weir_contract *list;
    uint32_t count = weir_contracts_select(r->http->contracts, &s, &r->arena, &list);
    if (count == 0) {
        registry_fail(r, 40401, "Subject '%.200s' not found.", subject);
        return;
    }
    json_t *versions = json_array();
    for (uint32_t i = 0; i < count; i++)
        json_array_append_new(versions, json_integer(list[i].version));
    registry_send(r, versions);
}

void registry_enroll(struct http_request *r)
{
    struct weir_contracts_error err;
    struct weir_contract schema;
    int32_t id;
    if (registry_schema_body(r, &schema) < 0)
        return;
    if (weir_contracts_register(ASK(r), registry_subject(r, 0), &schema, registry_flag(r, "normalize"), &id) < 0) {
        registry_refuse(r, &err);
        return;
    }
    registry_send(r, json_pack("{s:i}", "id", id));
}

void registry_lookup(struct http_request *r)
{
    struct weir_contracts_error err;
    struct weir_contract schema, found;
    if (registry_schema_body(r, &schema) < 0)
        return;
    if (weir_contracts_lookup(ASK(r), registry_subject(r, 0), &schema, registry_flag(r, "normalize"), registry_flag(r, "deleted"), &found) < 0)
        registry_refuse(r, &err);
    else
        registry_send(r, registry_json_of(&found, true));
}

static int get_version(struct http_request *r, struct weir_contract *ret)
{
    struct weir_contracts_error err;
    int32_t version;
    if (registry_version(r, 1, &version) < 0)
        return -1;
    if (weir_contracts_get(ASK(r), registry_subject(r, 0), version, registry_flag(r, "deleted"), ret) == 0)
        return 0;
    registry_refuse(r, &err);
    return -1;
}

void registry_get_version(struct http_request *r)
{
    struct weir_contract found;
    if (get_version(r, &found) == 0)
        registry_send(r, registry_json_of(&found, true));
}

void registry_get_text(struct http_request *r)
{
    struct weir_contract found;
    if (get_version(r, &found) < 0)
        return;
    struct weir_buffer *b = http_json(r);
    weir_buffer_add(b, found.schema, strlen(found.schema));
}

void registry_referring(struct http_request *r)
{
    struct weir_contract found;
    int32_t *ids;
    if (get_version(r, &found) < 0)
        return;
    uint32_t count = weir_contracts_referring(r->http->contracts, found.subject, found.version, &r->arena, &ids);
    json_t *list = json_array();
    for (uint32_t i = 0; i < count; i++)
        json_array_append_new(list, json_integer(ids[i]));
    registry_send(r, list);
}

// ---- deleting

void registry_delete_subject(struct http_request *r)
{
    struct weir_contracts_error err;
    int32_t *versions;
    uint32_t count;
    if (weir_contracts_delete_subject(ASK(r), registry_subject(r, 0), registry_flag(r, "permanent"), &versions, &count) < 0) {
        registry_refuse(r, &err);
        return;
    }
    json_t *list = json_array();
    for (uint32_t i = 0; i < count; i++)
        json_array_append_new(list, json_integer(versions[i]));
    registry_send(r, list);
}

void registry_delete_version(struct http_request *r)
{
    struct weir_contracts_error err;
    int32_t version, gone;
    if (registry_version(r, 1, &version) < 0)
        return;
    if (weir_contracts_delete_version(ASK(r), registry_subject(r, 0), version, registry_flag(r, "permanent"), &gone) < 0)
        registry_refuse(r, &err);
    else
        registry_send(r, json_integer(gone));
}

// ---- compatibility

static void check(struct http_request *r, int32_t version)
{
    struct weir_contracts_error err;
    struct weir_contract schema;
    struct weir_verdict verdict;
    if (registry_schema_body(r, &schema) < 0)
        return;
    if (weir_contracts_check(ASK(r), registry_subject(r, 0), version, &schema, registry_flag(r, "normalize"), &verdict) < 0) {
        registry_refuse(r, &err);
        return;
    }
    json_t *json = json_pack("{s:b}", "is_compatible", verdict.compatible);
    if (registry_flag(r, "verbose")) {
        json_t *messages = json_array();
        for (uint32_t i = 0; i < verdict.message_count; i++)
            json_array_append_new(messages, json_string(verdict.messages[i]));
        json_object_set_new(json, "messages", messages);
    }
    registry_send(r, json);
}

void registry_check_version(struct http_request *r)
{
    int32_t version;
    if (registry_version(r, 1, &version) == 0)
        check(r, version);
}

void registry_check_all(struct http_request *r)
{
    check(r, WEIR_VERSION_ALL);
}
