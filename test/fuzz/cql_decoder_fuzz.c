// SPDX-License-Identifier: Apache-2.0
// Any bytes as what comes from a connection to Cassandra: envelopes of version 4, segments of version 5, with and without LZ4; and any bytes as the
// payload of segments whose checksums are right. The first byte says which. However the bytes are cut, the same envelopes must come out.
#include "base/hash.h"
#include "cql/segment.h"
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct seen {
    uint64_t envelopes, hash;
    bool broken;
};

static struct seen decode(const uint8_t *data, size_t size, bool segmented, bool lz4, size_t step)
{
    struct cql_decoder d;
    struct cql_header header;
    struct weir_str body;
    struct weir_error err;
    struct seen seen = {0};
    cql_decoder_init(&d);
    d.segmented = segmented;
    d.lz4 = lz4;
    for (size_t at = 0; at < size && !seen.broken; at += step) {
        size_t bytes = step < size - at ? step : size - at;
        memcpy(cql_decoder_room(&d, bytes), data + at, bytes);
        cql_decoder_came(&d, bytes);
        int found;
        while ((found = cql_decoder_next(&d, &header, &body, &err)) > 0) {
            seen.envelopes++;
            seen.hash = weir_hash64(body.data, body.bytes, seen.hash ^ header.opcode ^ (uint16_t)header.stream);
        }
        seen.broken = found < 0;
    }
    cql_decoder_drop(&d);
    return seen;
}

static void try_stream(const uint8_t *data, size_t size, bool segmented, bool lz4, size_t step)
{
    struct seen whole = decode(data, size, segmented, lz4, size), cut = decode(data, size, segmented, lz4, step);
    weir_assert(whole.envelopes == cut.envelopes && whole.hash == cut.hash && whole.broken == cut.broken);
}

// The bytes as segments of 1 to 255 bytes, as the first of each says; bit by bit what `shape` has is whether the next is self-contained.
static void try_payloads(const uint8_t *data, size_t size, bool lz4, uint8_t shape, size_t step)
{
    struct weir_buffer wire = {0};
    for (size_t at = 0, bytes; at < size; at += bytes, shape = (uint8_t)(shape >> 1 | shape << 7)) {
        bytes = data[at] ? data[at] : size - at;
        if (bytes > size - at)
            bytes = size - at;
        if (bytes > CQL_SEGMENT_PAYLOAD_MAX)
            bytes = CQL_SEGMENT_PAYLOAD_MAX;
        struct segment s = {(uint32_t)bytes, lz4 && shape & 2 ? data[at] * 16u : 0, shape & 1};
        unsigned head = segment_header_bytes(lz4);
        cql_segment_header_put(weir_buffer_reserve(&wire, head), &s, lz4);
        wire.bytes += head;
        weir_buffer_add(&wire, data + at, bytes);
        uint32_t crc = cql_crc32((struct weir_str){(const char *)data + at, (uint32_t)bytes});
        weir_buffer_add(&wire, (const uint8_t[]){(uint8_t)crc, (uint8_t)(crc >> 8), (uint8_t)(crc >> 16), (uint8_t)(crc >> 24)}, 4);
    }
    if (wire.bytes)
        try_stream(wire.data, wire.bytes, true, lz4, step);
    weir_buffer_drop(&wire);
}

// What makes whole envelopes when written as segments must be read as the same.
static void try_round_trip(const uint8_t *data, size_t size, bool lz4, size_t step)
{
    struct weir_buffer envelopes = {0}, wire = {0};
    for (size_t at = 0; at < size;) {
        size_t bytes = data[at] < size - at ? data[at] : size - at, start = cql_envelope_begin(&envelopes, CQL_V5, true, 0, 1, CQL_OP_RESULT);
        weir_buffer_add(&envelopes, data + at, bytes);
        cql_envelope_end(&envelopes, start, false);
        at += bytes + 1;
    }
    struct seen plain = decode(envelopes.data, envelopes.bytes, false, false, envelopes.bytes);
    cql_segments_put(&wire, weir_buffer_view(&envelopes), lz4);
    struct seen framed = decode(wire.data, wire.bytes, true, lz4, step);
    weir_assert(!plain.broken && !framed.broken && plain.envelopes == framed.envelopes && plain.hash == framed.hash);
    weir_buffer_drop(&envelopes);
    weir_buffer_drop(&wire);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 3)
        return 0;
    bool segmented = data[0] & 1, lz4 = data[0] & 2;
    size_t step = 1 + data[1];
    try_stream(data + 2, size - 2, segmented, lz4, step);
    if (segmented) {
        try_payloads(data + 2, size - 2, lz4, data[0] >> 2, step);
        try_round_trip(data + 2, size - 2, lz4, step);
    }
    return 0;
}
