// SPDX-License-Identifier: Apache-2.0
#include "base/memory.h"
#include "base/time.h"
#include "engine/pipeline.h"
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
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

static int open_pipeline(struct weir_engine *e, struct pipeline *p, struct weir_plan *plan, struct weir_error *err)
{
    *p = (struct pipeline){.engine = e, .plan = plan};
    if (e->options.clock_factor_override)
        speed_up(plan, e->options.clock_factor_override);
    struct weir_topic_config topic = {plan->topic.name, plan->topic.partitions, plan->topic.replication, plan->topic.retention_ms};
    if (weir_topic_create(e->log, &topic, err) < 0 || weir_store_embedded(e->db, &p->store, err) < 0 ||
        weir_state_embedded(e->db, plan->pipeline, &p->state, err) < 0 || weir_dead_embedded(e->db, plan->pipeline, &p->dead, err) < 0)
        return -1;
    for (uint32_t q = 0; q < plan->query_count; q++)
        if (weir_store_create(p->store, plan->pipeline, &plan->queries[q].table, err) < 0)
            return -1;
    if (e->options.recent_rows)
        p->recent = recent_new(plan, e->options.recent_rows);
    p->door = door_new(p);
    bool fresh;
    if (weir_state_epoch(p->state, 0, NULL, &p->epoch_us, &fresh, err) < 0)
        return -1;
    p->merge = merge_new(plan, p->epoch_us);
    if (feeder_open(&p->feeder, p, err) < 0)
        return -1;
    uint32_t tasks = e->options.feed_only ? 0 : (uint32_t)plan->topic.partitions;
    p->tasks = weir_zalloc(tasks, sizeof *p->tasks);
    for (; p->task_count < tasks; p->task_count++)
        if (task_open(&p->tasks[p->task_count], p, (int32_t)p->task_count, err) < 0)
            return p->task_count++, -1; // closed with the rest
    merge_begin(p->merge, p);
    return 0;
}

static void close_pipeline(struct pipeline *p)
{
    for (uint32_t i = 0; i < p->task_count; i++)
        task_close(&p->tasks[i]);
    free(p->tasks);
    feeder_close(&p->feeder);
    recent_free(p->recent);
    door_free(p->door);
    merge_free(p->merge);
    weir_dead_close(p->dead);
    weir_state_close(p->state);
    weir_store_close(p->store);
}

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
    e->started_ms = weir_now_ms();
    pthread_mutex_init(&e->lock, NULL);
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    e->worker_count = options->workers > 0 ? (uint32_t)options->workers : cores > 0 ? (uint32_t)cores : 1;
    e->pipelines = weir_zalloc(plan_count, sizeof *e->pipelines);
    bool good = e->wake_fd >= 0 && weir_embedded_open(e->data_dir, WEIR_OWNER, &e->db, err) == 0 && weir_log_embedded(e->db, &e->log, err) == 0 &&
                weir_registry_embedded(e->db, &e->registry, err) == 0;
    for (; good && e->pipeline_count < plan_count; e->pipeline_count++)
        good = open_pipeline(e, &e->pipelines[e->pipeline_count], plans[e->pipeline_count], err) == 0;
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
    for (uint32_t i = 0; i < e->pipeline_count; i++)
        close_pipeline(&e->pipelines[i]);
    weir_registry_close(e->registry);
    weir_log_close(e->log);
    weir_embedded_close(e->db);
    if (e->wake_fd >= 0)
        close(e->wake_fd);
    pthread_mutex_destroy(&e->lock);
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
        if (p->plan->topic.retention_ms && weir_topic_expire(e->log, p->plan->topic.name, weir_now_ms(), keep_from, &err) < 0)
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
    weir_log_wake(e->log); // tasks that wait for more learn that there is none
    if (e->options.feed_only && feeds_ended(e))
        weir_engine_stop(e);
}

static void tick(struct weir_engine *e, uint64_t ticks)
{
    struct weir_error err;
    weir_embedded_tend(e->db);
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

// What spans partitions is whole only once every task has finished.
static int finish_merge(struct pipeline *p, struct weir_error *err)
{
    return task_commit(&p->tasks[0], true, p->engine->options.close ? MERGE_ALL : MERGE_CHANGED, err);
}

// A stop is clean when what was read is committed. Tasks are run by nobody else by now.
static int finish_tasks(struct weir_engine *e, struct weir_error *err)
{
    for (uint32_t i = 0; i < e->pipeline_count; i++)
        for (uint32_t t = 0; t < e->pipelines[i].task_count; t++)
            if (!e->pipelines[i].tasks[t].finished && task_finish(&e->pipelines[i].tasks[t], err) < 0)
                return -1;
    for (uint32_t i = 0; i < e->pipeline_count; i++)
        if (e->pipelines[i].merge && e->pipelines[i].task_count && finish_merge(&e->pipelines[i], err) < 0)
            return -1;
    return 0;
}

int weir_engine_run(struct weir_engine *e, struct weir_error *err)
{
    for (uint32_t i = 0; i < e->pipeline_count; i++)
        atomic_fetch_add(&e->unfinished, e->pipelines[i].task_count);
    for (uint32_t i = 0; i < e->pipeline_count; i++)
        feeder_start(&e->pipelines[i].feeder);
    if (e->options.feed_only)
        engine_feed_ended(e); // where no pipeline has a feed
    else
        worker_start_all(e);
    atomic_store(&e->running, true);
    wait_for_stop(e);
    for (uint32_t i = 0; i < e->pipeline_count; i++)
        feeder_join(&e->pipelines[i].feeder);
    worker_join_all(e);
    status_remove(e);
    if (e->failed) {
        *err = e->error;
        return -1;
    }
    return finish_tasks(e, err);
}
