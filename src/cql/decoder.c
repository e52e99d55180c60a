// SPDX-License-Identifier: Apache-2.0
#include "cql/segment.h"
#include <lz4.h>

void cql_decoder_init(struct cql_decoder *d)
{
    *d = (struct cql_decoder){0};
}

void cql_decoder_drop(struct cql_decoder *d)
{
    weir_buffer_drop(&d->received);
    weir_buffer_drop(&d->payload);
    weir_buffer_drop(&d->inflated);
    *d = (struct cql_decoder){0};
}

enum { KEPT_BYTES_MAX = 4 << 20 }; // of an empty buffer: what one large envelope took is given back

// Moves what is not used up to the front, so that the buffer holds no more than one envelope and what came with it.
static void close_gap(struct weir_buffer *b, size_t *used)
{
    if (*used == b->bytes && b->capacity > KEPT_BYTES_MAX) {
        weir_buffer_drop(b);
        *used = 0;
    }
    if (*used == 0)
        return;
    memmove(b->data, b->data + *used, b->bytes - *used);
    b->bytes -= *used;
    *used = 0;
}

uint8_t *cql_decoder_room(struct cql_decoder *d, size_t bytes)
{
    if (d->taken == d->received.bytes || d->received.capacity - d->received.bytes < bytes)
        close_gap(&d->received, &d->taken);
    return weir_buffer_reserve(&d->received, bytes);
}

void cql_decoder_came(struct cql_decoder *d, size_t bytes)
{
    weir_assert(bytes <= d->received.capacity - d->received.bytes);
    d->received.bytes += bytes;
}

// The envelope at the front of `b`, from *used on: 1, 0 when it is not all there, -1.
static int take_envelope(const struct weir_buffer *b, size_t *used, struct cql_header *ret_header, struct weir_str *ret_body, struct weir_error *err)
{
    size_t left = b->bytes - *used;
    if (left < CQL_HEADER_BYTES)
        return 0;
    const uint8_t *at = b->data + *used;
    struct cql_header header;
    if (cql_header_parse(at, &header, err) < 0)
        return -1;
    if (left - CQL_HEADER_BYTES < header.body_bytes)
        return 0;
    *used += CQL_HEADER_BYTES + header.body_bytes;
    *ret_header = header;
    *ret_body = (struct weir_str){(const char *)at + CQL_HEADER_BYTES, header.body_bytes};
    return 1;
}

static int next_unframed(struct cql_decoder *d, struct cql_header *ret_header, struct weir_str *ret_body, struct weir_error *err)
{
    if (d->inflated.capacity > KEPT_BYTES_MAX)
        weir_buffer_drop(&d->inflated);
    int found = take_envelope(&d->received, &d->taken, ret_header, ret_body, err);
    if (found <= 0 || !(ret_header->flags & CQL_FLAG_COMPRESSED))
        return found;
    if (!d->lz4 || ret_header->version != CQL_V4)
        return weir_fail(err, WEIR_BAD_DATA, WEIR_RETRY, "Cassandra protocol: a compressed body where no compression was agreed on");
    if (cql_body_inflate(*ret_body, &d->inflated, err) < 0)
        return -1;
    *ret_body = weir_buffer_view(&d->inflated);
    return 1;
}

static int unpack(struct cql_decoder *d, const uint8_t *at, const struct segment *s, struct weir_error *err)
{
    if (s->plain_bytes == 0) {
        weir_buffer_add(&d->payload, at, s->wire_bytes);
        return 0;
    }
    char *room = (char *)weir_buffer_reserve(&d->payload, s->plain_bytes);
    if (LZ4_decompress_safe((const char *)at, room, (int)s->wire_bytes, (int)s->plain_bytes) != (int)s->plain_bytes)
        return weir_fail(err, WEIR_BAD_DATA, WEIR_RETRY, "Cassandra protocol: a segment's compressed payload is damaged");
    d->payload.bytes += s->plain_bytes;
    return 0;
}

