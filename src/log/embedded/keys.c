// SPDX-License-Identifier: Apache-2.0
#include "log/embedded/inside.h"

#include <endian.h>

static void add_text(struct log_key *key, const char *text)
{
    uint32_t bytes = (uint32_t)strlen(text);
    memcpy(key->data + key->bytes, text, bytes);
    key->bytes += bytes;
}

static void add32(struct log_key *key, uint32_t value)
{
    value = htobe32(value);
    memcpy(key->data + key->bytes, &value, sizeof value);
    key->bytes += sizeof value;
}

static void add64(struct log_key *key, int64_t value)
{
    uint64_t big = htobe64((uint64_t)value);
    memcpy(key->data + key->bytes, &big, sizeof big);
    key->bytes += sizeof big;
}

struct log_key log_batch_key(uint64_t number)
{
    struct log_key key = {0};
    add64(&key, (int64_t)number);
    return key;
}

struct log_key log_partition_key(uint32_t topic, uint32_t partition)
{
    struct log_key key = {0};
    add_text(&key, "partition/");
    add32(&key, topic);
    add32(&key, partition);
    return key;
}

struct log_key log_index_key(uint32_t topic, uint32_t partition, int64_t base_offset)
{
    struct log_key key = {0};
    add_text(&key, "index/");
    add32(&key, topic);
    add32(&key, partition);
    add64(&key, base_offset);
    return key;
}

void log_feed_key(uint32_t topic, const char *feed, struct weir_buffer *out)
{
    weir_buffer_add(out, "feed/", 5);
    weir_buffer_be32(out, topic);
    weir_buffer_add(out, feed, strlen(feed));
}

void log_topic_key(const char *name, struct weir_buffer *out)
{
    weir_buffer_add(out, "topic/", 6);
    weir_buffer_add(out, name, strlen(name));
}

void log_put_partition(struct weir_txn *txn, const struct log_topic *topic, uint32_t partition, int64_t start, int64_t end, int64_t bytes)
{
    struct log_key key = log_partition_key(topic->id, partition), value = {0};
    add64(&value, start);
    add64(&value, end);
    add64(&value, bytes);
    weir_txn_put(txn, WEIR_META, log_key_view(&key), log_key_view(&value));
}

void log_put_index(struct weir_txn *txn, const struct log_topic *topic, uint32_t partition, int64_t base_offset, const struct log_index_entry *entry)
{
    struct log_key key = log_index_key(topic->id, partition, base_offset), value = {0};
    add64(&value, entry->appended_ms);
    add64(&value, (int64_t)entry->number);
    add32(&value, entry->bytes);
    weir_txn_put(txn, WEIR_META, log_key_view(&key), log_key_view(&value));
}

struct weir_walk *log_index_walk(struct embedded_log *log, const struct log_topic *topic, uint32_t partition)
{
    struct log_key from = log_index_key(topic->id, partition, 0), to = log_index_key(topic->id, partition + 1, 0);
    return weir_walk_new(log->db, WEIR_META, log_key_view(&from), log_key_view(&to));
}

int64_t log_index_offset(struct weir_str key)
{
    uint64_t offset;
    weir_assert(key.bytes >= sizeof offset);
    memcpy(&offset, key.data + key.bytes - sizeof offset, sizeof offset);
    return (int64_t)be64toh(offset);
}

int log_index_entry(struct weir_str value, struct log_index_entry *ret)
{
    struct weir_cursor c = {.at = (const uint8_t *)value.data, .end = (const uint8_t *)value.data + value.bytes};
    struct log_index_entry entry = {.appended_ms = (int64_t)weir_cursor_be64(&c)};
    entry.number = weir_cursor_be64(&c);
    entry.bytes = weir_cursor_be32(&c);
    if (c.bad)
        return -1;
    *ret = entry;
    return 0;
}
