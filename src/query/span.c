// SPDX-License-Identifier: Apache-2.0
#include "query/span.h"

#include "base/time.h"

static int64_t add_saturating(int64_t a, int64_t b)
{
    int64_t sum;
    return __builtin_add_overflow(a, b, &sum) ? INT64_MAX : sum;
}

static struct span regular(int64_t size_ms, int64_t time_ms)
{
    int64_t start_ms = weir_floor_div(time_ms, size_ms) * size_ms;
    return (struct span){start_ms, add_saturating(start_ms, size_ms)};
}

// The local date and time at which the unit that `c` lies in began.
static struct weir_civil beginning(enum weir_calendar unit, struct weir_civil c)
{
    c.millisecond = c.second = c.minute = 0;
    if (unit == WEIR_CAL_HOUR)
        return c;
    c.hour = 0;
    if (unit == WEIR_CAL_WEEK) { // ISO: a week begins on Monday; 1970-01-01 was a Thursday
        int64_t day = weir_civil_ms(&c) / 86400000 - (weir_civil_ms(&c) % 86400000 < 0);
        return weir_civil_of((day - ((day + 3) % 7 + 7) % 7) * 86400000);
    }
    if (unit == WEIR_CAL_MONTH || unit == WEIR_CAL_YEAR)
        c.day = 1;
    if (unit == WEIR_CAL_YEAR)
        c.month = 1;
    return c;
}

static struct weir_civil next_beginning(enum weir_calendar unit, struct weir_civil c)
{
    static const int64_t unit_ms[] = {[WEIR_CAL_HOUR] = 3600000, [WEIR_CAL_DAY] = 86400000, [WEIR_CAL_WEEK] = 7 * 86400000};
    if (unit <= WEIR_CAL_WEEK)
        return weir_civil_of(weir_civil_ms(&c) + unit_ms[unit]);
    if (unit == WEIR_CAL_YEAR || c.month == 12) {
        c.year++;
        c.month = 1;
    } else {
        c.month++;
    }
    return c;
}

// By the local clock: what shows the same hour (day, month…) is one window. An hour that comes twice at the end of daylight time is two hours long,
// one that is skipped is empty, and days have 23 to 25 hours. A day that has begun stays begun where the clock is then set back over midnight.
static struct span calendar(enum weir_calendar unit, const struct weir_zone *zone, int64_t time_ms)
{
    struct weir_civil from = beginning(unit, weir_zone_civil(zone, time_ms)), to = next_beginning(unit, from);
    int64_t start_ms = weir_zone_instant(zone, &from), end_ms = weir_zone_instant(zone, &to);
    while (end_ms <= time_ms) {
        to = next_beginning(unit, to);
        start_ms = end_ms;
        end_ms = weir_zone_instant(zone, &to);
    }
    return (struct span){start_ms, end_ms};
}

struct span span_at(const struct weir_window_spec *window, const struct weir_zone *zone, int64_t time_ms)
{
    switch (window->kind) {
    case WEIR_WINDOW_TUMBLING:
        return regular(window->size_ms, time_ms);
    case WEIR_WINDOW_SLIDING:
        return regular(window->slide_ms, time_ms);
    case WEIR_WINDOW_CALENDAR:
        return calendar(window->calendar, zone, time_ms);
    default:
        return (struct span){INT64_MIN, INT64_MAX};
    }
}

int64_t span_last_end(const struct weir_window_spec *window, int64_t span_start_ms, int64_t span_end_ms)
{
    return window->kind == WEIR_WINDOW_SLIDING ? add_saturating(span_start_ms, window->size_ms) : span_end_ms;
}
