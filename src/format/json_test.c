// SPDX-License-Identifier: Apache-2.0
// JSON events there and back, through the interface that all formats share.
#include "format/format.h"

#include "base/memory.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>
#include <math.h>

static struct weir_field fields[] = {
    {.name = "id", .type = WEIR_STRING, .used = true},
    {.name = "time", .type = WEIR_LONG, .used = true},
    {.name = "warm \"th\"", .type = WEIR_FLOAT, .optional = true, .used = true},
    {.name = "value", .type = WEIR_DOUBLE, .optional = true, .used = true},
    {.name = "on", .type = WEIR_BOOLEAN, .optional = true, .used = true},
    {.name = "n", .type = WEIR_INT, .optional = true, .used = true},
    {.name = "unused", .type = WEIR_STRING, .optional = true},
};
enum { ID, TIME, WARMTH, VALUE, ON, NUMBER, UNUSED, FIELDS };

static const struct weir_plan plan = {
    .event = {.format = WEIR_FORMAT_JSON, .field_count = FIELDS, .fields = fields, .key_field = ID, .time_field = TIME, .max_ahead_ms = -1}};

static const struct weir_value nothing = {.null = true};

static struct weir_value text_value(const char *text)
{
    return (struct weir_value){.kind = WEIR_STRS, .str = weir_str_of(text)};
}

static struct weir_value integer_value(int64_t i64)
{
    return (struct weir_value){.kind = WEIR_I64, .i64 = i64};
}

static struct weir_value float_value(double f64)
{
    return (struct weir_value){.kind = WEIR_F64, .f64 = f64};
}

static struct weir_encoder *encoder(void)
{
    struct weir_encoder *e;
    struct weir_error err;
    assert_int_equal(weir_encoder_new(&plan, NULL, &e, &err), 0);
    return e;
}

static struct weir_decoder *decoder(void)
{
    struct weir_decoder *d;
    struct weir_error err;
    assert_int_equal(weir_decoder_new(&plan, NULL, &d, &err), 0);
    return d;
}

static void events_are_written_compactly(void **state)
{
    (void)state;
    struct weir_encoder *e = encoder();
    struct weir_buffer out = {0};
    struct weir_error err;
    struct weir_value values[FIELDS] = {
        text_value("a\"\n\xc3\xa9"), integer_value(-5), float_value((double)0.1f), float_value(0.1), integer_value(1), integer_value(7), nothing};
    assert_int_equal(weir_encode(e, values, &out, &err), 0);
    weir_buffer_byte(&out, 0);
    assert_string_equal((char *)out.data,
                        "{\"id\":\"a\\\"\\n\xc3\xa9\",\"time\":-5,\"warm \\\"th\\\"\":0.1,\"value\":0.1,\"on\":true,\"n\":7,\"unused\":null}");
    out.bytes = 0;
    struct weir_value special[FIELDS] = {text_value(""), integer_value(0), float_value((double)NAN), float_value(-(double)INFINITY), nothing,
                                         nothing,        nothing};
    assert_int_equal(weir_encode(e, special, &out, &err), 0);
    weir_buffer_byte(&out, 0);
    assert_string_equal((char *)out.data,
                        "{\"id\":\"\",\"time\":0,\"warm \\\"th\\\"\":NaN,\"value\":-Infinity,\"on\":null,\"n\":null,\"unused\":null}");
    weir_encoder_free(e);
    weir_buffer_drop(&out);
}

