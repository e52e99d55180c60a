// SPDX-License-Identifier: Apache-2.0
// Envelopes and segments: what is written is read again however it is cut, and what is damaged is refused.
#include "cql/segment.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>
#include <lz4.h>

enum framing { PLAIN_V4, LZ4_V4, SEGMENTS, LZ4_SEGMENTS, FRAMINGS };

static bool segmented(enum framing f)
{
    return f >= SEGMENTS;
}

static bool lz4(enum framing f)
{
    return f == LZ4_V4 || f == LZ4_SEGMENTS;
}

// The byte at `i` of body `seed`: such that compresses where the seed is even, and such that does not.
static uint8_t body_byte(uint32_t seed, uint32_t i)
{
    uint64_t mixed = ((uint64_t)seed << 32 | i) * 0x9e3779b97f4a7c15u;
    mixed = (mixed ^ mixed >> 29) * 0xbf58476d1ce4e5b9u;
    return seed % 2 == 0 ? (uint8_t)(seed + i / 64) : (uint8_t)(mixed >> 56);
}

static void put_envelope(struct weir_buffer *out, enum framing f, uint32_t seed, uint32_t bytes)
{
    enum cql_version version = segmented(f) ? CQL_V5 : CQL_V4;
    size_t start = cql_envelope_begin(out, version, true, 0, (int16_t)(seed - 7), CQL_OP_RESULT);
    for (uint32_t i = 0; i < bytes; i++)
        weir_buffer_byte(out, body_byte(seed, i));
    cql_envelope_end(out, start, f == LZ4_V4);
}

// Envelopes of these sizes, as they travel.
static struct weir_buffer stream_of(enum framing f, const uint32_t *sizes, uint32_t count)
{
    struct weir_buffer envelopes = {0}, wire = {0};
    for (uint32_t i = 0; i < count; i++)
        put_envelope(&envelopes, f, i, sizes[i]);
    if (!segmented(f))
        return envelopes;
    cql_segments_put(&wire, weir_buffer_view(&envelopes), lz4(f));
    weir_buffer_drop(&envelopes);
    return wire;
}

static struct cql_decoder decoder_of(enum framing f)
{
    struct cql_decoder d;
    cql_decoder_init(&d);
    d.version = segmented(f) ? CQL_V5 : CQL_V4;
    d.segmented = segmented(f);
    d.lz4 = lz4(f);
    return d;
}

static void feed(struct cql_decoder *d, const uint8_t *bytes, size_t count)
{
    if (count)
        memcpy(cql_decoder_room(d, count), bytes, count);
    cql_decoder_came(d, count);
}

// Takes what there is, which must be the next of the envelopes; returns how many were seen, or -1.
static int take_all(struct cql_decoder *d, const uint32_t *sizes, int seen)
{
    struct cql_header header;
    struct weir_str body;
    struct weir_error err;
    int found;
    while ((found = cql_decoder_next(d, &header, &body, &err)) > 0) {
        uint32_t seed = (uint32_t)seen;
        assert_int_equal(header.opcode, CQL_OP_RESULT);
        assert_true(header.response);
        assert_int_equal(header.stream, (int16_t)(seed - 7));
        assert_int_equal(body.bytes, sizes[seen]);
        for (uint32_t i = 0; i < body.bytes; i++)
            if ((uint8_t)body.data[i] != body_byte(seed, i))
                fail_msg("body %d differs at byte %u", seen, i);
        seen++;
    }
    return found < 0 ? -1 : seen;
}

static void header_layout(void **state)
{
    (void)state;
    weir_cleanup(weir_buffer_drop) struct weir_buffer b = {0};
    size_t start = cql_envelope_begin(&b, CQL_V5, false, CQL_FLAG_TRACING, 0x0102, CQL_OP_QUERY);
    weir_buffer_add(&b, "body", 4);
    cql_envelope_end(&b, start, false);
    static const uint8_t expected[] = {5, 2, 1, 2, 7, 0, 0, 0, 4, 'b', 'o', 'd', 'y'};
    assert_int_equal(b.bytes, sizeof expected);
    assert_memory_equal(b.data, expected, sizeof expected);
    cql_envelope_set_stream(b.data, -2);
    struct cql_header h;
    struct weir_error err;
    assert_int_equal(cql_header_parse(b.data, &h, &err), 0);
    assert_true(h.version == 5 && !h.response && h.flags == CQL_FLAG_TRACING && h.stream == -2 && h.opcode == CQL_OP_QUERY && h.body_bytes == 4);
}

