// SPDX-License-Identifier: Apache-2.0
#include "base/memory.h"
#include "log/embedded/inside.h"
#include <stdlib.h>

enum { FETCH_BATCHES_MAX = 1024, LOCATED_MAX = 64 };

struct located_batch { // from the index
    int64_t base_offset;
    uint64_t number;
    uint32_t bytes;
};

struct embedded_reader {
    struct weir_reader base;
    struct embedded_log *log;
    struct log_topic *topic;
    uint32_t partition;
    int64_t next;                              // the next record wanted
    struct located_batch located[LOCATED_MAX]; // those to come
    uint32_t located_first, located_count;
    struct weir_pin *pins[FETCH_BATCHES_MAX]; // what the caller looks at
    struct weir_str views[FETCH_BATCHES_MAX];
    uint32_t held_count;
};

static void let_go(struct embedded_reader *r)
{
    for (uint32_t i = 0; i < r->held_count; i++)
        weir_pin_drop(r->pins[i]);
    r->held_count = 0;
}

static void reader_close(struct weir_reader *any)
{
    struct embedded_reader *r = (struct embedded_reader *)any;
    let_go(r);
    free(r);
}

static int64_t reader_end_offset(const struct weir_reader *any)
{
    const struct embedded_reader *r = (const struct embedded_reader *)any;
    struct weir_error ignored;
    log_sync(r->log, &ignored);
    return r->topic->partition[r->partition].end;
}

static bool reader_ready(const struct weir_reader *any)
{
    return reader_end_offset(any) > ((const struct embedded_reader *)any)->next;
}

static bool reader_at_end(struct weir_reader *any)
{
    return !reader_ready(any);
}

static int damaged(const struct embedded_reader *r, int64_t offset, const char *what, struct weir_error *err)
{
    return weir_fail(err, WEIR_IO, WEIR_STOP, "topic %s partition %u offset %lld: %s", r->topic->name, r->partition, (long long)offset, what);
}

static int locate_from(struct embedded_reader *r, struct weir_walk *walk, struct weir_error *err)
{
    struct log_key wanted = log_index_key(r->topic->id, r->partition, r->next);
    weir_walk_seek_for_prev(walk, log_key_view(&wanted));
    struct log_key first = log_index_key(r->topic->id, r->partition, 0);
    if (weir_walk_valid(walk) && weir_str_compare(weir_walk_key(walk), log_key_view(&first)) < 0)
        weir_walk_next(walk);
    for (; weir_walk_valid(walk) && r->located_count < LOCATED_MAX; weir_walk_next(walk)) {
        struct log_index_entry entry;
        int64_t offset = log_index_offset(weir_walk_key(walk));
        if (log_index_entry(weir_walk_value(walk), &entry) < 0)
            return damaged(r, offset, "the index of batches is damaged", err);
        r->located[r->located_count++] = (struct located_batch){offset, entry.number, entry.bytes};
    }
    return weir_walk_error(walk, err);
}

// Looks up where the batches from the one with record r->next on are.
static int locate(struct embedded_reader *r, struct weir_error *err)
{
    r->located_first = r->located_count = 0;
    struct weir_walk *walk = log_index_walk(r->log, r->topic, r->partition);
    int rc = locate_from(r, walk, err);
    weir_walk_free(walk);
    return rc;
}

static int check(const struct embedded_reader *r, const struct located_batch *at, struct weir_str bytes, struct weir_batch_info *ret,
                 struct weir_error *err)
{
    if (weir_batch_verify(bytes, ret, err) < 0)
        return damaged(r, at->base_offset, err->text, err);
    if (ret->base_offset != at->base_offset || ret->last_offset < r->next || ret->total_bytes != bytes.bytes)
        return damaged(r, at->base_offset, "another record batch is in its place", err);
    return 0;
}

static bool has_expired(const struct embedded_reader *r, int64_t offset)
{
    return r->topic->deleted || offset < r->topic->partition[r->partition].start;
}

