// SPDX-License-Identifier: Apache-2.0
#include "base/time.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>
#include <time.h>

static void civil_agrees_with_libc(void **state)
{
    (void)state;
    for (int64_t ms = -70000000000000; ms < 260000000000000; ms += 7654321987) {
        struct weir_civil c = weir_civil_of(ms);
        time_t seconds = (time_t)weir_floor_div(ms, 1000);
        struct tm tm;
        gmtime_r(&seconds, &tm);
        assert_int_equal(c.year, tm.tm_year + 1900);
        assert_int_equal(c.month, tm.tm_mon + 1);
        assert_int_equal(c.day, tm.tm_mday);
        assert_int_equal(c.hour * 3600 + c.minute * 60 + c.second, tm.tm_hour * 3600 + tm.tm_min * 60 + tm.tm_sec);
        assert_int_equal(c.millisecond, ms - (int64_t)seconds * 1000);
        assert_true(weir_civil_valid(&c));
        assert_true(weir_civil_ms(&c) == ms);
    }
}

static void civil_holds_at_the_ends_of_time(void **state)
{
    (void)state;
    static const int64_t ends[] = {INT64_MIN, INT64_MIN + 1, -1, 0, INT64_MAX};
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
        struct weir_civil c = weir_civil_of(ends[i]);
        char text[32];
        weir_iso8601_format(ends[i], text);
        assert_true(c.month >= 1 && c.month <= 12 && c.day >= 1 && c.day <= 31 && c.hour >= 0 && c.hour < 24);
    }
}

static void days_that_are_not_are_invalid(void **state)
{
    (void)state;
    static const struct weir_civil bad[] = {
        {2017, 2, 29, 0, 0, 0, 0}, {1900, 2, 29, 0, 0, 0, 0}, {2017, 2, 31, 0, 0, 0, 0}, {2017, 13, 1, 0, 0, 0, 0}, {2017, 0, 1, 0, 0, 0, 0},
        {2017, 1, 0, 0, 0, 0, 0},  {2017, 1, 1, 24, 0, 0, 0}, {2017, 1, 1, 0, 60, 0, 0}, {2017, 1, 1, 0, 0, 60, 0}, {2017, 1, 1, 0, 0, 0, 1000}};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_false(weir_civil_valid(&bad[i]));
    assert_true(weir_civil_valid(&(struct weir_civil){2000, 2, 29, 23, 59, 59, 999}));
}

static void durations_parse(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t ms;
    } cases[] = {{"500 ms", 500},        {"10 seconds", 10000},   {"1 second", 1000},        {"1 minute", 60000},
                 {"1 h", 3600000},       {"30 days", 2592000000}, {"2 weeks", 1209600000},   {"30s", 30000},
                 {"5 min", 300000},      {"7 m", 420000},         {"1 d", 86400000},         {"0.5 s", 500},
                 {"1.5 hours", 5400000}, {"3 sec", 3000},         {"750 hours", 2700000000}, {"0 s", 0}};
    int64_t ms;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_int_equal(weir_duration_parse(weir_str_of(cases[i].text), &ms), 0);
        assert_true(ms == cases[i].ms);
    }
    static const char *const bad[] = {"",     "5",       "ms",    "-1 s",  "1 fortnight",           "1 s ",
                                      " 1 s", "1.2.3 s", "1e3 s", "nan s", "9223372036854775807 s", "99999999999999999999 ms",
                                      "1 ss", ". s"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_int_equal(weir_duration_parse(weir_str_of(bad[i]), &ms), -1);
}

static void durations_are_spoken_in_their_largest_unit(void **state)
{
    (void)state;
    static const struct {
        int64_t ms;
        const char *text;
    } cases[] = {{3600000, "1 hour"}, {5400000, "90 minutes"}, {2592000000, "30 days"}, {604800000, "1 week"}, {1000, "1 second"}, {1500, "1500 ms"},
                 {0, "0 ms"}};
    char out[32];
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        weir_duration_format(cases[i].ms, out, sizeof out);
        assert_string_equal(out, cases[i].text);
    }
}

