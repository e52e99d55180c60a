// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "avro/compatibility.h"

#define RECORD(fields)      "{\"type\":\"record\",\"name\":\"R\",\"namespace\":\"t\",\"fields\":[" fields "]}"
#define FIELD(name, type)   "{\"name\":\"" name "\",\"type\":" type "}"
#define GIVEN(name, type)   "{\"name\":\"" name "\",\"type\":" type ",\"default\":null}"
#define ENUM(symbols)       "{\"type\":\"enum\",\"name\":\"E\",\"symbols\":[" symbols "]}"
#define ENUM_GIVEN(symbols) "{\"type\":\"enum\",\"name\":\"E\",\"default\":\"A\",\"symbols\":[" symbols "]}"
#define FIXED(name, size)   "{\"type\":\"fixed\",\"name\":\"" name "\",\"size\":" size "}"
#define LIST(of)            "{\"type\":\"array\",\"items\":" of "}"
#define MAP(of)             "{\"type\":\"map\",\"values\":" of "}"

// What was found, a line each: "TYPE location".
static void note(void *context, const struct weir_avro_finding *f)
{
    char *all = context;
    size_t used = strlen(all);
    snprintf(all + used, 2000 - used, "%s%s %s", used ? "; " : "", f->type, f->location);
    assert_true(strlen(f->text) > 20);
}

static const struct {
    const char *reader, *writer, *found; // "" if it is compatible
} cases[] = {
    {"\"int\"", "\"int\"", ""},
    {"\"long\"", "\"int\"", ""},
    {"\"double\"", "\"float\"", ""},
    {"\"float\"", "\"long\"", ""},
    {"\"int\"", "\"long\"", "TYPE_MISMATCH /"},
    {"\"float\"", "\"double\"", "TYPE_MISMATCH /"},
    {"\"string\"", "\"bytes\"", ""},
    {"\"bytes\"", "\"string\"", ""},
    {"\"string\"", ENUM("\"A\""), "TYPE_MISMATCH /"},
    {"\"bytes\"", FIXED("F", "4"), "TYPE_MISMATCH /"},
    {LIST("\"long\""), LIST("\"int\""), ""},
    {LIST("\"int\""), LIST("\"long\""), "TYPE_MISMATCH /items"},
    {MAP("\"int\""), MAP("\"string\""), "TYPE_MISMATCH /values"},
    {LIST("\"int\""), MAP("\"int\""), "TYPE_MISMATCH /"},
    {FIXED("F", "4"), FIXED("F", "5"), "FIXED_SIZE_MISMATCH /size"},
    {FIXED("F", "4"), FIXED("G", "4"), "NAME_MISMATCH /name"},
    {FIXED("a.F", "4"), FIXED("b.F", "4"), ""},
    {ENUM("\"A\",\"B\""), ENUM("\"B\""), ""},
    {ENUM("\"A\""), ENUM("\"A\",\"B\",\"C\""), "MISSING_ENUM_SYMBOLS /symbols"},
    {ENUM_GIVEN("\"A\""), ENUM("\"A\",\"B\",\"C\""), ""},
    {RECORD(FIELD("a", "\"int\"")), RECORD(FIELD("a", "\"int\"") "," FIELD("b", "\"int\"")), ""},
    {RECORD(FIELD("a", "\"int\"") "," FIELD("b", "\"int\"")), RECORD(FIELD("a", "\"int\"")), "READER_FIELD_MISSING_DEFAULT_VALUE /fields/1"},
    {RECORD(FIELD("a", "\"int\"") "," FIELD("e", ENUM_GIVEN("\"A\""))), RECORD(FIELD("a", "\"int\"")), ""},
    {RECORD(FIELD("a", "\"int\"") "," GIVEN("b", "[\"null\",\"int\"]")), RECORD(FIELD("a", "\"int\"")), ""},
    {RECORD("{\"name\":\"b\",\"type\":\"long\",\"aliases\":[\"a\"]}"), RECORD(FIELD("a", "\"int\"")), ""},
    {"{\"type\":\"record\",\"name\":\"S\",\"fields\":[]}", RECORD(""), "NAME_MISMATCH /name"},
    {"{\"type\":\"record\",\"name\":\"S\",\"aliases\":[\"t.R\"],\"fields\":[]}", RECORD(""), ""},
    {"{\"type\":\"record\",\"name\":\"u.R\",\"fields\":[]}", RECORD(""), ""},
    {RECORD(FIELD("a", "\"int\"") "," FIELD("b", LIST(FIXED("F", "1"))) "," FIELD("c", "\"int\"")),
     RECORD(FIELD("b", LIST(FIXED("F", "2"))) "," FIELD("a", "\"string\"")),
     "TYPE_MISMATCH /fields/0/type; FIXED_SIZE_MISMATCH /fields/1/type/items/size; READER_FIELD_MISSING_DEFAULT_VALUE /fields/2"},
    // unions
    {"[\"null\",\"int\"]", "\"int\"", ""},
    {"[\"null\",\"double\"]", "\"int\"", ""},
    {"[\"null\",\"int\"]", "\"string\"", "MISSING_UNION_BRANCH /"},
    {"\"int\"", "[\"int\"]", ""},
    {"\"int\"", "[\"null\",\"int\"]", "TYPE_MISMATCH /"},
    {"[\"int\",\"string\"]", "[\"string\",\"int\"]", ""},
    {"[\"int\"]", "[\"int\",\"string\",\"boolean\"]", "MISSING_UNION_BRANCH /1; MISSING_UNION_BRANCH /2"},
    {RECORD(FIELD("a", "[\"null\",\"int\"]")), RECORD(FIELD("a", "[\"null\",\"long\"]")), "MISSING_UNION_BRANCH /fields/0/type/1"},
    {"[\"null\"," RECORD(FIELD("a", "\"int\"")) "]", RECORD(FIELD("a", "\"string\"")), "MISSING_UNION_BRANCH /"},
    // recursion
    {RECORD(FIELD("a", "\"long\"") "," FIELD("next", "[\"null\",\"R\"]")), RECORD(FIELD("a", "\"int\"") "," FIELD("next", "[\"null\",\"R\"]")), ""},
    {RECORD(FIELD("next", "[\"null\",\"R\"]") "," FIELD("a", "\"int\"")), RECORD(FIELD("a", "\"long\"") "," FIELD("next", "[\"null\",\"R\"]")),
     "TYPE_MISMATCH /fields/1/type"},
    {RECORD(FIELD("all", LIST("\"R\"")) "," FIELD("a", "\"int\"")), RECORD(FIELD("all", LIST("\"R\""))),
     "READER_FIELD_MISSING_DEFAULT_VALUE /fields/1"},
};

