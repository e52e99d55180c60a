// SPDX-License-Identifier: Apache-2.0
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/hash.h"
#include "query/distinct.h"

static int64_t count_of(uint64_t values, bool *ret_estimate)
{
    struct blob *set = NULL;
    for (int round = 0; round < 2; round++) // what was counted is not counted again
        for (uint64_t i = 0; i < values; i++)
            distinct_add(&set, weir_hash64(&i, sizeof i, 0));
    int64_t count = distinct_count(set);
    *ret_estimate = distinct_is_estimate(set);
    assert_true(distinct_valid(blob_view(set)));
    blob_drop(&set);
    return count;
}

static void small_counts_are_exact(void **state)
{
    (void)state;
    bool estimate;
    for (uint64_t n = 0; n <= DISTINCT_EXACT; n += n < 20 ? 1 : 47) {
        assert_int_equal(count_of(n, &estimate), n);
        assert_false(estimate);
    }
}

static void large_counts_are_near(void **state)
{
    (void)state;
    bool estimate;
    for (uint64_t n = 1000; n < 1000000; n = n * 5 / 2) {
        int64_t count = count_of(n, &estimate);
        assert_true(estimate);
        assert_true(fabs((double)count - (double)n) < 0.04 * (double)n); // five standard errors
    }
}

static void add_all(struct blob **set, uint64_t from, uint64_t to)
{
    for (uint64_t i = from; i < to; i++)
        distinct_add(set, weir_hash64(&i, sizeof i, 0));
}

// Exact into exact, exact into estimate, the other way, and both estimates; overlapping or not.
static void a_union_counts_as_one_set(void **state)
{
    (void)state;
    static const uint64_t sizes[] = {0, 1, 100, DISTINCT_EXACT, 1000, 5000};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        for (size_t j = 0; j < sizeof sizes / sizeof *sizes; j++) {
            struct blob *into = NULL, *from = NULL, *whole = NULL;
            uint64_t low = sizes[j] / 3, high = low + sizes[j];
            add_all(&into, 0, sizes[i]);
            add_all(&from, low, high);
            add_all(&whole, 0, sizes[i]);
            add_all(&whole, low, high);
            distinct_merge(&into, from);
            assert_int_equal(distinct_count(into), distinct_count(whole));
            assert_int_equal(distinct_is_estimate(into), distinct_is_estimate(whole));
            blob_drop(&into);
            blob_drop(&from);
            blob_drop(&whole);
        }
}

static void bytes_that_are_no_set_are_refused(void **state)
{
    (void)state;
    char full[64];
    memset(full, 1, sizeof full);
    assert_false(distinct_valid((struct weir_str){full, 64})); // no end to searching it
    assert_false(distinct_valid((struct weir_str){full, 32}));
    assert_false(distinct_valid((struct weir_str){full, 63}));
    memset(full, 0, 16);
    assert_true(distinct_valid((struct weir_str){full, 64}));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(small_counts_are_exact), cmocka_unit_test(large_counts_are_near),
                                       cmocka_unit_test(a_union_counts_as_one_set), cmocka_unit_test(bytes_that_are_no_set_are_refused)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
