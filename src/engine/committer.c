// SPDX-License-Identifier: Apache-2.0
// Commits to Kafka: those of all tasks that wait go in one transaction, by whichever worker comes first, while the others read on. A transaction takes
// some round trips whatever is in it, and a process has one at a time.
#include "engine/pipeline.h"

#include "base/time.h"
#include <stdio.h>

static int add(struct pipeline *p, const struct sealed *s, struct weir_error *err)
{
    char metadata[48] = "";
    if (s->high_ms != INT64_MIN)
        snprintf(metadata, sizeof metadata, "high_ms=%lld", (long long)s->high_ms); // what watermarks are made of
    if (weir_kafka_txn_add(p->txn, s->commit.kafka, err) < 0)
        return -1;
    struct weir_kafka_group *group = s->partition < 0 ? NULL : weir_share_group(p->share);
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

// Trouble that passes turns the commits away, to be tried again.
static int commit_all(struct pipeline *p, struct sealed *list, struct weir_error *err)
{
    enum weir_kafka_fate fate = WEIR_KAFKA_ABORTED;
    int result = transact(p, list, &fate, err);
    if (result < 0)
        weir_kafka_txn_abort(p->txn);
    if (result < 0 && err->fate != WEIR_RETRY)
        return -1;
    if (result < 0) {
        engine_say(p->engine, "%s: a commit was turned away: %s", p->plan->pipeline, err->text);
        fate = WEIR_KAFKA_ABORTED;
    }
    for (struct sealed *s = list, *next; s; s = next) {
        next = s->next; // the task goes on with it as soon as it is told
        s->fate = fate;
        if (fate == WEIR_KAFKA_DONE)
            weir_kafka_batch_clear(s->commit.kafka);
        atomic_store(&s->stage, SEALED_ENDED);
    }
    return 0;
}

static struct sealed *take_all(struct committer *c)
{
    pthread_mutex_lock(&c->queue_lock);
    struct sealed *list = c->queue;
    c->queue = NULL;
    pthread_mutex_unlock(&c->queue_lock);
    return list;
}

void committer_open(struct committer *c)
{
    pthread_mutex_init(&c->lock, NULL);
    pthread_mutex_init(&c->queue_lock, NULL);
}

void committer_close(struct committer *c)
{
    pthread_mutex_destroy(&c->lock);
    pthread_mutex_destroy(&c->queue_lock);
}

void committer_submit(struct pipeline *p, struct sealed *s)
{
    struct committer *c = &p->committer;
    pthread_mutex_lock(&c->queue_lock);
    s->next = c->queue;
    c->queue = s;
    pthread_mutex_unlock(&c->queue_lock);
    atomic_store(&s->stage, SEALED_QUEUED);
}

static int run(struct pipeline *p, struct weir_error *err)
{
    int result = 0;
    struct sealed *list;
    while (result == 0 && (list = take_all(&p->committer))) {
        result = commit_all(p, list, err);
        weir_log_wake(p->log);
    }
    return result;
}

int committer_run(struct pipeline *p, struct weir_error *err)
{
    struct committer *c = &p->committer;
    if (pthread_mutex_trylock(&c->lock) != 0)
        return 0; // somebody is at it, and looks again when done
    atomic_store(&c->running, true);
    int result = run(p, err);
    atomic_store(&c->running, false);
    pthread_mutex_unlock(&c->lock);
    return result;
}

bool committer_idle(const struct committer *c)
{
    return !atomic_load(&c->running);
}

void committer_withdraw(struct pipeline *p, struct sealed *s)
{
    struct committer *c = &p->committer;
    pthread_mutex_lock(&c->lock); // it may be under way
    pthread_mutex_lock(&c->queue_lock);
    for (struct sealed **at = &c->queue; *at; at = &(*at)->next)
        if (*at == s) {
            *at = s->next;
            break;
        }
    pthread_mutex_unlock(&c->queue_lock);
    pthread_mutex_unlock(&c->lock);
}
