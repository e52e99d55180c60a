// SPDX-License-Identifier: Apache-2.0
// The pipeline's reader: its schema, and the event fields as a tree of paths into it.
#include "format/avro_program.h"

static bool same_step(const struct weir_avro_step *a, const struct weir_avro_step *b)
{
    return a->index == b->index && (a->index >= 0 || weir_str_eq(a->name, b->name));
}

// Children are kept in the order of indexes.
static struct avro_want *child_at(struct avro_want *want, const struct weir_avro_step *step, struct weir_arena *arena)
{
    struct avro_want **at = &want->children;
    while (*at && !same_step(&(*at)->step, step) && !(step->index >= 0 && (*at)->step.index > step->index))
        at = &(*at)->next;
    if (*at && same_step(&(*at)->step, step))
        return *at;
    struct avro_want *child = weir_arena_zalloc(arena, sizeof *child);
    *child = (struct avro_want){.step = *step, .column = UINT32_MAX, .next = *at};
    *at = child;
    return child;
}

static bool add_want(struct avro_reader *reader, uint32_t column)
{
    struct weir_avro_step steps[WEIR_AVRO_STEPS_MAX];
    int count = weir_avro_steps(weir_str_of(reader->event->fields[column].name), steps);
    struct avro_want *want = reader->want;
    for (int i = 0; i < count; i++)
        want = child_at(want, &steps[i], &reader->arena);
    if (count > 0)
        want->column = column;
    return count > 0;
}

static uint32_t event_field_named(const struct weir_event_spec *event, const char *name)
{
    for (uint32_t f = 0; f < event->field_count; f++)
        if (strcmp(event->fields[f].name, name) == 0)
            return f;
    return UINT32_MAX;
}

static int map_fields(struct avro_reader *reader, struct weir_error *err)
{
    const struct weir_avro_schema *record = reader->record;
    const struct weir_event_spec *event = reader->event;
    reader->event_field = weir_arena_alloc(&reader->arena, (record->field_count + 1) * sizeof *reader->event_field);
    for (uint32_t r = 0; r < record->field_count; r++)
        reader->event_field[r] = event_field_named(event, record->fields[r].name);
    reader->want = weir_arena_zalloc(&reader->arena, sizeof *reader->want);
    reader->want->column = UINT32_MAX;
    for (uint32_t f = 0; f < event->field_count + event->nested_count; f++)
        if (event->fields[f].used && !add_want(reader, f))
            return weir_fail(err, WEIR_BAD_DATA, WEIR_STOP, "'%s' is no path into a record", event->fields[f].name);
    return 0;
}

int avro_reader_new(const struct weir_event_spec *event, struct avro_reader *ret, struct weir_error *err)
{
    struct avro_reader reader = {.event = event};
    if (weir_avro_parse(weir_str_of(event->schema_text), &reader.arena, &reader.record, &reader.json, err) == 0) {
        if (reader.record->kind != WEIR_AVRO_RECORD)
            weir_fail(err, WEIR_BAD_DATA, WEIR_STOP, "schema: an event must be a record, not %s", weir_avro_kind_name(reader.record->kind));
        else if (map_fields(&reader, err) == 0) {
            *ret = reader;
            return 0;
        }
    }
    avro_reader_drop(&reader);
    return -1;
}

void avro_reader_drop(struct avro_reader *reader)
{
    json_decref(reader->json);
    weir_arena_drop(&reader->arena);
}
