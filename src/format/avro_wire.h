// SPDX-License-Identifier: Apache-2.0
// Avro's binary encoding, one value at a time (specification, "Binary Encoding"). Every reader takes where it is and where the bytes end, and gives
// where it is then, or NULL after setting *fault.
#pragma once
#include "base/str.h"
#include <stddef.h>

enum avro_fault {
    AVRO_FINE,
    AVRO_CUT,      // the bytes end inside a value
    AVRO_VARINT,   // an integer of more than 64 bits
    AVRO_RANGE,    // an int of more than 32 bits
    AVRO_LENGTH,   // a negative length
    AVRO_BOOLEAN,  // neither 0 nor 1
    AVRO_BRANCH,   // no such branch of the union
    AVRO_SYMBOL,   // no such symbol of the enum, or none the reader knows
    AVRO_DEEP,     // nested too deep, or too many empty items
    AVRO_TRAILING, // bytes after the end of the record
    AVRO_DECIMAL,  // a decimal of too many bytes
    AVRO_REFUSED,  // a value that the reader's schema does not take
};

#define AVRO_INLINE static inline __attribute__((always_inline))

const uint8_t *avro_varint_bytewise(const uint8_t *at, const uint8_t *end, uint64_t *ret, enum avro_fault *fault);

// Up to eight bytes at once: the stop bit ends the number, the 7-bit groups are pushed together in three steps.
AVRO_INLINE const uint8_t *avro_varint(const uint8_t *at, const uint8_t *end, uint64_t *ret, enum avro_fault *fault)
{
    if (__builtin_expect(at < end && *at < 0x80, 1)) {
        *ret = *at;
        return at + 1;
    }
    uint64_t word, stop;
    if (end - at < 8 || (memcpy(&word, at, 8), stop = ~word & 0x8080808080808080, stop == 0) || __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__)
        return avro_varint_bytewise(at, end, ret, fault);
    word &= stop ^ (stop - 1);
    word = (word & 0x007f007f007f007f) | (word & 0x7f007f007f007f00) >> 1;
    word = (word & 0x00003fff00003fff) | (word & 0x3fff00003fff0000) >> 2;
    *ret = (word & 0x000000000fffffff) | (word & 0x0fffffff00000000) >> 4;
    return at + (__builtin_ctzll(stop) >> 3) + 1;
}

AVRO_INLINE const uint8_t *avro_long(const uint8_t *at, const uint8_t *end, int64_t *ret, enum avro_fault *fault)
{
    uint64_t raw;
    at = avro_varint(at, end, &raw, fault);
    if (at)
        *ret = (int64_t)(raw >> 1 ^ -(raw & 1));
    return at;
}

AVRO_INLINE const uint8_t *avro_int(const uint8_t *at, const uint8_t *end, int64_t *ret, enum avro_fault *fault)
{
    at = avro_long(at, end, ret, fault);
    if (__builtin_expect(at && *ret != (int32_t)*ret, 0)) {
        *fault = AVRO_RANGE;
        return NULL;
    }
    return at;
}

AVRO_INLINE const uint8_t *avro_boolean(const uint8_t *at, const uint8_t *end, int64_t *ret, enum avro_fault *fault)
{
    if (__builtin_expect(at == end || *at > 1, 0)) {
        *fault = at == end ? AVRO_CUT : AVRO_BOOLEAN;
        return NULL;
    }
    *ret = *at;
    return at + 1;
}

AVRO_INLINE const uint8_t *avro_skip_fixed(const uint8_t *at, const uint8_t *end, uint64_t bytes, enum avro_fault *fault)
{
    if (__builtin_expect((uint64_t)(end - at) < bytes, 0)) {
        *fault = AVRO_CUT;
        return NULL;
    }
    return at + bytes;
}

AVRO_INLINE const uint8_t *avro_float(const uint8_t *at, const uint8_t *end, double *ret, enum avro_fault *fault)
{
    const uint8_t *after = avro_skip_fixed(at, end, 4, fault);
    if (after) {
        uint32_t bits = (uint32_t)at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
        float value;
        memcpy(&value, &bits, sizeof value);
        *ret = (double)value;
    }
    return after;
}

AVRO_INLINE const uint8_t *avro_double(const uint8_t *at, const uint8_t *end, double *ret, enum avro_fault *fault)
{
    const uint8_t *after = avro_skip_fixed(at, end, 8, fault);
    if (after) {
        uint64_t bits = 0;
        for (int i = 0; i < 8; i++)
            bits |= (uint64_t)at[i] << (8 * i);
        memcpy(ret, &bits, sizeof bits);
    }
    return after;
}

// Bytes and strings; a view into the record.
AVRO_INLINE const uint8_t *avro_bytes(const uint8_t *at, const uint8_t *end, struct weir_str *ret, enum avro_fault *fault)
{
    uint64_t raw;
    at = avro_varint(at, end, &raw, fault);
    if (__builtin_expect(!at, 0))
        return NULL;
    if (__builtin_expect(raw & 1 || raw >> 1 > (uint64_t)(end - at), 0)) {
        *fault = raw & 1 ? AVRO_LENGTH : AVRO_CUT;
        return NULL;
    }
    *ret = (struct weir_str){(const char *)at, (uint32_t)(raw >> 1)};
    return at + (raw >> 1);
}

// The index of a union's branch or an enum's symbol, below `count`; otherwise the fault is `beyond`.
AVRO_INLINE const uint8_t *avro_index(const uint8_t *at, const uint8_t *end, uint32_t count, uint32_t *ret, enum avro_fault beyond,
                                      enum avro_fault *fault)
{
    uint64_t raw;
    at = avro_varint(at, end, &raw, fault);
    if (__builtin_expect(at && (raw & 1 || raw >> 1 >= count), 0)) {
        *fault = beyond;
        return NULL;
    }
    if (at)
        *ret = (uint32_t)(raw >> 1);
    return at;
}
