// SPDX-License-Identifier: Apache-2.0
// What an event is: its format and fields, key, time, duplicates.
#include "avro/place.h"
#include "spec/reading.h"

#define SCHEMA_BYTES_MAX (1u << 20)

static const char *const reserved[] = {"and", "or", "not", "true", "false", "null", "window_start", "window_end"};

static bool is_reserved(struct weir_str name)
{
    for (size_t i = 0; i < sizeof reserved / sizeof *reserved; i++) {
        if (weir_str_is(name, reserved[i]))
            return true;
    }
    return false;
}

static bool read_field_type(struct reading *r, const struct node *node, struct weir_field *field)
{
    static const char *const names[] = {"boolean", "int", "long", "float", "double", "string"};
    if (!spec_read_text(r, node, "a field's type"))
        return false;
    struct weir_str text = node->text;
    uint32_t skip = 0;
    if (text.bytes > 9 && memcmp(text.data, "optional ", 9) == 0) {
        field->optional = true;
        for (skip = 9; skip < text.bytes && text.data[skip] == ' ';)
            skip++;
    }
    struct weir_str type = {text.data + skip, text.bytes - skip};
    if (weir_type_parse(type, &field->type) == 0)
        return true;
    const char *hint = spec_did_you_mean(r, type, names, sizeof names / sizeof *names);
    spec_mistake(r, yaml_tree_place(r->source, node, skip, type.bytes), hint ? hint : "one of: boolean, int, long, float, double, string",
                 "unknown field type '%s'", node->raw.data + (weir_str_eq(node->raw, node->text) ? skip : 0));
    field->type = WEIR_DOUBLE;
    return false;
}

static void read_json_fields(struct reading *r, const struct node *node)
{
    struct weir_event_spec *event = &r->plan->event;
    if (!spec_is_map(r, node, "'fields'"))
        return;
    bool complete = spec_check_duplicates(r, node);
    event->fields = weir_arena_zalloc(r->arena, (node->count + 1) * sizeof *event->fields);
    for (uint32_t i = 0; i < node->count; i++) {
        const struct node *key = node->keys[i];
        struct weir_field field = {.name = key->text.data};
        if (!spec_is_identifier(key->text))
            spec_mistake(r, key->at, NULL, "'%s' is no field name: letters, digits and '_', not a digit first", key->text.data);
        else if (is_reserved(key->text))
            spec_mistake(r, key->at, NULL, "'%s' is a word of the expression language and cannot name a field", key->text.data);
        else if (spec_find_field(r, key->text) < 0) {
            complete &= read_field_type(r, node->items[i], &field);
            event->fields[event->field_count++] = field;
        }
    }
    if (!node->count)
        spec_mistake(r, node->at, NULL, "an event needs at least one field");
    r->event_known = complete && node->count;
}

static void take_avro_fields(struct reading *r, const struct weir_avro_schema *record)
{
    struct weir_event_spec *event = &r->plan->event;
    event->record_name = weir_arena_copy(r->arena, weir_str_of(record->name)).data;
    event->fields = weir_arena_zalloc(r->arena, (record->field_count + 1) * sizeof *event->fields);
    r->unusable = weir_arena_zalloc(r->arena, (record->field_count + 1) * 2 * sizeof *r->unusable);
    for (uint32_t i = 0; i < record->field_count; i++) {
        struct weir_field field = {.name = weir_arena_copy(r->arena, weir_str_of(record->fields[i].name)).data};
        bool optional;
        const struct weir_avro_schema *schema = weir_avro_nullable(record->fields[i].schema, &optional);
        const char *kind;
        if (weir_avro_place(record->fields[i].schema, NULL, 0, 0, &field.type, &field.optional, &kind) == 0) {
            event->fields[event->field_count++] = field;
            continue;
        }
        r->unusable[2 * r->unusable_count] = field.name;
        r->unusable[2 * r->unusable_count++ + 1] = weir_avro_kind_name(schema ? schema->kind : record->fields[i].schema->kind);
    }
}

