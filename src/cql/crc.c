// SPDX-License-Identifier: Apache-2.0
#include "cql/wire.h"
#ifdef __x86_64__
#include <wmmintrin.h>
#endif

enum { SLICES = 8 };

static uint32_t crc24_table[256];
static uint32_t crc32_table[SLICES][256];

__attribute__((constructor)) static void fill_tables(void)
{
    for (uint32_t i = 0; i < 256; i++) {
        uint32_t crc24 = i << 16, crc32 = i;
        for (int bit = 0; bit < 8; bit++) {
            crc24 = crc24 << 1 ^ (crc24 & 0x800000 ? 0x1974f0b : 0);
            crc32 = crc32 >> 1 ^ (crc32 & 1 ? 0xedb88320 : 0);
        }
        crc24_table[i] = crc24 & 0xffffff;
        crc32_table[0][i] = crc32;
    }
    for (int t = 1; t < SLICES; t++)
        for (uint32_t i = 0; i < 256; i++)
            crc32_table[t][i] = crc32_table[t - 1][i] >> 8 ^ crc32_table[0][crc32_table[t - 1][i] & 255];
}

uint32_t cql_crc24(const uint8_t *header, unsigned bytes)
{
    uint32_t crc = 0x875060;
    for (unsigned i = 0; i < bytes; i++)
        crc = (crc << 8 & 0xffffff) ^ crc24_table[crc >> 16 ^ header[i]];
    return crc;
}

static uint32_t crc32_tables(uint32_t crc, const uint8_t *at, size_t bytes)
{
    for (; bytes >= SLICES; bytes -= SLICES, at += SLICES) {
        uint64_t v;
        memcpy(&v, at, sizeof v);
        v ^= crc;
        crc = 0;
        for (int i = 0; i < SLICES; i++)
            crc ^= crc32_table[SLICES - 1 - i][v >> 8 * i & 255];
    }
    for (; bytes; bytes--)
        crc = crc >> 8 ^ crc32_table[0][(crc ^ *at++) & 255];
    return crc;
}

#ifdef __x86_64__
// Carry-less multiplication, after Gopal and others, "Fast CRC Computation for Generic Polynomials Using PCLMULQDQ Instruction" (Intel, 2009): 64 bytes
// at a time are folded onto the 64 behind them, those onto 16, which with what is left go through the tables.
enum { LANE = sizeof(__m128i), LANES = 4, FOLD_BYTES_MIN = 2 * LANES * LANE };

__attribute__((target("pclmul"))) static inline __m128i folded(__m128i x, __m128i by, __m128i onto)
{
    return _mm_xor_si128(_mm_xor_si128(_mm_clmulepi64_si128(x, by, 0x00), _mm_clmulepi64_si128(x, by, 0x11)), onto);
}

static inline __m128i lane(const uint8_t *at)
{
    return _mm_loadu_si128((const __m128i *)at);
}

__attribute__((target("pclmul"))) static uint32_t crc32_folded(uint32_t crc, const uint8_t *at, size_t bytes)
{
    const __m128i by_64 = _mm_set_epi64x(0x1c6e41596, 0x154442bd4), by_16 = _mm_set_epi64x(0x0ccaa009e, 0x1751997d0);
    __m128i x[LANES];
    for (int i = 0; i < LANES; i++)
        x[i] = lane(at + i * LANE);
    x[0] = _mm_xor_si128(x[0], _mm_cvtsi32_si128((int)crc));
    for (at += sizeof x, bytes -= sizeof x; bytes >= sizeof x; at += sizeof x, bytes -= sizeof x)
        for (int i = 0; i < LANES; i++)
            x[i] = folded(x[i], by_64, lane(at + i * LANE));
    __m128i all = folded(folded(folded(x[0], by_16, x[1]), by_16, x[2]), by_16, x[3]);
    uint8_t rest[LANE];
    _mm_storeu_si128((__m128i *)rest, all);
    return crc32_tables(crc32_tables(0, rest, sizeof rest), at, bytes);
}
#endif

static uint32_t crc32(uint32_t crc, const uint8_t *at, size_t bytes)
{
#ifdef __x86_64__
    if (bytes >= FOLD_BYTES_MIN && __builtin_cpu_supports("pclmul"))
        return crc32_folded(crc, at, bytes);
#endif
    return crc32_tables(crc, at, bytes);
}

uint32_t cql_crc32(struct weir_str payload)
{
    static const uint8_t first[4] = {0xfa, 0x2d, 0x55, 0xca};
    return ~crc32(crc32_tables(~0u, first, sizeof first), (const uint8_t *)payload.data, payload.bytes);
}
