// SPDX-License-Identifier: Apache-2.0
// The header of a segment, taken apart; what writers and the decoder share.
#pragma once
#include "cql/wire.h"

enum { SEGMENT_CRC24_BYTES = 3, SEGMENT_CRC32_BYTES = 4, SEGMENT_HEADER_BYTES_MAX = 5 + SEGMENT_CRC24_BYTES };

struct segment {
    uint32_t wire_bytes;  // of the payload as it is sent
    uint32_t plain_bytes; // of the payload when it is unpacked; 0: it is sent plain
    bool self_contained;
};

// With the CRC behind it.
static inline unsigned segment_header_bytes(bool lz4)
{
    return (lz4 ? 5 : 3) + SEGMENT_CRC24_BYTES;
}
static inline uint32_t segment_load32(const uint8_t *at)
{
    return (uint32_t)at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
}

void cql_segment_header_put(uint8_t *at, const struct segment *s, bool lz4);
bool cql_segment_header_parse(const uint8_t *at, bool lz4, struct segment *ret); // false: the CRC is wrong
