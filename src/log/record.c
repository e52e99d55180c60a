// SPDX-License-Identifier: Apache-2.0
#include "log/record.h"

#include "base/hash.h"
#include <endian.h>

// Where the header's fields are, in bytes from the batch's start.
enum {
    AT_BASE_OFFSET = 0,
    AT_LENGTH = 8,
    AT_LEADER_EPOCH = 12,
    AT_MAGIC = 16,
    AT_CRC = 17,
    AT_ATTRIBUTES = 21,
    AT_LAST_DELTA = 23,
    AT_BASE_TIMESTAMP = 27,
    AT_MAX_TIMESTAMP = 35,
    AT_PRODUCER_ID = 43,
    AT_PRODUCER_EPOCH = 51,
    AT_BASE_SEQUENCE = 53,
    AT_COUNT = 57,
};
enum { MAGIC = 2, COMPRESSION_BITS = 7, VARINT_BYTES_MAX = 10, RECORD_BYTES_MIN = 7 };

static void store16(uint8_t *at, uint16_t value)
{
    value = htobe16(value);
    memcpy(at, &value, sizeof value);
}

static void store32(uint8_t *at, uint32_t value)
{
    value = htobe32(value);
    memcpy(at, &value, sizeof value);
}

static void store64(uint8_t *at, uint64_t value)
{
    value = htobe64(value);
    memcpy(at, &value, sizeof value);
}

static uint32_t load32(const char *at)
{
    uint32_t value;
    memcpy(&value, at, sizeof value);
    return be32toh(value);
}

static uint64_t load64(const char *at)
{
    uint64_t value;
    memcpy(&value, at, sizeof value);
    return be64toh(value);
}

// ---- building

void weir_batch_writer_begin(struct weir_batch_writer *w)
{
    w->bytes.bytes = 0;
    memset(weir_buffer_reserve(&w->bytes, WEIR_BATCH_HEADER_BYTES), 0, WEIR_BATCH_HEADER_BYTES);
    w->bytes.bytes = WEIR_BATCH_HEADER_BYTES;
    w->base_timestamp_ms = w->max_timestamp_ms = 0;
    w->count = 0;
}

static uint64_t zigzag(int64_t value)
{
    return (uint64_t)value << 1 ^ (uint64_t)(value >> 63);
}

static uint8_t *put_zigzag(uint8_t *at, int64_t value)
{
    uint64_t left = zigzag(value);
    while (left >= 0x80) {
        *at++ = (uint8_t)(left | 0x80);
        left >>= 7;
    }
    *at++ = (uint8_t)left;
    return at;
}

static uint32_t zigzag_bytes(int64_t value)
{
    uint64_t significant = zigzag(value) | 1;
    return (70 - (uint32_t)__builtin_clzll(significant)) / 7;
}

static uint8_t *put_bytes(uint8_t *at, struct weir_str text, bool null)
{
    if (null)
        return put_zigzag(at, -1);
    at = put_zigzag(at, text.bytes);
    if (text.bytes)
        memcpy(at, text.data, text.bytes);
    return at + text.bytes;
}

static uint32_t bytes_size(struct weir_str text, bool null)
{
    return null ? 1 : zigzag_bytes(text.bytes) + text.bytes;
}

void weir_batch_writer_add(struct weir_batch_writer *w, int64_t timestamp_ms, struct weir_str key, bool null_key, struct weir_str value,
                           bool null_value)
{
    if (w->count == 0)
        w->base_timestamp_ms = w->max_timestamp_ms = timestamp_ms;
    if (timestamp_ms > w->max_timestamp_ms)
        w->max_timestamp_ms = timestamp_ms;
    int64_t timestamp_delta = (int64_t)((uint64_t)timestamp_ms - (uint64_t)w->base_timestamp_ms);
    uint32_t body_bytes = 2 + zigzag_bytes(timestamp_delta) + zigzag_bytes(w->count) + bytes_size(key, null_key) + bytes_size(value, null_value);
    uint8_t *start = weir_buffer_reserve(&w->bytes, VARINT_BYTES_MAX + (size_t)body_bytes);
    uint8_t *at = put_zigzag(start, body_bytes);
    *at++ = 0; // attributes
    at = put_zigzag(at, timestamp_delta);
    at = put_zigzag(at, w->count);
    at = put_bytes(at, key, null_key);
    at = put_bytes(at, value, null_value);
    *at++ = 0; // headers
    w->bytes.bytes += (size_t)(at - start);
    w->count++;
}

