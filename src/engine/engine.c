// SPDX-License-Identifier: Apache-2.0
#include "base/memory.h"
#include "base/time.h"
#include "engine/pipeline.h"
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum { TICK_MS = 1000, EXPIRE_TICKS = 60 };

void engine_say(struct weir_engine *e, const char *format, ...)
{
    if (!e->options.log)
        return;
    char line[1024];
    va_list args;
    va_start(args, format);
    vsnprintf(line, sizeof line, format, args);
    va_end(args);
    e->options.log(e->options.log_context, line);
}

void engine_fail(struct weir_engine *e, const struct weir_error *err)
{
    pthread_mutex_lock(&e->lock);
    if (!e->failed)
        e->error = *err;
    e->failed = true;
    pthread_mutex_unlock(&e->lock);
    weir_engine_stop(e);
}

void weir_engine_stop(struct weir_engine *e)
{
    atomic_store(&e->stopping, true);
    uint64_t one = 1;
    ssize_t written = write(e->wake_fd, &one, sizeof one); // stays readable: everyone who polls it wakes
    (void)written;
}

// ---- opening

static int check_plans(struct weir_plan *const *plans, uint32_t count, struct weir_error *err)
{
    for (uint32_t i = 0; i < count; i++)
        for (uint32_t j = 0; j < i; j++) {
            if (strcmp(plans[i]->data_dir, plans[j]->data_dir) != 0)
                return weir_fail(err, WEIR_BAD_CONFIG, WEIR_STOP, "%s and %s have different data folders: one run has one, name it with --data",
                                 plans[j]->file, plans[i]->file);
            if (strcmp(plans[i]->pipeline, plans[j]->pipeline) == 0)
                return weir_fail(err, WEIR_BAD_CONFIG, WEIR_STOP, "%s and %s both name their pipeline '%s'", plans[j]->file, plans[i]->file,
                                 plans[i]->pipeline);
        }
    return 0;
}

int weir_engine_open(struct weir_plan *const *plans, uint32_t plan_count, const struct weir_run_options *options, struct weir_engine **ret,
                     struct weir_error *err)
{
    if (check_plans(plans, plan_count, err) < 0)
        return -1;
    struct weir_engine *e = weir_zalloc(1, sizeof *e);
    e->options = *options;
    e->data_dir = plans[0]->data_dir;
    e->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    e->started_us = weir_monotonic_us();
    atomic_store(&e->leave_by_us, INT64_MAX);
    e->started_ms = weir_now_ms();
    e->instance_fd = -1;
    pthread_mutex_init(&e->lock, NULL);
    pthread_cond_init(&e->idle, NULL);
    e->backends = weir_backends_new(e->data_dir, WEIR_OWNER, options->log, options->log_context);
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    e->worker_count = options->workers > 0 ? (uint32_t)options->workers : cores > 0 ? (uint32_t)cores : 1;
    e->pipelines = weir_zalloc(plan_count, sizeof *e->pipelines);
    weir_assert(e->wake_fd >= 0);
    bool good = instance_folder(e->data_dir, err) == 0;
    for (; good && e->pipeline_count < plan_count; e->pipeline_count++)
        good = pipeline_open(&e->pipelines[e->pipeline_count], e, plans[e->pipeline_count], err) == 0; // closed with the rest where it is not
    if (!good) {
        weir_engine_close(e);
        return -1;
    }
    *ret = e;
    return 0;
}

void weir_engine_close(struct weir_engine *e)
{
    if (!e)
        return;
    atomic_store(&e->ending, true);
    for (uint32_t i = 0; i < e->pipeline_count; i++)
        pipeline_close(&e->pipelines[i]);
    weir_backends_free(e->backends);
    close(e->wake_fd);
    instance_drop(e);
    pthread_mutex_destroy(&e->lock);
    pthread_cond_destroy(&e->idle);
    free(e->workers);
    free(e->url);
    free(e->pipelines);
    free(e);
}

// ---- running

// Records older than the topic's retention go, as far as this pipeline has read them.
static void expire(struct weir_engine *e)
{
    for (uint32_t i = 0; i < e->pipeline_count; i++) {
        struct pipeline *p = &e->pipelines[i];
        weir_cleanup(weir_freep) int64_t *keep_from = weir_zalloc((size_t)p->plan->topic.partitions, sizeof *keep_from);
        for (uint32_t t = 0; t < p->task_count; t++) {
            pthread_mutex_lock(&p->tasks[t].lock);
            keep_from[t] = p->tasks[t].status.next_offset;
            pthread_mutex_unlock(&p->tasks[t].lock);
        }
        struct weir_error err;
        if (p->plan->topic.retention_ms && weir_topic_expire(p->log, p->plan->topic.name, weir_now_ms(), keep_from, &err) < 0)
            engine_say(e, "%s: retention: %s", p->plan->pipeline, err.text);
    }
}

static bool feeds_ended(struct weir_engine *e)
{
    for (uint32_t i = 0; i < e->pipeline_count; i++)
        if (!atomic_load(&e->pipelines[i].feeder.ended))
            return false;
    return true;
}

void engine_feed_ended(struct weir_engine *e)
{
    for (uint32_t i = 0; i < e->pipeline_count; i++)
        weir_log_wake(e->pipelines[i].log); // tasks that wait for more learn that there is none
    if (e->options.feed_only && feeds_ended(e))
        weir_engine_stop(e);
}

