// SPDX-License-Identifier: Apache-2.0
// State in Kafka: a compacted topic PIPELINE-changelog with as many partitions as the input, so that whoever gets a partition of the one reads its
// state from the same partition of the other. Pages travel in the transaction that commits the input's offset: what is there is whole.
//
//   message key: 'P' | page key   value: the page; none: deleted
//   message key: 'E'              value: epoch_us i64, big-endian
#include "state/ops.h"

#include "base/buffer.h"
#include "base/hash.h"
#include "base/memory.h"
#include "base/time.h"
#include <stdlib.h>

struct changelog {
    struct weir_state base;
    struct weir_kafka *kafka;
    char *topic;
    int32_t partitions;
    int64_t *epoch_us; // by partition; 0: not known
};

static struct changelog *mine(struct weir_state *s)
{
    return (struct changelog *)s;
}

// ---- reading: a changelog is read whole before anything of it is used, since later messages replace earlier ones

struct page {
    uint64_t hash; // 0: free
    char *key;
    uint32_t key_bytes, bytes;
    char *data; // NULL: deleted
};

struct pages { // open addressing, at most half full
    struct page *items;
    size_t count, capacity;
    int64_t epoch_us;
};

static struct page *slot_of(const struct pages *pages, uint64_t hash, struct weir_str key)
{
    size_t at = hash & (pages->capacity - 1);
    for (;; at = (at + 1) & (pages->capacity - 1)) {
        struct page *p = &pages->items[at];
        if (!p->hash || (p->hash == hash && p->key_bytes == key.bytes && memcmp(p->key, key.data, key.bytes) == 0))
            return p;
    }
}

static void grow(struct pages *pages)
{
    struct pages old = *pages;
    pages->capacity = old.capacity ? old.capacity * 2 : 1024;
    pages->items = weir_zalloc(pages->capacity, sizeof *pages->items);
    for (size_t i = 0; i < old.capacity; i++)
        if (old.items[i].hash)
            *slot_of(pages, old.items[i].hash, (struct weir_str){old.items[i].key, old.items[i].key_bytes}) = old.items[i];
    free(old.items);
}

static char *copy(struct weir_str s)
{
    char *bytes = weir_alloc(s.bytes ? s.bytes : 1);
    memcpy(bytes, s.data, s.bytes);
    return bytes;
}

static void keep_page(struct pages *pages, struct weir_str key, const struct weir_kafka_message *m)
{
    if (pages->count * 2 >= pages->capacity)
        grow(pages);
    uint64_t hash = weir_hash64(key.data, key.bytes, 0) | 1;
    struct page *p = slot_of(pages, hash, key);
    if (!p->hash) {
        *p = (struct page){.hash = hash, .key = copy(key), .key_bytes = key.bytes};
        pages->count++;
    }
    free(p->data);
    p->data = m->null_value ? NULL : copy(m->value);
    p->bytes = m->null_value ? 0 : m->value.bytes;
}

static int keep_message(void *context, const struct weir_kafka_message *m, const struct weir_kafka_header *headers, uint32_t header_count,
                        struct weir_error *err)
{
    (void)headers, (void)header_count, (void)err;
    struct pages *pages = context;
    if (weir_str_is(m->key, "E")) {
        struct weir_cursor c = {(const uint8_t *)m->value.data, (const uint8_t *)m->value.data + m->value.bytes, false};
        int64_t epoch_us = (int64_t)weir_cursor_be64(&c);
        if (!c.bad)
            pages->epoch_us = epoch_us;
    } else if (m->key.bytes > 1 && m->key.data[0] == 'P') {
        keep_page(pages, (struct weir_str){m->key.data + 1, m->key.bytes - 1}, m);
    }
    return 0;
}

static int order_pages(const void *a, const void *b) // free slots last
{
    const struct page *x = a, *y = b;
    if (!x->hash || !y->hash)
        return !x->hash - !y->hash;
    int order = memcmp(x->key, y->key, x->key_bytes < y->key_bytes ? x->key_bytes : y->key_bytes);
    return order ? order : (x->key_bytes > y->key_bytes) - (x->key_bytes < y->key_bytes);
}

static void drop_pages(struct pages *pages)
{
    for (size_t i = 0; i < pages->capacity; i++) {
        free(pages->items[i].key);
        free(pages->items[i].data);
    }
    free(pages->items);
}

static int changelog_load(struct weir_state *state, int32_t partition,
                          int (*visit)(void *context, struct weir_str key, struct weir_str page, struct weir_error *err), void *context,
                          struct weir_error *err)
{
    struct changelog *s = mine(state);
    weir_cleanup(drop_pages) struct pages pages = {0};
    if (weir_kafka_scan(s->kafka, s->topic, partition, INT64_MIN, keep_message, &pages, NULL, err) < 0)
        return weir_wrap(err, "state in topic %s", s->topic);
    if (!pages.epoch_us && weir_kafka_readable(s->kafka, s->topic, partition, err) < 0) // before there is state that nobody could go on with
        return weir_wrap(err, "state in topic %s", s->topic);
    s->epoch_us[partition] = pages.epoch_us;
    if (pages.capacity)
        qsort(pages.items, pages.capacity, sizeof *pages.items, order_pages);
    for (size_t i = 0; i < pages.count; i++) {
        const struct page *p = &pages.items[i];
        if (p->data && visit(context, (struct weir_str){p->key, p->key_bytes}, (struct weir_str){p->data, p->bytes}, err) < 0)
            return -1;
    }
    return 0;
}