void weir_batch_writer_end(struct weir_batch_writer *w)
{
    weir_assert(w->count > 0 && w->bytes.bytes <= INT32_MAX);
    uint8_t *header = w->bytes.data;
    store32(header + AT_LENGTH, (uint32_t)w->bytes.bytes - AT_LEADER_EPOCH);
    header[AT_MAGIC] = MAGIC;
    store16(header + AT_ATTRIBUTES, 0);
    store32(header + AT_LAST_DELTA, (uint32_t)w->count - 1);
    store64(header + AT_BASE_TIMESTAMP, (uint64_t)w->base_timestamp_ms);
    store64(header + AT_MAX_TIMESTAMP, (uint64_t)w->max_timestamp_ms);
    store64(header + AT_PRODUCER_ID, UINT64_MAX); // -1: not idempotent
    store16(header + AT_PRODUCER_EPOCH, UINT16_MAX);
    store32(header + AT_BASE_SEQUENCE, UINT32_MAX);
    store32(header + AT_COUNT, (uint32_t)w->count);
    store32(header + AT_CRC, weir_crc32c(0, header + AT_ATTRIBUTES, w->bytes.bytes - AT_ATTRIBUTES));
}

void weir_batch_writer_drop(struct weir_batch_writer *w)
{
    weir_buffer_drop(&w->bytes);
    *w = (struct weir_batch_writer){0};
}

void weir_batch_set_base_offset(uint8_t *batch, int64_t offset)
{
    store64(batch + AT_BASE_OFFSET, (uint64_t)offset);
}

// ---- reading

static int bad_batch(struct weir_error *err, const char *what)
{
    return weir_fail(err, WEIR_BAD_DATA, WEIR_STOP, "damaged record batch: %s", what);
}

int weir_batch_peek(struct weir_str bytes, struct weir_batch_info *ret, struct weir_error *err)
{
    if (bytes.bytes < WEIR_BATCH_HEADER_BYTES)
        return bad_batch(err, "it is shorter than its header");
    const char *at = bytes.data;
    int32_t length = (int32_t)load32(at + AT_LENGTH);
    int32_t count = (int32_t)load32(at + AT_COUNT), last_delta = (int32_t)load32(at + AT_LAST_DELTA);
    int64_t base_offset = (int64_t)load64(at + AT_BASE_OFFSET);
    if (at[AT_MAGIC] != MAGIC)
        return weir_fail(err, WEIR_BAD_DATA, WEIR_STOP, "damaged record batch: its version is %d, not 2", at[AT_MAGIC]);
    if (length < WEIR_BATCH_HEADER_BYTES - AT_LEADER_EPOCH || (uint32_t)length > bytes.bytes - AT_LEADER_EPOCH)
        return bad_batch(err, "it is cut short");
    if (count < 0 || last_delta < 0 || count > (int64_t)last_delta + 1)
        return bad_batch(err, "its number of records makes no sense");
    if (base_offset < 0 || base_offset > INT64_MAX - last_delta - 1)
        return bad_batch(err, "its offset makes no sense");
    *ret = (struct weir_batch_info){.base_offset = base_offset,
                                    .last_offset = base_offset + last_delta,
                                    .max_timestamp_ms = (int64_t)load64(at + AT_MAX_TIMESTAMP),
                                    .count = count,
                                    .total_bytes = (uint32_t)length + AT_LEADER_EPOCH};
    return 0;
}

