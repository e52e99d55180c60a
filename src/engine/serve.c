// SPDX-License-Identifier: Apache-2.0
// What servers ask of a running engine.
#include "base/memory.h"
#include "engine/pipeline.h"
#include <stdlib.h>

const struct weir_plan *weir_engine_plan(const struct weir_engine *e, uint32_t pipeline)
{
    return e->pipelines[pipeline].plan;
}

int weir_engine_scan(struct weir_engine *e, uint32_t pipeline, const struct weir_scan *scan,
                     int (*visit)(void *context, const struct weir_value *values), void *context, struct weir_error *err)
{
    const struct pipeline *p = &e->pipelines[pipeline];
    return weir_store_scan(p->store, p->plan->keyspace, scan, visit, context, err);
}

int weir_engine_keys(struct weir_engine *e, uint32_t pipeline, uint32_t query, struct weir_str prefix, uint64_t limit,
                     int (*visit)(void *context, const struct weir_value *values), void *context, struct weir_error *err)
{
    const struct pipeline *p = &e->pipelines[pipeline];
    return weir_store_keys(p->store, p->plan->keyspace, &p->plan->queries[query].table, prefix, limit, visit, context, err);
}

int weir_engine_dead_scan(struct weir_engine *e, uint32_t pipeline, int reason, int (*visit)(void *context, const struct weir_dead_letter *letter),
                          void *context, struct weir_error *err)
{
    return weir_dead_scan(e->pipelines[pipeline].dead, reason, visit, context, err);
}

int weir_engine_post(struct weir_engine *e, const char *topic, struct weir_str json, uint64_t *ret_count, struct weir_error *err)
{
    for (uint32_t i = 0; i < e->pipeline_count; i++)
        if (strcmp(e->pipelines[i].plan->topic.name, topic) == 0)
            return door_post(e->pipelines[i].door, json, ret_count, err);
    return weir_fail(err, WEIR_NO_INPUT, WEIR_DEAD_LETTER, "no running pipeline has a topic '%s'", topic);
}

uint32_t weir_engine_recent(struct weir_engine *e, uint32_t pipeline, uint32_t query, uint32_t limit, struct weir_arena *arena,
                            struct weir_value ***ret_rows)
{
    struct recent *r = e->pipelines[pipeline].recent;
    return r ? recent_get(r, query, limit, arena, ret_rows) : 0;
}

uint32_t weir_engine_recent_since(struct weir_engine *e, uint32_t pipeline, uint32_t query, uint64_t since, uint32_t limit, struct weir_arena *arena,
                                  struct weir_value ***ret_rows, uint64_t *ret_next)
{
    struct recent *r = e->pipelines[pipeline].recent;
    *ret_next = since;
    return r ? recent_since(r, query, since, limit, arena, ret_rows, ret_next) : 0;
}

struct weir_registry *weir_engine_registry_of(const struct weir_engine *e, uint32_t pipeline)
{
    return e->pipelines[pipeline].registry;
}

int weir_engine_registry(struct weir_engine *e, struct weir_registry **ret, struct weir_error *err)
{
    *ret = NULL;
    for (uint32_t i = 0; i < e->pipeline_count; i++) // a data folder is not opened for it alone
        if (e->pipelines[i].plan->registry.embedded && weir_backends_embedded(e->backends))
            return weir_backends_registry(e->backends, e->pipelines[i].plan, ret, err);
    return 0;
}

void weir_engine_set_url(struct weir_engine *e, const char *url)
{
    free(e->url);
    e->url = weir_strdup(url);
}

static void task_trouble(struct task *t, struct weir_buffer *reasons)
{
    pthread_mutex_lock(&t->lock);
    if (t->trouble[0])
        weir_buffer_format(reasons, "partition %d waits: %s\n", t->partition, t->trouble);
    pthread_mutex_unlock(&t->lock);
}

static void pipeline_trouble(struct pipeline *p, struct weir_buffer *reasons)
{
    weir_log_healthy(p->log, reasons);
    if (p->store)
        weir_store_healthy(p->store, reasons);
    if (p->registry)
        weir_registry_healthy(p->registry, reasons);
    for (uint32_t t = 0; t < p->task_count; t++)
        task_trouble(&p->tasks[t], reasons);
}

bool weir_engine_ready(struct weir_engine *e, struct weir_buffer *reasons)
{
    size_t before = reasons->bytes;
    pthread_mutex_lock(&e->lock);
    if (e->failed)
        weir_buffer_format(reasons, "%s\n", e->error.text);
    pthread_mutex_unlock(&e->lock);
    if (atomic_load(&e->stopping))
        weir_buffer_format(reasons, "the engine is stopping\n");
    if (!atomic_load(&e->running))
        weir_buffer_format(reasons, "the engine is starting\n");
    for (uint32_t i = 0; i < e->pipeline_count; i++)
        pipeline_trouble(&e->pipelines[i], reasons);
    return reasons->bytes == before;
}
