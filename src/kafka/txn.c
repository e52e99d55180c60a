// SPDX-License-Identifier: Apache-2.0
// Transactions (KIP-98, KIP-447): messages and the offsets that they follow from, all or nothing.
//
// begin → add, offset → commit: DONE. What librdkafka calls abortable ends in an abort: ABORTED, or FENCED where the group has given the partition
// away. What it calls fatal ends its client too; the next begin makes another, which waits until the broker has ended what was open under its id.
// A commit whose answer never comes is settled in the same way, and then by what the group has committed.
#include "kafka/batch.h"
#include "kafka/group.h"

#include "base/memory.h"
#include "base/time.h"
#include <stdlib.h>

enum { TIMEOUT_MS = 10000, OPEN_MS = 30000, ABORT_MS = 15000, POLL_MS = 50, TRY_MS = 5000 };

enum phase { IDLE, OPEN, UNKNOWN }; // UNKNOWN: a commit was asked for and not answered

struct weir_kafka_txn {
    struct weir_kafka *kafka;
    struct kafka_client *client; // NULL: to be made again
    char *id;
    enum phase phase;
    int64_t deadline_us;
    struct weir_kafka_group *group;
    rd_kafka_consumer_group_metadata_t *proof;
    rd_kafka_topic_partition_list_t *offsets;
    char topics[256]; // that messages were added for, in words
    bool undelivered; // a message was turned away
    bool failed;      // it can only be aborted
    bool denied;      // and so can any other, for want of a right
    enum weir_kafka_fate fate;
    struct weir_error failure;
};

static int left_ms(const struct weir_kafka_txn *t)
{
    int64_t left = (t->deadline_us - weir_monotonic_us()) / 1000;
    return left > 0 ? (int)left : 0;
}

static int64_t timeout_ms(const struct weir_kafka *k)
{
    const char *value = kafka_property_get(k, "transaction.timeout.ms");
    return value ? strtoll(value, NULL, 10) : TIMEOUT_MS;
}

static void forget(struct weir_kafka_txn *t)
{
    t->phase = IDLE;
    t->group = NULL;
    if (t->proof)
        rd_kafka_consumer_group_metadata_destroy(t->proof);
    t->proof = NULL;
    if (t->offsets)
        rd_kafka_topic_partition_list_destroy(t->offsets);
    t->offsets = NULL;
}

// ---- opening

static void drop_client(struct weir_kafka_txn *t)
{
    if (!t->client)
        return;
    rd_kafka_purge(t->client->rk, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT | RD_KAFKA_PURGE_F_NON_BLOCKING);
    kafka_client_close(t->client);
    t->client = NULL;
}

static int fail_with(struct weir_error *err, rd_kafka_error_t *error, const char *doing, const struct weir_kafka_txn *t)
{
    char fatal[300];
    rd_kafka_resp_err_t code = rd_kafka_error_code(error);
    const char *said = rd_kafka_error_string(error);
    if (code == RD_KAFKA_RESP_ERR__FATAL && t->client) {
        rd_kafka_resp_err_t why = rd_kafka_fatal_error(t->client->rk, fatal, sizeof fatal);
        code = why ? why : code;
        said = why ? fatal : said;
    }
    return kafka_fail(t->kafka, err, code, said, "%s '%s' in Kafka at %s", doing, t->id, t->kafka->brokers);
}

// Waits until nothing is open under the id any more and no other client of it can write.
static int init(struct weir_kafka_txn *t, struct weir_error *err)
{
    int64_t deadline_us = weir_monotonic_us() + kafka_patience_us(t->kafka, OPEN_MS);
    for (;;) {
        int64_t left = (deadline_us - weir_monotonic_us()) / 1000;
        rd_kafka_error_t *error = rd_kafka_init_transactions(t->client->rk, left > 100 ? (int)left : 100);
        if (!error)
            return 0;
        bool again = rd_kafka_error_is_retriable(error) && weir_monotonic_us() < deadline_us;
        int rc = again ? 0 : fail_with(err, error, "open transactions of", t);
        bool retry = rd_kafka_error_is_retriable(error);
        rd_kafka_error_destroy(error);
        if (rc < 0 && retry)
            err->fate = WEIR_RETRY, err->code = WEIR_UNAVAILABLE;
        if (rc < 0)
            return rc;
        rd_kafka_poll(t->client->rk, POLL_MS);
    }
}

