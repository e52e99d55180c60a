// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <stddef.h>
#include <stdint.h>

// Bytes of the well-formed UTF-8 sequence (Unicode 15, table 3-7) at the start of `left` bytes, of which there is at least one; 0: there is none.
static inline unsigned weir_utf8_bytes(const void *text, size_t left)
{
    const uint8_t *at = text;
    unsigned lead = at[0];
    if (lead < 0x80)
        return 1;
    unsigned bytes = lead < 0xc2 ? 0 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : lead < 0xf5 ? 4 : 0;
    if (bytes == 0 || bytes > left)
        return 0;
    unsigned low = lead == 0xe0 ? 0xa0 : lead == 0xf0 ? 0x90 : 0x80, high = lead == 0xed ? 0x9f : lead == 0xf4 ? 0x8f : 0xbf;
    if (at[1] < low || at[1] > high)
        return 0;
    for (unsigned i = 2; i < bytes; i++)
        if ((at[i] & 0xc0) != 0x80)
            return 0;
    return bytes;
}
