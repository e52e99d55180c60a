// SPDX-License-Identifier: Apache-2.0
#include "base/number.h"
#include "base/shortest.h"

#include "base/error.h"
#include "base/memory.h"
#include <locale.h>
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

// Powers of ten that a double holds exactly.
static const double exact_powers[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
                                      1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};

enum { EXACT_POWER_MAX = 22, U64_DIGITS = 19, EXPONENT_MAX = 100000 };

static const uint64_t EXACT_INTEGER_MAX = 1ull << 53;

static bool is_digit(char c)
{
    return (unsigned char)(c - '0') < 10;
}

int weir_parse_i64(struct weir_str text, int64_t *ret)
{
    const char *at = text.data, *end = at + text.bytes;
    bool negative = at < end && *at == '-';
    at += at < end && (*at == '-' || *at == '+');
    if (at == end)
        return -1;
    uint64_t limit = negative ? (uint64_t)INT64_MAX + 1 : INT64_MAX, value = 0;
    for (; at < end; at++) {
        if (!is_digit(*at))
            return -1;
        unsigned digit = (unsigned)(*at - '0');
        if (value > (limit - digit) / 10)
            return -1;
        value = value * 10 + digit;
    }
    *ret = (int64_t)(negative ? -value : value);
    return 0;
}

// A decimal as written: digits × 10^exponent. `digits` holds the leading ones; `cut` says that others than zeros had no room.
struct decimal {
    bool negative, cut;
    uint64_t digits;
    int exponent;
};

// Takes a run of digits; returns how many there were. Fraction digits that are kept lower the exponent, whole ones that are not raise it.
static size_t take_digits(const char **at, const char *end, bool fraction, int *kept, struct decimal *d)
{
    const char *start = *at;
    for (; *at < end && is_digit(**at); ++*at) {
        unsigned digit = (unsigned)(**at - '0');
        if (*kept < U64_DIGITS) {
            d->digits = d->digits * 10 + digit;
            *kept += d->digits != 0;
            d->exponent -= fraction;
        } else {
            d->cut |= digit != 0;
            d->exponent += !fraction;
        }
    }
    return (size_t)(*at - start);
}

static int take_exponent(const char **at, const char *end, struct decimal *d)
{
    bool negative = *at < end && **at == '-';
    *at += *at < end && (**at == '-' || **at == '+');
    if (*at == end || !is_digit(**at))
        return -1;
    int exponent = 0;
    for (; *at < end && is_digit(**at); ++*at)
        if (exponent < EXPONENT_MAX)
            exponent = exponent * 10 + (**at - '0');
    d->exponent += negative ? -exponent : exponent;
    return 0;
}

// [+-] digits [. digits] [e [+-] digits], with a digit on one side of the point at least.
static int read_decimal(struct weir_str text, struct decimal *ret)
{
    const char *at = text.data, *end = at + text.bytes;
    struct decimal d = {0};
    int kept = 0;
    if (text.bytes > INT32_MAX / 2)
        return -1;
    d.negative = at < end && *at == '-';
    at += at < end && (*at == '-' || *at == '+');
    size_t digits = take_digits(&at, end, false, &kept, &d);
    if (at < end && *at == '.') {
        at++;
        digits += take_digits(&at, end, true, &kept, &d);
    }
    if (digits == 0)
        return -1;
    if (at < end && (*at | 0x20) == 'e') {
        at++;
        if (take_exponent(&at, end, &d) < 0)
            return -1;
    }
    if (at != end)
        return -1;
    *ret = d;
    return 0;
}

// W. D. Clinger, How to Read Floating Point Numbers Accurately (1990): where digits and power are both exact, one rounding gives the right result.
static bool exact_value(const struct decimal *d, double *ret)
{
    if (d->cut || d->digits > EXACT_INTEGER_MAX || d->exponent > EXACT_POWER_MAX || d->exponent < -EXACT_POWER_MAX)
        return d->digits == 0 && !d->cut ? (*ret = 0, true) : false;
    *ret = d->exponent < 0 ? (double)d->digits / exact_powers[-d->exponent] : (double)d->digits * exact_powers[d->exponent];
    return true;
}

static locale_t made_locale;

static void make_c_locale(void)
{
    made_locale = newlocale(LC_ALL_MASK, "C", (locale_t)0);
    weir_assert(made_locale != (locale_t)0);
}

static locale_t c_locale(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, make_c_locale);
    return made_locale;
}

static double value_by_libc(struct weir_str text)
{
    char small[64], *copy = text.bytes < sizeof small ? small : weir_alloc((size_t)text.bytes + 1);
    memcpy(copy, text.data, text.bytes);
    copy[text.bytes] = 0;
    double value = strtod_l(copy, NULL, c_locale());
    if (copy != small)
        free(copy);
    return value;
}