static void on_delivery(rd_kafka_t *rk, const rd_kafka_message_t *m, void *opaque)
{
    (void)rk;
    struct weir_kafka_txn *t = ((struct kafka_client *)opaque)->owner;
    t->undelivered |= m->err != RD_KAFKA_RESP_ERR_NO_ERROR;
}

static void configure(rd_kafka_conf_t *conf)
{
    rd_kafka_conf_set_dr_msg_cb(conf, on_delivery);
}

static int make_client(struct weir_kafka_txn *t, struct weir_error *err)
{
    struct kafka_client_plan plan = {.role = KAFKA_TRANSACTOR, .settings = {{"transactional.id", t->id}}, .configure = configure, .owner = t};
    if (kafka_client_open(t->kafka, &plan, &t->client, err) < 0)
        return -1;
    if (init(t, err) == 0)
        return 0;
    drop_client(t);
    return -1;
}

int weir_kafka_txn_open(struct weir_kafka *k, const char *transactional_id, struct weir_kafka_txn **ret, struct weir_error *err)
{
    struct weir_kafka_txn *t = weir_zalloc(1, sizeof *t);
    t->kafka = k;
    t->id = weir_strdup(transactional_id);
    if (make_client(t, err) < 0) {
        weir_kafka_txn_close(t);
        return -1;
    }
    *ret = t;
    return 0;
}

void weir_kafka_txn_close(struct weir_kafka_txn *t)
{
    if (!t)
        return;
    weir_kafka_txn_abort(t);
    drop_client(t);
    free(t->id);
    free(t);
}

int weir_kafka_txn_begin(struct weir_kafka_txn *t, struct weir_error *err)
{
    weir_assert(t->phase == IDLE);
    if (!t->client && make_client(t, err) < 0)
        return -1;
    rd_kafka_error_t *error = rd_kafka_begin_transaction(t->client->rk);
    if (error) {
        int rc = fail_with(err, error, "begin a transaction of", t);
        if (rd_kafka_error_is_fatal(error)) {
            drop_client(t);
            err->code = WEIR_UNAVAILABLE, err->fate = WEIR_RETRY;
        }
        rd_kafka_error_destroy(error);
        return rc;
    }
    t->phase = OPEN;
    t->undelivered = t->failed = t->denied = false;
    t->topics[0] = '\0';
    t->deadline_us = weir_monotonic_us() + timeout_ms(t->kafka) * 1000;
    t->offsets = rd_kafka_topic_partition_list_new(4);
    return 0;
}

// ---- filling

static void fail_txn(struct weir_kafka_txn *t, enum weir_kafka_fate fate, const struct weir_error *err)
{
    if (t->failed)
        return;
    t->failed = true;
    t->fate = fate;
    t->failure = *err;
}

static rd_kafka_headers_t *headers_of(const struct weir_kafka_batch *b, const struct batch_entry *e)
{
    if (e->header_count == 0)
        return NULL;
    rd_kafka_headers_t *list = rd_kafka_headers_new(e->header_count);
    for (size_t i = e->first_header; i < e->first_header + e->header_count; i++) {
        const struct batch_header *h = &b->headers[i];
        rd_kafka_header_add(list, (const char *)b->bytes.data + h->name, -1, h->null ? NULL : batch_at(b, h->value), h->value.bytes);
    }
    return list;
}

static rd_kafka_resp_err_t send_entry(rd_kafka_t *rk, const struct weir_kafka_batch *b, const struct batch_entry *e)
{
    rd_kafka_headers_t *headers = headers_of(b, e);
    const char *topic = (const char *)b->bytes.data + e->topic;
    const void *key = e->null_key ? NULL : batch_at(b, e->key), *value = e->null_value ? NULL : batch_at(b, e->value);
    rd_kafka_resp_err_t code =
        rd_kafka_producev(rk, RD_KAFKA_V_TOPIC(topic), RD_KAFKA_V_PARTITION(e->partition), RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY),
                          RD_KAFKA_V_KEY(key, e->key.bytes), RD_KAFKA_V_VALUE((void *)(uintptr_t)value, e->value.bytes),
                          RD_KAFKA_V_TIMESTAMP(e->timestamp_ms), RD_KAFKA_V_HEADERS(headers), RD_KAFKA_V_END);
    if (code && headers)
        rd_kafka_headers_destroy(headers); // ours still
    return code;
}

