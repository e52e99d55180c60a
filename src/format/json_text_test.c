// SPDX-License-Identifier: Apache-2.0
// The walker and the projection scanner, jansson beside them as the oracle of what is JSON.
#include "format/json_scan.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>
#include <jansson.h>
#include <math.h>
#include <stdio.h>

static bool valid(const char *text)
{
    return json_text_valid(weir_str_of(text));
}

static void accepts_json(void **state)
{
    (void)state;
    static const char *const texts[] = {"0",
                                        "-0",
                                        "12.5e-3",
                                        "1E+2",
                                        "true",
                                        "false",
                                        "null",
                                        "\"\"",
                                        "[]",
                                        "{}",
                                        " [ 1 , 2 ] ",
                                        "{\"a\":{\"b\":[[],{}]}}",
                                        "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e9\"",
                                        "\"caf\xc3\xa9 \xf0\x9f\x98\x80\"",
                                        "NaN",
                                        "Infinity",
                                        "-Infinity",
                                        "[NaN,-1]",
                                        "{\"a\":1,\"a\":2}",
                                        "\t\r\n 1",
                                        "\"a string that is longer than eight bytes, with an escape at its end\\n\""};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        if (!valid(texts[i]))
            fail_msg("refused: %s", texts[i]);
}

static void refuses_what_is_no_json(void **state)
{
    (void)state;
    static const char *const texts[] = {"",
                                        " ",
                                        "01",
                                        "-",
                                        "1.",
                                        ".5",
                                        "+1",
                                        "1e",
                                        "1e+",
                                        "tru",
                                        "True",
                                        "nul",
                                        "\"",
                                        "\"\\x\"",
                                        "\"\\u12g4\"",
                                        "\"\\u12",
                                        "\"tab\there\"",
                                        "[",
                                        "[1",
                                        "[1,",
                                        "[1,]",
                                        "[,1]",
                                        "{",
                                        "{\"a\"",
                                        "{\"a\":",
                                        "{\"a\":1",
                                        "{\"a\":1,",
                                        "{\"a\":1,}",
                                        "{a:1}",
                                        "{\"a\" 1}",
                                        "{1:2}",
                                        "[1 2]",
                                        "[1}",
                                        "{\"a\":1]",
                                        "1 2",
                                        "[]]",
                                        "-NaN",
                                        "Inf",
                                        "--1",
                                        "\"\xff\"",
                                        "\"\xc0\xaf\"",
                                        "\"\xed\xa0\x80\"",
                                        "\"\xf4\x90\x80\x80\"",
                                        "{\"\xe9\":1}",
                                        "\"\xe2\x82\""};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        if (valid(texts[i]))
            fail_msg("accepted: %s", texts[i]);
}

static void nesting_has_a_limit(void **state)
{
    (void)state;
    char text[4 * JSON_DEPTH_MAX + 8];
    for (int depth = JSON_DEPTH_MAX - 1; depth <= JSON_DEPTH_MAX + 1; depth++) {
        memset(text, '[', (size_t)depth);
        memset(text + depth, ']', (size_t)depth);
        text[2 * depth] = 0;
        assert_int_equal(valid(text), depth <= JSON_DEPTH_MAX);
    }
    memset(text, '[', sizeof text - 1);
    text[sizeof text - 1] = 0;
    assert_false(valid(text));
}

static uint64_t next_random(uint64_t *state)
{
    uint64_t z = *state += 0x9e3779b97f4a7c15;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
    z = (z ^ z >> 27) * 0x94d049bb133111eb;
    return z ^ z >> 31;
}

// Differences that are meant: NaN and Infinity (ours alone); \u0000, numbers beyond double or 64 bits and lone surrogates (jansson refuses them).
static bool is_disputed(const char *text)
{
    return strstr(text, "NaN") || strstr(text, "Infinity") || strstr(text, "\\u") || strpbrk(text, "eE") || strlen(text) > 150;
}

static void agrees_with_jansson_on_mutations(void **state)
{
    (void)state;
    static const char seed[] = "{\"a\": [1, -2.5, true, null, {\"b\": \"x\\n\\\"y\"}], \"cd\": \"caf\xc3\xa9\", \"f\": {}, \"g\": [], \"h\": 10}";
    static const char bytes[] = "{}[],:\"\\0123456789.-+ntf \n\t\x01\xc3\xa9\xffx";
    uint64_t dice = 11;
    int accepted = 0;
    for (int i = 0; i < 60000; i++) {
        char text[sizeof seed + 8];
        memcpy(text, seed, sizeof seed);
        for (uint64_t changes = 1 + next_random(&dice) % 3; changes; changes--)
            text[next_random(&dice) % (sizeof seed - 1)] = bytes[next_random(&dice) % (sizeof bytes - 1)];
        json_error_t error;
        json_t *tree = json_loads(text, JSON_DECODE_ANY, &error);
        bool ours = valid(text);
        if (!is_disputed(text) && ours != (tree != NULL))
            fail_msg("%s by us: %s (%s)", ours ? "accepted" : "refused", text, error.text);
        accepted += ours;
        json_decref(tree);
    }
    assert_true(accepted > 1000);
}