int weir_batch_verify(struct weir_str bytes, struct weir_batch_info *ret, struct weir_error *err)
{
    struct weir_batch_info info;
    if (weir_batch_peek(bytes, &info, err) < 0)
        return -1;
    uint32_t crc = weir_crc32c(0, bytes.data + AT_ATTRIBUTES, info.total_bytes - AT_ATTRIBUTES);
    if (crc != load32(bytes.data + AT_CRC))
        return bad_batch(err, "its checksum does not match");
    if (bytes.data[AT_ATTRIBUTES + 1] & COMPRESSION_BITS)
        return weir_fail(err, WEIR_BAD_DATA, WEIR_STOP, "record batch at offset %lld is compressed", (long long)info.base_offset);
    if (info.count > (int64_t)(info.total_bytes - WEIR_BATCH_HEADER_BYTES) / RECORD_BYTES_MIN)
        return bad_batch(err, "it has fewer bytes than records");
    *ret = info;
    return 0;
}

void weir_batch_walk_begin(struct weir_batch_walk *w, struct weir_str batch)
{
    const uint8_t *data = (const uint8_t *)batch.data;
    uint32_t total_bytes = load32(batch.data + AT_LENGTH) + AT_LEADER_EPOCH;
    weir_assert(total_bytes >= WEIR_BATCH_HEADER_BYTES && total_bytes <= batch.bytes);
    w->cursor = (struct weir_cursor){.at = data + WEIR_BATCH_HEADER_BYTES, .end = data + total_bytes};
    w->base_offset = (int64_t)load64(batch.data + AT_BASE_OFFSET);
    w->base_timestamp_ms = (int64_t)load64(batch.data + AT_BASE_TIMESTAMP);
    w->left = (int32_t)load32(batch.data + AT_COUNT);
}

// Lengths are mostly one byte.
static inline int64_t take_zigzag(struct weir_cursor *c)
{
    if (c->at < c->end && *c->at < 0x80) {
        uint64_t value = *c->at++;
        return (int64_t)(value >> 1 ^ -(value & 1));
    }
    return weir_cursor_zigzag(c);
}

static inline struct weir_str take_bytes(struct weir_cursor *c, bool *ret_null)
{
    int64_t bytes = take_zigzag(c);
    *ret_null = bytes == -1;
    if (bytes == -1)
        return (struct weir_str){"", 0};
    if (bytes < -1 || bytes > c->end - c->at) {
        c->bad = true;
        return (struct weir_str){"", 0};
    }
    struct weir_str taken = {(const char *)c->at, (uint32_t)bytes};
    c->at += bytes;
    return taken;
}

static void skip_headers(struct weir_cursor *c)
{
    int64_t count = take_zigzag(c);
    if (count < 0 || count > c->end - c->at)
        c->bad = true;
    for (int64_t i = 0; i < count && !c->bad; i++) {
        bool null;
        take_bytes(c, &null);
        take_bytes(c, &null);
    }
}

int weir_batch_walk_next(struct weir_batch_walk *w, struct weir_record *ret)
{
    if (w->left == 0)
        return w->cursor.at == w->cursor.end && !w->cursor.bad ? 0 : -1;
    int64_t bytes = take_zigzag(&w->cursor);
    if (w->cursor.bad || bytes < 1 || bytes > w->cursor.end - w->cursor.at)
        return -1;
    struct weir_cursor body = {.at = w->cursor.at, .end = w->cursor.at + bytes};
    weir_cursor_byte(&body); // attributes: none are defined
    int64_t timestamp_delta = take_zigzag(&body), offset_delta = take_zigzag(&body);
    struct weir_record record = {.offset = (int64_t)((uint64_t)w->base_offset + (uint64_t)offset_delta),
                                 .timestamp_ms = (int64_t)((uint64_t)w->base_timestamp_ms + (uint64_t)timestamp_delta)};
    record.key = take_bytes(&body, &record.null_key);
    record.value = take_bytes(&body, &record.null_value);
    skip_headers(&body);
    if (body.bad || body.at != body.end || offset_delta < 0 || offset_delta > INT32_MAX)
        return -1;
    w->cursor.at += bytes;
    w->left--;
    *ret = record;
    return 1;
}
