// SPDX-License-Identifier: Apache-2.0
// Expressions: how they bind, what type they have, and which aggregates they ask for.
#include "base/buffer.h"
#include "base/memory.h"
#include "spec/expr.h"
#include "spec/plan.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

static const char raw_file[] =
    "pipeline: p\n"
    "topic: t\n"
    "event: {format: json, key: id, time: {field: t, unit: s}, fields: {id: string, t: long, i: int, j: int, v: double, f: float,\n"
    "  a: boolean, b: boolean, o: optional double, tag: optional string}}\n"
    "queries:\n"
    "  - table: raw\n"
    "    columns:\n"
    "      id: text\n"
    "      x: %s\n"
    "    key: [[id]]\n";

static const char grouped_file[] =
    "pipeline: p\n"
    "topic: t\n"
    "event: {format: json, key: id, time: {field: t, unit: s}, fields: {id: string, t: long, i: int, v: double, o: optional int}}\n"
    "queries:\n"
    "  - table: hourly\n"
    "    window: tumbling 1 h\n"
    "    group_by: [id]\n"
    "    columns:\n"
    "      id: text\n"
    "      w: bigint = epoch_ms(window_start)\n"
    "      x: %s\n"
    "    key: [[id], w]\n";

static struct weir_plan *parse(const char *file, const char *column)
{
    char *quoted = weir_zalloc(2 * strlen(column) + 3, 1), *out = quoted;
    *out++ = '\'';
    for (const char *at = column; *at; at++) {
        *out++ = *at;
        if (*at == '\'')
            *out++ = '\'';
    }
    *out = '\'';
    const char *hole = strstr(file, "%s");
    weir_cleanup(weir_freep) char *text = weir_format("%.*s%s%s", (int)(hole - file), file, quoted, hole + 2);
    free(quoted);
    struct weir_plan *plan;
    struct weir_error err;
    if (weir_plan_parse("p.yaml", weir_str_of(text), NULL, stderr, false, &plan, &err) < 0)
        fail_msg("%s: %s", column, err.text);
    return plan;
}

// The last column's expression in canonical text, with its type; '?' where it may be null.
static void expect(const char *file, const char *column, const char *want)
{
    struct weir_plan *p = parse(file, column);
    const struct weir_query_spec *q = &p->queries[0];
    const struct weir_expr *e = q->columns[q->table.column_count - 1];
    weir_cleanup(weir_buffer_drop) struct weir_buffer out = {0};
    weir_expr_print(p, q, e, &out);
    weir_buffer_format(&out, " : %s%s", weir_type_name(e->type), e->nullable ? "?" : "");
    weir_buffer_byte(&out, 0);
    assert_string_equal((const char *)out.data, want);
    weir_plan_free(p);
}

static void precedence(void **state)
{
    (void)state;
    expect(raw_file, "double = v + 2 * v", "v + 2 * v : double");
    expect(raw_file, "double = (v + 2) * v", "(v + 2) * v : double");
    expect(raw_file, "double = v - (v - 1) - 1", "v - (v - 1) - 1 : double");
    expect(raw_file, "double = -v * -(v + 1)", "-v * -(v + 1) : double");
    expect(raw_file, "boolean = a or b and not a", "a or b and not a : boolean");
    expect(raw_file, "boolean = (a or b) and not (a and b)", "(a or b) and not (a and b) : boolean");
    expect(raw_file, "boolean = not v + 1 > 2", "not v + 1 > 2 : boolean");
    expect(raw_file, "boolean = (a == b) == (v < 1)", "a == b == (v < 1) : boolean");
    expect(raw_file, "boolean = tag == 'it''s' or id != ''", "tag == 'it''s' or id != '' : boolean?");
}

static void types(void **state)
{
    (void)state;
    expect(raw_file, "bigint = i + j", "i + j : long");
    expect(raw_file, "bigint = t + 1", "t + 1 : long?");
    expect(raw_file, "double = i / 2", "i / 2 : double");
    expect(raw_file, "double = i / j", "i / j : double?");
    expect(raw_file, "double = i * 1.5", "i * 1.5 : double");
    expect(raw_file, "double = f", "f : float");
    expect(raw_file, "double = 1e3", "1000.0 : double");
    expect(raw_file, "int = 1", "1 : long");
    expect(raw_file, "int = -5", "-5 : long");
    expect(raw_file, "int = if(a, i, 0)", "if(a, i, 0) : long");
    expect(raw_file, "double = if(a, i, v)", "if(a, i, v) : double");
    expect(raw_file, "double = if(a, v, null)", "if(a, v, null) : double?");
    expect(raw_file, "text = null", "null : string?");
    expect(raw_file, "double = coalesce(o, 0)", "coalesce(o, 0) : double");
    expect(raw_file, "double = coalesce(o, null)", "coalesce(o, null) : double?");
    expect(raw_file, "double = round(v)", "round(v, 0) : double");
    expect(raw_file, "double = round(v, 2)", "round(v, 2) : double");
    expect(raw_file, "bigint = abs(i)", "abs(i) : long");
    expect(raw_file, "boolean = o > 1", "o > 1 : boolean?");
}