static void begin_topic(struct weir_kafka_txn *t, const char *topic)
{
    size_t bytes = strlen(t->topics);
    kafka_client_find(t->client, topic, left_ms(t) < KAFKA_FIND_MS ? left_ms(t) : KAFKA_FIND_MS);
    if (!strstr(t->topics, topic))
        snprintf(t->topics + bytes, sizeof t->topics - bytes, "%s'%s'", bytes ? ", " : "", topic);
}

int weir_kafka_txn_add(struct weir_kafka_txn *t, const struct weir_kafka_batch *batch, struct weir_error *err)
{
    weir_assert(t->phase == OPEN);
    for (size_t i = 0; !t->failed && i < batch->count; i++) {
        const struct batch_entry *e = &batch->entries[i];
        rd_kafka_resp_err_t code;
        if (i == 0 || e->topic != e[-1].topic)
            begin_topic(t, (const char *)batch->bytes.data + e->topic);
        while ((code = send_entry(t->client->rk, batch, e)) == RD_KAFKA_RESP_ERR__QUEUE_FULL && left_ms(t) > 0)
            rd_kafka_poll(t->client->rk, POLL_MS);
        if (!code)
            continue;
        kafka_fail(t->kafka, err, code, NULL, "append to %s[%d] in Kafka at %s", (const char *)batch->bytes.data + e->topic, e->partition,
                   t->kafka->brokers);
        if (code != RD_KAFKA_RESP_ERR__STATE) // the library has given the transaction up: the commit will say why
            fail_txn(t, WEIR_KAFKA_ABORTED, err);
        return code == RD_KAFKA_RESP_ERR__STATE || err->fate == WEIR_RETRY ? 0 : -1;
    }
    rd_kafka_poll(t->client->rk, 0);
    return 0;
}

int weir_kafka_txn_offset(struct weir_kafka_txn *t, struct weir_kafka_group *g, int32_t partition, int64_t next_offset, const char *metadata,
                          struct weir_error *err)
{
    weir_assert(t->phase == OPEN);
    if (!g)
        return 0;
    weir_assert(!t->group || t->group == g);
    t->group = g;
    if (kafka_group_claim(g, partition, next_offset, metadata, t->offsets, &t->proof) < 0) {
        weir_fail(err, WEIR_UNAVAILABLE, WEIR_RETRY, "partition %d belongs to another process by now", partition);
        fail_txn(t, WEIR_KAFKA_FENCED, err); // the commit says so
    }
    return 0;
}

// ---- ending

// Whether the group, or an owner of the same id, has gone on without us.
static bool fences(rd_kafka_resp_err_t code)
{
    return code == RD_KAFKA_RESP_ERR__FENCED || code == RD_KAFKA_RESP_ERR_PRODUCER_FENCED || code == RD_KAFKA_RESP_ERR_INVALID_PRODUCER_EPOCH ||
           code == RD_KAFKA_RESP_ERR_ILLEGAL_GENERATION || code == RD_KAFKA_RESP_ERR_UNKNOWN_MEMBER_ID ||
           code == RD_KAFKA_RESP_ERR_FENCED_INSTANCE_ID || code == RD_KAFKA_RESP_ERR_REBALANCE_IN_PROGRESS;
}

// Ends what is open, so that begin works again: by an abort, or with the client.
static void give_up(struct weir_kafka_txn *t)
{
    int64_t patience_us = kafka_patience_us(t->kafka, ABORT_MS), deadline_us = weir_monotonic_us() + patience_us;
    while (t->client) {
        rd_kafka_error_t *error = rd_kafka_abort_transaction(t->client->rk, (int)(patience_us / 1000));
        if (!error)
            break;
        if (!rd_kafka_error_is_retriable(error) || weir_monotonic_us() > deadline_us)
            drop_client(t); // the next client's start ends it
        rd_kafka_error_destroy(error);
    }
    forget(t);
}

// Notes why the transaction cannot be committed. Returns whether the same call may be tried again.
static bool take_error(struct weir_kafka_txn *t, rd_kafka_error_t *error)
{
    bool again = rd_kafka_error_is_retriable(error) && left_ms(t) > 0;
    if (!again) {
        struct weir_error err;
        rd_kafka_resp_err_t code = rd_kafka_error_code(error);
        t->denied = kafka_lacks_right(code);
        if (code == RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED)
            kafka_fail(t->kafka, &err, code, rd_kafka_error_string(error), "append to topic %s in Kafka at %s", t->topics, t->kafka->brokers);
        else
            fail_with(&err, error, "commit a transaction of", t);
        if (rd_kafka_error_is_fatal(error)) {
            code = rd_kafka_fatal_error(t->client->rk, NULL, 0);
            drop_client(t);
        }
        fail_txn(t, fences(code) ? WEIR_KAFKA_FENCED : WEIR_KAFKA_ABORTED, &err);
    }
    rd_kafka_error_destroy(error);
    return again;
}