static void strings_unescape(void **state)
{
    (void)state;
    static const struct {
        const char *text, *value;
    } cases[] = {{"\"plain\"", "plain"},
                 {"\"\"", ""},
                 {"\"a\\tb\\\\\\\"\\/\"", "a\tb\\\"/"},
                 {"\"\\u0041\\u00e9\\u20ac\"", "A\xc3\xa9\xe2\x82\xac"},
                 {"\"\\ud83d\\ude00!\"", "\xf0\x9f\x98\x80!"}};
    struct weir_arena arena = {0};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct json_text t = {cases[i].text, cases[i].text, cases[i].text + strlen(cases[i].text)};
        struct json_text_string string;
        struct weir_str value;
        assert_null(json_text_string(&t, &string));
        assert_null(json_text_value(&string, &arena, &value));
        assert_true(weir_str_is(value, cases[i].value));
        assert_true(t.at == t.end);
    }
    static const char *const lone[] = {"\"\\ud83d\"", "\"\\ude00\"", "\"\\ud83d\\u0041\"", "\"\\ud83dx\"", "\"\xe9\""};
    for (size_t i = 0; i < sizeof lone / sizeof *lone; i++) {
        struct json_text t = {lone[i], lone[i], lone[i] + strlen(lone[i])};
        struct json_text_string string;
        struct weir_str value;
        assert_null(json_text_string(&t, &string));
        assert_non_null(json_text_value(&string, &arena, &value));
    }
    weir_arena_drop(&arena);
}

static void quoting_reads_back(void **state)
{
    (void)state;
    struct weir_buffer out = {0};
    struct weir_arena arena = {0};
    uint64_t dice = 3;
    for (int i = 0; i < 20000; i++) {
        char text[24];
        uint32_t bytes = (uint32_t)(next_random(&dice) % sizeof text);
        for (uint32_t b = 0; b < bytes; b++)
            text[b] = next_random(&dice) % 4 ? (char)(next_random(&dice) % 128) : "\"\\\n\xc3\xa9"[next_random(&dice) % 5];
        struct weir_str given = {text, bytes}, value;
        bool good = json_text_utf8(given);
        out.bytes = 0;
        assert_int_equal(json_text_quote(given, false, &out), good ? 0 : -1);
        if (good) {
            struct json_text t = {(char *)out.data, (char *)out.data, (char *)out.data + out.bytes};
            struct json_text_string string;
            assert_null(json_text_string(&t, &string));
            assert_null(json_text_value(&string, &arena, &value));
            assert_true(weir_str_eq(value, given) && t.at == t.end);
        }
        out.bytes = 0;
        assert_int_equal(json_text_quote(given, true, &out), 0);
        assert_true(json_text_valid(weir_buffer_view(&out)));
    }
    weir_arena_drop(&arena);
    weir_buffer_drop(&out);
}

// ---- the scanner

static const struct json_want wants[] = {{"id", WEIR_STRING, false}, {"time", WEIR_LONG, false}, {"value", WEIR_DOUBLE, false}, {"n", WEIR_INT, true},
                                         {"on", WEIR_BOOLEAN, true}, {"f", WEIR_FLOAT, true},    {"value", WEIR_FLOAT, true}};
enum { ID, TIME, VALUE, NUMBER, ON, F, VALUE_TOO, WANTS };

struct scanning {
    struct json_scan *scan;
    struct weir_arena arena;
    struct weir_value values[WANTS];
    char why[192];
};

static int scan(struct scanning *s, const char *text)
{
    // In memory of exactly its size, so that reading past it is seen.
    size_t bytes = strlen(text);
    char *copy = weir_arena_alloc(&s->arena, bytes);
    memcpy(copy, text, bytes);
    return json_scan_object(s->scan, (struct weir_str){copy, (uint32_t)bytes}, &s->arena, s->values, s->why, sizeof s->why);
}

static void good(struct scanning *s, const char *text)
{
    if (scan(s, text) < 0)
        fail_msg("%s: %s", text, s->why);
}

static void bad(struct scanning *s, const char *text, const char *why)
{
    if (scan(s, text) == 0)
        fail_msg("accepted: %s", text);
    assert_string_equal(s->why, why);
}

