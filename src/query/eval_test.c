// SPDX-License-Identifier: Apache-2.0
// Expressions as users write them, over two events: one with values, one with nulls where the fields are optional.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/buffer.h"
#include "query/eval.h"
#include "spec/plan.h"

struct example {
    const char *expression, *type, *first, *second; // results for the two events
};

static const struct example examples[] = {
    {"a + 2", "bigint", "7", "7"},
    {"b + 1", "bigint", "4", "null"},
    {"a / 2", "double", "2.5", "2.5"},
    {"a / (a - 5)", "double", "null", "null"},
    {"-a * 3 - 1", "bigint", "-16", "-16"},
    {"x * 2", "double", "5", "null"},
    {"a * 9223372036854775807", "bigint", "null", "null"},
    {"if(b > 2, 'big', 'small')", "text", "big", "small"},
    {"if(x > 2 or a == 5, 1, 2)", "bigint", "1", "1"},
    {"if(not (b > 2), 1, 2)", "bigint", "2", "2"},
    {"coalesce(b, a * 10)", "bigint", "3", "50"},
    {"coalesce(s, 'none')", "text", "hello", "none"},
    {"coalesce(x, b, 1.5)", "double", "2.5", "1.5"},
    {"abs(-a)", "bigint", "5", "5"},
    {"abs(0 - x)", "double", "2.5", "null"},
    {"round(x, 0)", "double", "2", "null"},
    {"round(12345.678, 2)", "double", "12345.68", "12345.68"},
    {"round(0.125, 2)", "double", "0.12", "0.12"},
    {"a == 5 and b == 3", "boolean", "1", "null"},
    {"a == 4 and b == 3", "boolean", "0", "0"},
    {"a == 5 or b == 3", "boolean", "1", "1"},
    {"s < 'i'", "boolean", "1", "null"},
    {"s != 'hello'", "boolean", "0", "null"},
    {"d >= 'd1'", "boolean", "1", "1"},
    {"epoch_s(t)", "bigint", "1709210096", "-1"},
    {"epoch_ms(t)", "bigint", "1709210096789", "-1"},
    {"year(t)", "int", "2024", "1969"},
    {"month(t)", "int", "2", "12"},
    {"day(t)", "int", "29", "31"},
    {"hour(t)", "int", "12", "23"},
};

static struct weir_plan *plan_of(const struct example *e)
{
    struct weir_buffer text = {0};
    weir_buffer_format(
        &text,
        "pipeline: t\ntopic: {name: t}\n"
        "event: {format: json, fields: {d: string, t: long, a: long, b: optional long, x: optional double, s: optional string}, key: d, time: t}\n"
        "queries:\n  - table: r\n    columns:\n      d: text\n      r: \"%s = %s\"\n    key: [[d]]\n",
        e->type, e->expression);
    struct weir_plan *plan;
    struct weir_error err;
    if (weir_plan_parse("t.yaml", weir_buffer_view(&text), &(struct weir_overrides){0}, stderr, false, &plan, &err) < 0)
        fail_msg("%s: %s", e->expression, err.text);
    weir_buffer_drop(&text);
    return plan;
}

static void check_value(const struct example *e, struct weir_column c, uint32_t row, const char *want)
{
    char got[64];
    struct weir_value v = weir_column_get(&c, row);
    if (v.null)
        snprintf(got, sizeof got, "null");
    else if (v.kind == WEIR_STRS)
        snprintf(got, sizeof got, "%.*s", (int)v.str.bytes, v.str.data);
    else if (v.kind == WEIR_I64)
        snprintf(got, sizeof got, "%lld", (long long)v.i64);
    else
        snprintf(got, sizeof got, "%.10g", v.f64);
    if (strcmp(got, want) != 0)
        fail_msg("%s, event %u: %s, not %s", e->expression, row, got, want);
}

static void expressions_give_what_they_say(void **state)
{
    (void)state;
    struct weir_str devices[] = {WEIR_STR("d1"), WEIR_STR("d2")}, texts[] = {WEIR_STR("hello"), {NULL, 0}};
    int64_t times[] = {1709210096789, -1}, a[] = {5, 5}, b[] = {3, 0};
    double x[] = {2.5, 0};
    uint8_t first_only[] = {1, 0};
    struct weir_column fields[] = {
        {.kind = WEIR_STRS, .str = devices},
        {.kind = WEIR_I64, .i64 = times},
        {.kind = WEIR_I64, .i64 = a},
        {.kind = WEIR_I64, .i64 = b, .valid = first_only},
        {.kind = WEIR_F64, .f64 = x, .valid = first_only},
        {.kind = WEIR_STRS, .str = texts, .valid = first_only},
    };
    struct weir_arena arena = {0};
    struct eval_frame frame = {.rows = 2, .fields = fields, .event_time = fields[1], .arena = &arena};
    for (size_t i = 0; i < sizeof examples / sizeof *examples; i++) {
        struct weir_plan *plan = plan_of(&examples[i]);
        struct weir_column c = eval_expr(plan->queries[0].columns[1], &frame);
        check_value(&examples[i], c, 0, examples[i].first);
        check_value(&examples[i], c, 1, examples[i].second);
        weir_plan_free(plan);
    }
    weir_arena_drop(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(expressions_give_what_they_say)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
