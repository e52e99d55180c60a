// SPDX-License-Identifier: Apache-2.0
// Defaults are JSON in the schema: as values for columns, and in the binary encoding for fields that no event gives.
#include "format/avro_program.h"

#include "base/memory.h"

// Bytes are written as text whose code points 0–255 are the bytes.
static struct weir_str bytes_of_text(const json_t *json, struct weir_arena *arena)
{
    const char *text = json_string_value(json);
    size_t length = json_string_length(json);
    char *bytes = weir_arena_alloc(arena, length + 1);
    uint32_t count = 0;
    for (size_t i = 0; i < length; i++) {
        uint8_t c = (uint8_t)text[i];
        if (c >= 0x80 && i + 1 < length)
            c = (uint8_t)(c << 6 | ((uint8_t)text[++i] & 0x3f));
        bytes[count++] = (char)c;
    }
    return (struct weir_str){bytes, count};
}

static bool number_of(const json_t *json, enum weir_type type, struct weir_value *ret)
{
    if (type == WEIR_BOOLEAN && json_is_boolean(json))
        ret->i64 = json_is_true(json);
    else if ((type == WEIR_INT || type == WEIR_LONG) && json_is_integer(json))
        ret->i64 = json_integer_value(json);
    else if (type == WEIR_DOUBLE && json_is_number(json))
        ret->f64 = json_number_value(json);
    else if (type == WEIR_FLOAT && json_is_number(json))
        ret->f64 = (double)(float)json_number_value(json);
    else
        return false;
    return true;
}

const struct weir_value *avro_constant(const struct weir_avro_schema *schema, const struct weir_field *field, const json_t *json,
                                       struct weir_arena *arena)
{
    struct weir_value *value = weir_arena_zalloc(arena, sizeof *value);
    value->kind = weir_kind_of(field->type);
    if (json_is_null(json)) {
        value->null = true;
        return field->optional ? value : NULL;
    }
    if (field->type != WEIR_STRING)
        return number_of(json, field->type, value) ? value : NULL;
    if (!json_is_string(json))
        return NULL;
    struct weir_str text = {json_string_value(json), (uint32_t)json_string_length(json)};
    value->str = schema->kind == WEIR_AVRO_BYTES ? bytes_of_text(json, arena) : weir_arena_copy(arena, text);
    return value;
}

struct encode {
    struct weir_buffer *out;
    struct weir_arena arena;
    uint32_t depth, steps;
};

enum { STEPS_MAX = 10000 };

static bool encode_value(struct encode *e, const struct weir_avro_schema *schema, const json_t *json);

static bool encode_text(struct encode *e, struct weir_str text, bool with_length)
{
    if (with_length)
        weir_buffer_zigzag(e->out, text.bytes);
    weir_buffer_add(e->out, text.data, text.bytes);
    return true;
}

static bool encode_real(struct encode *e, bool single, const json_t *json)
{
    double wide = json_number_value(json);
    float narrow = (float)wide;
    uint8_t bytes[8];
    uint64_t bits = 0;
    memcpy(&bits, single ? (void *)&narrow : (void *)&wide, single ? 4 : 8);
    for (int i = 0; i < 8; i++)
        bytes[i] = (uint8_t)(bits >> (8 * i));
    weir_buffer_add(e->out, bytes, single ? 4 : 8);
    return json_is_number(json);
}

static bool encode_symbol(struct encode *e, const struct weir_avro_schema *schema, const json_t *json)
{
    for (uint32_t i = 0; json_is_string(json) && i < schema->symbol_count; i++)
        if (strcmp(schema->symbols[i], json_string_value(json)) == 0) {
            weir_buffer_zigzag(e->out, i);
            return true;
        }
    return false;
}

static bool encode_record(struct encode *e, const struct weir_avro_schema *schema, const json_t *json)
{
    for (uint32_t i = 0; i < schema->field_count; i++) {
        const json_t *given = json_object_get(json, schema->fields[i].name);
        if (!given)
            given = schema->fields[i].default_value;
        if (!given || !encode_value(e, schema->fields[i].schema, given))
            return false;
    }
    return json_is_object(json);
}

