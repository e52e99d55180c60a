// SPDX-License-Identifier: Apache-2.0
#include "store/key.h"

#include "base/uuid.h"
#include <endian.h>

enum { UUID_BYTES = 16, UUID_TEXT_BYTES = 36, ESCAPE = 0x00, ESCAPED_ZERO = 0xff };

static const uint64_t sign_bit = 1ull << 63;

static uint8_t *put64(uint8_t *at, uint64_t value)
{
    value = htobe64(value);
    memcpy(at, &value, sizeof value);
    return at + sizeof value;
}

static uint64_t double_bits(double value)
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits & sign_bit ? ~bits : bits | sign_bit;
}

static double double_of(uint64_t bits)
{
    double value;
    bits = bits & sign_bit ? bits & ~sign_bit : ~bits;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static uint8_t *put_text(uint8_t *at, struct weir_str text)
{
    const char *from = text.data, *end = text.data + text.bytes;
    while (from < end) {
        const char *zero = memchr(from, 0, (size_t)(end - from));
        size_t plain = (size_t)((zero ? zero : end) - from);
        memcpy(at, from, plain);
        at += plain;
        from += plain;
        if (zero) {
            *at++ = ESCAPE;
            *at++ = ESCAPED_ZERO;
            from++;
        }
    }
    *at++ = ESCAPE;
    *at++ = 0;
    return at;
}

static uint8_t *put_ascending(uint8_t *at, enum weir_cql_type type, const struct weir_value *value)
{
    switch (type) {
    case WEIR_CQL_TEXT:
        return put_text(at, value->str);
    case WEIR_CQL_UUID:
        return weir_uuid_parse(value->str, at) == 0 ? at + UUID_BYTES : NULL;
    case WEIR_CQL_BOOLEAN:
        *at = value->i64 != 0;
        return at + 1;
    case WEIR_CQL_FLOAT:
        return put64(at, double_bits((float)value->f64));
    case WEIR_CQL_DOUBLE:
        return put64(at, double_bits(value->f64));
    default:
        return put64(at, (uint64_t)value->i64 ^ sign_bit);
    }
}

uint8_t *store_key_put(uint8_t *at, enum weir_cql_type type, bool descending, const struct weir_value *value)
{
    uint8_t *end = put_ascending(at, type, value);
    if (descending && end)
        for (uint8_t *b = at; b < end; b++)
            *b = (uint8_t) ~*b;
    return end;
}

int store_key_add(struct weir_buffer *out, enum weir_cql_type type, bool descending, const struct weir_value *value)
{
    uint8_t *at = weir_buffer_reserve(out, store_key_bytes_max(type, value));
    uint8_t *end = store_key_put(at, type, descending, value);
    if (!end)
        return -1;
    out->bytes += (size_t)(end - at);
    return 0;
}

// ---- reading back

static uint64_t take64(struct weir_cursor *c, bool descending)
{
    uint64_t value = weir_cursor_be64(c);
    return descending ? ~value : value;
}

// The escaped bytes of a text, without its end.
static struct weir_str take_escaped(struct weir_cursor *c, uint8_t mask)
{
    const uint8_t *start = c->at, escaped_zero = ESCAPED_ZERO ^ mask;
    for (const uint8_t *at = start; at < c->end; at++) {
        at = memchr(at, ESCAPE ^ mask, (size_t)(c->end - at));
        if (!at || at + 1 == c->end)
            break;
        at++;
        if (*at == mask) {
            c->at = at + 1;
            return (struct weir_str){(const char *)start, (uint32_t)(at - 1 - start)};
        }
        if (*at != escaped_zero)
            break;
    }
    c->bad = true;
    c->at = c->end;
    return (struct weir_str){"", 0};
}

static struct weir_str take_text(struct weir_cursor *c, bool descending, struct weir_arena *arena)
{
    uint8_t mask = descending ? 0xff : 0;
    struct weir_str escaped = take_escaped(c, mask);
    if (!descending && !memchr(escaped.data, ESCAPE, escaped.bytes))
        return escaped;
    char *text = weir_arena_alloc(arena, escaped.bytes + 1u);
    uint32_t bytes = 0;
    for (uint32_t i = 0; i < escaped.bytes; i++) {
        uint8_t byte = (uint8_t)escaped.data[i] ^ mask;
        text[bytes++] = (char)byte;
        i += byte == ESCAPE; // what follows only says that the zero is one
    }
    return (struct weir_str){text, bytes};
}

static struct weir_str take_uuid(struct weir_cursor *c, bool descending, struct weir_arena *arena)
{
    struct weir_str bytes = weir_cursor_take(c, UUID_BYTES);
    uint8_t id[UUID_BYTES] = {0};
    char *text = weir_arena_alloc(arena, UUID_TEXT_BYTES + 1);
    for (uint32_t i = 0; i < bytes.bytes; i++)
        id[i] = (uint8_t)bytes.data[i] ^ (descending ? 0xff : 0);
    weir_uuid_format(id, text);
    return (struct weir_str){text, UUID_TEXT_BYTES};
}

struct weir_value store_key_take(struct weir_cursor *c, enum weir_cql_type type, bool descending, struct weir_arena *arena)
{
    struct weir_value value = {.kind = weir_cql_kind(type)};
    switch (type) {
    case WEIR_CQL_TEXT:
        value.str = take_text(c, descending, arena);
        break;
    case WEIR_CQL_UUID:
        value.str = take_uuid(c, descending, arena);
        break;
    case WEIR_CQL_BOOLEAN:
        value.i64 = (weir_cursor_byte(c) ^ (descending ? 0xff : 0)) & 1;
        break;
    case WEIR_CQL_FLOAT:
    case WEIR_CQL_DOUBLE:
        value.f64 = double_of(take64(c, descending));
        break;
    default:
        value.i64 = (int64_t)(take64(c, descending) ^ sign_bit);
    }
    return value;
}

void store_key_skip(struct weir_cursor *c, enum weir_cql_type type, bool descending)
{
    if (type == WEIR_CQL_TEXT)
        take_escaped(c, descending ? 0xff : 0);
    else
        weir_cursor_take(c, type == WEIR_CQL_UUID ? UUID_BYTES : type == WEIR_CQL_BOOLEAN ? 1 : 8);
}

void store_key_successor(struct weir_buffer *bytes)
{
    while (bytes->bytes > 0 && bytes->data[bytes->bytes - 1] == 0xff)
        bytes->bytes--;
    if (bytes->bytes > 0)
        bytes->data[bytes->bytes - 1]++;
}
