// SPDX-License-Identifier: Apache-2.0
// Which partitions are ours. With an embedded log: all, from the opening to the end. In a consumer group they come and go: one that comes is opened with
// the state its last owner committed; one that goes is committed, if it still may be, and closed. While a pipeline ends they stay as they are.
#include "engine/pipeline.h"

#include "base/memory.h"
#include "base/time.h"
#include <poll.h>

enum { POLL_MS = 200, RETRY_MS = 1000 };

static void pause_ms(const struct weir_engine *e, int ms)
{
    struct pollfd stop = {.fd = e->wake_fd, .events = POLLIN};
    poll(&stop, 1, ms);
}

static int assigned(void *context, int32_t partition, int64_t *ret_offset, struct weir_error *err)
{
    struct pipeline *p = context;
    struct weir_engine *e = p->engine;
    struct task *t = &p->tasks[partition];
    if (atomic_load(&e->stopping))
        return weir_fail(err, WEIR_UNAVAILABLE, WEIR_RETRY, "the process is ending");
    while (task_open(t, err) < 0) {
        if (err->fate != WEIR_RETRY || !atomic_load(&e->running) || atomic_load(&e->stopping))
            return -1;
        engine_say(e, "%s; trying again", err->text);
        pause_ms(e, RETRY_MS);
    }
    *ret_offset = t->fresh ? INT64_MIN : t->next_offset;
    return 0;
}

static void set_reader(struct task *t, struct weir_reader *reader)
{
    pthread_mutex_lock(&t->lock); // status looks at it
    t->reader = reader;
    pthread_mutex_unlock(&t->lock);
}

static void opened(void *context, int32_t partition, struct weir_reader *reader)
{
    struct pipeline *p = context;
    struct weir_engine *e = p->engine;
    struct task *t = &p->tasks[partition];
    set_reader(t, reader);
    pthread_mutex_lock(&e->lock);
    t->owned = true;
    pthread_mutex_unlock(&e->lock);
    weir_log_wake(p->log);
    if (weir_share_group(p->share))
        engine_say(e, "%s: reading partition %d from offset %lld", p->plan->pipeline, partition, (long long)t->next_offset);
}

// No worker takes it any more when this returns.
static void withdraw(struct weir_engine *e, struct task *t)
{
    pthread_mutex_lock(&e->lock);
    t->leaving = true;
    while (t->busy)
        pthread_cond_wait(&e->idle, &e->lock);
    t->owned = t->leaving = false;
    pthread_mutex_unlock(&e->lock);
    set_reader(t, NULL); // closed by the share when we have let go
}

static void forget_counts(struct task *t)
{
    pthread_mutex_lock(&t->lock);
    counts_drop(&t->seen);
    counts_open(&t->seen, t->pipeline->plan);
    t->core_stats = (struct weir_core_stats){0};
    t->status = (struct weir_partition_status){.high_ms = INT64_MIN};
    pthread_mutex_unlock(&t->lock);
}

static void revoked(void *context, int32_t partition, bool lost)
{
    struct pipeline *p = context;
    struct weir_engine *e = p->engine;
    struct task *t = &p->tasks[partition];
    struct weir_error err;
    withdraw(e, t);
    bool handing_over = !atomic_load(&e->ending) && atomic_load(&e->running);
    if (handing_over && !lost && !t->fenced && !t->finished && task_commit(t, true, MERGE_DUE, engine_leave_by_us(e), &err) < 0)
        engine_say(e, "%s: %s", p->plan->pipeline, err.text);
    if (handing_over) {
        engine_say(e, "%s: partition %d went to another process%s", p->plan->pipeline, partition,
                   lost || t->fenced ? ", before it was committed" : "");
        forget_counts(t);
    }
    task_close(t);
}

static void *serve(void *context)
{
    struct pipeline *p = context;
    struct weir_engine *e = p->engine;
    struct weir_error err;
    while (!atomic_load(&e->ending)) {
        if (weir_share_poll(p->share, POLL_MS, &err) < 0) {
            if (!atomic_load(&e->stopping)) // else it is what a stop looks like from here
                engine_fail(e, &err);
            break;
        }
        engine_stop_if_done(e);
    }
    return NULL;
}

int membership_join(struct pipeline *p, struct weir_error *err)
{
    const struct weir_sharer sharer = {p, assigned, opened, revoked};
    if (weir_share_join(p->log, p->plan->topic.name, p->engine->instance, &sharer, &p->share, err) < 0)
        return -1;
    return weir_share_group(p->share) ? 0 : weir_share_poll(p->share, 0, err);
}

void membership_start(struct pipeline *p)
{
    if (!p->share || !weir_share_group(p->share))
        return;
    p->share_started = pthread_create(&p->share_thread, NULL, serve, p) == 0;
    weir_assert(p->share_started);
}

void membership_stop(struct pipeline *p)
{
    if (!p->share_started)
        return;
    weir_share_wake(p->share);
    pthread_join(p->share_thread, NULL);
    p->share_started = false;
}

void membership_leave(struct pipeline *p)
{
    weir_share_leave(p->share);
    p->share = NULL;
}
