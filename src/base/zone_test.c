// SPDX-License-Identifier: Apache-2.0
// Zones against libc, which reads the same data with code of its own.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "base/posix_tz.h"
#include "base/zone.h"

static const char *const names[] = {
    "UTC",          "Europe/Rome",     "Europe/London",    "Europe/Dublin",    "America/New_York",     "America/Sao_Paulo", "America/St_Johns",
    "Asia/Tehran",  "America/Caracas", "Australia/Sydney", "Asia/Kathmandu",   "Australia/Lord_Howe",  "Africa/Casablanca", "Pacific/Kwajalein",
    "Pacific/Apia", "Africa/Monrovia", "Pacific/Chatham",  "Antarctica/Troll", "America/Scoresbysund", "America/Godthab",   "Asia/Gaza",
    "Africa/Cairo", "Asia/Pyongyang",  "America/Santiago", "Asia/Jerusalem",   "Pacific/Norfolk",      "Europe/Lisbon",     "Asia/Manila",
    "Etc/GMT+12",   "Etc/GMT-14",      "EST5EDT",          "America/Juneau",   "Europe/Moscow",        "Asia/Kolkata",      "Europe/Amsterdam",
};
enum { NAMES = sizeof names / sizeof *names };

static const int64_t first_s = -1420070400, last_s = 6000000000; // 1925 to 2160: beyond the tables, the rule in the footer holds

static uint64_t random_state = 11;

static uint64_t rnd(uint64_t below)
{
    random_state = random_state * 6364136223846793005u + 1442695040888963407u;
    return (random_state >> 24) % below;
}

static struct weir_zone *open_zone(const char *name)
{
    struct weir_zone *zone = NULL;
    struct weir_error err;
    if (weir_zone_open(name, &zone, &err) < 0)
        fail_msg("%s: %s", name, err.text);
    return zone;
}

static int64_t libc_offset_s(int64_t s)
{
    time_t seconds = (time_t)s;
    struct tm tm;
    assert_non_null(localtime_r(&seconds, &tm));
    return tm.tm_gmtoff;
}

static void use_libc_zone(const char *name)
{
    char tz[64] = ":";
    strncat(tz, name, sizeof tz - 2);
    setenv("TZ", tz, 1);
    tzset();
}

static void compare_at(const struct weir_zone *zone, const char *name, int64_t s)
{
    int64_t ours = weir_zone_offset_ms(zone, s * 1000), theirs = libc_offset_s(s) * 1000;
    if (ours != theirs)
        fail_msg("%s at %lld: %lld ms, libc says %lld", name, (long long)s, (long long)ours, (long long)theirs);
}

// The second of the change between two instants that differ.
static int64_t change_s(int64_t from, int64_t to)
{
    int64_t before = libc_offset_s(from);
    while (to - from > 1) {
        int64_t middle = from + (to - from) / 2;
        *(libc_offset_s(middle) == before ? &from : &to) = middle;
    }
    return to;
}

static void offsets_agree_with_libc(void **state)
{
    (void)state;
    for (size_t i = 0; i < NAMES; i++) {
        struct weir_zone *zone = open_zone(names[i]);
        use_libc_zone(names[i]);
        for (int n = 0; n < 2000; n++)
            compare_at(zone, names[i], first_s + (int64_t)rnd((uint64_t)(last_s - first_s)));
        for (int64_t s = first_s; s < last_s; s += 5 * 86400) {
            compare_at(zone, names[i], s);
            if (libc_offset_s(s) == libc_offset_s(s + 5 * 86400))
                continue;
            int64_t change = change_s(s, s + 5 * 86400);
            compare_at(zone, names[i], change - 1);
            compare_at(zone, names[i], change);
            assert_true(weir_zone_offset_ms(zone, change * 1000 - 1) == libc_offset_s(change - 1) * 1000);
        }
        weir_zone_close(zone);
    }
    unsetenv("TZ");
    tzset();
}

// The first instant that shows the local time or later, found by walking over every change near it.
static int64_t first_shown_ms(const struct weir_zone *zone, int64_t clock_ms)
{
    int64_t from = clock_ms - 3 * 86400000LL;
    while (from + weir_zone_offset_ms(zone, from) < clock_ms) {
        int64_t offset = weir_zone_offset_ms(zone, from), reached = clock_ms - offset, step = from;
        while (step < reached && weir_zone_offset_ms(zone, step) == offset)
            step += 60000; // changes are at whole minutes here
        from = step < reached ? step : reached;
    }
    return from;
}

