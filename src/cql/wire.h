// SPDX-License-Identifier: Apache-2.0
// The bytes of Cassandra's native protocol, versions 4 and 5: primitive values, frames, segments, tokens. Pure functions; nothing here knows a
// socket, a thread or a clock. Source: cassandra.apache.org/doc, native_protocol_v4.spec and native_protocol_v5.spec (section numbers of the latter).
//
//   envelope (§2)  version u8 (0x80: response) | flags u8 | stream i16 | opcode u8 | body length u32, all big-endian | body
//   segment (§2.2) v5, after STARTUP is answered: header (little-endian: payload length 17 bits, self-contained 1 bit; with LZ4 compressed length 17 bits,
//                  uncompressed length 17 bits, self-contained 1 bit) | CRC-24 of it | payload of at most 131,071 bytes | CRC-32 of it (little-endian)
//
// In v4 a body may be LZ4-compressed (flag 0x01): uncompressed length u32 big-endian, then the block. In v5 segments are compressed instead.
#pragma once
#include "base/buffer.h"
#include "base/error.h"
#include <stdbool.h>

enum cql_version { CQL_V4 = 4, CQL_V5 = 5 };

enum cql_opcode {
    CQL_OP_ERROR = 0x00,
    CQL_OP_STARTUP = 0x01,
    CQL_OP_READY = 0x02,
    CQL_OP_AUTHENTICATE = 0x03,
    CQL_OP_OPTIONS = 0x05,
    CQL_OP_SUPPORTED = 0x06,
    CQL_OP_QUERY = 0x07,
    CQL_OP_RESULT = 0x08,
    CQL_OP_PREPARE = 0x09,
    CQL_OP_EXECUTE = 0x0a,
    CQL_OP_REGISTER = 0x0b,
    CQL_OP_EVENT = 0x0c,
    CQL_OP_BATCH = 0x0d,
    CQL_OP_AUTH_CHALLENGE = 0x0e,
    CQL_OP_AUTH_RESPONSE = 0x0f,
    CQL_OP_AUTH_SUCCESS = 0x10,
};

enum cql_consistency { // §3
    CQL_ANY = 0,
    CQL_ONE = 1,
    CQL_TWO = 2,
    CQL_THREE = 3,
    CQL_QUORUM = 4,
    CQL_ALL = 5,
    CQL_LOCAL_QUORUM = 6,
    CQL_EACH_QUORUM = 7,
    CQL_SERIAL = 8,
    CQL_LOCAL_SERIAL = 9,
    CQL_LOCAL_ONE = 10,
};
const char *cql_consistency_name(enum cql_consistency c);
int cql_consistency_parse(struct weir_str name, enum cql_consistency *ret); // -1: no such level

enum { CQL_HEADER_BYTES = 9, CQL_BODY_BYTES_MAX = 256 << 20 };
enum { CQL_FLAG_COMPRESSED = 0x01, CQL_FLAG_TRACING = 0x02, CQL_FLAG_CUSTOM_PAYLOAD = 0x04, CQL_FLAG_WARNING = 0x08, CQL_FLAG_BETA = 0x10 };

struct cql_header {
    uint8_t version; // 4 or 5, without the direction bit
    bool response;
    uint8_t flags;
    int16_t stream;
    enum cql_opcode opcode;
    uint32_t body_bytes;
};

// ---- primitives (§3), appended; [int], [short] and so on are the specification's names. Hot: inline, straight into the buffer.

static inline uint8_t *cql_room(struct weir_buffer *b, size_t bytes)
{
    return b->capacity - b->bytes >= bytes ? b->data + b->bytes : weir_buffer_reserve(b, bytes);
}
static inline void cql_store16(uint8_t *at, uint16_t v)
{
    v = __builtin_bswap16(v);
    memcpy(at, &v, sizeof v);
}
static inline void cql_store32(uint8_t *at, uint32_t v)
{
    v = __builtin_bswap32(v);
    memcpy(at, &v, sizeof v);
}
static inline void cql_store64(uint8_t *at, uint64_t v)
{
    v = __builtin_bswap64(v);
    memcpy(at, &v, sizeof v);
}