static bool is_done(const struct pipeline *p)
{
    if (!atomic_load(&p->feeder.ended) || !weir_share_settled(p->share))
        return false;
    for (uint32_t i = 0; i < p->task_count; i++)
        if (p->tasks[i].owned && !p->tasks[i].finished)
            return false;
    return true;
}

void engine_stop_if_done(struct weir_engine *e)
{
    bool done = e->options.until_end;
    pthread_mutex_lock(&e->lock);
    for (uint32_t i = 0; done && i < e->pipeline_count; i++)
        done = is_done(&e->pipelines[i]);
    pthread_mutex_unlock(&e->lock);
    if (done)
        weir_engine_stop(e);
}

static void tick(struct weir_engine *e, uint64_t ticks)
{
    struct weir_error err;
    struct weir_embedded *db = weir_backends_embedded(e->backends);
    if (db)
        weir_embedded_tend(db);
    if (status_write(e, &err) < 0)
        engine_say(e, "%s", err.text);
    if (ticks % EXPIRE_TICKS == EXPIRE_TICKS - 1)
        expire(e);
}

static void wait_for_stop(struct weir_engine *e)
{
    int64_t until_us = e->options.for_ms ? e->started_us + e->options.for_ms * 1000 : INT64_MAX;
    for (uint64_t ticks = 0; !atomic_load(&e->stopping); ticks++) {
        tick(e, ticks);
        int64_t left_ms = (until_us - weir_monotonic_us()) / 1000;
        if (left_ms <= 0)
            weir_engine_stop(e);
        struct pollfd stop = {.fd = e->wake_fd, .events = POLLIN};
        if (left_ms > 0)
            poll(&stop, 1, left_ms < TICK_MS ? (int)left_ms + 1 : TICK_MS);
    }
}

// ---- leaving: while workers and members still run

int64_t engine_leave_by_us(const struct weir_engine *e)
{
    int64_t alone_us = weir_monotonic_us() + TASK_LEAVE_US, all_us = atomic_load(&e->leave_by_us);
    return alone_us < all_us ? alone_us : all_us;
}

// A run to the end takes the time it needs. Any other has one patience for all that it still waits for.
static void begin_leaving(struct weir_engine *e)
{
    if (e->options.until_end)
        return;
    atomic_store(&e->leave_by_us, weir_monotonic_us() + TASK_LEAVE_US);
    for (uint32_t i = 0; i < e->pipeline_count; i++)
        if (e->pipelines[i].kafka)
            weir_kafka_hurry(e->pipelines[i].kafka);
}

// ---- the end: tasks are run by nobody else by now, and stay ours

static int finish_task(struct task *t, struct weir_error *err)
{
    return !t->owned || t->finished || t->fenced ? 0 : task_finish(t, err);
}

// What spans partitions is whole only once every task has finished.
static int finish_groups(struct pipeline *p, struct weir_error *err)
{
    int64_t deadline_us = engine_leave_by_us(p->engine);
    enum merge_extent extent = p->engine->options.close ? MERGE_ALL : MERGE_CHANGED;
    if (p->merge && p->task_count && task_commit(&p->tasks[0], true, extent, deadline_us, err) < 0)
        return -1;
    if (p->merge && p->task_count && !p->plan->store.embedded) // that the rows have arrived is to be remembered
        return task_commit(&p->tasks[0], true, MERGE_DUE, deadline_us, err);
    for (uint32_t t = 0; t < p->task_count; t++)
        if (p->tasks[t].owned && partials_finish(&p->tasks[t], err) < 0)
            return -1;
    return 0;
}

// A stop is clean when what was read is committed. What a store that is away did not acknowledge will be read again: that is no failure.
static int finish_pipeline(struct pipeline *p, struct weir_error *err)
{
    int result = 0;
    for (uint32_t t = 0; result == 0 && t < p->task_count; t++)
        result = finish_task(&p->tasks[t], err);
    if (result == 0)
        result = finish_groups(p, err);
    if (result == 0 || err->fate != WEIR_RETRY || p->engine->options.until_end)
        return result;
    engine_say(p->engine, "%s: %s", p->plan->pipeline, err->text);
    return 0;
}

static int finish_tasks(struct weir_engine *e, struct weir_error *err)
{
    for (uint32_t i = 0; i < e->pipeline_count; i++)
        if (!e->options.feed_only && finish_pipeline(&e->pipelines[i], err) < 0)
            return -1;
    return 0;
}

int weir_engine_run(struct weir_engine *e, struct weir_error *err)
{
    atomic_store(&e->running, true);
    for (uint32_t i = 0; i < e->pipeline_count; i++)
        feeder_start(&e->pipelines[i].feeder);
    if (e->options.feed_only)
        engine_feed_ended(e); // where no pipeline has a feed
    else
        worker_start_all(e);
    for (uint32_t i = 0; i < e->pipeline_count; i++)
        membership_start(&e->pipelines[i]), observer_start(e->pipelines[i].observer);
    wait_for_stop(e);
    begin_leaving(e);
    for (uint32_t i = 0; i < e->pipeline_count; i++)
        feeder_join(&e->pipelines[i].feeder), observer_join(e->pipelines[i].observer);
    worker_join_all(e);
    atomic_store(&e->ending, true);
    for (uint32_t i = 0; i < e->pipeline_count; i++)
        membership_stop(&e->pipelines[i]);
    status_remove(e);
    if (e->failed) {
        *err = e->error;
        return -1;
    }
    return finish_tasks(e, err);
}