// Whole envelopes in a self-contained segment, part of one in the others: anything else would go unseen until it is taken for something else.
static int check_payload(const struct cql_decoder *d, bool self_contained, struct weir_error *err)
{
    size_t at = d->given, left;
    while ((left = d->payload.bytes - at) >= CQL_HEADER_BYTES) {
        struct cql_header header;
        if (cql_header_parse(d->payload.data + at, &header, err) < 0)
            return -1;
        if (header.version != CQL_V5 || (header.flags & CQL_FLAG_COMPRESSED))
            return weir_fail(err, WEIR_BAD_DATA, WEIR_RETRY, "Cassandra protocol: an envelope in a segment is not of version 5");
        size_t bytes = CQL_HEADER_BYTES + (size_t)header.body_bytes;
        if (left < bytes)
            break;
        at += bytes;
        if (!self_contained && at != d->payload.bytes)
            return weir_fail(err, WEIR_BAD_DATA, WEIR_RETRY, "Cassandra protocol: bytes behind the end of an envelope of several segments");
    }
    if (self_contained && left)
        return weir_fail(err, WEIR_BAD_DATA, WEIR_RETRY, "Cassandra protocol: a self-contained segment ends inside an envelope");
    return 0;
}

static int add_payload(struct cql_decoder *d, const uint8_t *at, const struct segment *s, struct weir_error *err)
{
    close_gap(&d->payload, &d->given);
    if (s->self_contained && d->payload.bytes)
        return weir_fail(err, WEIR_BAD_DATA, WEIR_RETRY, "Cassandra protocol: a self-contained segment amid an envelope of several");
    if (unpack(d, at, s, err) < 0)
        return -1;
    return check_payload(d, s->self_contained, err);
}

// One segment from what was received to the payload: 1, 0 when it is not all there, -1.
static int take_segment(struct cql_decoder *d, struct weir_error *err)
{
    size_t left = d->received.bytes - d->taken, head = segment_header_bytes(d->lz4);
    if (left < head)
        return 0;
    const uint8_t *at = d->received.data + d->taken;
    struct segment s;
    if (!cql_segment_header_parse(at, d->lz4, &s))
        return weir_fail(err, WEIR_BAD_DATA, WEIR_RETRY, "Cassandra protocol: the CRC-24 of a segment's header is wrong");
    size_t bytes = head + s.wire_bytes + SEGMENT_CRC32_BYTES;
    if (left < bytes)
        return 0;
    at += head;
    if (cql_crc32((struct weir_str){(const char *)at, s.wire_bytes}) != segment_load32(at + s.wire_bytes))
        return weir_fail(err, WEIR_BAD_DATA, WEIR_RETRY, "Cassandra protocol: the CRC-32 of a segment's payload is wrong");
    d->taken += bytes;
    return add_payload(d, at, &s, err) < 0 ? -1 : 1;
}

static int next_framed(struct cql_decoder *d, struct cql_header *ret_header, struct weir_str *ret_body, struct weir_error *err)
{
    for (;;) {
        int found = take_envelope(&d->payload, &d->given, ret_header, ret_body, err);
        if (found != 0)
            return found;
        found = take_segment(d, err);
        if (found <= 0)
            return found;
    }
}

// A server that has not this version answers in one that it has, with an ERROR.
static int check_version(const struct cql_decoder *d, const struct cql_header *header, struct weir_error *err)
{
    if (d->version && header->version != d->version && header->opcode != CQL_OP_ERROR)
        return weir_fail(err, WEIR_BAD_DATA, WEIR_RETRY, "Cassandra protocol: version %u where %u was agreed on", header->version, d->version);
    return 1;
}

int cql_decoder_next(struct cql_decoder *d, struct cql_header *ret_header, struct weir_str *ret_body, struct weir_error *err)
{
    struct cql_header header;
    struct weir_str body;
    int found = d->segmented ? next_framed(d, &header, &body, err) : next_unframed(d, &header, &body, err);
    if (found > 0)
        found = check_version(d, &header, err);
    if (found <= 0)
        return found;
    *ret_header = header;
    *ret_body = body;
    return 1;
}