static void takes_what_is_wanted(void **state)
{
    (void)state;
    struct scanning s = {.scan = json_scan_new(wants, WANTS)};
    for (int again = 0; again < 2; again++) {
        good(&s, "{\"id\":\"a\",\"time\":1,\"value\":2.5}");
        assert_true(weir_str_is(s.values[ID].str, "a") && s.values[TIME].i64 == 1 && s.values[VALUE].f64 == 2.5);
        assert_true(s.values[NUMBER].null && s.values[ON].null && s.values[F].null && s.values[VALUE_TOO].f64 == 2.5);
        good(&s, " { \"x\" : [ {\"id\":9} , \"]}\" ] , \"on\" : true , \"value\" : 1e2 , \"f\":0.1, \"time\" : 1.5e3 , \"i\\u0064\" : \"\\u00e9\" , "
                 "\"n\":null } ");
        assert_true(weir_str_is(s.values[ID].str, "\xc3\xa9") && s.values[TIME].i64 == 1500 && s.values[VALUE].f64 == 100 && s.values[ON].i64 == 1);
        assert_true(s.values[F].f64 == (double)0.1f && s.values[NUMBER].null);
        good(&s, "{\"id\":\"a\",\"time\":1,\"value\":NaN,\"n\":-2147483648,\"id\":\"b\",\"value\":-Infinity,\"f\":null}");
        assert_true(weir_str_is(s.values[ID].str, "b") && isinf(s.values[VALUE].f64) && s.values[NUMBER].i64 == INT32_MIN);
        good(&s, "{\"id\":\"\",\"time\":-9223372036854775808,\"value\":0.30000000000000004}");
        assert_true(s.values[TIME].i64 == INT64_MIN && s.values[VALUE].f64 == 0.1 + 0.2);
    }
    json_scan_free(s.scan);
    weir_arena_drop(&s.arena);
}

static void says_what_is_wrong_and_where(void **state)
{
    (void)state;
    struct scanning s = {.scan = json_scan_new(wants, WANTS)};
    bad(&s, "", "expected an object, found the end (at byte 1)");
    bad(&s, " [1]", "expected an object, found an array (at byte 2)");
    bad(&s, "{\"id\":\"a\",\"time\":1,\"value\":\"2\"}", "value: expected a number, found a string (at byte 28)");
    bad(&s, "{\"id\":\"a\",\"time\":1}", "value: missing");
    bad(&s, "{\"id\":null,\"time\":1,\"value\":1}", "id: expected a string, found null (at byte 7)");
    bad(&s, "{\"id\":7}", "id: expected a string, found a number (at byte 7)");
    bad(&s, "{\"time\":1.5}", "time: expected an integer, found a number with a fraction (at byte 9)");
    bad(&s, "{\"time\":NaN}", "time: expected an integer, found NaN (at byte 9)");
    bad(&s, "{\"time\":9223372036854775808}", "time: out of range of long (at byte 9)");
    bad(&s, "{\"time\":true}", "time: expected an integer, found a boolean (at byte 9)");
    bad(&s, "{\"n\":2147483648}", "n: out of range of int (at byte 6)");
    bad(&s, "{\"value\":1e999}", "value: out of range of double (at byte 10)");
    bad(&s, "{\"f\":1e300}", "f: out of range of float (at byte 6)");
    bad(&s, "{\"on\":1}", "on: expected a boolean, found a number (at byte 7)");
    bad(&s, "{\"id\":\"\\ud800\"}", "id: lone surrogate in a string (at byte 7)");
    bad(&s, "{\"id\":\"\xff\"}", "id: invalid UTF-8 in a string (at byte 7)");
    bad(&s, "{\"x\":\"\xff\",\"\xff\":1}", "invalid UTF-8 in a string (at byte 10)");
    bad(&s, "{\"id\":", "id: expected a string, found the end (at byte 7)");
    bad(&s, "{\"id\":\"a", "id: the string does not end (at byte 9)");
    bad(&s, "{\"id\"}", "expected ':' (at byte 6)");
    bad(&s, "{\"id\":\"a\",}", "expected a key (at byte 11)");
    bad(&s, "{\"id\":\"a\" \"time\":1}", "expected ',' or '}' (at byte 11)");
    bad(&s, "{\"x\":[1,2}", "expected ',' or ']' (at byte 10)");
    bad(&s, "{\"id\":\"a\",\"time\":1,\"value\":1}x", "text after the object (at byte 30)");
    bad(&s, "{\"time\":01}", "time: number with a leading zero (at byte 10)");
    bad(&s, "{\"x\":truth}", "unknown word (at byte 6)");
    json_scan_free(s.scan);
    weir_arena_drop(&s.arena);
}

// Depth counts the object itself.
static void members_nest_to_the_limit(void **state)
{
    (void)state;
    struct scanning s = {.scan = json_scan_new(wants, 0)};
    char text[512];
    for (int depth = JSON_DEPTH_MAX - 2; depth <= JSON_DEPTH_MAX; depth++) {
        int at = snprintf(text, sizeof text, "{\"x\":");
        memset(text + at, '[', (size_t)depth);
        memset(text + at + depth, ']', (size_t)depth);
        memcpy(text + at + 2 * depth, "}", 2);
        assert_int_equal(scan(&s, text), depth < JSON_DEPTH_MAX ? 0 : -1);
    }
    json_scan_free(s.scan);
    weir_arena_drop(&s.arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(accepts_json),
        cmocka_unit_test(refuses_what_is_no_json),
        cmocka_unit_test(nesting_has_a_limit),
        cmocka_unit_test(agrees_with_jansson_on_mutations),
        cmocka_unit_test(strings_unescape),
        cmocka_unit_test(quoting_reads_back),
        cmocka_unit_test(takes_what_is_wanted),
        cmocka_unit_test(says_what_is_wrong_and_where),
        cmocka_unit_test(members_nest_to_the_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
