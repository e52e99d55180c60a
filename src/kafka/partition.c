// SPDX-License-Identifier: Apache-2.0
// Reading one partition from librdkafka's queue of it. Offsets are watched record by record: what the library gives twice is passed over, a gap that
// retention made is counted (those of transactions and compaction are none), and a partition that was cut behind our back is an error.
#include "kafka/inside.h"

#include "base/memory.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    // A message read ahead takes some 300 bytes beside its own. A full queue is looked at again only after a second: it should hold more than is
    // read in that time, as far as memory allows.
    READ_AHEAD_MESSAGES = 400000,
    READ_AHEAD_KILOBYTES = 128 * 1024,
    LEAST_MESSAGES = 2000,
    LEAST_KILOBYTES = 1024,
};

struct kafka_read_ahead kafka_read_ahead_of(int32_t partitions)
{
    int32_t messages = READ_AHEAD_MESSAGES / (partitions > 0 ? partitions : 1);
    int32_t kilobytes = READ_AHEAD_KILOBYTES / (partitions > 0 ? partitions : 1);
    struct kafka_read_ahead r;
    snprintf(r.messages, sizeof r.messages, "%" PRId32, messages > LEAST_MESSAGES ? messages : LEAST_MESSAGES);
    snprintf(r.kilobytes, sizeof r.kilobytes, "%" PRId32, kilobytes > LEAST_KILOBYTES ? kilobytes : LEAST_KILOBYTES);
    return r;
}

// ---- opening and closing

static struct weir_kafka_partition *partition_new(struct weir_kafka *k, rd_kafka_t *rk, const char *topic, int32_t partition)
{
    struct weir_kafka_partition *p = weir_zalloc(1, sizeof *p);
    p->kafka = k;
    p->rk = rk;
    p->topic = weir_strdup(topic);
    p->partition = partition;
    p->position = p->committed = -1;
    return p;
}

struct weir_kafka_partition *kafka_partition_new(struct weir_kafka *k, rd_kafka_t *rk, const char *topic, int32_t partition)
{
    struct weir_kafka_partition *p = partition_new(k, rk, topic, partition);
    p->queue = rd_kafka_queue_get_partition(rk, topic, partition);
    weir_assert(p->queue);
    rd_kafka_queue_forward(p->queue, NULL);
    return p;
}

static int start(struct weir_kafka_partition *p, int64_t offset, struct weir_error *err)
{
    p->started = rd_kafka_topic_new(p->rk, p->topic, NULL);
    p->queue = rd_kafka_queue_new(p->rk);
    if (p->started && rd_kafka_consume_start_queue(p->started, p->partition, offset >= 0 ? offset : RD_KAFKA_OFFSET_BEGINNING, p->queue) == 0)
        return 0;
    rd_kafka_resp_err_t code = rd_kafka_last_error();
    if (p->started)
        rd_kafka_topic_destroy(p->started);
    p->started = NULL;
    return kafka_fail(p->kafka, err, code, NULL, "read %s[%d] from Kafka at %s", p->topic, p->partition, p->kafka->brokers);
}

int weir_kafka_partition_open(struct weir_kafka *k, const char *topic, int32_t partition, int64_t offset, struct weir_kafka_partition **ret,
                              struct weir_error *err)
{
    int32_t partitions;
    if (kafka_topic_known(k, topic, &partitions, err) < 0)
        return -1;
    if (partition < 0 || partition >= partitions)
        return weir_fail(err, WEIR_BAD_DATA, WEIR_STOP, "topic '%s' has no partition %d, but %d of them", topic, partition, partitions);
    struct kafka_read_ahead ahead = kafka_read_ahead_of(1);
    struct kafka_client *client;
    struct kafka_client_plan plan = {.role = KAFKA_READER,
                                     .settings = {{"queued.min.messages", ahead.messages}, {"queued.max.messages.kbytes", ahead.kilobytes}}};
    if (kafka_client_open(k, &plan, &client, err) < 0)
        return -1;
    struct weir_kafka_partition *p = partition_new(k, client->rk, topic, partition);
    p->own = client;
    p->position = offset >= 0 ? offset : -1;
    if (start(p, offset, err) < 0) {
        weir_kafka_partition_close(p);
        return -1;
    }
    *ret = p;
    return 0;
}

static void release(struct weir_kafka_partition *p)
{
    for (size_t i = 0; i < p->held_count; i++)
        rd_kafka_message_destroy(p->held[i]);
    p->held_count = 0;
}

void weir_kafka_partition_close(struct weir_kafka_partition *p)
{
    if (!p)
        return;
    release(p);
    if (p->started) {
        rd_kafka_consume_stop(p->started, p->partition);
        rd_kafka_topic_destroy(p->started);
    } else if (p->queue)
        rd_kafka_queue_cb_event_enable(p->queue, NULL, NULL);
    if (p->queue)
        rd_kafka_queue_destroy(p->queue);
    kafka_client_close(p->own);
    free(p->held);
    free(p->topic);
    free(p);
}

