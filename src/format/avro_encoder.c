// SPDX-License-Identifier: Apache-2.0
#include "base/memory.h"
#include "base/uuid.h"
#include "format/avro.h"
#include "format/avro_program.h"
#include <float.h>
#include <stdlib.h>

enum { EXPECTED_BYTES = 200 }; // of a list of symbols

struct step { // one field of the record, in its order
    const struct weir_avro_schema *schema;
    uint32_t event_field;    // UINT32_MAX: always `written`
    uint8_t null_index;      // of the null in it
    int64_t branch;          // of a union: that which values are written as; else -1
    struct weir_str written; // the default, encoded
};

struct avro_encoder {
    struct codec_encoder codec;
    struct avro_reader reader;
    const struct weir_event_spec *event;
    int32_t schema_id;
    uint32_t step_count;
    struct step *steps;
};

// What the field takes, for people.
static void put_expected(const struct weir_avro_schema *schema, struct weir_buffer *out)
{
    switch (schema->kind) {
    case WEIR_AVRO_INT:
        weir_buffer_format(out, "an int from -2147483648 to 2147483647");
        break;
    case WEIR_AVRO_FLOAT:
        weir_buffer_format(out, "a float, which is at most 3.4028235e38 either way");
        break;
    case WEIR_AVRO_ENUM:
        weir_buffer_format(out, "one of");
        for (uint32_t i = 0; i < schema->symbol_count && out->bytes < EXPECTED_BYTES; i++)
            weir_buffer_format(out, "%s %s", i ? "," : "", schema->symbols[i]);
        break;
    default:
        weir_buffer_format(out, "%s", weir_avro_kind_name(schema->kind));
    }
}

static void put_found(const struct weir_value *value, struct weir_buffer *out)
{
    if (value->kind == WEIR_STRS)
        weir_buffer_format(out, "'%.*s'", (int)(value->str.bytes < 64 ? value->str.bytes : 64), value->str.data);
    else if (value->kind == WEIR_I64)
        weir_buffer_format(out, "%lld", (long long)value->i64);
    else
        weir_buffer_format(out, "%g", value->f64);
}

static int refuse(const struct avro_encoder *e, const struct step *s, const struct weir_value *value, struct weir_error *err)
{
    weir_cleanup(weir_buffer_drop) struct weir_buffer expected = {0}, found = {0};
    put_expected(s->schema, &expected);
    put_found(value, &found);
    return weir_fail(err, WEIR_BAD_DATA, WEIR_DEAD_LETTER, "%s: expected %.*s, found %.*s", e->event->fields[s->event_field].name,
                     (int)expected.bytes, (const char *)expected.data, (int)found.bytes, (const char *)found.data);
}

static void put_little_endian(struct weir_buffer *out, uint64_t bits, size_t bytes)
{
    uint8_t *at = weir_buffer_reserve(out, bytes);
    for (size_t i = 0; i < bytes; i++)
        at[i] = (uint8_t)(bits >> (8 * i));
    out->bytes += bytes;
}

static int put_float(double wide, struct weir_buffer *out)
{
    float value = (float)wide;
    uint32_t bits;
    if (wide - wide == 0 && (value > FLT_MAX || value < -FLT_MAX))
        return -1;
    memcpy(&bits, &value, sizeof bits);
    put_little_endian(out, bits, sizeof bits);
    return 0;
}

static void put_double(double value, struct weir_buffer *out)
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    put_little_endian(out, bits, sizeof bits);
}

static int put_symbol(const struct weir_avro_schema *schema, struct weir_str text, struct weir_buffer *out)
{
    for (uint32_t i = 0; i < schema->symbol_count; i++)
        if (weir_str_is(text, schema->symbols[i])) {
            weir_buffer_zigzag(out, i);
            return 0;
        }
    return -1;
}

static int put_integer(const struct weir_avro_schema *schema, int64_t value, struct weir_buffer *out)
{
    bool fits = avro_instant_raw(schema->logical, value, &value);
    weir_buffer_zigzag(out, value);
    return fits && (schema->kind == WEIR_AVRO_LONG || value == (int32_t)value) ? 0 : -1;
}

static int put_decimal(const struct weir_avro_schema *schema, double value, struct weir_buffer *out)
{
    uint8_t bytes[16];
    uint32_t count;
    if (!avro_decimal_bytes(value, schema->scale, bytes, &count))
        return -1;
    if (schema->kind == WEIR_AVRO_BYTES)
        weir_buffer_zigzag(out, count);
    for (uint32_t i = count; schema->kind == WEIR_AVRO_FIXED && i < schema->fixed_bytes; i++)
        weir_buffer_byte(out, bytes[0] & 0x80 ? 0xff : 0);
    weir_buffer_add(out, bytes, count);
    return schema->kind == WEIR_AVRO_BYTES || count <= schema->fixed_bytes ? 0 : -1;
}

static int put_fixed(const struct weir_avro_schema *schema, const struct weir_value *value, struct weir_buffer *out)
{
    uint8_t id[16];
    if (schema->logical == WEIR_AVRO_DECIMAL)
        return put_decimal(schema, value->f64, out);
    if (schema->logical == WEIR_AVRO_UUID) {
        if (weir_uuid_parse(value->str, id) < 0)
            return -1;
        weir_buffer_add(out, id, sizeof id);
        return 0;
    }
    weir_buffer_add(out, value->str.data, value->str.bytes);
    return schema->logical == WEIR_AVRO_PLAIN && value->str.bytes == schema->fixed_bytes ? 0 : -1;
}

