// SPDX-License-Identifier: Apache-2.0
// What logical types mean to a column. An instant keeps its time and a decimal its value whichever unit or scale the writer says; where the writer says
// none, the reader's is meant.
#include "base/number.h"
#include "base/time.h"
#include "format/avro_program.h"
#include <math.h>
#include <stdio.h>

enum { DECIMAL_BYTES_MAX = 64, DAY_MS = 86400000 };

static bool is_instant(enum weir_avro_logical logical)
{
    return logical == WEIR_AVRO_DATE || logical == WEIR_AVRO_TIMESTAMP_MILLIS || logical == WEIR_AVRO_TIMESTAMP_MICROS ||
           logical == WEIR_AVRO_TIMESTAMP_NANOS;
}

enum weir_avro_logical avro_meaning(const struct weir_avro_schema *writer, const struct weir_avro_schema *reader, uint32_t *ret_scale)
{
    bool decimal = writer->logical == WEIR_AVRO_DECIMAL && reader->logical == WEIR_AVRO_DECIMAL;
    *ret_scale = decimal ? writer->scale : reader->scale;
    return is_instant(reader->logical) && is_instant(writer->logical) ? writer->logical : reader->logical;
}

int64_t avro_instant_ms(enum weir_avro_logical logical, int64_t raw)
{
    int64_t ms;
    if (logical == WEIR_AVRO_TIMESTAMP_MICROS)
        return weir_floor_div(raw, 1000);
    if (logical == WEIR_AVRO_TIMESTAMP_NANOS)
        return weir_floor_div(raw, 1000000);
    if (logical != WEIR_AVRO_DATE)
        return raw;
    return __builtin_mul_overflow(raw, DAY_MS, &ms) ? INT64_MAX : ms;
}

bool avro_instant_raw(enum weir_avro_logical logical, int64_t ms, int64_t *ret)
{
    if (logical == WEIR_AVRO_DATE) {
        *ret = weir_floor_div(ms, DAY_MS);
        return true;
    }
    int64_t factor = logical == WEIR_AVRO_TIMESTAMP_MICROS ? 1000 : logical == WEIR_AVRO_TIMESTAMP_NANOS ? 1000000 : 1;
    return !__builtin_mul_overflow(ms, factor, ret);
}

// ---- decimals

// Divides a big-endian magnitude by ten in place; the remainder is the last digit.
static char take_digit(uint8_t *magnitude, uint32_t bytes)
{
    unsigned rest = 0;
    for (uint32_t i = 0; i < bytes; i++) {
        rest = rest << 8 | magnitude[i];
        magnitude[i] = (uint8_t)(rest / 10);
        rest %= 10;
    }
    return (char)('0' + rest);
}

static bool is_zero(const uint8_t *magnitude, uint32_t bytes)
{
    for (uint32_t i = 0; i < bytes; i++)
        if (magnitude[i])
            return false;
    return true;
}

// Through its digits, so that the nearest double comes out.
bool avro_decimal(struct weir_str bytes, uint32_t scale, double *ret)
{
    uint8_t magnitude[DECIMAL_BYTES_MAX];
    char text[DECIMAL_BYTES_MAX * 3 + 24];
    uint32_t at = DECIMAL_BYTES_MAX * 3, digits_end = at;
    if (bytes.bytes > DECIMAL_BYTES_MAX)
        return false;
    bool negative = bytes.bytes && (uint8_t)bytes.data[0] >= 0x80;
    unsigned carry = negative;
    for (uint32_t i = bytes.bytes; i-- > 0;) {
        unsigned byte = (negative ? (uint8_t)~bytes.data[i] : (uint8_t)bytes.data[i]) + carry;
        magnitude[i] = (uint8_t)byte;
        carry = byte >> 8;
    }
    weir_assert(!carry); // the lowest number's magnitude fits too
    do
        text[--at] = take_digit(magnitude, bytes.bytes);
    while (!is_zero(magnitude, bytes.bytes));
    if (negative)
        text[--at] = '-';
    int exponent = snprintf(text + digits_end, 24, "e-%u", scale);
    return weir_parse_f64((struct weir_str){text + at, digits_end - at + (uint32_t)exponent}, ret) == 0;
}

bool avro_decimal_bytes(double value, uint32_t scale, uint8_t ret[16], uint32_t *ret_bytes)
{
    double scaled = nearbyint(value * pow(10, scale));
    if (!(scaled > -1.6e38 && scaled < 1.6e38))
        return false;
    __int128 unscaled = (__int128)scaled;
    uint32_t bytes = 1;
    while (bytes < 16 && (unscaled >> (8 * bytes - 1)) != 0 && (unscaled >> (8 * bytes - 1)) != -1)
        bytes++;
    for (uint32_t i = 0; i < bytes; i++)
        ret[i] = (uint8_t)(unscaled >> (8 * (bytes - 1 - i)));
    *ret_bytes = bytes;
    return true;
}

// ---- durations: months, days and milliseconds, little-endian

struct weir_str avro_duration(struct weir_str bytes, struct weir_arena *arena)
{
    uint32_t parts[3];
    for (int i = 0; i < 3; i++) {
        const uint8_t *at = (const uint8_t *)bytes.data + 4 * i;
        parts[i] = (uint32_t)at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
    }
    return weir_str_of(weir_arena_format(arena, "P%uM%uDT%u.%03uS", parts[0], parts[1], parts[2] / 1000, parts[2] % 1000));
}
