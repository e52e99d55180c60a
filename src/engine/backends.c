// SPDX-License-Identifier: Apache-2.0
#include "engine/backends.h"

#include "base/memory.h"
#include <poll.h>
#include <stdlib.h>
#include <string.h>

enum { REACH_MS = 10000, MEMBERS_MS = 15000, MEMBERS_STEP_MS = 200 };

// What one plan has open of its own; parts of the data folder are shared.
struct of_plan {
    const struct weir_plan *plan; // NULL: without a plan
    struct weir_kafka *kafka;
    struct weir_log *log;
    struct weir_registry *registry;
    struct weir_store *store;
    struct weir_state *state;
    struct weir_dead *dead;
    struct of_plan *next;
};

struct weir_backends {
    char *data_dir;
    enum weir_open mode;
    void (*log_line)(void *context, const char *line);
    void *log_context;
    struct weir_overrides flags;
    struct weir_embedded *db;
    struct weir_log *log; // the data folder's
    struct weir_registry *registry;
    struct weir_store *store;
    struct of_plan *plans;
};

struct weir_backends *weir_backends_new(const char *data_dir, enum weir_open mode, void (*log)(void *context, const char *line), void *log_context)
{
    struct weir_backends *b = weir_zalloc(1, sizeof *b);
    *b = (struct weir_backends){.data_dir = weir_strdup(data_dir), .mode = mode, .log_line = log, .log_context = log_context};
    return b;
}

void weir_backends_where(struct weir_backends *b, const struct weir_overrides *flags)
{
    b->flags = *flags;
}

static void close_plan(struct of_plan *p)
{
    weir_dead_close(p->dead);
    weir_state_close(p->state);
    weir_store_close(p->store);
    weir_registry_close(p->registry);
    weir_log_close(p->log);
    weir_kafka_free(p->kafka);
    free(p);
}

void weir_backends_free(struct weir_backends *b)
{
    if (!b)
        return;
    while (b->plans) {
        struct of_plan *p = b->plans;
        b->plans = p->next;
        close_plan(p);
    }
    weir_store_close(b->store);
    weir_registry_close(b->registry);
    weir_log_close(b->log);
    weir_embedded_close(b->db);
    free(b->data_dir);
    free(b);
}

static struct of_plan *find(const struct weir_backends *b, const struct weir_plan *plan)
{
    struct of_plan *p = b->plans;
    while (p && p->plan != plan)
        p = p->next;
    return p;
}

static struct of_plan *find_or_add(struct weir_backends *b, const struct weir_plan *plan)
{
    struct of_plan *p = find(b, plan);
    if (!p) {
        p = weir_zalloc(1, sizeof *p);
        *p = (struct of_plan){.plan = plan, .next = b->plans};
        b->plans = p;
    }
    return p;
}

static struct weir_url named(const char *flag, const char *variable)
{
    const char *text = flag ? flag : getenv(variable);
    bool embedded = !text || !*text || strcmp(text, "embedded") == 0;
    return (struct weir_url){.text = embedded ? "embedded" : text, .embedded = embedded};
}

static struct weir_url log_url(const struct weir_backends *b, const struct weir_plan *plan)
{
    return plan ? plan->log : named(b->flags.log, "WEIR_LOG");
}

static struct weir_url registry_url(const struct weir_backends *b, const struct weir_plan *plan)
{
    return plan ? plan->registry : named(b->flags.registry, "WEIR_REGISTRY");
}

static int need_db(struct weir_backends *b, struct weir_error *err)
{
    return b->db ? 0 : weir_embedded_open(b->data_dir, b->mode, &b->db, err);
}

int weir_backends_check(const struct weir_plan *plan, struct weir_error *err)
{
    const struct weir_cassandra_where store = {.url = plan->store.text, .option_count = plan->store.option_count, .options = plan->store.options};
    struct weir_kafka *kafka = NULL;
    if (!plan->store.embedded && weir_cassandra_check(&store, err) < 0)
        return weir_wrap(err, "%s: store", plan->file);
    if (!plan->log.embedded && weir_kafka_new(plan->log.text, plan->log.option_count, plan->log.options, &kafka, err) < 0)
        return weir_wrap(err, "%s: log", plan->file);
    weir_kafka_free(kafka);
    return 0;
}

// ---- the log, and what is kept beside it

static int need_kafka(struct of_plan *p, const struct weir_url *url, struct weir_error *err)
{
    if (p->kafka)
        return 0;
    struct weir_kafka *kafka;
    if (weir_kafka_new(url->text, url->option_count, url->options, &kafka, err) < 0)
        return -1;
    if (weir_kafka_reach(kafka, REACH_MS, err) < 0) {
        weir_kafka_free(kafka);
        return -1;
    }
    p->kafka = kafka;
    return 0;
}

int weir_backends_log(struct weir_backends *b, const struct weir_plan *plan, struct weir_log **ret, struct weir_error *err)
{
    const struct weir_url url = log_url(b, plan);
    if (url.embedded) {
        if (!b->log && (need_db(b, err) < 0 || weir_log_embedded(b->db, &b->log, err) < 0))
            return -1;
        *ret = b->log;
        return 0;
    }
    struct of_plan *p = find_or_add(b, plan);
    if (!p->log && (need_kafka(p, &url, err) < 0 || weir_log_kafka(p->kafka, plan ? plan->pipeline : NULL, &p->log, err) < 0))
        return -1;
    *ret = p->log;
    return 0;
}

