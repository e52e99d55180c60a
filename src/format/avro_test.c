// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "avro/place.h"
#include "base/uuid.h"
#include "format/avro.h"
#include "format/avro_event.h"

#define RECORD(fields) "{\"type\":\"record\",\"name\":\"Event\",\"fields\":[" fields "]}"
#define TS             "{\"name\":\"ts\",\"type\":\"long\"}"
#define ID             "{\"name\":\"id\",\"type\":\"string\"}"

struct bed { // a decoder, its registry of schemas 1, 2, …, and what it made last
    struct weir_plan plan;
    struct weir_arena arena, batch_arena;
    const char *schemas[8];
    int asked;
    bool away;
    struct weir_decoder *decoder;
    struct weir_batch batch;
    struct weir_rejects rejects;
    struct weir_buffer bytes;  // of the record that is being written
    struct weir_record single; // that expect() decoded last: the batch's strings point into it
    struct weir_error err;
};

static int schema_of_bed(void *context, int32_t id, struct weir_arena *arena, const char **ret_schema, struct weir_error *err)
{
    struct bed *b = context;
    b->asked++;
    if (b->away)
        return weir_fail(err, WEIR_UNAVAILABLE, WEIR_RETRY, "the registry is away");
    if (id >= 8 || !b->schemas[id])
        return weir_fail(err, WEIR_BAD_DATA, WEIR_DEAD_LETTER, "no schema %d", id);
    *ret_schema = weir_arena_copy(arena, weir_str_of(b->schemas[id])).data;
    return 0;
}

static int list_of_bed(void *context, int (*visit)(void *context, const struct weir_subject_version *v), void *visit_context, struct weir_error *err)
{
    struct bed *b = context;
    (void)err;
    for (int32_t id = 1; id < 8; id++) {
        const struct weir_subject_version v = {.subject = "s", .version = id, .id = id, .schema = b->schemas[id]};
        if (v.schema && visit(visit_context, &v))
            break;
    }
    return 0;
}

static void open_bed(struct bed *b, const char *reader, const char *writer)
{
    *b = (struct bed){.schemas = {NULL, writer}};
    const struct avro_source source = {.schema = schema_of_bed, .context = b};
    struct codec_decoder *codec = NULL;
    if (avro_event_of(reader, "ts", &b->arena, &b->plan.event, &b->err) < 0 || avro_decoder_new(&b->plan, &source, &codec, &b->err) < 0)
        fail_msg("%s", b->err.text);
    b->decoder = decoder_of_codec(&b->plan, codec);
}

static void free_records(struct weir_record *records, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        free((char *)records[i].value.data);
}

static void close_bed(struct bed *b)
{
    free_records(&b->single, 1);
    weir_decoder_free(b->decoder);
    weir_arena_drop(&b->arena);
    weir_arena_drop(&b->batch_arena);
    weir_buffer_drop(&b->bytes);
    free(b->rejects.items);
}

static struct weir_buffer *frame(struct bed *b, int32_t id)
{
    b->bytes.bytes = 0;
    weir_buffer_byte(&b->bytes, 0);
    weir_buffer_be32(&b->bytes, (uint32_t)id);
    return &b->bytes;
}

static void put_text(struct weir_buffer *out, const char *text)
{
    weir_buffer_zigzag(out, (int64_t)strlen(text));
    weir_buffer_add(out, text, strlen(text));
}

// The record written so far, in a block of its own so that a sanitizer sees every read beyond it.
static struct weir_record take(struct bed *b, int64_t offset)
{
    char *copy = malloc(b->bytes.bytes ? b->bytes.bytes : 1);
    memcpy(copy, b->bytes.data, b->bytes.bytes);
    return (struct weir_record){.offset = offset, .timestamp_ms = 5000, .value = {copy, (uint32_t)b->bytes.bytes}};
}

static int decode(struct bed *b, struct weir_record *records, uint32_t count)
{
    b->rejects.count = 0;
    weir_arena_reset(&b->batch_arena);
    int decoded = weir_decode(b->decoder, records, count, &b->batch_arena, &b->batch, &b->rejects, &b->err);
    if (decoded == 0)
        assert_int_equal(b->batch.rows + b->rejects.count, count);
    return decoded;
}

// Decodes what was written as one record; it must be refused with a text that contains `says`, or pass if that is NULL.
static void expect(struct bed *b, enum weir_reason reason, const char *says)
{
    free_records(&b->single, 1);
    b->single = take(b, 0);
    assert_int_equal(decode(b, &b->single, 1), 0);
    if (!says && b->rejects.count)
        fail_msg("refused: %s", b->rejects.items[0].text);
    if (says) {
        assert_int_equal(b->rejects.count, 1);
        assert_int_equal(b->rejects.items[0].reason, reason);
        if (!strstr(b->rejects.items[0].text, says))
            fail_msg("says '%s', not '%s'", b->rejects.items[0].text, says);
    }
}