static void send_offsets(struct weir_kafka_txn *t)
{
    while (!t->failed && t->offsets->cnt > 0) {
        int left = left_ms(t);
        rd_kafka_error_t *error = rd_kafka_send_offsets_to_transaction(t->client->rk, t->offsets, t->proof, left > 0 ? left : 1);
        if (!error)
            return;
        if (take_error(t, error))
            rd_kafka_poll(t->client->rk, POLL_MS);
    }
}

static void ask_commit(struct weir_kafka_txn *t)
{
    while (!t->failed && t->phase == OPEN) {
        int left = left_ms(t);
        rd_kafka_error_t *error = rd_kafka_commit_transaction(t->client->rk, left > 0 ? left : 1);
        if (!error) {
            t->phase = IDLE;
            return;
        }
        bool unanswered = rd_kafka_error_is_retriable(error), abortable = rd_kafka_error_txn_requires_abort(error);
        if (take_error(t, error))
            continue;
        if (t->fate != WEIR_KAFKA_FENCED && (unanswered || !abortable)) // it may have got through
            t->phase = UNKNOWN;
    }
}

static void note_done(struct weir_kafka_txn *t)
{
    for (int i = 0; t->group && i < t->offsets->cnt; i++)
        kafka_group_note_committed(t->group, t->offsets->elems[i].partition, t->offsets->elems[i].offset);
    forget(t);
}

// After the next client's start nothing is open under the id: what the group has committed tells how it ended.
static int resolve(struct weir_kafka_txn *t, enum weir_kafka_fate *ret, struct weir_error *err)
{
    drop_client(t);
    if (make_client(t, err) < 0)
        return -1;
    if (t->offsets->cnt == 0) { // nothing tells
        *err = t->failure;
        *ret = WEIR_KAFKA_ABORTED;
        forget(t);
        return 0;
    }
    const rd_kafka_topic_partition_t *first = &t->offsets->elems[0];
    int64_t before = kafka_group_last_committed(t->group, first->partition), now;
    if (kafka_group_committed(t->group, first->topic, first->partition, &now, err) < 0)
        return -1;
    *ret = now == first->offset && before != now ? WEIR_KAFKA_DONE : now == before ? WEIR_KAFKA_ABORTED : WEIR_KAFKA_FENCED;
    if (*ret == WEIR_KAFKA_DONE)
        note_done(t);
    else
        *err = t->failure;
    forget(t);
    return 0;
}

int weir_kafka_txn_commit(struct weir_kafka_txn *t, enum weir_kafka_fate *ret, struct weir_error *err)
{
    weir_assert(t->phase != IDLE);
    if (t->phase == OPEN) {
        send_offsets(t);
        ask_commit(t);
    }
    if (t->phase == UNKNOWN)
        return resolve(t, ret, err);
    if (!t->failed) {
        note_done(t);
        *ret = WEIR_KAFKA_DONE;
        return 0;
    }
    give_up(t);
    *err = t->failure;
    if (t->denied)
        return -1;
    *ret = t->fate;
    return 0;
}

int weir_kafka_txn_try(struct weir_kafka_txn *t, const struct weir_kafka_batch *batch, struct weir_error *err)
{
    enum weir_kafka_fate fate;
    if (weir_kafka_txn_begin(t, err) < 0)
        return -1;
    int rc = weir_kafka_txn_add(t, batch, err);
    int64_t deadline_us = weir_monotonic_us() + TRY_MS * 1000LL;
    while (rc == 0 && rd_kafka_flush(t->client->rk, POLL_MS) == RD_KAFKA_RESP_ERR__TIMED_OUT && weir_monotonic_us() < deadline_us)
        ;
    if (rc == 0 && (t->undelivered || rd_kafka_outq_len(t->client->rk) > 0)) // only a commit tells why
        rc = weir_kafka_txn_commit(t, &fate, err) < 0 && err->fate != WEIR_RETRY ? -1 : 0;
    weir_kafka_txn_abort(t);
    return rc;
}

void weir_kafka_txn_abort(struct weir_kafka_txn *t)
{
    if (t->phase == OPEN)
        give_up(t);
    else if (t->phase == UNKNOWN) {
        drop_client(t);
        forget(t);
    }
}
