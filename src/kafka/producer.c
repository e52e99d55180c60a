// SPDX-License-Identifier: Apache-2.0
// The idempotent producer: what is added is sent from librdkafka's queue, and a flush ends when all of it is acknowledged.
#include "kafka/inside.h"

#include "base/memory.h"
#include <stdlib.h>

enum { ROOM_MS = 50, FLUSH_MS = 100, LAST_MS = 1000 };

struct weir_kafka_producer {
    struct weir_kafka *kafka;
    struct kafka_client *client;
    char *topic;
    int32_t partitions;
    int64_t *ends; // by partition: behind what was acknowledged
    size_t bytes;
    atomic_bool stopped;
    bool failed; // of what was added since the last flush: the first that Kafka will not take
    struct weir_error failure;
};

static void note_failure(struct weir_kafka_producer *p, rd_kafka_resp_err_t code, const char *said)
{
    if (p->failed)
        return;
    p->failed = true;
    char fatal[300];
    if (code == RD_KAFKA_RESP_ERR__FATAL || code == RD_KAFKA_RESP_ERR__PURGE_QUEUE) {
        rd_kafka_resp_err_t why = rd_kafka_fatal_error(p->client->rk, fatal, sizeof fatal);
        said = why ? fatal : said;
        code = why ? why : code;
    }
    kafka_fail(p->kafka, &p->failure, code, said, "append to topic '%s' in Kafka at %s", p->topic, p->kafka->brokers);
}

static void on_delivery(rd_kafka_t *rk, const rd_kafka_message_t *m, void *opaque)
{
    (void)rk;
    struct weir_kafka_producer *p = ((struct kafka_client *)opaque)->owner;
    if (m->err)
        note_failure(p, m->err, NULL);
    else if (m->partition >= 0 && m->partition < p->partitions && p->ends[m->partition] <= m->offset)
        p->ends[m->partition] = m->offset + 1;
}

static void configure(rd_kafka_conf_t *conf)
{
    rd_kafka_conf_set_dr_msg_cb(conf, on_delivery);
}

int weir_kafka_producer_open(struct weir_kafka *k, const char *topic, struct weir_kafka_producer **ret, struct weir_error *err)
{
    int32_t partitions;
    if (kafka_topic_known(k, topic, &partitions, err) < 0)
        return -1;
    struct weir_kafka_producer *p = weir_zalloc(1, sizeof *p);
    p->kafka = k;
    struct kafka_client_plan plan = {.role = KAFKA_SENDER, .configure = configure, .owner = p};
    if (kafka_client_open(k, &plan, &p->client, err) < 0) {
        free(p);
        return -1;
    }
    kafka_client_find(p->client, topic, KAFKA_FIND_MS);
    p->topic = weir_strdup(topic);
    p->partitions = partitions;
    p->ends = weir_alloc((size_t)partitions * sizeof *p->ends);
    for (int32_t i = 0; i < partitions; i++)
        p->ends[i] = -1;
    *ret = p;
    return 0;
}

void weir_kafka_producer_close(struct weir_kafka_producer *p)
{
    if (!p)
        return;
    if (rd_kafka_outq_len(p->client->rk) > 0) { // given up: what was not flushed is dropped
        rd_kafka_purge(p->client->rk, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
        rd_kafka_flush(p->client->rk, LAST_MS);
    }
    kafka_client_close(p->client);
    free(p->ends);
    free(p->topic);
    free(p);
}

void weir_kafka_producer_add(struct weir_kafka_producer *p, int64_t timestamp_ms, struct weir_str key, bool null_key, struct weir_str value)
{
    p->bytes += (null_key ? 0 : key.bytes) + value.bytes;
    const void *key_data = null_key ? NULL : key.data ? key.data : ""; // an empty key is one
    for (;;) {
        rd_kafka_resp_err_t code = rd_kafka_producev(
            p->client->rk, RD_KAFKA_V_TOPIC(p->topic), RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_KEY(key_data, null_key ? 0 : key.bytes),
            RD_KAFKA_V_VALUE((void *)(uintptr_t)value.data, value.bytes), RD_KAFKA_V_TIMESTAMP(timestamp_ms), RD_KAFKA_V_END);
        if (code == RD_KAFKA_RESP_ERR_NO_ERROR)
            return;
        if (code != RD_KAFKA_RESP_ERR__QUEUE_FULL || atomic_load(&p->stopped)) {
            note_failure(p, code, NULL);
            return;
        }
        rd_kafka_poll(p->client->rk, ROOM_MS);
    }
}

size_t weir_kafka_producer_bytes(const struct weir_kafka_producer *p)
{
    return p->bytes;
}

int64_t weir_kafka_producer_end(const struct weir_kafka_producer *p, int32_t partition)
{
    return p->ends[partition];
}

int weir_kafka_producer_flush(struct weir_kafka_producer *p, struct weir_error *err)
{
    while (rd_kafka_flush(p->client->rk, FLUSH_MS) == RD_KAFKA_RESP_ERR__TIMED_OUT)
        if (atomic_load(&p->stopped))
            return weir_fail(err, WEIR_UNAVAILABLE, WEIR_RETRY, "stopped before Kafka at %s acknowledged everything for topic '%s'",
                             p->kafka->brokers, p->topic);
    bool failed = p->failed;
    p->failed = false;
    p->bytes = 0;
    if (failed)
        *err = p->failure;
    return failed ? -1 : 0;
}

void weir_kafka_producer_stop(struct weir_kafka_producer *p)
{
    atomic_store(&p->stopped, true);
}