static void iso8601_parses(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t ms;
    } cases[] = {{"1970-01-01", 0},
                 {"2017-10-07T12:29:51", 1507379391000},
                 {"2017-10-07 12:29:51Z", 1507379391000},
                 {"2017-10-07T12:29:51.123456Z", 1507379391123},
                 {"2017-10-07T12:29:51.5", 1507379391500},
                 {"2017-10-07T14:29:51+02:00", 1507379391000},
                 {"2017-10-07T14:29:51+02", 1507379391000},
                 {"2017-10-07T12:29-0030", 1507381140000},
                 {"1969-12-31T23:59:59.999Z", -1},
                 {"2016-02-29T00:00:00Z", 1456704000000}};
    int64_t ms;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        if (weir_iso8601_parse(weir_str_of(cases[i].text), &ms) < 0)
            fail_msg("'%s' was refused", cases[i].text);
        assert_true(ms == cases[i].ms);
    }
    static const char *const bad[] = {"",
                                      "2017",
                                      "2017-10",
                                      "2017-02-29",
                                      "2017-1-1",
                                      "2017-10-07T",
                                      "2017-10-07T12",
                                      "2017-10-07T24:00:00",
                                      "2017-10-07T12:60",
                                      "2017-10-07T12:29:60",
                                      "2017-10-07T12:29:51.",
                                      "2017-10-07T12:29:51z",
                                      "2017-10-07T12:29:51+25:00",
                                      "2017-10-07T12:29:51 ",
                                      "2017-10-07T12:29:51Zx",
                                      "2017/10/07",
                                      "17-10-07",
                                      "2017-10-07X12:29",
                                      "2017-10-07T12:29:51+2",
                                      "2017-10-07T1 :29"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        if (weir_iso8601_parse(weir_str_of(bad[i]), &ms) == 0)
            fail_msg("'%s' was accepted", bad[i]);
}

static void iso8601_round_trips(void **state)
{
    (void)state;
    char text[32];
    int64_t back;
    for (int64_t ms = -60000000000000; ms < 250000000000000; ms += 9876543211) {
        weir_iso8601_format(ms, text);
        assert_int_equal(weir_iso8601_parse(weir_str_of(text), &back), 0);
        assert_true(back == ms);
    }
    weir_iso8601_format(1507379391000, text);
    assert_string_equal(text, "2017-10-07T12:29:51Z");
    weir_iso8601_format(1507379391050, text);
    assert_string_equal(text, "2017-10-07T12:29:51.050Z");
}

static void floor_division_goes_down(void **state)
{
    (void)state;
    assert_int_equal(weir_floor_div(-1, 1000), -1);
    assert_int_equal(weir_floor_div(-1000, 1000), -1);
    assert_int_equal(weir_floor_div(-1001, 1000), -2);
    assert_int_equal(weir_floor_div(1999, 1000), 1);
}

static void back_off_doubles_up_to_its_limit(void **state)
{
    (void)state;
    assert_int_equal(weir_backoff_us(50, 5000, 0), 50);
    assert_int_equal(weir_backoff_us(50, 5000, 1), 100);
    assert_int_equal(weir_backoff_us(50, 5000, 6), 3200);
    assert_int_equal(weir_backoff_us(50, 5000, 7), 5000);
    assert_int_equal(weir_backoff_us(50, 5000, UINT32_MAX), 5000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(civil_agrees_with_libc),
        cmocka_unit_test(civil_holds_at_the_ends_of_time),
        cmocka_unit_test(days_that_are_not_are_invalid),
        cmocka_unit_test(durations_parse),
        cmocka_unit_test(durations_are_spoken_in_their_largest_unit),
        cmocka_unit_test(iso8601_parses),
        cmocka_unit_test(iso8601_round_trips),
        cmocka_unit_test(floor_division_goes_down),
        cmocka_unit_test(back_off_doubles_up_to_its_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