static void headers_that_are_refused(void **state)
{
    (void)state;
    struct cql_header h;
    struct weir_error err;
    static const uint8_t version3[] = {0x83, 0, 0, 0, 2, 0, 0, 0, 0}, opcode[] = {0x84, 0, 0, 0, 4, 0, 0, 0, 0},
                         beyond[] = {0x84, 0, 0, 0, 0x11, 0, 0, 0, 0}, most[] = {0x85, 0, 0, 0, 8, 0x10, 0, 0, 0},
                         too_long[] = {0x85, 0, 0, 0, 8, 0x10, 0, 0, 1};
    assert_int_equal(cql_header_parse(version3, &h, &err), -1);
    assert_int_equal(err.code, WEIR_BAD_DATA);
    assert_int_equal(cql_header_parse(opcode, &h, &err), -1);
    assert_int_equal(cql_header_parse(beyond, &h, &err), -1);
    assert_int_equal(cql_header_parse(most, &h, &err), 0);
    assert_int_equal(cql_header_parse(too_long, &h, &err), -1);
}

static void a_known_segment(void **state)
{
    (void)state;
    weir_cleanup(weir_buffer_drop) struct weir_buffer envelope = {0}, wire = {0};
    size_t start = cql_envelope_begin(&envelope, CQL_V5, true, 0, 1, CQL_OP_RESULT);
    for (int i = 0; i < 0x5d - CQL_HEADER_BYTES; i++)
        weir_buffer_byte(&envelope, 0);
    cql_envelope_end(&envelope, start, false);
    cql_segments_put(&wire, weir_buffer_view(&envelope), false);
    assert_int_equal(wire.bytes, 6 + 0x5d + 4);
    assert_memory_equal(wire.data, "\x5d\x00\x02\xc5\x52\x6e", 6);
    assert_memory_equal(wire.data + 6, envelope.data, 0x5d);
}

static const uint32_t small[] = {0, 1, 300, 5, 0, 129, 64};
enum { SMALL = sizeof small / sizeof *small };

static void every_split_of_a_stream(void **state)
{
    (void)state;
    for (enum framing f = PLAIN_V4; f < FRAMINGS; f++) {
        struct weir_buffer wire = stream_of(f, small, SMALL);
        for (size_t first = 0; first <= wire.bytes; first++) {
            struct cql_decoder d = decoder_of(f);
            feed(&d, wire.data, first);
            int seen = take_all(&d, small, 0);
            assert_true(seen >= 0);
            feed(&d, wire.data + first, wire.bytes - first);
            assert_int_equal(take_all(&d, small, seen), SMALL);
            cql_decoder_drop(&d);
        }
        weir_buffer_drop(&wire);
    }
}

static void byte_by_byte(void **state)
{
    (void)state;
    for (enum framing f = PLAIN_V4; f < FRAMINGS; f++) {
        struct weir_buffer wire = stream_of(f, small, SMALL);
        struct cql_decoder d = decoder_of(f);
        int seen = 0;
        for (size_t i = 0; i < wire.bytes; i++) {
            feed(&d, wire.data + i, 1);
            seen = take_all(&d, small, seen);
            assert_true(seen >= 0);
        }
        assert_int_equal(seen, SMALL);
        assert_true(d.received.capacity <= 4096);
        cql_decoder_drop(&d);
        weir_buffer_drop(&wire);
    }
}

static void sizes_around_a_segments_payload(void **state)
{
    (void)state;
    enum { FULL = CQL_SEGMENT_PAYLOAD_MAX - CQL_HEADER_BYTES };
    static const uint32_t sizes[] = {FULL, FULL + 1, 10,       FULL - 1, 0,    2 * CQL_SEGMENT_PAYLOAD_MAX - CQL_HEADER_BYTES,
                                     7,    2000000,  2000001u, 3,        FULL, FULL + 2};
    enum { COUNT = sizeof sizes / sizeof *sizes };
    for (enum framing f = PLAIN_V4; f < FRAMINGS; f++) {
        struct weir_buffer wire = stream_of(f, sizes, COUNT);
        struct cql_decoder d = decoder_of(f);
        int seen = 0;
        for (size_t at = 0, step = 1; at < wire.bytes; at += step, step = step * 7 % 65521 + 1) {
            step = step < wire.bytes - at ? step : wire.bytes - at;
            feed(&d, wire.data + at, step);
            seen = take_all(&d, sizes, seen);
            assert_true(seen >= 0);
        }
        assert_int_equal(seen, COUNT);
        cql_decoder_drop(&d);
        weir_buffer_drop(&wire);
    }
}

