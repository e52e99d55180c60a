// SPDX-License-Identifier: Apache-2.0
// A view of bytes that somebody else owns; not NUL-terminated.
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

struct weir_str {
    const char *data;
    uint32_t bytes;
};

#define WEIR_STR(literal) ((struct weir_str){literal, sizeof(literal) - 1})

static inline struct weir_str weir_str_of(const char *text)
{
    return (struct weir_str){text, (uint32_t)strlen(text)};
}

static inline bool weir_str_eq(struct weir_str a, struct weir_str b)
{
    return a.bytes == b.bytes && (a.bytes == 0 || memcmp(a.data, b.data, a.bytes) == 0);
}

static inline bool weir_str_is(struct weir_str a, const char *text)
{
    return weir_str_eq(a, weir_str_of(text));
}

// Orders by bytes, the shorter first when one starts with the other.
int weir_str_compare(struct weir_str a, struct weir_str b);
