// SPDX-License-Identifier: Apache-2.0
// Workers take whichever task has something to do, run it for one step and put it back: no task is bound to a thread, none is run by two at once.
#include "base/memory.h"
#include "base/time.h"
#include "engine/pipeline.h"

enum { WAIT_MS = 20 };

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

// Under until_end: the feed has ended, and everything it gave has been read.
static bool at_end(struct task *t)
{
    if (!t->pipeline->engine->options.until_end || !atomic_load(&t->pipeline->feeder.ended))
        return false;
    return weir_reader_end_offset(t->reader) <= t->next_offset;
}

static struct task *take(struct weir_engine *e)
{
    struct task *taken = NULL;
    int64_t now_us = weir_monotonic_us();
    uint32_t total = task_total(e);
    pthread_mutex_lock(&e->lock);
    for (uint32_t i = 0; i < total && !taken; i++) {
        struct task *t = task_number(e, (e->next_task + i) % total);
        if (!t->busy && !t->finished && (task_has_work(t, now_us) || at_end(t)))
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
    pthread_mutex_unlock(&e->lock);
}

static int run_task(struct weir_engine *e, struct task *t, struct weir_error *err)
{
    bool ended = at_end(t); // before the step: what it then finds is all there is
    if (task_step(t, err) < 0)
        return -1;
    if (!ended || !at_end(t))
        return 0;
    if (task_finish(t, err) < 0)
        return -1;
    if (atomic_fetch_sub(&e->unfinished, 1) == 1)
        weir_engine_stop(e);
    return 0;
}

static void *worker_main(void *context)
{
    struct weir_engine *e = context;
    uint64_t seen = 0;
    while (!atomic_load(&e->stopping)) {
        struct task *t = take(e);
        if (!t) {
            weir_log_wait(e->log, &seen, WAIT_MS);
            continue;
        }
        struct weir_error err;
        if (run_task(e, t, &err) < 0)
            engine_fail(e, &err);
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
    weir_log_wake(e->log);
    for (uint32_t i = 0; e->workers && i < e->worker_count; i++)
        pthread_join(e->workers[i], NULL);
}
