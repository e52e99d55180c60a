// SPDX-License-Identifier: Apache-2.0
// Compatibility levels and modes, of a subject or of all.
#include "http/registry_answer.h"

#define ASK(r) (r)->http->contracts, &(r)->arena, &err

// NULL: of all.
static const char *subject_of(struct http_request *r)
{
    return r->args[0].bytes ? registry_subject(r, 0) : NULL;
}

static void answer_level(struct http_request *r, const char *key, enum weir_level level)
{
    registry_send(r, json_pack("{s:s}", key, weir_level_name(level)));
}

static void answer_mode(struct http_request *r, enum weir_mode mode)
{
    registry_send(r, json_pack("{s:s}", "mode", weir_mode_name(mode)));
}

// The string under `key` of the body, in the request's arena; NULL: refused.
static const char *body_text(struct http_request *r, const char *key)
{
    json_t *json;
    if (registry_body(r, &json) < 0)
        return NULL;
    const char *text = json_string_value(json_object_get(json, key));
    text = weir_arena_copy(&r->arena, weir_str_of(text ? text : "")).data;
    json_decref(json);
    return text;
}

void registry_get_level(struct http_request *r)
{
    struct weir_contracts_error err;
    enum weir_level level;
    if (weir_contracts_level(ASK(r), subject_of(r), registry_flag(r, "defaultToGlobal"), &level) < 0)
        registry_refuse(r, &err);
    else
        answer_level(r, "compatibilityLevel", level);
}

void registry_put_level(struct http_request *r)
{
    struct weir_contracts_error err;
    enum weir_level level;
    const char *name = body_text(r, "compatibility");
    if (!name)
        return;
    if (weir_level_parse(weir_str_of(name), &level) < 0)
        registry_fail(r, 42203,
                      "Invalid compatibility level. Valid values are none, backward, forward, full, backward_transitive, forward_transitive, and "
                      "full_transitive");
    else if (weir_contracts_set_level(ASK(r), subject_of(r), level) < 0)
        registry_refuse(r, &err);
    else
        answer_level(r, "compatibility", level);
}

void registry_delete_level(struct http_request *r)
{
    struct weir_contracts_error err;
    enum weir_level was;
    if (weir_contracts_delete_level(ASK(r), subject_of(r), &was) < 0)
        registry_refuse(r, &err);
    else
        answer_level(r, "compatibilityLevel", was);
}

void registry_get_mode(struct http_request *r)
{
    struct weir_contracts_error err;
    enum weir_mode mode;
    if (weir_contracts_mode(ASK(r), subject_of(r), registry_flag(r, "defaultToGlobal"), &mode) < 0)
        registry_refuse(r, &err);
    else
        answer_mode(r, mode);
}

void registry_put_mode(struct http_request *r)
{
    struct weir_contracts_error err;
    enum weir_mode mode;
    const char *name = body_text(r, "mode");
    if (!name)
        return;
    if (weir_mode_parse(name, &mode) < 0)
        registry_fail(r, 42204, "Invalid mode. Valid values are READWRITE, READONLY, READONLY_OVERRIDE, and IMPORT");
    else if (weir_contracts_set_mode(ASK(r), subject_of(r), mode, registry_flag(r, "force")) < 0)
        registry_refuse(r, &err);
    else
        answer_mode(r, mode);
}

void registry_delete_mode(struct http_request *r)
{
    struct weir_contracts_error err;
    enum weir_mode was;
    if (weir_contracts_delete_mode(ASK(r), subject_of(r), &was) < 0)
        registry_refuse(r, &err);
    else
        answer_mode(r, was);
}
