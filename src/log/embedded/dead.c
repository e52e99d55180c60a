// SPDX-License-Identifier: Apache-2.0
// Key: pipeline 0 | reason u8 | partition i32 | offset i64 (both big-endian, the sign bit turned, so that bytes order as numbers do) | query.
// Value: topic, text, schema id, timestamp, key, value; lengths and numbers as zigzag varints.
#include "log/ops.h"

#include "base/arena.h"
#include "base/memory.h"
#include "embedded/db.h"
#include <stdlib.h>

struct embedded_dead {
    struct weir_dead base;
    struct weir_embedded *db;
    char *pipeline;
};

static void dead_close(struct weir_dead *any)
{
    struct embedded_dead *d = (struct embedded_dead *)any;
    free(d->pipeline);
    free(d);
}

// ---- bytes

static void encode_prefix(const struct embedded_dead *d, int reason, struct weir_buffer *out)
{
    weir_buffer_add(out, d->pipeline, strlen(d->pipeline) + 1);
    weir_buffer_byte(out, (uint8_t)reason);
}

static void encode_key(const struct embedded_dead *d, const struct weir_dead_letter *letter, struct weir_buffer *out)
{
    encode_prefix(d, letter->reason, out);
    weir_buffer_be32(out, (uint32_t)letter->partition ^ 1u << 31);
    weir_buffer_be64(out, (uint64_t)letter->offset ^ 1ull << 63);
    if (letter->query)
        weir_buffer_add(out, letter->query, strlen(letter->query));
}

static void encode_text(struct weir_buffer *out, struct weir_str text)
{
    uint32_t bytes = text.bytes < DEAD_TEXT_BYTES_MAX ? text.bytes : DEAD_TEXT_BYTES_MAX;
    weir_buffer_varint(out, bytes);
    weir_buffer_add(out, text.data, bytes);
}

static void encode_value(const struct weir_dead_letter *letter, struct weir_buffer *out)
{
    encode_text(out, weir_str_of(letter->topic ? letter->topic : ""));
    encode_text(out, weir_str_of(letter->text ? letter->text : ""));
    weir_buffer_zigzag(out, letter->schema_id);
    weir_buffer_zigzag(out, letter->timestamp_ms);
    weir_buffer_byte(out, letter->null_key);
    encode_text(out, letter->null_key ? WEIR_STR("") : letter->key);
    encode_text(out, letter->value);
}

static const char *decode_text(struct weir_cursor *c, struct weir_arena *arena)
{
    uint64_t bytes = weir_cursor_varint(c);
    return weir_arena_copy(arena, weir_cursor_take(c, bytes)).data;
}

// `key` begins after the pipeline's name.
static int decode(struct weir_str key, struct weir_str value, struct weir_arena *arena, struct weir_dead_letter *ret)
{
    struct weir_cursor k = {.at = (const uint8_t *)key.data, .end = (const uint8_t *)key.data + key.bytes};
    struct weir_cursor v = {.at = (const uint8_t *)value.data, .end = (const uint8_t *)value.data + value.bytes};
    struct weir_dead_letter letter = {0};
    uint8_t reason = weir_cursor_byte(&k);
    letter.partition = (int32_t)(weir_cursor_be32(&k) ^ 1u << 31);
    letter.offset = (int64_t)(weir_cursor_be64(&k) ^ 1ull << 63);
    struct weir_str query = weir_cursor_take(&k, (uint64_t)(k.end - k.at));
    letter.query = query.bytes ? weir_arena_copy(arena, query).data : NULL;
    letter.topic = decode_text(&v, arena);
    letter.text = decode_text(&v, arena);
    letter.schema_id = (int32_t)weir_cursor_zigzag(&v);
    letter.timestamp_ms = weir_cursor_zigzag(&v);
    letter.null_key = weir_cursor_byte(&v) != 0;
    letter.key = weir_cursor_take(&v, weir_cursor_varint(&v));
    letter.value = weir_cursor_take(&v, weir_cursor_varint(&v));
    if (k.bad || v.bad || v.at != v.end || reason >= WEIR_REASONS)
        return -1;
    letter.reason = (enum weir_reason)reason;
    *ret = letter;
    return 0;
}

// ---- changes

static void dead_put(struct weir_dead *d, const struct weir_commit *commit, const struct weir_dead_letter *letter)
{
    weir_cleanup(weir_buffer_drop) struct weir_buffer key = {0}, value = {0};
    encode_key((const struct embedded_dead *)d, letter, &key);
    encode_value(letter, &value);
    weir_txn_put(commit->embedded, WEIR_DEAD, weir_buffer_view(&key), weir_buffer_view(&value));
}

static void dead_remove(struct weir_dead *d, const struct weir_commit *commit, const struct weir_dead_letter *letter)
{
    weir_cleanup(weir_buffer_drop) struct weir_buffer key = {0};
    encode_key((const struct embedded_dead *)d, letter, &key);
    weir_txn_delete(commit->embedded, WEIR_DEAD, weir_buffer_view(&key));
}

// ---- walking

static int visit_all(struct embedded_dead *d, struct weir_walk *walk, int (*visit)(void *context, const struct weir_dead_letter *letter),
                     void *context, struct weir_error *err)
{
    weir_cleanup(weir_arena_drop) struct weir_arena arena = {0};
    uint32_t name_bytes = (uint32_t)strlen(d->pipeline) + 1;
    for (; weir_walk_valid(walk); weir_walk_next(walk)) {
        struct weir_str key = weir_walk_key(walk);
        struct weir_dead_letter letter;
        weir_arena_reset(&arena);
        key = (struct weir_str){key.data + name_bytes, key.bytes - name_bytes};
        if (decode(key, weir_walk_value(walk), &arena, &letter) < 0)
            return weir_fail(err, WEIR_IO, WEIR_STOP, "a damaged dead letter of pipeline %s", d->pipeline);
        if (visit(context, &letter))
            return 0;
    }
    return weir_walk_error(walk, err);
}

static int dead_scan(struct weir_dead *any, int reason, int (*visit)(void *context, const struct weir_dead_letter *letter), void *context,
                     struct weir_error *err)
{
    struct embedded_dead *d = (struct embedded_dead *)any;
    weir_cleanup(weir_buffer_drop) struct weir_buffer from = {0}, to = {0};
    encode_prefix(d, reason < 0 ? 0 : reason, &from);
    encode_prefix(d, reason < 0 ? WEIR_REASONS : reason + 1, &to);
    struct weir_walk *walk = weir_walk_new(d->db, WEIR_DEAD, weir_buffer_view(&from), weir_buffer_view(&to));
    int rc = visit_all(d, walk, visit, context, err);
    weir_walk_free(walk);
    return rc;
}

// ----

int weir_dead_embedded(struct weir_embedded *db, const char *pipeline, struct weir_dead **ret, struct weir_error *err)
{
    static const struct dead_ops ops = {.close = dead_close, .put = dead_put, .remove = dead_remove, .scan = dead_scan};
    (void)err;
    struct embedded_dead *d = weir_alloc(sizeof *d);
    *d = (struct embedded_dead){{&ops}, db, weir_strdup(pipeline)};
    *ret = &d->base;
    return 0;
}