static bool encode_array(struct encode *e, const struct weir_avro_schema *schema, const json_t *json)
{
    if (json_array_size(json))
        weir_buffer_zigzag(e->out, (int64_t)json_array_size(json));
    for (size_t i = 0; i < json_array_size(json); i++)
        if (!encode_value(e, schema->items, json_array_get(json, i)))
            return false;
    weir_buffer_zigzag(e->out, 0);
    return json_is_array(json);
}

static bool encode_map(struct encode *e, const struct weir_avro_schema *schema, const json_t *json)
{
    if (json_object_size(json))
        weir_buffer_zigzag(e->out, (int64_t)json_object_size(json));
    for (void *at = json_object_iter((json_t *)json); at; at = json_object_iter_next((json_t *)json, at)) {
        encode_text(e, weir_str_of(json_object_iter_key(at)), true);
        if (!encode_value(e, schema->items, json_object_iter_value(at)))
            return false;
    }
    weir_buffer_zigzag(e->out, 0);
    return json_is_object(json);
}

// The first branch that the value is of.
static bool encode_union(struct encode *e, const struct weir_avro_schema *schema, const json_t *json)
{
    for (uint32_t i = 0; i < schema->branch_count; i++) {
        size_t before = e->out->bytes;
        weir_buffer_zigzag(e->out, i);
        if (encode_value(e, schema->branches[i], json))
            return true;
        e->out->bytes = before;
    }
    return false;
}

static bool encode_inside(struct encode *e, const struct weir_avro_schema *schema, const json_t *json)
{
    switch (schema->kind) {
    case WEIR_AVRO_NULL:
        return json_is_null(json);
    case WEIR_AVRO_BOOLEAN:
        weir_buffer_byte(e->out, json_is_true(json));
        return json_is_boolean(json);
    case WEIR_AVRO_INT:
        weir_buffer_zigzag(e->out, json_integer_value(json));
        return json_is_integer(json) && json_integer_value(json) == (int32_t)json_integer_value(json);
    case WEIR_AVRO_LONG:
        weir_buffer_zigzag(e->out, json_integer_value(json));
        return json_is_integer(json);
    case WEIR_AVRO_FLOAT:
    case WEIR_AVRO_DOUBLE:
        return encode_real(e, schema->kind == WEIR_AVRO_FLOAT, json);
    case WEIR_AVRO_BYTES:
    case WEIR_AVRO_FIXED:
        return json_is_string(json) && encode_text(e, bytes_of_text(json, &e->arena), schema->kind == WEIR_AVRO_BYTES);
    case WEIR_AVRO_STRING:
        return json_is_string(json) && encode_text(e, (struct weir_str){json_string_value(json), (uint32_t)json_string_length(json)}, true);
    case WEIR_AVRO_RECORD:
        return encode_record(e, schema, json);
    case WEIR_AVRO_ENUM:
        return encode_symbol(e, schema, json);
    case WEIR_AVRO_ARRAY:
        return encode_array(e, schema, json);
    case WEIR_AVRO_MAP:
        return encode_map(e, schema, json);
    case WEIR_AVRO_UNION:
        return encode_union(e, schema, json);
    }
    return false;
}

static bool encode_value(struct encode *e, const struct weir_avro_schema *schema, const json_t *json)
{
    if (e->depth == 2 * AVRO_DEPTH_MAX || e->steps == STEPS_MAX)
        return false;
    e->depth++;
    e->steps++;
    bool good = encode_inside(e, schema, json);
    e->depth--;
    return good;
}

int avro_encode_default(const struct weir_avro_schema *schema, const json_t *json, struct weir_buffer *out, struct weir_error *err)
{
    struct encode e = {.out = out};
    size_t before = out->bytes;
    bool good = encode_value(&e, schema, json);
    weir_arena_drop(&e.arena);
    if (good)
        return 0;
    out->bytes = before;
    return weir_fail(err, WEIR_BAD_DATA, WEIR_STOP, "its default cannot be written (not of its type, or nested too deep)");
}
