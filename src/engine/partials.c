// SPDX-License-Identifier: Apache-2.0
// Groups that span partitions, in a consumer group: at its commits each task sends what changed to the topic PIPELINE-partials, by group, in the
// transaction that moves its offset; whoever has partition n of the input merges what partition n of that topic holds, and gives the rows. The topic is
// compacted and holds everything that is still open, so that a new owner reads it and knows. Its messages are query/partial.c's.
#include "base/memory.h"
#include "base/time.h"
#include "engine/pipeline.h"
#include <stdlib.h>

enum { READ_MESSAGES = 1024 };

struct partials {
    struct task *task;
    char *topic;
    struct weir_merger *merger;
    struct weir_kafka_partition *reader;
    int64_t next_offset;
    int64_t *given_us; // by query
    bool *silent;      // by query: our own partition has been silent, as the query knows it
    bool pending;
    struct weir_kafka_message messages[READ_MESSAGES];
};

int partials_topic(struct pipeline *p, struct weir_error *err)
{
    if (!weir_plan_spans(p->plan))
        return 0;
    weir_cleanup(weir_freep) char *name = weir_partials_topic(p->plan);
    const struct weir_kafka_topic topic = {
        .name = name, .partitions = p->plan->topic.partitions, .replication = p->plan->topic.replication, .compacted = true};
    return weir_kafka_topic_need(p->kafka, &topic, err);
}

// ---- sending

static void send_to(struct partials *x, int32_t partition, struct weir_str key, struct weir_str value)
{
    weir_kafka_batch_add(x->task->commit.kafka, x->topic, partition, weir_now_ms(), key, false, value, NULL, 0);
}

static void send_record(void *context, uint64_t group_hash, struct weir_str key, struct weir_str value)
{
    struct partials *x = context;
    send_to(x, (int32_t)(group_hash % (uint64_t)x->task->pipeline->plan->topic.partitions), key, value);
}

static void send_to_all(void *context, uint64_t group_hash, struct weir_str key, struct weir_str value)
{
    struct partials *x = context;
    (void)group_hash;
    for (int32_t p = 0; p < x->task->pipeline->plan->topic.partitions; p++)
        send_to(x, p, key, value);
}

static void send_to_mine(void *context, uint64_t group_hash, struct weir_str key, struct weir_str value)
{
    struct partials *x = context;
    (void)group_hash;
    send_to(x, x->task->partition, key, value);
}

void partials_export(struct task *t)
{
    struct partials *x = t->partials;
    if (!x)
        return;
    weir_core_export(t->core, (uint32_t)t->partition, &(struct weir_partial_sink){x, send_record});
    weir_core_export_progress(t->core, (uint32_t)t->partition, x->silent, &(struct weir_partial_sink){x, send_to_all});
}

void partials_silence(struct task *t, uint32_t query, bool silent)
{
    if (!t->partials)
        return;
    t->partials->silent[query] = silent;
    t->uncommitted = true; // the others are to know
}

// ---- merging

static int take_message(void *context, const struct weir_kafka_message *m, const struct weir_kafka_header *headers, uint32_t header_count,
                        struct weir_error *err)
{
    struct partials *x = context;
    (void)headers, (void)header_count;
    x->next_offset = m->offset + 1;
    x->pending = true;
    return weir_merger_import(x->merger, m->key, m->null_value ? (struct weir_str){NULL, 0} : m->value, err);
}

// Everything that is there by now.
static int catch_up(struct partials *x, struct weir_error *err)
{
    const struct task *t = x->task;
    if (weir_kafka_scan(t->pipeline->kafka, x->topic, t->partition, x->next_offset, take_message, x, &x->next_offset, err) < 0)
        return weir_wrap(err, "topic %s", x->topic);
    weir_merger_imported(x->merger);
    return 0;
}

