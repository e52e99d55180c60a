// SPDX-License-Identifier: Apache-2.0
// What the engine is doing, as a snapshot for this process and as status.json for others.
#include "base/memory.h"
#include "base/time.h"
#include "engine/pipeline.h"
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { STATUS_BYTES_MAX = 4 << 20 };

uint32_t weir_engine_pipelines(const struct weir_engine *e)
{
    return e->pipeline_count;
}

static void add_task(struct task *t, struct weir_pipeline_status *s)
{
    pthread_mutex_lock(&t->lock);
    s->partitions[t->partition] = t->status;
    if (t->reader)
        s->partitions[t->partition].end_offset = weir_reader_end_offset(t->reader);
    s->records += t->seen.records;
    s->events += t->seen.events;
    s->duplicates += t->seen.duplicates;
    for (int r = 0; r < WEIR_REASONS; r++)
        s->dead[r] += t->seen.dead[r];
    for (uint32_t q = 0; q < s->plan->query_count; q++) {
        s->rows[q] += t->seen.rows[q];
        s->queries[q].filtered += t->seen.queries[q].filtered;
        s->queries[q].late += t->seen.queries[q].late;
        s->queries[q].folded += t->seen.queries[q].folded;
    }
    s->open_windows += t->core_stats.open_windows;
    s->open_groups += t->core_stats.open_groups;
    s->keys += t->core_stats.keys;
    s->state_bytes += t->core_stats.memory_bytes;
    s->commits += t->seen_commits;
    s->lost += t->seen_lost;
    pthread_mutex_unlock(&t->lock);
}

void weir_engine_status(struct weir_engine *e, uint32_t pipeline, struct weir_arena *arena, struct weir_pipeline_status *ret)
{
    struct pipeline *p = &e->pipelines[pipeline];
    struct weir_pipeline_status s = {.plan = p->plan, .seconds = (double)(weir_monotonic_us() - e->started_us) / 1e6};
    s.rows = weir_arena_zalloc(arena, p->plan->query_count * sizeof *s.rows);
    s.queries = weir_arena_zalloc(arena, p->plan->query_count * sizeof *s.queries);
    s.partitions = weir_arena_zalloc(arena, (size_t)p->plan->topic.partitions * sizeof *s.partitions);
    for (uint32_t i = 0; i < p->task_count; i++)
        add_task(&p->tasks[i], &s);
    struct feeder *f = &p->feeder;
    pthread_mutex_lock(&f->lock);
    s.feed_events = f->seen_events;
    s.feed_rejects = f->seen_rejects;
    s.feed_done = f->seen_done;
    s.feed_total = f->seen_total;
    pthread_mutex_unlock(&f->lock);
    s.feed_ended = atomic_load(&f->ended);
    s.dead[WEIR_MALFORMED] += s.feed_rejects;
    *ret = s;
}

// ---- status.json

static json_t *integer(uint64_t value)
{
    return json_integer((json_int_t)value);
}

static json_t *partitions_json(const struct weir_pipeline_status *s)
{
    json_t *list = json_array();
    for (int32_t i = 0; i < s->plan->topic.partitions; i++) {
        const struct weir_partition_status *p = &s->partitions[i];
        json_t *one = json_pack("{s:i, s:I, s:I, s:I}", "partition", (int)i, "next_offset", (json_int_t)p->next_offset, "end_offset",
                                (json_int_t)p->end_offset, "lag", (json_int_t)(p->end_offset - p->next_offset));
        json_object_set_new(one, "high_ms", p->high_ms == INT64_MIN ? json_null() : json_integer(p->high_ms));
        json_array_append_new(list, one);
    }
    return list;
}

