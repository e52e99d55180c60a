// SPDX-License-Identifier: Apache-2.0
// Instants are int64_t epoch milliseconds (…_ms), durations int64_t milliseconds. The proleptic Gregorian calendar, no leap seconds.
#pragma once
#include "base/str.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct weir_civil {
    int64_t year;
    int month, day, hour, minute, second, millisecond; // month and day from 1
};

struct weir_civil weir_civil_of(int64_t ms); // in UTC
int64_t weir_civil_ms(const struct weir_civil *c);
bool weir_civil_valid(const struct weir_civil *c); // 31 February and hour 24 are not

// "500 ms", "10 seconds", "1 minute", "1 h", "30 days", "2 weeks": a number (fractions allowed) and a unit. 0, or -1 if it is none.
int weir_duration_parse(struct weir_str text, int64_t *ret_ms);
void weir_duration_format(int64_t ms, char *out, size_t bytes); // "1 hour", "90 minutes": the largest unit that divides it

// ISO 8601: 2017-10-07, 2017-10-07T12:29[:51[.123456]][Z|±hh[:mm]]; a space may stand for T; no zone means UTC. 0, or -1 if it is none.
int weir_iso8601_parse(struct weir_str text, int64_t *ret_ms);
void weir_iso8601_format(int64_t ms, char out[32]); // 2017-10-07T12:29:51.000Z, without the fraction where it is zero

int64_t weir_floor_div(int64_t a, int64_t b); // towards minus infinity; b > 0

int64_t weir_backoff_us(int64_t first_us, int64_t last_us, uint32_t tries); // first, twice that, …: how long to wait after so many tries that failed

int64_t weir_now_ms(void);       // wall clock
int64_t weir_monotonic_us(void); // never goes back
