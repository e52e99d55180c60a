// SPDX-License-Identifier: Apache-2.0
#include "cql/segment.h"
#include <lz4.h>

enum { LENGTH_BITS = 17, LENGTH_MASK = (1 << LENGTH_BITS) - 1 };

static void store_le(uint8_t *at, uint64_t v, unsigned bytes)
{
    for (unsigned i = 0; i < bytes; i++)
        at[i] = (uint8_t)(v >> 8 * i);
}

static uint64_t load_le(const uint8_t *at, unsigned bytes)
{
    uint64_t v = 0;
    for (unsigned i = 0; i < bytes; i++)
        v |= (uint64_t)at[i] << 8 * i;
    return v;
}

void cql_segment_header_put(uint8_t *at, const struct segment *s, bool lz4)
{
    uint64_t bits = s->wire_bytes;
    unsigned used = LENGTH_BITS, bytes = segment_header_bytes(lz4) - SEGMENT_CRC24_BYTES;
    if (lz4) {
        bits |= (uint64_t)s->plain_bytes << used;
        used += LENGTH_BITS;
    }
    store_le(at, bits | (uint64_t)s->self_contained << used, bytes);
    store_le(at + bytes, cql_crc24(at, bytes), SEGMENT_CRC24_BYTES);
}

bool cql_segment_header_parse(const uint8_t *at, bool lz4, struct segment *ret)
{
    unsigned bytes = segment_header_bytes(lz4) - SEGMENT_CRC24_BYTES;
    if (load_le(at + bytes, SEGMENT_CRC24_BYTES) != cql_crc24(at, bytes))
        return false;
    uint64_t bits = load_le(at, bytes);
    ret->wire_bytes = bits & LENGTH_MASK;
    bits >>= LENGTH_BITS;
    ret->plain_bytes = lz4 ? bits & LENGTH_MASK : 0;
    bits >>= lz4 ? LENGTH_BITS : 0;
    ret->self_contained = bits & 1;
    return true;
}

// Copies the payload to `at`, packed where that makes it smaller; returns what went there.
static struct segment put_payload(uint8_t *at, int room, struct weir_str payload, bool lz4)
{
    int packed = lz4 ? LZ4_compress_default(payload.data, (char *)at, (int)payload.bytes, room) : 0;
    if (packed > 0 && (uint32_t)packed < payload.bytes)
        return (struct segment){.wire_bytes = (uint32_t)packed, .plain_bytes = payload.bytes};
    memcpy(at, payload.data, payload.bytes);
    return (struct segment){.wire_bytes = payload.bytes};
}

static void put_segment(struct weir_buffer *out, struct weir_str payload, bool self_contained, bool lz4)
{
    unsigned head = segment_header_bytes(lz4);
    int room = LZ4_compressBound((int)payload.bytes);
    uint8_t *at = weir_buffer_reserve(out, head + (size_t)room + SEGMENT_CRC32_BYTES), *body = at + head;
    struct segment s = put_payload(body, room, payload, lz4);
    s.self_contained = self_contained;
    cql_segment_header_put(at, &s, lz4);
    store_le(body + s.wire_bytes, cql_crc32((struct weir_str){(const char *)body, s.wire_bytes}), SEGMENT_CRC32_BYTES);
    out->bytes += head + s.wire_bytes + SEGMENT_CRC32_BYTES;
}

static uint32_t envelope_bytes(const char *at, uint32_t left)
{
    weir_assert(left >= CQL_HEADER_BYTES);
    uint32_t body_bytes;
    memcpy(&body_bytes, at + CQL_HEADER_BYTES - sizeof body_bytes, sizeof body_bytes);
    body_bytes = __builtin_bswap32(body_bytes);
    weir_assert(body_bytes <= left - CQL_HEADER_BYTES);
    return CQL_HEADER_BYTES + body_bytes;
}

// How many bytes of whole envelopes fit one segment; 0: the first alone is too large.
static uint32_t fitting(struct weir_str envelopes)
{
    uint32_t bytes = 0;
    while (bytes < envelopes.bytes) {
        uint32_t next = envelope_bytes(envelopes.data + bytes, envelopes.bytes - bytes);
        if (next > CQL_SEGMENT_PAYLOAD_MAX - bytes)
            break;
        bytes += next;
    }
    return bytes;
}

static void put_large(struct weir_buffer *out, struct weir_str envelope, bool lz4)
{
    for (uint32_t sent = 0, bytes; sent < envelope.bytes; sent += bytes) {
        bytes = envelope.bytes - sent < CQL_SEGMENT_PAYLOAD_MAX ? envelope.bytes - sent : CQL_SEGMENT_PAYLOAD_MAX;
        put_segment(out, (struct weir_str){envelope.data + sent, bytes}, false, lz4);
    }
}

void cql_segments_put(struct weir_buffer *out, struct weir_str envelopes, bool lz4)
{
    while (envelopes.bytes) {
        uint32_t bytes = fitting(envelopes);
        if (bytes) {
            put_segment(out, (struct weir_str){envelopes.data, bytes}, true, lz4);
        } else {
            bytes = envelope_bytes(envelopes.data, envelopes.bytes);
            put_large(out, (struct weir_str){envelopes.data, bytes}, lz4);
        }
        envelopes.data += bytes;
        envelopes.bytes -= bytes;
    }
}
