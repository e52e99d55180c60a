// SPDX-License-Identifier: Apache-2.0
// UUIDs as text (RFC 4122, 8-4-4-4-12 hexadecimal digits).
#pragma once
#include "base/str.h"
#include <stdbool.h>
#include <stdint.h>

enum weir_uuid_form { WEIR_UUID_NONE, WEIR_UUID_UPPER_CASE, WEIR_UUID_CANONICAL }; // no uuid; one with upper-case digits in it; lower case throughout

enum weir_uuid_form weir_uuid_form_of(struct weir_str text);
static inline bool weir_uuid_valid(struct weir_str text)
{
    return weir_uuid_form_of(text) != WEIR_UUID_NONE;
}

int weir_uuid_parse(struct weir_str text, uint8_t ret[16]); // 0 or -1
void weir_uuid_format(const uint8_t id[16], char out[37]);  // lower case, NUL-terminated