static int read_messages(struct partials *x, struct weir_error *err)
{
    uint32_t count = 0;
    do {
        int64_t lost;
        int got = weir_kafka_partition_read(x->reader, x->messages, READ_MESSAGES, &lost, err);
        if (got < 0)
            return -1;
        count = (uint32_t)got;
        for (uint32_t i = 0; i < count; i++)
            if (take_message(x, &x->messages[i], NULL, 0, err) < 0)
                return -1;
    } while (count == READ_MESSAGES);
    weir_merger_imported(x->merger);
    return 0;
}

static bool is_due(const struct partials *x, uint32_t q, enum merge_extent extent, int64_t now_us)
{
    const struct weir_query_spec *query = &x->task->pipeline->plan->queries[q];
    return query->spans_partitions && (extent > MERGE_DUE || (x->pending && now_us - x->given_us[q] >= merge_wait_us(query)));
}

bool partials_due(struct task *t, int64_t now_us)
{
    struct partials *x = t->partials;
    bool due = x && x->reader && weir_kafka_partition_ready(x->reader);
    for (uint32_t q = 0; x && !due && q < t->pipeline->plan->query_count; q++)
        due = is_due(x, q, MERGE_DUE, now_us);
    return due;
}

static int give(struct partials *x, enum merge_extent extent, struct weir_error *err)
{
    struct task *t = x->task;
    const struct weir_plan *plan = t->pipeline->plan;
    int64_t now_us = weir_monotonic_us();
    bool all = true;
    for (uint32_t q = 0; q < plan->query_count; q++) {
        if (!is_due(x, q, extent, now_us)) {
            all &= !plan->queries[q].spans_partitions;
            continue;
        }
        bool everything = extent == MERGE_ALL || plan->queries[q].emit_update;
        if (weir_merger_give(x->merger, q, &t->sink, everything, task_log_now_ms(t), err) < 0)
            return -1;
        x->given_us[q] = now_us;
    }
    x->pending &= !all;
    weir_merger_export_progress(x->merger);
    return 0;
}

int partials_step(struct task *t, enum merge_extent extent, struct weir_error *err)
{
    struct partials *x = t->partials;
    if (!x)
        return 0;
    if (x->reader && read_messages(x, err) < 0)
        return -1;
    return give(x, extent, err);
}

// The tasks of this process have sent all they had.
int partials_finish(struct task *t, struct weir_error *err)
{
    struct partials *x = t->partials;
    if (!x || t->fenced)
        return 0;
    weir_kafka_partition_close(x->reader);
    x->reader = NULL;
    if (catch_up(x, err) < 0)
        return -1;
    return task_commit(t, true, t->pipeline->engine->options.close ? MERGE_ALL : MERGE_CHANGED, engine_leave_by_us(t->pipeline->engine), err);
}

// ---- life

int partials_open(struct task *t, int64_t epoch_us, struct weir_error *err)
{
    struct pipeline *p = t->pipeline;
    if (!p->kafka || !weir_plan_spans(p->plan))
        return 0;
    struct partials *x = weir_zalloc(1, sizeof *x);
    *x = (struct partials){.task = t, .topic = weir_partials_topic(p->plan), .next_offset = INT64_MIN};
    x->given_us = weir_zalloc(p->plan->query_count, sizeof *x->given_us);
    x->silent = weir_zalloc(p->plan->query_count, sizeof *x->silent);
    x->merger = weir_merger_new(p->plan, epoch_us);
    weir_merger_on_dropped(x->merger, &(struct weir_partial_sink){x, send_to_mine});
    t->partials = x;
    if (catch_up(x, err) < 0)
        return -1;
    return weir_kafka_partition_open(p->kafka, x->topic, t->partition, x->next_offset, &x->reader, err);
}

void partials_close(struct partials *x)
{
    if (!x)
        return;
    weir_kafka_partition_close(x->reader);
    weir_merger_free(x->merger);
    free(x->topic);
    free(x->given_us);
    free(x->silent);
    free(x);
}