static void only_framed_records_of_known_schemas_pass(void **state)
{
    (void)state;
    static const char event[] = RECORD(TS);
    struct bed b;
    open_bed(&b, event, event);
    weir_buffer_zigzag(frame(&b, 1), 42);
    expect(&b, 0, NULL);
    assert_int_equal(b.batch.time_ms[0], 42);
    frame(&b, 1)->bytes = 0;
    expect(&b, WEIR_MALFORMED, "empty");
    b.bytes.bytes = 0;
    weir_buffer_add(&b.bytes, "{\"ts\":1}", 8);
    expect(&b, WEIR_MALFORMED, "JSON");
    b.bytes.bytes = 0;
    weir_buffer_add(&b.bytes, "\0\0\0", 3);
    expect(&b, WEIR_MALFORMED, "too short");
    b.bytes.bytes = 0;
    weir_buffer_add(&b.bytes, "\1\0\0\0\1\2", 6);
    expect(&b, WEIR_MALFORMED, "byte 0");
    frame(&b, 1);
    expect(&b, WEIR_MALFORMED, "ts: the record ends inside it");
    weir_buffer_zigzag(frame(&b, 1), 42);
    weir_buffer_byte(&b.bytes, 0);
    expect(&b, WEIR_MALFORMED, "bytes after its end");
    assert_int_equal(b.rejects.items[0].schema_id, 1);
    weir_buffer_zigzag(frame(&b, -5), 42);
    expect(&b, WEIR_UNKNOWN_SCHEMA, "no schema -5");
    weir_buffer_zigzag(frame(&b, 6), 42);
    expect(&b, WEIR_UNKNOWN_SCHEMA, "no schema 6");
    assert_int_equal(b.rejects.items[0].schema_id, 6);
    struct weir_record tombstone = {.null_value = true};
    assert_int_equal(decode(&b, &tombstone, 1), 0);
    assert_int_equal(b.rejects.count, 1);
    close_bed(&b);
}

static void the_registry_is_asked_once_a_schema_and_once_a_batch_for_unknown_ones(void **state)
{
    (void)state;
    static const char event[] = RECORD(TS);
    struct bed b;
    struct weir_record records[4];
    open_bed(&b, event, event);
    for (int i = 0; i < 4; i++) {
        weir_buffer_zigzag(frame(&b, i % 2 ? 1 : 3), i);
        records[i] = take(&b, i);
    }
    assert_int_equal(decode(&b, records, 4), 0);
    assert_int_equal(b.asked, 2);
    assert_int_equal(b.rejects.count, 2);
    assert_int_equal(b.rejects.items[1].record, 2);
    assert_int_equal(b.batch.offset[1], 3);
    b.schemas[3] = event; // registered meanwhile
    assert_int_equal(decode(&b, records, 4), 0);
    assert_int_equal(b.asked, 3);
    assert_int_equal(b.batch.rows, 4);
    b.away = true;
    assert_int_equal(decode(&b, records, 4), 0);
    free_records(records, 4);
    weir_buffer_zigzag(frame(&b, 4), 0);
    struct weir_record other = take(&b, 0);
    assert_int_equal(decode(&b, &other, 1), -1);
    assert_int_equal(b.err.fate, WEIR_RETRY);
    assert_int_equal(b.rejects.count, 0);
    free_records(&other, 1);
    close_bed(&b);
}

