// SPDX-License-Identifier: Apache-2.0
#include "base/hash.h"

#include <string.h>

static inline uint64_t load64(const uint8_t *at)
{
    uint64_t v;
    memcpy(&v, at, sizeof v);
    return v;
}

static inline uint32_t load32(const uint8_t *at)
{
    uint32_t v;
    memcpy(&v, at, sizeof v);
    return v;
}

// The high and low halves of a 64 × 64 bit product, folded: the mixing step of multiply-fold hashes.
static inline uint64_t fold(uint64_t a, uint64_t b)
{
    unsigned __int128 product = (unsigned __int128)a * b;
    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

uint64_t weir_hash64(const void *data, size_t bytes, uint64_t seed)
{
    static const uint64_t k0 = 0x9e3779b97f4a7c15, k1 = 0xc2b2ae3d27d4eb4f, k2 = 0x165667b19e3779f9;
    const uint8_t *at = data;
    size_t left = bytes;
    uint64_t h = seed ^ k0;
    while (left > 16) {
        h = fold(load64(at) ^ k1, load64(at + 8) ^ h);
        at += 16;
        left -= 16;
    }
    uint64_t a = 0, b = 0;
    if (left >= 8) {
        a = load64(at);
        b = load64(at + left - 8);
    } else if (left >= 4) {
        a = load32(at);
        b = load32(at + left - 4);
    } else if (left) {
        a = (uint64_t)at[0] << 16 | (uint64_t)at[left >> 1] << 8 | at[left - 1];
    }
    return fold(k2 ^ bytes, fold(a ^ k1, b ^ h));
}

static uint32_t crc_table[8][256];

__attribute__((constructor)) static void fill_crc_table(void)
{
    for (uint32_t i = 0; i < 256; i++) {
        uint32_t crc = i;
        for (int bit = 0; bit < 8; bit++)
            crc = crc >> 1 ^ (crc & 1 ? 0x82f63b78 : 0);
        crc_table[0][i] = crc;
    }
    for (int t = 1; t < 8; t++)
        for (uint32_t i = 0; i < 256; i++)
            crc_table[t][i] = crc_table[t - 1][i] >> 8 ^ crc_table[0][crc_table[t - 1][i] & 255];
}

static uint32_t crc32c_tables(uint32_t crc, const uint8_t *at, size_t bytes)
{
    for (; bytes >= 8; bytes -= 8, at += 8) {
        uint64_t v = load64(at) ^ crc;
        crc = 0;
        for (int i = 0; i < 8; i++)
            crc ^= crc_table[7 - i][v >> (8 * i) & 255];
    }
    for (; bytes; bytes--)
        crc = crc >> 8 ^ crc_table[0][(crc ^ *at++) & 255];
    return crc;
}

#ifdef __x86_64__
__attribute__((target("sse4.2"))) static uint32_t crc32c_sse42(uint32_t crc, const uint8_t *at, size_t bytes)
{
    uint64_t wide = crc;
    for (; bytes >= 8; bytes -= 8, at += 8)
        wide = __builtin_ia32_crc32di(wide, load64(at));
    for (crc = (uint32_t)wide; bytes; bytes--)
        crc = __builtin_ia32_crc32qi(crc, *at++);
    return crc;
}
#endif

uint32_t weir_crc32c(uint32_t crc, const void *data, size_t bytes)
{
#ifdef __x86_64__
    if (__builtin_cpu_supports("sse4.2"))
        return ~crc32c_sse42(~crc, data, bytes);
#endif
    return ~crc32c_tables(~crc, data, bytes);
}

int32_t weir_murmur2(const void *data, size_t bytes)
{
    static const uint32_t m = 0x5bd1e995;
    const uint8_t *at = data;
    uint32_t h = 0x9747b28cu ^ (uint32_t)bytes;
    for (size_t words = bytes / 4; words; words--, at += 4) {
        uint32_t k = load32(at) * m;
        k ^= k >> 24;
        h = h * m ^ k * m;
    }
    size_t tail = bytes & 3;
    if (tail) {
        for (size_t i = 0; i < tail; i++)
            h ^= (uint32_t)at[i] << (8 * i);
        h *= m;
    }
    h ^= h >> 13;
    h *= m;
    return (int32_t)(h ^ h >> 15);
}

int32_t weir_kafka_partition(const void *key, size_t bytes, int32_t partitions)
{
    return (int32_t)((uint32_t)weir_murmur2(key, bytes) & 0x7fffffff) % partitions;
}
