// SPDX-License-Identifier: Apache-2.0
#include "http/registry_answer.h"

#include "base/number.h"
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#define TYPE "application/vnd.schemaregistry.v1+json"

enum { BAD_VERSION = 42202 };

// ---- answers

static void write_failure(struct http_request *r, int code, const char *text)
{
    int status = code;
    while (status > 999)
        status /= 10;
    struct weir_buffer *b = &r->reply.body;
    b->bytes = 0;
    weir_buffer_format(b, "{\"error_code\":%d,\"message\":", code);
    http_quote(b, weir_str_of(text));
    weir_buffer_byte(b, '}');
    r->reply.status = status;
    r->reply.type = TYPE;
    r->reply.fixed = (struct weir_str){0};
}

int registry_fail(struct http_request *r, int code, const char *format, ...)
{
    char text[1000];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    write_failure(r, code, text);
    return -1;
}

void registry_refuse(struct http_request *r, const struct weir_contracts_error *err)
{
    write_failure(r, err->code, err->text);
    if (r->reply.status >= 500)
        http_say(r->http, "registry: %s %s: %s", r->method, r->uri, err->text);
}

void registry_send(struct http_request *r, json_t *json)
{
    char *text = json ? json_dumps(json, JSON_COMPACT | JSON_ENCODE_ANY) : NULL;
    json_decref(json);
    if (!text) {
        registry_fail(r, 500, "the answer cannot be written as JSON");
        return;
    }
    struct weir_buffer *b = http_json(r);
    r->reply.type = TYPE;
    weir_buffer_add(b, text, strlen(text));
    free(text);
}

json_t *registry_json_of(const struct weir_contract *c, bool with_place)
{
    json_t *json = json_object();
    if (with_place) {
        json_object_set_new(json, "subject", json_string(c->subject));
        json_object_set_new(json, "version", json_integer(c->version));
        json_object_set_new(json, "id", json_integer(c->id));
    }
    if (c->type != WEIR_SCHEMA_AVRO)
        json_object_set_new(json, "schemaType", json_string(weir_schema_type_name(c->type)));
    if (c->references)
        json_object_set_new(json, "references", json_loads(c->references, 0, NULL));
    json_object_set_new(json, "schema", json_string(c->schema));
    if (with_place && c->deleted)
        json_object_set_new(json, "deleted", json_true());
    return json;
}

// ---- the path and its parameters

bool registry_flag(const struct http_request *r, const char *name)
{
    const struct weir_str *value = http_param(r, name);
    return value && (weir_str_is(*value, "true") || weir_str_is(*value, "True"));
}

const char *registry_subject(struct http_request *r, uint32_t arg)
{
    const char *subject = r->args[arg].data;
    return strncmp(subject, ":.:", 3) == 0 ? subject + 3 : subject;
}

int registry_version(struct http_request *r, uint32_t arg, int32_t *ret)
{
    int64_t version;
    struct weir_str text = r->args[arg];
    if (weir_str_is(text, "latest") || weir_str_is(text, "-1")) {
        *ret = WEIR_VERSION_LATEST;
        return 0;
    }
    if (weir_parse_i64(text, &version) < 0 || version < 1 || version > WEIR_VERSION_MAX)
        return registry_fail(r, BAD_VERSION,
                             "The specified version '%.60s' is not a valid version id: it is a number from 1 to 2^31-1, or \"latest\"", text.data);
    *ret = (int32_t)version;
    return 0;
}

int registry_id(struct http_request *r, uint32_t arg, int32_t *ret)
{
    int64_t id;
    if (weir_parse_i64(r->args[arg], &id) < 0)
        return registry_fail(r, 404, "'%.60s' is no schema id", r->args[arg].data);
    if (id < 1 || id > INT32_MAX)
        return registry_fail(r, 40403, "Schema %lld not found", (long long)id);
    *ret = (int32_t)id;
    return 0;
}

// ---- bodies

int registry_body(struct http_request *r, json_t **ret)
{
    json_error_t mistake;
    json_t *json = json_loadb((const char *)r->body.data, r->body.bytes, JSON_REJECT_DUPLICATES, &mistake);
    if (!json)
        return registry_fail(r, 400, "the body is no JSON: line %d, column %d: %s", mistake.line, mistake.column, mistake.text);
    if (!json_is_object(json)) {
        json_decref(json);
        return registry_fail(r, 400, "the body is no JSON object");
    }
    *ret = json;
    return 0;
}

static const char *kept(struct http_request *r, const json_t *string)
{
    const char *text = json_string_value(string);
    return text ? weir_arena_copy(&r->arena, weir_str_of(text)).data : NULL;
}

static int32_t number_of(const json_t *json, const char *key)
{
    json_int_t number = json_integer_value(json_object_get(json, key));
    return number > 0 && number < INT32_MAX ? (int32_t)number : 0;
}

static int read_schema(struct http_request *r, const json_t *json, struct weir_contract *ret)
{
    const json_t *schema = json_object_get(json, "schema"), *type = json_object_get(json, "schemaType"), *list = json_object_get(json, "references");
    *ret = (struct weir_contract){.schema = kept(r, schema), .id = number_of(json, "id"), .version = number_of(json, "version")};
    if (schema && !json_is_string(schema) && !json_is_null(schema))
        return registry_fail(r, 42201, "Invalid schema: 'schema' is the schema's text, as a string");
    if (type && !json_is_null(type) && (!json_is_string(type) || weir_schema_type_parse(json_string_value(type), &ret->type) < 0))
        return registry_fail(r, 42201, "Invalid schema: the schemaType is AVRO, JSON or PROTOBUF");
    if (list && !json_is_null(list)) {
        char *text = json_dumps(list, JSON_COMPACT | JSON_ENCODE_ANY);
        ret->references = text ? weir_arena_copy(&r->arena, weir_str_of(text)).data : "";
        free(text);
    }
    return 0;
}

int registry_schema_body(struct http_request *r, struct weir_contract *ret)
{
    json_t *json;
    if (registry_body(r, &json) < 0)
        return -1;
    int rc = read_schema(r, json, ret);
    json_decref(json);
    return rc;
}
