// SPDX-License-Identifier: Apache-2.0
// Walking JSON text (RFC 8259), one token at a time. Beyond the RFC the literals NaN, Infinity and -Infinity are numbers, as Python's json writes
// them. Nothing is read past `end`, nothing is allocated but what an escaped string unescapes into.
//
// Functions that can fail return what is wrong as static text, t->at being where; NULL: well.
#pragma once
#include "base/arena.h"
#include "base/buffer.h"
#include "base/str.h"
#include <stdbool.h>

enum { JSON_DEPTH_MAX = 64, JSON_RECORD_BYTES_MAX = 1 << 20 };

struct json_text {
    const char *start, *at, *end;
};

struct json_text_string {
    struct weir_str raw; // between the quotes, as written
    bool escaped;        // holds backslashes
    bool ascii;          // holds no byte above 127
};

struct json_text_number {
    struct weir_str text;
    bool integer; // neither point nor exponent
    bool special; // NaN, Infinity, -Infinity
};

const char *json_text_string(struct json_text *t, struct json_text_string *ret); // from its opening quote
const char *json_text_number(struct json_text *t, struct json_text_number *ret);
const char *json_text_word(struct json_text *t, const char *word); // true, false, null
const char *json_text_skip(struct json_text *t, int depth);        // any value that stands `depth` levels deep; strings may hold any bytes above 31

// The string's value: a view of the text, or in `arena` where it had escapes. Refuses invalid UTF-8 and lone surrogates.
const char *json_text_value(const struct json_text_string *string, struct weir_arena *arena, struct weir_str *ret);

// "a string", "a number", "the end", …: what stands at t->at, for messages.
const char *json_text_what(const struct json_text *t);

// The whole text is one value.
bool json_text_valid(struct weir_str text);
bool json_text_utf8(struct weir_str text);
// Appends a quoted string. Bytes that are not UTF-8 become \u00XX if `any`, else make it fail with -1 (`out` is then as before).
int json_text_quote(struct weir_str text, bool any, struct weir_buffer *out);

static inline void json_text_space(struct json_text *t)
{
    while (t->at < t->end && (*t->at == ' ' || *t->at == '\n' || *t->at == '\r' || *t->at == '\t'))
        t->at++;
}
