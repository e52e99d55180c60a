// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "avro/schema.h"
#include "base/buffer.h"

struct parsed {
    struct weir_arena arena;
    const struct weir_avro_schema *schema;
    json_t *json;
    struct weir_error err;
};

static int parse(struct parsed *p, const char *text)
{
    *p = (struct parsed){0};
    return weir_avro_parse(weir_str_of(text), &p->arena, &p->schema, &p->json, &p->err);
}

static void drop(struct parsed *p)
{
    weir_arena_drop(&p->arena);
    json_decref(p->json);
}

static void a_sensor_event_is_a_tree(void **state)
{
    (void)state;
    struct parsed p;
    assert_int_equal(parse(&p, "{\"type\":\"record\",\"name\":\"SensorEvent\",\"namespace\":\"com.iot.pipeline\",\"fields\":["
                               "{\"name\":\"device_id\",\"type\":\"string\"},"
                               "{\"name\":\"device_name\",\"type\":[\"null\",\"string\"],\"default\":null},"
                               "{\"name\":\"timestamp\",\"type\":{\"type\":\"long\",\"logicalType\":\"timestamp-millis\"}},"
                               "{\"name\":\"temperature\",\"type\":\"float\",\"aliases\":[\"temp\"]}]}"),
                     0);
    const struct weir_avro_schema *s = p.schema;
    assert_int_equal(s->kind, WEIR_AVRO_RECORD);
    assert_string_equal(s->name, "com.iot.pipeline.SensorEvent");
    assert_int_equal(s->field_count, 4);
    bool optional;
    assert_int_equal(weir_avro_nullable(s->fields[1].schema, &optional)->kind, WEIR_AVRO_STRING);
    assert_true(optional);
    assert_true(json_is_null(s->fields[1].default_value));
    assert_int_equal(weir_avro_nullable(s->fields[2].schema, &optional)->kind, WEIR_AVRO_LONG);
    assert_false(optional);
    assert_string_equal(s->fields[2].schema->logical_type, "timestamp-millis");
    assert_string_equal(s->fields[3].aliases[0], "temp");
    assert_null(s->fields[0].default_value);
    drop(&p);
}

static void names_resolve_through_namespaces(void **state)
{
    (void)state;
    struct parsed p;
    assert_int_equal(
        parse(&p, "{\"type\":\"record\",\"name\":\"a.R\",\"namespace\":\"ignored\",\"aliases\":[\"Old\",\"x.Older\"],\"fields\":["
                  "{\"name\":\"f\",\"type\":{\"type\":\"fixed\",\"name\":\"F\",\"size\":4}},"
                  "{\"name\":\"g\",\"type\":\"F\"},{\"name\":\"h\",\"type\":\"a.F\"},"
                  "{\"name\":\"e\",\"type\":{\"type\":\"enum\",\"name\":\"E\",\"namespace\":\"\",\"symbols\":[\"A\",\"B\"],\"default\":\"B\"}},"
                  "{\"name\":\"e2\",\"type\":\"E\"},"
                  "{\"name\":\"self\",\"type\":[\"null\",\"R\"]}]}"),
        0);
    const struct weir_avro_field *f = p.schema->fields;
    assert_string_equal(p.schema->aliases[0], "a.Old");
    assert_string_equal(p.schema->aliases[1], "x.Older");
    assert_string_equal(f[0].schema->name, "a.F");
    assert_int_equal(f[0].schema->fixed_bytes, 4);
    assert_ptr_equal(f[1].schema, f[0].schema);
    assert_ptr_equal(f[2].schema, f[0].schema);
    assert_string_equal(f[3].schema->name, "E");
    assert_string_equal(f[3].schema->enum_default, "B");
    assert_ptr_equal(f[4].schema, f[3].schema);
    assert_ptr_equal(f[5].schema->branches[1], p.schema);
    drop(&p);
}

static void good_schemas_pass(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "\"string\"",
        "{\"type\":\"int\"}",
        "[\"null\",\"int\",{\"type\":\"map\",\"values\":\"bytes\"}]",
        "{\"type\":\"array\",\"items\":{\"type\":\"array\",\"items\":\"double\"}}",
        "{\"type\":\"record\",\"name\":\"R\",\"fields\":[]}",
        "{\"type\":\"record\",\"name\":\"R\",\"fields\":[{\"name\":\"next\",\"type\":[\"null\",\"R\"],\"default\":{\"next\":null}}]}",
        "{\"type\":\"record\",\"name\":\"R\",\"fields\":[{\"name\":\"b\",\"type\":\"bytes\",\"default\":\"\\u00ff\\u0000\"}]}",
        "{\"type\":\"record\",\"name\":\"R\",\"fields\":[{\"name\":\"d\",\"type\":\"double\",\"default\":1}]}",
        ("{\"type\":\"record\",\"name\":\"R\",\"fields\":[{\"name\":\"m\",\"type\":{\"type\":\"map\",\"values\":\"R\"}},"
         "{\"name\":\"s\",\"type\":{\"type\":\"record\",\"name\":\"S\",\"fields\":[{\"name\":\"r\",\"type\":[\"S\",\"null\"]}]}}]}"),
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct parsed p;
        if (parse(&p, texts[i]) != 0)
            fail_msg("%s: %s", texts[i], p.err.text);
        drop(&p);
    }
}

