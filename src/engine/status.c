// SPDX-License-Identifier: Apache-2.0
// What the engine is doing, as a snapshot.
#include "base/time.h"
#include "engine/pipeline.h"

uint32_t weir_engine_pipelines(const struct weir_engine *e)
{
    return e->pipeline_count;
}

static void add_task(struct task *t, struct weir_pipeline_status *s)
{
    pthread_mutex_lock(&t->lock);
    s->partitions[t->partition] = t->status;
    s->partitions[t->partition].owned = t->reader != NULL;
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
    struct weir_pipeline_status s = {.plan = p->plan, .shared = p->kafka != NULL, .seconds = (double)(weir_monotonic_us() - e->started_us) / 1e6};
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
