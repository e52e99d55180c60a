// SPDX-License-Identifier: Apache-2.0
#include "cql/wire.h"

static void put_counted(struct weir_buffer *b, struct weir_str s, bool wide)
{
    size_t head = wide ? 4 : 2;
    uint8_t *at = cql_room(b, head + s.bytes);
    if (wide)
        cql_store32(at, s.bytes);
    else
        cql_store16(at, (uint16_t)s.bytes);
    if (s.bytes)
        memcpy(at + head, s.data, s.bytes);
    b->bytes += head + s.bytes;
}

void cql_put_string(struct weir_buffer *b, struct weir_str s)
{
    weir_assert(s.bytes <= UINT16_MAX);
    put_counted(b, s, false);
}

void cql_put_short_bytes(struct weir_buffer *b, struct weir_str s)
{
    cql_put_string(b, s);
}

void cql_put_long_string(struct weir_buffer *b, struct weir_str s)
{
    weir_assert(s.bytes <= CQL_BODY_BYTES_MAX);
    put_counted(b, s, true);
}

void cql_put_bytes(struct weir_buffer *b, struct weir_str s)
{
    cql_put_long_string(b, s);
}

void cql_put_string_map(struct weir_buffer *b, uint32_t count, const char *const (*pairs)[2])
{
    weir_assert(count <= UINT16_MAX);
    cql_put_short(b, (uint16_t)count);
    for (uint32_t i = 0; i < count; i++) {
        cql_put_string(b, weir_str_of(pairs[i][0]));
        cql_put_string(b, weir_str_of(pairs[i][1]));
    }
}

uint16_t cql_take_short(struct weir_cursor *c)
{
    uint16_t v = 0;
    struct weir_str s = weir_cursor_take(c, sizeof v);
    if (s.bytes)
        memcpy(&v, s.data, sizeof v);
    return __builtin_bswap16(v);
}

int32_t cql_take_int(struct weir_cursor *c)
{
    return (int32_t)weir_cursor_be32(c);
}

int64_t cql_take_long(struct weir_cursor *c)
{
    return (int64_t)weir_cursor_be64(c);
}

struct weir_str cql_take_string(struct weir_cursor *c)
{
    return weir_cursor_take(c, cql_take_short(c));
}

struct weir_str cql_take_short_bytes(struct weir_cursor *c)
{
    return cql_take_string(c);
}

struct weir_str cql_take_long_string(struct weir_cursor *c)
{
    return weir_cursor_take(c, (uint32_t)cql_take_int(c)); // negative: more than there can be
}

bool cql_take_bytes(struct weir_cursor *c, struct weir_str *ret)
{
    int32_t bytes = cql_take_int(c);
    *ret = bytes < 0 ? (struct weir_str){"", 0} : weir_cursor_take(c, (uint32_t)bytes);
    return bytes >= 0 && !c->bad;
}
