// SPDX-License-Identifier: Apache-2.0
// GET /api/v1/contracts: the schemas of each pipeline's event and of its tables' rows, and what the registry has of them: level, versions, ids.
// Rows that are events as they came have a schema, but no subject. The answer is kept for some seconds, since a registry may be elsewhere and slow.
#include "base/memory.h"
#include "base/time.h"
#include "http/inside.h"
#include "spec/contract.h"
#include <jansson.h>
#include <stdlib.h>

#define FRESH_US ((int64_t)5000000)

struct http_contracts {
    pthread_mutex_t lock; // held while the registries are asked: one request asks for all that wait
    char *json;
    int64_t until_us;
};

struct http_contracts *http_contracts_new(void)
{
    struct http_contracts *c = weir_zalloc(1, sizeof *c);
    pthread_mutex_init(&c->lock, NULL);
    return c;
}

void http_contracts_free(struct http_contracts *c)
{
    if (!c)
        return;
    pthread_mutex_destroy(&c->lock);
    free(c->json);
    free(c);
}

// ---- what the registry has of a subject

struct subject {
    const json_t *schema; // the pipeline's own
    json_t *versions;
};

static int add_version(void *context, const struct weir_subject_version *v)
{
    struct subject *s = context;
    json_t *theirs = json_loads(v->schema, JSON_DECODE_ANY, NULL);
    json_array_append_new(
        s->versions, json_pack("{s:i, s:i, s:b}", "version", (int)v->version, "id", (int)v->id, "current", theirs && json_equal(theirs, s->schema)));
    json_decref(theirs);
    return 0;
}

static void add_registered(json_t *contract, struct weir_registry *registry, const char *subject)
{
    struct subject s = {json_object_get(contract, "schema"), json_array()};
    struct weir_error err;
    enum weir_level level;
    bool asked = registry && weir_registry_level(registry, subject, &level, &err) == 0;
    json_object_set_new(contract, "subject", registry ? json_string(subject) : json_null());
    json_object_set_new(contract, "level", asked ? json_string(weir_level_name(level)) : json_null());
    if (asked && weir_registry_versions(registry, subject, add_version, &s, &err) < 0)
        asked = false;
    json_object_set_new(contract, "versions", s.versions);
    json_object_set_new(contract, "trouble", registry && !asked ? json_string(err.text) : json_null());
}

// ---- contracts

// `of`: a topic or a table.
static void add_contract(json_t *list, struct weir_registry *registry, const struct weir_plan *plan, const char *kind, const char *of,
                         const char *subject, struct weir_buffer *schema)
{
    json_t *parsed = json_loadb((const char *)schema->data, schema->bytes, JSON_DECODE_ANY, NULL);
    json_t *contract = json_pack("{s:s, s:s, s:s, s:o}", "pipeline", plan->pipeline, "kind", kind, "of", of, "schema", parsed ? parsed : json_null());
    add_registered(contract, registry, subject);
    json_array_append_new(list, contract);
}

static void add_pipeline(json_t *list, struct weir_engine *e, uint32_t pipeline)
{
    const struct weir_plan *plan = weir_engine_plan(e, pipeline);
    struct weir_registry *registry = weir_engine_registry_of(e, pipeline);
    weir_cleanup(weir_buffer_drop) struct weir_buffer schema = {0};
    weir_cleanup(weir_freep) char *events = weir_format("%s-value", plan->topic.name);
    weir_contract_event(&schema, plan);
    add_contract(list, registry, plan, "event", plan->topic.name, events, &schema);
    for (uint32_t q = 0; q < plan->query_count; q++) {
        const struct weir_query_spec *query = &plan->queries[q];
        weir_cleanup(weir_freep) char *rows = weir_contract_rows_subject(plan, query);
        schema.bytes = 0;
        weir_contract_rows(&schema, plan, query);
        add_contract(list, query->grouped ? registry : NULL, plan, "rows", query->table.name, rows, &schema);
    }
}

static char *ask(struct weir_engine *e)
{
    json_t *list = json_array();
    for (uint32_t p = 0; p < weir_engine_pipelines(e); p++)
        add_pipeline(list, e, p);
    char *text = json_dumps(list, JSON_COMPACT);
    json_decref(list);
    weir_assert(text);
    return text;
}

void http_contracts(struct http_request *r)
{
    struct http_contracts *c = r->http->shown;
    if (http_check_params(r, NULL, 0) < 0)
        return;
    pthread_mutex_lock(&c->lock);
    if (!c->json || weir_monotonic_us() >= c->until_us) {
        weir_freep(&c->json);
        c->json = ask(r->http->engine);
        c->until_us = weir_monotonic_us() + FRESH_US;
    }
    weir_buffer_add(http_json(r), c->json, strlen(c->json));
    pthread_mutex_unlock(&c->lock);
}
