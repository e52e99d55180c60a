// SPDX-License-Identifier: Apache-2.0
#include "base/suggest.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static size_t distance(const char *a, const char *b)
{
    return weir_edit_distance(weir_str_of(a), weir_str_of(b));
}

static void distances(void **state)
{
    (void)state;
    assert_int_equal(distance("", ""), 0);
    assert_int_equal(distance("", "abc"), 3);
    assert_int_equal(distance("window", "windw"), 1);
    assert_int_equal(distance("window", "widnow"), 1);
    assert_int_equal(distance("kitten", "sitting"), 3);
    assert_int_equal(distance("Device", "device"), 0);
    assert_int_equal(distance("ca", "abc"), 3);
}

static void distance_of_long_names_is_not_computed(void **state)
{
    (void)state;
    char name[66];
    memset(name, 'a', 65);
    name[65] = '\0';
    assert_true(distance(name, "a") == SIZE_MAX);
}

static const char *suggestion(const char *name, const char *const *candidates, size_t count)
{
    static char text[128];
    weir_suggest_text(weir_str_of(name), candidates, count, text, sizeof text);
    return text;
}

static void nearest_names(void **state)
{
    (void)state;
    const char *const keys[] = {"window", NULL, "where", "lateness", "emit"};
    assert_string_equal(suggestion("windw", keys, 5), "did you mean 'window'?");
    assert_string_equal(suggestion("latenes", keys, 5), "did you mean 'lateness'?");
    assert_string_equal(suggestion("Emit", keys, 5), "did you mean 'emit'?");
    assert_string_equal(suggestion("banana", keys, 5), "");
    assert_string_equal(suggestion("", keys, 5), "");
}

static void equally_near_names_are_all_given(void **state)
{
    (void)state;
    const char *const fields[] = {"device", "p1", "p2", "p4", "p5"};
    assert_string_equal(suggestion("p3", fields, 3), "did you mean 'p1' or 'p2'?");
    assert_string_equal(suggestion("p3", fields, 5), "did you mean 'p1', 'p2' or 'p4'?");
    assert_string_equal(suggestion("x", (const char *const[]){"y"}, 1), "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(distances),
        cmocka_unit_test(distance_of_long_names_is_not_computed),
        cmocka_unit_test(nearest_names),
        cmocka_unit_test(equally_near_names_are_all_given),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