static int put_value(const struct weir_avro_schema *schema, const struct weir_value *value, struct weir_buffer *out)
{
    switch (schema->kind) {
    case WEIR_AVRO_BOOLEAN:
        weir_buffer_byte(out, value->i64 != 0);
        return 0;
    case WEIR_AVRO_INT:
    case WEIR_AVRO_LONG:
        return put_integer(schema, value->i64, out);
    case WEIR_AVRO_FLOAT:
        return put_float(value->f64, out);
    case WEIR_AVRO_DOUBLE:
        put_double(value->f64, out);
        return 0;
    case WEIR_AVRO_ENUM:
        return put_symbol(schema, value->str, out);
    case WEIR_AVRO_FIXED:
        return put_fixed(schema, value, out);
    default:
        if (schema->logical == WEIR_AVRO_DECIMAL)
            return put_decimal(schema, value->f64, out);
        weir_buffer_zigzag(out, value->str.bytes);
        weir_buffer_add(out, value->str.data, value->str.bytes);
        return 0;
    }
}

static int encode_event(struct codec_encoder *self, const struct weir_value *values, struct weir_buffer *out, struct weir_error *err)
{
    const struct avro_encoder *e = (const struct avro_encoder *)self;
    weir_buffer_byte(out, 0);
    weir_buffer_be32(out, (uint32_t)e->schema_id);
    for (uint32_t i = 0; i < e->step_count; i++) {
        const struct step *s = &e->steps[i];
        if (s->event_field == UINT32_MAX) {
            weir_buffer_add(out, s->written.data, s->written.bytes);
            continue;
        }
        const struct weir_value *value = &values[s->event_field];
        if (s->branch >= 0)
            weir_buffer_zigzag(out, value->null ? s->null_index : s->branch);
        if (!value->null && put_value(s->schema, value, out) < 0)
            return refuse(e, s, value, err);
    }
    return 0;
}

static void encoder_free(struct codec_encoder *self)
{
    struct avro_encoder *e = (struct avro_encoder *)self;
    avro_reader_drop(&e->reader);
    free(e);
}

// Fields that no event value is for are written as their default.
static int write_default(const struct weir_avro_field *field, struct weir_arena *arena, struct weir_str *ret, struct weir_error *err)
{
    weir_cleanup(weir_buffer_drop) struct weir_buffer bytes = {0};
    if (!field->default_value)
        return weir_fail(err, WEIR_BAD_CONFIG, WEIR_STOP, "field '%s' is %s: events cannot be written without a default for it", field->name,
                         weir_avro_kind_name(field->schema->kind));
    if (avro_encode_default(field->schema, field->default_value, &bytes, err) < 0)
        return weir_wrap(err, "field '%s'", field->name);
    *ret = weir_arena_copy(arena, weir_buffer_view(&bytes));
    return 0;
}

// The type that values are written as: of a union, the first branch of the column's own type. False: it has none.
static bool choose_type(struct step *s, const struct weir_avro_schema *schema, const struct weir_field *field)
{
    enum weir_type type;
    s->schema = schema->kind == WEIR_AVRO_UNION ? NULL : schema;
    s->branch = -1;
    for (uint32_t i = 0; schema->kind == WEIR_AVRO_UNION && i < schema->branch_count; i++) {
        const struct weir_avro_schema *branch = schema->branches[i];
        if (branch->kind == WEIR_AVRO_NULL)
            s->null_index = (uint8_t)i;
        else if (!s->schema && weir_avro_scalar(branch, &type) && type == field->type) {
            s->schema = branch;
            s->branch = i;
        }
    }
    return s->schema != NULL;
}

static int make_steps(struct avro_encoder *e, struct weir_error *err)
{
    const struct weir_avro_schema *record = e->reader.record;
    e->step_count = record->field_count;
    e->steps = weir_arena_zalloc(&e->reader.arena, record->field_count * sizeof *e->steps);
    for (uint32_t i = 0; i < record->field_count; i++) {
        struct step *s = &e->steps[i];
        const struct weir_avro_schema *schema = record->fields[i].schema;
        s->event_field = e->reader.event_field[i];
        if (s->event_field == UINT32_MAX || !choose_type(s, schema, &e->event->fields[s->event_field])) {
            s->event_field = UINT32_MAX;
            if (write_default(&record->fields[i], &e->reader.arena, &s->written, err) < 0)
                return -1;
            continue;
        }
    }
    return 0;
}

int avro_encoder_new(const struct weir_plan *plan, int32_t schema_id, struct codec_encoder **ret, struct weir_error *err)
{
    struct avro_reader reader;
    if (avro_reader_new(&plan->event, &reader, err) < 0)
        return -1;
    struct avro_encoder *e = weir_zalloc(1, sizeof *e);
    e->codec = (struct codec_encoder){.event = encode_event, .free = encoder_free};
    e->event = &plan->event;
    e->schema_id = schema_id;
    e->reader = reader;
    if (make_steps(e, err) < 0) {
        encoder_free(&e->codec);
        return -1;
    }
    *ret = &e->codec;
    return 0;
}

int codec_avro_encoder(const struct weir_plan *plan, struct weir_registry *registry, struct codec_encoder **ret, struct weir_error *err)
{
    char *subject = weir_format("%s-value", plan->topic.name);
    int32_t id = 0;
    int registered = weir_registry_register(registry, subject, plan->event.schema_text, &id, err);
    free(subject);
    return registered < 0 ? -1 : avro_encoder_new(plan, id, ret, err);
}