static void values_that_do_not_fit_are_refused_by_name(void **state)
{
    (void)state;
    struct weir_encoder *e = encoder();
    struct weir_buffer out = {0};
    struct weir_error err;
    static const struct {
        int field;
        struct weir_value value;
        const char *text;
    } cases[] = {{ID, {.kind = WEIR_STRS, .str = {"\xff", 1}}, "id: the text is not valid UTF-8"},
                 {NUMBER, {.kind = WEIR_I64, .i64 = 1ll << 31}, "n: out of range of int"},
                 {WARMTH, {.kind = WEIR_F64, .f64 = 1e300}, "warm \"th\": out of range of float"},
                 {TIME, {.null = true}, "time: null in a required field"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct weir_value values[FIELDS] = {text_value("a"), integer_value(1), nothing, nothing, nothing, nothing, nothing};
        values[cases[i].field] = cases[i].value;
        assert_int_equal(weir_encode(e, values, &out, &err), -1);
        assert_int_equal(err.fate, WEIR_DEAD_LETTER);
        assert_string_equal(err.text, cases[i].text);
        assert_int_equal(out.bytes, 0);
    }
    weir_encoder_free(e);
    weir_buffer_drop(&out);
}

static void batches_come_back_as_they_were_written(void **state)
{
    (void)state;
    enum { EVENTS = 500 };
    struct weir_encoder *e = encoder();
    struct weir_decoder *d = decoder();
    struct weir_arena arena = {0};
    struct weir_buffer out = {0};
    struct weir_record records[EVENTS];
    struct weir_rejects rejects = {0};
    struct weir_batch batch;
    struct weir_error err;
    size_t ends[EVENTS];
    for (int i = 0; i < EVENTS; i++) {
        struct weir_value values[FIELDS] = {text_value(i % 2 ? "x\\y" : "z"),
                                            integer_value(i),
                                            i % 3 ? float_value((double)((float)i / 3)) : nothing,
                                            float_value(i / 7.0),
                                            integer_value(i & 1),
                                            nothing,
                                            nothing};
        assert_int_equal(weir_encode(e, values, &out, &err), 0);
        ends[i] = out.bytes;
    }
    for (int i = 0; i < EVENTS; i++) {
        size_t from = i ? ends[i - 1] : 0;
        records[i] = (struct weir_record){.offset = i, .value = {(char *)out.data + from, (uint32_t)(ends[i] - from)}};
    }
    assert_int_equal(weir_decode(d, records, EVENTS, &arena, &batch, &rejects, &err), 0);
    assert_int_equal(batch.rows, EVENTS);
    for (uint32_t i = 0; i < EVENTS; i++) {
        assert_true(weir_str_is(batch.columns[ID].str[i], i % 2 ? "x\\y" : "z"));
        assert_true(batch.time_ms[i] == i && batch.columns[VALUE].f64[i] == i / 7.0 && batch.columns[ON].i64[i] == (i & 1));
        assert_int_equal(weir_column_is_null(&batch.columns[WARMTH], i), i % 3 == 0);
        assert_true(i % 3 == 0 || batch.columns[WARMTH].f64[i] == (double)((float)i / 3));
        assert_true(weir_column_is_null(&batch.columns[NUMBER], i));
    }
    assert_null(batch.columns[UNUSED].data);
    weir_encoder_free(e);
    weir_decoder_free(d);
    weir_arena_drop(&arena);
    weir_buffer_drop(&out);
}

static void bad_records_are_rejects(void **state)
{
    (void)state;
    struct weir_decoder *d = decoder();
    struct weir_arena arena = {0};
    struct weir_rejects rejects = {0};
    struct weir_batch batch;
    struct weir_error err;
    const struct weir_record records[] = {{.offset = 1, .value = WEIR_STR("{\"time\":1,\"id\":\"a\"}")},
                                          {.offset = 2, .value = WEIR_STR("{\"time\":\"1\",\"id\":\"a\"}")},
                                          {.offset = 3, .null_value = true},
                                          {.offset = 4, .value = WEIR_STR("\xff")},
                                          {.offset = 5, .value = WEIR_STR("{\"id\":\"b\",\"time\":2}")}};
    assert_int_equal(weir_decode(d, records, 5, &arena, &batch, &rejects, &err), 0);
    assert_int_equal(batch.rows, 2);
    assert_int_equal(batch.offset[1], 5);
    assert_int_equal(rejects.count, 3);
    assert_int_equal(rejects.items[0].record, 1);
    assert_int_equal(rejects.items[0].reason, WEIR_MALFORMED);
    assert_string_equal(rejects.items[0].text, "time: expected an integer, found a string (at byte 9)");
    free(rejects.items);
    weir_decoder_free(d);
    weir_arena_drop(&arena);
}

static void records_print_as_json(void **state)
{
    (void)state;
    struct weir_decoder *d = decoder();
    struct weir_buffer out = {0};
    struct weir_error err;
    assert_int_equal(weir_record_print(d, &(struct weir_record){.value = WEIR_STR("{\"any\": [1]}")}, &out, &err), 0);
    weir_buffer_byte(&out, ' ');
    assert_int_equal(weir_record_print(d, &(struct weir_record){.value = WEIR_STR("no \"json\" \xff")}, &out, &err), 0);
    weir_buffer_byte(&out, 0);
    assert_string_equal((char *)out.data, "{\"any\": [1]} \"no \\\"json\\\" \\u00ff\"");
    weir_buffer_drop(&out);
    weir_decoder_free(d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(events_are_written_compactly),
        cmocka_unit_test(values_that_do_not_fit_are_refused_by_name),
        cmocka_unit_test(batches_come_back_as_they_were_written),
        cmocka_unit_test(bad_records_are_rejects),
        cmocka_unit_test(records_print_as_json),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