static void memory_of_a_large_envelope_is_given_back(void **state)
{
    (void)state;
    static const uint32_t sizes[] = {20 << 20, 10, 10};
    for (enum framing f = PLAIN_V4; f < FRAMINGS; f++) {
        struct weir_buffer wire = stream_of(f, sizes, 2), more = stream_of(f, sizes + 1, 1);
        struct cql_decoder d = decoder_of(f);
        feed(&d, wire.data, wire.bytes);
        assert_int_equal(take_all(&d, sizes, 0), 2);
        feed(&d, more.data, more.bytes);
        assert_int_equal(take_all(&d, sizes + 1, 0), 1);
        assert_true(d.received.capacity + d.payload.capacity < 1 << 20);
        cql_decoder_drop(&d);
        weir_buffer_drop(&wire);
        weir_buffer_drop(&more);
    }
}

// What is received never runs dry here: the rest of one envelope comes with the start of the next.
static void memory_does_not_grow_with_the_stream(void **state)
{
    (void)state;
    uint32_t sizes[1000];
    for (uint32_t i = 0; i < 1000; i++)
        sizes[i] = 100;
    for (enum framing f = PLAIN_V4; f <= SEGMENTS; f += SEGMENTS) {
        struct weir_buffer wire = stream_of(f, sizes, 1000);
        struct cql_decoder d = decoder_of(f);
        int seen = 0;
        for (size_t at = 0, bytes = 50; at < wire.bytes; at += bytes, bytes = wire.bytes - at < 109 ? wire.bytes - at : 109) {
            feed(&d, wire.data + at, bytes);
            seen = take_all(&d, sizes, seen);
        }
        assert_int_equal(seen, 1000);
        assert_true(d.received.capacity < (f == PLAIN_V4 ? 4096 : 1 << 20));
        cql_decoder_drop(&d);
        weir_buffer_drop(&wire);
    }
}

static void an_envelope_that_just_fits_is_self_contained(void **state)
{
    (void)state;
    static const uint32_t just[] = {CQL_SEGMENT_PAYLOAD_MAX - CQL_HEADER_BYTES}, beyond[] = {CQL_SEGMENT_PAYLOAD_MAX - CQL_HEADER_BYTES + 1};
    struct segment s;
    struct weir_buffer wire = stream_of(SEGMENTS, just, 1);
    assert_true(cql_segment_header_parse(wire.data, false, &s));
    assert_true(s.self_contained && s.wire_bytes == CQL_SEGMENT_PAYLOAD_MAX);
    weir_buffer_drop(&wire);
    wire = stream_of(SEGMENTS, beyond, 1);
    assert_true(cql_segment_header_parse(wire.data, false, &s));
    assert_true(!s.self_contained && s.wire_bytes == CQL_SEGMENT_PAYLOAD_MAX);
    weir_buffer_drop(&wire);
}

static void small_envelopes_share_segments(void **state)
{
    (void)state;
    uint32_t sizes[4000];
    for (uint32_t i = 0; i < 4000; i++)
        sizes[i] = 100;
    struct weir_buffer wire = stream_of(SEGMENTS, sizes, 4000);
    size_t envelopes = 4000 * 109, segments = (envelopes + CQL_SEGMENT_PAYLOAD_MAX - 1) / CQL_SEGMENT_PAYLOAD_MAX;
    assert_int_equal(wire.bytes, envelopes + segments * 10);
    weir_buffer_drop(&wire);
}

static void compression_makes_smaller_or_is_left_out(void **state)
{
    (void)state;
    static const uint32_t pressed[] = {100000}, random_like[] = {0, 100000};
    for (int f = LZ4_V4; f <= LZ4_SEGMENTS; f += LZ4_SEGMENTS - LZ4_V4) {
        struct weir_buffer wire = stream_of((enum framing)f, pressed, 1);
        assert_true(wire.bytes < 100000 / 4);
        weir_buffer_drop(&wire);
        wire = stream_of((enum framing)f, random_like, 2);
        assert_true(wire.bytes <= 100000 + 2 * CQL_HEADER_BYTES + SEGMENT_HEADER_BYTES_MAX + SEGMENT_CRC32_BYTES);
        weir_buffer_drop(&wire);
    }
}

// Every bit of a short stream, flipped one at a time: in segments nothing but an error, or waiting for more, may follow; never another body.
static void flipped_bits_are_found(void **state)
{
    (void)state;
    static const uint32_t sizes[] = {40, 9, 200};
    for (enum framing f = SEGMENTS; f <= LZ4_SEGMENTS; f++) {
        struct weir_buffer wire = stream_of(f, sizes, 3);
        for (size_t bit = 0; bit < wire.bytes * 8; bit++) {
            struct cql_decoder d = decoder_of(f);
            wire.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
            feed(&d, wire.data, wire.bytes);
            assert_int_equal(take_all(&d, sizes, 0), -1);
            wire.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
            cql_decoder_drop(&d);
        }
        weir_buffer_drop(&wire);
    }
}