int weir_parse_integral(struct weir_str text, int64_t *ret)
{
    struct decimal d;
    if (weir_parse_i64(text, ret) == 0)
        return 0;
    if (read_decimal(text, &d) < 0 || d.cut)
        return -1;
    for (; d.exponent < 0 && d.digits % 10 == 0 && d.digits; d.exponent++)
        d.digits /= 10;
    for (; d.exponent > 0 && d.digits; d.exponent--)
        if (__builtin_mul_overflow(d.digits, 10, &d.digits))
            return -1;
    if (d.digits && (d.exponent < 0 || d.digits > (uint64_t)INT64_MAX + d.negative))
        return -1;
    *ret = (int64_t)(d.negative ? -d.digits : d.digits);
    return 0;
}

static bool is_word(struct weir_str text, const char *word)
{
    for (uint32_t i = 0; i < text.bytes; i++)
        if (!word[i] || (text.data[i] | 0x20) != word[i])
            return false;
    return text.bytes == strlen(word);
}

static int parse_special(struct weir_str text, double *ret)
{
    bool negative = text.bytes && text.data[0] == '-';
    if (text.bytes && (text.data[0] == '-' || text.data[0] == '+'))
        text = (struct weir_str){text.data + 1, text.bytes - 1};
    if (is_word(text, "nan"))
        *ret = (double)NAN;
    else if (is_word(text, "inf") || is_word(text, "infinity"))
        *ret = negative ? -(double)INFINITY : (double)INFINITY;
    else
        return -1;
    return 0;
}

int weir_parse_f64(struct weir_str text, double *ret)
{
    struct decimal d;
    double value;
    if (read_decimal(text, &d) < 0)
        return parse_special(text, ret);
    if (exact_value(&d, &value)) {
        *ret = d.negative ? -value : value;
        return 0;
    }
    value = value_by_libc(text);
    if (isinf(value))
        return -1;
    *ret = value;
    return 0;
}

size_t weir_format_i64(int64_t value, char out[24])
{
    char digits[24], *at = digits + sizeof digits;
    uint64_t left = value < 0 ? -(uint64_t)value : (uint64_t)value;
    do
        *--at = (char)('0' + left % 10);
    while (left /= 10);
    if (value < 0)
        *--at = '-';
    size_t bytes = (size_t)(digits + sizeof digits - at);
    memcpy(out, at, bytes);
    out[bytes] = 0;
    return bytes;
}

// ---- shortest formatting

// A positive number's significant digits, without zeros at the end: 0.d₁d₂d₃… × 10^point.
struct digits {
    char text[20];
    int count, point;
};

static void digits_of_integer(uint64_t integer, int decimals, struct digits *ret)
{
    char text[24];
    ret->count = (int)weir_format_i64((int64_t)integer, text);
    ret->point = ret->count - decimals;
    while (ret->count > 1 && text[ret->count - 1] == '0')
        ret->count--;
    memcpy(ret->text, text, (size_t)ret->count);
}

static void shortest_digits(double value, bool single, struct digits *ret)
{
    struct shortest d = shortest_decimal(value, single);
    digits_of_integer(d.digits, -d.exponent, ret);
}

static char *put(char *at, const char *text, int bytes)
{
    memcpy(at, text, (size_t)bytes);
    return at + bytes;
}

static char *put_zeros(char *at, int count)
{
    memset(at, '0', (size_t)count);
    return at + count;
}

static char *put_scientific(char *at, const struct digits *d)
{
    int exponent = d->point - 1;
    *at++ = d->text[0];
    if (d->count > 1) {
        *at++ = '.';
        at = put(at, d->text + 1, d->count - 1);
    }
    *at++ = 'e';
    *at++ = exponent < 0 ? '-' : '+';
    exponent = abs(exponent);
    if (exponent < 10)
        *at++ = '0';
    return at + weir_format_i64(exponent, at);
}

static size_t write_digits(const struct digits *d, bool negative, char *out)
{
    char *at = out;
    if (negative)
        *at++ = '-';
    if (d->point <= -4 || d->point > 16) {
        at = put_scientific(at, d);
    } else if (d->point <= 0) {
        at = put_zeros(put(at, "0.", 2), -d->point);
        at = put(at, d->text, d->count);
    } else if (d->count <= d->point) {
        at = put_zeros(put(at, d->text, d->count), d->point - d->count);
    } else {
        at = put(at, d->text, d->point);
        *at++ = '.';
        at = put(at, d->text + d->point, d->count - d->point);
    }
    *at = 0;
    return (size_t)(at - out);
}

static size_t format_number(double value, bool single, char out[32])
{
    const char *word = isnan(value) ? "NaN" : value < 0 ? "-Infinity" : "Infinity";
    struct digits d = {"0", 1, 1};
    if (!isfinite(value))
        return (size_t)(stpcpy(out, word) - out);
    if (value != 0)
        shortest_digits(fabs(value), single, &d);
    return write_digits(&d, signbit(value), out);
}

size_t weir_format_f64(double value, char out[32])
{
    return format_number(value, false, out);
}

size_t weir_format_f32(float value, char out[32])
{
    return format_number((double)value, true, out);
}
