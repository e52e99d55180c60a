// SPDX-License-Identifier: Apache-2.0
#include "base/time.h"

#include "base/number.h"
#include <stdio.h>
#include <time.h>

enum { SECOND_MS = 1000, MINUTE_MS = 60 * SECOND_MS, HOUR_MS = 60 * MINUTE_MS, DAY_MS = 24 * HOUR_MS, WEEK_MS = 7 * DAY_MS };

int64_t weir_floor_div(int64_t a, int64_t b)
{
    return a / b - (a % b < 0);
}

int64_t weir_backoff_us(int64_t first_us, int64_t last_us, uint32_t tries)
{
    int64_t us = first_us;
    for (; tries > 0 && us < last_us; tries--)
        us *= 2;
    return us < last_us ? us : last_us;
}

// ---- the calendar
//
// Years are counted from March, so that the leap day is a year's last: the days before a month then follow one straight line, and leap years
// the cycle of 400 years = 146,097 days.

enum { DAYS_IN_400_YEARS = 146097, DAYS_TO_1970 = 719468 }; // from 0000-03-01

static int64_t days_of_date(int64_t year, int month, int day)
{
    int64_t march_year = year - (month < 3);
    int64_t era = weir_floor_div(march_year, 400), of_era = march_year - era * 400;
    int64_t of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    return era * DAYS_IN_400_YEARS + of_era * 365 + of_era / 4 - of_era / 100 + of_year - DAYS_TO_1970;
}

static void date_of_days(int64_t days, struct weir_civil *ret)
{
    days += DAYS_TO_1970;
    int64_t era = weir_floor_div(days, DAYS_IN_400_YEARS), day = days - era * DAYS_IN_400_YEARS;
    int64_t year = (day - day / 1460 + day / 36524 - day / (DAYS_IN_400_YEARS - 1)) / 365;
    int64_t of_year = day - (365 * year + year / 4 - year / 100);
    int64_t month = (5 * of_year + 2) / 153; // 0: March
    ret->day = (int)(of_year - (153 * month + 2) / 5 + 1);
    ret->month = (int)(month < 10 ? month + 3 : month - 9);
    ret->year = era * 400 + year + (ret->month < 3);
}

struct weir_civil weir_civil_of(int64_t ms)
{
    int64_t days = weir_floor_div(ms, DAY_MS);
    int rest = (int)(ms % DAY_MS + (ms % DAY_MS < 0 ? DAY_MS : 0));
    struct weir_civil c = {.hour = rest / HOUR_MS, .minute = rest / MINUTE_MS % 60, .second = rest / SECOND_MS % 60, .millisecond = rest % SECOND_MS};
    date_of_days(days, &c);
    return c;
}

int64_t weir_civil_ms(const struct weir_civil *c)
{
    int64_t of_day = (int64_t)c->hour * HOUR_MS + (int64_t)c->minute * MINUTE_MS + (int64_t)c->second * SECOND_MS + c->millisecond;
    return days_of_date(c->year, c->month, c->day) * DAY_MS + of_day;
}

static int days_in_month(int64_t year, int month)
{
    static const uint8_t days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    return days[month - 1] + (month == 2 && leap);
}

bool weir_civil_valid(const struct weir_civil *c)
{
    return c->year >= -290000000 && c->year <= 290000000 && c->month >= 1 && c->month <= 12 && c->day >= 1 &&
           c->day <= days_in_month(c->year, c->month) && c->hour >= 0 && c->hour < 24 && c->minute >= 0 && c->minute < 60 && c->second >= 0 &&
           c->second < 60 && c->millisecond >= 0 && c->millisecond < 1000;
}

// ---- durations

static const struct unit {
    const char *name;
    int64_t ms;
} units[] = {
    {"week", WEEK_MS}, {"day", DAY_MS},       {"d", DAY_MS},      {"hour", HOUR_MS}, {"h", HOUR_MS}, {"minute", MINUTE_MS}, {"min", MINUTE_MS},
    {"m", MINUTE_MS},  {"second", SECOND_MS}, {"sec", SECOND_MS}, {"s", SECOND_MS},  {"ms", 1},      {"millisecond", 1},
};

static int64_t unit_ms(struct weir_str name)
{
    struct weir_str singular = name;
    if (name.bytes > 3 && name.data[name.bytes - 1] == 's')
        singular.bytes--;
    for (size_t i = 0; i < sizeof units / sizeof *units; i++)
        if (weir_str_is(singular, units[i].name))
            return units[i].ms;
    return 0;
}

