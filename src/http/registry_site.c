// SPDX-License-Identifier: Apache-2.0
// The embedded registry's REST surface: the paths that the Confluent clients for Java, Python, Go and JavaScript call.
// https://docs.confluent.io/platform/current/schema-registry/develop/api.html
#include "http/registry_answer.h"
#include <stdio.h>

#define SUBJECT "/subjects/{subject}"
#define VERSION SUBJECT "/versions/{version}"
#define ID      "/schemas/ids/{id}"
#define CHECK   "/compatibility/subjects/{subject}/versions"

static const struct http_route routes[] = {
    {"root", "/", "GET", HTTP_READER, registry_root},
    {"subjects", "/subjects", "GET", HTTP_READER, registry_subjects},
    {"subject", SUBJECT, "POST", HTTP_READER, registry_lookup},
    {"subject", SUBJECT, "DELETE", HTTP_OPERATOR, registry_delete_subject},
    {"versions", SUBJECT "/versions", "GET", HTTP_READER, registry_versions},
    {"versions", SUBJECT "/versions", "POST", HTTP_OPERATOR, registry_enroll},
    {"version", VERSION, "GET", HTTP_READER, registry_get_version},
    {"version", VERSION, "DELETE", HTTP_OPERATOR, registry_delete_version},
    {"version", VERSION "/schema", "GET", HTTP_READER, registry_get_text},
    {"version", VERSION "/referencedby", "GET", HTTP_READER, registry_referring},
    {"schemas", "/schemas", "GET", HTTP_READER, registry_schemas},
    {"types", "/schemas/types", "GET", HTTP_READER, registry_types},
    {"id", ID, "GET", HTTP_READER, registry_by_id},
    {"id", ID "/schema", "GET", HTTP_READER, registry_text_by_id},
    {"id", ID "/subjects", "GET", HTTP_READER, registry_subjects_of_id},
    {"id", ID "/versions", "GET", HTTP_READER, registry_versions_of_id},
    {"check", CHECK, "POST", HTTP_READER, registry_check_all},
    {"check", CHECK "/{version}", "POST", HTTP_READER, registry_check_version},
    {"config", "/config", "GET", HTTP_READER, registry_get_level},
    {"config", "/config", "PUT", HTTP_OPERATOR, registry_put_level},
    {"config", "/config", "DELETE", HTTP_OPERATOR, registry_delete_level},
    {"config", "/config/{subject}", "GET", HTTP_READER, registry_get_level},
    {"config", "/config/{subject}", "PUT", HTTP_OPERATOR, registry_put_level},
    {"config", "/config/{subject}", "DELETE", HTTP_OPERATOR, registry_delete_level},
    {"mode", "/mode", "GET", HTTP_READER, registry_get_mode},
    {"mode", "/mode", "PUT", HTTP_OPERATOR, registry_put_mode},
    {"mode", "/mode", "DELETE", HTTP_OPERATOR, registry_delete_mode},
    {"mode", "/mode/{subject}", "GET", HTTP_READER, registry_get_mode},
    {"mode", "/mode/{subject}", "PUT", HTTP_OPERATOR, registry_put_mode},
    {"mode", "/mode/{subject}", "DELETE", HTTP_OPERATOR, registry_delete_mode},
    {"contexts", "/contexts", "GET", HTTP_READER, registry_contexts},
    {"metadata", "/v1/metadata/id", "GET", HTTP_READER, registry_cluster},
    {"metadata", "/v1/metadata/version", "GET", HTTP_READER, registry_server},
};

static const char *const body_types[] = {"application/vnd.schemaregistry.v1+json", "application/vnd.schemaregistry+json", "application/json",
                                         "application/octet-stream", NULL};

static void refuse(struct http_request *r, int status, const char *text)
{
    registry_fail(r, status, "%s", text);
}

const struct http_site http_registry = {
    .routes = routes,
    .route_count = sizeof routes / sizeof *routes,
    .port = 8081,
    .body_types = body_types,
    .body_bytes_max = 4 << 20,
    .refuse = refuse,
};
