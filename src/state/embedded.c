// SPDX-License-Identifier: Apache-2.0
// Family state: pipeline 0 | partition u32 (big-endian) | page key → page. Family meta: epoch/PIPELINE → epoch_us u64.
#include "state/ops.h"

#include "base/buffer.h"
#include "base/memory.h"
#include "embedded/db.h"
#include <stdlib.h>

struct embedded_state {
    struct weir_state base;
    struct weir_embedded *db;
    char *pipeline;
    int64_t epoch_us;
};

static struct embedded_state *mine(struct weir_state *s)
{
    return (struct embedded_state *)s;
}

// ---- the epoch

static void put_epoch(const struct embedded_state *s, struct weir_txn *txn, int64_t epoch_us)
{
    weir_cleanup(weir_buffer_drop) struct weir_buffer key = {0}, value = {0};
    weir_buffer_format(&key, "epoch/%s", s->pipeline);
    weir_buffer_be64(&value, (uint64_t)epoch_us);
    weir_txn_put(txn, WEIR_META, weir_buffer_view(&key), weir_buffer_view(&value));
}

static int begin_epoch(struct embedded_state *s, struct weir_error *err)
{
    if (weir_embedded_is_reader(s->db))
        return 0;
    s->epoch_us = state_now_us();
    struct weir_txn *txn = weir_txn_new(s->db);
    put_epoch(s, txn, s->epoch_us);
    int rc = weir_txn_commit(txn, true, err);
    weir_txn_free(txn);
    return rc;
}

static int load_epoch(struct embedded_state *s, struct weir_error *err)
{
    weir_cleanup(weir_buffer_drop) struct weir_buffer key = {0};
    weir_buffer_format(&key, "epoch/%s", s->pipeline);
    uint64_t epoch_us;
    if (weir_embedded_get_number(s->db, weir_buffer_view(&key), 8, 0, &epoch_us, err) < 0)
        return -1;
    if (epoch_us == 0)
        return begin_epoch(s, err);
    s->epoch_us = (int64_t)epoch_us;
    return 0;
}

static int embedded_epoch(struct weir_state *s, int32_t partition, const struct weir_commit *commit, int64_t *ret_epoch_us, bool *ret_new,
                          struct weir_error *err)
{
    (void)partition, (void)commit, (void)err; // one for all, saved when it was taken
    *ret_epoch_us = mine(s)->epoch_us;
    *ret_new = false;
    return 0;
}

// ---- pages

static uint32_t add_prefix(const struct embedded_state *s, int64_t partition, struct weir_buffer *out)
{
    weir_buffer_add(out, s->pipeline, strlen(s->pipeline) + 1);
    weir_buffer_be32(out, (uint32_t)partition);
    return (uint32_t)out->bytes;
}

static int embedded_load(struct weir_state *state, int32_t partition,
                         int (*visit)(void *context, struct weir_str key, struct weir_str page, struct weir_error *err), void *context,
                         struct weir_error *err)
{
    struct embedded_state *s = mine(state);
    weir_cleanup(weir_buffer_drop) struct weir_buffer from = {0}, to = {0};
    uint32_t prefix_bytes = add_prefix(s, partition, &from);
    add_prefix(s, (int64_t)partition + 1, &to);
    struct weir_walk *walk = weir_walk_new(s->db, WEIR_STATE, weir_buffer_view(&from), weir_buffer_view(&to));
    int rc = 0;
    for (; rc >= 0 && weir_walk_valid(walk); weir_walk_next(walk)) {
        struct weir_str key = weir_walk_key(walk);
        key = (struct weir_str){key.data + prefix_bytes, key.bytes - prefix_bytes};
        rc = visit(context, key, weir_walk_value(walk), err);
    }
    if (rc >= 0)
        rc = weir_walk_error(walk, err);
    weir_walk_free(walk);
    return rc;
}

static void embedded_put(struct weir_state *s, const struct weir_commit *commit, int32_t partition, struct weir_str key, struct weir_str page)
{
    weir_cleanup(weir_buffer_drop) struct weir_buffer full = {0};
    add_prefix(mine(s), partition, &full);
    weir_buffer_add(&full, key.data, key.bytes);
    weir_txn_put(commit->embedded, WEIR_STATE, weir_buffer_view(&full), page);
}

static void embedded_remove(struct weir_state *s, const struct weir_commit *commit, int32_t partition, struct weir_str key)
{
    weir_cleanup(weir_buffer_drop) struct weir_buffer full = {0};
    add_prefix(mine(s), partition, &full);
    weir_buffer_add(&full, key.data, key.bytes);
    weir_txn_delete(commit->embedded, WEIR_STATE, weir_buffer_view(&full));
}

static int embedded_reset(struct weir_state *state, struct weir_error *err)
{
    struct embedded_state *s = mine(state);
    weir_cleanup(weir_buffer_drop) struct weir_buffer from = {0}, to = {0};
    weir_buffer_add(&from, s->pipeline, strlen(s->pipeline) + 1);
    weir_buffer_add(&to, s->pipeline, strlen(s->pipeline));
    weir_buffer_byte(&to, 1);
    int64_t now_us = state_now_us();
    s->epoch_us = now_us > s->epoch_us ? now_us : s->epoch_us + 1;
    struct weir_txn *txn = weir_txn_new(s->db);
    weir_txn_delete_range(txn, WEIR_STATE, weir_buffer_view(&from), weir_buffer_view(&to));
    put_epoch(s, txn, s->epoch_us);
    int rc = weir_txn_commit(txn, true, err);
    weir_txn_free(txn);
    return rc;
}

// ---- life

static void embedded_close(struct weir_state *state)
{
    free(mine(state)->pipeline);
    free(state);
}

static const struct state_ops ops = {embedded_close, embedded_epoch, embedded_load, embedded_put, embedded_remove, embedded_reset};

int weir_state_embedded(struct weir_embedded *db, const char *pipeline, struct weir_state **ret, struct weir_error *err)
{
    struct embedded_state *s = weir_zalloc(1, sizeof *s);
    *s = (struct embedded_state){.base = {&ops}, .db = db, .pipeline = weir_strdup(pipeline)};
    if (load_epoch(s, err) < 0) {
        weir_state_close(&s->base);
        return -1;
    }
    *ret = &s->base;
    return 0;
}
