// SPDX-License-Identifier: Apache-2.0
#include "format/avro_event.h"

#include "avro/schema.h"

static bool field_type(const struct weir_avro_schema *schema, enum weir_type *ret)
{
    static const struct {
        enum weir_avro_kind kind;
        enum weir_type type;
    } types[] = {
        {WEIR_AVRO_BOOLEAN, WEIR_BOOLEAN}, {WEIR_AVRO_INT, WEIR_INT},       {WEIR_AVRO_LONG, WEIR_LONG},    {WEIR_AVRO_FLOAT, WEIR_FLOAT},
        {WEIR_AVRO_DOUBLE, WEIR_DOUBLE},   {WEIR_AVRO_STRING, WEIR_STRING}, {WEIR_AVRO_BYTES, WEIR_STRING}, {WEIR_AVRO_ENUM, WEIR_STRING},
    };
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        if (types[i].kind == schema->kind) {
            *ret = types[i].type;
            return true;
        }
    return false;
}

static void add_fields(const struct weir_avro_schema *record, const char *time, struct weir_arena *arena, struct weir_event_spec *event)
{
    event->fields = weir_arena_zalloc(arena, record->field_count * sizeof *event->fields);
    event->time_field = UINT32_MAX;
    for (uint32_t i = 0; i < record->field_count; i++) {
        struct weir_field field = {.used = true};
        const struct weir_avro_schema *plain = weir_avro_nullable(record->fields[i].schema, &field.optional);
        if (!plain || !field_type(plain, &field.type))
            continue;
        field.name = weir_arena_copy(arena, weir_str_of(record->fields[i].name)).data;
        if (strcmp(field.name, time) == 0)
            event->key_field = event->time_field = event->field_count;
        event->fields[event->field_count++] = field;
    }
}

int avro_event_of(const char *schema_text, const char *time, struct weir_arena *arena, struct weir_event_spec *ret, struct weir_error *err)
{
    const struct weir_avro_schema *record;
    json_t *json;
    struct weir_event_spec event = {.format = WEIR_FORMAT_AVRO, .schema_text = schema_text, .max_ahead_ms = -1};
    if (weir_avro_parse(weir_str_of(schema_text), arena, &record, &json, err) < 0)
        return -1;
    json_decref(json);
    if (record->kind != WEIR_AVRO_RECORD)
        return weir_fail(err, WEIR_BAD_DATA, WEIR_STOP, "schema: not a record");
    add_fields(record, time, arena, &event);
    if (event.time_field == UINT32_MAX)
        return weir_fail(err, WEIR_BAD_DATA, WEIR_STOP, "schema: no field '%s'", time);
    *ret = event;
    return 0;
}