static void a_local_time_is_the_first_instant_that_shows_it(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"Europe/Rome", "2024-03-31T02:30:00"},         {"Europe/Rome", "2024-10-27T02:30:00"},         {"Europe/Rome", "2024-10-27T03:00:00"},
        {"Australia/Lord_Howe", "2024-04-07T01:45:00"}, {"Australia/Lord_Howe", "2024-10-06T02:15:00"}, {"Pacific/Apia", "2011-12-30T00:00:00"},
        {"Pacific/Apia", "2011-12-30T13:00:00"},        {"Pacific/Apia", "2011-12-31T00:00:00"},        {"Pacific/Kwajalein", "1993-08-21T12:00:00"},
        {"America/Sao_Paulo", "2017-10-15T00:00:00"},   {"America/Sao_Paulo", "2018-02-18T00:00:00"},   {"America/St_Johns", "1988-10-29T23:30:00"},
        {"America/St_Johns", "1988-10-30T00:00:00"},    {"America/St_Johns", "1988-10-30T00:01:00"},    {"Antarctica/Troll", "2023-10-29T02:00:00"},
        {"America/Caracas", "2007-12-09T02:45:00"},     {"America/Caracas", "2016-05-01T02:45:00"},     {"UTC", "2024-02-29T00:00:00"},
        {"America/New_York", "2090-11-05T01:30:00"},    {"Europe/Dublin", "2060-03-28T01:00:00"},       {"Asia/Kathmandu", "1985-12-31T18:30:00"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct weir_zone *zone = open_zone(cases[i][0]);
        int64_t clock_ms;
        assert_int_equal(weir_iso8601_parse(weir_str_of(cases[i][1]), &clock_ms), 0);
        struct weir_civil local = weir_civil_of(clock_ms);
        int64_t got = weir_zone_instant(zone, &local), want = first_shown_ms(zone, clock_ms);
        if (got != want)
            fail_msg("%s %s: %lld, wanted %lld", cases[i][0], cases[i][1], (long long)got, (long long)want);
        weir_zone_close(zone);
    }
}

static void what_is_no_zone_is_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",
        "/",
        "/etc/passwd",
        "../../../etc/passwd",
        "Europe",
        "Europe/",
        "Mars/Olympus",
        "zone.tab",
        "tzdata.zi",
        "leapseconds",
        "Europe/Rome/x",
        "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct weir_zone *zone = NULL;
        struct weir_error err;
        assert_int_equal(weir_zone_open(bad[i], &zone, &err), -1);
        assert_int_equal(err.code, WEIR_BAD_CONFIG);
        assert_null(zone);
    }
    assert_int_equal(weir_zone_offset_ms(NULL, 1), 0);
    weir_zone_close(NULL);
}

// ---- the rule in the footer

static void rules_agree_with_libc(void **state)
{
    (void)state;
    static const char *const rules[] = {
        "CET-1CEST,M3.5.0,M10.5.0/3",           "EST5EDT,M3.2.0,M11.1.0",     "NZST-12NZDT,M9.5.0,M4.1.0/3",  "<+0330>-3:30",
        "<-02>2<-01>,M3.5.0/-1,M10.5.0/0",      "IST-1GMT0,M10.5.0,M3.5.0/1", "AEST-10AEDT,J60,J300/4:30:15", "XST3XDT,59,299/26",
        "<+1030>-10:30<+11>-11,M10.1.0,M4.1.0", "IST-2IDT,M3.4.4/26,M10.5.0",
    };
    for (size_t i = 0; i < sizeof rules / sizeof *rules; i++) {
        struct posix_tz tz;
        assert_int_equal(posix_tz_parse(weir_str_of(rules[i]), &tz), 0);
        setenv("TZ", rules[i], 1);
        tzset();
        for (int64_t s = 1000000000; s < 4100000000; s += 40009) {
            if (posix_tz_offset_s(&tz, s) != libc_offset_s(s))
                fail_msg("%s at %lld: %d, libc says %lld", rules[i], (long long)s, posix_tz_offset_s(&tz, s), (long long)libc_offset_s(s));
        }
    }
    unsetenv("TZ");
    tzset();
}

static void what_is_no_rule_is_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {"",
                                      "5",
                                      "EST",
                                      "EST5EDT,",
                                      "EST5EDT,M3.2.0",
                                      "EST5EDT,M13.2.0,M11.1.0",
                                      "EST5EDT,M0.2.0,M11.1.0",
                                      "EST5EDT,M3.6.0,M11.1.0",
                                      "EST5EDT,M3.2.7,M11.1.0",
                                      "EST5EDT,J366,J400",
                                      "EST5EDT,M3.2.0,M11.1.0x",
                                      "<EST5",
                                      "EST168",
                                      "EST5:60",
                                      "EST5EDT,M3.2.0/,M11.1.0",
                                      "EST99999999999999999999",
                                      "EST5EDT,M99999999999.2.0,M11.1.0"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct posix_tz tz = {.standard_s = 77};
        if (posix_tz_parse(weir_str_of(bad[i]), &tz) != -1)
            fail_msg("'%s' was taken for a rule", bad[i]);
        assert_int_equal(tz.standard_s, 77);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(offsets_agree_with_libc),    cmocka_unit_test(a_local_time_is_the_first_instant_that_shows_it),
        cmocka_unit_test(what_is_no_zone_is_refused), cmocka_unit_test(rules_agree_with_libc),
        cmocka_unit_test(what_is_no_rule_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
