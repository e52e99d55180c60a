// SPDX-License-Identifier: Apache-2.0
#include "feed/feed_testing.h"

#include "feed/simulated.h"

#define EVENT "{format: json, fields: {id: string, time: long, place: string, n: int, note: optional string}, key: id, time: time}"
#define FLEET "{simulate: {rate: 1, fields: {time: now, id: {uuid: 40}, place: {one_of: [a, b, c, d, e, f]}, n: {uniform: [1, 6]}}}}"
#define NAMED "{simulate: {rate: 1, fields: {time: now, id: {text: 'dev-{n}', members: 40}, place: {text: 'p{n}', members: 8}, n: 1}}}"

enum { ID, TIME, PLACE, N, NOTE, FIELD_COUNT };

static void at(const struct weir_plan *plan, uint64_t number, struct weir_arena *arena, struct weir_value values[FIELD_COUNT])
{
    const struct simulated_clock clock = {0};
    simulated_event(plan, number, &clock, arena, values);
}

static void fix(struct weir_plan *plan, const char *field, const char *value)
{
    struct weir_error err;
    if (weir_feed_fix(plan, weir_str_of(field), weir_str_of(value), &err) < 0)
        fail_msg("%s", err.text);
}

static void a_known_key_leaves_its_device(void **state)
{
    (void)state;
    static const char *const feeds[] = {FLEET, NAMED};
    for (size_t kind = 0; kind < 2; kind++) {
        struct weir_arena arena = {0};
        struct weir_value before[FIELD_COUNT], after[FIELD_COUNT];
        struct weir_plan *plan = plan_of(EVENT, feeds[kind]);
        at(plan, 23, &arena, before);
        char *key = weir_format("%.*s", (int)before[ID].str.bytes, before[ID].str.data);
        fix(plan, "id", key);
        for (uint64_t i = 0; i < 100; i++) {
            at(plan, i, &arena, after);
            assert_true(weir_str_eq(after[ID].str, before[ID].str) && weir_str_eq(after[PLACE].str, before[PLACE].str));
        }
        free(key);
        weir_arena_drop(&arena);
        weir_plan_free(plan);
    }
}

static void a_new_key_is_one_device_too(void **state)
{
    (void)state;
    struct weir_arena arena = {0};
    struct weir_value first[FIELD_COUNT], other[FIELD_COUNT];
    struct weir_plan *plan = plan_of(EVENT, NAMED);
    fix(plan, "id", "boiler");
    fix(plan, "n", "4");
    fix(plan, "note", "");
    at(plan, 0, &arena, first);
    for (uint64_t i = 1; i < 100; i++) {
        at(plan, i, &arena, other);
        assert_true(weir_str_is(other[ID].str, "boiler") && weir_str_eq(other[PLACE].str, first[PLACE].str));
        assert_true(other[N].i64 == 4 && other[NOTE].null);
    }
    weir_arena_drop(&arena);
    weir_plan_free(plan);
}

static void fixing_another_field_leaves_the_fleet(void **state)
{
    (void)state;
    struct weir_arena arena = {0};
    struct weir_value first[FIELD_COUNT], second[FIELD_COUNT];
    struct weir_plan *plan = plan_of(EVENT, NAMED);
    fix(plan, "place", "cellar");
    at(plan, 0, &arena, first);
    at(plan, 1, &arena, second);
    assert_true(weir_str_is(first[PLACE].str, "cellar") && weir_str_is(second[PLACE].str, "cellar"));
    assert_true(weir_str_is(first[ID].str, "dev-1") && weir_str_is(second[ID].str, "dev-2"));
    weir_arena_drop(&arena);
    weir_plan_free(plan);
}

static void what_cannot_be_fixed(void **state)
{
    (void)state;
    static const struct {
        const char *field, *value, *says;
    } cases[] = {
        {"plce", "x", "no field 'plce'; did you mean 'place'?"},
        {"n", "x", "'x' for field 'n' is not an int"},
        {"n", "", "is empty, and the field is not optional"},
        {"n", "3000000000", "is out of the range of int"},
    };
    struct weir_error err;
    struct weir_plan *plan = plan_of(EVENT, NAMED);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_true(weir_feed_fix(plan, weir_str_of(cases[i].field), weir_str_of(cases[i].value), &err) < 0);
        assert_int_equal(err.code, WEIR_USAGE);
        if (!strstr(err.text, cases[i].says))
            fail_msg("wanted '%s', got '%s'", cases[i].says, err.text);
    }
    weir_plan_free(plan);
    plan = plan_of(EVENT, "{http: {}}");
    assert_true(weir_feed_fix(plan, WEIR_STR("n"), WEIR_STR("1"), &err) < 0);
    assert_non_null(strstr(err.text, "is no simulation"));
    weir_plan_free(plan);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_known_key_leaves_its_device),
        cmocka_unit_test(a_new_key_is_one_device_too),
        cmocka_unit_test(fixing_another_field_leaves_the_fleet),
        cmocka_unit_test(what_cannot_be_fixed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