int weir_backends_state(struct weir_backends *b, const struct weir_plan *plan, struct weir_state **ret, struct weir_error *err)
{
    struct of_plan *p = find_or_add(b, plan);
    int rc = 0;
    if (!p->state && plan->log.embedded)
        rc = need_db(b, err) < 0 ? -1 : weir_state_embedded(b->db, plan->pipeline, &p->state, err);
    else if (!p->state)
        rc = need_kafka(p, &plan->log, err) < 0
                 ? -1
                 : weir_state_changelog(p->kafka, plan->pipeline, plan->topic.partitions, plan->topic.replication, &p->state, err);
    *ret = p->state;
    return rc;
}

int weir_backends_dead(struct weir_backends *b, const struct weir_plan *plan, struct weir_dead **ret, struct weir_error *err)
{
    struct of_plan *p = find_or_add(b, plan);
    int rc = 0;
    if (!p->dead && plan->log.embedded)
        rc = need_db(b, err) < 0 ? -1 : weir_dead_embedded(b->db, plan->pipeline, &p->dead, err);
    else if (!p->dead)
        rc = need_kafka(p, &plan->log, err) < 0
                 ? -1
                 : weir_dead_kafka(p->kafka, plan->pipeline, plan->topic.partitions, plan->topic.replication, &p->dead, err);
    *ret = p->dead;
    return rc;
}

// ---- registry and store

int weir_backends_registry(struct weir_backends *b, const struct weir_plan *plan, struct weir_registry **ret, struct weir_error *err)
{
    const struct weir_url url = registry_url(b, plan);
    if (url.embedded) {
        if (!b->registry && (need_db(b, err) < 0 || weir_registry_embedded(b->db, &b->registry, err) < 0))
            return -1;
        *ret = b->registry;
        return 0;
    }
    struct of_plan *p = find_or_add(b, plan);
    if (!p->registry && weir_registry_http(url.text, url.option_count, url.options, &p->registry, err) < 0)
        return -1;
    *ret = p->registry;
    return 0;
}

int weir_backends_store(struct weir_backends *b, const struct weir_plan *plan, struct weir_store **ret, struct weir_error *err)
{
    if (plan->store.embedded) {
        if (!b->store && (need_db(b, err) < 0 || weir_store_embedded(b->db, &b->store, err) < 0))
            return -1;
        *ret = b->store;
        return 0;
    }
    struct of_plan *p = find_or_add(b, plan);
    const struct weir_cassandra_where where = {plan->store.text, plan->store.option_count, plan->store.options, b->log_line, b->log_context};
    if (!p->store && weir_store_cassandra(&where, &p->store, err) < 0)
        return -1;
    *ret = p->store;
    return 0;
}

// ----

struct weir_kafka *weir_backends_kafka(const struct weir_backends *b, const struct weir_plan *plan)
{
    const struct of_plan *p = find(b, plan);
    return p ? p->kafka : NULL;
}

struct weir_embedded *weir_backends_embedded(const struct weir_backends *b)
{
    return b->db;
}

int weir_backends_refresh(struct weir_backends *b, struct weir_error *err)
{
    return b->db ? weir_embedded_refresh(b->db, err) : 0;
}

char *weir_partials_topic(const struct weir_plan *plan)
{
    return weir_format("%s-partials", plan->pipeline);
}

// ---- starting over

// A member that has stopped is missed by its group only when its session has timed out: it might come back.
static int await_members(struct weir_kafka *kafka, const char *group, uint32_t *ret, struct weir_error *err)
{
    for (int waited_ms = 0;; waited_ms += MEMBERS_STEP_MS) {
        if (weir_kafka_group_members(kafka, group, ret, err) < 0)
            return -1;
        if (*ret == 0 || waited_ms >= MEMBERS_MS)
            return 0;
        poll(NULL, 0, MEMBERS_STEP_MS);
    }
}

static int reset_kafka(struct weir_kafka *kafka, const struct weir_plan *plan, struct weir_error *err)
{
    uint32_t members;
    weir_cleanup(weir_freep) char *partials = weir_partials_topic(plan);
    if (await_members(kafka, plan->pipeline, &members, err) < 0)
        return -1;
    if (members)
        return weir_fail(err, WEIR_UNAVAILABLE, WEIR_STOP, "%u process%s of pipeline '%s' still run%s: stop %s first", members,
                         members == 1 ? "" : "es", plan->pipeline, members == 1 ? "s" : "", members == 1 ? "it" : "them");
    struct weir_error why;
    if (weir_kafka_topic_empty(kafka, partials, &why) == 0 || why.code == WEIR_BAD_DATA) // where there is none, no query needs it
        return 0;
    *err = why;
    return -1;
}

int weir_backends_reset(struct weir_backends *b, const struct weir_plan *plan, struct weir_error *err)
{
    struct weir_log *log;
    struct weir_state *state;
    if (weir_backends_log(b, plan, &log, err) < 0)
        return -1;
    struct weir_kafka *kafka = weir_backends_kafka(b, plan);
    if (kafka && reset_kafka(kafka, plan, err) < 0)
        return -1;
    return weir_backends_state(b, plan, &state, err) < 0 ? -1 : weir_state_reset(state, err);
}
