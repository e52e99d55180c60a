// SPDX-License-Identifier: Apache-2.0
// The rule in a TZif footer: POSIX TZ with the extensions of RFC 8536, 3.3.1, such as "CET-1CEST,M3.5.0,M10.5.0/3".
#pragma once
#include "base/str.h"
#include <stdbool.h>

enum posix_day { POSIX_JULIAN, POSIX_ZERO_BASED, POSIX_MONTH_WEEK_DAY }; // Jn (1–365, no 29 February), n (0–365), Mm.w.d

struct posix_date {
    enum posix_day kind;
    int day; // JULIAN, ZERO_BASED
    int month, week, weekday;
    int32_t time_s; // local, after midnight; may be negative or beyond a day
};

struct posix_tz {
    int32_t standard_s, daylight_s; // added to UTC
    bool has_daylight;
    struct posix_date begin, end; // of daylight time
};

int posix_tz_parse(struct weir_str text, struct posix_tz *ret); // 0 or -1
int32_t posix_tz_offset_s(const struct posix_tz *tz, int64_t epoch_s);
