// SPDX-License-Identifier: Apache-2.0
// Numbers as text, both ways, independent of the locale.
#pragma once
#include "base/str.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// Whole text or nothing: 0, or -1 if it is no such number (or does not fit). No blanks, no hex; a leading '+' is allowed.
int weir_parse_i64(struct weir_str text, int64_t *ret);
int weir_parse_integral(struct weir_str text, int64_t *ret); // exactly; a decimal without a fraction too: 12.0, 1.5e3
int weir_parse_f64(struct weir_str text, double *ret);       // correctly rounded; also nan, inf, infinity with a sign, in any case

// The shortest decimal that reads back as the same double (or float). Returns the length. NaN, Infinity, -Infinity by those names.
size_t weir_format_f64(double value, char out[32]);
size_t weir_format_f32(float value, char out[32]);
size_t weir_format_i64(int64_t value, char out[24]);
