// SPDX-License-Identifier: Apache-2.0
// Messages kept until a transaction takes them: one run of memory for all their bytes, one array of where they lie in it.
#include "kafka/batch.h"

#include "base/memory.h"
#include <stdlib.h>

struct weir_kafka_batch *weir_kafka_batch_new(void)
{
    return weir_zalloc(1, sizeof(struct weir_kafka_batch));
}

void weir_kafka_batch_free(struct weir_kafka_batch *b)
{
    if (!b)
        return;
    weir_buffer_drop(&b->bytes);
    free(b->entries);
    free(b->headers);
    free(b);
}

void weir_kafka_batch_clear(struct weir_kafka_batch *b)
{
    b->bytes.bytes = 0;
    b->count = b->header_count = 0;
}

size_t weir_kafka_batch_bytes(const struct weir_kafka_batch *b)
{
    return b->bytes.bytes + b->count * sizeof *b->entries + b->header_count * sizeof *b->headers;
}

static struct batch_slice keep(struct weir_kafka_batch *b, const void *data, size_t bytes)
{
    struct batch_slice slice = {b->bytes.bytes, (uint32_t)bytes};
    if (bytes > 0)
        weir_buffer_add(&b->bytes, data, bytes);
    return slice;
}

static size_t keep_topic(struct weir_kafka_batch *b, const char *topic)
{
    if (b->count > 0) { // mostly that of the one before
        size_t before = b->entries[b->count - 1].topic;
        if (strcmp((const char *)b->bytes.data + before, topic) == 0)
            return before;
    }
    return keep(b, topic, strlen(topic) + 1).at;
}

static void keep_header(struct weir_kafka_batch *b, const struct weir_kafka_header *header)
{
    weir_grow(&b->headers, &b->header_capacity, b->header_count + 1, sizeof *b->headers);
    struct batch_header kept = {.name = keep(b, header->name, strlen(header->name) + 1).at, .null = !header->value.data};
    kept.value = keep(b, header->value.data, header->value.bytes);
    b->headers[b->header_count++] = kept;
}

void weir_kafka_batch_add(struct weir_kafka_batch *b, const char *topic, int32_t partition, int64_t timestamp_ms, struct weir_str key, bool null_key,
                          struct weir_str value, const struct weir_kafka_header *headers, uint32_t header_count)
{
    struct batch_entry entry = {.topic = keep_topic(b, topic),
                                .partition = partition,
                                .timestamp_ms = timestamp_ms,
                                .null_key = null_key,
                                .null_value = !value.data,
                                .first_header = b->header_count,
                                .header_count = header_count};
    entry.key = keep(b, key.data, null_key ? 0 : key.bytes);
    entry.value = keep(b, value.data, value.data ? value.bytes : 0);
    for (uint32_t i = 0; i < header_count; i++)
        keep_header(b, &headers[i]);
    weir_grow(&b->entries, &b->capacity, b->count + 1, sizeof *b->entries);
    b->entries[b->count++] = entry;
}
