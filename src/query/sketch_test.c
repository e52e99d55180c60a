// SPDX-License-Identifier: Apache-2.0
// Sketches against the values themselves, sorted; order, merging and saving to the bit; and bytes that are no sketch.
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/error.h"
#include "base/memory.h"
#include "query/sketch.h"
#include "query/sketch_bins.h"

enum { BOUND_BYTES = 40200 }; // as the header has it

static uint64_t random_state = 1;

static uint64_t rnd(uint64_t below)
{
    random_state = random_state * 6364136223846793005u + 1442695040888963407u;
    return (random_state >> 33) % below;
}

static double uniform(double low, double high)
{
    return low + (high - low) * (double)rnd(1u << 30) / (1u << 30);
}

static double normal(void)
{
    return sqrt(-2 * log(uniform(1e-9, 1))) * cos(2 * M_PI * uniform(0, 1));
}

static double reading(void)
{
    return (double)rnd(9001) / 100 + 10;
}

static double lognormal(void)
{
    return exp(3 * normal());
}

static double below_zero(void)
{
    return -lognormal();
}

static double both_signs(void)
{
    return rnd(5) == 0 ? 0 : normal() * 15;
}

static double rain(void)
{
    return rnd(20) ? rnd(2) ? 0.0 : -0.0 : (double)rnd(400) / 10;
}

static double far_apart(void) // 300 decades, within the chunks that are kept: 60 octaves of them
{
    double x = ldexp(uniform(1, 2), (int)rnd(60) * 16 - 480);
    return rnd(2) ? x : -x;
}

static double with_outliers(void)
{
    return rnd(100) ? reading() : rnd(2) ? 1e300 : rnd(2) ? -INFINITY : 1e-310;
}

static double few_values(void)
{
    return (double)rnd(3) - 1;
}

static double (*const distributions[])(void) = {reading, lognormal, below_zero, both_signs, rain, far_apart, with_outliers, few_values};

enum { DISTRIBUTIONS = sizeof distributions / sizeof *distributions };

static struct blob *sketch_of_values(const double *values, size_t count)
{
    struct blob *sketch = NULL;
    for (size_t i = 0; i < count; i++)
        sketch_add(&sketch, values[i]);
    return sketch;
}

static void assert_same_bytes(const struct blob *a, const struct blob *b)
{
    weir_cleanup(weir_buffer_drop) struct weir_buffer x = {0}, y = {0};
    sketch_save(a, &x);
    sketch_save(b, &y);
    assert_int_equal(x.bytes, y.bytes);
    assert_memory_equal(x.data, y.data, x.bytes);
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void fill(double *values, size_t count, double (*draw)(void))
{
    for (size_t i = 0; i < count; i++)
        values[i] = draw();
}

// ---- bins

// Every bin's ends by the C library's logarithm, at twice the precision.
static void bins_are_logarithmic(void **state)
{
    (void)state;
    for (int bin = 0; bin <= SKETCH_BINS; bin++) {
        long double low = exp2l((long double)bin / SKETCH_BINS), have = 1 + (long double)sketch_bin_low[bin] * 0x1p-52L;
        assert_true(have >= low - 0x1p-60L && have - low < 0x1.01p-52L);
        assert_int_equal(sketch_place_of((double)have).bin, bin % SKETCH_BINS); // the lower end is the bin's own
    }
}

static void assert_near_its_bin(double x)
{
    struct sketch_place place = sketch_place_of(x);
    assert_true(place.bin < SKETCH_BINS && place.key < SKETCH_KEYS && (place.key & 1) == (x < 0));
    double value = sketch_bin_value(place.key / 2, place.bin);
    assert_true(fabs(value - fabs(x)) <= 0.00991 * fabs(x));
}

static void bins_are_within_one_percent_of_what_is_in_them(void **state)
{
    (void)state;
    for (int i = 0; i < 1 << 19; i++)
        assert_near_its_bin(1 + i * 0x1p-19);
    for (int bin = 0; bin <= SKETCH_BINS; bin++) // where it is furthest: both sides of every end
        for (int side = -1; side <= 1; side++)
            assert_near_its_bin(1 + ((double)sketch_bin_low[bin] + side) * 0x1p-52);
    for (int i = 0; i < 100000; i++) {
        double x = ldexp(uniform(1, 2), (int)rnd(2046) - 1022);
        assert_near_its_bin(i % 2 ? x : -x);
    }
    assert_near_its_bin(__DBL_MAX__);
    assert_near_its_bin(__DBL_MIN__);
}

static void bins_follow_the_order_of_values(void **state)
{
    (void)state;
    const double steps[] = {0x1p-1074, 0x1p-1073, 0x1.8p-1073, 1e-310, __DBL_MIN__ / 2, __DBL_MIN__, 1e-300, 0.5, 1, 1.5, 2, 1e300, __DBL_MAX__};
    uint32_t before = 0;
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        struct sketch_place place = sketch_place_of(steps[i]);
        uint32_t at = place.key / 2 * SKETCH_BINS + place.bin;
        assert_true(i == 0 ? at == 0 : at > before);
        before = at;
    }
    assert_int_equal(sketch_place_of(INFINITY).key, 2 * SKETCH_INFINITY);
    assert_int_equal(sketch_place_of(-INFINITY).key, 2 * SKETCH_INFINITY + 1);
}

