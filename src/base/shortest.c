// SPDX-License-Identifier: Apache-2.0
#include "base/shortest.h"

#include <pthread.h>
#include <string.h>

// ---- powers of ten: 10^k rounded up to 128 bits, scaled so that the highest is set

enum { K_MIN = -324, K_MAX = 324, LIMBS = 72 };

struct power {
    uint64_t high, low;
};

static struct power powers[K_MAX - K_MIN + 1];

struct big { // little-endian limbs of 32 bits
    uint32_t limbs[LIMBS];
};

static void big_multiply(struct big *b, uint32_t factor)
{
    uint64_t carry = 0;
    for (int i = 0; i < LIMBS; i++) {
        carry += (uint64_t)b->limbs[i] * factor;
        b->limbs[i] = (uint32_t)carry;
        carry >>= 32;
    }
}

static void big_divide(struct big *b, uint32_t divisor)
{
    uint64_t rest = 0;
    for (int i = LIMBS - 1; i >= 0; i--) {
        rest = rest << 32 | b->limbs[i];
        b->limbs[i] = (uint32_t)(rest / divisor);
        rest %= divisor;
    }
}

static int top_bit(const struct big *b)
{
    int limb = LIMBS - 1;
    while (b->limbs[limb] == 0)
        limb--;
    return limb * 32 + 31 - __builtin_clz(b->limbs[limb]);
}

static bool bit_at(const struct big *b, int bit)
{
    return bit >= 0 && (b->limbs[bit / 32] >> (bit % 32) & 1);
}

// The 128 highest bits; one more in the last place unless what is cut off is nothing, which with `exact` false it never is.
static struct power top_bits(const struct big *b, bool exact)
{
    unsigned __int128 top = 0;
    int high = top_bit(b);
    for (int i = 0; i < 128; i++)
        top = top << 1 | bit_at(b, high - i);
    bool rest = !exact;
    for (int i = high - 128; i >= 0 && !rest; i--)
        rest = bit_at(b, i);
    top += rest;
    return (struct power){(uint64_t)(top >> 64), (uint64_t)top};
}

static void make_powers(void)
{
    struct big rising = {{1}}, falling = {{0}};
    falling.limbs[LIMBS - 1] = 1u << 31; // dividing a power of two by ten again and again stays exact as far as it is kept
    for (int k = 0; k <= K_MAX; k++) {
        powers[k - K_MIN] = top_bits(&rising, true);
        big_multiply(&rising, 10);
    }
    for (int k = -1; k >= K_MIN; k--) {
        big_divide(&falling, 10);
        powers[k - K_MIN] = top_bits(&falling, false);
    }
}

static struct power power_of_ten(int k)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, make_powers);
    return powers[k - K_MIN];
}

// ---- the method; names are the paper's where it has some

static int floor_log10_pow2(int q, bool three_quarters) // of 2^q, or of 3/4 × 2^q
{
    return (q * 1262611 - (three_quarters ? 524031 : 0)) >> 22;
}

static int floor_log2_pow10(int k)
{
    return (k * 1741647) >> 19;
}

// The high 64 bits of g × cp / 2^64, the last of them set if anything below is.
static uint64_t round_to_odd(struct power g, uint64_t cp)
{
    unsigned __int128 low = (unsigned __int128)g.low * cp, high = (unsigned __int128)g.high * cp + (uint64_t)(low >> 64);
    return (uint64_t)(high >> 64) | ((uint64_t)high > 1);
}

// c × 2^q; `closer`: the number below is half as far away as the one above.
static struct shortest schubfach(uint64_t c, int q, bool closer)
{
    int k = floor_log10_pow2(q, closer), h = q + floor_log2_pow10(-k) + 1;
    struct power g = power_of_ten(-k);
    bool odd = c & 1; // an even number is also what decimals exactly between it and its neighbours read as
    uint64_t lower = round_to_odd(g, (4 * c - 2 + closer) << h) + odd, value = round_to_odd(g, (4 * c) << h),
             upper = round_to_odd(g, (4 * c + 2) << h) - odd;
    uint64_t s = value / 4, tens = s / 10;
    bool down = lower <= 40 * tens, up = 40 * tens + 40 <= upper;
    if (s >= 10 && down != up)
        return (struct shortest){tens + up, k + 1};
    down = lower <= 4 * s;
    up = 4 * s + 4 <= upper;
    if (down != up)
        return (struct shortest){s + up, k};
    uint64_t middle = 4 * s + 2;
    return (struct shortest){s + (value > middle || (value == middle && (s & 1))), k};
}

struct shortest shortest_decimal(double value, bool single)
{
    uint64_t bits, fraction;
    int exponent, fraction_bits = single ? 23 : 52, bias = single ? 150 : 1075;
    if (single) {
        float narrow = (float)value;
        uint32_t narrow_bits;
        memcpy(&narrow_bits, &narrow, sizeof narrow_bits);
        bits = narrow_bits;
    } else {
        memcpy(&bits, &value, sizeof bits);
    }
    fraction = bits & ((UINT64_C(1) << fraction_bits) - 1);
    exponent = (int)(bits >> fraction_bits);
    if (exponent == 0)
        return schubfach(fraction, 1 - bias, false);
    return schubfach(fraction | UINT64_C(1) << fraction_bits, exponent - bias, fraction == 0 && exponent > 1);
}