static void a_reader_takes_what_it_needs_of_another_writers_record(void **state)
{
    (void)state;
    static const char writer[] =
        RECORD("{\"name\":\"gone\",\"type\":{\"type\":\"array\",\"items\":{\"type\":\"map\",\"values\":\"int\"}}},"
               "{\"name\":\"temp\",\"type\":[\"float\",\"null\"]}," ID ",{\"name\":\"ts\",\"type\":\"int\"},{\"name\":\"n\",\"type\":\"long\"},"
               "{\"name\":\"list\",\"type\":{\"type\":\"record\",\"name\":\"L\",\"fields\":[{\"name\":\"next\",\"type\":[\"null\",\"L\"]}]}}");
    static const char reader[] = RECORD(TS "," ID ",{\"name\":\"temperature\",\"aliases\":[\"temp\"],\"type\":[\"null\",\"double\"]},"
                                           "{\"name\":\"n\",\"type\":\"double\"},"
                                           "{\"name\":\"battery\",\"type\":[\"null\",\"float\"],\"default\":null},"
                                           "{\"name\":\"unit\",\"type\":\"string\",\"default\":\"°C\"}");
    struct bed b;
    open_bed(&b, reader, writer);
    struct weir_buffer *out = frame(&b, 1);
    weir_buffer_zigzag(out, -1); // a block of one item that says its size
    weir_buffer_zigzag(out, 5);
    weir_buffer_add(out, "\2\2k\x0a\0", 5);
    weir_buffer_zigzag(out, 1); // and one that does not
    weir_buffer_zigzag(out, 0);
    weir_buffer_zigzag(out, 0);
    weir_buffer_zigzag(out, 0); // temp: a float
    weir_buffer_add(out, "\0\0\xc0\x3f", 4);
    put_text(out, "a");
    weir_buffer_zigzag(out, 99);
    weir_buffer_zigzag(out, -3);
    weir_buffer_add(out, "\2\2\0", 3); // a list of three
    expect(&b, 0, NULL);
    const struct weir_column *c = b.batch.columns;
    assert_int_equal(c[0].i64[0], 99);
    assert_true(weir_str_is(c[1].str[0], "a"));
    assert_true(c[2].valid[0] && c[2].f64[0] == 1.5);
    assert_null(c[3].valid);
    assert_true(c[3].f64[0] == -3);
    assert_int_equal(c[4].valid[0], 0);
    assert_true(weir_str_is(c[5].str[0], "°C"));
    struct weir_record record = take(&b, 0);
    struct weir_buffer text = {0};
    assert_int_equal(weir_record_print(b.decoder, &record, &text, &b.err), 0);
    weir_buffer_byte(&text, 0);
    assert_string_equal(text.data, "{\"gone\":[{\"k\":5},{}],\"temp\":1.5,\"id\":\"a\",\"ts\":99,\"n\":-3,"
                                   "\"list\":{\"next\":{\"next\":{\"next\":null}}}}");
    weir_buffer_drop(&text);
    free_records(&record, 1);
    close_bed(&b);
}

static void schemas_that_do_not_resolve_are_named(void **state)
{
    (void)state;
    static const struct {
        const char *reader, *writer, *says;
    } cases[] = {
        {RECORD(TS "," ID), RECORD(TS), "id: the writer's schema has no such field, and it has no default"},
        {RECORD(TS "," ID), RECORD(TS ",{\"name\":\"id\",\"type\":\"int\"}"), "id: the writer's int cannot be read as string"},
        {RECORD(TS ",{\"name\":\"x\",\"type\":\"int\"}"), RECORD(TS ",{\"name\":\"x\",\"type\":\"long\"}"), "x: the writer's long"},
        {RECORD(TS), "\"long\"", "not a record"},
        {RECORD(TS), "{\"type\":\"record\",\"name\":\"Other\",\"fields\":[" TS "]}", "'Other'"},
        {RECORD(TS), "{", "schema"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct bed b;
        open_bed(&b, cases[i].reader, cases[i].writer);
        weir_buffer_zigzag(frame(&b, 1), 42);
        expect(&b, WEIR_MALFORMED, cases[i].says);
        close_bed(&b);
    }
}

static void values_that_no_reader_can_take_are_refused_one_by_one(void **state)
{
    (void)state;
    static const char writer[] = RECORD(TS ",{\"name\":\"x\",\"type\":[\"null\",\"int\",\"string\",\"boolean\"]},"
                                           "{\"name\":\"e\",\"type\":{\"type\":\"enum\",\"name\":\"E\",\"symbols\":[\"A\",\"B\"]}}");
    static const char reader[] = RECORD(TS ",{\"name\":\"x\",\"type\":\"long\"},"
                                           "{\"name\":\"e\",\"type\":{\"type\":\"enum\",\"name\":\"E\",\"symbols\":[\"A\"]}}");
    static const struct {
        const char *body;
        uint32_t bytes;
        const char *says;
    } cases[] = {
        {"\0\2\x0c\0", 4, NULL},
        {"\0\0\0", 3, "x: the writer's null cannot be read as long"},
        {"\0\4\2a\0", 5, "x: the writer's string cannot be read as long"},
        {"\0\x0a", 2, "x: a branch"},
        {"\0\1", 2, "x: a branch"},
        {"\0\2\x0c\2", 4, "e: a symbol"},
        {"\0\2\x0c\4", 4, "e: a symbol"},
        {"\0\2\xff\xff\xff\xff\x1f\0", 8, "x: an int of more than 32 bits"},
        {"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\1", 12, "ts: an integer of more than 64 bits"},
    };
    struct bed b;
    open_bed(&b, reader, writer);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        weir_buffer_add(frame(&b, 1), cases[i].body, cases[i].bytes);
        expect(&b, WEIR_MALFORMED, cases[i].says);
    }
    assert_int_equal(b.rejects.items[0].schema_id, 1);
    close_bed(&b);
}

