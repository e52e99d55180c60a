// SPDX-License-Identifier: Apache-2.0
// One pipeline on one partition: records become columns, columns become rows and accumulators, and everything they changed is committed as one.
#include "engine/pipeline.h"

#include "base/memory.h"
#include "base/time.h"
#include <stdio.h>
#include <stdlib.h>

// ---- what the core gives

static int take_rows(void *context, const struct weir_rows *rows, struct weir_error *err)
{
    struct task *t = context;
    if (!rows->deleted)
        t->counts.rows[rows->table_index] += rows->count;
    if (t->pipeline->recent && !rows->deleted)
        recent_add(t->pipeline->recent, rows);
    t->unflushed = true;
    return weir_writer_add(t->writer, rows, err);
}

static const struct weir_record *record_at(const struct task *t, int64_t offset)
{
    uint32_t low = 0, high = t->record_count;
    while (low + 1 < high) {
        uint32_t middle = (low + high) / 2;
        if (t->records[middle].offset <= offset)
            low = middle;
        else
            high = middle;
    }
    return &t->records[low];
}

static void bury(struct task *t, const struct weir_record *r, enum weir_reason reason, const char *query, int32_t schema_id, const char *text)
{
    struct weir_dead_letter letter = {
        .reason = reason,
        .topic = t->pipeline->plan->topic.name,
        .partition = t->partition,
        .offset = r->offset,
        .query = query,
        .text = text,
        .schema_id = schema_id,
        .timestamp_ms = r->timestamp_ms,
        .key = r->key,
        .value = r->value,
        .null_key = r->null_key,
    };
    weir_dead_put(t->pipeline->dead, &t->commit, &letter);
    t->counts.dead[reason]++;
}

static int take_late(void *context, uint32_t query, const struct weir_batch *batch, uint32_t row, struct weir_error *err)
{
    (void)err;
    struct task *t = context;
    char text[96], time[32];
    weir_iso8601_format(batch->time_ms[row], time);
    snprintf(text, sizeof text, "its window was closed: event time %s", time);
    bury(t, record_at(t, batch->offset[row]), WEIR_LATE, t->pipeline->plan->queries[query].table.name, 0, text);
    return 0;
}

// ---- life

void task_init(struct task *t, struct pipeline *p, int32_t partition)
{
    *t = (struct task){.pipeline = p, .partition = partition};
    uint32_t queries = p->plan->query_count;
    pthread_mutex_init(&t->lock, NULL);
    t->status.high_ms = INT64_MIN;
    counts_open(&t->counts, p->plan);
    counts_open(&t->sealed.counts, p->plan);
    counts_open(&t->seen, p->plan);
    t->collected = weir_zalloc(queries, sizeof *t->collected);
    t->next_emit_us = weir_zalloc(queries, sizeof *t->next_emit_us);
    t->idle_given = weir_zalloc(queries, sizeof *t->idle_given);
}

void task_drop(struct task *t)
{
    counts_drop(&t->counts);
    counts_drop(&t->sealed.counts);
    counts_drop(&t->seen);
    free(t->collected);
    free(t->next_emit_us);
    free(t->idle_given);
    pthread_mutex_destroy(&t->lock);
}

// A partition may come, go and come back: nothing of its last stay is left.
static void forget(struct task *t)
{
    uint32_t queries = t->pipeline->plan->query_count;
    counts_drop(&t->counts);
    counts_open(&t->counts, t->pipeline->plan);
    memset(t->collected, 0, queries * sizeof *t->collected);
    memset(t->next_emit_us, 0, queries * sizeof *t->next_emit_us);
    memset(t->idle_given, 0, queries * sizeof *t->idle_given);
    t->collected_duplicates = t->retries = 0;
    t->next_offset = t->last_record_ms = t->retry_us = t->record_count = 0;
    t->uncommitted = t->unflushed = t->fenced = t->fetch_left = t->sealed.any = false;
    atomic_store(&t->finished, false);
    t->trouble[0] = 0;
}