#define RECORD(fields) "{\"type\":\"record\",\"name\":\"R\",\"fields\":[" fields "]}"

static void mistakes_are_named_with_their_place(void **state)
{
    (void)state;
    static const struct {
        const char *text, *says;
    } cases[] = {
        {"", "line 1"},
        {"{\"type\":\"record\"", "line 1"},
        {"12", "a type is a name"},
        {"\"strng\"", "schema: unknown type 'strng'"},
        {"{\"type\":\"record\",\"fields\":[]}", "without a name"},
        {"{\"type\":\"record\",\"name\":\"1x\",\"fields\":[]}", "'1x' is not a name"},
        {"{\"type\":\"record\",\"name\":\"int\",\"fields\":[]}", "primitive"},
        {"{\"type\":\"record\",\"name\":\"R\"}", "needs a list of fields"},
        {RECORD("{\"name\":\"a\"}"), "fields[0]: field 'a' has no type"},
        {RECORD("{\"name\":\"a-b\",\"type\":\"int\"}"), "'a-b' is not a field name"},
        {RECORD("{\"name\":\"a\",\"type\":\"int\"},{\"name\":\"a\",\"type\":\"int\"}"), "fields[1]: field 'a' is there twice"},
        {RECORD("{\"name\":\"a\",\"type\":\"int\"},{\"name\":\"b\",\"type\":[\"null\",{\"type\":\"array\",\"items\":\"Q\"}]}"),
         "fields[1].type[1].items: unknown type 'Q'"},
        {RECORD("{\"name\":\"a\",\"type\":\"int\",\"default\":null}"), "fields[0]: the default of field 'a'"},
        {RECORD("{\"name\":\"a\",\"type\":\"int\",\"default\":3000000000}"), "default"},
        {RECORD("{\"name\":\"a\",\"type\":\"int\",\"order\":\"up\"}"), "'order'"},
        {RECORD("{\"name\":\"a\",\"type\":{\"type\":\"fixed\",\"name\":\"R\",\"size\":1}}"), "'R' is defined twice"},
        {RECORD("{\"name\":\"a\",\"type\":\"int\",\"aliases\":[1]}"), "aliases[0] is not a name"},
        {"[\"int\",\"int\"]", "int twice"},
        {"[\"int\",[\"null\"]]", "[1]: a union directly inside"},
        {"[]", "without branches"},
        {"{\"type\":\"array\"}", "array without 'items'"},
        {"{\"type\":\"map\",\"items\":\"int\"}", "map without 'values'"},
        {"{\"type\":\"fixed\",\"name\":\"F\",\"size\":-1}", "needs a size"},
        {"{\"type\":\"enum\",\"name\":\"E\",\"symbols\":[\"A\",\"A\"]}", "twice"},
        {"{\"type\":\"enum\",\"name\":\"E\",\"symbols\":[\"A\"],\"default\":\"B\"}", "none of its symbols"},
        {"{\"type\":\"enum\",\"name\":\"E\"}", "has no symbols"},
        {"{\"a\":1,\"a\":2}", "duplicate"},
        {RECORD("{\"name\":\"a\",\"type\":\"R\"}"), "record 'R' holds itself without end"},
        {RECORD("{\"name\":\"a\",\"type\":[{\"type\":\"record\",\"name\":\"S\",\"fields\":[{\"name\":\"r\",\"type\":\"R\"}]},\"R\"]}"),
         "record 'R' holds itself without end"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct parsed p;
        assert_int_equal(parse(&p, cases[i].text), -1);
        if (!strstr(p.err.text, cases[i].says))
            fail_msg("%s says '%s', not '%s'", cases[i].text, p.err.text, cases[i].says);
        assert_int_equal(p.err.code, WEIR_BAD_DATA);
        drop(&p);
    }
}

static void repeat(struct weir_buffer *b, const char *text, int times)
{
    for (int i = 0; i < times; i++)
        weir_buffer_add(b, text, strlen(text));
}

static void depth_is_bounded(void **state)
{
    (void)state;
    struct weir_buffer text = {0};
    repeat(&text, "{\"type\":\"array\",\"items\":", 70);
    repeat(&text, "\"int\"", 1);
    repeat(&text, "}", 70);
    weir_buffer_byte(&text, 0);
    struct parsed p;
    assert_int_equal(parse(&p, (char *)text.data), -1);
    assert_non_null(strstr(p.err.text, "deeper than 64"));
    drop(&p);
    weir_buffer_drop(&text);
}

static void a_default_that_could_be_tried_for_ever_is_given_up(void **state)
{
    (void)state;
    struct weir_buffer text = {0};
    repeat(&text,
           "{\"type\":\"record\",\"name\":\"A\",\"fields\":[{\"name\":\"x\",\"type\":[\"A\",{\"type\":\"record\",\"name\":\"B\","
           "\"fields\":[{\"name\":\"x\",\"type\":[\"A\",\"B\",\"null\"]}]}],\"default\":",
           1);
    repeat(&text, "{\"x\":", 60);
    repeat(&text, "1", 1);
    repeat(&text, "}", 60);
    repeat(&text, "}]}", 1);
    weir_buffer_byte(&text, 0);
    struct parsed p;
    assert_int_equal(parse(&p, (char *)text.data), -1);
    assert_non_null(strstr(p.err.text, "default of field 'x'"));
    drop(&p);
    weir_buffer_drop(&text);
}

static void logical_types_count_where_the_type_can_have_them(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        enum weir_avro_logical logical;
    } cases[] = {
        {"{\"type\":\"int\",\"logicalType\":\"date\"}", WEIR_AVRO_DATE},
        {"{\"type\":\"long\",\"logicalType\":\"date\"}", WEIR_AVRO_PLAIN},
        {"{\"type\":\"long\",\"logicalType\":\"local-timestamp-micros\"}", WEIR_AVRO_TIMESTAMP_MICROS},
        {"{\"type\":\"bytes\",\"logicalType\":\"decimal\",\"precision\":4,\"scale\":2}", WEIR_AVRO_DECIMAL},
        {"{\"type\":\"bytes\",\"logicalType\":\"decimal\",\"precision\":4,\"scale\":5}", WEIR_AVRO_PLAIN},
        {"{\"type\":\"bytes\",\"logicalType\":\"decimal\"}", WEIR_AVRO_PLAIN},
        {"{\"type\":\"fixed\",\"name\":\"F\",\"size\":2,\"logicalType\":\"decimal\",\"precision\":4}", WEIR_AVRO_DECIMAL},
        {"{\"type\":\"fixed\",\"name\":\"F\",\"size\":2,\"logicalType\":\"decimal\",\"precision\":5}", WEIR_AVRO_PLAIN},
        {"{\"type\":\"fixed\",\"name\":\"F\",\"size\":16,\"logicalType\":\"uuid\"}", WEIR_AVRO_UUID},
        {"{\"type\":\"fixed\",\"name\":\"F\",\"size\":12,\"logicalType\":\"duration\"}", WEIR_AVRO_DURATION},
        {"{\"type\":\"fixed\",\"name\":\"F\",\"size\":11,\"logicalType\":\"duration\"}", WEIR_AVRO_PLAIN},
        {"{\"type\":\"string\",\"logicalType\":\"no-such\"}", WEIR_AVRO_PLAIN},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct parsed p;
        assert_int_equal(parse(&p, cases[i].text), 0);
        assert_int_equal(p.schema->logical, cases[i].logical);
        drop(&p);
    }
}

