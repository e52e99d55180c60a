// SPDX-License-Identifier: Apache-2.0
#include "base/number.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>
#include <locale.h>
#include <math.h>
#include <stdio.h>

static double parsed(const char *text)
{
    double value = 0;
    if (weir_parse_f64(weir_str_of(text), &value) < 0)
        fail_msg("'%s' was refused", text);
    return value;
}

static void refused(const char *text)
{
    double value = 42;
    if (weir_parse_f64(weir_str_of(text), &value) == 0)
        fail_msg("'%s' was read as %g", text, value);
    assert_true(value == 42);
}

static void parses_what_libc_parses(void **state)
{
    (void)state;
    static const char *const texts[] = {"0",
                                        "1",
                                        "-1",
                                        "0.1",
                                        "+0.5",
                                        ".5",
                                        "5.",
                                        "1e22",
                                        "1e23",
                                        "1e-22",
                                        "9007199254740993",
                                        "0.30000000000000004",
                                        "123456789012345678901234567890",
                                        "1.7976931348623157e308",
                                        "4.9e-324",
                                        "2.2250738585072014e-308",
                                        "1e-400",
                                        "2.2250738585072011e-308",
                                        "9007199254740992.5",
                                        "9007199254740993.00000000000000000000000000001",
                                        "0.000000000000000000000000000000000000000000000000000000000000000001",
                                        "1e00000000000000001",
                                        "0e999999999",
                                        "100000000000000000000000e-23",
                                        "8.41e21",
                                        "7.3177701707893310e+15",
                                        "179769313486231580793e288"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        assert_true(parsed(texts[i]) == strtod(texts[i], NULL));
    assert_true(signbit(parsed("-0")));
    assert_true(isnan(parsed("NaN")) && isnan(parsed("-nan")));
    assert_true(parsed("inf") == (double)INFINITY && parsed("-Infinity") == -(double)INFINITY && parsed("+INF") == (double)INFINITY);
}

static void refuses_what_is_no_number(void **state)
{
    (void)state;
    static const char *const texts[] = {"",     " 1",  "1 ",  "0x10", "1e",   "1e+",  "e5",    "-",  "+",     ".",   "-.",
                                        "1..2", "1,5", "--1", "na",   "infi", "nanx", "1e309", "1f", "1_000", "12a", "1e5.0"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        refused(texts[i]);
    double value;
    assert_int_equal(weir_parse_f64((struct weir_str){"1\0", 2}, &value), -1);
}

static void parses_integers_to_the_limits(void **state)
{
    (void)state;
    int64_t value;
    assert_int_equal(weir_parse_i64(WEIR_STR("9223372036854775807"), &value), 0);
    assert_true(value == INT64_MAX);
    assert_int_equal(weir_parse_i64(WEIR_STR("-9223372036854775808"), &value), 0);
    assert_true(value == INT64_MIN);
    assert_int_equal(weir_parse_i64(WEIR_STR("+0007"), &value), 0);
    assert_int_equal(value, 7);
    static const char *const bad[] = {"", "-", "9223372036854775808", "-9223372036854775809", "99999999999999999999", "1.0", "1e3", " 1", "1 "};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_int_equal(weir_parse_i64(weir_str_of(bad[i]), &value), -1);
}

static void parses_integral_decimals(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t value;
    } cases[] = {{"12.0", 12},
                 {"1e3", 1000},
                 {"1.5e3", 1500},
                 {"-1500E-2", -15},
                 {"0.0", 0},
                 {"0e99999", 0},
                 {"-0.000e-9", 0},
                 {"7", 7},
                 {"9223372036854775807.00", INT64_MAX},
                 {"-9223372036854775808.0", INT64_MIN},
                 {"1000000000000000000000000e-20", 10000}};
    int64_t value;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_int_equal(weir_parse_integral(weir_str_of(cases[i].text), &value), 0);
        assert_true(value == cases[i].value);
    }
    static const char *const bad[] = {"1.5", "1e-1", "9223372036854775808.0", "1e19", "1.00000000000000000001", "1e99999", "nan", "", "x"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_int_equal(weir_parse_integral(weir_str_of(bad[i]), &value), -1);
}

static void formats_integers(void **state)
{
    (void)state;
    char out[24];
    assert_int_equal(weir_format_i64(INT64_MIN, out), 20);
    assert_string_equal(out, "-9223372036854775808");
    weir_format_i64(0, out);
    assert_string_equal(out, "0");
}

// As CPython's repr(), without its ".0".
static void formats_shortest(void **state)
{
    (void)state;
    static const struct {
        double value;
        const char *text;
    } cases[] = {
        {0, "0"},
        {-0.0, "-0"},
        {100, "100"},
        {0.1, "0.1"},
        {-1.5, "-1.5"},
        {1e-7, "1e-07"},
        {0.0001, "0.0001"},
        {0.00001, "1e-05"},
        {123456789.125, "123456789.125"},
        {0.1 + 0.2, "0.30000000000000004"},
        {1e15, "1000000000000000"},
        {1e16, "1e+16"},
        {123456789012345678.0, "1.2345678901234568e+17"},
        {5e-324, "5e-324"},
        {2.2250738585072014e-308, "2.2250738585072014e-308"},
        {1.7976931348623157e308, "1.7976931348623157e+308"},
        {0x1p-44, "5.684341886080802e-14"},
        {9007199254740993.0, "9007199254740992"},
        {1.0 / 3, "0.3333333333333333"},
        {2.0 / 3, "0.6666666666666666"},
        {4.35, "4.35"},
        {1e22, "1e+22"},
        {1e23, "1e+23"},
        {0.000123, "0.000123"},
        {1234567890123456.7, "1234567890123456.8"},
    };
    char out[32];
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_int_equal(weir_format_f64(cases[i].value, out), strlen(cases[i].text));
        assert_string_equal(out, cases[i].text);
    }
    weir_format_f64((double)NAN, out);
    assert_string_equal(out, "NaN");
    weir_format_f64(-(double)INFINITY, out);
    assert_string_equal(out, "-Infinity");
}

