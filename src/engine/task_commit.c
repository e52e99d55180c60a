// SPDX-License-Identifier: Apache-2.0
// Commits: dead letters, changed accumulators, counters and the next offset of a task are applied as one, after the rows that belong to them are in the
// tables, or together with those where the store is the same engine. After a crash the task finds them all as they were at one moment, and reads on from
// there; rows that were already written are written again, the same, under the same revisions.
#include "base/fault.h"
#include "base/memory.h"
#include "base/time.h"
#include "engine/pipeline.h"
#include <poll.h>
#include <stdio.h>

enum { RETRY_FIRST_US = 50000, RETRY_LAST_US = 5000000, WAIT_MS = 20, COMMIT_STEP_MS = 2 };

static void put_page(void *context, struct weir_str key, struct weir_str page)
{
    struct task *t = context;
    if (page.bytes)
        weir_state_put(t->pipeline->state, &t->commit, t->partition, key, page);
    else
        weir_state_delete(t->pipeline->state, &t->commit, t->partition, key);
}

// What the core counted since the last commit goes over to the counts that are kept.
static void collect_counts(struct task *t)
{
    const struct weir_query_counts *core = weir_core_counts(t->core);
    uint64_t duplicates = weir_core_stats(t->core).duplicates;
    t->counts.duplicates += duplicates - t->collected_duplicates;
    t->collected_duplicates = duplicates;
    for (uint32_t q = 0; q < t->pipeline->plan->query_count; q++) {
        struct weir_query_counts *kept = &t->counts.queries[q], *taken = &t->collected[q];
        kept->filtered += core[q].filtered - taken->filtered;
        kept->late += core[q].late - taken->late;
        kept->folded += core[q].folded - taken->folded;
        *taken = core[q];
        weir_assert(t->counts.events == t->counts.duplicates + kept->filtered + kept->late + kept->folded);
    }
}

// ---- what others see: the last commit

static void publish(struct task *t)
{
    pthread_mutex_lock(&t->lock);
    t->core_stats = weir_core_stats(t->core);
    t->seen_commits = t->commits;
    t->seen_lost = t->lost_records;
    t->status =
        (struct weir_partition_status){.next_offset = t->sealed.next_offset, .end_offset = t->sealed.next_offset, .high_ms = t->sealed.high_ms};
    counts_copy(&t->seen, &t->sealed.counts, t->pipeline->plan);
    pthread_mutex_unlock(&t->lock);
}

// ---- restoring

static int restore_page(void *context, struct weir_str key, struct weir_str page, struct weir_error *err)
{
    struct task *t = context;
    t->fresh = false;
    if (weir_str_is(key, "A"))
        return counts_restore(&t->counts, t->pipeline->plan, &t->next_offset, page, err);
    return weir_core_restore(t->core, key, page, err);
}

// The group gives the partition back, or to another process, soon; until then it rests.
static void fence(struct task *t)
{
    t->fenced = true;
    pthread_mutex_lock(&t->lock);
    snprintf(t->trouble, sizeof t->trouble,
             "its group has taken the partition back: another process has it, or the broker was away too long; waiting to be given one again");
    pthread_mutex_unlock(&t->lock);
    engine_say(t->pipeline->engine, "%s: partition %d: %s", t->pipeline->plan->pipeline, t->partition, t->trouble);
}

// With the partition's start as its offset, so that the group refuses it of a process that has lost the partition meanwhile: that one would write rows
// under an epoch of its own, which might be the higher one.
static int commit_epoch(struct task *t, struct weir_error *err)
{
    struct pipeline *p = t->pipeline;
    struct sealed s = {.partition = t->partition, .high_ms = INT64_MIN, .commit = t->commit};
    int64_t end_offset;
    if (weir_kafka_offsets(p->kafka, p->plan->topic.name, t->partition, &s.next_offset, &end_offset, err) < 0)
        return -1;
    committer_submit(p, &s);
    while (atomic_load(&s.stage) == SEALED_QUEUED)
        poll(NULL, 0, COMMIT_STEP_MS);
    if (s.fate == WEIR_KAFKA_FENCED)
        fence(t);
    return s.fate != WEIR_KAFKA_ABORTED ? 0 : weir_fail(err, WEIR_UNAVAILABLE, WEIR_RETRY, "the partition's first commit was turned away");
}

