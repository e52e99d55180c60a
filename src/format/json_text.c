// SPDX-License-Identifier: Apache-2.0
#include "format/json_text.h"
#include "base/utf8.h"

static const uint64_t ONES = 0x0101010101010101, HIGHS = 0x8080808080808080;

static uint64_t load64(const char *at)
{
    uint64_t v;
    memcpy(&v, at, sizeof v);
    return v;
}

// The high bit of each byte that is zero (exact up to the first such byte, which is all that is asked).
static uint64_t zero_bytes(uint64_t v)
{
    return (v - ONES) & ~v & HIGHS;
}

// Marks quotes, backslashes and control characters; exact up to the first.
static uint64_t special_bytes(uint64_t v)
{
    return zero_bytes(v ^ ONES * '"') | zero_bytes(v ^ ONES * '\\') | ((v - ONES * 0x20) & ~v & HIGHS);
}

static bool is_digit(char c)
{
    return (unsigned char)(c - '0') < 10;
}

// ---- strings

static bool hex4(const char *at, unsigned *ret)
{
    unsigned value = 0;
    for (int i = 0; i < 4; i++) {
        unsigned c = (unsigned char)at[i], digit = c - '0';
        if (digit > 9) {
            digit = (c | 0x20) - 'a' + 10;
            if (digit < 10 || digit > 15)
                return false;
        }
        value = value << 4 | digit;
    }
    *ret = value;
    return true;
}

static const char *pass_escape(struct json_text *t)
{
    unsigned unit;
    if (t->end - t->at < 2)
        return "the string does not end";
    char kind = t->at[1];
    if (kind == 'u') {
        if (t->end - t->at < 6 || !hex4(t->at + 2, &unit))
            return "\\u needs four hexadecimal digits";
        t->at += 6;
        return NULL;
    }
    if (kind == 0 || !strchr("\"\\/bfnrt", kind))
        return "unknown escape in a string";
    t->at += 2;
    return NULL;
}

const char *json_text_string(struct json_text *t, struct json_text_string *ret)
{
    const char *open = ++t->at;
    uint64_t high = 0;
    bool escaped = false;
    for (;;) {
        while (t->end - t->at >= 8) {
            uint64_t v = load64(t->at), special = special_bytes(v);
            if (special) {
                int plain = __builtin_ctzll(special) >> 3;
                high |= plain ? v << (64 - 8 * plain) : 0;
                t->at += plain;
                break;
            }
            high |= v;
            t->at += 8;
        }
        while (t->at < t->end && *t->at != '"' && *t->at != '\\' && (unsigned char)*t->at >= 0x20)
            high |= (uint64_t)(unsigned char)*t->at++;
        if (t->at == t->end)
            return "the string does not end";
        if (*t->at == '"')
            break;
        if (*t->at != '\\')
            return "control character in a string";
        const char *wrong = pass_escape(t);
        if (wrong)
            return wrong;
        escaped = true;
    }
    *ret = (struct json_text_string){{open, (uint32_t)(t->at - open)}, escaped, (high & HIGHS) == 0};
    t->at++;
    return NULL;
}

bool json_text_utf8(struct weir_str text)
{
    const char *at = text.data, *end = at + text.bytes;
    while (at < end) {
        if (end - at >= 8 && (load64(at) & HIGHS) == 0) {
            at += 8;
            continue;
        }
        unsigned bytes = weir_utf8_bytes(at, (size_t)(end - at));
        if (bytes == 0)
            return false;
        at += bytes;
    }
    return true;
}

static char *put_utf8(char *out, unsigned code)
{
    if (code < 0x80) {
        *out++ = (char)code;
    } else if (code < 0x800) {
        *out++ = (char)(0xc0 | code >> 6);
        *out++ = (char)(0x80 | (code & 0x3f));
    } else if (code < 0x10000) {
        *out++ = (char)(0xe0 | code >> 12);
        *out++ = (char)(0x80 | (code >> 6 & 0x3f));
        *out++ = (char)(0x80 | (code & 0x3f));
    } else {
        *out++ = (char)(0xf0 | code >> 18);
        *out++ = (char)(0x80 | (code >> 12 & 0x3f));
        *out++ = (char)(0x80 | (code >> 6 & 0x3f));
        *out++ = (char)(0x80 | (code & 0x3f));
    }
    return out;
}