static inline void cql_put_short(struct weir_buffer *b, uint16_t v)
{
    cql_store16(cql_room(b, sizeof v), v);
    b->bytes += sizeof v;
}
static inline void cql_put_int(struct weir_buffer *b, int32_t v)
{
    cql_store32(cql_room(b, sizeof v), (uint32_t)v);
    b->bytes += sizeof v;
}
static inline void cql_put_long(struct weir_buffer *b, int64_t v)
{
    cql_store64(cql_room(b, sizeof v), (uint64_t)v);
    b->bytes += sizeof v;
}
void cql_put_string(struct weir_buffer *b, struct weir_str s);      // [string]: at most 65,535 bytes (asserted)
void cql_put_long_string(struct weir_buffer *b, struct weir_str s); // [long string]
void cql_put_bytes(struct weir_buffer *b, struct weir_str s);       // [bytes], also a [value]: at most 256 MB (asserted)
void cql_put_short_bytes(struct weir_buffer *b, struct weir_str s); // [short bytes]
void cql_put_string_map(struct weir_buffer *b, uint32_t count, const char *const (*pairs)[2]);

static inline struct weir_cursor cql_cursor(struct weir_str s)
{
    const uint8_t *at = s.bytes ? (const uint8_t *)s.data : (const uint8_t *)"";
    return (struct weir_cursor){at, at + s.bytes, false};
}
struct weir_str cql_take_string(struct weir_cursor *c);
struct weir_str cql_take_long_string(struct weir_cursor *c);
bool cql_take_bytes(struct weir_cursor *c, struct weir_str *ret); // false: null
struct weir_str cql_take_short_bytes(struct weir_cursor *c);
uint16_t cql_take_short(struct weir_cursor *c);
int32_t cql_take_int(struct weir_cursor *c);
int64_t cql_take_long(struct weir_cursor *c);

// ---- values as statements bind them: length i32 and bytes

static inline void cql_bind_null(struct weir_buffer *b)
{
    cql_put_int(b, -1);
}
static inline void cql_bind_unset(struct weir_buffer *b) // leaves what the column holds
{
    cql_put_int(b, -2);
}
static inline void cql_bind_boolean(struct weir_buffer *b, bool v)
{
    uint8_t *at = cql_room(b, 5);
    cql_store32(at, 1);
    at[4] = v;
    b->bytes += 5;
}
static inline void cql_bind_int(struct weir_buffer *b, int32_t v)
{
    uint8_t *at = cql_room(b, 8);
    cql_store32(at, 4);
    cql_store32(at + 4, (uint32_t)v);
    b->bytes += 8;
}
static inline void cql_bind_bigint(struct weir_buffer *b, int64_t v) // and timestamp, in ms since 1970
{
    uint8_t *at = cql_room(b, 12);
    cql_store32(at, 8);
    cql_store64(at + 4, (uint64_t)v);
    b->bytes += 12;
}
static inline void cql_bind_float(struct weir_buffer *b, float v)
{
    uint32_t bits;
    memcpy(&bits, &v, sizeof bits);
    cql_bind_int(b, (int32_t)bits);
}
static inline void cql_bind_double(struct weir_buffer *b, double v)
{
    uint64_t bits;
    memcpy(&bits, &v, sizeof bits);
    cql_bind_bigint(b, (int64_t)bits);
}
static inline void cql_bind_text(struct weir_buffer *b, struct weir_str v)
{
    uint8_t *at = cql_room(b, 4 + (size_t)v.bytes);
    cql_store32(at, v.bytes);
    if (v.bytes)
        memcpy(at + 4, v.data, v.bytes);
    b->bytes += 4 + (size_t)v.bytes;
}
int cql_bind_uuid(struct weir_buffer *b, struct weir_str text); // 36 characters, either case; -1: no uuid (nothing is appended)

// ---- types of result columns (§4.2.5.2)

enum cql_type {
    CQL_CUSTOM = 0x00,
    CQL_ASCII = 0x01,
    CQL_BIGINT = 0x02,
    CQL_BLOB = 0x03,
    CQL_BOOLEAN = 0x04,
    CQL_COUNTER = 0x05,
    CQL_DECIMAL = 0x06,
    CQL_DOUBLE = 0x07,
    CQL_FLOAT = 0x08,
    CQL_INT = 0x09,
    CQL_TIMESTAMP = 0x0b,
    CQL_UUID = 0x0c,
    CQL_VARCHAR = 0x0d,
    CQL_VARINT = 0x0e,
    CQL_TIMEUUID = 0x0f,
    CQL_INET = 0x10,
    CQL_DATE = 0x11,
    CQL_TIME = 0x12,
    CQL_SMALLINT = 0x13,
    CQL_TINYINT = 0x14,
    CQL_DURATION = 0x15,
    CQL_LIST = 0x20,
    CQL_MAP = 0x21,
    CQL_SET = 0x22,
    CQL_UDT = 0x30,
    CQL_TUPLE = 0x31,
};
// Types without parameters have a name; of the others only the head is kept and cells are bytes.
const char *cql_type_name(enum cql_type type);
// Passes one [option] (nested ones too, to a bounded depth); the cursor turns bad where it makes no sense.
enum cql_type cql_take_type(struct weir_cursor *c);