static void read_avro_schema(struct reading *r, const struct node *node)
{
    struct weir_event_spec *event = &r->plan->event;
    struct weir_error err;
    struct weir_str text;
    if (spec_read_path(r, node, "'schema'", &event->schema_path) < 0)
        return;
    event->schema_text = spec_read_file(r->arena, event->schema_path, SCHEMA_BYTES_MAX, &text, &err);
    if (!event->schema_text) {
        spec_mistake(r, node->at, NULL, "%s", err.text);
        return;
    }
    const struct weir_avro_schema *schema;
    json_t *json = NULL;
    if (weir_avro_parse(text, r->arena, &schema, &json, &err) < 0) {
        spec_mistake(r, node->at, NULL, "%s: %s", event->schema_path, err.text);
        return;
    }
    if (schema->kind == WEIR_AVRO_RECORD) {
        take_avro_fields(r, schema);
        r->record = schema;
        r->event_known = true;
    } else {
        spec_mistake(r, node->at, NULL, "%s: an event is a record, not %s", event->schema_path, weir_avro_kind_name(schema->kind));
    }
    json_decref(json);
}

// Without a readable format, what else is given tells which one is meant.
static void read_fields(struct reading *r, const struct node *event_node, int format, const struct node *schema, const struct node *fields)
{
    bool json = format == WEIR_FORMAT_JSON || (format < 0 && fields);
    r->plan->event.format = json ? WEIR_FORMAT_JSON : WEIR_FORMAT_AVRO;
    const struct node *wanted = json ? fields : schema, *other = json ? schema : fields;
    if (other && format >= 0)
        spec_mistake(r, spec_place_of_name(other), NULL, "'%s' does not go with format %s: give %s", json ? "schema" : "fields",
                     json ? "json" : "avro", json ? "'fields'" : "'schema'");
    if (!wanted && format >= 0)
        spec_mistake(r, spec_place_of_name(event_node), NULL, "an event of format %s needs %s", json ? "json" : "avro",
                     json ? "'fields'" : "a 'schema'");
    if (wanted && json)
        read_json_fields(r, wanted);
    else if (wanted)
        read_avro_schema(r, wanted);
}

static void read_key_field(struct reading *r, const struct node *node)
{
    int64_t at = spec_read_field(r, node, "'key'");
    if (at < 0)
        return;
    struct weir_field *field = &r->plan->event.fields[at];
    if (at >= r->plan->event.field_count) {
        spec_mistake(r, node->at, NULL, "the key '%s' must be a field of the event itself, not a part of one", field->name);
        return;
    }
    if (field->optional)
        spec_mistake(r, node->at, NULL, "the key '%s' must not be optional: it decides the partition", field->name);
    else if (field->type != WEIR_STRING && field->type != WEIR_INT && field->type != WEIR_LONG)
        spec_mistake(r, node->at, NULL, "the key '%s' must be a string, int or long, not %s", field->name, weir_type_name(field->type));
    else
        r->key_known = true;
    field->used = true;
    r->plan->event.key_field = (uint32_t)at;
}

static bool unit_fits(enum weir_time_unit unit, enum weir_type type)
{
    if (unit == WEIR_UNIT_ISO8601)
        return type == WEIR_STRING;
    return type == WEIR_INT || type == WEIR_LONG || (unit == WEIR_UNIT_S && type == WEIR_DOUBLE);
}

// A field whose type says that it is an instant comes in epoch ms, whichever unit it is written in.
static bool is_instant(const struct reading *r, const char *name)
{
    struct weir_avro_step steps[WEIR_AVRO_STEPS_MAX];
    const struct weir_avro_schema *schema = r->record;
    int count = r->record ? weir_avro_steps(weir_str_of(name), steps) : 0;
    for (int i = 0; i < count && schema; i++) {
        const struct weir_avro_schema *inside = NULL;
        for (uint32_t f = 0; schema->kind == WEIR_AVRO_RECORD && f < schema->field_count; f++)
            if (weir_str_is(steps[i].name, schema->fields[f].name))
                inside = schema->fields[f].schema;
        schema = inside;
    }
    return schema && (schema->logical == WEIR_AVRO_DATE || schema->logical == WEIR_AVRO_TIMESTAMP_MILLIS ||
                      schema->logical == WEIR_AVRO_TIMESTAMP_MICROS || schema->logical == WEIR_AVRO_TIMESTAMP_NANOS);
}

static void read_time_field(struct reading *r, const struct node *node, enum weir_time_unit unit)
{
    static const char *const wanted[] = {[WEIR_UNIT_MS] = "epoch milliseconds need int or long",
                                         [WEIR_UNIT_S] = "epoch seconds need int, long or double",
                                         [WEIR_UNIT_US] = "epoch microseconds need int or long",
                                         [WEIR_UNIT_ISO8601] = "iso8601 needs string"};
    int64_t at = spec_read_field(r, node, "'time'");
    if (at < 0)
        return;
    struct weir_field *field = &r->plan->event.fields[at];
    if (is_instant(r, field->name))
        unit = WEIR_UNIT_MS;
    if (field->optional)
        spec_mistake(r, node->at, NULL, "the event time '%s' must not be optional", field->name);
    else if (!unit_fits(unit, field->type))
        spec_mistake(r, node->at, NULL, "the event time '%s' is %s, but %s", field->name, weir_type_name(field->type), wanted[unit]);
    field->used = true;
    r->plan->event.time_field = (uint32_t)at;
    r->plan->event.time_unit = unit;
    r->time_known = true;
}