int task_open(struct task *t, struct weir_error *err)
{
    struct pipeline *p = t->pipeline;
    forget(t);
    pipeline_commit_open(p, &t->commit);
    pipeline_commit_open(p, &t->sealed.commit);
    t->sink = (struct weir_core_sink){t, take_rows, take_late};
    t->core = weir_core_new(p->plan, 0, &t->sink);
    t->last_commit_us = t->last_flush_us = t->last_record_us = weir_monotonic_us();
    if (weir_decoder_new(p->plan, p->registry, &t->decoder, err) < 0 || weir_writer_new(p->store, p->plan->keyspace, &t->writer, err) < 0 ||
        task_restore(t, err) < 0) {
        task_close(t);
        return -1;
    }
    return 0;
}

void task_close(struct task *t)
{
    if (t->sealed.any && t->pipeline->kafka)
        committer_withdraw(t->pipeline, &t->sealed);
    partials_close(t->partials);
    weir_decoder_free(t->decoder);
    weir_core_free(t->core);
    weir_writer_free(t->writer);
    pipeline_commit_drop(&t->commit);
    pipeline_commit_drop(&t->sealed.commit);
    weir_arena_drop(&t->arena);
    free(t->rejects.items);
    t->partials = NULL;
    t->decoder = NULL;
    t->core = NULL;
    t->writer = NULL;
    t->reader = NULL;
    t->rejects = (struct weir_rejects){0};
}

// ---- reading

static int apply_chunk(struct task *t, struct weir_error *err)
{
    if (t->record_count == 0)
        return 0;
    weir_arena_reset(&t->arena);
    t->rejects.count = 0;
    struct weir_batch batch;
    if (weir_decode(t->decoder, t->records, t->record_count, &t->arena, &batch, &t->rejects, err) < 0)
        return -1;
    for (size_t i = 0; i < t->rejects.count; i++) {
        const struct weir_reject *r = &t->rejects.items[i];
        bury(t, &t->records[r->record], r->reason, NULL, r->schema_id, r->text);
    }
    const struct weir_record *last = &t->records[t->record_count - 1];
    t->next_offset = last->offset + 1;
    t->last_record_ms = last->timestamp_ms;
    t->counts.records += t->record_count;
    t->counts.events += batch.rows;
    weir_assert(batch.rows + t->rejects.count == t->record_count);
    if (weir_core_apply(t->core, &batch, t->next_offset, err) < 0)
        return -1;
    t->record_count = 0;
    t->uncommitted = true;
    return 0;
}

static int apply_batch(struct task *t, struct weir_str bytes, struct weir_error *err)
{
    struct weir_batch_walk walk;
    weir_batch_walk_begin(&walk, bytes);
    int more;
    while ((more = weir_batch_walk_next(&walk, &t->records[t->record_count])) > 0) {
        if (t->records[t->record_count].offset < t->next_offset)
            continue;
        if (++t->record_count == TASK_CHUNK && apply_chunk(t, err) < 0)
            return -1;
    }
    if (more < 0)
        return weir_fail(err, WEIR_IO, WEIR_STOP, "topic %s, partition %d: the batch at offset %lld has records whose lengths make no sense",
                         t->pipeline->plan->topic.name, t->partition, (long long)walk.base_offset);
    return apply_chunk(t, err); // a record's bytes are the batch's: nothing of it may wait for the next
}

static int apply_records(struct task *t, const struct weir_record *records, uint32_t count, struct weir_error *err)
{
    uint32_t at = 0;
    while (at < count && records[at].offset < t->next_offset)
        at++;
    for (uint32_t part; at < count; at += part) {
        part = count - at < TASK_CHUNK ? count - at : TASK_CHUNK;
        memcpy(t->records, records + at, part * sizeof *records);
        t->record_count = part;
        if (apply_chunk(t, err) < 0)
            return -1;
    }
    return 0;
}

