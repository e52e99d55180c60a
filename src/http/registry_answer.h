// SPDX-License-Identifier: Apache-2.0
// What the registry's routes share: arguments, parameters, bodies, and answers in the shape of the Confluent Schema Registry.
#pragma once
#include "http/inside.h"
#include "registry/contracts.h"

int registry_fail(struct http_request *r, int code, const char *format, ...) __attribute__((format(printf, 3, 4))); // returns −1
void registry_refuse(struct http_request *r, const struct weir_contracts_error *err);
void registry_send(struct http_request *r, json_t *json); // takes it

bool registry_flag(const struct http_request *r, const char *name);              // ?name=true
const char *registry_subject(struct http_request *r, uint32_t arg);              // of the path; the default context's prefix is left out
int registry_version(struct http_request *r, uint32_t arg, int32_t *ret);        // "latest", −1 or a number; −1: refused
int registry_id(struct http_request *r, uint32_t arg, int32_t *ret);             // −1: refused
int registry_body(struct http_request *r, json_t **ret);                         // an object, the caller's; −1: refused
int registry_schema_body(struct http_request *r, struct weir_contract *ret);     // a body that holds a schema; −1: refused
json_t *registry_json_of(const struct weir_contract *contract, bool with_place); // with subject, version and id, or without

// ---- registry_subjects.c, registry_schemas.c, registry_settings.c
void registry_subjects(struct http_request *r);
void registry_versions(struct http_request *r);
void registry_enroll(struct http_request *r);
void registry_lookup(struct http_request *r);
void registry_get_version(struct http_request *r);
void registry_get_text(struct http_request *r);
void registry_referring(struct http_request *r);
void registry_delete_subject(struct http_request *r);
void registry_delete_version(struct http_request *r);
void registry_check_version(struct http_request *r);
void registry_check_all(struct http_request *r);

void registry_schemas(struct http_request *r);
void registry_types(struct http_request *r);
void registry_by_id(struct http_request *r);
void registry_text_by_id(struct http_request *r);
void registry_subjects_of_id(struct http_request *r);
void registry_versions_of_id(struct http_request *r);
void registry_contexts(struct http_request *r);
void registry_cluster(struct http_request *r);
void registry_server(struct http_request *r);
void registry_root(struct http_request *r);

void registry_get_level(struct http_request *r);
void registry_put_level(struct http_request *r);
void registry_delete_level(struct http_request *r);
void registry_get_mode(struct http_request *r);
void registry_put_mode(struct http_request *r);
void registry_delete_mode(struct http_request *r);
