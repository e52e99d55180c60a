// SPDX-License-Identifier: Apache-2.0
#include "cql/wire.h"

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

static uint32_t crc32_bytes(uint32_t crc, const uint8_t *at, size_t bytes)
{
    for (; bytes; bytes--)
        crc = crc >> 8 ^ crc32_table[0][(crc ^ *at++) & 255];
    return crc;
}

uint32_t cql_crc32(struct weir_str payload)
{
    static const uint8_t first[4] = {0xfa, 0x2d, 0x55, 0xca};
    uint32_t crc = crc32_bytes(~0u, first, sizeof first);
    const uint8_t *at = (const uint8_t *)payload.data;
    size_t bytes = payload.bytes;
    for (; bytes >= SLICES; bytes -= SLICES, at += SLICES) {
        uint64_t v;
        memcpy(&v, at, sizeof v);
        v ^= crc;
        crc = 0;
        for (int i = 0; i < SLICES; i++)
            crc ^= crc32_table[SLICES - 1 - i][v >> 8 * i & 255];
    }
    return ~crc32_bytes(crc, at, bytes);
}
