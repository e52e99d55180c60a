// SPDX-License-Identifier: Apache-2.0
#include "avro/parse.h"

// Branches of unions inside each other's records could be tried for ever: so many steps are enough for any sensible default.
enum { STEPS_MAX = 100000 };

static bool fits(const struct weir_avro_schema *schema, const json_t *value, uint32_t *steps);

// A field that the value leaves out takes its own default, which is checked on its own.
static bool record_fits(const struct weir_avro_schema *schema, const json_t *value, uint32_t *steps)
{
    if (!json_is_object(value))
        return false;
    for (uint32_t i = 0; i < schema->field_count; i++) {
        const struct weir_avro_field *field = &schema->fields[i];
        const json_t *given = json_object_get(value, field->name);
        if (given ? !fits(field->schema, given, steps) : !field->default_value)
            return false;
    }
    return true;
}

static bool items_fit(const struct weir_avro_schema *items, const json_t *list, uint32_t *steps)
{
    for (size_t i = 0; i < json_array_size(list); i++)
        if (!fits(items, json_array_get(list, i), steps))
            return false;
    return json_is_array(list);
}

static bool entries_fit(const struct weir_avro_schema *items, const json_t *map, uint32_t *steps)
{
    for (void *at = json_object_iter((json_t *)map); at; at = json_object_iter_next((json_t *)map, at))
        if (!fits(items, json_object_iter_value(at), steps))
            return false;
    return json_is_object(map);
}

static bool is_symbol(const struct weir_avro_schema *schema, const json_t *value)
{
    for (uint32_t i = 0; json_is_string(value) && i < schema->symbol_count; i++)
        if (weir_str_is(name_text(value), schema->symbols[i]))
            return true;
    return false;
}

// Bytes are written as text whose code points 0–255 are the bytes. Returns their number, or -1.
static int64_t byte_count(const json_t *value)
{
    struct weir_str text = name_text(value);
    if (!json_is_string(value))
        return -1;
    int64_t count = 0;
    for (uint32_t i = 0; i < text.bytes; i++, count++) {
        uint8_t lead = (uint8_t)text.data[i];
        if (lead >= 0x80 && lead != 0xc2 && lead != 0xc3)
            return -1;
        i += lead >= 0x80;
    }
    return count;
}

static bool branch_fits(const struct weir_avro_schema *schema, const json_t *value, uint32_t *steps)
{
    for (uint32_t i = 0; i < schema->branch_count; i++)
        if (fits(schema->branches[i], value, steps))
            return true;
    return false;
}

static bool fits(const struct weir_avro_schema *schema, const json_t *value, uint32_t *steps)
{
    if (*steps == 0)
        return false;
    --*steps;
    switch (schema->kind) {
    case WEIR_AVRO_NULL:
        return json_is_null(value);
    case WEIR_AVRO_BOOLEAN:
        return json_is_boolean(value);
    case WEIR_AVRO_INT:
        return json_is_integer(value) && json_integer_value(value) >= INT32_MIN && json_integer_value(value) <= INT32_MAX;
    case WEIR_AVRO_LONG:
        return json_is_integer(value);
    case WEIR_AVRO_FLOAT:
    case WEIR_AVRO_DOUBLE:
        return json_is_number(value);
    case WEIR_AVRO_BYTES:
        return byte_count(value) >= 0;
    case WEIR_AVRO_STRING:
        return json_is_string(value);
    case WEIR_AVRO_RECORD:
        return record_fits(schema, value, steps);
    case WEIR_AVRO_ENUM:
        return is_symbol(schema, value);
    case WEIR_AVRO_ARRAY:
        return items_fit(schema->items, value, steps);
    case WEIR_AVRO_MAP:
        return entries_fit(schema->items, value, steps);
    case WEIR_AVRO_UNION:
        return branch_fits(schema, value, steps);
    case WEIR_AVRO_FIXED:
        return byte_count(value) == (int64_t)schema->fixed_bytes;
    }
    return false;
}

bool default_fits(const struct weir_avro_schema *schema, const json_t *value)
{
    uint32_t steps = STEPS_MAX;
    return fits(schema, value, &steps);
}
