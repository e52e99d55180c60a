// SPDX-License-Identifier: Apache-2.0
#include "base/uuid.h"

enum { TEXT_BYTES = 36 };

// The value of a hexadecimal digit plus one; 0 for anything else.
static const uint8_t digit_values[256] = {
    ['0'] = 1,  ['1'] = 2,  ['2'] = 3,  ['3'] = 4,  ['4'] = 5,  ['5'] = 6,  ['6'] = 7,  ['7'] = 8,  ['8'] = 9,  ['9'] = 10, ['a'] = 11,
    ['b'] = 12, ['c'] = 13, ['d'] = 14, ['e'] = 15, ['f'] = 16, ['A'] = 11, ['B'] = 12, ['C'] = 13, ['D'] = 14, ['E'] = 15, ['F'] = 16};

static const uint8_t byte_positions[16] = {0, 2, 4, 6, 9, 11, 14, 16, 19, 21, 24, 26, 28, 30, 32, 34};

int weir_uuid_parse(struct weir_str text, uint8_t ret[16])
{
    if (text.bytes != TEXT_BYTES)
        return -1;
    const uint8_t *t = (const uint8_t *)text.data;
    bool good = t[8] == '-' && t[13] == '-' && t[18] == '-' && t[23] == '-';
    uint8_t id[16];
    for (int i = 0; i < 16; i++) {
        unsigned high = digit_values[t[byte_positions[i]]], low = digit_values[t[byte_positions[i] + 1]];
        good &= high && low;
        id[i] = (uint8_t)((high - 1) << 4 | (low - 1));
    }
    if (!good)
        return -1;
    memcpy(ret, id, sizeof id);
    return 0;
}

bool weir_uuid_valid(struct weir_str text)
{
    uint8_t id[16];
    return weir_uuid_parse(text, id) == 0;
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
