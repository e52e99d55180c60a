// SPDX-License-Identifier: Apache-2.0
// Groups that span partitions, in one process: at its commits each task hands what changed to the pipeline's merger, and the rows that are due are given
// to that task's writer, under one lock. Revisions keep a merged row from being overwritten by an older one; where rows are acknowledged later, one task
// at a time gives them (`giver`), and windows are let go of when they have arrived.
#include "base/memory.h"
#include "base/time.h"
#include "engine/pipeline.h"
#include <stdlib.h>

struct merge {
    pthread_mutex_t lock;
    struct weir_merger *merger;
    int64_t *given_us;    // by query: when rows were last given
    atomic_bool *pending; // by query: something was taken since
    // Cores let go of windows only when the rows that were given of them are in the tables: one task's giving at a time may be on its way there.
    const struct task *_Atomic giver; // NULL: none
    int64_t *giving_ms, *settled_ms;  // by query: released by what is on its way, and by what has arrived
};

struct merge *merge_new(const struct weir_plan *plan, int64_t epoch_us)
{
    if (!weir_plan_spans(plan))
        return NULL;
    struct merge *m = weir_zalloc(1, sizeof *m);
    pthread_mutex_init(&m->lock, NULL);
    m->merger = weir_merger_new(plan, epoch_us);
    m->given_us = weir_zalloc(plan->query_count, sizeof *m->given_us);
    m->pending = weir_zalloc(plan->query_count, sizeof *m->pending);
    m->giving_ms = weir_zalloc(plan->query_count, sizeof *m->giving_ms);
    m->settled_ms = weir_zalloc(plan->query_count, sizeof *m->settled_ms);
    for (uint32_t q = 0; q < plan->query_count; q++)
        m->giving_ms[q] = m->settled_ms[q] = INT64_MIN;
    return m;
}

void merge_free(struct merge *m)
{
    if (!m)
        return;
    weir_merger_free(m->merger);
    pthread_mutex_destroy(&m->lock);
    free(m->given_us);
    free(m->pending);
    free(m->giving_ms);
    free(m->settled_ms);
    free(m);
}

void merge_lock(struct merge *m)
{
    if (m)
        pthread_mutex_lock(&m->lock);
}

void merge_unlock(struct merge *m)
{
    if (m)
        pthread_mutex_unlock(&m->lock);
}

void merge_take(struct merge *m, struct task *t)
{
    if (!m)
        return;
    bool any = weir_merger_take(m->merger, (uint32_t)t->partition, t->core);
    for (uint32_t q = 0; any && q < t->pipeline->plan->query_count; q++)
        if (t->pipeline->plan->queries[q].spans_partitions)
            atomic_store(&m->pending[q], true);
}

// One task may have dropped a window in its last commit that another had no commit to drop since.
static void release_alike(struct merge *m, struct pipeline *p, uint32_t query)
{
    int64_t released_ms = INT64_MIN;
    for (uint32_t t = 0; t < p->task_count; t++) {
        int64_t ms = weir_core_released_ms(p->tasks[t].core, query);
        released_ms = ms > released_ms ? ms : released_ms;
    }
    for (uint32_t t = 0; t < p->task_count; t++)
        weir_core_release(p->tasks[t].core, query, released_ms);
    weir_merger_resume(m->merger, query, released_ms);
    m->giving_ms[query] = m->settled_ms[query] = released_ms;
}

void merge_begin(struct merge *m, struct pipeline *p)
{
    if (!m)
        return;
    for (uint32_t q = 0; q < p->plan->query_count; q++)
        if (p->plan->queries[q].spans_partitions)
            release_alike(m, p, q);
    for (uint32_t t = 0; t < p->task_count; t++)
        merge_take(m, &p->tasks[t]);
}

void merge_silence(struct merge *m, uint32_t partition, uint32_t query, bool silent)
{
    if (!m)
        return;
    merge_lock(m);
    weir_merger_idle(m->merger, partition, query, silent);
    merge_unlock(m);
    atomic_store(&m->pending[query], true);
}

static bool may_give(struct merge *m, const struct task *t)
{
    const struct task *giver = atomic_load(&m->giver);
    return !giver || giver == t;
}

static bool is_due(struct merge *m, const struct weir_query_spec *query, uint32_t q, enum merge_extent extent, int64_t now_us)
{
    return extent > MERGE_DUE || (atomic_load(&m->pending[q]) && now_us - __atomic_load_n(&m->given_us[q], __ATOMIC_RELAXED) >= merge_wait_us(query));
}

int64_t merge_wait_us(const struct weir_query_spec *query)
{
    int64_t every_us = query->every_ms * 1000;
    return query->emit_update || every_us < TASK_LOOK_AGAIN_US ? every_us : TASK_LOOK_AGAIN_US;
}

bool merge_due(struct merge *m, const struct task *t, int64_t now_us)
{
    const struct weir_plan *plan = t->pipeline->plan;
    if (!m || !may_give(m, t))
        return false;
    for (uint32_t q = 0; q < plan->query_count; q++)
        if (plan->queries[q].spans_partitions && is_due(m, &plan->queries[q], q, MERGE_DUE, now_us))
            return true;
    return false;
}

int merge_give(struct merge *m, struct task *t, enum merge_extent extent, int64_t silent_now_ms, struct weir_error *err)
{
    const struct weir_plan *plan = t->pipeline->plan;
    int64_t now_us = weir_monotonic_us();
    for (uint32_t q = 0; m && q < plan->query_count; q++) {
        const struct weir_query_spec *query = &plan->queries[q];
        if (!query->spans_partitions)
            continue;
        weir_core_release(t->core, q, m->settled_ms[q]);
        if (!may_give(m, t) || !is_due(m, query, q, extent, now_us))
            continue;
        if (weir_merger_give(m->merger, q, &t->sink, extent == MERGE_ALL || query->emit_update, silent_now_ms, err) < 0)
            return -1;
        m->giving_ms[q] = weir_merger_released_ms(m->merger, q);
        if (plan->store.embedded) // the rows are in this very commit
            weir_core_release(t->core, q, m->giving_ms[q]);
        atomic_store(&m->giver, t);
        __atomic_store_n(&m->given_us[q], now_us, __ATOMIC_RELAXED);
        atomic_store(&m->pending[q], false);
    }
    return 0;
}

void merge_settled(struct merge *m, const struct task *t)
{
    if (!m || atomic_load(&m->giver) != t)
        return;
    memcpy(m->settled_ms, m->giving_ms, t->pipeline->plan->query_count * sizeof *m->settled_ms);
    atomic_store(&m->giver, NULL);
}
