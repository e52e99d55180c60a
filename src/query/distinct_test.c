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

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(small_counts_are_exact), cmocka_unit_test(large_counts_are_near)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
