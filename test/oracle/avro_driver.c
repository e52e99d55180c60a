// SPDX-License-Identifier: Apache-2.0
// Answers questions about Avro, a line of JSON each, for avro_roundtrip_test.py and avro_resolution_test.py:
//   {"writer": SCHEMA, "reader": SCHEMA, "hex": [BODY…]}  → {"rows": [{FIELD: TEXT or null}…], "rejects": {RECORD: TEXT}, "prints": [TEXT…]}
//   {"reader": SCHEMA, "values": [{FIELD: TEXT or null}…]} → {"hex": [BODY…]}
//   {"canonical": SCHEMA}                                  → {"text": TEXT, "fingerprint": HEX}
//   {"compare": [READER, WRITER]}                          → {"fits": BOOL, "findings": ["TYPE LOCATION"…]}
// The first may have "paths": [PATH…] into the reader's record: further fields, where they lead to a scalar.
//   either                                                → {"error": TEXT}
// Schemas are text, bodies and strings hexadecimal, numbers decimal text.
#include "avro/compatibility.h"
#include "avro/place.h"
#include "base/number.h"
#include "format/avro.h"
#include "format/avro_event.h"
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

enum { SCHEMA_ID = 7 };

struct session {
    struct weir_plan plan;
    struct weir_arena arena;
    const char *writer;
};

static int schema_of_session(void *context, int32_t id, struct weir_arena *arena, const char **ret_schema, struct weir_error *err)
{
    const struct session *s = context;
    if (id != SCHEMA_ID)
        return weir_fail(err, WEIR_BAD_DATA, WEIR_DEAD_LETTER, "no such schema");
    *ret_schema = weir_arena_copy(arena, weir_str_of(s->writer)).data;
    return 0;
}

static json_t *to_hex(const char *data, size_t bytes)
{
    char *text = malloc(2 * bytes + 1);
    for (size_t i = 0; i < bytes; i++)
        snprintf(text + 2 * i, 3, "%02x", (unsigned char)data[i]);
    json_t *json = json_stringn(text, 2 * bytes);
    free(text);
    return json;
}

static int digit(char c)
{
    return c <= '9' ? c - '0' : c - 'a' + 10;
}

static struct weir_str of_hex(const char *text, struct weir_arena *arena)
{
    uint32_t bytes = (uint32_t)strlen(text) / 2;
    char *data = weir_arena_alloc(arena, bytes);
    for (uint32_t i = 0; i < bytes; i++)
        data[i] = (char)(digit(text[2 * i]) << 4 | digit(text[2 * i + 1]));
    return (struct weir_str){data, bytes};
}

static json_t *to_text(struct weir_value value)
{
    char text[32];
    if (value.null)
        return json_null();
    if (value.kind == WEIR_STRS)
        return to_hex(value.str.data, value.str.bytes);
    size_t bytes = value.kind == WEIR_F64 ? weir_format_f64(value.f64, text) : weir_format_i64(value.i64, text);
    return json_stringn(text, bytes);
}

static json_t *rows_of(const struct weir_event_spec *event, const struct weir_batch *batch)
{
    json_t *rows = json_array();
    for (uint32_t r = 0; r < batch->rows; r++) {
        json_t *row = json_object();
        for (uint32_t f = 0; f < batch->column_count; f++)
            json_object_set_new(row, event->fields[f].name, to_text(weir_column_get(&batch->columns[f], r)));
        json_array_append_new(rows, row);
    }
    return rows;
}

static json_t *rejects_of(const struct weir_rejects *rejects)
{
    json_t *all = json_object();
    for (size_t i = 0; i < rejects->count; i++) {
        char record[16];
        snprintf(record, sizeof record, "%u", rejects->items[i].record);
        json_object_set_new(all, record, json_string(rejects->items[i].text));
    }
    return all;
}