// ---- quantiles

// Where the quantile lies between two ranks it is the same way between values within 1 % of theirs. A value below DBL_MIN is no nearer than its neighbours.
static void assert_quantile(const struct blob *sketch, const double *sorted, size_t n, double q)
{
    double at = q * (double)(n - 1), fraction = at - floor(at), got = sketch_quantile(sketch, q);
    double low = sorted[(size_t)at], high = sorted[fraction > 0 ? (size_t)at + 1 : (size_t)at];
    if (isinf(low) || isinf(high)) {
        assert_true(got == low || got == high || isnan(got) || isinf(got));
        return;
    }
    double want = fraction > 0 ? low * (1 - fraction) + high * fraction : low;
    double slack = 0.00992 * (fabs(low) * (1 - fraction) + fabs(high) * fraction) + 0x1p-1074;
    assert_true(fabs(got - want) <= slack);
}

static void quantiles_are_within_one_percent(void **state)
{
    (void)state;
    static const double quantiles[] = {0, 0.001, 0.01, 0.1, 0.25, 0.5, 0.75, 0.9, 0.99, 0.999, 1};
    static const size_t counts[] = {1, 2, 3, 4, 5, 10, 101, 1000, 20000};
    for (size_t d = 0; d < DISTRIBUTIONS; d++)
        for (size_t c = 0; c < sizeof counts / sizeof *counts; c++) {
            size_t n = counts[c];
            double *values = weir_zalloc(n, sizeof *values);
            fill(values, n, distributions[d]);
            struct blob *sketch = sketch_of_values(values, n);
            qsort(values, n, sizeof *values, compare);
            assert_int_equal(sketch_count(sketch), n);
            for (size_t i = 0; i < sizeof quantiles / sizeof *quantiles; i++)
                assert_quantile(sketch, values, n, quantiles[i]);
            assert_true(sketch_quantile(sketch, 0) == values[0] && sketch_quantile(sketch, 1) == values[n - 1]);
            blob_drop(&sketch);
            free(values);
        }
}

static void one_and_two_values_are_exact(void **state)
{
    (void)state;
    for (int i = 0; i < 1000; i++) {
        double pair[2] = {both_signs(), both_signs()};
        struct blob *one = sketch_of_values(pair, 1), *two = sketch_of_values(pair, 2);
        assert_true(sketch_quantile(one, 0.5) == pair[0]);
        assert_true(sketch_quantile(two, 0.5) == (pair[0] + pair[1]) / 2);
        blob_drop(&one);
        blob_drop(&two);
    }
}

// ---- the same whatever the order

static void shuffle(double *values, size_t n)
{
    for (size_t i = n; i > 1; i--) {
        size_t j = rnd(i);
        double kept = values[i - 1];
        values[i - 1] = values[j];
        values[j] = kept;
    }
}

static double anywhere(void) // more octaves than there are chunks
{
    double x = ldexp(uniform(1, 2), (int)rnd(2098) - 1074);
    return rnd(4) ? x : -x;
}

static struct blob *in_pieces(const double *values, size_t n)
{
    struct blob *pieces[4] = {NULL}, *whole = NULL;
    for (size_t i = 0; i < n; i++)
        sketch_add(&pieces[rnd(4)], values[i]);
    for (size_t i = 0; i < 4; i++) {
        weir_cleanup(weir_buffer_drop) struct weir_buffer before = {0};
        weir_buffer_add(&before, blob_view(pieces[i]).data, blob_view(pieces[i]).bytes);
        sketch_merge(&whole, pieces[i]);
        assert_true(weir_str_eq(weir_buffer_view(&before), blob_view(pieces[i])));
        blob_drop(&pieces[i]);
    }
    return whole;
}

static void order_and_merging_leave_no_trace(void **state)
{
    (void)state;
    for (size_t d = 0; d <= DISTRIBUTIONS; d++)
        for (int round = 0; round < 20; round++) {
            double values[3000];
            size_t n = 1 + rnd(3000);
            fill(values, n, d < DISTRIBUTIONS ? distributions[d] : anywhere);
            struct blob *straight = sketch_of_values(values, n);
            shuffle(values, n);
            struct blob *shuffled = sketch_of_values(values, n), *merged = in_pieces(values, n);
            assert_same_bytes(straight, shuffled);
            assert_same_bytes(straight, merged);
            assert_int_equal(sketch_count(straight), n);
            assert_true(straight->bytes <= BOUND_BYTES && shuffled->bytes <= BOUND_BYTES && merged->bytes <= BOUND_BYTES);
            blob_drop(&straight);
            blob_drop(&shuffled);
            blob_drop(&merged);
        }
}

