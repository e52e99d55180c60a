// SPDX-License-Identifier: Apache-2.0
// Parsing Canonical Form (specification, "Transforming into Parsing Canonical Form"): full names, only name, type, fields, symbols, items, values
// and size in this order, no blanks. A named type is written out where it is met first, and by its name from then on.
#include "avro/schema.h"

#include "base/buffer.h"
#include "base/memory.h"
#include <stdlib.h>

struct canonical {
    struct weir_buffer *out;
    const struct weir_avro_schema **seen;
    size_t seen_count, seen_capacity;
};

static void put_type(struct canonical *c, const struct weir_avro_schema *schema);

static bool seen_before(struct canonical *c, const struct weir_avro_schema *schema)
{
    for (size_t i = 0; i < c->seen_count; i++)
        if (c->seen[i] == schema)
            return true;
    weir_grow(&c->seen, &c->seen_capacity, c->seen_count + 1, sizeof(void *));
    c->seen[c->seen_count++] = schema;
    return false;
}

static void put_fields(struct canonical *c, const struct weir_avro_schema *record)
{
    weir_buffer_format(c->out, "{\"name\":\"%s\",\"type\":\"record\",\"fields\":[", record->name);
    for (uint32_t i = 0; i < record->field_count; i++) {
        weir_buffer_format(c->out, "%s{\"name\":\"%s\",\"type\":", i ? "," : "", record->fields[i].name);
        put_type(c, record->fields[i].schema);
        weir_buffer_byte(c->out, '}');
    }
    weir_buffer_format(c->out, "]}");
}

static void put_symbols(struct canonical *c, const struct weir_avro_schema *schema)
{
    weir_buffer_format(c->out, "{\"name\":\"%s\",\"type\":\"enum\",\"symbols\":[", schema->name);
    for (uint32_t i = 0; i < schema->symbol_count; i++)
        weir_buffer_format(c->out, "%s\"%s\"", i ? "," : "", schema->symbols[i]);
    weir_buffer_format(c->out, "]}");
}

static void put_branches(struct canonical *c, const struct weir_avro_schema *schema)
{
    weir_buffer_byte(c->out, '[');
    for (uint32_t i = 0; i < schema->branch_count; i++) {
        if (i)
            weir_buffer_byte(c->out, ',');
        put_type(c, schema->branches[i]);
    }
    weir_buffer_byte(c->out, ']');
}

static void put_items(struct canonical *c, const struct weir_avro_schema *schema)
{
    bool map = schema->kind == WEIR_AVRO_MAP;
    weir_buffer_format(c->out, "{\"type\":\"%s\",\"%s\":", map ? "map" : "array", map ? "values" : "items");
    put_type(c, schema->items);
    weir_buffer_byte(c->out, '}');
}

static void put_named(struct canonical *c, const struct weir_avro_schema *schema)
{
    if (seen_before(c, schema))
        weir_buffer_format(c->out, "\"%s\"", schema->name);
    else if (schema->kind == WEIR_AVRO_RECORD)
        put_fields(c, schema);
    else if (schema->kind == WEIR_AVRO_ENUM)
        put_symbols(c, schema);
    else
        weir_buffer_format(c->out, "{\"name\":\"%s\",\"type\":\"fixed\",\"size\":%u}", schema->name, schema->fixed_bytes);
}

static void put_type(struct canonical *c, const struct weir_avro_schema *schema)
{
    if (schema->name)
        put_named(c, schema);
    else if (schema->kind == WEIR_AVRO_UNION)
        put_branches(c, schema);
    else if (schema->kind == WEIR_AVRO_ARRAY || schema->kind == WEIR_AVRO_MAP)
        put_items(c, schema);
    else
        weir_buffer_format(c->out, "\"%s\"", weir_avro_kind_name(schema->kind));
}

void weir_avro_canonical(const struct weir_avro_schema *schema, struct weir_buffer *out)
{
    struct canonical c = {.out = out};
    put_type(&c, schema);
    free(c.seen);
}

// "Schema Fingerprints": the polynomial is also what no bytes at all give. Eight steps a byte are fast enough for something done once a schema.
uint64_t weir_avro_fingerprint(const struct weir_avro_schema *schema)
{
    static const uint64_t empty = 0xc15d213aa4d7a795;
    weir_cleanup(weir_buffer_drop) struct weir_buffer text = {0};
    uint64_t crc = empty;
    weir_avro_canonical(schema, &text);
    for (size_t i = 0; i < text.bytes; i++) {
        crc ^= text.data[i];
        for (int bit = 0; bit < 8; bit++)
            crc = crc >> 1 ^ (empty & -(crc & 1));
    }
    return crc;
}
