// SPDX-License-Identifier: Apache-2.0
#include "cql/wire.h"
#include <lz4.h>

enum { AT_FLAGS = 1, AT_STREAM = 2, AT_LENGTH = 5, RESPONSE = 0x80 };
enum { LZ4_LENGTH_BYTES = 4, LZ4_RATIO_MAX = 255, COMPRESS_BYTES_MIN = 128 };

size_t cql_envelope_begin(struct weir_buffer *out, enum cql_version version, bool response, uint8_t flags, int16_t stream, enum cql_opcode opcode)
{
    size_t start = out->bytes;
    uint8_t *at = cql_room(out, CQL_HEADER_BYTES);
    at[0] = (uint8_t)(version | (response ? RESPONSE : 0));
    at[AT_FLAGS] = flags;
    cql_store16(at + AT_STREAM, (uint16_t)stream);
    at[4] = (uint8_t)opcode;
    cql_store32(at + AT_LENGTH, 0);
    out->bytes += CQL_HEADER_BYTES;
    return start;
}

// Packs the body in place where that makes it smaller: behind it first, then over it.
static void compress_body(struct weir_buffer *out, size_t start)
{
    size_t body_bytes = out->bytes - start - CQL_HEADER_BYTES;
    if (body_bytes < COMPRESS_BYTES_MIN)
        return;
    int room = LZ4_compressBound((int)body_bytes);
    uint8_t *packed = weir_buffer_reserve(out, (size_t)room), *body = out->data + start + CQL_HEADER_BYTES;
    int bytes = LZ4_compress_default((const char *)body, (char *)packed, (int)body_bytes, room);
    weir_assert(bytes > 0);
    if ((size_t)bytes + LZ4_LENGTH_BYTES >= body_bytes)
        return;
    cql_store32(body, (uint32_t)body_bytes);
    memmove(body + LZ4_LENGTH_BYTES, packed, (size_t)bytes);
    out->data[start + AT_FLAGS] |= CQL_FLAG_COMPRESSED;
    out->bytes = start + CQL_HEADER_BYTES + LZ4_LENGTH_BYTES + (size_t)bytes;
}

void cql_envelope_end(struct weir_buffer *out, size_t start, bool lz4)
{
    weir_assert(out->bytes - start >= CQL_HEADER_BYTES && out->bytes - start - CQL_HEADER_BYTES <= CQL_BODY_BYTES_MAX);
    if (lz4)
        compress_body(out, start);
    cql_store32(out->data + start + AT_LENGTH, (uint32_t)(out->bytes - start - CQL_HEADER_BYTES));
}

void cql_envelope_set_stream(uint8_t *envelope, int16_t stream)
{
    cql_store16(envelope + AT_STREAM, (uint16_t)stream);
}

static bool opcode_known(uint8_t opcode)
{
    return opcode <= CQL_OP_AUTH_SUCCESS && opcode != 0x04;
}

int cql_header_parse(const uint8_t *bytes, struct cql_header *ret, struct weir_error *err)
{
    struct weir_cursor c = {bytes, bytes + CQL_HEADER_BYTES, false};
    uint8_t version = weir_cursor_byte(&c), flags = weir_cursor_byte(&c);
    int16_t stream = (int16_t)cql_take_short(&c);
    uint8_t opcode = weir_cursor_byte(&c);
    uint32_t body_bytes = weir_cursor_be32(&c);
    if ((version & ~RESPONSE) != CQL_V4 && (version & ~RESPONSE) != CQL_V5)
        return weir_fail(err, WEIR_BAD_DATA, WEIR_RETRY, "Cassandra protocol: version %u is neither 4 nor 5", version & ~RESPONSE);
    if (!opcode_known(opcode))
        return weir_fail(err, WEIR_BAD_DATA, WEIR_RETRY, "Cassandra protocol: unknown opcode 0x%02x", opcode);
    if (body_bytes > CQL_BODY_BYTES_MAX)
        return weir_fail(err, WEIR_BAD_DATA, WEIR_RETRY, "Cassandra protocol: a body of %u bytes, at most %d are allowed", body_bytes,
                         CQL_BODY_BYTES_MAX);
    *ret = (struct cql_header){(uint8_t)(version & ~RESPONSE), version & RESPONSE, flags, stream, (enum cql_opcode)opcode, body_bytes};
    return 0;
}

int cql_body_inflate(struct weir_str body, struct weir_buffer *out, struct weir_error *err)
{
    struct weir_cursor c = cql_cursor(body);
    uint32_t bytes = weir_cursor_be32(&c);
    size_t packed = (size_t)(c.end - c.at);
    if (c.bad || bytes > CQL_BODY_BYTES_MAX || bytes > packed * LZ4_RATIO_MAX)
        return weir_fail(err, WEIR_BAD_DATA, WEIR_RETRY, "Cassandra protocol: %zu compressed bytes cannot hold a body of %u", packed, bytes);
    out->bytes = 0;
    char *room = (char *)weir_buffer_reserve(out, bytes ? bytes : 1);
    if (LZ4_decompress_safe((const char *)c.at, room, (int)packed, (int)bytes) != (int)bytes)
        return weir_fail(err, WEIR_BAD_DATA, WEIR_RETRY, "Cassandra protocol: a compressed body is damaged");
    out->bytes = bytes;
    return 0;
}