// A new epoch is committed before any row is written under it.
static int begin_epoch(struct task *t, struct weir_error *err)
{
    int64_t epoch_us;
    bool fresh;
    weir_fault("task.epoch.before");
    if (weir_state_epoch(t->pipeline->state, t->partition, &t->commit, &epoch_us, &fresh, err) < 0 || (fresh && commit_epoch(t, err) < 0))
        return -1;
    weir_core_set_epoch(t->core, epoch_us);
    return partials_open(t, epoch_us, err);
}

int task_restore(struct task *t, struct weir_error *err)
{
    t->fresh = true;
    if (weir_state_load(t->pipeline->state, t->partition, restore_page, t, err) < 0 || begin_epoch(t, err) < 0)
        return weir_wrap(err, "pipeline %s, partition %d", t->pipeline->plan->pipeline, t->partition);
    weir_core_restored(t->core);
    counts_copy(&t->sealed.counts, &t->counts, t->pipeline->plan);
    t->sealed.next_offset = t->next_offset;
    t->sealed.high_ms = weir_core_stats(t->core).high_ms;
    publish(t);
    return 0;
}

// ---- sealing

// Under the merger's lock, if there is one.
static int seal(struct task *t, bool durable, enum merge_extent extent, struct weir_error *err)
{
    struct sealed *s = &t->sealed;
    struct merge *merge = t->pipeline->merge;
    merge_take(merge, t);
    partials_export(t);
    if (merge_give(merge, t, extent, task_log_now_ms(t), err) < 0 || partials_step(t, extent, err) < 0 ||
        weir_writer_flush(t->writer, &t->commit, &s->ticket, err) < 0)
        return -1;
    weir_core_checkpoint(t->core, put_page, t);
    collect_counts(t);
    counts_copy(&s->counts, &t->counts, t->pipeline->plan);
    struct weir_commit empty = s->commit;
    s->commit = t->commit;
    t->commit = empty;
    s->next_offset = t->next_offset;
    s->high_ms = weir_core_stats(t->core).high_ms;
    s->durable = durable;
    s->retry_us = s->tries = 0;
    s->partition = t->partition;
    atomic_store(&s->stage, SEALED_OPEN);
    s->any = true;
    t->uncommitted = t->unflushed = false;
    t->last_commit_us = t->last_flush_us = weir_monotonic_us();
    return 0;
}

// ---- settling

static void bury_refused(struct task *t, const struct weir_refused_row *row)
{
    char text[400];
    snprintf(text, sizeof text, "table %s takes no such row: %s", row->table->name, row->text);
    struct weir_dead_letter letter = {
        .reason = WEIR_REFUSED,
        .topic = t->pipeline->plan->topic.name,
        .partition = t->partition,
        .offset = t->sealed.next_offset - 1,
        .query = row->table->name,
        .text = text,
        .timestamp_ms = weir_now_ms(),
        .value = row->row,
        .null_key = true,
    };
    weir_dead_put(t->pipeline->dead, &t->sealed.commit, &letter);
    t->counts.dead[WEIR_REFUSED]++;
    t->sealed.counts.dead[WEIR_REFUSED]++;
}

static void put_counts(struct task *t)
{
    weir_cleanup(weir_buffer_drop) struct weir_buffer page = {0};
    counts_save(&t->sealed.counts, t->pipeline->plan, t->sealed.next_offset, &page);
    weir_state_put(t->pipeline->state, &t->sealed.commit, t->partition, WEIR_STR("A"), weir_buffer_view(&page));
}

