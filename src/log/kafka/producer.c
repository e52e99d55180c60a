// SPDX-License-Identifier: Apache-2.0
// Appending: the records go to the topic by a plain producer, as every Kafka client knows them; when all are acknowledged, the feed's dead letters and
// its position go into one transaction. A process that dies in between leaves records without a position: the next one finds them behind it (tail.c).
//
// The transaction's id is the feed's, so that of two processes that feed the same only the last to start goes on: the other's next flush fails.
// Processes that open a feed and never flush disturb nobody.
#include "base/fault.h"
#include "base/memory.h"
#include "log/kafka/inside.h"
#include <poll.h>
#include <stdlib.h>

enum { COMMIT_PAUSE_MS = 100 };

struct kafka_producer {
    struct weir_producer base;
    struct kafka_log *log;
    char *topic, *feed; // feed may be NULL
    int32_t partitions;
    struct weir_kafka_producer *records;
    struct weir_kafka_batch *letters;
    struct weir_kafka_txn *txn; // opened at the first flush that needs it
    struct feed_position position;
    struct feed_tail *tail; // NULL once nothing can be found in it
    bool looked_for_tail, failed;
    atomic_bool stopped;
    struct weir_error failure; // where `failed`: of the next flush
};

static struct kafka_producer *of(struct weir_producer *p)
{
    return (struct kafka_producer *)p;
}

static void producer_close(struct weir_producer *any)
{
    struct kafka_producer *p = of(any);
    if (p->records)
        weir_kafka_producer_close(p->records);
    if (p->txn)
        weir_kafka_txn_close(p->txn);
    weir_kafka_batch_free(p->letters);
    feed_tail_free(p->tail);
    feed_position_drop(&p->position);
    free(p->feed);
    free(p->topic);
    free(p);
}

static struct weir_str producer_position(const struct weir_producer *p)
{
    return weir_buffer_view(&((const struct kafka_producer *)p)->position.feed);
}

static size_t producer_bytes(const struct weir_producer *any)
{
    const struct kafka_producer *p = (const struct kafka_producer *)any;
    return weir_kafka_producer_bytes(p->records) + weir_kafka_batch_bytes(p->letters);
}

// ---- buffering

static void look_for_tail(struct kafka_producer *p)
{
    p->looked_for_tail = true;
    if (p->position.stored && feed_tail_load(p->log, p->topic, &p->position, &p->tail, &p->failure) < 0)
        p->failed = true;
}

static bool is_there_already(struct kafka_producer *p, struct weir_str key, bool null_key, struct weir_str value)
{
    if (!p->tail)
        return false;
    bool found = feed_tail_take(p->tail, key, null_key, value, &p->position);
    if (feed_tail_spent(p->tail)) {
        feed_tail_free(p->tail);
        p->tail = NULL;
    }
    return found;
}

static void producer_add(struct weir_producer *any, int64_t timestamp_ms, struct weir_str key, bool null_key, struct weir_str value)
{
    struct kafka_producer *p = of(any);
    if (p->feed && !p->looked_for_tail)
        look_for_tail(p);
    if (!p->failed && !is_there_already(p, key, null_key, value))
        weir_kafka_producer_add(p->records, timestamp_ms, key, null_key, value);
}

static void producer_dead(struct weir_producer *p, struct weir_dead *dead, const struct weir_dead_letter *letter)
{
    weir_dead_put(dead, &(struct weir_commit){.kafka = of(p)->letters}, letter);
}

static void producer_replayed(struct weir_producer *p, struct weir_dead *dead, const struct weir_dead_letter *letter)
{
    weir_dead_delete(dead, &(struct weir_commit){.kafka = of(p)->letters}, letter);
}

// ---- appending

static int taken_over(const struct kafka_producer *p, struct weir_error *err)
{
    return weir_fail(err, WEIR_FAILED, WEIR_RETRY, "topic %s: another process %s now", p->topic, p->feed ? "feeds it" : "replays dead letters");
}

static bool goes_on(const struct kafka_producer *p, const struct weir_error *err)
{
    return err->fate == WEIR_RETRY && !atomic_load(&p->stopped);
}

static int commit_once(struct kafka_producer *p, const struct weir_kafka_batch *batch, enum weir_kafka_fate *ret, struct weir_error *err)
{
    if (weir_kafka_txn_begin(p->txn, err) < 0)
        return -1;
    if (weir_kafka_txn_add(p->txn, batch, err) < 0) {
        weir_kafka_txn_abort(p->txn);
        return -1;
    }
    int rc;
    while ((rc = weir_kafka_txn_commit(p->txn, ret, err)) < 0 && goes_on(p, err)) // until its fate is known
        poll(NULL, 0, COMMIT_PAUSE_MS);
    return rc;
}

static int commit(struct kafka_producer *p, const struct weir_kafka_batch *batch, struct weir_error *err)
{
    for (;;) {
        enum weir_kafka_fate fate = WEIR_KAFKA_ABORTED;
        if (commit_once(p, batch, &fate, err) < 0 && !goes_on(p, err))
            return -1;
        if (fate == WEIR_KAFKA_DONE)
            return 0;
        if (fate == WEIR_KAFKA_FENCED)
            return taken_over(p, err);
        if (atomic_load(&p->stopped))
            return weir_fail(err, WEIR_UNAVAILABLE, WEIR_RETRY, "topic %s: stopped before the feed's position was committed", p->topic);
        poll(NULL, 0, COMMIT_PAUSE_MS);
    }
}