static void memory_is_bounded_and_far_values_keep_their_accuracy(void **state)
{
    (void)state;
    struct blob *sketch = NULL;
    for (int octave = -1074; octave < 1024; octave++) {
        sketch_add(&sketch, ldexp(1.5, octave));
        sketch_add(&sketch, -ldexp(1.5, octave));
    }
    assert_true(sketch->bytes <= BOUND_BYTES && sketch->capacity == sketch->bytes);
    assert_int_equal(sketch_count(sketch), 2 * 2098);
    assert_true(sketch_quantile(sketch, 0.5) == 0);
    assert_true(fabs(sketch_quantile(sketch, 0.995) / ldexp(1.5, 1003) - 1) < 0.6); // between two octaves
    blob_drop(&sketch);
    for (int i = 0; i < 1000; i++)
        sketch_add(&sketch, reading());
    assert_true(sketch->bytes < 1300);
    blob_drop(&sketch);
}

// ---- bytes

static struct weir_cursor cursor_of(const struct weir_buffer *b)
{
    return (struct weir_cursor){b->data, b->data + b->bytes, false};
}

static void restored_it_is_the_same(void **state)
{
    (void)state;
    double values[500];
    for (size_t d = 0; d <= DISTRIBUTIONS; d++) {
        fill(values, 500, d < DISTRIBUTIONS ? distributions[d] : anywhere);
        struct blob *sketch = sketch_of_values(values, 250), *restored = NULL;
        weir_cleanup(weir_buffer_drop) struct weir_buffer bytes = {0};
        sketch_save(sketch, &bytes);
        weir_buffer_byte(&bytes, 77); // what comes behind is not touched
        struct weir_cursor c = cursor_of(&bytes);
        assert_int_equal(sketch_restore(&restored, &c), 0);
        assert_int_equal(c.end - c.at, 1);
        for (size_t i = 250; i < 500; i++) {
            sketch_add(&sketch, values[i]);
            sketch_add(&restored, values[i]);
        }
        assert_same_bytes(sketch, restored);
        blob_drop(&sketch);
        blob_drop(&restored);
    }
}

static void nothing_is_saved_as_nothing(void **state)
{
    (void)state;
    weir_cleanup(weir_buffer_drop) struct weir_buffer bytes = {0};
    struct blob *restored = NULL;
    sketch_save(NULL, &bytes);
    struct weir_cursor c = cursor_of(&bytes);
    assert_int_equal(sketch_restore(&restored, &c), 0);
    assert_null(restored);
    assert_int_equal(sketch_count(NULL), 0);
}

static void damaged_bytes_are_refused_or_harmless(void **state)
{
    (void)state;
    double values[300];
    weir_cleanup(weir_buffer_drop) struct weir_buffer bytes = {0};
    for (int round = 0; round < 20000; round++) {
        if (round % 1000 == 0) {
            fill(values, 300, round % 2000 ? anywhere : with_outliers);
            struct blob *sketch = sketch_of_values(values, 300);
            bytes.bytes = 0;
            sketch_save(sketch, &bytes);
            blob_drop(&sketch);
        }
        size_t at = rnd(bytes.bytes), left = rnd(8) ? bytes.bytes : rnd(bytes.bytes);
        uint8_t was = bytes.data[at];
        bytes.data[at] = (uint8_t)rnd(256);
        struct weir_cursor c = {bytes.data, bytes.data + left, false};
        struct blob *restored = NULL;
        if (sketch_restore(&restored, &c) == 0 && restored) {
            assert_true(restored->bytes <= BOUND_BYTES && sketch_count(restored) > 0);
            sketch_quantile(restored, uniform(0, 1));
            sketch_add(&restored, anywhere());
        }
        blob_drop(&restored);
        bytes.data[at] = was;
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bins_are_logarithmic),
        cmocka_unit_test(bins_are_within_one_percent_of_what_is_in_them),
        cmocka_unit_test(bins_follow_the_order_of_values),
        cmocka_unit_test(quantiles_are_within_one_percent),
        cmocka_unit_test(one_and_two_values_are_exact),
        cmocka_unit_test(order_and_merging_leave_no_trace),
        cmocka_unit_test(memory_is_bounded_and_far_values_keep_their_accuracy),
        cmocka_unit_test(restored_it_is_the_same),
        cmocka_unit_test(nothing_is_saved_as_nothing),
        cmocka_unit_test(damaged_bytes_are_refused_or_harmless),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
