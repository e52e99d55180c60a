// SPDX-License-Identifier: Apache-2.0
#include "base/table.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void a_key_is_its_partition_then_its_clustering_columns(void **state)
{
    (void)state;
    uint32_t partition[] = {3, 1};
    struct weir_clustering clustering[] = {{4, true}, {0, false}};
    struct weir_table table = {.column_count = 6, .partition_count = 2, .partition = partition, .clustering_count = 2, .clustering = clustering};
    static const uint32_t order[] = {3, 1, 4, 0};
    static const bool is_key[] = {true, true, false, true, true, false};
    assert_int_equal(weir_table_key_count(&table), 4);
    for (uint32_t i = 0; i < 4; i++)
        assert_int_equal(weir_table_key(&table, i), order[i]);
    for (uint32_t c = 0; c < table.column_count; c++)
        assert_int_equal(weir_table_is_key(&table, c), is_key[c]);
}

static void a_key_may_be_a_partition_alone(void **state)
{
    (void)state;
    uint32_t partition[] = {1};
    struct weir_table table = {.column_count = 2, .partition_count = 1, .partition = partition};
    assert_int_equal(weir_table_key_count(&table), 1);
    assert_int_equal(weir_table_key(&table, 0), 1);
    assert_true(weir_table_is_key(&table, 1));
    assert_false(weir_table_is_key(&table, 0));
}

// As while a pipeline file is being read, key column by key column.
static void a_key_may_be_empty_yet(void **state)
{
    (void)state;
    struct weir_table table = {.column_count = 1};
    assert_int_equal(weir_table_key_count(&table), 0);
    assert_false(weir_table_is_key(&table, 0));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_key_is_its_partition_then_its_clustering_columns),
        cmocka_unit_test(a_key_may_be_a_partition_alone),
        cmocka_unit_test(a_key_may_be_empty_yet),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