static int commit_position(struct kafka_producer *p, struct weir_error *err)
{
    struct weir_kafka_batch *batch = weir_kafka_batch_new();
    feed_position_put(&p->position, p->log->pipeline, p->topic, p->feed, batch);
    int rc = commit(p, batch, err);
    weir_kafka_batch_free(batch);
    p->position.stored |= rc == 0;
    return rc;
}

// Nobody but us moves the feed's position from here on: it must still be the one that the feed went on from. Where there is none yet, what the topic
// holds is marked as not the feed's.
static int lead_feed(struct kafka_producer *p, struct weir_error *err)
{
    struct feed_position now;
    if (feed_position_load(p->log, p->topic, p->feed, p->partitions, &now, err) < 0)
        return -1;
    bool same = now.stored == p->position.stored && weir_str_eq(weir_buffer_view(&now.feed), weir_buffer_view(&p->position.feed));
    feed_position_drop(&now);
    if (!same)
        return taken_over(p, err);
    return p->position.stored ? 0 : commit_position(p, err);
}

static int lead(struct kafka_producer *p, struct weir_error *err)
{
    const char *pipeline = p->log->pipeline ? p->log->pipeline : "weir";
    weir_cleanup(weir_freep) char *id =
        p->feed ? weir_format("%s-feed-%s-%s", pipeline, p->topic, p->feed) : weir_format("%s-letters-%s", pipeline, p->topic);
    if (weir_kafka_txn_open(p->log->kafka, id, &p->txn, err) < 0)
        return -1;
    if (!p->feed || lead_feed(p, err) == 0)
        return 0;
    weir_kafka_txn_close(p->txn);
    p->txn = NULL;
    return -1;
}

static int append_records(struct kafka_producer *p, struct weir_error *err)
{
    if (weir_kafka_producer_bytes(p->records) == 0)
        return 0;
    if (weir_kafka_producer_flush(p->records, err) < 0)
        return -1;
    for (int32_t i = 0; p->feed && i < p->partitions; i++) {
        int64_t end = weir_kafka_producer_end(p->records, i);
        p->position.ends[i] = end > p->position.ends[i] ? end : p->position.ends[i];
    }
    return 0;
}

// `position` may be of the feed's own or empty: then the letters go alone.
static int append_rest(struct kafka_producer *p, struct weir_str position, struct weir_error *err)
{
    if (position.bytes) {
        p->position.feed.bytes = 0;
        weir_buffer_add(&p->position.feed, position.data, position.bytes);
        feed_position_put(&p->position, p->log->pipeline, p->topic, p->feed, p->letters);
    }
    return weir_kafka_batch_bytes(p->letters) ? commit(p, p->letters, err) : 0;
}

static int append(struct kafka_producer *p, struct weir_str position, struct weir_error *err)
{
    bool commits = position.bytes || weir_kafka_batch_bytes(p->letters);
    if (p->failed) {
        *err = p->failure;
        return -1;
    }
    if (commits && !p->txn && lead(p, err) < 0)
        return -1;
    weir_fault("log.append.before");
    if (append_records(p, err) < 0)
        return -1;
    weir_fault("log.append.records");
    if (append_rest(p, position, err) < 0)
        return -1;
    weir_fault("log.append.after");
    return 0;
}

static int producer_flush(struct weir_producer *any, struct weir_str position, struct weir_error *err)
{
    struct kafka_producer *p = of(any);
    if (!p->feed)
        position = (struct weir_str){"", 0};
    int rc = append(p, position, err);
    weir_kafka_batch_clear(p->letters);
    return rc;
}

static void producer_stop(struct weir_producer *any)
{
    struct kafka_producer *p = of(any);
    atomic_store(&p->stopped, true);
    weir_kafka_producer_stop(p->records);
}

// ---- life

static int open_feed(struct kafka_producer *p, int32_t replication, struct weir_error *err)
{
    if (!p->log->pipeline)
        return weir_fail(err, WEIR_INTERNAL, WEIR_STOP, "a feed needs a pipeline");
    weir_cleanup(weir_freep) char *feeds = weir_format("%s-feeds", p->log->pipeline);
    const struct weir_kafka_topic topic = {.name = feeds, .partitions = 1, .replication = replication, .compacted = true};
    if (weir_kafka_topic_need(p->log->kafka, &topic, err) < 0)
        return -1;
    return feed_position_load(p->log, p->topic, p->feed, p->partitions, &p->position, err);
}

static int open_parts(struct kafka_producer *p, struct weir_error *err)
{
    int32_t replication;
    if (weir_kafka_topic_shape(p->log->kafka, p->topic, &p->partitions, &replication, err) < 0)
        return -1;
    if (p->feed && open_feed(p, replication, err) < 0)
        return -1;
    return weir_kafka_producer_open(p->log->kafka, p->topic, &p->records, err);
}

int kafka_producer_open(struct weir_log *any, const char *topic, const char *feed, struct weir_producer **ret, struct weir_error *err)
{
    static const struct producer_ops ops = {
        .close = producer_close,
        .position = producer_position,
        .add = producer_add,
        .dead = producer_dead,
        .replayed = producer_replayed,
        .bytes = producer_bytes,
        .flush = producer_flush,
        .stop = producer_stop,
    };
    struct kafka_producer *p = weir_zalloc(1, sizeof *p);
    p->base.ops = &ops;
    p->log = kafka_log_of(any);
    p->topic = weir_strdup(topic);
    p->feed = feed ? weir_strdup(feed) : NULL;
    p->letters = weir_kafka_batch_new();
    if (open_parts(p, err) < 0) {
        producer_close(&p->base);
        return -1;
    }
    *ret = &p->base;
    return 0;
}
