// SPDX-License-Identifier: Apache-2.0
// Commits: rows, dead letters, changed accumulators, counters and the next offset of a task go into one transaction, so that after a crash the task finds
// them all as they were at one moment, and reads on from there.
//
//   page 'A': version u8 | next_offset i64 | records, events, duplicates, dead… varint | queries varint |
//             (hash of table name u64 | rows, filtered, late, folded varint)…
// All other pages are the query core's.
#include "base/fault.h"
#include "base/hash.h"
#include "base/memory.h"
#include "base/time.h"
#include "engine/pipeline.h"

enum { VERSION = 2 };

static uint64_t name_hash(const struct pipeline *p, uint32_t query)
{
    const char *name = p->plan->queries[query].table.name;
    return weir_hash64(name, strlen(name), 0);
}

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

static void put_counts(struct task *t)
{
    const struct task_counts *c = &t->counts;
    weir_cleanup(weir_buffer_drop) struct weir_buffer page = {0};
    weir_buffer_byte(&page, VERSION);
    weir_buffer_be64(&page, (uint64_t)t->next_offset);
    weir_buffer_varint(&page, c->records);
    weir_buffer_varint(&page, c->events);
    weir_buffer_varint(&page, c->duplicates);
    for (int r = 0; r < WEIR_REASONS; r++)
        weir_buffer_varint(&page, c->dead[r]);
    weir_buffer_varint(&page, t->pipeline->plan->query_count);
    for (uint32_t q = 0; q < t->pipeline->plan->query_count; q++) {
        weir_buffer_be64(&page, name_hash(t->pipeline, q));
        weir_buffer_varint(&page, c->rows[q]);
        weir_buffer_varint(&page, c->queries[q].filtered);
        weir_buffer_varint(&page, c->queries[q].late);
        weir_buffer_varint(&page, c->queries[q].folded);
    }
    put_page(t, WEIR_STR("A"), weir_buffer_view(&page));
}

static void restore_query_counts(struct task *t, struct weir_cursor *c, bool *known)
{
    uint64_t name = weir_cursor_be64(c), rows = weir_cursor_varint(c);
    struct weir_query_counts counts = {.filtered = weir_cursor_varint(c)};
    counts.late = weir_cursor_varint(c);
    counts.folded = weir_cursor_varint(c);
    for (uint32_t q = 0; q < t->pipeline->plan->query_count; q++)
        if (name_hash(t->pipeline, q) == name) {
            t->counts.rows[q] = rows;
            t->counts.queries[q] = counts;
            known[q] = true;
        }
}

static int restore_counts(struct task *t, struct weir_str page, struct weir_error *err)
{
    struct weir_cursor c = {(const uint8_t *)page.data, (const uint8_t *)page.data + page.bytes, false};
    bool right_version = weir_cursor_byte(&c) == VERSION;
    uint32_t queries = t->pipeline->plan->query_count;
    weir_cleanup(weir_freep) bool *known = weir_zalloc(queries, sizeof *known);
    t->next_offset = (int64_t)weir_cursor_be64(&c);
    t->counts.records = weir_cursor_varint(&c);
    t->counts.events = weir_cursor_varint(&c);
    t->counts.duplicates = weir_cursor_varint(&c);
    for (int r = 0; r < WEIR_REASONS; r++)
        t->counts.dead[r] = weir_cursor_varint(&c);
    for (uint64_t left = weir_cursor_varint(&c); left > 0 && !c.bad; left--)
        restore_query_counts(t, &c, known);
    if (!right_version || c.bad)
        return weir_fail(err, WEIR_IO, WEIR_STOP, "the saved counters cannot be read: they have another shape than this version of weir writes");
    for (uint32_t q = 0; q < queries; q++)
        if (!known[q])
            return weir_fail(
                err, WEIR_BAD_CONFIG, WEIR_STOP,
                "query '%s' is new since the data folder was made; its table would lack the events already read: use another --data folder",
                t->pipeline->plan->queries[q].table.name);
    return 0;
}

static int restore_page(void *context, struct weir_str key, struct weir_str page, struct weir_error *err)
{
    struct task *t = context;
    return weir_str_is(key, "A") ? restore_counts(t, page, err) : weir_core_restore(t->core, key, page, err);
}

static void publish(struct task *t)
{
    uint32_t queries = t->pipeline->plan->query_count;
    pthread_mutex_lock(&t->lock);
    t->core_stats = weir_core_stats(t->core);
    t->seen_commits = t->commits;
    t->seen_lost = t->lost;
    t->status = (struct weir_partition_status){t->next_offset, t->next_offset, t->core_stats.high_ms};
    uint64_t *rows = t->seen.rows;
    struct weir_query_counts *counts = t->seen.queries;
    memcpy(rows, t->counts.rows, queries * sizeof *rows);
    memcpy(counts, t->counts.queries, queries * sizeof *counts);
    t->seen = t->counts;
    t->seen.rows = rows;
    t->seen.queries = counts;
    pthread_mutex_unlock(&t->lock);
}

int task_restore(struct task *t, struct weir_error *err)
{
    if (weir_state_load(t->pipeline->state, t->partition, restore_page, t, err) < 0)
        return weir_wrap(err, "pipeline %s, partition %d", t->pipeline->plan->pipeline, t->partition);
    weir_core_restored(t->core);
    publish(t);
    return 0;
}

// Under the merger's lock, if there is one.
static int commit(struct task *t, bool durable, enum merge_extent extent, struct weir_error *err)
{
    struct merge *merge = t->pipeline->merge;
    uint64_t ticket;
    merge_take(merge, t);
    if (merge_give(merge, t, extent, task_log_now_ms(t), err) < 0 || weir_writer_flush(t->writer, &t->commit, &ticket, err) < 0)
        return -1;
    weir_core_checkpoint(t->core, put_page, t);
    collect_counts(t);
    put_counts(t);
    weir_fault("task.commit.built");
    return weir_txn_commit(t->commit.embedded, durable, err);
}

int task_commit(struct task *t, bool durable, enum merge_extent extent, struct weir_error *err)
{
    weir_fault("task.commit.before");
    merge_lock(t->pipeline->merge);
    int result = commit(t, durable, extent, err);
    merge_unlock(t->pipeline->merge);
    if (result < 0)
        return -1;
    weir_fault("task.commit.after");
    t->uncommitted = false;
    t->commits++;
    t->last_commit_us = weir_monotonic_us();
    publish(t);
    return 0;
}
