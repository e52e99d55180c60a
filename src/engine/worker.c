// SPDX-License-Identifier: Apache-2.0
// Workers take whichever task has something to do, run it for one step and put it back: no task is bound to a thread, none is run by two at once.
#include "base/memory.h"
#include "base/time.h"
#include "engine/pipeline.h"
#include <stdio.h>

enum { WAIT_MS = 20, END_CHECK_US = 50000, RETRY_FIRST_US = 100000, RETRY_LAST_US = 5000000 };

static uint32_t task_total(const struct weir_engine *e)
{
    uint32_t total = 0;
    for (uint32_t p = 0; p < e->pipeline_count; p++)
        total += e->pipelines[p].task_count;
    return total;
}

static struct task *task_number(struct weir_engine *e, uint32_t n)
{
    struct pipeline *p = e->pipelines;
    for (; n >= p->task_count; p++)
        n -= p->task_count;
    return &p->tasks[n];
}

static bool may_be_at_end(const struct task *t, int64_t now_us)
{
    return t->pipeline->engine->options.until_end && atomic_load(&t->pipeline->feeder.ended) && !t->fetch_left && !weir_reader_ready(t->reader) &&
           now_us - t->last_end_check_us >= END_CHECK_US;
}

// Under until_end: the feed has ended, and everything it gave has been read.
static bool at_end(struct task *t)
{
    if (!may_be_at_end(t, INT64_MAX))
        return false;
    t->last_end_check_us = weir_monotonic_us();
    return weir_reader_at_end(t->reader) && !t->fetch_left;
}

static bool may_run(const struct task *t)
{
    return t->owned && !t->leaving && !t->busy && !t->finished;
}

static struct task *take(struct weir_engine *e)
{
    struct task *taken = NULL;
    int64_t now_us = weir_monotonic_us();
    uint32_t total = task_total(e);
    pthread_mutex_lock(&e->lock);
    for (uint32_t i = 0; i < total && !taken; i++) {
        struct task *t = task_number(e, (e->next_task + i) % total);
        if (may_run(t) && (task_has_work(t, now_us) || (now_us >= t->retry_us && may_be_at_end(t, now_us))))
            taken = t;
    }
    if (taken) {
        taken->busy = true;
        e->next_task = (e->next_task + 1) % total;
    }
    pthread_mutex_unlock(&e->lock);
    return taken;
}

static void put_back(struct weir_engine *e, struct task *t)
{
    pthread_mutex_lock(&e->lock);
    t->busy = false;
    pthread_cond_broadcast(&e->idle);
    pthread_mutex_unlock(&e->lock);
}

static int run_task(struct weir_engine *e, struct task *t, struct weir_error *err)
{
    bool ended = at_end(t); // before the step: what it then finds is all there is
    if (task_step(t, err) < 0)
        return -1;
    if (!ended || !at_end(t) || t->fenced)
        return 0;
    if (task_finish(t, err) < 0)
        return -1;
    engine_stop_if_done(e);
    return 0;
}

static void set_trouble(struct task *t, const char *text)
{
    pthread_mutex_lock(&t->lock);
    snprintf(t->trouble, sizeof t->trouble, "%s", text);
    pthread_mutex_unlock(&t->lock);
}

// Trouble that may pass is waited out, ever longer.
static void after(struct weir_engine *e, struct task *t, int result, const struct weir_error *err)
{
    if (result == 0 && t->retries == 0)
        return;
    if (result < 0 && err->fate != WEIR_RETRY) {
        engine_fail(e, err);
        return;
    }
    if (result < 0 && t->retries == 0)
        engine_say(e, "%s: partition %d waits: %s", t->pipeline->plan->pipeline, t->partition, err->text);
    t->retry_us = result < 0 ? weir_monotonic_us() + weir_backoff_us(RETRY_FIRST_US, RETRY_LAST_US, t->retries) : 0;
    t->retries = result < 0 ? t->retries + 1 : 0;
    set_trouble(t, result < 0 ? err->text : "");
}

// Several logs may be read from; news of the first is waited for, the others' at most so long.
static void wait_for_work(struct weir_engine *e, uint64_t *seen)
{
    weir_log_wait(e->pipelines[0].log, seen, WAIT_MS);
}

static void *worker_main(void *context)
{
    struct weir_engine *e = context;
    uint64_t seen = 0;
    while (!atomic_load(&e->stopping)) {
        struct task *t = take(e);
        if (!t) {
            wait_for_work(e, &seen);
            continue;
        }
        struct weir_error err;
        after(e, t, run_task(e, t, &err), &err);
        put_back(e, t);
    }
    return NULL;
}

void worker_start_all(struct weir_engine *e)
{
    e->workers = weir_zalloc(e->worker_count, sizeof *e->workers);
    for (uint32_t i = 0; i < e->worker_count; i++)
        weir_assert(pthread_create(&e->workers[i], NULL, worker_main, e) == 0);
}

void worker_join_all(struct weir_engine *e)
{
    for (uint32_t i = 0; i < e->pipeline_count; i++)
        weir_log_wake(e->pipelines[i].log);
    for (uint32_t i = 0; e->workers && i < e->worker_count; i++)
        pthread_join(e->workers[i], NULL);
}