// A \u escape, with its other half where it is a surrogate. `at` is known to be well-formed so far as single escapes go.
static const char *take_unicode(const char **at, const char *end, unsigned *ret)
{
    unsigned code = 0, low = 0;
    hex4(*at + 2, &code);
    *at += 6;
    if (code >= 0xd800 && code < 0xe000) {
        if (code >= 0xdc00 || end - *at < 6 || (*at)[0] != '\\' || (*at)[1] != 'u' || !hex4(*at + 2, &low) || low < 0xdc00 || low > 0xdfff)
            return "lone surrogate in a string";
        *at += 6;
        code = 0x10000 + ((code & 0x3ff) << 10 | (low & 0x3ff));
    }
    *ret = code;
    return NULL;
}

static char unescaped(char kind)
{
    switch (kind) {
    case 'b':
        return '\b';
    case 'f':
        return '\f';
    case 'n':
        return '\n';
    case 'r':
        return '\r';
    case 't':
        return '\t';
    default:
        return kind;
    }
}

static const char *unescape(struct weir_str raw, struct weir_arena *arena, struct weir_str *ret)
{
    const char *at = raw.data, *end = at + raw.bytes;
    char *start = weir_arena_alloc(arena, raw.bytes), *out = start;
    while (at < end) {
        const char *slash = memchr(at, '\\', (size_t)(end - at));
        size_t plain = (size_t)((slash ? slash : end) - at);
        memcpy(out, at, plain);
        out += plain;
        at += plain;
        if (!slash)
            break;
        if (at[1] == 'u') {
            unsigned code;
            const char *wrong = take_unicode(&at, end, &code);
            if (wrong)
                return wrong;
            out = put_utf8(out, code);
        } else {
            *out++ = unescaped(at[1]);
            at += 2;
        }
    }
    *ret = (struct weir_str){start, (uint32_t)(out - start)};
    return NULL;
}

const char *json_text_value(const struct json_text_string *string, struct weir_arena *arena, struct weir_str *ret)
{
    if (!string->ascii && !json_text_utf8(string->raw))
        return "invalid UTF-8 in a string";
    if (string->escaped)
        return unescape(string->raw, arena, ret);
    *ret = string->raw;
    return NULL;
}

// ---- numbers and words

static size_t pass_digits(struct json_text *t)
{
    const char *start = t->at;
    while (t->at < t->end && is_digit(*t->at))
        t->at++;
    return (size_t)(t->at - start);
}

static bool starts_with(const struct json_text *t, const char *word)
{
    size_t bytes = strlen(word);
    return (size_t)(t->end - t->at) >= bytes && memcmp(t->at, word, bytes) == 0;
}

const char *json_text_word(struct json_text *t, const char *word)
{
    if (!starts_with(t, word))
        return "unknown word";
    t->at += strlen(word);
    return NULL;
}

static const char *special_number(struct json_text *t, const char *start, struct json_text_number *ret)
{
    const char *word = starts_with(t, "Infinity") ? "Infinity" : t->at == start && starts_with(t, "NaN") ? "NaN" : NULL;
    if (!word)
        return "malformed number";
    t->at += strlen(word);
    *ret = (struct json_text_number){{start, (uint32_t)(t->at - start)}, false, true};
    return NULL;
}

const char *json_text_number(struct json_text *t, struct json_text_number *ret)
{
    const char *start = t->at;
    bool integer = true;
    if (t->at < t->end && *t->at == '-')
        t->at++;
    if (t->at == t->end || !is_digit(*t->at))
        return special_number(t, start, ret);
    if (*t->at == '0')
        t->at++;
    else
        pass_digits(t);
    if (t->at < t->end && *t->at == '.') {
        t->at++;
        integer = false;
        if (pass_digits(t) == 0)
            return "malformed number";
    }
    if (t->at < t->end && (*t->at | 0x20) == 'e') {
        t->at++;
        integer = false;
        t->at += t->at < t->end && (*t->at == '+' || *t->at == '-');
        if (pass_digits(t) == 0)
            return "malformed number";
    }
    if (t->at < t->end && is_digit(*t->at))
        return "number with a leading zero";
    *ret = (struct json_text_number){{start, (uint32_t)(t->at - start)}, integer, false};
    return NULL;
}

const char *json_text_what(const struct json_text *t)
{
    if (t->at == t->end)
        return "the end";
    switch (*t->at) {
    case '"':
        return "a string";
    case '{':
        return "an object";
    case '[':
        return "an array";
    case 't':
    case 'f':
        return starts_with(t, "true") || starts_with(t, "false") ? "a boolean" : "an unknown word";
    case 'n':
        return starts_with(t, "null") ? "null" : "an unknown word";
    case 'N':
    case 'I':
    case '-':
        return "a number";
    default:
        return is_digit(*t->at) ? "a number" : (unsigned char)*t->at < 0x20 ? "a control character" : "something that is no value";
    }
}

// ---- skipping