static void read_time(struct reading *r, const struct node *node)
{
    enum { FIELD, UNIT, COUNT };
    static const char *const names[] = {"field", "unit"};
    static const char *const units[] = {[WEIR_UNIT_MS] = "ms", [WEIR_UNIT_S] = "s", [WEIR_UNIT_US] = "us", [WEIR_UNIT_ISO8601] = "iso8601"};
    if (node->kind == NODE_SCALAR) {
        read_time_field(r, node, WEIR_UNIT_MS);
        return;
    }
    const struct node *at[COUNT] = {0};
    if (!spec_read_keys(r, node, "'time'", names, COUNT, at))
        return;
    int unit = at[UNIT] ? spec_read_choice(r, at[UNIT], "unit", units, sizeof units / sizeof *units) : WEIR_UNIT_MS;
    if (!at[FIELD])
        spec_mistake(r, spec_place_of_name(node), NULL, "'time' needs a 'field'");
    else if (unit >= 0)
        read_time_field(r, at[FIELD], (enum weir_time_unit)unit);
}

static void read_dedupe_fields(struct reading *r, const struct node *node)
{
    struct weir_event_spec *event = &r->plan->event;
    if (!spec_is_list(r, node, "'by'"))
        return;
    if (!node->count)
        spec_mistake(r, node->at, NULL, "'by' needs at least one field");
    event->dedupe_fields = weir_arena_zalloc(r->arena, (node->count + 1) * sizeof *event->dedupe_fields);
    for (uint32_t i = 0; i < node->count; i++) {
        int64_t field = spec_read_field(r, node->items[i], "'by'");
        if (field < 0)
            continue;
        event->fields[field].used = true;
        event->dedupe_fields[event->dedupe_count++] = (uint32_t)field;
    }
}

static void read_dedupe(struct reading *r, const struct node *node)
{
    enum { BY, WITHIN, COUNT };
    static const char *const names[] = {"by", "within"};
    const struct node *at[COUNT] = {0};
    if (!spec_read_keys(r, node, "'dedupe'", names, COUNT, at))
        return;
    if (at[BY])
        read_dedupe_fields(r, at[BY]);
    if (at[WITHIN])
        spec_read_duration(r, at[WITHIN], "'within'", 1, &r->plan->event.dedupe_within_ms);
    if (!at[BY] || !at[WITHIN])
        spec_mistake(r, spec_place_of_name(node), NULL, "'dedupe' needs 'by' and 'within'");
}

void spec_read_event(struct reading *r, const struct node *node)
{
    enum { FORMAT, SCHEMA, FIELDS, KEY, TIME, MAX_AHEAD, DEDUPE, COUNT };
    static const char *const names[] = {"format", "schema", "fields", "key", "time", "max_ahead", "dedupe"};
    static const char *const formats[] = {[WEIR_FORMAT_AVRO] = "avro", [WEIR_FORMAT_JSON] = "json"};
    const struct node *at[COUNT] = {0};
    r->plan->event.max_ahead_ms = -1;
    if (!node || !spec_read_keys(r, node, "'event'", names, COUNT, at))
        return;
    int format = at[FORMAT] ? spec_read_choice(r, at[FORMAT], "format", formats, 2) : -1;
    if (!at[FORMAT])
        spec_mistake(r, spec_place_of_name(node), NULL, "'event' needs a 'format': avro or json");
    read_fields(r, node, format, at[SCHEMA], at[FIELDS]);
    if (at[KEY])
        read_key_field(r, at[KEY]);
    else
        spec_mistake(r, spec_place_of_name(node), NULL, "'event' needs a 'key': the field that decides the partition");
    if (at[TIME])
        read_time(r, at[TIME]);
    else
        spec_mistake(r, spec_place_of_name(node), NULL, "'event' needs a 'time': the field that says when it happened");
    if (at[MAX_AHEAD])
        spec_read_duration(r, at[MAX_AHEAD], "'max_ahead'", 0, &r->plan->event.max_ahead_ms);
    if (at[DEDUPE])
        read_dedupe(r, at[DEDUPE]);
}
