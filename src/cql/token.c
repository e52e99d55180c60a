// SPDX-License-Identifier: Apache-2.0
// Murmur3 x64_128 (Austin Appleby, public domain) with seed 0, as Cassandra's MurmurHash.hash3_x64_128 computes it: the bytes behind the last whole
// block are taken as signed, so that those from 0x80 on flip all bits above them.
#include "cql/wire.h"

static const uint64_t C1 = 0x87c37b91114253d5u, C2 = 0x4cf5ad432745937fu;

static uint64_t rotate(uint64_t v, int bits)
{
    return v << bits | v >> (64 - bits);
}

static uint64_t load64(const uint8_t *at)
{
    uint64_t v;
    memcpy(&v, at, sizeof v);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    v = __builtin_bswap64(v);
#endif
    return v;
}

static uint64_t mixed1(uint64_t k)
{
    return rotate(k * C1, 31) * C2;
}

static uint64_t mixed2(uint64_t k)
{
    return rotate(k * C2, 33) * C1;
}

// Up to eight bytes, each sign-extended; the low bytes first.
static uint64_t signed_tail(const uint8_t *at, size_t bytes)
{
    uint64_t k = 0;
    for (size_t i = 0; i < bytes; i++)
        k ^= (uint64_t)(int8_t)at[i] << 8 * i;
    return k;
}

static uint64_t finished(uint64_t k)
{
    k ^= k >> 33;
    k *= 0xff51afd7ed558ccdu;
    k ^= k >> 33;
    k *= 0xc4ceb9fe1a85ec53u;
    return k ^ k >> 33;
}

int64_t cql_token(struct weir_str key)
{
    if (key.bytes == 0)
        return INT64_MIN;
    uint64_t h1 = 0, h2 = 0;
    const uint8_t *at = (const uint8_t *)key.data;
    size_t left = key.bytes;
    for (; left >= 16; left -= 16, at += 16) {
        h1 = (rotate(h1 ^ mixed1(load64(at)), 27) + h2) * 5 + 0x52dce729;
        h2 = (rotate(h2 ^ mixed2(load64(at + 8)), 31) + h1) * 5 + 0x38495ab5;
    }
    if (left > 8)
        h2 ^= mixed2(signed_tail(at + 8, left - 8));
    if (left > 0)
        h1 ^= mixed1(signed_tail(at, left < 8 ? left : 8));
    h1 ^= key.bytes;
    h2 ^= key.bytes;
    h1 += h2;
    h2 += h1;
    h1 = finished(h1) + finished(h2);
    return h1 == (uint64_t)INT64_MIN ? INT64_MAX : (int64_t)h1;
}

void cql_key_component(struct weir_buffer *key, struct weir_str value)
{
    cql_put_short_bytes(key, value);
    weir_buffer_byte(key, 0);
}