static struct weir_record *records_of(struct session *s, const json_t *bodies)
{
    size_t count = json_array_size(bodies);
    struct weir_record *records = weir_arena_zalloc(&s->arena, count * sizeof *records);
    for (size_t i = 0; i < count; i++) {
        struct weir_str body = of_hex(json_string_value(json_array_get(bodies, i)), &s->arena);
        struct weir_buffer framed = {0};
        weir_buffer_byte(&framed, 0);
        weir_buffer_be32(&framed, SCHEMA_ID);
        weir_buffer_add(&framed, body.data, body.bytes);
        records[i].offset = (int64_t)i;
        records[i].value = weir_arena_copy(&s->arena, weir_buffer_view(&framed));
        weir_buffer_drop(&framed);
    }
    return records;
}

static json_t *prints_of(struct weir_decoder *decoder, const struct weir_record *records, uint32_t count)
{
    json_t *prints = json_array();
    for (uint32_t i = 0; i < count; i++) {
        struct weir_buffer text = {0};
        struct weir_error err;
        bool good = weir_record_print(decoder, &records[i], &text, &err) == 0;
        json_array_append_new(prints, good ? json_stringn((char *)text.data, text.bytes) : json_sprintf("!%s", err.text));
        weir_buffer_drop(&text);
    }
    return prints;
}

static int decode(struct session *s, const json_t *question, json_t *answer, struct weir_error *err)
{
    const struct avro_source source = {.schema = schema_of_session, .context = s};
    struct codec_decoder *codec;
    if (avro_decoder_new(&s->plan, &source, &codec, err) < 0)
        return -1;
    struct weir_decoder *decoder = decoder_of_codec(&s->plan, codec);
    const json_t *bodies = json_object_get(question, "hex");
    struct weir_record *records = records_of(s, bodies);
    uint32_t count = (uint32_t)json_array_size(bodies);
    struct weir_batch batch;
    struct weir_rejects rejects = {0};
    int decoded = weir_decode(decoder, records, count, &s->arena, &batch, &rejects, err);
    if (decoded == 0) {
        json_object_set_new(answer, "rows", rows_of(&s->plan.event, &batch));
        json_object_set_new(answer, "rejects", rejects_of(&rejects));
        json_object_set_new(answer, "prints", prints_of(decoder, records, count));
    }
    free(rejects.items);
    weir_decoder_free(decoder);
    return decoded;
}

static struct weir_value value_of(const struct weir_field *field, const json_t *json, struct weir_arena *arena)
{
    struct weir_value value = {.kind = weir_kind_of(field->type), .null = !json_is_string(json)};
    if (value.null)
        return value;
    struct weir_str text = weir_str_of(json_string_value(json));
    if (value.kind == WEIR_STRS)
        value.str = of_hex(text.data, arena);
    else if (value.kind == WEIR_F64)
        weir_parse_f64(text, &value.f64);
    else
        weir_parse_i64(text, &value.i64);
    return value;
}

static int encode_one(struct session *s, struct weir_encoder *encoder, const json_t *event, json_t *ret_bodies, struct weir_error *err)
{
    struct weir_buffer out = {0};
    struct weir_value *values = weir_arena_zalloc(&s->arena, s->plan.event.field_count * sizeof *values);
    for (uint32_t f = 0; f < s->plan.event.field_count; f++)
        values[f] = value_of(&s->plan.event.fields[f], json_object_get(event, s->plan.event.fields[f].name), &s->arena);
    int encoded = weir_encode(encoder, values, &out, err);
    if (encoded == 0)
        json_array_append_new(ret_bodies, to_hex((char *)out.data + AVRO_FRAME_BYTES, out.bytes - AVRO_FRAME_BYTES));
    weir_buffer_drop(&out);
    return encoded;
}

static int encode(struct session *s, const json_t *question, json_t *answer, struct weir_error *err)
{
    struct codec_encoder *codec;
    if (avro_encoder_new(&s->plan, SCHEMA_ID, &codec, err) < 0)
        return -1;
    struct weir_encoder *encoder = encoder_of_codec(&s->plan, codec);
    json_t *bodies = json_array(), *event;
    size_t i;
    int encoded = 0;
    json_array_foreach(json_object_get(question, "values"), i, event)
    {
        if (encoded == 0)
            encoded = encode_one(s, encoder, event, bodies, err);
    }
    json_object_set_new(answer, "hex", bodies);
    weir_encoder_free(encoder);
    return encoded;
}