static void the_event_time(void **state)
{
    (void)state;
    expect(raw_file, "bigint = t", "t : long");
    expect(raw_file, "timestamp = t", "t : timestamp");
    expect(raw_file, "bigint = epoch_ms(t)", "epoch_ms(t) : long");
    expect(raw_file, "int = year(t)", "year(t) : int");
    expect(grouped_file, "timestamp = min(t)", "min(t) : timestamp");
    expect(grouped_file, "bigint = max(t)", "max(t) : long");
}

static void aggregates(void **state)
{
    (void)state;
    expect(grouped_file, "int = count()", "count() : long");
    expect(grouped_file, "int = count(o)", "count(o) : long");
    expect(grouped_file, "bigint = distinct(id)", "distinct(id) : long");
    expect(grouped_file, "bigint = sum(i)", "sum(i) : long?");
    expect(grouped_file, "double = sum(v)", "sum(v) : double?");
    expect(grouped_file, "double = avg(i)", "avg(i) : double?");
    expect(grouped_file, "int = min(i)", "min(i) : int");
    expect(grouped_file, "int = max(o)", "max(o) : int?");
    expect(grouped_file, "double = max(v)", "max(v) : double?");
    expect(grouped_file, "text = last(id)", "last(id) : string");
    expect(grouped_file, "double = stddev(v)", "stddev(v) : double?");
    expect(grouped_file, "double = max(v) - min(v) * 2", "max(v) - min(v) * 2 : double?");
    expect(grouped_file, "text = id", "id : string");
    expect(grouped_file, "bigint = epoch_ms(window_end) - epoch_ms(window_start)", "epoch_ms(window_end) - epoch_ms(window_start) : long?");
}

static void the_same_aggregate_is_kept_once(void **state)
{
    (void)state;
    struct weir_plan *p = parse(grouped_file, "double = (max(v) - min(v)) / coalesce(max(v + 0), max( v )) + sum(v) / count()");
    const struct weir_query_spec *q = &p->queries[0];
    assert_int_equal(q->aggregate_count, 5);
    assert_int_equal(q->aggregates[0].kind, WEIR_AGG_MAX);
    assert_int_equal(q->aggregates[1].kind, WEIR_AGG_MIN);
    assert_int_equal(q->aggregates[2].arg->op, WEIR_OP_ADD);
    assert_int_equal(q->aggregates[4].kind, WEIR_AGG_COUNT_ALL);
    assert_null(q->aggregates[4].arg);
    weir_plan_free(p);
}

static void leaves_know_where_they_come_from(void **state)
{
    (void)state;
    struct weir_plan *p = parse(grouped_file, "double = avg(v)");
    const struct weir_query_spec *q = &p->queries[0];
    assert_int_equal(q->columns[0]->op, WEIR_OP_GROUP);
    assert_int_equal(q->columns[0]->index, 0);
    assert_int_equal(q->columns[1]->args[0]->op, WEIR_OP_WINDOW_START);
    assert_int_equal(q->columns[2]->op, WEIR_OP_AGGREGATE);
    assert_int_equal(q->columns[2]->line, 11);
    assert_int_equal(q->columns[2]->column, 20);
    assert_true(p->event.fields[3].used);
    assert_false(p->event.fields[2].used);
    weir_plan_free(p);
}

// Deep trees and deep nesting are refused, so that nobody who walks a tree runs out of stack.
static void depth_is_bounded(void **state)
{
    (void)state;
    static const char *const parts[] = {"(", "-", "not ", "1 + ", "coalesce(1, "};
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        weir_cleanup(weir_buffer_drop) struct weir_buffer text = {0};
        weir_buffer_format(&text, "%.*s'double = ", (int)(strstr(raw_file, "%s") - raw_file), raw_file);
        for (int n = 0; n < 50000; n++)
            weir_buffer_add(&text, parts[i], strlen(parts[i]));
        weir_buffer_format(&text, "1'\n    key: [[id]]\n");
        struct weir_plan *plan;
        struct weir_error err;
        assert_true(weir_plan_parse("p.yaml", weir_buffer_view(&text), NULL, NULL, false, &plan, &err) < 0);
        assert_int_equal(err.code, WEIR_BAD_CONFIG);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(precedence),
        cmocka_unit_test(types),
        cmocka_unit_test(the_event_time),
        cmocka_unit_test(aggregates),
        cmocka_unit_test(the_same_aggregate_is_kept_once),
        cmocka_unit_test(leaves_know_where_they_come_from),
        cmocka_unit_test(depth_is_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
