// SPDX-License-Identifier: Apache-2.0
// The shortest decimal that reads back as a binary floating-point number, and of those the nearest to it: Schubfach (R. Giulietti, "The Schubfach way to
// render doubles", 2020).
#pragma once
#include <stdbool.h>
#include <stdint.h>

struct shortest { // digits × 10^exponent; digits may end in zeros
    uint64_t digits;
    int exponent;
};

// Of a positive, finite number; `single`: as a float.
struct shortest shortest_decimal(double value, bool single);
