// SPDX-License-Identifier: Apache-2.0
// Family state: pipeline 0 | partition u32 (big-endian) | page key → page. Family meta: epoch/PIPELINE → epoch_us u64.
#include "state/state.h"

#include "base/buffer.h"
#include "base/memory.h"
#include "embedded/db.h"
#include <stdlib.h>
#include <time.h>

struct weir_state {
    struct weir_embedded *db;
    char *pipeline;
    int64_t epoch_us;
};

static int64_t wall_clock_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    return t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static int begin_epoch(struct weir_state *s, struct weir_str key, struct weir_error *err)
{
    weir_cleanup(weir_buffer_drop) struct weir_buffer value = {0};
    if (weir_embedded_is_reader(s->db))
        return 0;
    s->epoch_us = wall_clock_us();
    weir_buffer_be64(&value, (uint64_t)s->epoch_us);
    struct weir_txn *txn = weir_txn_new(s->db);
    weir_txn_put(txn, WEIR_META, key, weir_buffer_view(&value));
    int rc = weir_txn_commit(txn, true, err);
    weir_txn_free(txn);
    return rc;
}

static int load_epoch(struct weir_state *s, struct weir_error *err)
{
    weir_cleanup(weir_buffer_drop) struct weir_buffer key = {0};
    weir_buffer_format(&key, "epoch/%s", s->pipeline);
    struct weir_pin *pin;
    struct weir_str value;
    if (weir_pin_get(s->db, WEIR_META, weir_buffer_view(&key), &pin, &value, err) < 0)
        return -1;
    if (!pin)
        return begin_epoch(s, weir_buffer_view(&key), err);
    struct weir_cursor c = {.at = (const uint8_t *)value.data, .end = (const uint8_t *)value.data + value.bytes};
    s->epoch_us = (int64_t)weir_cursor_be64(&c);
    weir_pin_drop(pin);
    return c.bad ? weir_fail(err, WEIR_IO, WEIR_STOP, "damaged epoch of pipeline %s", s->pipeline) : 0;
}

int weir_state_embedded(struct weir_embedded *db, const char *pipeline, struct weir_state **ret, struct weir_error *err)
{
    struct weir_state *s = weir_zalloc(1, sizeof *s);
    s->db = db;
    s->pipeline = weir_strdup(pipeline);
    if (load_epoch(s, err) < 0) {
        weir_state_close(s);
        return -1;
    }
    *ret = s;
    return 0;
}

void weir_state_close(struct weir_state *s)
{
    if (!s)
        return;
    free(s->pipeline);
    free(s);
}

int64_t weir_state_epoch_us(const struct weir_state *s)
{
    return s->epoch_us;
}

static uint32_t add_prefix(const struct weir_state *s, int64_t partition, struct weir_buffer *out)
{
    weir_buffer_add(out, s->pipeline, strlen(s->pipeline) + 1);
    weir_buffer_be32(out, (uint32_t)partition);
    return (uint32_t)out->bytes;
}

int weir_state_load(struct weir_state *s, int32_t partition,
                    int (*visit)(void *context, struct weir_str key, struct weir_str page, struct weir_error *err), void *context,
                    struct weir_error *err)
{
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

void weir_state_put(struct weir_state *s, struct weir_txn *txn, int32_t partition, struct weir_str key, struct weir_str page)
{
    weir_cleanup(weir_buffer_drop) struct weir_buffer full = {0};
    add_prefix(s, partition, &full);
    weir_buffer_add(&full, key.data, key.bytes);
    weir_txn_put(txn, WEIR_STATE, weir_buffer_view(&full), page);
}

void weir_state_delete(struct weir_state *s, struct weir_txn *txn, int32_t partition, struct weir_str key)
{
    weir_cleanup(weir_buffer_drop) struct weir_buffer full = {0};
    add_prefix(s, partition, &full);
    weir_buffer_add(&full, key.data, key.bytes);
    weir_txn_delete(txn, WEIR_STATE, weir_buffer_view(&full));
}
