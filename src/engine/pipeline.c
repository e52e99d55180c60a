// SPDX-License-Identifier: Apache-2.0
// A pipeline's engines: opened as its file names them, and committed to in their order.
#include "engine/pipeline.h"

#include "base/memory.h"
#include "base/time.h"
#include "engine/row_contracts.h"
#include <stdlib.h>

// ---- opening

// A simulated feed's clock runs faster than the file says.
static void speed_up(struct weir_plan *plan, int64_t factor)
{
    for (uint32_t i = 0; plan->feed.sim && i < plan->event.field_count; i++) {
        struct weir_sim_field *field = &plan->feed.sim[i];
        if (field->kind != WEIR_SIM_NOW && field->kind != WEIR_SIM_CLOCK)
            continue;
        field->kind = WEIR_SIM_CLOCK;
        field->clock_factor = (double)factor;
    }
}

static void progress(void *context)
{
    struct pipeline *p = context;
    weir_log_wake(p->log);
}

static int open_log(struct pipeline *p, struct weir_error *err)
{
    struct weir_backends *b = p->engine->backends;
    const struct weir_topic_spec *topic = &p->plan->topic;
    const struct weir_topic_config config = {topic->name, topic->partitions, topic->replication, topic->retention_ms};
    if (weir_backends_log(b, p->plan, &p->log, err) < 0 || weir_topic_create(p->log, &config, err) < 0 ||
        weir_backends_dead(b, p->plan, &p->dead, err) < 0)
        return -1;
    p->kafka = weir_backends_kafka(b, p->plan);
    return p->plan->event.format == WEIR_FORMAT_AVRO ? weir_backends_registry(b, p->plan, &p->registry, err) : 0;
}

// The registry of the tables' rows. The data folder is not opened for it alone.
static struct weir_registry *rows_registry(struct pipeline *p)
{
    struct weir_backends *b = p->engine->backends;
    struct weir_registry *r = p->registry;
    struct weir_error why;
    if (r || (p->plan->registry.embedded && !weir_backends_embedded(b)))
        return r;
    if (weir_backends_registry(b, p->plan, &r, &why) < 0)
        engine_say(p->engine, "%s: %s", p->plan->pipeline, why.text);
    return r;
}

// Columns that may not follow what is registered are a mistake of the file; a registry that cannot be asked or written to keeps nobody from running.
static int check_contracts(struct pipeline *p, struct weir_registry **ret, struct weir_error *err)
{
    struct weir_registry *r = rows_registry(p);
    struct weir_error why;
    int fits = r ? weir_row_contracts_check(r, p->plan, &why) : -1;
    if (r && fits < 0)
        engine_say(p->engine, "%s: the columns of the tables are not checked: %s", p->plan->pipeline, why.text);
    *ret = fits > 0 ? r : NULL;
    if (fits != 0)
        return 0;
    *err = why;
    return -1;
}

// What the registry itself refuses, by rules that it did not tell of, is refused here too.
static int keep_contracts(struct pipeline *p, struct weir_registry *r, struct weir_error *err)
{
    struct weir_error why;
    if (!r || weir_row_contracts_register(r, p->plan, &why) == 0)
        return 0;
    if (why.code == WEIR_BAD_DATA) {
        *err = why;
        return -1;
    }
    engine_say(p->engine, "%s: the columns of the tables are not registered: %s", p->plan->pipeline, why.text);
    return 0;
}

static int open_tables(struct pipeline *p, struct weir_error *err)
{
    struct weir_registry *registry;
    if (check_contracts(p, &registry, err) < 0)
        return -1;
    if (weir_backends_store(p->engine->backends, p->plan, &p->store, err) < 0)
        return -1;
    for (uint32_t q = 0; q < p->plan->query_count; q++)
        if (weir_store_create(p->store, p->plan->keyspace, &p->plan->queries[q].table, err) < 0)
            return -1;
    if (keep_contracts(p, registry, err) < 0)
        return -1;
    weir_store_on_progress(p->store, progress, p);
    return 0;
}