static const char *skip_scalar(struct json_text *t)
{
    struct json_text_string string;
    struct json_text_number number;
    switch (*t->at) {
    case '"':
        return json_text_string(t, &string);
    case 't':
        return json_text_word(t, "true");
    case 'f':
        return json_text_word(t, "false");
    case 'n':
        return json_text_word(t, "null");
    case '-':
    case 'N':
    case 'I':
        return json_text_number(t, &number);
    default:
        return is_digit(*t->at) ? json_text_number(t, &number) : "expected a value";
    }
}

static const char *skip_key(struct json_text *t)
{
    struct json_text_string key;
    json_text_space(t);
    if (t->at == t->end || *t->at != '"')
        return "expected a key";
    const char *wrong = json_text_string(t, &key);
    if (wrong)
        return wrong;
    if (!key.ascii && !json_text_utf8(key.raw))
        return "invalid UTF-8 in a key";
    json_text_space(t);
    if (t->at == t->end || *t->at != ':')
        return "expected ':'";
    t->at++;
    return NULL;
}

// The kinds of the open brackets, innermost in bit 0.
struct nest {
    uint64_t objects;
    int depth;
};

// After a value: closes what ends here and passes the comma. *ret_done once nothing is open.
static const char *after_value(struct json_text *t, struct nest *nest, bool *ret_done)
{
    for (; nest->depth; nest->objects >>= 1, nest->depth--) {
        bool object = nest->objects & 1;
        json_text_space(t);
        if (t->at == t->end)
            return object ? "the object does not end" : "the array does not end";
        if (*t->at == ',') {
            t->at++;
            return object ? skip_key(t) : NULL;
        }
        if (*t->at != (object ? '}' : ']'))
            return object ? "expected ',' or '}'" : "expected ',' or ']'";
        t->at++;
    }
    *ret_done = true;
    return NULL;
}

// Enters an object or array. *ret_empty if it ends at once (and has been passed).
static const char *open_bracket(struct json_text *t, int depth, struct nest *nest, bool *ret_empty)
{
    bool object = *t->at == '{';
    if (nest->depth + depth >= JSON_DEPTH_MAX)
        return "nested too deeply";
    t->at++;
    json_text_space(t);
    *ret_empty = t->at < t->end && *t->at == (object ? '}' : ']');
    if (*ret_empty) {
        t->at++;
        return NULL;
    }
    nest->objects = nest->objects << 1 | object;
    nest->depth++;
    return object ? skip_key(t) : NULL;
}

const char *json_text_skip(struct json_text *t, int depth)
{
    struct nest nest = {0};
    const char *wrong = NULL;
    for (bool done = false; !wrong && !done;) {
        bool value = true;
        json_text_space(t);
        if (t->at == t->end)
            return "expected a value";
        if (*t->at == '{' || *t->at == '[')
            wrong = open_bracket(t, depth, &nest, &value);
        else
            wrong = skip_scalar(t);
        if (!wrong && value)
            wrong = after_value(t, &nest, &done);
    }
    return wrong;
}

bool json_text_valid(struct weir_str text)
{
    struct json_text t = {text.data, text.data, text.data + text.bytes};
    if (json_text_skip(&t, 0))
        return false;
    json_text_space(&t);
    return t.at == t.end && json_text_utf8(text);
}

// ---- writing

static void put_escape(struct weir_buffer *out, unsigned char byte)
{
    static const char letters[256] = {['"'] = '"', ['\\'] = '\\', ['\b'] = 'b', ['\f'] = 'f', ['\n'] = 'n', ['\r'] = 'r', ['\t'] = 't'};
    if (letters[byte])
        weir_buffer_add(out, (char[]){'\\', letters[byte]}, 2);
    else
        weir_buffer_format(out, "\\u%04x", byte);
}

int json_text_quote(struct weir_str text, bool any, struct weir_buffer *out)
{
    const char *at = text.data, *end = at + text.bytes, *plain = at;
    size_t before = out->bytes;
    weir_buffer_byte(out, '"');
    while (at < end) {
        if (end - at >= 8 && ((special_bytes(load64(at)) | load64(at)) & HIGHS) == 0) {
            at += 8;
            continue;
        }
        unsigned char byte = (unsigned char)*at;
        unsigned bytes = weir_utf8_bytes(at, (size_t)(end - at));
        if (bytes && byte >= 0x20 && byte != '"' && byte != '\\') {
            at += bytes;
            continue;
        }
        if (bytes == 0 && !any) {
            out->bytes = before;
            return -1;
        }
        weir_buffer_add(out, plain, (size_t)(at - plain));
        put_escape(out, byte);
        plain = ++at;
    }
    weir_buffer_add(out, plain, (size_t)(at - plain));
    weir_buffer_byte(out, '"');
    return 0;
}