// ---- what comes

static bool fail(struct weir_kafka_partition *p)
{
    p->failed = true;
    return false;
}

static bool cut(struct weir_kafka_partition *p, int64_t end)
{
    weir_fail(&p->failure, WEIR_BAD_DATA, WEIR_STOP,
              "%s[%d] ends at offset %" PRId64 ", before offset %" PRId64
              " that was read already: the topic was made anew, or a broker lost what it had acknowledged",
              p->topic, p->partition, end, p->position);
    return fail(p);
}

// Another offset than the next one. What lies before the log's start was taken by retention; other gaps are of transactions and compaction.
static bool jump(struct weir_kafka_partition *p, int64_t offset, int64_t *lost)
{
    int64_t low = -1, high = -1;
    rd_kafka_get_watermark_offsets(p->rk, p->topic, p->partition, &low, &high); // as the last fetch told
    if (offset < p->position)
        return high >= 0 && high < p->position ? cut(p, high) : false;
    if (p->position >= 0 && low > p->position)
        *lost += (low < offset ? low : offset) - p->position;
    return true;
}

static bool note_error(struct weir_kafka_partition *p, const rd_kafka_message_t *m)
{
    if (kafka_passes(m->err))
        return false;
    const char *said = rd_kafka_message_errstr(m);
    kafka_fail(p->kafka, &p->failure, m->err, said, "read %s[%d] at offset %" PRId64 " from Kafka at %s", p->topic, p->partition, p->position,
               p->kafka->brokers);
    return fail(p);
}

static bool note_end(struct weir_kafka_partition *p, int64_t offset, int64_t *lost)
{
    if (offset != p->position && !jump(p, offset, lost))
        return false;
    p->position = offset;
    p->at_end = true;
    return false;
}

bool kafka_partition_accept(struct weir_kafka_partition *p, const rd_kafka_message_t *m, int64_t *lost)
{
    if (m->err == RD_KAFKA_RESP_ERR__PARTITION_EOF)
        return note_end(p, m->offset, lost);
    if (m->err)
        return note_error(p, m);
    if (m->offset != p->position && !jump(p, m->offset, lost))
        return false;
    p->position = m->offset + 1;
    p->at_end = false;
    return true;
}

void kafka_partition_take(struct weir_kafka_partition *p, uint32_t max, int timeout_ms)
{
    release(p);
    weir_grow(&p->held, &p->held_capacity, max, sizeof *p->held);
    ssize_t got = rd_kafka_consume_batch_queue(p->queue, timeout_ms, p->held, max);
    p->held_count = got > 0 ? (size_t)got : 0;
    if (p->own && p->held_count == 0)
        rd_kafka_poll(p->rk, 0); // a member's callbacks are served by its group
}

struct weir_kafka_message kafka_message_view(const rd_kafka_message_t *m)
{
    rd_kafka_timestamp_type_t kind;
    return (struct weir_kafka_message){.partition = m->partition,
                                       .offset = m->offset,
                                       .timestamp_ms = rd_kafka_message_timestamp(m, &kind),
                                       .key = {m->key, (uint32_t)m->key_len},
                                       .value = {m->payload, (uint32_t)m->len},
                                       .null_key = !m->key,
                                       .null_value = !m->payload};
}

int weir_kafka_partition_read(struct weir_kafka_partition *p, struct weir_kafka_message *messages, uint32_t max, int64_t *ret_lost,
                              struct weir_error *err)
{
    int64_t lost = 0;
    int count = 0;
    if (!p->failed)
        kafka_partition_take(p, max, 0);
    for (size_t i = 0; !p->failed && i < p->held_count; i++)
        if (kafka_partition_accept(p, p->held[i], &lost))
            messages[count++] = kafka_message_view(p->held[i]);
    if (p->failed && count == 0) {
        *err = p->failure;
        return -1;
    }
    *ret_lost = lost;
    return count;
}

int64_t weir_kafka_partition_high(const struct weir_kafka_partition *p)
{
    int64_t low = -1, high = -1;
    rd_kafka_get_watermark_offsets(p->rk, p->topic, p->partition, &low, &high);
    return high;
}

int64_t weir_kafka_partition_end(const struct weir_kafka_partition *p)
{
    int64_t high = p->at_end ? -1 : weir_kafka_partition_high(p);
    int64_t position = p->position >= 0 ? p->position : 0;
    return high > position ? high : position;
}

bool weir_kafka_partition_at_end(const struct weir_kafka_partition *p)
{
    return p->at_end;
}

bool weir_kafka_partition_ready(const struct weir_kafka_partition *p)
{
    return p->failed || rd_kafka_queue_length(p->queue) > 0;
}
