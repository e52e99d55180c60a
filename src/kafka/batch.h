// SPDX-License-Identifier: Apache-2.0
// What a batch holds, for the transaction that sends it.
#pragma once
#include "kafka/kafka.h"

struct batch_slice { // of the batch's bytes
    size_t at;
    uint32_t bytes;
};

struct batch_header {
    size_t name; // NUL-terminated
    struct batch_slice value;
    bool null;
};

struct batch_entry {
    size_t topic; // NUL-terminated
    int32_t partition;
    bool null_key, null_value;
    int64_t timestamp_ms;
    struct batch_slice key, value;
    size_t first_header;
    uint32_t header_count;
};

struct weir_kafka_batch {
    struct weir_buffer bytes;
    struct batch_entry *entries;
    size_t count, capacity;
    struct batch_header *headers;
    size_t header_count, header_capacity;
};

// Where a slice lies, never NULL.
static inline const void *batch_at(const struct weir_kafka_batch *b, struct batch_slice slice)
{
    return b->bytes.data ? b->bytes.data + slice.at : (const uint8_t *)"";
}
