// SPDX-License-Identifier: Apache-2.0
#include "base/uuid.h"

#ifdef __SSE2__
#include <emmintrin.h>
#endif

enum { TEXT_BYTES = 36 };

static const uint8_t byte_positions[16] = {0, 2, 4, 6, 9, 11, 14, 16, 19, 21, 24, 26, 28, 30, 32, 34};

#ifdef __SSE2__
// Sixteen hexadecimal digits become eight bytes, in the low half; *good is cleared where one is none.
static __m128i eight_bytes(__m128i text, bool *good)
{
    __m128i lower = _mm_or_si128(text, _mm_set1_epi8(0x20));
    __m128i digit = _mm_and_si128(_mm_cmpgt_epi8(text, _mm_set1_epi8('0' - 1)), _mm_cmplt_epi8(text, _mm_set1_epi8('9' + 1)));
    __m128i letter = _mm_and_si128(_mm_cmpgt_epi8(lower, _mm_set1_epi8('a' - 1)), _mm_cmplt_epi8(lower, _mm_set1_epi8('f' + 1)));
    *good &= _mm_movemask_epi8(_mm_or_si128(digit, letter)) == 0xffff;
    __m128i nibbles = _mm_or_si128(_mm_and_si128(digit, _mm_sub_epi8(text, _mm_set1_epi8('0'))),
                                   _mm_and_si128(letter, _mm_sub_epi8(lower, _mm_set1_epi8('a' - 10))));
    __m128i high = _mm_slli_epi16(_mm_and_si128(nibbles, _mm_set1_epi16(0x000f)), 4), low = _mm_srli_epi16(nibbles, 8);
    return _mm_packus_epi16(_mm_or_si128(high, low), _mm_setzero_si128());
}

static long long load64(const uint8_t *at)
{
    long long v;
    memcpy(&v, at, sizeof v);
    return v;
}

static long long load32_twice(const uint8_t *low, const uint8_t *high)
{
    uint32_t l, h;
    memcpy(&l, low, sizeof l);
    memcpy(&h, high, sizeof h);
    return (long long)((uint64_t)h << 32 | l);
}

// The digits of 36 characters, without the dashes between them.
static bool parse_digits(const uint8_t *t, uint8_t id[16])
{
    bool good = true;
    __m128i first = eight_bytes(_mm_set_epi64x(load32_twice(t + 9, t + 14), load64(t)), &good);
    __m128i second = eight_bytes(_mm_set_epi64x(load64(t + 28), load32_twice(t + 19, t + 24)), &good);
    _mm_storeu_si128((__m128i *)id, _mm_unpacklo_epi64(first, second));
    return good;
}
#else
// The value of a hexadecimal digit plus one; 0 for anything else.
static const uint8_t digit_values[256] = {
    ['0'] = 1,  ['1'] = 2,  ['2'] = 3,  ['3'] = 4,  ['4'] = 5,  ['5'] = 6,  ['6'] = 7,  ['7'] = 8,  ['8'] = 9,  ['9'] = 10, ['a'] = 11,
    ['b'] = 12, ['c'] = 13, ['d'] = 14, ['e'] = 15, ['f'] = 16, ['A'] = 11, ['B'] = 12, ['C'] = 13, ['D'] = 14, ['E'] = 15, ['F'] = 16};

static bool parse_digits(const uint8_t *t, uint8_t id[16])
{
    bool good = true;
    for (int i = 0; i < 16; i++) {
        unsigned high = digit_values[t[byte_positions[i]]], low = digit_values[t[byte_positions[i] + 1]];
        good &= high && low;
        id[i] = (uint8_t)((high - 1) << 4 | (low - 1));
    }
    return good;
}
#endif

int weir_uuid_parse(struct weir_str text, uint8_t ret[16])
{
    if (text.bytes != TEXT_BYTES)
        return -1;
    const uint8_t *t = (const uint8_t *)text.data;
    uint8_t id[16];
    bool good = parse_digits(t, id) & (t[8] == '-') & (t[13] == '-') & (t[18] == '-') & (t[23] == '-');
    if (!good)
        return -1;
    memcpy(ret, id, sizeof id);
    return 0;
}

typedef uint8_t bytes16 __attribute__((vector_size(16)));

// 0xff for each of 16 characters that is a dash where `dashes` says 0xff, and a hexadecimal digit elsewhere.
static inline bytes16 fitting(bytes16 c, bytes16 dashes)
{
    bytes16 digit = (bytes16)(c - '0' <= 9) | (bytes16)((c | 0x20) - 'a' <= 5);
    return (dashes & (bytes16)(c == '-')) | (~dashes & digit);
}

static inline bytes16 characters(const char *at)
{
    bytes16 c;
    memcpy(&c, at, sizeof c);
    return c;
}

static inline bool all_set(bytes16 flags)
{
    uint64_t halves[2];
    memcpy(halves, &flags, sizeof halves);
    return (halves[0] & halves[1]) == UINT64_MAX;
}

enum weir_uuid_form weir_uuid_form_of(struct weir_str text)
{
    static const bytes16 dashes_from_0 = {0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0, 0, 0, 0, 0xff, 0, 0};
    static const bytes16 dashes_from_16 = {0, 0, 0xff, 0, 0, 0, 0, 0xff};
    static const bytes16 dashes_from_20 = {0, 0, 0, 0xff};
    if (text.bytes != TEXT_BYTES)
        return WEIR_UUID_NONE;
    bytes16 a = characters(text.data), b = characters(text.data + 16), c = characters(text.data + 20);
    if (!all_set(fitting(a, dashes_from_0) & fitting(b, dashes_from_16) & fitting(c, dashes_from_20)))
        return WEIR_UUID_NONE;
    bytes16 lower = (bytes16)((a & 0x60) != 0x40) & (bytes16)((b & 0x60) != 0x40) & (bytes16)((c & 0x60) != 0x40);
    return all_set(lower) ? WEIR_UUID_CANONICAL : WEIR_UUID_UPPER_CASE;
}

void weir_uuid_format(const uint8_t id[16], char out[37])
{
    static const char digits[] = "0123456789abcdef";
    memcpy(out, "00000000-0000-0000-0000-000000000000", 37);
    for (int i = 0; i < 16; i++) {
        out[byte_positions[i]] = digits[id[i] >> 4];
        out[byte_positions[i] + 1] = digits[id[i] & 15];
    }
}