int weir_duration_parse(struct weir_str text, int64_t *ret_ms)
{
    uint32_t digits = 0, blanks = 0;
    while (digits < text.bytes && ((unsigned char)(text.data[digits] - '0') < 10 || text.data[digits] == '.'))
        digits++;
    while (digits + blanks < text.bytes && text.data[digits + blanks] == ' ')
        blanks++;
    struct weir_str number = {text.data, digits}, name = {text.data + digits + blanks, text.bytes - digits - blanks};
    int64_t unit = unit_ms(name), whole, ms;
    double fraction;
    if (unit == 0)
        return -1;
    if (weir_parse_i64(number, &whole) == 0) {
        if (__builtin_mul_overflow(whole, unit, &ms))
            return -1;
    } else if (weir_parse_f64(number, &fraction) == 0 && fraction * (double)unit < 9e18) {
        ms = (int64_t)(fraction * (double)unit + 0.5);
    } else {
        return -1;
    }
    *ret_ms = ms;
    return 0;
}

void weir_duration_format(int64_t ms, char *out, size_t bytes)
{
    static const struct unit spoken[] = {{"week", WEEK_MS}, {"day", DAY_MS}, {"hour", HOUR_MS}, {"minute", MINUTE_MS}, {"second", SECOND_MS}};
    for (size_t i = 0; ms != 0 && i < sizeof spoken / sizeof *spoken; i++)
        if (ms % spoken[i].ms == 0) {
            int64_t count = ms / spoken[i].ms;
            snprintf(out, bytes, "%lld %s%s", (long long)count, spoken[i].name, count == 1 ? "" : "s");
            return;
        }
    snprintf(out, bytes, "%lld ms", (long long)ms);
}

// ---- ISO 8601

// A number of exactly `count` digits, or -1.
static int take_number(struct weir_str *text, uint32_t count)
{
    int value = 0;
    if (text->bytes < count)
        return -1;
    for (uint32_t i = 0; i < count; i++) {
        unsigned digit = (unsigned)(unsigned char)text->data[i] - '0';
        if (digit > 9)
            return -1;
        value = value * 10 + (int)digit;
    }
    text->data += count;
    text->bytes -= count;
    return value;
}

static bool take(struct weir_str *text, char wanted)
{
    if (text->bytes == 0 || *text->data != wanted)
        return false;
    text->data++;
    text->bytes--;
    return true;
}

// Digits beyond milliseconds are cut off.
static int take_fraction(struct weir_str *text)
{
    int ms = 0, digits = 0;
    for (int digit; (digit = take_number(text, 1)) >= 0; digits++)
        if (digits < 3)
            ms = ms * 10 + digit;
    if (digits == 0)
        return -1;
    for (; digits < 3; digits++)
        ms *= 10;
    return ms;
}

static int take_clock(struct weir_str *text, struct weir_civil *c)
{
    c->hour = take_number(text, 2);
    if (!take(text, ':'))
        return -1;
    c->minute = take_number(text, 2);
    if (take(text, ':')) {
        c->second = take_number(text, 2);
        if (take(text, '.'))
            c->millisecond = take_fraction(text);
    }
    return 0;
}

static int take_zone(struct weir_str *text, int64_t *ret_offset_ms)
{
    bool negative = take(text, '-');
    if (!negative && !take(text, '+'))
        return take(text, 'Z') || text->bytes == 0 ? 0 : -1;
    int hours = take_number(text, 2), minutes = 0;
    if (text->bytes) {
        take(text, ':');
        minutes = take_number(text, 2);
    }
    if (hours < 0 || hours > 23 || minutes < 0 || minutes > 59)
        return -1;
    int64_t ms = (int64_t)hours * HOUR_MS + (int64_t)minutes * MINUTE_MS;
    *ret_offset_ms = negative ? -ms : ms;
    return 0;
}

int weir_iso8601_parse(struct weir_str text, int64_t *ret_ms)
{
    struct weir_civil c = {.year = take_number(&text, 4)};
    int64_t offset_ms = 0;
    if (c.year < 0 || !take(&text, '-'))
        return -1;
    c.month = take_number(&text, 2);
    if (!take(&text, '-'))
        return -1;
    c.day = take_number(&text, 2);
    if (text.bytes) {
        if (!take(&text, 'T') && !take(&text, ' '))
            return -1;
        if (take_clock(&text, &c) < 0 || take_zone(&text, &offset_ms) < 0)
            return -1;
    }
    if (text.bytes || !weir_civil_valid(&c))
        return -1;
    *ret_ms = weir_civil_ms(&c) - offset_ms;
    return 0;
}

void weir_iso8601_format(int64_t ms, char out[32])
{
    struct weir_civil c = weir_civil_of(ms);
    const char *sign = c.year > 9999 ? "+" : "";
    int bytes = snprintf(out, 32, "%s%0*lld-%02d-%02dT%02d:%02d:%02d", sign, c.year < 0 ? 5 : 4, (long long)c.year, c.month, c.day, c.hour, c.minute,
                         c.second);
    if (c.millisecond)
        bytes += snprintf(out + bytes, (size_t)(32 - bytes), ".%03d", c.millisecond);
    snprintf(out + bytes, (size_t)(32 - bytes), "Z");
}

// ---- clocks

int64_t weir_now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int64_t weir_monotonic_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}