static void verdicts_are_those_of_javas_checker(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char found[2000] = "";
        bool good = false;
        struct weir_error err;
        if (weir_avro_compare(cases[i].reader, cases[i].writer, "new", "old", note, found, &good, &err) < 0)
            fail_msg("case %zu: %s", i, err.text);
        if (strcmp(found, cases[i].found) != 0 || good != !cases[i].found[0])
            fail_msg("case %zu: %s %s: '%s', not '%s'", i, cases[i].reader, cases[i].writer, found, cases[i].found);
    }
}

static void keep(void *context, const struct weir_avro_finding *f)
{
    snprintf(context, 600, "%s", f->text);
}

static void a_finding_says_which_field_and_what_would_help(void **state)
{
    (void)state;
    char text[600];
    bool good;
    struct weir_error err;
    assert_int_equal(weir_avro_compare(RECORD(FIELD("level", "\"float\"")), RECORD(""), "new", "old", keep, text, &good, &err), 0);
    assert_string_equal(text, "field 'level' of the new schema has no default and is missing in the old schema: give it a default, or make it "
                              "optional (a union with null, default null)");
    assert_int_equal(
        weir_avro_compare(RECORD(FIELD("e", ENUM("\"A\""))), RECORD(FIELD("e", ENUM("\"B\",\"A\",\"C\""))), "new", "old", keep, text, &good, &err),
        0);
    assert_string_equal(text, "the enum t.E of the new schema lacks 'B', 'C' of the old schema: keep what was there, or give the enum a default");
    assert_int_equal(
        weir_avro_compare(RECORD(FIELD("x", "\"int\"")), RECORD(FIELD("x", "[\"null\",\"int\"]")), "new", "old", keep, text, &good, &err), 0);
    assert_string_equal(text,
                        "field 'x': the new schema says int, which does not read the old schema's null: make it a union with null, default null");
    assert_int_equal(weir_avro_compare("\"int", "\"int\"", "new", "old", keep, text, &good, &err), -1);
    assert_int_equal(err.code, WEIR_BAD_DATA);
}

// Records that each hold a union of all others, so that every pair meets every other: the answer comes at once all the same.
static void tangled_schemas_are_answered(void **state)
{
    (void)state;
    enum { RECORDS = 24 };
    static char reader[65536], writer[65536];
    char *const texts[] = {reader, writer};
    for (int t = 0; t < 2; t++) {
        size_t used = (size_t)snprintf(texts[t], 65536, "[\"null\"");
        for (int i = 0; i < RECORDS; i++) {
            used +=
                (size_t)snprintf(texts[t] + used, 65536 - used, ",{\"type\":\"record\",\"name\":\"R%d\",\"fields\":[{\"name\":\"v\",\"type\":\"%s\"}",
                                 i, t && i == 0 ? "string" : "int");
            for (int k = 0; k < i; k++)
                used += (size_t)snprintf(texts[t] + used, 65536 - used, ",{\"name\":\"f%d\",\"type\":[\"null\",\"R%d\",\"R%d\"]}", k, k, i);
            used += (size_t)snprintf(texts[t] + used, 65536 - used, "]}");
        }
        snprintf(texts[t] + used, 65536 - used, "]");
    }
    bool good = true;
    struct weir_error err;
    char found[2000] = "";
    assert_int_equal(weir_avro_compare(reader, writer, "new", "old", note, found, &good, &err), 0);
    assert_false(good);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(verdicts_are_those_of_javas_checker),
        cmocka_unit_test(a_finding_says_which_field_and_what_would_help),
        cmocka_unit_test(tangled_schemas_are_answered),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