static void work_is_bounded_by_the_records_size(void **state)
{
    (void)state;
    static const char nulls[] = RECORD("{\"name\":\"a\",\"type\":{\"type\":\"array\",\"items\":\"null\"}}," TS);
    static const char list[] = RECORD("{\"name\":\"a\",\"type\":{\"type\":\"record\",\"name\":\"L\",\"fields\":["
                                      "{\"name\":\"next\",\"type\":[\"null\",\"L\"]}]}}," TS);
    struct bed b;
    open_bed(&b, RECORD(TS), nulls);
    weir_buffer_zigzag(frame(&b, 1), INT64_MAX);
    weir_buffer_add(&b.bytes, "\0\0", 2);
    expect(&b, WEIR_MALFORMED, "a: nested too deep or too many empty items");
    weir_buffer_zigzag(frame(&b, 1), INT64_MIN);
    expect(&b, WEIR_MALFORMED, "a: the record ends");
    close_bed(&b);
    open_bed(&b, RECORD(TS), list);
    frame(&b, 1);
    for (int i = 0; i < 200; i++)
        weir_buffer_byte(&b.bytes, 2);
    expect(&b, WEIR_MALFORMED, "a: nested too deep");
    close_bed(&b);
}

static void rows_that_fail_checks_leave_no_gap(void **state)
{
    (void)state;
    static const char event[] = RECORD(TS "," ID);
    static const char good[] = "0b9e6f1a-2c3d-4e5f-8091-a2b3c4d5e6f7";
    static const struct {
        int64_t time_ms;
        const char *id;
    } events[] = {{1, good}, {2, "abc"}, {6001, good}, {6000, good}, {INT64_MAX, good}, {-7, good}};
    struct bed b;
    struct weir_record records[7];
    open_bed(&b, event, event);
    b.plan.event.fields[1].is_uuid = true;
    b.plan.event.max_ahead_ms = 1000;
    for (int i = 0; i < 6; i++) {
        weir_buffer_zigzag(frame(&b, 1), events[i].time_ms);
        put_text(&b.bytes, events[i].id);
        records[i] = take(&b, 100 + i);
    }
    frame(&b, 1);
    records[6] = take(&b, 106);
    assert_int_equal(decode(&b, records, 7), 0);
    assert_int_equal(b.batch.rows, 3);
    assert_int_equal(b.batch.time_ms[1], 6000);
    assert_int_equal(b.batch.columns[0].i64[1], 6000);
    assert_int_equal(b.batch.offset[1], 103);
    assert_int_equal(b.batch.offset[2], 105);
    assert_true(weir_str_is(b.batch.columns[1].str[2], good));
    static const struct {
        uint32_t record;
        enum weir_reason reason;
        const char *text;
    } refused[] = {{1, WEIR_MALFORMED, "id: 'abc' is not a uuid"},
                   {2, WEIR_FUTURE, "ts: 1970-01-01T00:00:06.001Z is too far ahead of the record's own time 1970-01-01T00:00:05Z"},
                   {4, WEIR_MALFORMED, "ts: out of the range of times"},
                   {6, WEIR_MALFORMED, "ts: the record ends inside it"}};
    for (int i = 0; i < 4; i++) {
        assert_int_equal(b.rejects.items[i].record, refused[i].record);
        assert_int_equal(b.rejects.items[i].reason, refused[i].reason);
        assert_string_equal(b.rejects.items[i].text, refused[i].text);
        assert_int_equal(b.rejects.items[i].schema_id, 1);
    }
    free_records(records, 7);
    close_bed(&b);
}

static void every_character_of_a_uuid_counts(void **state)
{
    (void)state;
    static const char event[] = RECORD(TS "," ID);
    struct bed b;
    open_bed(&b, event, event);
    b.plan.event.fields[1].is_uuid = true;
    for (int at = 0; at < 36; at++)
        for (int c = 0; c < 256; c++) {
            char id[37] = "0b9e6f1a-2c3d-4e5f-8091-A2B3C4D5E6F7";
            id[at] = (char)c;
            weir_buffer_zigzag(frame(&b, 1), 1);
            weir_buffer_zigzag(&b.bytes, 36);
            weir_buffer_add(&b.bytes, id, 36);
            expect(&b, WEIR_MALFORMED, weir_uuid_valid((struct weir_str){id, 36}) ? NULL : "is not a uuid");
        }
    close_bed(&b);
}

