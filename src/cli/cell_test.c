// SPDX-License-Identifier: Apache-2.0
#include "cli/cell.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static void expect(enum weir_cql_type type, struct weir_value value, const char *want)
{
    char text[WEIR_CELL_BYTES];
    struct printer_cell cell = cell_of(type, &value, text);
    assert_false(cell.null);
    assert_true(weir_str_is(cell.text, want));
}

static void values_read_back_the_same(void **state)
{
    (void)state;
    expect(WEIR_CQL_FLOAT, (struct weir_value){.kind = WEIR_F64, .f64 = (double)0.1f}, "0.1");
    expect(WEIR_CQL_DOUBLE, (struct weir_value){.kind = WEIR_F64, .f64 = 0.1 + 0.2}, "0.30000000000000004");
    expect(WEIR_CQL_BIGINT, (struct weir_value){.kind = WEIR_I64, .i64 = INT64_MIN}, "-9223372036854775808");
    expect(WEIR_CQL_BOOLEAN, (struct weir_value){.kind = WEIR_I64, .i64 = 1}, "true");
    expect(WEIR_CQL_TIMESTAMP, (struct weir_value){.kind = WEIR_I64, .i64 = 1507379391000}, "2017-10-07T12:29:51Z");
    expect(WEIR_CQL_TEXT, (struct weir_value){.kind = WEIR_STRS, .str = WEIR_STR("Roma")}, "Roma");
    char text[WEIR_CELL_BYTES];
    assert_true(cell_of(WEIR_CQL_TEXT, &(struct weir_value){.null = true}, text).null);
}

static void keys_are_of_their_columns_types(void **state)
{
    (void)state;
    weir_cleanup(weir_arena_drop) struct weir_arena arena = {0};
    struct weir_error err;
    struct weir_value value;
    assert_int_equal(cell_parse(&(struct weir_table_column){"id", WEIR_CQL_UUID}, "3F2504E0-4F89-11D3-9A0C-0305E82C3301", &arena, &value, &err), 0);
    assert_true(weir_str_is(value.str, "3f2504e0-4f89-11d3-9a0c-0305e82c3301"));
    assert_int_equal(cell_parse(&(struct weir_table_column){"n", WEIR_CQL_INT}, "-7", &arena, &value, &err), 0);
    assert_int_equal(value.i64, -7);
    assert_int_equal(cell_parse(&(struct weir_table_column){"x", WEIR_CQL_DOUBLE}, "2.5", &arena, &value, &err), 0);
    assert_true(value.f64 == 2.5);
    assert_int_equal(cell_parse(&(struct weir_table_column){"b", WEIR_CQL_BOOLEAN}, "true", &arena, &value, &err), 0);
    assert_int_equal(value.i64, 1);
    assert_int_equal(cell_parse(&(struct weir_table_column){"id", WEIR_CQL_UUID}, "nobody", &arena, &value, &err), -1);
    assert_string_equal(err.text, "'nobody' is no uuid, which column 'id' holds");
    assert_int_equal(err.code, WEIR_USAGE);
    assert_int_equal(cell_parse(&(struct weir_table_column){"n", WEIR_CQL_INT}, "7.5", &arena, &value, &err), -1);
    assert_int_equal(cell_parse(&(struct weir_table_column){"b", WEIR_CQL_BOOLEAN}, "1", &arena, &value, &err), -1);
}

static void moments_are_told_apart_by_magnitude(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t ms;
    } cases[] = {
        {"1507379391", 1507379391000},
        {"1507379391123", 1507379391123},
        {"-86400", -86400000},
        {"0", 0},
        {"2017-10-07", 1507334400000},
        {"2017-10-07T12:29:51Z", 1507379391000},
        {"2017-10-07 14:29:51+02:00", 1507379391000},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        int64_t ms;
        assert_int_equal(weir_moment_parse(weir_str_of(cases[i].text), &ms), 0);
        assert_int_equal(ms, cases[i].ms);
    }
    int64_t untouched = 5;
    assert_int_equal(weir_moment_parse(WEIR_STR("tomorrow"), &untouched), -1);
    assert_int_equal(untouched, 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_read_back_the_same),
        cmocka_unit_test(keys_are_of_their_columns_types),
        cmocka_unit_test(moments_are_told_apart_by_magnitude),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
