// SPDX-License-Identifier: Apache-2.0
// Base64 for URLs: RFC 4648, section 5, without padding.
#include "http/inside.h"

static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

void http_base64_add(struct weir_buffer *out, struct weir_str bytes)
{
    for (uint32_t i = 0; i < bytes.bytes; i += 3) {
        uint32_t left = bytes.bytes - i, group = 0;
        for (uint32_t k = 0; k < 3; k++)
            group = group << 8 | (k < left ? (uint8_t)bytes.data[i + k] : 0);
        for (uint32_t k = 0; k < (left < 3 ? left + 1 : 4); k++)
            weir_buffer_byte(out, (uint8_t)digits[group >> (18 - 6 * k) & 63]);
    }
}

static int digit_of(char c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    return c == '-' ? 62 : c == '_' ? 63 : -1;
}

int http_base64_parse(struct weir_str text, struct weir_buffer *out)
{
    uint32_t bits = 0;
    int count = 0;
    if (text.bytes % 4 == 1)
        return -1;
    for (uint32_t i = 0; i < text.bytes; i++) {
        int digit = digit_of(text.data[i]);
        if (digit < 0)
            return -1;
        bits = bits << 6 | (uint32_t)digit;
        count += 6;
        if (count >= 8) {
            count -= 8;
            weir_buffer_byte(out, (uint8_t)(bits >> count));
        }
    }
    return (bits & ((1u << count) - 1)) == 0 ? 0 : -1; // one text for one run of bytes
}
