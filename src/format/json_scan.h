// SPDX-License-Identifier: Apache-2.0
// A projection scanner: walks a JSON object once and takes out the members that are wanted. The rest is checked to be JSON and otherwise passed over.
//
// Members come in any order; of members with the same key the last counts, but each must fit. Integers may be written 12, 12.0 or 1.2e1.
// Numbers out of the type's range do not fit. A record above JSON_RECORD_BYTES_MAX is refused.
#pragma once
#include "base/value.h"
#include "format/json_text.h"

struct json_want {
    const char *name; // lives as long as the scanner; several wants may have the same
    enum weir_type type;
    bool optional; // may be null or absent
};

struct json_scan;

struct json_scan *json_scan_new(const struct json_want *wants, uint32_t count);
void json_scan_free(struct json_scan *s);

// Fills values[i] for wants[i]. Strings are views of `text`, or in `arena` where they held escapes. On failure -1, and `why` says what is wrong
// and where, bytes counted from 1: "value: expected a number, found a string (at byte 41)".
int json_scan_object(struct json_scan *s, struct weir_str text, struct weir_arena *arena, struct weir_value *values, char *why, size_t why_bytes);