// The last one is of the reference implementation's own test cases; test/oracle compares many more.
static void canonical_form_and_fingerprint(void **state)
{
    (void)state;
    static const struct {
        const char *text, *canonical;
        uint64_t fingerprint;
    } cases[] = {
        {"{\"type\":\"int\",\"logicalType\":\"date\"}", "\"int\"", 0x7275d51a3f395c8f},
        {"\"null\"", "\"null\"", 0x63dd24e7cc258f8a},
        {"{\"fields\":[{\"type\":[\"null\",\"foo\"],\"doc\":\"d\",\"name\":\"next\",\"default\":null}],\"type\":\"record\",\"name\":\"foo\","
         "\"namespace\":\"x.y\",\"aliases\":[\"a\"]}",
         "{\"name\":\"x.y.foo\",\"type\":\"record\",\"fields\":[{\"name\":\"next\",\"type\":[\"null\",\"x.y.foo\"]}]}", 0},
        {"{\"type\":\"fixed\",\"name\":\"foo\",\"size\":15}", "{\"name\":\"foo\",\"type\":\"fixed\",\"size\":15}", 0x18602ec3ed31a504},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct parsed p;
        struct weir_buffer out = {0};
        assert_int_equal(parse(&p, cases[i].text), 0);
        weir_avro_canonical(p.schema, &out);
        weir_buffer_byte(&out, 0);
        assert_string_equal(out.data, cases[i].canonical);
        if (cases[i].fingerprint)
            assert_int_equal(weir_avro_fingerprint(p.schema), cases[i].fingerprint);
        weir_buffer_drop(&out);
        drop(&p);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_sensor_event_is_a_tree),
        cmocka_unit_test(names_resolve_through_namespaces),
        cmocka_unit_test(good_schemas_pass),
        cmocka_unit_test(mistakes_are_named_with_their_place),
        cmocka_unit_test(depth_is_bounded),
        cmocka_unit_test(a_default_that_could_be_tried_for_ever_is_given_up),
        cmocka_unit_test(logical_types_count_where_the_type_can_have_them),
        cmocka_unit_test(canonical_form_and_fingerprint),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
