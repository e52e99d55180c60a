// SPDX-License-Identifier: Apache-2.0
#include "format/avro_event.h"

#include "avro/place.h"

static void add_fields(const struct weir_avro_schema *record, const char *time, struct weir_arena *arena, struct weir_event_spec *event)
{
    event->fields = weir_arena_zalloc(arena, record->field_count * sizeof *event->fields);
    event->time_field = UINT32_MAX;
    for (uint32_t i = 0; i < record->field_count; i++) {
        struct weir_field field = {.used = true};
        const char *kind;
        if (weir_avro_place(record->fields[i].schema, NULL, 0, WEIR_AVRO_RAW, &field.type, &field.optional, &kind) < 0)
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
