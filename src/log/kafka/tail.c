// SPDX-License-Identifier: Apache-2.0
// Records behind a position are remembered by hash and compared with what the feed gives next: first among equals, first taken. The records of a key are
// in the order in which they were given, so that the first one of a partition which is not in its tail was never sent, nor were those after it.
#include "base/hash.h"
#include "base/memory.h"
#include "log/kafka/inside.h"
#include <stdlib.h>

// What a feeder may have under way is one flush; whatever lies further behind is not its own.
enum { PARTITION_RECORDS_MAX = 1 << 18, KEYLESS_MISSES_MAX = 1 << 16 };

struct tail_record {
    uint64_t hash; // 0: free
    int64_t offset;
    int32_t partition;
    bool taken;
};

struct feed_tail {
    struct tail_record *slots; // open addressing, at most half full
    size_t capacity, count, left;
    bool *ended; // by partition
    int32_t partitions;
    uint32_t keyless_misses;
};

static uint64_t hash_of(struct weir_str key, bool null_key, struct weir_str value)
{
    uint64_t hash = weir_hash64(key.data, null_key ? 0 : key.bytes, null_key ? 1 : 2);
    hash = weir_hash64(value.data, value.bytes, hash);
    return hash ? hash : 1;
}

// ---- loading

struct collection {
    struct tail_record *records;
    size_t capacity, count, of_partition;
};

static int collect(void *context, const struct weir_kafka_message *m, const struct weir_kafka_header *headers, uint32_t header_count,
                   struct weir_error *err)
{
    (void)headers, (void)header_count;
    struct collection *c = context;
    if (c->of_partition == PARTITION_RECORDS_MAX)
        return weir_fail(err, WEIR_OK, WEIR_RETRY, "enough");
    weir_grow(&c->records, &c->capacity, c->count + 1, sizeof *c->records);
    c->records[c->count++] = (struct tail_record){.hash = hash_of(m->key, m->null_key, m->value), .offset = m->offset, .partition = m->partition};
    c->of_partition++;
    return 0;
}

static int collect_partition(struct kafka_log *log, const char *topic, int32_t partition, int64_t from, struct collection *c, struct weir_error *err)
{
    int64_t start, end;
    if (weir_kafka_offsets(log->kafka, topic, partition, &start, &end, err) < 0)
        return -1;
    struct weir_error stop;
    c->of_partition = 0;
    if (end <= from || weir_kafka_scan(log->kafka, topic, partition, from > start ? from : start, collect, c, NULL, &stop) == 0 ||
        c->of_partition == PARTITION_RECORDS_MAX)
        return 0;
    *err = stop;
    return -1;
}

static struct feed_tail *tail_of(const struct collection *c, int32_t partitions)
{
    struct feed_tail *t = weir_zalloc(1, sizeof *t);
    t->ended = weir_zalloc((size_t)partitions, sizeof *t->ended);
    t->partitions = partitions;
    for (t->capacity = 16; t->capacity < c->count * 2; t->capacity *= 2)
        ;
    t->slots = weir_zalloc(t->capacity, sizeof *t->slots);
    for (size_t i = 0; i < c->count; i++) {
        size_t at = c->records[i].hash & (t->capacity - 1);
        while (t->slots[at].hash)
            at = (at + 1) & (t->capacity - 1);
        t->slots[at] = c->records[i];
    }
    t->count = t->left = c->count;
    return t;
}

int feed_tail_load(struct kafka_log *log, const char *topic, const struct feed_position *position, struct feed_tail **ret, struct weir_error *err)
{
    struct collection c = {0};
    int rc = 0;
    for (int32_t i = 0; rc == 0 && i < position->partitions; i++)
        rc = collect_partition(log, topic, i, position->ends[i], &c, err);
    if (rc == 0)
        *ret = c.count ? tail_of(&c, position->partitions) : NULL;
    free(c.records);
    return rc;
}

void feed_tail_free(struct feed_tail *t)
{
    if (!t)
        return;
    free(t->ended);
    free(t->slots);
    free(t);
}

// ---- comparing

static struct tail_record *find(const struct feed_tail *t, uint64_t hash)
{
    for (size_t at = hash & (t->capacity - 1); t->slots[at].hash; at = (at + 1) & (t->capacity - 1))
        if (t->slots[at].hash == hash && !t->slots[at].taken)
            return &t->slots[at];
    return NULL;
}

static void miss(struct feed_tail *t, int32_t partition, bool null_key)
{
    if (!null_key)
        t->ended[partition] = true;
    else if (++t->keyless_misses == KEYLESS_MISSES_MAX)
        t->left = 0;
}

bool feed_tail_take(struct feed_tail *t, struct weir_str key, bool null_key, struct weir_str value, struct feed_position *position)
{
    int32_t partition = null_key ? 0 : weir_kafka_partition(key.data, key.bytes, t->partitions);
    if (!null_key && t->ended[partition])
        return false;
    struct tail_record *found = find(t, hash_of(key, null_key, value));
    if (!found) {
        miss(t, partition, null_key);
        return false;
    }
    found->taken = true;
    t->left--;
    if (position->ends[found->partition] <= found->offset)
        position->ends[found->partition] = found->offset + 1;
    return true;
}

bool feed_tail_spent(const struct feed_tail *t)
{
    return t->left == 0;
}
