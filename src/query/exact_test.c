// SPDX-License-Identifier: Apache-2.0
// Exact quantiles against sorted arrays; order, merging and saving to the bit; and what becomes of too many values.
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/error.h"
#include "base/memory.h"
#include "query/exact.h"

static uint64_t random_state = 3;

static uint64_t rnd(uint64_t below)
{
    random_state = random_state * 6364136223846793005u + 1442695040888963407u;
    return (random_state >> 33) % below;
}

static double draw(void)
{
    return ((double)rnd(1u << 30) - (1 << 29)) / (double)(1 + rnd(1000));
}

static void assert_same_bytes(struct blob *a, struct blob *b)
{
    weir_cleanup(weir_buffer_drop) struct weir_buffer x = {0}, y = {0};
    exact_save(a, &x);
    exact_save(b, &y);
    assert_true(weir_str_eq(weir_buffer_view(&x), weir_buffer_view(&y)));
}

static struct blob *set_of(const double *values, size_t count)
{
    struct blob *set = NULL;
    for (size_t i = 0; i < count; i++)
        exact_add(&set, values[i]);
    return set;
}

// Textbook values: SELECT percentile_cont(…) WITHIN GROUP (ORDER BY x) gives the same.
static void quantiles_of_small_sets(void **state)
{
    (void)state;
    static const struct {
        double values[6];
        size_t n;
        double q, want;
    } cases[] = {
        {{7}, 1, 0.5, 7},
        {{7}, 1, 0.99, 7},
        {{3, 1}, 2, 0.5, 2},
        {{3, 1, 2}, 3, 0.5, 2},
        {{4, 1, 3, 2}, 4, 0.5, 2.5},
        {{4, 1, 3, 2}, 4, 0.25, 1.75},
        {{4, 1, 3, 2}, 4, 1, 4},
        {{4, 1, 3, 2}, 4, 0, 1},
        {{5, 4, 3, 2, 1}, 5, 0.75, 4},
        {{-1, 1}, 2, 0.5, 0},
        {{0.1, 0.2}, 2, 0.5, (0.1 + 0.2) / 2},
        {{1e308, 1.5e308}, 2, 0.5, 1.25e308},
        {{-1.7e308, 1.7e308}, 2, 0.75, 0.85e308},
        {{INFINITY, 1, 2}, 3, 0.5, 2},
        {{INFINITY, 1, 2}, 3, 1, INFINITY},
        {{-INFINITY, 1}, 2, 0.5, -INFINITY},
        {{INFINITY, INFINITY}, 2, 0.5, INFINITY},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct blob *set = set_of(cases[i].values, cases[i].n);
        double got = exact_quantile(set, cases[i].q);
        assert_true(got == cases[i].want || fabs(got - cases[i].want) < 1e-15 * fabs(cases[i].want));
        blob_drop(&set);
    }
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

// Asked again and again while values come: each answer is that of all values so far.
static void the_median_of_what_came_so_far(void **state)
{
    (void)state;
    double values[2000];
    struct blob *set = NULL;
    for (size_t n = 1; n <= 2000; n++) {
        double x = draw();
        values[n - 1] = x;
        exact_add(&set, x);
        if (n > 20 && rnd(20))
            continue;
        qsort(values, n, sizeof *values, compare);
        assert_int_equal(exact_count(set), n);
        assert_true(exact_quantile(set, 0.5) == (n % 2 ? values[n / 2] : (values[n / 2 - 1] + values[n / 2]) / 2));
    }
    blob_drop(&set);
}

static void order_merging_and_restoring_leave_no_trace(void **state)
{
    (void)state;
    for (int round = 0; round < 50; round++) {
        double values[1000];
        size_t n = 1 + rnd(1000);
        for (size_t i = 0; i < n; i++)
            values[i] = rnd(10) ? draw() : rnd(2) ? 0.0 : -0.0;
        struct blob *straight = set_of(values, n), *parts[3] = {NULL}, *merged = NULL, *restored = NULL;
        for (size_t i = n; i-- > 0;)
            exact_add(&parts[rnd(3)], values[i]);
        for (int i = 0; i < 3; i++) {
            exact_merge(&merged, parts[i]);
            blob_drop(&parts[i]);
        }
        weir_cleanup(weir_buffer_drop) struct weir_buffer bytes = {0};
        exact_save(straight, &bytes);
        struct weir_cursor c = {bytes.data, bytes.data + bytes.bytes, false};
        assert_int_equal(exact_restore(&restored, &c), 0);
        exact_add(&restored, 1);
        exact_add(&straight, 1);
        exact_add(&merged, 1);
        assert_same_bytes(straight, merged);
        assert_same_bytes(straight, restored);
        blob_drop(&straight);
        blob_drop(&merged);
        blob_drop(&restored);
    }
}

// One more than EXACT_MAX, by adding and by merging: the sketch of them all.
static void too_many_values_become_a_sketch(void **state)
{
    (void)state;
    struct blob *set = NULL, *parts[2] = {NULL}, *sketch = NULL, *restored = NULL;
    for (uint32_t i = 0; i <= EXACT_MAX; i++) {
        assert_true(i == 0 || i < EXACT_MAX || !exact_is_estimate(set));
        double x = (double)(i * 2654435761u) / 1e6;
        exact_add(&set, x);
        exact_add(&parts[i % 3 == 0], x);
        sketch_add(&sketch, x);
    }
    assert_true(exact_is_estimate(set) && exact_count(set) == EXACT_MAX + 1u);
    assert_true(exact_quantile(set, 0.3) == sketch_quantile(sketch, 0.3));
    exact_merge(&parts[0], parts[1]);
    assert_same_bytes(set, parts[0]);
    exact_merge(&parts[1], set); // an estimate into exact values
    assert_true(exact_is_estimate(parts[1]) && exact_count(parts[1]) == EXACT_MAX + 1u + (EXACT_MAX + 3u) / 3);
    weir_cleanup(weir_buffer_drop) struct weir_buffer bytes = {0};
    exact_save(set, &bytes);
    struct weir_cursor c = {bytes.data, bytes.data + bytes.bytes, false};
    assert_int_equal(exact_restore(&restored, &c), 0);
    assert_same_bytes(set, restored);
    blob_drop(&set);
    blob_drop(&parts[0]);
    blob_drop(&parts[1]);
    blob_drop(&sketch);
    blob_drop(&restored);
}

static void assert_refused(const void *data, size_t bytes)
{
    struct weir_cursor c = {data, (const uint8_t *)data + bytes, false};
    struct blob *set = NULL;
    assert_int_equal(exact_restore(&set, &c), -1);
    assert_null(set);
}

// What a person computes by hand, without the dust of binary fractions.
static void quantiles_are_decimals(void **state)
{
    (void)state;
    struct blob *set = NULL;
    for (int i = 0; i <= 100; i++)
        exact_add(&set, i * 100);
    for (int percent = 0; percent <= 100; percent++)
        assert_true(exact_quantile(set, percent / 100.0) == percent * 100);
    exact_add(&set, 10100); // 101 steps now
    for (int percent = 0; percent <= 100; percent++)
        assert_true(exact_quantile(set, percent / 100.0) == percent * 101);
    assert_true(exact_quantile(set, 0.999) == 10089.9);
    blob_drop(&set);
}

static void damaged_bytes_are_refused(void **state)
{
    (void)state;
    struct {
        uint8_t form, n;
        double values[2];
    } __attribute__((packed)) two = {1, 2, {2, 1}};
    assert_refused(&two, sizeof two); // not in order
    two.values[1] = NAN;
    assert_refused(&two, sizeof two);
    two.values[1] = 3;
    assert_refused(&two, sizeof two - 1);
    assert_refused("", 0);
    assert_refused("\7", 1);
    assert_refused("\1\0", 2);
    assert_refused("\2\0", 2);                                      // an estimate of nothing
    assert_refused("\1\xff\xff\xff\xff\xff\xff\xff\xff\xff\1", 11); // 2^64 - 1 values
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(quantiles_of_small_sets),         cmocka_unit_test(quantiles_are_decimals),
        cmocka_unit_test(the_median_of_what_came_so_far),  cmocka_unit_test(order_merging_and_restoring_leave_no_trace),
        cmocka_unit_test(too_many_values_become_a_sketch), cmocka_unit_test(damaged_bytes_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