static void event_time_comes_in_any_unit(void **state)
{
    (void)state;
    static const struct {
        const char *schema;
        enum weir_time_unit unit;
        const char *body;
        uint32_t bytes;
        int64_t time_ms;
        const char *says;
    } cases[] = {
        {RECORD(TS), WEIR_UNIT_S, "\4", 1, 2000, NULL},
        {RECORD(TS), WEIR_UNIT_S, "\xff\xff\xff\xff\xff\xff\xff\xff\xff\1", 10, 0, "out of the range"},
        {RECORD(TS), WEIR_UNIT_US, "\x9f\x1f", 2, -2, NULL}, // −2000 µs
        {RECORD(TS), WEIR_UNIT_US, "\1", 1, -1, NULL},
        {RECORD("{\"name\":\"ts\",\"type\":\"string\"}"), WEIR_UNIT_ISO8601,
         "\x28"
         "1970-01-01T00:00:02Z",
         21, 2000, NULL},
        {RECORD("{\"name\":\"ts\",\"type\":\"string\"}"), WEIR_UNIT_ISO8601, "\6now", 4, 0, "ts: 'now' is not an ISO 8601 time"},
        {RECORD("{\"name\":\"ts\",\"type\":[\"null\",\"long\"]}"), WEIR_UNIT_MS, "\2\4", 2, 2, NULL},
        {RECORD("{\"name\":\"ts\",\"type\":[\"null\",\"long\"]}"), WEIR_UNIT_MS, "\0", 1, 0, "ts: null"},
        {RECORD("{\"name\":\"ts\",\"type\":\"double\"}"), WEIR_UNIT_S, "\0\0\0\0\0\0\xf8\x3f", 8, 1500, NULL},
        {RECORD("{\"name\":\"ts\",\"type\":\"double\"}"), WEIR_UNIT_S, "\0\0\0\0\0\0\xf8\x7f", 8, 0, "out of the range"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct bed b;
        open_bed(&b, cases[i].schema, cases[i].schema);
        b.plan.event.time_unit = cases[i].unit;
        weir_buffer_add(frame(&b, 1), cases[i].body, cases[i].bytes);
        expect(&b, WEIR_MALFORMED, cases[i].says);
        if (!cases[i].says)
            assert_int_equal(b.batch.time_ms[0], cases[i].time_ms);
        close_bed(&b);
    }
}

static struct weir_encoder *encoder_for(struct bed *b)
{
    struct codec_encoder *codec;
    if (avro_encoder_new(&b->plan, 1, &codec, &b->err) < 0)
        return NULL;
    return encoder_of_codec(&b->plan, codec);
}

static void what_is_encoded_is_decoded_and_what_does_not_fit_is_named(void **state)
{
    (void)state;
    static const char event[] = RECORD("{\"name\":\"list\",\"type\":{\"type\":\"array\",\"items\":\"int\"},\"default\":[7]}," TS
                                       ",{\"name\":\"n\",\"type\":[\"int\",\"null\"]},{\"name\":\"f\",\"type\":\"float\"}");
    struct bed b;
    open_bed(&b, event, event);
    struct weir_encoder *e = encoder_for(&b);
    struct weir_value values[] = {{.kind = WEIR_I64, .i64 = 42}, {.kind = WEIR_I64, .i64 = -9}, {.kind = WEIR_F64, .f64 = 0.5}};
    b.bytes.bytes = 0;
    assert_int_equal(weir_encode(e, values, &b.bytes, &b.err), 0);
    expect(&b, 0, NULL);
    assert_int_equal(b.batch.columns[0].i64[0], 42);
    assert_int_equal(b.batch.columns[1].i64[0], -9);
    assert_true(b.batch.columns[2].f64[0] == 0.5);
    size_t bytes = b.bytes.bytes;
    values[1].i64 = 1ll << 31;
    assert_int_equal(weir_encode(e, values, &b.bytes, &b.err), -1);
    assert_string_equal(b.err.text, "n: expected an int from -2147483648 to 2147483647, found 2147483648");
    assert_int_equal(b.err.fate, WEIR_DEAD_LETTER);
    values[1].null = true;
    values[2].f64 = 1e300;
    assert_int_equal(weir_encode(e, values, &b.bytes, &b.err), -1);
    assert_string_equal(b.err.text, "f: expected a float, which is at most 3.4028235e38 either way, found 1e+300");
    values[2].null = true;
    assert_int_equal(weir_encode(e, values, &b.bytes, &b.err), -1);
    assert_string_equal(b.err.text, "f: null in a required field");
    assert_int_equal(b.bytes.bytes, bytes);
    weir_encoder_free(e);
    close_bed(&b);
}

static void an_event_that_could_never_be_written_is_a_mistake_of_the_schema(void **state)
{
    (void)state;
    static const char event[] = RECORD(TS ",{\"name\":\"list\",\"type\":{\"type\":\"array\",\"items\":\"int\"}}");
    struct bed b;
    open_bed(&b, event, event);
    assert_null(encoder_for(&b));
    assert_non_null(strstr(b.err.text, "field 'list' is array"));
    assert_int_equal(b.err.code, WEIR_BAD_CONFIG);
    close_bed(&b);
}

// A decoder whose reader has `paths` (ending with NULL) as further fields.
static void open_nested(struct bed *b, const char *reader, const char *writer, const char *const *paths)
{
    open_bed(b, reader, writer);
    weir_decoder_free(b->decoder);
    const struct avro_source source = {schema_of_bed, list_of_bed, b};
    const struct weir_avro_schema *record;
    struct codec_decoder *codec = NULL;
    struct weir_event_spec *event = &b->plan.event;
    json_t *json;
    assert_int_equal(weir_avro_parse(weir_str_of(reader), &b->arena, &record, &json, &b->err), 0);
    json_decref(json);
    struct weir_field *fields = weir_arena_zalloc(&b->arena, 32 * sizeof *fields);
    memcpy(fields, event->fields, event->field_count * sizeof *fields);
    event->fields = fields;
    for (; *paths; paths++) {
        struct weir_avro_step steps[WEIR_AVRO_STEPS_MAX];
        struct weir_field *field = &fields[event->field_count + event->nested_count++];
        const char *kind;
        int count = weir_avro_steps(weir_str_of(*paths), steps);
        *field = (struct weir_field){.name = *paths, .used = true};
        assert_int_equal(weir_avro_place(record, steps, count, 0, &field->type, &field->optional, &kind), 0);
    }
    assert_int_equal(avro_decoder_new(&b->plan, &source, &codec, &b->err), 0);
    b->decoder = decoder_of_codec(&b->plan, codec);
}

#define PLACE                                                                                                                                        \
    "{\"name\":\"location\",\"type\":[\"null\",{\"type\":\"record\",\"name\":\"L\",\"fields\":[{\"name\":\"lat\",\"type\":\"float\"},"               \
    "{\"name\":\"city\",\"type\":\"string\"}]}],\"default\":null}"
#define LIST "{\"name\":\"readings\",\"type\":{\"type\":\"array\",\"items\":\"int\"},\"default\":[8,9]}"
#define TAGS "{\"name\":\"tags\",\"type\":{\"type\":\"map\",\"values\":\"string\"},\"default\":{}}"

static void paths_into_records_arrays_and_maps_are_columns(void **state)
{
    (void)state;
    static const char event[] = RECORD(TS "," PLACE "," LIST "," TAGS);
    static const char *const paths[] = {"location.city", "readings[0]", "readings[2]", "tags.color", NULL};
    struct bed b;
    open_nested(&b, event, event, paths);
    struct weir_column *c;
    weir_buffer_zigzag(frame(&b, 1), 7);
    weir_buffer_add(&b.bytes, "\2\0\0\0\0\10Roma", 10); // location
    weir_buffer_add(&b.bytes, "\3\4\2\4\2\6\0", 7);     // readings: 1, 2 in a block of two bytes, then 3
    weir_buffer_add(&b.bytes, "\4\2x\2y\12color\6red\0", 16);
    expect(&b, 0, NULL);
    c = b.batch.columns + b.plan.event.field_count;
    assert_true(weir_str_is(c[0].str[0], "Roma"));
    assert_int_equal(c[1].i64[0], 1);
    assert_int_equal(c[2].i64[0], 3);
    assert_true(weir_str_is(c[3].str[0], "red"));
    weir_buffer_zigzag(frame(&b, 1), 7);
    weir_buffer_add(&b.bytes, "\0\2\2\0\0", 5); // no location, one reading, no tags
    expect(&b, 0, NULL);
    c = b.batch.columns + b.plan.event.field_count;
    assert_true(weir_column_is_null(&c[0], 0) && weir_column_is_null(&c[2], 0) && weir_column_is_null(&c[3], 0));
    assert_int_equal(c[1].i64[0], 1);
    close_bed(&b);
    open_nested(&b, event, RECORD(TS), paths);
    weir_buffer_zigzag(frame(&b, 1), 7);
    expect(&b, 0, NULL);
    c = b.batch.columns + b.plan.event.field_count;
    assert_true(weir_column_is_null(&c[0], 0) && weir_column_is_null(&c[2], 0) && weir_column_is_null(&c[3], 0));
    assert_int_equal(c[1].i64[0], 8);
    close_bed(&b);
}

static void a_nested_default_is_completed_by_its_types_own(void **state)
{
    (void)state;
    static const char reader[] =
        RECORD(TS ",{\"name\":\"r\",\"type\":{\"type\":\"record\",\"name\":\"I\",\"fields\":[{\"name\":\"x\",\"type\":\"int\"},"
                  "{\"name\":\"y\",\"type\":\"string\",\"default\":\"q\"}]},\"default\":{\"x\":5}}");
    static const char *const paths[] = {"r.x", "r.y", NULL};
    struct bed b;
    open_nested(&b, reader, RECORD(TS), paths);
    weir_buffer_zigzag(frame(&b, 1), 7);
    expect(&b, 0, NULL);
    assert_int_equal(b.batch.columns[1].i64[0], 5);
    assert_true(weir_str_is(b.batch.columns[2].str[0], "q"));
    close_bed(&b);
}

#define LOGICAL(type, name, more) "{\"name\":\"x\",\"type\":{\"type\":\"" type "\",\"logicalType\":\"" name "\"" more "}}"

static void logical_types_are_what_they_mean(void **state)
{
    (void)state;
    static const struct {
        const char *reader, *writer, *body;
        uint32_t bytes;
        int64_t i64;
        double f64;
        const char *str;
    } cases[] = {
        {LOGICAL("long", "timestamp-millis", ""), NULL, "\4", 1, 2, 0, NULL},
        {LOGICAL("long", "timestamp-micros", ""), NULL, "\xa0\x1f", 2, 2, 0, NULL},
        {LOGICAL("long", "timestamp-micros", ""), NULL, "\1", 1, -1, 0, NULL},
        {LOGICAL("long", "timestamp-millis", ""), LOGICAL("long", "timestamp-micros", ""), "\xa0\x1f", 2, 2, 0, NULL},
        {LOGICAL("long", "timestamp-nanos", ""), LOGICAL("long", "timestamp-millis", ""), "\4", 1, 2, 0, NULL},
        {LOGICAL("int", "date", ""), NULL, "\4", 1, 172800000, 0, NULL},
        {LOGICAL("int", "time-millis", ""), NULL, "\4", 1, 2, 0, NULL},
        {LOGICAL("bytes", "decimal", ",\"precision\":5,\"scale\":2"), NULL, "\4\x30\x39", 3, 0, 123.45, NULL},
        {LOGICAL("bytes", "decimal", ",\"precision\":5,\"scale\":2"), NULL, "\4\xcf\xc7", 3, 0, -123.45, NULL},
        {LOGICAL("bytes", "decimal", ",\"precision\":5,\"scale\":2"), NULL, "\4\x80\0", 3, 0, -327.68, NULL},
        {LOGICAL("bytes", "decimal", ",\"precision\":5,\"scale\":2"), LOGICAL("bytes", "decimal", ",\"precision\":5,\"scale\":3"), "\4\x30\x39", 3, 0,
         12.345, NULL},
        {LOGICAL("fixed", "uuid", ",\"name\":\"F\",\"size\":16"), NULL, "\x0b\x9e\x6f\x1a\x2c\x3d\x4e\x5f\x80\x91\xa2\xb3\xc4\xd5\xe6\xf7", 16, 0, 0,
         "0b9e6f1a-2c3d-4e5f-8091-a2b3c4d5e6f7"},
        {LOGICAL("fixed", "duration", ",\"name\":\"F\",\"size\":12"), NULL, "\1\0\0\0\2\0\0\0\xe9\3\0\0", 12, 0, 0, "P1M2DT1.001S"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char reader[500], writer[500];
        struct bed b;
        snprintf(reader, sizeof reader, RECORD("%s," TS), cases[i].reader);
        snprintf(writer, sizeof writer, RECORD("%s," TS), cases[i].writer ? cases[i].writer : cases[i].reader);
        open_bed(&b, reader, writer);
        weir_buffer_add(frame(&b, 1), cases[i].body, cases[i].bytes);
        weir_buffer_byte(&b.bytes, 0);
        expect(&b, 0, NULL);
        struct weir_value value = weir_column_get(&b.batch.columns[0], 0);
        if (value.kind == WEIR_STRS)
            assert_true(weir_str_is(value.str, cases[i].str));
        else if (value.kind == WEIR_F64)
            assert_true(value.f64 == cases[i].f64);
        else
            assert_int_equal(value.i64, cases[i].i64);
        struct weir_encoder *e = cases[i].writer ? NULL : encoder_for(&b);
        struct weir_value values[] = {value, {.kind = WEIR_I64}};
        bool writable = e && weir_encode(e, values, frame(&b, 1), &b.err) == 0;
        if (writable && i != 2) // what is read can be written, in its own unit
            assert_memory_equal(b.bytes.data + 2 * AVRO_FRAME_BYTES, cases[i].body, cases[i].bytes);
        weir_encoder_free(e);
        close_bed(&b);
    }
}

static void a_decimal_that_is_too_long_is_refused(void **state)
{
    (void)state;
    static const char event[] = RECORD(LOGICAL("bytes", "decimal", ",\"precision\":5") "," TS);
    struct bed b;
    open_bed(&b, event, event);
    weir_buffer_zigzag(frame(&b, 1), 65);
    for (int i = 0; i < 66; i++)
        weir_buffer_byte(&b.bytes, 0);
    expect(&b, WEIR_MALFORMED, "x: a decimal of more than 64 bytes");
    close_bed(&b);
}

static void a_single_object_is_found_by_its_fingerprint(void **state)
{
    (void)state;
    static const char event[] = RECORD(TS);
    static const char *const none[] = {NULL};
    struct bed b;
    const struct weir_avro_schema *schema;
    json_t *json;
    open_nested(&b, event, event, none);
    assert_int_equal(weir_avro_parse(WEIR_STR(event), &b.arena, &schema, &json, &b.err), 0);
    json_decref(json);
    uint64_t fingerprint = weir_avro_fingerprint(schema);
    for (int wrong = 0; wrong < 2; wrong++) {
        b.bytes.bytes = 0;
        weir_buffer_add(&b.bytes, "\xc3\1", 2);
        for (int i = 0; i < 8; i++)
            weir_buffer_byte(&b.bytes, (uint8_t)((fingerprint + (uint64_t)wrong) >> (8 * i)));
        weir_buffer_zigzag(&b.bytes, 42);
        expect(&b, WEIR_UNKNOWN_SCHEMA, wrong ? "no schema of fingerprint" : NULL);
        if (!wrong)
            assert_int_equal(b.batch.columns[0].i64[0], 42);
    }
    b.bytes.bytes = 5;
    expect(&b, WEIR_MALFORMED, "too short for a fingerprint");
    close_bed(&b);
}

static void runs_of_unwanted_fields_name_the_one_at_fault(void **state)
{
    (void)state;
    static const char writer[] = RECORD("{\"name\":\"a\",\"type\":\"int\"},{\"name\":\"b\",\"type\":\"long\"},{\"name\":\"c\",\"type\":\"long\"},"
                                        "{\"name\":\"d\",\"type\":\"string\"},{\"name\":\"e\",\"type\":\"bytes\"}," TS);
    struct bed b;
    open_bed(&b, RECORD(TS), writer);
    weir_buffer_add(frame(&b, 1), "\2\2\2\2x\2y\4", 8);
    expect(&b, 0, NULL);
    assert_int_equal(b.batch.columns[0].i64[0], 2);
    weir_buffer_add(frame(&b, 1), "\2", 1);
    expect(&b, WEIR_MALFORMED, "b: the record ends");
    weir_buffer_add(frame(&b, 1), "\2\2\2\2x\5y", 7);
    expect(&b, WEIR_MALFORMED, "e: a negative length");
    close_bed(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_framed_records_of_known_schemas_pass),
        cmocka_unit_test(the_registry_is_asked_once_a_schema_and_once_a_batch_for_unknown_ones),
        cmocka_unit_test(a_reader_takes_what_it_needs_of_another_writers_record),
        cmocka_unit_test(schemas_that_do_not_resolve_are_named),
        cmocka_unit_test(values_that_no_reader_can_take_are_refused_one_by_one),
        cmocka_unit_test(work_is_bounded_by_the_records_size),
        cmocka_unit_test(rows_that_fail_checks_leave_no_gap),
        cmocka_unit_test(every_character_of_a_uuid_counts),
        cmocka_unit_test(event_time_comes_in_any_unit),
        cmocka_unit_test(what_is_encoded_is_decoded_and_what_does_not_fit_is_named),
        cmocka_unit_test(an_event_that_could_never_be_written_is_a_mistake_of_the_schema),
        cmocka_unit_test(paths_into_records_arrays_and_maps_are_columns),
        cmocka_unit_test(a_nested_default_is_completed_by_its_types_own),
        cmocka_unit_test(logical_types_are_what_they_mean),
        cmocka_unit_test(a_decimal_that_is_too_long_is_refused),
        cmocka_unit_test(a_single_object_is_found_by_its_fingerprint),
        cmocka_unit_test(runs_of_unwanted_fields_name_the_one_at_fault),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