// Applies what of the fetch has not been applied yet: after trouble that passed, the rest of it.
static int apply_fetch(struct task *t, struct weir_error *err)
{
    t->record_count = 0;
    for (uint32_t i = 0; i < t->fetch.count; i++)
        if (apply_batch(t, t->fetch.batches[i], err) < 0)
            return -1;
    if (apply_records(t, t->fetch.records, t->fetch.record_count, err) < 0)
        return -1;
    t->fetch_left = false;
    return 0;
}

static int fetch(struct task *t, struct weir_error *err)
{
    int64_t lost = 0;
    if (weir_reader_fetch(t->reader, TASK_FETCH_BYTES, &t->fetch, &lost, err) < 0)
        return -1;
    t->fetch_left = t->fetch.count > 0 || t->fetch.record_count > 0;
    if (lost) {
        t->lost_records += (uint64_t)lost;
        engine_say(t->pipeline->engine, "%s: partition %d: %lld records were gone before they were read (retention); going on with the earliest",
                   t->pipeline->plan->pipeline, t->partition, (long long)lost);
    }
    return 0;
}

// The store does not keep up, or one interval waits for it and the next is full.
static bool held_up(const struct task *t)
{
    return weir_writer_full(t->writer) || (t->sealed.any && pipeline_commit_bytes(&t->commit) >= TASK_COMMIT_BYTES);
}

static int read_some(struct task *t, bool *ret_any, struct weir_error *err)
{
    if (held_up(t))
        return 0;
    if (!t->fetch_left && fetch(t, err) < 0)
        return -1;
    *ret_any = t->fetch_left;
    return t->fetch_left ? apply_fetch(t, err) : 0;
}

// ---- timers

// The wall clock, or the records' own clock where that is ahead.
int64_t task_log_now_ms(const struct task *t)
{
    int64_t wall = weir_now_ms(), log = t->last_record_ms + (weir_monotonic_us() - t->last_record_us) / 1000;
    return log > wall ? log : wall;
}

static bool update_due(const struct task *t, uint32_t q, int64_t now_us)
{
    const struct weir_query_spec *query = &t->pipeline->plan->queries[q];
    return query->grouped && query->emit_update && now_us >= t->next_emit_us[q];
}

static bool idle_due(const struct task *t, uint32_t q, int64_t now_us)
{
    const struct weir_query_spec *query = &t->pipeline->plan->queries[q];
    return query->grouped && !t->idle_given[q] && now_us - t->last_record_us >= query->idle_ms * 1000;
}

// A query that had nothing to give is looked at again soon, so that the first rows after a quiet time need not wait.
static int64_t next_emit_us(const struct weir_query_spec *query, int64_t now_us, bool gave)
{
    int64_t wait_us = query->every_ms * 1000;
    return now_us + (gave || wait_us < TASK_LOOK_AGAIN_US ? wait_us : TASK_LOOK_AGAIN_US);
}

static int give_due(struct task *t, int64_t now_us, struct weir_error *err)
{
    for (uint32_t q = 0; q < t->pipeline->plan->query_count; q++) {
        uint64_t rows = t->counts.rows[q];
        if (update_due(t, q, now_us)) {
            if (weir_core_emit_changed(t->core, q, err) < 0)
                return -1;
            t->next_emit_us[q] = next_emit_us(&t->pipeline->plan->queries[q], now_us, t->counts.rows[q] != rows);
        }
        if (idle_due(t, q, now_us)) {
            t->idle_given[q] = true;
            merge_silence(t->pipeline->merge, (uint32_t)t->partition, q, true);
            partials_silence(t, q, true);
            if (weir_core_emit_ended(t->core, q, task_log_now_ms(t), err) < 0)
                return -1;
        }
        t->uncommitted |= t->counts.rows[q] != rows;
    }
    t->uncommitted |= merge_due(t->pipeline->merge, t, now_us) || partials_due(t, now_us);
    return 0;
}

// Where all is embedded a commit is cheap, and shows the rows.
static int64_t commit_wait_us(const struct task *t, bool behind)
{
    const struct weir_plan *plan = t->pipeline->plan;
    return behind || !plan->log.embedded || !plan->store.embedded ? TASK_COMMIT_BEHIND_US : TASK_CAUGHT_UP_US;
}