static int open_transactions(struct pipeline *p, struct weir_error *err)
{
    struct weir_engine *e = p->engine;
    if (!p->kafka)
        return 0;
    if (!e->instance && instance_take(e->data_dir, e, err) < 0)
        return -1;
    weir_cleanup(weir_freep) char *id = weir_format("%s-%s", p->plan->pipeline, e->instance);
    if (weir_kafka_txn_open(p->kafka, id, &p->txn, err) < 0 || weir_dead_kafka_try(p->dead, p->txn, err) < 0 || partials_topic(p, err) < 0)
        return -1;
    committer_start(p);
    return 0;
}

static int open_merge(struct pipeline *p, struct weir_error *err)
{
    int64_t epoch_us;
    bool fresh;
    if (p->kafka)
        return 0; // see partials.c
    if (weir_state_epoch(p->state, 0, NULL, &epoch_us, &fresh, err) < 0)
        return -1;
    p->merge = merge_new(p->plan, epoch_us);
    return 0;
}

static int open_tasks(struct pipeline *p, struct weir_error *err)
{
    if (open_tables(p, err) < 0 || weir_backends_state(p->engine->backends, p->plan, &p->state, err) < 0 || open_transactions(p, err) < 0 ||
        open_merge(p, err) < 0)
        return -1;
    p->db = p->plan->log.embedded || p->plan->store.embedded ? weir_backends_embedded(p->engine->backends) : NULL;
    if (membership_join(p, err) < 0)
        return -1;
    merge_begin(p->merge, p);
    return 0;
}

int pipeline_open(struct pipeline *p, struct weir_engine *e, struct weir_plan *plan, struct weir_error *err)
{
    *p = (struct pipeline){.engine = e, .plan = plan};
    if (e->options.clock_factor_override)
        speed_up(plan, e->options.clock_factor_override);
    p->task_count = e->options.feed_only ? 0 : (uint32_t)plan->topic.partitions;
    p->tasks = weir_zalloc(p->task_count, sizeof *p->tasks);
    for (uint32_t i = 0; i < p->task_count; i++)
        task_init(&p->tasks[i], p, (int32_t)i);
    if (e->options.recent_rows)
        p->recent = recent_new(plan, e->options.recent_rows);
    p->door = door_new(p);
    p->observer = observer_new(p);
    if (open_log(p, err) < 0 || feeder_open(&p->feeder, p, err) < 0)
        return -1;
    return e->options.feed_only ? 0 : open_tasks(p, err);
}

void pipeline_close(struct pipeline *p)
{
    membership_leave(p);
    if (p->store)
        weir_store_on_progress(p->store, NULL, NULL);
    committer_stop(p);
    weir_kafka_txn_close(p->txn);
    for (uint32_t i = 0; i < p->task_count; i++)
        task_drop(&p->tasks[i]);
    free(p->tasks);
    feeder_close(&p->feeder);
    recent_free(p->recent);
    observer_free(p->observer);
    door_free(p->door);
    merge_free(p->merge);
}

// ---- commits

void pipeline_commit_open(const struct pipeline *p, struct weir_commit *ret)
{
    *ret = (struct weir_commit){.embedded = p->db ? weir_txn_new(p->db) : NULL, .kafka = p->kafka ? weir_kafka_batch_new() : NULL};
}

void pipeline_commit_drop(struct weir_commit *commit)
{
    if (commit->embedded)
        weir_txn_free(commit->embedded);
    weir_kafka_batch_free(commit->kafka);
    *commit = (struct weir_commit){0};
}

size_t pipeline_commit_bytes(const struct weir_commit *commit)
{
    return (commit->embedded ? weir_txn_bytes(commit->embedded) : 0) + (commit->kafka ? weir_kafka_batch_bytes(commit->kafka) : 0);
}

int pipeline_commit_embedded(struct weir_commit *commit, bool durable, struct weir_error *err)
{
    bool rows_first = commit->kafka != NULL; // the offset moves only behind rows that would survive
    if (!commit->embedded || weir_txn_bytes(commit->embedded) == 0)
        return 0;
    return weir_txn_commit(commit->embedded, durable || rows_first, err);
}
