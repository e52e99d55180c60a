// SPDX-License-Identifier: Apache-2.0
#include "base/memory.h"
#include "log/embedded/inside.h"

struct expiry { // what is to go of a partition: everything before `start`
    int64_t start, bytes;
};

// Walks over the batches that have expired; a batch ends where the next begins.
static int find_expired(struct embedded_log *log, struct log_topic *topic, uint32_t partition, int64_t before_ms, int64_t keep_from,
                        struct expiry *ret, struct weir_error *err)
{
    struct weir_walk *walk = log_index_walk(log, topic, partition);
    struct expiry expiry = {.start = topic->partition[partition].start};
    int rc = 0;
    while (weir_walk_valid(walk)) {
        struct log_index_entry entry;
        if (log_index_entry(weir_walk_value(walk), &entry) < 0) {
            rc = weir_fail(err, WEIR_IO, WEIR_STOP, "damaged index of topic %s partition %u", topic->name, partition);
            break;
        }
        if (entry.appended_ms >= before_ms)
            break;
        weir_walk_next(walk);
        int64_t end = weir_walk_valid(walk) ? log_index_offset(weir_walk_key(walk)) : topic->partition[partition].end;
        if (end > keep_from)
            break;
        expiry.start = end;
        expiry.bytes += entry.bytes;
    }
    if (rc == 0)
        rc = weir_walk_error(walk, err);
    weir_walk_free(walk);
    *ret = expiry;
    return rc;
}

static int expire_partition(struct embedded_log *log, struct log_topic *topic, uint32_t partition, int64_t before_ms, int64_t keep_from,
                            bool *ret_changed, struct weir_error *err)
{
    struct log_partition *p = &topic->partition[partition];
    struct expiry expiry;
    if (find_expired(log, topic, partition, before_ms, keep_from, &expiry, err) < 0)
        return -1;
    if (expiry.start == p->start)
        return 0;
    struct log_key from = log_index_key(topic->id, partition, 0), to = log_index_key(topic->id, partition, expiry.start);
    struct weir_txn *txn = weir_txn_new(log->db);
    weir_txn_delete_range(txn, WEIR_META, log_key_view(&from), log_key_view(&to));
    log_put_partition(txn, topic, partition, expiry.start, p->end, p->bytes - expiry.bytes);
    int64_t old_start = p->start;
    p->start = expiry.start; // first: a reader that finds a batch gone must know why
    int rc = weir_txn_commit(txn, true, err);
    weir_txn_free(txn);
    if (rc < 0) {
        p->start = old_start;
        return rc;
    }
    p->bytes -= expiry.bytes;
    *ret_changed = true;
    return 0;
}

// Lowers *least to the number of the partition's first batch.
static int find_least(struct embedded_log *log, const struct log_topic *topic, uint32_t partition, uint64_t *least, struct weir_error *err)
{
    struct weir_walk *walk = log_index_walk(log, topic, partition);
    struct log_index_entry entry;
    if (weir_walk_valid(walk) && log_index_entry(weir_walk_value(walk), &entry) == 0 && entry.number < *least)
        *least = entry.number;
    int rc = weir_walk_error(walk, err);
    weir_walk_free(walk);
    return rc;
}

int log_reclaim(struct embedded_log *log, struct weir_error *err)
{
    uint64_t least;
    pthread_rwlock_wrlock(&log->appending); // all smaller numbers are in the index then, or never will be
    int rc = log_next_number(log, &least, err);
    pthread_rwlock_unlock(&log->appending);
    pthread_mutex_lock(&log->mutex);
    struct log_topic *topics = log->topics; // new ones come before these, and none goes
    pthread_mutex_unlock(&log->mutex);
    for (struct log_topic *t = topics; t && rc == 0; t = t->next)
        for (int32_t i = 0; i < t->partitions && rc == 0 && !t->deleted; i++)
            rc = find_least(log, t, (uint32_t)i, &least, err);
    if (rc < 0 || least == 0)
        return rc;
    struct log_key first = log_batch_key(0), last = log_batch_key(least - 1);
    weir_embedded_drop_files(log->db, WEIR_LOG, log_key_view(&first), log_key_view(&last));
    return 0;
}

int embedded_topic_expire(struct weir_log *any, const char *name, int64_t now_ms, const int64_t *keep_from, struct weir_error *err)
{
    struct embedded_log *log = embedded_log_of(any);
    struct log_topic *topic;
    if (log_find(log, name, &topic, err) < 0)
        return -1;
    if (topic->retention_ms == 0)
        return 0;
    int64_t before_ms = now_ms - topic->retention_ms;
    bool changed = false;
    int rc = 0;
    pthread_mutex_lock(&topic->append);
    for (int32_t i = 0; rc == 0 && i < topic->partitions && !topic->deleted; i++)
        rc = expire_partition(log, topic, (uint32_t)i, before_ms, keep_from[i], &changed, err);
    pthread_mutex_unlock(&topic->append);
    return rc == 0 && changed ? log_reclaim(log, err) : rc;
}