// ---- writing

static void add(struct changelog *s, const struct weir_commit *commit, int32_t partition, struct weir_str key, struct weir_str value)
{
    weir_kafka_batch_add(commit->kafka, s->topic, partition, weir_now_ms(), key, false, value, NULL, 0);
}

static void add_page(struct weir_state *s, const struct weir_commit *commit, int32_t partition, struct weir_str key, struct weir_str page)
{
    weir_cleanup(weir_buffer_drop) struct weir_buffer full = {0};
    weir_buffer_byte(&full, 'P');
    weir_buffer_add(&full, key.data, key.bytes);
    add(mine(s), commit, partition, weir_buffer_view(&full), page);
}

static void changelog_remove(struct weir_state *s, const struct weir_commit *commit, int32_t partition, struct weir_str key)
{
    add_page(s, commit, partition, key, (struct weir_str){NULL, 0});
}

static void put_epoch(struct changelog *s, const struct weir_commit *commit, int32_t partition, int64_t epoch_us)
{
    weir_cleanup(weir_buffer_drop) struct weir_buffer value = {0};
    weir_buffer_be64(&value, (uint64_t)epoch_us);
    add(s, commit, partition, WEIR_STR("E"), weir_buffer_view(&value));
}

static int changelog_epoch(struct weir_state *state, int32_t partition, const struct weir_commit *commit, int64_t *ret_epoch_us, bool *ret_new,
                           struct weir_error *err)
{
    (void)err;
    struct changelog *s = mine(state);
    *ret_new = s->epoch_us[partition] == 0;
    if (*ret_new) {
        s->epoch_us[partition] = state_now_us();
        put_epoch(s, commit, partition, s->epoch_us[partition]);
    }
    *ret_epoch_us = s->epoch_us[partition];
    return 0;
}

// ---- starting over: one transaction deletes every page and raises the epochs

struct forgetting {
    struct changelog *log;
    struct weir_commit commit;
    int32_t partition;
};

static int forget(void *context, struct weir_str key, struct weir_str page, struct weir_error *err)
{
    (void)page, (void)err;
    struct forgetting *f = context;
    changelog_remove(&f->log->base, &f->commit, f->partition, key);
    return 0;
}

static int forget_all(struct changelog *s, struct weir_kafka_batch *batch, struct weir_error *err)
{
    struct forgetting f = {.log = s, .commit = {.kafka = batch}};
    for (; f.partition < s->partitions; f.partition++) {
        if (changelog_load(&s->base, f.partition, forget, &f, err) < 0)
            return -1;
        int64_t now_us = state_now_us(), *epoch_us = &s->epoch_us[f.partition];
        *epoch_us = now_us > *epoch_us ? now_us : *epoch_us + 1;
        put_epoch(s, &f.commit, f.partition, *epoch_us);
    }
    return 0;
}

static int send(struct changelog *s, struct weir_kafka_batch *batch, struct weir_error *err)
{
    weir_cleanup(weir_freep) char *id = weir_format("%s-reset", s->topic);
    struct weir_kafka_txn *txn;
    enum weir_kafka_fate fate;
    if (weir_kafka_txn_open(s->kafka, id, &txn, err) < 0)
        return -1;
    int rc = weir_kafka_txn_begin(txn, err) < 0 || weir_kafka_txn_add(txn, batch, err) < 0 || weir_kafka_txn_commit(txn, &fate, err) < 0 ? -1 : 0;
    weir_kafka_txn_close(txn);
    if (rc == 0 && fate != WEIR_KAFKA_DONE)
        rc = weir_fail(err, WEIR_UNAVAILABLE, WEIR_RETRY, "topic %s: the reset could not be committed; try again", s->topic);
    return rc;
}

static int changelog_reset(struct weir_state *state, struct weir_error *err)
{
    struct weir_kafka_batch *batch = weir_kafka_batch_new();
    int rc = forget_all(mine(state), batch, err);
    if (rc == 0)
        rc = send(mine(state), batch, err);
    weir_kafka_batch_free(batch);
    return rc;
}

// ---- life

static void changelog_close(struct weir_state *state)
{
    free(mine(state)->topic);
    free(mine(state)->epoch_us);
    free(state);
}

static const struct state_ops ops = {changelog_close, changelog_epoch, changelog_load, add_page, changelog_remove, changelog_reset};

int weir_state_changelog(struct weir_kafka *kafka, const char *pipeline, int32_t partitions, int32_t replication, struct weir_state **ret,
                         struct weir_error *err)
{
    weir_cleanup(weir_freep) char *topic = weir_format("%s-changelog", pipeline);
    const struct weir_kafka_topic config = {.name = topic, .partitions = partitions, .replication = replication, .compacted = true};
    if (weir_kafka_topic_need(kafka, &config, err) < 0)
        return -1;
    struct changelog *s = weir_zalloc(1, sizeof *s);
    *s = (struct changelog){.base = {&ops}, .kafka = kafka, .topic = topic, .partitions = partitions};
    s->epoch_us = weir_zalloc((size_t)partitions, sizeof *s->epoch_us);
    topic = NULL;
    *ret = &s->base;
    return 0;
}