// Cells. False: the cell's length is none of the type's.
bool cql_cell_boolean(struct weir_str cell, bool *ret);
bool cql_cell_int(struct weir_str cell, int32_t *ret);
bool cql_cell_bigint(struct weir_str cell, int64_t *ret);
bool cql_cell_float(struct weir_str cell, float *ret);
bool cql_cell_double(struct weir_str cell, double *ret);
bool cql_cell_uuid(struct weir_str cell, char ret_text[37]);
bool cql_cell_inet(struct weir_str cell, char ret_text[46]);
// A list or set of cells (§6.15): begin gives the count, then take_bytes each.
bool cql_cell_list(struct weir_str cell, struct weir_cursor *ret, int32_t *ret_count);

// ---- envelopes

// Starts an envelope at the end of `out` (body length open) and returns where it starts; finish fills the length in and, where `lz4`, compresses
// the body (v4 only).
size_t cql_envelope_begin(struct weir_buffer *out, enum cql_version version, bool response, uint8_t flags, int16_t stream, enum cql_opcode opcode);
void cql_envelope_end(struct weir_buffer *out, size_t start, bool lz4);
void cql_envelope_set_stream(uint8_t *envelope, int16_t stream); // in place
// Looks at nine bytes. Fails (WEIR_BAD_DATA) on a version that is neither, an unknown opcode, a body longer than the protocol's 256 MB.
int cql_header_parse(const uint8_t *bytes, struct cql_header *ret, struct weir_error *err);
// A v4 body with CQL_FLAG_COMPRESSED, unpacked into `out` (replaced). Lengths are checked before memory is taken.
int cql_body_inflate(struct weir_str body, struct weir_buffer *out, struct weir_error *err);

// ---- segments (v5)

enum { CQL_SEGMENT_PAYLOAD_MAX = 131071 };

uint32_t cql_crc24(const uint8_t *header, unsigned bytes); // of the 3 or 5 header bytes
uint32_t cql_crc32(struct weir_str payload);               // fed FA 2D 55 CA first

// Cuts envelopes (whole, one after another) into segments and appends those to `out`: small envelopes share self-contained segments, a large one
// takes several that are not.
void cql_segments_put(struct weir_buffer *out, struct weir_str envelopes, bool lz4);

// Takes bytes as they come from a socket and gives envelopes. One decoder a connection.
struct cql_decoder {
    enum cql_version version;    // envelopes of another are refused, ERROR aside; 0: either will do
    bool segmented, lz4;         // as of now; the connection switches them on behind STARTUP
    struct weir_buffer received; // not yet taken apart
    size_t taken;                // of it
    struct weir_buffer payload;  // v5: envelopes out of segments, not yet given
    size_t given;                // of it
    struct weir_buffer inflated; // v4: the last compressed body
};

void cql_decoder_init(struct cql_decoder *d);
void cql_decoder_drop(struct cql_decoder *d);
// Where the next bytes from the socket may go, and how many came.
uint8_t *cql_decoder_room(struct cql_decoder *d, size_t bytes);
void cql_decoder_came(struct cql_decoder *d, size_t bytes);
// 1: an envelope, its body valid until the next call; 0: more bytes are needed; -1: the stream is broken (CRC, lengths, version) and must be closed.
int cql_decoder_next(struct cql_decoder *d, struct cql_header *ret_header, struct weir_str *ret_body, struct weir_error *err);

// ---- tokens

// Murmur3 as Cassandra's Murmur3Partitioner has it (signed tail bytes, the first half, INT64_MIN becomes INT64_MAX) of a partition key: one column's
// value as it is; of several each as length u16 | value | 0. The empty key, which no table takes, has INT64_MIN.
int64_t cql_token(struct weir_str key);
// Adds a component of a partition key of several columns: at most 65,535 bytes (asserted), which is all that Cassandra takes in a key.
void cql_key_component(struct weir_buffer *key, struct weir_str value);
