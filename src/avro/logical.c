// SPDX-License-Identifier: Apache-2.0
#include "avro/parse.h"

static const struct {
    const char *name;
    enum weir_avro_kind kind;
    enum weir_avro_logical logical;
} types[] = {
    {"date", WEIR_AVRO_INT, WEIR_AVRO_DATE},
    {"time-millis", WEIR_AVRO_INT, WEIR_AVRO_TIME_MILLIS},
    {"time-micros", WEIR_AVRO_LONG, WEIR_AVRO_TIME_MICROS},
    {"timestamp-millis", WEIR_AVRO_LONG, WEIR_AVRO_TIMESTAMP_MILLIS},
    {"timestamp-micros", WEIR_AVRO_LONG, WEIR_AVRO_TIMESTAMP_MICROS},
    {"timestamp-nanos", WEIR_AVRO_LONG, WEIR_AVRO_TIMESTAMP_NANOS},
    {"local-timestamp-millis", WEIR_AVRO_LONG, WEIR_AVRO_TIMESTAMP_MILLIS},
    {"local-timestamp-micros", WEIR_AVRO_LONG, WEIR_AVRO_TIMESTAMP_MICROS},
    {"local-timestamp-nanos", WEIR_AVRO_LONG, WEIR_AVRO_TIMESTAMP_NANOS},
    {"decimal", WEIR_AVRO_BYTES, WEIR_AVRO_DECIMAL},
    {"decimal", WEIR_AVRO_FIXED, WEIR_AVRO_DECIMAL},
    {"uuid", WEIR_AVRO_STRING, WEIR_AVRO_UUID},
    {"uuid", WEIR_AVRO_FIXED, WEIR_AVRO_UUID},
    {"duration", WEIR_AVRO_FIXED, WEIR_AVRO_DURATION},
};

// A decimal needs a precision that its bytes can hold, and no more digits behind the point than that.
static bool read_decimal(const json_t *json, struct weir_avro_schema *schema)
{
    json_int_t precision = json_integer_value(json_object_get(json, "precision")), scale = json_integer_value(json_object_get(json, "scale"));
    double digits_max = schema->kind == WEIR_AVRO_FIXED ? (8.0 * schema->fixed_bytes - 1) * 0.30102999566398120 : 1000;
    if (precision < 1 || (double)precision > digits_max || precision > 1000 || scale < 0 || scale > precision)
        return false;
    schema->precision = (uint32_t)precision;
    schema->scale = (uint32_t)scale;
    return true;
}

static bool applies(enum weir_avro_logical logical, const json_t *json, struct weir_avro_schema *schema)
{
    if (logical == WEIR_AVRO_DECIMAL)
        return read_decimal(json, schema);
    if (schema->kind == WEIR_AVRO_FIXED)
        return schema->fixed_bytes == (logical == WEIR_AVRO_UUID ? 16 : 12);
    return true;
}

void logical_read(const json_t *json, struct weir_avro_schema *schema)
{
    for (size_t i = 0; schema->logical_type && i < sizeof types / sizeof *types; i++)
        if (types[i].kind == schema->kind && strcmp(types[i].name, schema->logical_type) == 0 && applies(types[i].logical, json, schema))
            schema->logical = types[i].logical;
}
