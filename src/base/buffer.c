// SPDX-License-Identifier: Apache-2.0
#include "base/buffer.h"
#include "base/utf8.h"

#include "base/error.h"
#include "base/memory.h"
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

uint8_t *weir_buffer_reserve(struct weir_buffer *b, size_t bytes)
{
    if (b->capacity - b->bytes < bytes)
        weir_grow(&b->data, &b->capacity, b->bytes + bytes, 1);
    return b->data + b->bytes;
}

void weir_buffer_add(struct weir_buffer *b, const void *data, size_t bytes)
{
    if (bytes)
        memcpy(weir_buffer_reserve(b, bytes), data, bytes);
    b->bytes += bytes;
}

void weir_buffer_byte(struct weir_buffer *b, uint8_t byte)
{
    *weir_buffer_reserve(b, 1) = byte;
    b->bytes++;
}

void weir_buffer_varint(struct weir_buffer *b, uint64_t value)
{
    uint8_t *start = weir_buffer_reserve(b, 10), *at = start;
    while (value >= 0x80) {
        *at++ = (uint8_t)(value | 0x80);
        value >>= 7;
    }
    *at++ = (uint8_t)value;
    b->bytes += (size_t)(at - start);
}

void weir_buffer_zigzag(struct weir_buffer *b, int64_t value)
{
    weir_buffer_varint(b, (uint64_t)value << 1 ^ (uint64_t)(value >> 63));
}

void weir_buffer_be32(struct weir_buffer *b, uint32_t value)
{
    value = __builtin_bswap32(value);
    weir_buffer_add(b, &value, sizeof value);
}

void weir_buffer_be64(struct weir_buffer *b, uint64_t value)
{
    value = __builtin_bswap64(value);
    weir_buffer_add(b, &value, sizeof value);
}

void weir_buffer_format(struct weir_buffer *b, const char *format, ...)
{
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    int bytes = vsnprintf(NULL, 0, format, args);
    weir_assert(bytes >= 0);
    vsnprintf((char *)weir_buffer_reserve(b, (size_t)bytes + 1), (size_t)bytes + 1, format, again);
    b->bytes += (size_t)bytes;
    va_end(again);
    va_end(args);
}

void weir_buffer_json_text(struct weir_buffer *b, struct weir_str text)
{
    weir_buffer_byte(b, '"');
    for (uint32_t i = 0, bytes; i < text.bytes; i += bytes ? bytes : 1) {
        uint8_t c = (uint8_t)text.data[i];
        bytes = weir_utf8_bytes(text.data + i, text.bytes - i);
        if (bytes == 0)
            weir_buffer_format(b, "\\ufffd");
        else if (c == '"' || c == '\\')
            weir_buffer_format(b, "\\%c", c);
        else if (c < 0x20)
            weir_buffer_format(b, "\\u%04x", c);
        else
            weir_buffer_add(b, text.data + i, bytes);
    }
    weir_buffer_byte(b, '"');
}

void weir_buffer_drop(struct weir_buffer *b)
{
    free(b->data);
    *b = (struct weir_buffer){0};
}

static size_t cursor_left(const struct weir_cursor *c)
{
    return (size_t)(c->end - c->at);
}

uint64_t weir_cursor_varint(struct weir_cursor *c)
{
    uint64_t value = 0;
    for (int shift = 0; shift < 64 && c->at < c->end; shift += 7) {
        uint8_t byte = *c->at++;
        value |= (uint64_t)(byte & 0x7f) << shift;
        if (!(byte & 0x80)) {
            if (shift == 63 && byte > 1)
                break; // more than 64 bits
            return value;
        }
    }
    c->bad = true;
    c->at = c->end;
    return 0;
}

int64_t weir_cursor_zigzag(struct weir_cursor *c)
{
    uint64_t value = weir_cursor_varint(c);
    return (int64_t)(value >> 1 ^ -(value & 1));
}

struct weir_str weir_cursor_take(struct weir_cursor *c, uint64_t bytes)
{
    if (bytes > cursor_left(c) || bytes > UINT32_MAX) {
        c->bad = true;
        c->at = c->end;
        return (struct weir_str){"", 0};
    }
    struct weir_str taken = {(const char *)c->at, (uint32_t)bytes};
    c->at += bytes;
    return taken;
}

uint8_t weir_cursor_byte(struct weir_cursor *c)
{
    struct weir_str s = weir_cursor_take(c, 1);
    return s.bytes ? (uint8_t)s.data[0] : 0;
}

uint32_t weir_cursor_be32(struct weir_cursor *c)
{
    uint32_t value = 0;
    struct weir_str s = weir_cursor_take(c, sizeof value);
    if (s.bytes)
        memcpy(&value, s.data, sizeof value);
    return __builtin_bswap32(value);
}

uint64_t weir_cursor_be64(struct weir_cursor *c)
{
    uint64_t value = 0;
    struct weir_str s = weir_cursor_take(c, sizeof value);
    if (s.bytes)
        memcpy(&value, s.data, sizeof value);
    return __builtin_bswap64(value);
}
