// SPDX-License-Identifier: Apache-2.0
#include "cql/retry.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static enum cql_remedy remedy_of(int32_t code)
{
    struct cql_failure failure = {.code = code};
    return cql_judge(&failure).remedy;
}

static void test_not_executed(void **state)
{
    (void)state;
    assert_int_equal(remedy_of(CQL_ERROR_UNAVAILABLE), CQL_NEXT_NODE);
    assert_int_equal(remedy_of(CQL_ERROR_IS_BOOTSTRAPPING), CQL_NEXT_NODE);
    assert_int_equal(remedy_of(CQL_ERROR_OVERLOADED), CQL_BACK_OFF);
    assert_int_equal(remedy_of(CQL_ERROR_UNPREPARED), CQL_REPREPARE);
}

static void test_outcome_unknown(void **state)
{
    (void)state;
    static const int32_t codes[] = {CQL_ERROR_SERVER,
                                    CQL_ERROR_WRITE_TIMEOUT,
                                    CQL_ERROR_READ_TIMEOUT,
                                    CQL_ERROR_WRITE_FAILURE,
                                    CQL_ERROR_READ_FAILURE,
                                    CQL_ERROR_CDC_WRITE_FAILURE,
                                    CQL_ERROR_CAS_WRITE_UNKNOWN,
                                    CQL_ERROR_TRUNCATE,
                                    0x7777};
    for (size_t i = 0; i < sizeof codes / sizeof *codes; i++)
        assert_int_equal(remedy_of(codes[i]), CQL_RESEND);
}

static void test_never(void **state)
{
    (void)state;
    static const int32_t codes[] = {CQL_ERROR_SYNTAX,         CQL_ERROR_UNAUTHORIZED, CQL_ERROR_INVALID,         CQL_ERROR_CONFIG,
                                    CQL_ERROR_ALREADY_EXISTS, CQL_ERROR_PROTOCOL,     CQL_ERROR_FUNCTION_FAILURE};
    for (size_t i = 0; i < sizeof codes / sizeof *codes; i++)
        assert_int_equal(remedy_of(codes[i]), CQL_GIVE_UP);
}

static void test_what_shrinks_the_window(void **state)
{
    (void)state;
    for (int32_t code = 0; code <= CQL_ERROR_UNPREPARED; code++) {
        struct cql_failure failure = {.code = code};
        bool load =
            code == CQL_ERROR_OVERLOADED || code == CQL_ERROR_WRITE_TIMEOUT || code == CQL_ERROR_READ_TIMEOUT || code == CQL_ERROR_CAS_WRITE_UNKNOWN;
        assert_int_equal(cql_judge(&failure).shrinks, load);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_not_executed),
        cmocka_unit_test(test_outcome_unknown),
        cmocka_unit_test(test_never),
        cmocka_unit_test(test_what_shrinks_the_window),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