// Paths into the record become columns as in a pipeline file.
static int add_paths(struct session *s, const json_t *paths, struct weir_error *err)
{
    struct weir_event_spec *event = &s->plan.event;
    const struct weir_avro_schema *record;
    json_t *json, *path;
    size_t i;
    if (weir_avro_parse(weir_str_of(event->schema_text), &s->arena, &record, &json, err) < 0)
        return -1;
    json_decref(json);
    struct weir_field *fields = weir_arena_zalloc(&s->arena, (event->field_count + json_array_size(paths) + 1) * sizeof *fields);
    memcpy(fields, event->fields, event->field_count * sizeof *fields);
    event->fields = fields;
    json_array_foreach(paths, i, path)
    {
        struct weir_avro_step steps[WEIR_AVRO_STEPS_MAX];
        struct weir_field field = {.name = weir_arena_copy(&s->arena, weir_str_of(json_string_value(path))).data, .used = true};
        const char *kind;
        int count = weir_avro_steps(weir_str_of(field.name), steps);
        if (count > 0 && weir_avro_place(record, steps, count, WEIR_AVRO_RAW, &field.type, &field.optional, &kind) == 0)
            fields[event->field_count + event->nested_count++] = field;
    }
    return 0;
}

static int canonical(struct session *s, const char *text, json_t *answer, struct weir_error *err)
{
    const struct weir_avro_schema *schema;
    json_t *json;
    char fingerprint[17];
    struct weir_buffer out = {0};
    if (weir_avro_parse(weir_str_of(text), &s->arena, &schema, &json, err) < 0)
        return -1;
    weir_avro_canonical(schema, &out);
    snprintf(fingerprint, sizeof fingerprint, "%016llx", (unsigned long long)weir_avro_fingerprint(schema));
    json_object_set_new(answer, "text", json_stringn((char *)out.data, out.bytes));
    json_object_set_new(answer, "fingerprint", json_string(fingerprint));
    weir_buffer_drop(&out);
    json_decref(json);
    return 0;
}

static void note(void *context, const struct weir_avro_finding *f)
{
    json_array_append_new(context, json_sprintf("%s %s", f->type, f->location));
}

static int compare(const json_t *pair, json_t *answer, struct weir_error *err)
{
    json_t *findings = json_array();
    bool fits = false;
    int compared = weir_avro_compare(json_string_value(json_array_get(pair, 0)), json_string_value(json_array_get(pair, 1)), "new", "old", note,
                                     findings, &fits, err);
    json_object_set_new(answer, "fits", json_boolean(fits));
    json_object_set_new(answer, "findings", findings);
    return compared;
}

static int events(struct session *s, const json_t *question, json_t *answer, struct weir_error *err)
{
    if (avro_event_of(json_string_value(json_object_get(question, "reader")), "ts", &s->arena, &s->plan.event, err) < 0 ||
        add_paths(s, json_object_get(question, "paths"), err) < 0)
        return -1;
    return json_object_get(question, "values") ? encode(s, question, answer, err) : decode(s, question, answer, err);
}

static json_t *answer_to(const json_t *question)
{
    struct session s = {.writer = json_string_value(json_object_get(question, "writer"))};
    struct weir_error err;
    json_t *answer = json_object();
    const json_t *text = json_object_get(question, "canonical"), *pair = json_object_get(question, "compare");
    int done = text ? canonical(&s, json_string_value(text), answer, &err) : pair ? compare(pair, answer, &err) : events(&s, question, answer, &err);
    if (done < 0) {
        json_object_clear(answer);
        json_object_set_new(answer, "error", json_string(err.text));
    }
    weir_arena_drop(&s.arena);
    return answer;
}

int main(void)
{
    char *line = NULL;
    size_t capacity = 0;
    while (getline(&line, &capacity, stdin) > 0) {
        json_t *question = json_loads(line, 0, NULL), *answer = answer_to(question);
        json_dumpf(answer, stdout, JSON_COMPACT);
        putchar('\n');
        fflush(stdout);
        json_decref(question);
        json_decref(answer);
    }
    free(line);
    return 0;
}