static void formats_floats_shortest(void **state)
{
    (void)state;
    static const struct {
        float value;
        const char *text;
    } cases[] = {{0.1f, "0.1"},
                 {23.7f, "23.7"},
                 {16777216.0f, "16777216"},
                 {1e-45f, "1e-45"},
                 {3.4028235e38f, "3.4028235e+38"},
                 {1.1754944e-38f, "1.1754944e-38"},
                 {0.3f, "0.3"},
                 {33554432.0f, "33554432"},
                 {1e10f, "10000000000"},
                 {1.0f / 3, "0.33333334"}};
    char out[32];
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        weir_format_f32(cases[i].value, out);
        assert_string_equal(out, cases[i].text);
    }
}

static uint64_t next_random(uint64_t *state)
{
    uint64_t z = *state += 0x9e3779b97f4a7c15;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
    z = (z ^ z >> 27) * 0x94d049bb133111eb;
    return z ^ z >> 31;
}

// The significant digits of a number as text.
static int digits_in(const char *text)
{
    int digits = 0, zeros = 0;
    for (; *text && *text != 'e'; text++) {
        if (*text < '0' || *text > '9' || (*text == '0' && !digits))
            continue;
        digits++;
        zeros = *text == '0' ? zeros + 1 : 0;
    }
    return digits - zeros;
}

static void random_doubles_read_back(void **state)
{
    (void)state;
    uint64_t seed = 7;
    for (int i = 0; i < 40000; i++) {
        uint64_t bits = next_random(&seed);
        double value, back;
        memcpy(&value, &bits, sizeof value);
        if (i % 2)
            value = (double)(int64_t)(bits >> 30) / 1000; // everyday ones
        if (isnan(value))
            continue;
        char out[32], libc[64];
        weir_format_f64(value, out);
        assert_int_equal(weir_parse_f64(weir_str_of(out), &back), 0);
        assert_memory_equal(&value, &back, sizeof value);
        assert_true(strtod(out, NULL) == value);
        snprintf(libc, sizeof libc, "%.*e", digits_in(out) > 1 ? digits_in(out) - 2 : 0, value);
        assert_true(digits_in(out) <= 1 || strtod(libc, NULL) != value); // one digit less does not do
    }
}

static void random_floats_read_back(void **state)
{
    (void)state;
    uint64_t seed = 8;
    for (int i = 0; i < 40000; i++) {
        uint32_t bits = (uint32_t)next_random(&seed);
        float value;
        memcpy(&value, &bits, sizeof value);
        if (i % 2)
            value = (float)(bits >> 8) / 1000;
        if (isnan(value))
            continue;
        char out[32];
        double wide;
        weir_format_f32(value, out);
        assert_true(strtof(out, NULL) == value);
        assert_int_equal(weir_parse_f64(weir_str_of(out), &wide), 0);
        assert_true((float)wide == value);
        assert_true(digits_in(out) <= 9);
    }
}

static void random_decimals_round_as_libc_does(void **state)
{
    (void)state;
    uint64_t seed = 9;
    for (int i = 0; i < 40000; i++) {
        char text[80];
        uint64_t a = next_random(&seed), b = next_random(&seed);
        int at = snprintf(text, sizeof text, "%llu", (unsigned long long)(a >> (b & 63)));
        if (b & 64)
            at += snprintf(text + at, sizeof text - (size_t)at, ".%llu", (unsigned long long)(next_random(&seed) >> (b >> 8 & 63)));
        if (b & 128)
            snprintf(text + at, sizeof text - (size_t)at, "e%d", (int)(b >> 16 & 511) - 256);
        assert_true(parsed(text) == strtod(text, NULL));
    }
}

static void ignores_the_locale(void **state)
{
    (void)state;
    char out[32];
    if (!setlocale(LC_NUMERIC, "de_DE.UTF-8"))
        print_message("no German locale here: only the C locale was tried\n");
    assert_true(parsed("1.7976931348623157e308") == 1.7976931348623157e308);
    weir_format_f64(0.1 + 0.2, out);
    assert_string_equal(out, "0.30000000000000004");
    setlocale(LC_NUMERIC, "C");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parses_what_libc_parses),
        cmocka_unit_test(refuses_what_is_no_number),
        cmocka_unit_test(parses_integers_to_the_limits),
        cmocka_unit_test(parses_integral_decimals),
        cmocka_unit_test(formats_integers),
        cmocka_unit_test(formats_shortest),
        cmocka_unit_test(formats_floats_shortest),
        cmocka_unit_test(random_doubles_read_back),
        cmocka_unit_test(random_floats_read_back),
        cmocka_unit_test(random_decimals_round_as_libc_does),
        cmocka_unit_test(ignores_the_locale),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