static bool commit_due(const struct task *t, int64_t now_us, bool behind)
{
    if (!t->uncommitted || t->sealed.any || t->fenced)
        return false;
    size_t bytes = pipeline_commit_bytes(&t->commit) + (t->pipeline->plan->store.embedded ? weir_writer_bytes(t->writer) : 0);
    return now_us - t->last_commit_us >= commit_wait_us(t, behind) || bytes >= TASK_COMMIT_BYTES;
}

// Rows that somebody waits for go soon; those of a long way behind gather, until the commit takes them.
static bool flush_due(const struct task *t, int64_t now_us, bool behind)
{
    int64_t waited_us = now_us - t->last_flush_us;
    if (!t->unflushed || waited_us < TASK_CAUGHT_UP_US)
        return false;
    return !behind || (waited_us >= TASK_NEARLY_US && weir_reader_end_offset(t->reader) - t->next_offset < TASK_NEARLY_RECORDS);
}

bool task_has_work(struct task *t, int64_t now_us)
{
    if (now_us < t->retry_us || t->fenced)
        return false;
    bool behind = t->fetch_left || weir_reader_ready(t->reader);
    if ((behind && !held_up(t)) || task_settle_due(t, now_us) || commit_due(t, now_us, behind) || flush_due(t, now_us, behind))
        return true;
    for (uint32_t q = 0; q < t->pipeline->plan->query_count; q++)
        if (idle_due(t, q, now_us) || update_due(t, q, now_us))
            return true;
    return !t->uncommitted && (merge_due(t->pipeline->merge, t, now_us) || partials_due(t, now_us)); // all that these ask for is a commit
}

// Rows go ahead of the commit that belongs to them, so that they can be read soon.
static int flush_rows(struct task *t, struct weir_error *err)
{
    uint64_t ticket;
    t->unflushed = false;
    t->last_flush_us = weir_monotonic_us();
    if (weir_writer_flush(t->writer, &t->commit, &ticket, err) < 0)
        return -1;
    bool rows_alone = t->commit.embedded && t->commit.kafka; // what else is in a task's commit is in its other part
    return rows_alone ? weir_txn_commit(t->commit.embedded, false, err) : 0;
}

static void end_silence(struct task *t)
{
    for (uint32_t q = 0; q < t->pipeline->plan->query_count; q++) {
        if (t->idle_given[q]) {
            merge_silence(t->pipeline->merge, (uint32_t)t->partition, q, false);
            partials_silence(t, q, false);
        }
        t->idle_given[q] = false;
    }
}

int task_step(struct task *t, struct weir_error *err)
{
    bool any = false;
    if (task_settle(t, err) < 0 || read_some(t, &any, err) < 0)
        return -1;
    int64_t now_us = weir_monotonic_us();
    if (any) {
        t->last_record_us = now_us;
        end_silence(t);
    }
    if (give_due(t, now_us, err) < 0)
        return -1;
    bool behind = t->fetch_left || weir_reader_ready(t->reader);
    if (commit_due(t, now_us, behind))
        return task_seal(t, false, MERGE_DUE, err);
    return flush_due(t, now_us, behind) ? flush_rows(t, err) : 0;
}

int task_finish(struct task *t, struct weir_error *err)
{
    const struct weir_engine *e = t->pipeline->engine;
    for (uint32_t q = 0; q < t->pipeline->plan->query_count; q++) {
        const struct weir_query_spec *query = &t->pipeline->plan->queries[q];
        if (query->grouped && (query->emit_update || e->options.close) && weir_core_emit_ended(t->core, q, INT64_MAX, err) < 0)
            return -1;
    }
    // A run to the end waits for the store as long as it takes; a stop does not.
    int64_t deadline_us = e->options.until_end && !atomic_load(&e->stopping) ? INT64_MAX : engine_leave_by_us(e);
    if (task_commit(t, true, MERGE_DUE, deadline_us, err) < 0)
        return -1;
    t->finished = !t->fenced;
    return 0;
}
