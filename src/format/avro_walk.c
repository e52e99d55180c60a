// SPDX-License-Identifier: Apache-2.0
#include "format/avro_walk.h"

const char *avro_fault_text(enum avro_fault fault)
{
    static const char *const texts[] = {
        [AVRO_FINE] = "fine",
        [AVRO_CUT] = "the record ends inside it",
        [AVRO_VARINT] = "an integer of more than 64 bits",
        [AVRO_RANGE] = "an int of more than 32 bits",
        [AVRO_LENGTH] = "a negative length",
        [AVRO_BOOLEAN] = "a boolean that is neither 0 nor 1",
        [AVRO_BRANCH] = "a branch that the union does not have",
        [AVRO_SYMBOL] = "a symbol that the enum does not have",
        [AVRO_DEEP] = "nested too deep or too many empty items",
        [AVRO_TRAILING] = "bytes after its end",
        [AVRO_DECIMAL] = "a decimal of more than 64 bytes",
        [AVRO_REFUSED] = "refused",
    };
    return texts[fault];
}

const uint8_t *avro_varint_bytewise(const uint8_t *at, const uint8_t *end, uint64_t *ret, enum avro_fault *fault)
{
    uint64_t value = 0;
    for (int shift = 0; shift < 64; shift += 7) {
        if (at == end) {
            *fault = AVRO_CUT;
            return NULL;
        }
        uint8_t byte = *at++;
        if (shift == 63 && byte > 1)
            break;
        value |= (uint64_t)(byte & 0x7f) << shift;
        if (byte < 0x80) {
            *ret = value;
            return at;
        }
    }
    *fault = AVRO_VARINT;
    return NULL;
}

struct avro_walk avro_walk_of(const uint8_t *at, const uint8_t *end)
{
    return (struct avro_walk){.end = end, .steps_left = 4096 + 64 * (uint64_t)(end - at)};
}

static bool nests(const struct weir_avro_schema *schema)
{
    return schema->kind == WEIR_AVRO_RECORD || schema->kind == WEIR_AVRO_ARRAY || schema->kind == WEIR_AVRO_MAP;
}

bool avro_walk_enter(struct avro_walk *walk, const struct weir_avro_schema *schema)
{
    if (walk->depth == AVRO_DEPTH_MAX || walk->steps_left == 0) {
        walk->fault = AVRO_DEEP;
        return false;
    }
    walk->depth += nests(schema);
    walk->steps_left--;
    return true;
}

void avro_walk_leave(struct avro_walk *walk, const struct weir_avro_schema *schema)
{
    walk->depth -= nests(schema);
}

const uint8_t *avro_block(struct avro_walk *walk, const uint8_t *at, uint64_t *ret_count, int64_t *ret_bytes)
{
    int64_t count, bytes = -1;
    at = avro_long(at, walk->end, &count, &walk->fault);
    if (at && count < 0) {
        at = avro_long(at, walk->end, &bytes, &walk->fault);
        if (at && (bytes < 0 || bytes > walk->end - at)) {
            walk->fault = bytes < 0 ? AVRO_LENGTH : AVRO_CUT;
            return NULL;
        }
    }
    if (!at)
        return NULL;
    *ret_count = count < 0 ? -(uint64_t)count : (uint64_t)count;
    *ret_bytes = bytes;
    return at;
}

static const uint8_t *skip_items(struct avro_walk *walk, const struct weir_avro_schema *schema, const uint8_t *at, uint64_t count)
{
    struct weir_str key;
    for (uint64_t i = 0; at && i < count; i++) {
        if (schema->kind == WEIR_AVRO_MAP)
            at = avro_bytes(at, walk->end, &key, &walk->fault);
        if (at)
            at = avro_skip_value(walk, schema->items, at);
    }
    return at;
}

static const uint8_t *skip_blocks(struct avro_walk *walk, const struct weir_avro_schema *schema, const uint8_t *at)
{
    uint64_t count = 1;
    int64_t bytes;
    while (at && count) {
        at = avro_block(walk, at, &count, &bytes);
        if (at)
            at = bytes >= 0 ? at + bytes : skip_items(walk, schema, at, count);
    }
    return at;
}

static const uint8_t *skip_inside(struct avro_walk *walk, const struct weir_avro_schema *schema, const uint8_t *at)
{
    uint32_t index;
    switch (schema->kind) {
    case WEIR_AVRO_RECORD:
        for (uint32_t i = 0; at && i < schema->field_count; i++)
            at = avro_skip_value(walk, schema->fields[i].schema, at);
        return at;
    case WEIR_AVRO_UNION:
        at = avro_index(at, walk->end, schema->branch_count, &index, AVRO_BRANCH, &walk->fault);
        return at ? avro_skip_value(walk, schema->branches[index], at) : NULL;
    default:
        return skip_blocks(walk, schema, at);
    }
}

static const uint8_t *skip_leaf(struct avro_walk *walk, const struct weir_avro_schema *schema, const uint8_t *at)
{
    uint64_t number;
    struct weir_str text;
    switch (schema->kind) {
    case WEIR_AVRO_NULL:
        return at;
    case WEIR_AVRO_BOOLEAN:
        return avro_skip_fixed(at, walk->end, 1, &walk->fault);
    case WEIR_AVRO_FLOAT:
        return avro_skip_fixed(at, walk->end, 4, &walk->fault);
    case WEIR_AVRO_DOUBLE:
        return avro_skip_fixed(at, walk->end, 8, &walk->fault);
    case WEIR_AVRO_FIXED:
        return avro_skip_fixed(at, walk->end, schema->fixed_bytes, &walk->fault);
    case WEIR_AVRO_BYTES:
    case WEIR_AVRO_STRING:
        return avro_bytes(at, walk->end, &text, &walk->fault);
    default: // int, long, enum
        return avro_varint(at, walk->end, &number, &walk->fault);
    }
}

const uint8_t *avro_skip_value(struct avro_walk *walk, const struct weir_avro_schema *schema, const uint8_t *at)
{
    if (!avro_walk_enter(walk, schema))
        return NULL;
    at = nests(schema) || schema->kind == WEIR_AVRO_UNION ? skip_inside(walk, schema, at) : skip_leaf(walk, schema, at);
    avro_walk_leave(walk, schema);
    return at;
}