static void put_raw(struct weir_buffer *out, const void *payload, uint32_t bytes, uint32_t plain_bytes, bool self_contained, bool pressed)
{
    struct segment s = {bytes, plain_bytes, self_contained};
    unsigned head = segment_header_bytes(pressed);
    cql_segment_header_put(weir_buffer_reserve(out, head), &s, pressed);
    out->bytes += head;
    weir_buffer_add(out, payload, bytes);
    uint32_t crc = cql_crc32((struct weir_str){payload, bytes});
    weir_buffer_add(out, (const uint8_t[]){(uint8_t)crc, (uint8_t)(crc >> 8), (uint8_t)(crc >> 16), (uint8_t)(crc >> 24)}, 4);
}

static int decode(struct weir_buffer *wire, enum framing f, struct weir_error *err)
{
    struct cql_decoder d = decoder_of(f);
    struct cql_header header;
    struct weir_str body;
    feed(&d, wire->data, wire->bytes);
    int found, count = 0;
    while ((found = cql_decoder_next(&d, &header, &body, err)) > 0)
        count++;
    cql_decoder_drop(&d);
    wire->bytes = 0;
    return found < 0 ? -1 : count;
}

static void segments_in_the_wrong_order(void **state)
{
    (void)state;
    struct weir_error err;
    weir_cleanup(weir_buffer_drop) struct weir_buffer e = {0}, wire = {0};
    put_envelope(&e, SEGMENTS, 1, 50);
    put_raw(&wire, e.data, 20, 0, false, false);
    put_raw(&wire, e.data + 20, (uint32_t)e.bytes - 20, 0, false, false);
    assert_int_equal(decode(&wire, SEGMENTS, &err), 1);
    put_raw(&wire, e.data, 4, 0, false, false); // not even the header
    put_raw(&wire, e.data + 4, (uint32_t)e.bytes - 4, 0, false, false);
    assert_int_equal(decode(&wire, SEGMENTS, &err), 1);
    put_raw(&wire, e.data, 20, 0, false, false);
    put_raw(&wire, e.data, (uint32_t)e.bytes, 0, true, false);
    assert_int_equal(decode(&wire, SEGMENTS, &err), -1);
    put_raw(&wire, e.data, 20, 0, false, false);
    put_raw(&wire, e.data + 20, (uint32_t)e.bytes - 20, 0, true, false);
    assert_int_equal(decode(&wire, SEGMENTS, &err), -1);
    put_raw(&wire, e.data, 20, 0, true, false);
    assert_int_equal(decode(&wire, SEGMENTS, &err), -1);
    put_envelope(&e, SEGMENTS, 2, 5);
    put_raw(&wire, e.data, (uint32_t)e.bytes, 0, true, false);
    assert_int_equal(decode(&wire, SEGMENTS, &err), 2);
    put_raw(&wire, e.data, (uint32_t)e.bytes, 0, false, false);
    assert_int_equal(decode(&wire, SEGMENTS, &err), -1);
    e.data[1] = CQL_FLAG_COMPRESSED;
    put_raw(&wire, e.data, (uint32_t)e.bytes, 0, true, false);
    assert_int_equal(decode(&wire, SEGMENTS, &err), -1);
    e.data[0] = 0x84;
    e.data[1] = 0;
    e.data[4] = CQL_OP_ERROR; // which may be of another version, but not in here
    put_raw(&wire, e.data, (uint32_t)e.bytes, 0, true, false);
    assert_int_equal(decode(&wire, SEGMENTS, &err), -1);
}

static void plain_inside_lz4_and_wrong_lengths(void **state)
{
    (void)state;
    struct weir_error err;
    char packed[4096];
    weir_cleanup(weir_buffer_drop) struct weir_buffer e = {0}, wire = {0};
    put_envelope(&e, LZ4_SEGMENTS, 2, 1000);
    uint32_t bytes = (uint32_t)e.bytes, packed_bytes = (uint32_t)LZ4_compress_default((char *)e.data, packed, (int)bytes, sizeof packed);
    put_raw(&wire, e.data, bytes, 0, true, true);
    assert_int_equal(decode(&wire, LZ4_SEGMENTS, &err), 1);
    put_raw(&wire, packed, packed_bytes, bytes, true, true);
    assert_int_equal(decode(&wire, LZ4_SEGMENTS, &err), 1);
    put_raw(&wire, packed, packed_bytes, bytes - 1, true, true);
    assert_int_equal(decode(&wire, LZ4_SEGMENTS, &err), -1);
    put_raw(&wire, packed, packed_bytes, bytes + 1, true, true);
    assert_int_equal(decode(&wire, LZ4_SEGMENTS, &err), -1);
    put_raw(&wire, packed, packed_bytes - 1, bytes, true, true);
    assert_int_equal(decode(&wire, LZ4_SEGMENTS, &err), -1);
}

