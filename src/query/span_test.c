// SPDX-License-Identifier: Apache-2.0
// What must hold of windows whatever the zone: they hold their instant, follow each other without gap or overlap, and begin where the clock says.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/time.h"
#include "base/zone.h"
#include "query/span.h"

enum { UNITS = WEIR_CAL_YEAR + 1, INSTANTS = 3000 };

static const int64_t first_ms = -1420070400000, last_ms = 4102444800000; // 1925 to 2100

static uint64_t random_state = 5;

static int64_t random_instant(int64_t from, int64_t to)
{
    random_state = random_state * 6364136223846793005u + 1442695040888963407u;
    return from + (int64_t)((random_state >> 16) % (uint64_t)(to - from));
}

static struct weir_zone *open_zone(const char *name)
{
    struct weir_zone *zone = NULL;
    struct weir_error err;
    if (weir_zone_open(name, &zone, &err) < 0)
        fail_msg("%s: %s", name, err.text);
    return zone;
}

static bool same(struct span a, struct span b)
{
    return a.start_ms == b.start_ms && a.end_ms == b.end_ms;
}

static void check_around(const struct weir_window_spec *window, const struct weir_zone *zone, int64_t time_ms, const char *what)
{
    struct span span = span_at(window, zone, time_ms);
    bool right = span.start_ms <= time_ms && time_ms < span.end_ms && same(span_at(window, zone, span.start_ms), span) &&
                 same(span_at(window, zone, span.end_ms - 1), span) && span_at(window, zone, span.end_ms).start_ms == span.end_ms &&
                 span_at(window, zone, span.start_ms - 1).end_ms == span.start_ms;
    if (!right)
        fail_msg("%s, unit %d, at %lld: [%lld, %lld)", what, (int)window->calendar, (long long)time_ms, (long long)span.start_ms,
                 (long long)span.end_ms);
}

static void calendar_windows_follow_each_other(void **state)
{
    (void)state;
    static const char *const zones[] = {"Europe/Rome",      "America/St_Johns",  "Australia/Lord_Howe", "Pacific/Apia",      "Pacific/Kwajalein",
                                        "Antarctica/Troll", "America/Sao_Paulo", "Africa/Monrovia",     "Africa/Casablanca", "Asia/Kathmandu"};
    for (size_t z = 0; z < sizeof zones / sizeof *zones; z++) {
        struct weir_zone *zone = open_zone(zones[z]);
        for (int unit = 0; unit < UNITS; unit++) {
            const struct weir_window_spec window = {.kind = WEIR_WINDOW_CALENDAR, .calendar = (enum weir_calendar)unit};
            for (int i = 0; i < INSTANTS; i++)
                check_around(&window, zone, random_instant(first_ms, last_ms), zones[z]);
        }
        weir_zone_close(zone);
    }
}

// Every half hour of the days around changes of the clock.
static void calendar_windows_hold_where_the_clock_changes(void **state)
{
    (void)state;
    static const struct {
        const char *zone, *day;
    } changes[] = {{"America/St_Johns", "1988-10-30"},  {"America/St_Johns", "1988-04-03"},  {"Australia/Lord_Howe", "2024-04-07"},
                   {"Pacific/Apia", "2011-12-30"},      {"Pacific/Kwajalein", "1993-08-21"}, {"Antarctica/Troll", "2023-10-29"},
                   {"America/Sao_Paulo", "2018-02-18"}, {"America/Sao_Paulo", "2018-11-04"}, {"Europe/London", "1941-05-04"},
                   {"Africa/Monrovia", "1972-01-07"},   {"America/Caracas", "2007-12-09"},   {"Asia/Pyongyang", "2018-05-04"}};
    for (size_t c = 0; c < sizeof changes / sizeof *changes; c++) {
        struct weir_zone *zone = open_zone(changes[c].zone);
        int64_t day_ms;
        assert_int_equal(weir_iso8601_parse(weir_str_of(changes[c].day), &day_ms), 0);
        for (int unit = 0; unit < UNITS; unit++) {
            const struct weir_window_spec window = {.kind = WEIR_WINDOW_CALENDAR, .calendar = (enum weir_calendar)unit};
            for (int64_t t = day_ms - 2 * 86400000; t < day_ms + 3 * 86400000; t += 450000)
                check_around(&window, zone, t, changes[c].zone);
        }
        weir_zone_close(zone);
    }
}

