// SPDX-License-Identifier: Apache-2.0
#include "base/fault.h"
#include "base/hash.h"
#include "base/memory.h"
#include "base/time.h"
#include "log/embedded/inside.h"
#include <stdlib.h>

enum { BATCH_BYTES = 256 << 10, RECORD_BYTES_MAX = 64 << 20, BATCHES_KEPT = 4 };

// What is buffered for a partition: batches of about BATCH_BYTES, the last one open.
struct lane {
    struct weir_batch_writer *batches;
    size_t capacity;
    uint32_t used;
};

struct embedded_producer {
    struct weir_producer base;
    struct embedded_log *log;
    struct log_topic *topic;
    char *feed; // or NULL
    struct weir_buffer position;
    struct lane *lanes;
    size_t buffered_bytes;
    uint32_t next_lane; // of records without a key
    bool too_large;     // a record was, so the next flush fails
    struct weir_txn *txn;
};

static int load_position(struct embedded_producer *p, struct weir_error *err)
{
    weir_cleanup(weir_buffer_drop) struct weir_buffer key = {0};
    struct weir_pin *pin;
    struct weir_str value;
    log_feed_key(p->topic->id, p->feed, &key);
    if (weir_pin_get(p->log->db, WEIR_META, weir_buffer_view(&key), &pin, &value, err) < 0)
        return -1;
    weir_buffer_add(&p->position, value.data, value.bytes);
    weir_pin_drop(pin);
    return 0;
}

static void lane_shrink(struct lane *lane, size_t keep)
{
    while (lane->capacity > keep)
        weir_batch_writer_drop(&lane->batches[--lane->capacity]);
}

static struct embedded_producer *of(struct weir_producer *p)
{
    return (struct embedded_producer *)p;
}

static void producer_close(struct weir_producer *any)
{
    struct embedded_producer *p = of(any);
    for (int32_t i = 0; i < p->topic->partitions; i++) {
        lane_shrink(&p->lanes[i], 0);
        free(p->lanes[i].batches);
    }
    weir_txn_free(p->txn);
    weir_buffer_drop(&p->position);
    free(p->lanes);
    free(p->feed);
    free(p);
}

static struct weir_str producer_position(const struct weir_producer *p)
{
    return weir_buffer_view(&((const struct embedded_producer *)p)->position);
}

static size_t producer_bytes(const struct weir_producer *p)
{
    return ((const struct embedded_producer *)p)->buffered_bytes;
}

// ---- buffering

static struct weir_batch_writer *lane_batch(struct lane *lane)
{
    if (lane->used > 0 && lane->batches[lane->used - 1].bytes.bytes < BATCH_BYTES)
        return &lane->batches[lane->used - 1];
    if (lane->used > 0)
        weir_batch_writer_end(&lane->batches[lane->used - 1]);
    if (lane->used == lane->capacity) {
        size_t before = lane->capacity;
        weir_grow(&lane->batches, &lane->capacity, before + 1, sizeof *lane->batches);
        memset(lane->batches + before, 0, (lane->capacity - before) * sizeof *lane->batches);
    }
    struct weir_batch_writer *batch = &lane->batches[lane->used++];
    weir_batch_writer_begin(batch);
    return batch;
}

static uint32_t choose_partition(struct embedded_producer *p, struct weir_str key, bool null_key)
{
    if (p->topic->partitions == 1)
        return 0;
    if (null_key)
        return p->next_lane++ % (uint32_t)p->topic->partitions;
    return (uint32_t)weir_kafka_partition(key.data, key.bytes, p->topic->partitions);
}

static void producer_add(struct weir_producer *any, int64_t timestamp_ms, struct weir_str key, bool null_key, struct weir_str value)
{
    struct embedded_producer *p = of(any);
    if ((uint64_t)value.bytes + (null_key ? 0 : key.bytes) > RECORD_BYTES_MAX) {
        p->too_large = true;
        return;
    }
    struct weir_batch_writer *batch = lane_batch(&p->lanes[choose_partition(p, key, null_key)]);
    size_t before = batch->count ? batch->bytes.bytes : 0;
    weir_batch_writer_add(batch, timestamp_ms, key, null_key, value, false);
    p->buffered_bytes += batch->bytes.bytes - before;
}

static void producer_dead(struct weir_producer *any, struct weir_dead *dead, const struct weir_dead_letter *letter)
{
    struct embedded_producer *p = of(any);
    size_t before = weir_txn_bytes(p->txn);
    weir_dead_put(dead, &(struct weir_commit){.embedded = p->txn}, letter);
    p->buffered_bytes += weir_txn_bytes(p->txn) - before;
}

static void producer_replayed(struct weir_producer *any, struct weir_dead *dead, const struct weir_dead_letter *letter)
{
    struct embedded_producer *p = of(any);
    size_t before = weir_txn_bytes(p->txn);
    weir_dead_delete(dead, &(struct weir_commit){.embedded = p->txn}, letter);
    p->buffered_bytes += weir_txn_bytes(p->txn) - before;
}

// ---- appending

struct advance { // what a flush does to a partition
    int64_t end;
    int64_t bytes;
};

