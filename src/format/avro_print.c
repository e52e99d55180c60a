// SPDX-License-Identifier: Apache-2.0
#include "base/number.h"
#include "base/utf8.h"
#include "format/avro_walk.h"

static void print_code_point(struct weir_buffer *out, unsigned code)
{
    weir_buffer_format(out, "\\u%04x", code);
}

static void print_ascii(struct weir_buffer *out, uint8_t c)
{
    if (c == '"' || c == '\\')
        weir_buffer_byte(out, '\\');
    if (c < 0x20 || c == 0x7f)
        print_code_point(out, c);
    else
        weir_buffer_byte(out, c);
}

// What is not UTF-8 shows as the replacement character.
static void print_text(struct weir_buffer *out, struct weir_str text)
{
    weir_buffer_byte(out, '"');
    for (uint32_t i = 0; i < text.bytes;) {
        const uint8_t *at = (const uint8_t *)text.data + i;
        uint32_t bytes = weir_utf8_bytes(at, text.bytes - i);
        if (bytes == 1)
            print_ascii(out, *at);
        else if (bytes)
            weir_buffer_add(out, at, bytes);
        else
            print_code_point(out, 0xfffd);
        i += bytes ? bytes : 1;
    }
    weir_buffer_byte(out, '"');
}

static void print_raw(struct weir_buffer *out, const uint8_t *at, size_t bytes)
{
    weir_buffer_byte(out, '"');
    for (size_t i = 0; i < bytes; i++)
        if (at[i] < 0x80)
            print_ascii(out, at[i]);
        else
            print_code_point(out, at[i]);
    weir_buffer_byte(out, '"');
}

// JSON has no NaN and no infinities: they are quoted.
static void print_number(struct weir_buffer *out, double value, bool single)
{
    char text[32];
    size_t bytes = single ? weir_format_f32((float)value, text) : weir_format_f64(value, text);
    bool finite = value - value == 0;
    weir_buffer_format(out, finite ? "%.*s" : "\"%.*s\"", (int)bytes, text);
}

static const uint8_t *print_leaf(struct avro_walk *walk, const struct weir_avro_schema *schema, const uint8_t *at, struct weir_buffer *out)
{
    int64_t i64 = 0;
    double f64 = 0;
    uint32_t index = 0;
    struct weir_str text = {"", 0};
    const uint8_t *end = walk->end, *after = at;
    enum avro_fault *fault = &walk->fault;
    switch (schema->kind) {
    case WEIR_AVRO_NULL:
        weir_buffer_add(out, "null", 4);
        break;
    case WEIR_AVRO_BOOLEAN:
        after = avro_boolean(at, end, &i64, fault);
        weir_buffer_format(out, "%s", i64 ? "true" : "false");
        break;
    case WEIR_AVRO_INT:
    case WEIR_AVRO_LONG:
        after = schema->kind == WEIR_AVRO_INT ? avro_int(at, end, &i64, fault) : avro_long(at, end, &i64, fault);
        weir_buffer_format(out, "%lld", (long long)i64);
        break;
    case WEIR_AVRO_FLOAT:
    case WEIR_AVRO_DOUBLE:
        after = schema->kind == WEIR_AVRO_FLOAT ? avro_float(at, end, &f64, fault) : avro_double(at, end, &f64, fault);
        print_number(out, f64, schema->kind == WEIR_AVRO_FLOAT);
        break;
    case WEIR_AVRO_ENUM:
        after = avro_index(at, end, schema->symbol_count, &index, AVRO_SYMBOL, fault);
        weir_buffer_format(out, "\"%s\"", after ? schema->symbols[index] : "");
        break;
    case WEIR_AVRO_FIXED:
        after = avro_skip_fixed(at, end, schema->fixed_bytes, fault);
        print_raw(out, at, after ? schema->fixed_bytes : 0);
        break;
    case WEIR_AVRO_BYTES:
        after = avro_bytes(at, end, &text, fault);
        print_raw(out, (const uint8_t *)text.data, text.bytes);
        break;
    default:
        after = avro_bytes(at, end, &text, fault);
        print_text(out, text);
        break;
    }
    return after;
}

static const uint8_t *print_record(struct avro_walk *walk, const struct weir_avro_schema *schema, const uint8_t *at, struct weir_buffer *out)
{
    for (uint32_t i = 0; at && i < schema->field_count; i++) {
        weir_buffer_format(out, "%s\"%s\":", i ? "," : "{", schema->fields[i].name);
        at = avro_print(walk, schema->fields[i].schema, at, out);
    }
    weir_buffer_format(out, "%s", schema->field_count ? "}" : "{}");
    return at;
}

static const uint8_t *print_item(struct avro_walk *walk, const struct weir_avro_schema *schema, const uint8_t *at, struct weir_buffer *out)
{
    struct weir_str key;
    if (schema->kind == WEIR_AVRO_MAP) {
        at = avro_bytes(at, walk->end, &key, &walk->fault);
        if (!at)
            return NULL;
        print_text(out, key);
        weir_buffer_byte(out, ':');
    }
    return avro_print(walk, schema->items, at, out);
}

static const uint8_t *print_blocks(struct avro_walk *walk, const struct weir_avro_schema *schema, const uint8_t *at, struct weir_buffer *out)
{
    bool map = schema->kind == WEIR_AVRO_MAP;
    uint64_t count = 1, printed = 0;
    int64_t bytes;
    weir_buffer_byte(out, map ? '{' : '[');
    while (at && count) {
        at = avro_block(walk, at, &count, &bytes);
        for (uint64_t i = 0; at && i < count; i++) {
            if (printed++)
                weir_buffer_byte(out, ',');
            at = print_item(walk, schema, at, out);
        }
    }
    weir_buffer_byte(out, map ? '}' : ']');
    return at;
}

const uint8_t *avro_print(struct avro_walk *walk, const struct weir_avro_schema *schema, const uint8_t *at, struct weir_buffer *out)
{
    uint32_t index;
    if (out->bytes > AVRO_PRINT_BYTES_MAX)
        walk->steps_left = 0;
    if (!avro_walk_enter(walk, schema))
        return NULL;
    if (schema->kind == WEIR_AVRO_RECORD) {
        at = print_record(walk, schema, at, out);
    } else if (schema->kind == WEIR_AVRO_ARRAY || schema->kind == WEIR_AVRO_MAP) {
        at = print_blocks(walk, schema, at, out);
    } else if (schema->kind == WEIR_AVRO_UNION) {
        at = avro_index(at, walk->end, schema->branch_count, &index, AVRO_BRANCH, &walk->fault);
        at = at ? avro_print(walk, schema->branches[index], at, out) : NULL;
    } else {
        at = print_leaf(walk, schema, at, out);
    }
    avro_walk_leave(walk, schema);
    return at;
}
