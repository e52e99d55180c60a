// SPDX-License-Identifier: Apache-2.0
// A growable run of bytes, for encoders.
#pragma once
#include "base/str.h"
#include <stddef.h>
#include <stdint.h>

struct weir_buffer {
    uint8_t *data; // zero is a valid, empty buffer
    size_t bytes, capacity;
};

uint8_t *weir_buffer_reserve(struct weir_buffer *b, size_t bytes); // room for `bytes` more; returns where they go; b->bytes is not moved
void weir_buffer_add(struct weir_buffer *b, const void *data, size_t bytes);
void weir_buffer_byte(struct weir_buffer *b, uint8_t byte);
void weir_buffer_varint(struct weir_buffer *b, uint64_t value); // LEB128, as in protobuf
void weir_buffer_zigzag(struct weir_buffer *b, int64_t value);  // zigzag LEB128, as in Avro and Kafka's records
void weir_buffer_be32(struct weir_buffer *b, uint32_t value);
void weir_buffer_be64(struct weir_buffer *b, uint64_t value);
void weir_buffer_format(struct weir_buffer *b, const char *format, ...) __attribute__((format(printf, 2, 3)));
void weir_buffer_json_text(struct weir_buffer *b, struct weir_str text); // as a JSON string; bytes that are no UTF-8 as \ufffd
void weir_buffer_drop(struct weir_buffer *b);

static inline struct weir_str weir_buffer_view(const struct weir_buffer *b)
{
    return (struct weir_str){(const char *)b->data, (uint32_t)b->bytes};
}

// Reading side: a cursor over bytes from outside. Every read checks what is left; after a failed read `bad` stays set and reads give zero.
struct weir_cursor {
    const uint8_t *at, *end;
    bool bad;
};

uint64_t weir_cursor_varint(struct weir_cursor *c);
int64_t weir_cursor_zigzag(struct weir_cursor *c);
uint8_t weir_cursor_byte(struct weir_cursor *c);
uint32_t weir_cursor_be32(struct weir_cursor *c);
uint64_t weir_cursor_be64(struct weir_cursor *c);
struct weir_str weir_cursor_take(struct weir_cursor *c, uint64_t bytes);