static int stage_batch(struct embedded_producer *p, uint32_t partition, struct weir_batch_writer *batch, int64_t base_offset, int64_t now_ms,
                       struct weir_error *err)
{
    struct log_index_entry entry = {.appended_ms = now_ms, .bytes = (uint32_t)batch->bytes.bytes};
    if (log_next_number(p->log, &entry.number, err) < 0)
        return -1;
    struct log_key key = log_batch_key(entry.number);
    weir_batch_set_base_offset(batch->bytes.data, base_offset);
    weir_txn_put(p->txn, WEIR_LOG, log_key_view(&key), weir_buffer_view(&batch->bytes));
    log_put_index(p->txn, p->topic, partition, base_offset, &entry);
    return 0;
}

static int stage_lane(struct embedded_producer *p, uint32_t partition, int64_t now_ms, struct advance *ret, struct weir_error *err)
{
    struct lane *lane = &p->lanes[partition];
    struct log_partition *at = &p->topic->partition[partition];
    *ret = (struct advance){.end = at->end, .bytes = at->bytes};
    if (lane->used == 0)
        return 0;
    weir_batch_writer_end(&lane->batches[lane->used - 1]);
    for (uint32_t i = 0; i < lane->used; i++) {
        if (stage_batch(p, partition, &lane->batches[i], ret->end, now_ms, err) < 0)
            return -1;
        ret->end += lane->batches[i].count;
        ret->bytes += (int64_t)lane->batches[i].bytes.bytes;
    }
    log_put_partition(p->txn, p->topic, partition, at->start, ret->end, ret->bytes);
    return 0;
}

static void stage_position(struct embedded_producer *p, struct weir_str position)
{
    weir_cleanup(weir_buffer_drop) struct weir_buffer key = {0};
    if (!p->feed || position.bytes == 0)
        return;
    log_feed_key(p->topic->id, p->feed, &key);
    weir_txn_put(p->txn, WEIR_META, weir_buffer_view(&key), position);
}

// With the topic's append lock held.
static int append(struct embedded_producer *p, struct weir_str position, struct weir_error *err)
{
    int32_t partitions = p->topic->partitions;
    if (p->topic->deleted)
        return weir_fail(err, WEIR_FAILED, WEIR_STOP, "topic '%s' was deleted", p->topic->name);
    weir_cleanup(weir_freep) struct advance *advance = weir_alloc((size_t)partitions * sizeof *advance);
    int64_t now_ms = weir_now_ms();
    for (int32_t i = 0; i < partitions; i++)
        if (stage_lane(p, (uint32_t)i, now_ms, &advance[i], err) < 0)
            return -1;
    stage_position(p, position);
    weir_fault("log.append.before");
    if (weir_txn_commit(p->txn, true, err) < 0)
        return -1;
    weir_fault("log.append.after");
    for (int32_t i = 0; i < partitions; i++) {
        p->topic->partition[i].bytes = advance[i].bytes;
        p->topic->partition[i].end = advance[i].end;
    }
    return 0;
}

static void forget_buffered(struct embedded_producer *p)
{
    for (int32_t i = 0; i < p->topic->partitions; i++) {
        lane_shrink(&p->lanes[i], BATCHES_KEPT);
        p->lanes[i].used = 0;
    }
    weir_txn_clear(p->txn);
    p->buffered_bytes = 0;
    p->too_large = false;
}

static int producer_flush(struct weir_producer *any, struct weir_str position, struct weir_error *err)
{
    struct embedded_producer *p = of(any);
    if (p->too_large) {
        forget_buffered(p);
        return weir_fail(err, WEIR_BAD_DATA, WEIR_STOP, "a record for topic '%s' is larger than %d MiB", p->topic->name, RECORD_BYTES_MAX >> 20);
    }
    if (p->buffered_bytes == 0 && (!p->feed || position.bytes == 0))
        return 0;
    pthread_mutex_lock(&p->topic->append);
    pthread_rwlock_rdlock(&p->log->appending);
    int rc = append(p, position, err);
    pthread_rwlock_unlock(&p->log->appending);
    pthread_mutex_unlock(&p->topic->append);
    forget_buffered(p);
    if (rc < 0)
        return rc;
    if (p->feed && position.bytes) {
        p->position.bytes = 0;
        weir_buffer_add(&p->position, position.data, position.bytes);
    }
    log_news_tell(&p->log->news);
    return 0;
}

static void producer_stop(struct weir_producer *p)
{
    (void)p; // nothing here waits for others
}

// ----

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

int embedded_producer_open(struct weir_log *any, const char *topic, const char *feed, struct weir_producer **ret, struct weir_error *err)
{
    struct embedded_log *log = embedded_log_of(any);
    struct log_topic *found;
    if (log_find(log, topic, &found, err) < 0)
        return -1;
    struct embedded_producer *p = weir_zalloc(1, sizeof *p);
    p->base.ops = &ops;
    p->log = log;
    p->topic = found;
    p->feed = feed ? weir_strdup(feed) : NULL;
    p->lanes = weir_zalloc((size_t)found->partitions, sizeof *p->lanes);
    p->txn = weir_txn_new(log->db);
    if (feed && load_position(p, err) < 0) {
        producer_close(&p->base);
        return -1;
    }
    *ret = &p->base;
    return 0;
}
