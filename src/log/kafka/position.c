// SPDX-License-Identifier: Apache-2.0
// Topic PIPELINE-feeds: key TOPIC/FEED → version u8 | partitions varint | end offset of each partition zigzag | the feed's own position.
// The ends say which records the position covers: those behind them came after it, and belong to other producers or to a feeder that died.
#include "base/memory.h"
#include "base/time.h"
#include "log/kafka/inside.h"
#include <stdlib.h>

enum { VERSION = 1 };

void feed_position_drop(struct feed_position *p)
{
    weir_buffer_drop(&p->feed);
    free(p->ends);
    *p = (struct feed_position){0};
}

// ---- bytes

static void encode_key(const char *topic, const char *feed, struct weir_buffer *out)
{
    weir_buffer_format(out, "%s/%s", topic, feed);
}

static void encode(const struct feed_position *p, struct weir_buffer *out)
{
    weir_buffer_byte(out, VERSION);
    weir_buffer_varint(out, (uint64_t)p->partitions);
    for (int32_t i = 0; i < p->partitions; i++)
        weir_buffer_zigzag(out, p->ends[i]);
    weir_buffer_add(out, p->feed.data, p->feed.bytes);
}

static int decode(struct weir_str value, struct feed_position *p, struct weir_error *err)
{
    struct weir_cursor c = {.at = (const uint8_t *)value.data, .end = (const uint8_t *)value.data + value.bytes};
    bool known = weir_cursor_byte(&c) == VERSION;
    uint64_t partitions = weir_cursor_varint(&c);
    memset(p->ends, 0, (size_t)p->partitions * sizeof *p->ends); // of those that were added since
    for (uint64_t i = 0; known && i < partitions && !c.bad; i++) {
        int64_t end = weir_cursor_zigzag(&c);
        if (i < (uint64_t)p->partitions)
            p->ends[i] = end;
    }
    if (!known || c.bad)
        return weir_fail(err, WEIR_IO, WEIR_STOP, "it has another shape than this version of weir writes");
    p->feed.bytes = 0;
    weir_buffer_add(&p->feed, c.at, (size_t)(c.end - c.at));
    p->stored = partitions <= (uint64_t)p->partitions; // no topic loses partitions: another was made under its name
    return 0;
}

void feed_position_put(const struct feed_position *p, const char *pipeline, const char *topic, const char *feed, struct weir_kafka_batch *batch)
{
    weir_cleanup(weir_freep) char *feeds = weir_format("%s-feeds", pipeline);
    weir_cleanup(weir_buffer_drop) struct weir_buffer key = {0}, value = {0};
    encode_key(topic, feed, &key);
    encode(p, &value);
    weir_kafka_batch_add(batch, feeds, 0, weir_now_ms(), weir_buffer_view(&key), false, weir_buffer_view(&value), NULL, 0);
}

// ---- loading

struct search {
    struct weir_str key;
    struct feed_position *position;
};

static int take_position(void *context, const struct weir_kafka_message *m, const struct weir_kafka_header *headers, uint32_t header_count,
                         struct weir_error *err)
{
    (void)headers, (void)header_count;
    struct search *s = context;
    return m->null_value || !weir_str_eq(m->key, s->key) ? 0 : decode(m->value, s->position, err);
}

static int search(struct kafka_log *log, const char *topic, const char *feed, struct feed_position *position, struct weir_error *err)
{
    weir_cleanup(weir_freep) char *feeds = weir_format("%s-feeds", log->pipeline);
    weir_cleanup(weir_buffer_drop) struct weir_buffer key = {0};
    encode_key(topic, feed, &key);
    struct search s = {weir_buffer_view(&key), position};
    if (weir_kafka_scan(log->kafka, feeds, 0, INT64_MIN, take_position, &s, NULL, err) < 0 ||
        (!position->stored && weir_kafka_readable(log->kafka, feeds, 0, err) < 0))
        return weir_wrap(err, "position of feed %s in topic %s", feed, feeds);
    return 0;
}

// A topic that was deleted and made again is empty from its first offset on; nothing of what the position covers is there.
static bool is_of_an_older_topic(const struct feed_position *p, const int64_t *ends)
{
    int64_t covered = 0, there = 0;
    for (int32_t i = 0; i < p->partitions; i++) {
        covered |= p->ends[i];
        there |= ends[i];
    }
    return covered > 0 && there == 0;
}

static int load(struct kafka_log *log, const char *topic, const char *feed, struct feed_position *p, int64_t *ends, struct weir_error *err)
{
    for (int32_t i = 0; i < p->partitions; i++) {
        int64_t start;
        if (weir_kafka_offsets(log->kafka, topic, i, &start, &ends[i], err) < 0)
            return -1;
    }
    if (search(log, topic, feed, p, err) < 0)
        return -1;
    if (p->stored && is_of_an_older_topic(p, ends))
        p->stored = false;
    if (p->stored)
        return 0;
    p->feed.bytes = 0;
    memcpy(p->ends, ends, (size_t)p->partitions * sizeof *ends);
    return 0;
}

int feed_position_load(struct kafka_log *log, const char *topic, const char *feed, int32_t partitions, struct feed_position *ret,
                       struct weir_error *err)
{
    struct feed_position p = {.partitions = partitions, .ends = weir_zalloc((size_t)partitions, sizeof *p.ends)};
    weir_cleanup(weir_freep) int64_t *ends = weir_zalloc((size_t)partitions, sizeof *ends);
    if (load(log, topic, feed, &p, ends, err) < 0) {
        feed_position_drop(&p);
        return -1;
    }
    *ret = p;
    return 0;
}