static void expect(const char *zone_name, enum weir_calendar unit, const char *at, const char *start, const char *end)
{
    struct weir_zone *zone = zone_name ? open_zone(zone_name) : NULL;
    int64_t at_ms;
    char got_start[32], got_end[32];
    assert_int_equal(weir_iso8601_parse(weir_str_of(at), &at_ms), 0);
    struct span span = span_at(&(struct weir_window_spec){.kind = WEIR_WINDOW_CALENDAR, .calendar = unit}, zone, at_ms);
    weir_iso8601_format(span.start_ms, got_start);
    weir_iso8601_format(span.end_ms, got_end);
    assert_string_equal(got_start, start);
    assert_string_equal(got_end, end);
    weir_zone_close(zone);
}

static void calendar_windows_of_known_days(void **state)
{
    (void)state;
    expect(NULL, WEIR_CAL_WEEK, "2024-12-31T12:00:00Z", "2024-12-30T00:00:00Z", "2025-01-06T00:00:00Z");
    expect(NULL, WEIR_CAL_WEEK, "1969-12-28T23:59:59.999Z", "1969-12-22T00:00:00Z", "1969-12-29T00:00:00Z");
    expect(NULL, WEIR_CAL_MONTH, "2024-02-29T23:59:59.999Z", "2024-02-01T00:00:00Z", "2024-03-01T00:00:00Z");
    expect(NULL, WEIR_CAL_MONTH, "1900-02-28T23:00:00Z", "1900-02-01T00:00:00Z", "1900-03-01T00:00:00Z");
    expect(NULL, WEIR_CAL_YEAR, "1969-12-31T23:59:59.999Z", "1969-01-01T00:00:00Z", "1970-01-01T00:00:00Z");
    expect("Europe/Rome", WEIR_CAL_DAY, "2024-03-31T12:00:00Z", "2024-03-30T23:00:00Z", "2024-03-31T22:00:00Z");
    expect("Europe/Rome", WEIR_CAL_DAY, "2024-10-27T12:00:00Z", "2024-10-26T22:00:00Z", "2024-10-27T23:00:00Z");
    expect("Europe/Rome", WEIR_CAL_HOUR, "2024-10-27T01:30:00Z", "2024-10-27T00:00:00Z", "2024-10-27T02:00:00Z");
    expect("Asia/Kathmandu", WEIR_CAL_HOUR, "2024-01-01T00:00:00Z", "2023-12-31T23:15:00Z", "2024-01-01T00:15:00Z");
    expect("Pacific/Apia", WEIR_CAL_WEEK, "2011-12-31T00:00:00Z", "2011-12-26T10:00:00Z", "2012-01-01T10:00:00Z"); // Friday was left out
    expect("America/Sao_Paulo", WEIR_CAL_DAY, "2018-02-18T02:30:00Z", "2018-02-17T02:00:00Z", "2018-02-18T03:00:00Z");
    expect("America/St_Johns", WEIR_CAL_HOUR, "1988-10-30T02:00:00Z", "1988-10-30T01:30:00Z", "1988-10-30T04:30:00Z");
}

static void regular_windows_reach_below_the_epoch(void **state)
{
    (void)state;
    const struct weir_window_spec tumbling = {.kind = WEIR_WINDOW_TUMBLING, .size_ms = 7000};
    const struct weir_window_spec sliding = {.kind = WEIR_WINDOW_SLIDING, .size_ms = 30000, .slide_ms = 10000};
    assert_true(same(span_at(&tumbling, NULL, -1), (struct span){-7000, 0}));
    assert_true(same(span_at(&tumbling, NULL, -7001), (struct span){-14000, -7000}));
    assert_true(same(span_at(&tumbling, NULL, 0), (struct span){0, 7000}));
    assert_true(same(span_at(&sliding, NULL, -1), (struct span){-10000, 0}));
    assert_true(span_last_end(&sliding, -10000, 0) == 20000 && span_last_end(&tumbling, 0, 7000) == 7000);
    for (int i = 0; i < INSTANTS; i++)
        check_around(&tumbling, NULL, random_instant(-1000000, 1000000), "tumbling");
}

static void windows_end_with_time_itself(void **state)
{
    (void)state;
    const struct weir_window_spec tumbling = {.kind = WEIR_WINDOW_TUMBLING, .size_ms = 3600000};
    const struct weir_window_spec none = {.kind = WEIR_WINDOW_NONE};
    struct span last = span_at(&tumbling, NULL, INT64_MAX - 1);
    assert_true(last.end_ms == INT64_MAX && last.start_ms <= INT64_MAX - 1);
    assert_true(same(span_at(&none, NULL, 42), (struct span){INT64_MIN, INT64_MAX}));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(calendar_windows_follow_each_other), cmocka_unit_test(calendar_windows_hold_where_the_clock_changes),
        cmocka_unit_test(calendar_windows_of_known_days),     cmocka_unit_test(regular_windows_reach_below_the_epoch),
        cmocka_unit_test(windows_end_with_time_itself),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