static json_t *pipeline_json(const struct weir_pipeline_status *s)
{
    json_t *rows = json_object(), *late = json_object(), *queries = json_object(), *dead = json_object();
    for (uint32_t q = 0; q < s->plan->query_count; q++) {
        json_object_set_new(rows, s->plan->queries[q].table.name, integer(s->rows[q]));
        if (s->plan->queries[q].grouped)
            json_object_set_new(late, s->plan->queries[q].table.name, integer(s->queries[q].late));
        json_object_set_new(queries, s->plan->queries[q].table.name,
                            json_pack("{s:o, s:o, s:o}", "filtered", integer(s->queries[q].filtered), "late", integer(s->queries[q].late), "folded",
                                      integer(s->queries[q].folded)));
    }
    for (int r = 0; r < WEIR_REASONS; r++)
        json_object_set_new(dead, weir_reason_name((enum weir_reason)r), integer(s->dead[r]));
    json_t *state = json_pack("{s:o, s:o, s:o, s:o}", "open_windows", integer(s->open_windows), "open_groups", integer(s->open_groups), "keys",
                              integer(s->keys), "bytes", integer(s->state_bytes));
    json_t *feed = json_pack("{s:o, s:o, s:o, s:o, s:b}", "events", integer(s->feed_events), "rejects", integer(s->feed_rejects), "done_bytes",
                             integer(s->feed_done), "total_bytes", integer(s->feed_total), "ended", s->feed_ended);
    return json_pack("{s:s, s:s, s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:f}", "pipeline", s->plan->pipeline, "file",
                     s->plan->file, "topic", s->plan->topic.name, "records", integer(s->records), "events", integer(s->events), "duplicates",
                     integer(s->duplicates), "rows", rows, "late", late, "queries", queries, "dead", dead, "partitions", partitions_json(s), "state",
                     state, "feed", feed, "commits", integer(s->commits), "lost", integer(s->lost), "seconds", s->seconds);
}

static char *status_path(const char *data_dir, const char *suffix)
{
    return weir_format("%s/status.json%s", data_dir, suffix);
}

static int write_file(const char *path, const char *text, struct weir_error *err)
{
    FILE *file = fopen(path, "w");
    bool good = file && fputs(text, file) >= 0;
    if (file)
        good = fclose(file) == 0 && good;
    return good ? 0 : weir_fail(err, WEIR_IO, WEIR_RETRY, "%s: %s", path, strerror(errno));
}

char *weir_engine_status_json(struct weir_engine *e)
{
    json_t *pipelines = json_array();
    weir_cleanup(weir_arena_drop) struct weir_arena arena = {0};
    for (uint32_t p = 0; p < e->pipeline_count; p++) {
        struct weir_pipeline_status s;
        weir_engine_status(e, p, &arena, &s);
        json_array_append_new(pipelines, pipeline_json(&s));
    }
    json_t *all = json_pack("{s:I, s:I, s:I, s:s?, s:o}", "pid", (json_int_t)getpid(), "started_ms", (json_int_t)e->started_ms, "updated_ms",
                            (json_int_t)weir_now_ms(), "http", e->url, "pipelines", pipelines);
    char *text = json_dumps(all, JSON_INDENT(2));
    json_decref(all);
    weir_assert(text);
    return text;
}

int status_write(struct weir_engine *e, struct weir_error *err)
{
    weir_cleanup(weir_freep) char *text = weir_engine_status_json(e);
    weir_cleanup(weir_freep) char *path = status_path(e->data_dir, "");
    weir_cleanup(weir_freep) char *fresh = status_path(e->data_dir, ".new");
    if (write_file(fresh, text, err) < 0)
        return -1;
    return rename(fresh, path) == 0 ? 0 : weir_fail(err, WEIR_IO, WEIR_RETRY, "%s: %s", path, strerror(errno));
}

void status_remove(struct weir_engine *e)
{
    weir_cleanup(weir_freep) char *path = status_path(e->data_dir, "");
    unlink(path);
}

static char *read_whole(const char *path)
{
    FILE *file = fopen(path, "r");
    if (!file)
        return NULL;
    char *text = weir_alloc(STATUS_BYTES_MAX + 1);
    size_t bytes = fread(text, 1, STATUS_BYTES_MAX, file);
    fclose(file);
    text[bytes] = 0;
    return weir_realloc(text, bytes + 1);
}

int weir_status_read(const char *data_dir, char **ret_json, struct weir_error *err)
{
    weir_cleanup(weir_freep) char *path = status_path(data_dir, "");
    char *text = read_whole(path);
    json_t *status = text ? json_loads(text, 0, NULL) : NULL;
    pid_t pid = (pid_t)json_integer_value(json_object_get(status, "pid"));
    json_decref(status);
    if (pid > 0 && (kill(pid, 0) == 0 || errno == EPERM)) {
        *ret_json = text;
        return 0;
    }
    free(text);
    return weir_fail(err, WEIR_UNAVAILABLE, WEIR_STOP, "nothing runs in %s: start a pipeline with `weir run FILE`, or name its folder with --data",
                     data_dir);
}
