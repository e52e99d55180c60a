// SPDX-License-Identifier: Apache-2.0
// Records as the client library hands them over: their bytes stay where it put them until the next fetch.
#include "base/memory.h"
#include "log/kafka/inside.h"
#include <stdatomic.h>
#include <stdlib.h>

enum { READ_RECORDS_MAX = 4096, RECORD_OVERHEAD_BYTES = 8 };

struct kafka_reader {
    struct weir_reader base;
    struct kafka_log *log;
    char *topic;
    int32_t number;
    struct weir_kafka_partition *partition;
    bool given;           // by a group, which closes it
    _Atomic int64_t next; // the next record to be fetched
    atomic_bool drained;  // all that there was has been
    uint32_t at, count;
    struct weir_record records[READ_RECORDS_MAX]; // read; those from `at` on are not fetched yet
    struct weir_kafka_message messages[READ_RECORDS_MAX];
};

static void reader_close(struct weir_reader *any)
{
    struct kafka_reader *r = (struct kafka_reader *)any;
    if (!r->given) {
        weir_kafka_partition_close(r->partition);
        atomic_fetch_sub(&r->log->deaf_readers, 1);
    }
    free(r->topic);
    free(r);
}

static int read_more(struct kafka_reader *r, int64_t *ret_lost, struct weir_error *err)
{
    r->at = r->count = 0;
    int count = weir_kafka_partition_read(r->partition, r->messages, READ_RECORDS_MAX, ret_lost, err);
    if (count < 0)
        return -1;
    for (int i = 0; i < count; i++) {
        const struct weir_kafka_message *m = &r->messages[i];
        r->records[i] = (struct weir_record){m->offset, m->timestamp_ms, m->key, m->value, m->null_key, m->null_value};
    }
    r->count = (uint32_t)count;
    return 0;
}

// How many of the records from `at` on fit, the first always.
static uint32_t count_fitting(const struct kafka_reader *r, size_t max_bytes)
{
    size_t bytes = 0;
    for (uint32_t i = r->at; i < r->count; i++) {
        bytes += (size_t)r->records[i].key.bytes + r->records[i].value.bytes + RECORD_OVERHEAD_BYTES;
        if (bytes > max_bytes && i > r->at)
            return i - r->at;
    }
    return r->count - r->at;
}

static int reader_fetch(struct weir_reader *any, size_t max_bytes, struct weir_fetch *ret, int64_t *ret_lost, struct weir_error *err)
{
    struct kafka_reader *r = (struct kafka_reader *)any;
    int64_t lost = 0;
    if (r->at == r->count && read_more(r, &lost, err) < 0)
        return -1;
    uint32_t count = count_fitting(r, max_bytes);
    const struct weir_record *first = &r->records[r->at];
    r->at += count;
    r->next = count ? first[count - 1].offset + 1 : r->next + lost;
    *ret = (struct weir_fetch){.records = first, .record_count = count, .next_offset = r->next};
    atomic_store(&r->drained, r->at == r->count && weir_kafka_partition_at_end(r->partition));
    *ret_lost = lost;
    return 0;
}

static bool reader_ready(const struct weir_reader *any)
{
    const struct kafka_reader *r = (const struct kafka_reader *)any;
    return r->at < r->count || weir_kafka_partition_ready(r->partition);
}

// Behind the last record may be marks of transactions, which nobody fetches: at its end there is nothing more.
static int64_t reader_end_offset(const struct weir_reader *any)
{
    const struct kafka_reader *r = (const struct kafka_reader *)any;
    int64_t next = atomic_load(&r->next);
    if (atomic_load(&r->drained))
        return next;
    int64_t end = weir_kafka_partition_high(r->partition);
    return end > next ? end : next;
}

static bool reader_at_end(struct weir_reader *any)
{
    struct kafka_reader *r = (struct kafka_reader *)any;
    struct weir_error ignored; // then nobody knows
    int64_t start, end;
    if (reader_ready(any) || weir_kafka_offsets(r->log->kafka, r->topic, r->number, &start, &end, &ignored) < 0)
        return false;
    if (r->next >= end)
        return true;
    return weir_kafka_partition_at_end(r->partition) && weir_kafka_partition_end(r->partition) >= end && !reader_ready(any);
}

static struct kafka_reader *reader_new(struct kafka_log *log, const char *topic, int32_t partition, int64_t offset)
{
    static const struct reader_ops ops = {
        .close = reader_close, .fetch = reader_fetch, .end_offset = reader_end_offset, .ready = reader_ready, .at_end = reader_at_end};
    struct kafka_reader *r = weir_alloc(sizeof *r);
    r->base.ops = &ops;
    r->log = log;
    r->topic = weir_strdup(topic);
    r->number = partition;
    r->next = offset < 0 ? 0 : offset;
    r->at = r->count = 0;
    atomic_init(&r->drained, false);
    return r;
}

struct weir_reader *kafka_reader_of_group(struct kafka_log *log, const char *topic, int32_t partition, int64_t offset,
                                          struct weir_kafka_partition *given)
{
    struct kafka_reader *r = reader_new(log, topic, partition, offset);
    r->partition = given;
    r->given = true;
    return &r->base;
}

int kafka_reader_open(struct weir_log *any, const char *topic, int32_t partition, int64_t offset, struct weir_reader **ret, struct weir_error *err)
{
    struct kafka_log *log = kafka_log_of(any);
    struct weir_kafka_partition *opened;
    if (weir_kafka_partition_open(log->kafka, topic, partition, offset, &opened, err) < 0)
        return -1;
    struct kafka_reader *r = reader_new(log, topic, partition, offset);
    r->partition = opened;
    r->given = false;
    atomic_fetch_add(&log->deaf_readers, 1);
    *ret = &r->base;
    return 0;
}
