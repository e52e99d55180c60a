// SPDX-License-Identifier: Apache-2.0
// Commits to Kafka: those of all tasks that wait go in one transaction, by a thread of its own, so that no task stands still meanwhile. A transaction takes
// some round trips whatever is in it, now and then a second, and a process has one at a time.
#include "engine/pipeline.h"

#include <stdio.h>

static int add(struct pipeline *p, const struct sealed *s, struct weir_error *err)
{
    char metadata[48] = "";
    if (s->high_ms != INT64_MIN)
        snprintf(metadata, sizeof metadata, "high_ms=%lld", (long long)s->high_ms); // what watermarks are made of
    if (weir_kafka_txn_add(p->txn, s->commit.kafka, err) < 0)
        return -1;
    struct weir_kafka_group *group = weir_share_group(p->share);
    return group ? weir_kafka_txn_offset(p->txn, group, s->partition, s->next_offset, metadata, err) : 0;
}

static int transact(struct pipeline *p, const struct sealed *list, enum weir_kafka_fate *ret, struct weir_error *err)
{
    if (weir_kafka_txn_begin(p->txn, err) < 0)
        return -1;
    for (const struct sealed *s = list; s; s = s->next)
        if (add(p, s, err) < 0)
            return -1;
    int result; // while it is not known what became of it, nothing else can be done
    while ((result = weir_kafka_txn_commit(p->txn, ret, err)) < 0 && err->fate == WEIR_RETRY && !atomic_load(&p->engine->ending))
        engine_say(p->engine, "%s: %s", p->plan->pipeline, err->text);
    return result;
}

static void tell(struct sealed *list, enum weir_kafka_fate fate)
{
    for (struct sealed *s = list, *next; s; s = next) {
        next = s->next; // the task goes on with it as soon as it is told
        s->fate = fate;
        if (fate == WEIR_KAFKA_DONE)
            weir_kafka_batch_clear(s->commit.kafka);
        atomic_store(&s->stage, SEALED_ENDED);
    }
}

// Trouble that passes turns the commits away, to be tried again.
static void commit_all(struct pipeline *p, struct sealed *list)
{
    struct weir_error err;
    enum weir_kafka_fate fate = WEIR_KAFKA_ABORTED;
    if (transact(p, list, &fate, &err) < 0) {
        fate = WEIR_KAFKA_ABORTED;
        weir_kafka_txn_abort(p->txn);
        engine_say(p->engine, "%s: a commit was turned away: %s", p->plan->pipeline, err.text);
        if (err.fate != WEIR_RETRY)
            engine_fail(p->engine, &err);
    }
    tell(list, fate);
    weir_log_wake(p->log);
}

static void *serve(void *context)
{
    struct pipeline *p = context;
    struct committer *c = &p->committer;
    pthread_mutex_lock(&c->lock);
    while (!c->stopping) {
        struct sealed *list = c->queue;
        c->queue = NULL;
        c->under_way = list != NULL;
        if (!list) {
            pthread_cond_wait(&c->changed, &c->lock);
            continue;
        }
        pthread_mutex_unlock(&c->lock);
        commit_all(p, list);
        pthread_mutex_lock(&c->lock);
        c->under_way = false;
        pthread_cond_broadcast(&c->changed);
    }
    pthread_mutex_unlock(&c->lock);
    return NULL;
}

void committer_start(struct pipeline *p)
{
    struct committer *c = &p->committer;
    pthread_mutex_init(&c->lock, NULL);
    pthread_cond_init(&c->changed, NULL);
    c->started = pthread_create(&c->thread, NULL, serve, p) == 0;
    weir_assert(c->started);
}

void committer_stop(struct pipeline *p)
{
    struct committer *c = &p->committer;
    if (!c->started)
        return;
    pthread_mutex_lock(&c->lock);
    c->stopping = true;
    pthread_cond_broadcast(&c->changed);
    pthread_mutex_unlock(&c->lock);
    pthread_join(c->thread, NULL);
    pthread_mutex_destroy(&c->lock);
    pthread_cond_destroy(&c->changed);
    c->started = false;
}

void committer_submit(struct pipeline *p, struct sealed *s)
{
    struct committer *c = &p->committer;
    atomic_store(&s->stage, SEALED_QUEUED);
    pthread_mutex_lock(&c->lock);
    s->next = c->queue;
    c->queue = s;
    pthread_cond_broadcast(&c->changed);
    pthread_mutex_unlock(&c->lock);
}

void committer_withdraw(struct pipeline *p, struct sealed *s)
{
    struct committer *c = &p->committer;
    pthread_mutex_lock(&c->lock);
    for (struct sealed **at = &c->queue; *at; at = &(*at)->next)
        if (*at == s) {
            *at = s->next;
            break;
        }
    while (c->under_way && atomic_load(&s->stage) == SEALED_QUEUED)
        pthread_cond_wait(&c->changed, &c->lock);
    pthread_mutex_unlock(&c->lock);
}
