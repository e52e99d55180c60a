// SPDX-License-Identifier: Apache-2.0
// What a terminal can do, and one status line on it.
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define TERM_PLAIN  "\033[0m"
#define TERM_BOLD   "\033[1m"
#define TERM_DIM    "\033[2m"
#define TERM_RED    "\033[31m"
#define TERM_GREEN  "\033[32m"
#define TERM_YELLOW "\033[33m"
#define TERM_CYAN   "\033[36m"

bool term_is(FILE *file);    // a terminal that understands cursor movement
bool term_color(FILE *file); // a terminal, and NO_COLOR (no-color.org) is not set
void term_size(FILE *file, int *ret_columns, int *ret_rows);

// Columns that UTF-8 text takes, escape sequences counting none. Wide characters are counted as one.
size_t term_width(const char *text, size_t bytes);
// The bytes of `text` that fill at most `columns`, whole characters and escape sequences only.
size_t term_fit(const char *text, size_t bytes, size_t columns);

// "1.25 M", "980", "34 k": at most three digits.
void term_quantity(double value, char *out, size_t bytes);
// "1,234,567"
void term_number(uint64_t value, char *out, size_t bytes);
// "0:07", "12:30", "3:00:00"
void term_clock(double seconds, char *out, size_t bytes);
// A bar of `columns` cells, filled to `share` (0 to 1) in eighths.
void term_bar(double share, int columns, char *out, size_t bytes);
// One block character a value, the highest being full.
void term_sparkline(const double *values, size_t count, char *out, size_t bytes);