static void compressed_bodies_that_are_refused(void **state)
{
    (void)state;
    struct weir_error err;
    weir_cleanup(weir_buffer_drop) struct weir_buffer e = {0}, out = {0};
    put_envelope(&e, LZ4_V4, 2, 1000);
    assert_true(e.data[1] & CQL_FLAG_COMPRESSED);
    struct weir_str body = {(char *)e.data + CQL_HEADER_BYTES, (uint32_t)e.bytes - CQL_HEADER_BYTES};
    assert_int_equal(cql_body_inflate(body, &out, &err), 0);
    assert_int_equal(out.bytes, 1000);
    for (uint32_t cut = 0; cut < body.bytes; cut++)
        assert_int_equal(cql_body_inflate((struct weir_str){body.data, cut}, &out, &err), -1);
    size_t held = out.capacity;
    assert_int_equal(cql_body_inflate(WEIR_STR("\x0f\xff\xff\xff\x10"), &out, &err), -1);
    assert_int_equal(cql_body_inflate(WEIR_STR("\xff\xff\xff\xff\x10"), &out, &err), -1);
    assert_int_equal(out.capacity, held); // refused before memory was taken
    assert_int_equal(cql_body_inflate(WEIR_STR("\0\0\0\0\0"), &out, &err), 0);
    assert_int_equal(out.bytes, 0);
    assert_int_equal(decode(&e, PLAIN_V4, &err), -1); // where none was agreed on
}

static void versions(void **state)
{
    (void)state;
    struct weir_error err;
    weir_cleanup(weir_buffer_drop) struct weir_buffer e = {0};
    size_t start = cql_envelope_begin(&e, CQL_V5, true, 0, 0, CQL_OP_READY);
    cql_envelope_end(&e, start, false);
    assert_int_equal(decode(&e, PLAIN_V4, &err), -1);
    start = cql_envelope_begin(&e, CQL_V5, true, 0, 0, CQL_OP_ERROR);
    cql_envelope_end(&e, start, false);
    assert_int_equal(decode(&e, PLAIN_V4, &err), 1);
}

// The connection switches framing on behind the answer to STARTUP; what came along with that answer is segments already.
static void switching_to_segments(void **state)
{
    (void)state;
    static const uint32_t sizes[] = {20, 30};
    struct weir_error err;
    struct cql_header header;
    struct weir_str body;
    weir_cleanup(weir_buffer_drop) struct weir_buffer ready = {0};
    size_t start = cql_envelope_begin(&ready, CQL_V5, true, 0, 0, CQL_OP_READY);
    cql_envelope_end(&ready, start, false);
    struct weir_buffer wire = stream_of(LZ4_SEGMENTS, sizes, 2);
    struct cql_decoder d;
    cql_decoder_init(&d);
    feed(&d, ready.data, ready.bytes);
    feed(&d, wire.data, wire.bytes);
    assert_int_equal(cql_decoder_next(&d, &header, &body, &err), 1);
    assert_int_equal(header.opcode, CQL_OP_READY);
    d.segmented = d.lz4 = true;
    assert_int_equal(take_all(&d, sizes, 0), 2);
    cql_decoder_drop(&d);
    weir_buffer_drop(&wire);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(header_layout),
        cmocka_unit_test(headers_that_are_refused),
        cmocka_unit_test(a_known_segment),
        cmocka_unit_test(every_split_of_a_stream),
        cmocka_unit_test(byte_by_byte),
        cmocka_unit_test(sizes_around_a_segments_payload),
        cmocka_unit_test(memory_of_a_large_envelope_is_given_back),
        cmocka_unit_test(memory_does_not_grow_with_the_stream),
        cmocka_unit_test(an_envelope_that_just_fits_is_self_contained),
        cmocka_unit_test(small_envelopes_share_segments),
        cmocka_unit_test(compression_makes_smaller_or_is_left_out),
        cmocka_unit_test(flipped_bits_are_found),
        cmocka_unit_test(segments_in_the_wrong_order),
        cmocka_unit_test(plain_inside_lz4_and_wrong_lengths),
        cmocka_unit_test(compressed_bodies_that_are_refused),
        cmocka_unit_test(versions),
        cmocka_unit_test(switching_to_segments),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