// Takes hold of a batch: 1, or 0 where it has expired meanwhile.
static int take(struct embedded_reader *r, const struct located_batch *at, struct weir_error *err)
{
    struct weir_pin *pin;
    struct weir_str bytes;
    struct weir_batch_info info;
    struct log_key key = log_batch_key(at->number);
    if (weir_pin_get(r->log->db, WEIR_LOG, log_key_view(&key), &pin, &bytes, err) < 0)
        return weir_wrap(err, "topic %s partition %u offset %lld", r->topic->name, r->partition, (long long)at->base_offset);
    if (!pin)
        return has_expired(r, at->base_offset) ? 0 : damaged(r, at->base_offset, "the record batch is missing", err);
    if (check(r, at, bytes, &info, err) < 0) {
        weir_pin_drop(pin);
        return -1;
    }
    r->pins[r->held_count] = pin;
    r->views[r->held_count++] = bytes;
    r->next = info.last_offset + 1;
    return 1;
}

static void skip_lost(struct embedded_reader *r, int64_t *lost)
{
    int64_t start = r->topic->partition[r->partition].start;
    if (r->next >= start)
        return;
    *lost += start - r->next;
    r->next = start;
    r->located_count = 0;
}

// The next batch of the partition, or NULL at its end.
static int next_located(struct embedded_reader *r, const struct located_batch **ret, struct weir_error *err)
{
    *ret = NULL;
    if (r->topic->deleted || r->next >= r->topic->partition[r->partition].end)
        return 0;
    if (r->located_first >= r->located_count && locate(r, err) < 0)
        return -1;
    const struct located_batch *at = &r->located[r->located_first];
    if (r->located_count > 0 && at->base_offset <= r->next)
        *ret = at;
    else if (r->next >= r->topic->partition[r->partition].start)
        return damaged(r, r->next, "the record is not in the index of batches", err);
    return 0;
}

// Takes batches until max_bytes are together.
static int take_batches(struct embedded_reader *r, size_t max_bytes, struct weir_error *err)
{
    size_t bytes = 0;
    while (r->held_count < FETCH_BATCHES_MAX && (r->held_count == 0 || bytes < max_bytes)) {
        const struct located_batch *at;
        if (next_located(r, &at, err) < 0)
            return -1;
        if (!at || (r->held_count > 0 && at->bytes > max_bytes - bytes))
            return 0;
        int taken = take(r, at, err);
        if (taken <= 0)
            return taken;
        r->located_first++;
        bytes += at->bytes;
    }
    return 0;
}

static int reader_fetch(struct weir_reader *any, size_t max_bytes, struct weir_fetch *ret, int64_t *ret_lost, struct weir_error *err)
{
    struct embedded_reader *r = (struct embedded_reader *)any;
    int64_t lost = 0;
    let_go(r);
    if (log_sync(r->log, err) < 0)
        return -1;
    do { // again where what was looked up has expired meanwhile
        if (r->topic->deleted)
            return weir_fail(err, WEIR_FAILED, WEIR_STOP, "topic '%s' was deleted", r->topic->name);
        skip_lost(r, &lost);
        if (take_batches(r, max_bytes, err) < 0)
            return -1;
    } while (r->held_count == 0 && r->next < r->topic->partition[r->partition].start);
    *ret = (struct weir_fetch){.batches = r->views, .count = r->held_count, .next_offset = r->next};
    *ret_lost = lost;
    return 0;
}

// ----

int embedded_reader_open(struct weir_log *any, const char *topic, int32_t partition, int64_t offset, struct weir_reader **ret, struct weir_error *err)
{
    static const struct reader_ops ops = {
        .close = reader_close, .fetch = reader_fetch, .end_offset = reader_end_offset, .ready = reader_ready, .at_end = reader_at_end};
    struct embedded_log *log = embedded_log_of(any);
    struct log_topic *found;
    if (log_find(log, topic, &found, err) < 0)
        return -1;
    if (partition < 0 || partition >= found->partitions)
        return weir_fail(err, WEIR_BAD_DATA, WEIR_STOP, "topic '%s' has partitions 0 to %d, not %d", topic, found->partitions - 1, partition);
    struct embedded_reader *r = weir_zalloc(1, sizeof *r);
    r->base.ops = &ops;
    r->log = log;
    r->topic = found;
    r->partition = (uint32_t)partition;
    r->next = offset < 0 ? 0 : offset;
    *ret = &r->base;
    return 0;
}