static void turned_away(struct sealed *s, int64_t now_us)
{
    s->retry_us = now_us + weir_backoff_us(RETRY_FIRST_US, RETRY_LAST_US, s->tries++);
    atomic_store(&s->stage, SEALED_OPEN);
}

static void settled(struct task *t)
{
    t->sealed.any = false;
    t->commits++;
    merge_settled(t->pipeline->merge, t);
    publish(t);
}

static int hand_on(struct task *t, struct weir_error *err)
{
    struct sealed *s = &t->sealed;
    struct weir_refused_row row;
    while (weir_writer_refused(t->writer, &row))
        bury_refused(t, &row);
    if (s->tries == 0)
        put_counts(t);
    weir_fault("task.commit.built");
    if (pipeline_commit_embedded(&s->commit, s->durable, err) < 0)
        return -1;
    s->fate = WEIR_KAFKA_DONE; // where that was all
    if (s->commit.kafka)
        committer_submit(t->pipeline, s);
    else
        atomic_store(&s->stage, SEALED_ENDED);
    return 0;
}

// The rows are in the tables.
static int settle(struct task *t, struct weir_error *err)
{
    struct sealed *s = &t->sealed;
    if (atomic_load(&s->stage) == SEALED_OPEN && hand_on(t, err) < 0)
        return -1;
    if (atomic_load(&s->stage) != SEALED_ENDED)
        return 0;
    if (s->fate == WEIR_KAFKA_DONE)
        settled(t);
    else if (s->fate == WEIR_KAFKA_ABORTED)
        turned_away(s, weir_monotonic_us());
    else
        fence(t);
    weir_fault("task.commit.after");
    return 0;
}

bool task_settle_due(const struct task *t, int64_t now_us)
{
    const struct sealed *s = &t->sealed;
    if (!s->any || t->fenced || now_us < s->retry_us)
        return false;
    int stage = atomic_load(&s->stage);
    return stage == SEALED_ENDED || (stage == SEALED_OPEN && weir_writer_acked(t->writer, s->ticket));
}

int task_settle(struct task *t, struct weir_error *err)
{
    if (!task_settle_due(t, weir_monotonic_us()))
        return 0;
    merge_lock(t->pipeline->merge);
    int result = settle(t, err);
    merge_unlock(t->pipeline->merge);
    return result;
}

// Where rows need no waiting, sealing and settling are one, under one lock: a merged row is never overwritten by an older one.
int task_seal(struct task *t, bool durable, enum merge_extent extent, struct weir_error *err)
{
    weir_assert(!t->sealed.any);
    weir_fault("task.commit.before");
    merge_lock(t->pipeline->merge);
    int result = seal(t, durable, extent, err);
    if (result == 0 && task_settle_due(t, INT64_MAX))
        result = settle(t, err);
    merge_unlock(t->pipeline->merge);
    return result;
}

static int await_settled(struct task *t, int64_t deadline_us, struct weir_error *err)
{
    uint64_t seen = 0;
    while (t->sealed.any && !t->fenced) {
        if (task_settle(t, err) < 0)
            return -1;
        if (!t->sealed.any)
            break;
        if (weir_monotonic_us() >= deadline_us)
            return weir_fail(
                err, WEIR_UNAVAILABLE, WEIR_RETRY,
                "partition %d: its last rows are not acknowledged, so that nothing after offset %lld is committed; it will be read again",
                t->partition, (long long)t->sealed.next_offset);
        weir_log_wait(t->pipeline->log, &seen, WAIT_MS);
    }
    return 0;
}

int task_commit(struct task *t, bool durable, enum merge_extent extent, int64_t deadline_us, struct weir_error *err)
{
    if (await_settled(t, deadline_us, err) < 0)
        return -1;
    if (t->fenced)
        return 0;
    if (task_seal(t, durable, extent, err) < 0)
        return -1;
    return await_settled(t, deadline_us, err);
}
