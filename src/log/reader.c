// SPDX-License-Identifier: Apache-2.0
#include "base/memory.h"
#include "log/inside.h"
#include <stdlib.h>

enum { FETCH_BATCHES_MAX = 1024 };

struct held_batch {
    struct weir_pin *pin;
    struct weir_str bytes;
    struct weir_batch_info info;
};

struct weir_reader {
    struct weir_log *log;
    struct log_topic *topic;
    uint32_t partition;
    int64_t next; // the next record wanted
    int64_t base; // where the batch with it begins; -1: to be looked up
    struct held_batch held[FETCH_BATCHES_MAX];
    struct weir_str views[FETCH_BATCHES_MAX];
    uint32_t held_count;
    struct held_batch ahead; // was too much for the last fetch
};

int weir_reader_open(struct weir_log *log, const char *topic, int32_t partition, int64_t offset, struct weir_reader **ret, struct weir_error *err)
{
    struct log_topic *found;
    if (log_find(log, topic, &found, err) < 0)
        return -1;
    if (partition < 0 || partition >= found->partitions)
        return weir_fail(err, WEIR_BAD_DATA, WEIR_STOP, "topic '%s' has partitions 0 to %d, not %d", topic, found->partitions - 1, partition);
    struct weir_reader *r = weir_zalloc(1, sizeof *r);
    r->log = log;
    r->topic = found;
    r->partition = (uint32_t)partition;
    r->next = offset < 0 ? 0 : offset;
    r->base = -1;
    *ret = r;
    return 0;
}

static void let_go(struct weir_reader *r)
{
    for (uint32_t i = 0; i < r->held_count; i++)
        weir_pin_drop(r->held[i].pin);
    r->held_count = 0;
}

void weir_reader_close(struct weir_reader *r)
{
    if (!r)
        return;
    let_go(r);
    weir_pin_drop(r->ahead.pin);
    free(r);
}

int64_t weir_reader_end_offset(const struct weir_reader *r)
{
    struct weir_error ignored;
    log_sync(r->log, &ignored);
    return r->topic->partition[r->partition].end;
}

static int damaged(const struct weir_reader *r, int64_t offset, const char *what, struct weir_error *err)
{
    return weir_fail(err, WEIR_IO, WEIR_STOP, "topic %s partition %u offset %lld: %s", r->topic->name, r->partition, (long long)offset, what);
}

// Finds the batch that holds record r->next.
static int locate(struct weir_reader *r, struct weir_error *err)
{
    struct log_key first = log_index_key(r->topic->id, r->partition, 0), wanted = log_index_key(r->topic->id, r->partition, r->next);
    struct log_key bound = log_index_key(r->topic->id, r->partition + 1, 0);
    struct weir_walk *walk = weir_walk_new(r->log->db, WEIR_META, log_key_view(&first), log_key_view(&bound));
    weir_walk_seek_for_prev(walk, log_key_view(&wanted));
    int rc = weir_walk_error(walk, err);
    if (rc == 0 && weir_walk_valid(walk) && weir_str_compare(weir_walk_key(walk), log_key_view(&first)) >= 0)
        r->base = log_index_offset(weir_walk_key(walk));
    else if (rc == 0)
        rc = damaged(r, r->next, r->topic->deleted ? "the topic was deleted" : "it is not in the index of batches", err);
    weir_walk_free(walk);
    return rc;
}

// Takes hold of the batch at r->base; *ret is empty where it has expired meanwhile.
static int take(struct weir_reader *r, struct held_batch *ret, struct weir_error *err)
{
    struct held_batch batch = {0};
    struct log_key key = log_batch_key(r->topic->id, r->partition, r->base);
    int64_t offset = r->base;
    if (weir_pin_get(r->log->db, WEIR_LOG, log_key_view(&key), &batch.pin, &batch.bytes, err) < 0)
        return weir_wrap(err, "topic %s partition %u offset %lld", r->topic->name, r->partition, (long long)offset);
    if (!batch.pin && (r->topic->deleted || offset < r->topic->partition[r->partition].start)) {
        *ret = batch;
        return 0;
    }
    if (!batch.pin)
        return damaged(r, offset, "the record batch is missing", err);
    int rc = weir_batch_verify(batch.bytes, &batch.info, err);
    if (rc < 0)
        damaged(r, offset, err->text, err);
    else if (batch.info.base_offset != offset || batch.info.last_offset < r->next || batch.info.total_bytes != batch.bytes.bytes)
        rc = damaged(r, offset, "another record batch is in its place", err);
    if (rc < 0)
        weir_pin_drop(batch.pin);
    else
        *ret = batch;
    return rc;
}

static int skip_lost(struct weir_reader *r, int64_t *ret_lost)
{
    int64_t start = r->topic->partition[r->partition].start;
    if (r->next >= start)
        return 0;
    *ret_lost += start - r->next;
    r->next = start;
    r->base = -1;
    return 1;
}

static int next_batch(struct weir_reader *r, struct held_batch *ret, int64_t *ret_lost, struct weir_error *err)
{
    *ret = r->ahead;
    r->ahead = (struct held_batch){0};
    if (ret->pin)
        return 0;
    while (r->next < r->topic->partition[r->partition].end && !r->topic->deleted) {
        if (r->base < 0 && locate(r, err) < 0)
            return skip_lost(r, ret_lost) ? next_batch(r, ret, ret_lost, err) : -1;
        if (take(r, ret, err) < 0)
            return -1;
        if (ret->pin || r->held_count > 0)
            return 0;
        skip_lost(r, ret_lost);
    }
    return 0;
}

static void hold(struct weir_reader *r, const struct held_batch *batch)
{
    r->held[r->held_count] = *batch;
    r->views[r->held_count++] = batch->bytes;
    r->next = r->base = batch->info.last_offset + 1;
}

int weir_reader_fetch(struct weir_reader *r, size_t max_bytes, struct weir_fetch *ret, int64_t *ret_lost, struct weir_error *err)
{
    int64_t lost = 0;
    let_go(r);
    if (log_sync(r->log, err) < 0)
        return -1;
    if (r->topic->deleted)
        return weir_fail(err, WEIR_FAILED, WEIR_STOP, "topic '%s' was deleted", r->topic->name);
    if (!r->ahead.pin)
        skip_lost(r, &lost);
    size_t bytes = 0;
    while (r->held_count < FETCH_BATCHES_MAX && bytes < max_bytes + (r->held_count == 0)) {
        struct held_batch batch;
        if (next_batch(r, &batch, &lost, err) < 0)
            return -1;
        if (!batch.pin)
            break;
        if (r->held_count > 0 && bytes + batch.bytes.bytes > max_bytes) {
            r->ahead = batch;
            break;
        }
        bytes += batch.bytes.bytes;
        hold(r, &batch);
    }
    *ret = (struct weir_fetch){.batches = r->views, .count = r->held_count, .next_offset = r->next};
    *ret_lost = lost;
    return 0;
}
