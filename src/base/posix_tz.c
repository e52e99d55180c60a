// SPDX-License-Identifier: Apache-2.0
#include "base/posix_tz.h"

#include "base/time.h"
#include <ctype.h>

struct reader {
    const char *at, *end;
    bool bad;
};

static bool take(struct reader *r, char c)
{
    if (r->at == r->end || *r->at != c)
        return false;
    r->at++;
    return true;
}

static int number(struct reader *r, int max)
{
    int value = 0;
    const char *start = r->at;
    while (r->at < r->end && isdigit((unsigned char)*r->at) && value <= max)
        value = value * 10 + (*r->at++ - '0');
    if (r->at == start || value > max)
        r->bad = true;
    return value;
}

static void name(struct reader *r)
{
    const char *start = r->at;
    if (take(r, '<')) {
        while (r->at < r->end && *r->at != '>')
            r->at++;
        r->bad |= !take(r, '>');
        return;
    }
    while (r->at < r->end && isalpha((unsigned char)*r->at))
        r->at++;
    r->bad |= r->at == start;
}

static int32_t clock_s(struct reader *r)
{
    int sign = take(r, '-') ? -1 : (take(r, '+'), 1);
    int32_t seconds = number(r, 167) * 3600;
    if (take(r, ':'))
        seconds += number(r, 59) * 60;
    if (take(r, ':'))
        seconds += number(r, 59);
    return sign * seconds;
}

static struct posix_date date(struct reader *r)
{
    struct posix_date d = {.kind = POSIX_ZERO_BASED, .time_s = 7200};
    if (take(r, 'M')) {
        d.kind = POSIX_MONTH_WEEK_DAY;
        d.month = number(r, 12);
        r->bad |= !take(r, '.');
        d.week = number(r, 5);
        r->bad |= !take(r, '.') || d.month < 1 || d.week < 1;
        d.weekday = number(r, 6);
    } else {
        d.kind = take(r, 'J') ? POSIX_JULIAN : POSIX_ZERO_BASED;
        d.day = number(r, 365);
    }
    if (take(r, '/'))
        d.time_s = clock_s(r);
    return d;
}

int posix_tz_parse(struct weir_str text, struct posix_tz *ret)
{
    struct reader r = {text.data, text.data + text.bytes, false};
    struct posix_tz tz = {0};
    name(&r);
    tz.standard_s = -clock_s(&r); // POSIX counts west of Greenwich
    if (r.at < r.end) {
        tz.has_daylight = true;
        name(&r);
        tz.daylight_s = r.at < r.end && *r.at != ',' ? -clock_s(&r) : tz.standard_s + 3600;
        r.bad |= !take(&r, ',');
        tz.begin = date(&r);
        r.bad |= !take(&r, ',');
        tz.end = date(&r);
    }
    if (r.bad || r.at != r.end)
        return -1;
    *ret = tz;
    return 0;
}

static int64_t midnight_s(int64_t year, int month, int day)
{
    struct weir_civil c = {.year = year, .month = month, .day = day};
    return weir_civil_ms(&c) / 1000;
}

static bool is_leap(int64_t year)
{
    return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

static int64_t month_week_day_s(const struct posix_date *d, int64_t year)
{
    int64_t first = midnight_s(year, d->month, 1);
    int weekday = (int)(((first / 86400 + 4) % 7 + 7) % 7); // 1970-01-01 was a Thursday
    int64_t day = first + (int64_t)((d->weekday - weekday + 7) % 7 + (d->week - 1) * 7) * 86400;
    int64_t next_month = d->month == 12 ? midnight_s(year + 1, 1, 1) : midnight_s(year, d->month + 1, 1);
    return day >= next_month ? day - 7 * 86400 : day; // the fifth is the last
}

// The moment of a date in a year, as the local clock shows it.
static int64_t local_s(const struct posix_date *d, int64_t year)
{
    if (d->kind == POSIX_MONTH_WEEK_DAY)
        return month_week_day_s(d, year) + d->time_s;
    int day = d->kind == POSIX_ZERO_BASED ? d->day : d->day - 1 + (is_leap(year) && d->day >= 60);
    return midnight_s(year, 1, 1) + (int64_t)day * 86400 + d->time_s;
}

int32_t posix_tz_offset_s(const struct posix_tz *tz, int64_t epoch_s)
{
    if (!tz->has_daylight)
        return tz->standard_s;
    int64_t year = weir_civil_of((epoch_s + tz->standard_s) * 1000).year;
    int64_t begin = local_s(&tz->begin, year) - tz->standard_s, end = local_s(&tz->end, year) - tz->daylight_s;
    bool daylight = begin < end ? epoch_s >= begin && epoch_s < end : !(epoch_s >= end && epoch_s < begin);
    return daylight ? tz->daylight_s : tz->standard_s;
}
