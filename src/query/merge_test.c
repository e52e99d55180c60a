// SPDX-License-Identifier: Apache-2.0
// Records merged against one record that all events were folded into: every measure, both kinds of quantiles, through checkpoints and damage.
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/error.h"
#include "base/memory.h"
#include "query/accumulator.h"

#define COLUMNS                                                                                                                                      \
    "    columns: {device: text, n: bigint = count(), vn: bigint = count(v), sn: bigint = count(s), vsum: double = sum(v), vmean: double = "         \
    "avg(v),\n"                                                                                                                                      \
    "              dev: double = stddev(v), vmin: double = min(v), vmax: double = max(v), lsum: bigint = sum(l), lmean: double = avg(l),\n"          \
    "              lmin: bigint = min(l), lmax: bigint = max(l), ldev: double = stddev(l), least: text = min(s), greatest: text = max(s),\n"         \
    "              vfirst: double = first(v), vlast: double = last(v), sfirst: text = first(s), slast: text = last(s), kinds: bigint = "             \
    "distinct(s),\n"                                                                                                                                 \
    "              levels: bigint = distinct(v), mid: double = median(v), high: 'double = quantile(v, 0.99)', lmid: double = median(l),\n"           \
    "              low: 'double = quantile(v, 0)'}\n"                                                                                                \
    "    key: [[device]]\n"

static const char *const pipeline_text =
    "pipeline: t\n"
    "topic: {name: t}\n"
    "event: {format: json, fields: {device: string, time: long, v: optional double, l: optional long, s: optional string}, key: device, time: time}\n"
    "queries:\n"
    "  - table: estimated\n"
    "    group_by: [device]\n" COLUMNS "  - table: exact\n"
    "    group_by: [device]\n"
    "    quantiles: exact\n" COLUMNS;

enum { FIELDS = 5, PARTS_MAX = 5, EVENTS = 3000 };

static uint64_t random_state = 7;

static uint64_t rnd(uint64_t below)
{
    random_state = random_state * 6364136223846793005u + 1442695040888963407u;
    return (random_state >> 33) % below;
}

struct fixture {
    struct weir_plan *plan;
    struct weir_arena arena;
    struct eval_frame frame;
};

static void fill_row(struct weir_column *columns, uint32_t row, struct weir_arena *arena)
{
    columns[0].str[row] = WEIR_STR("one");
    columns[1].i64[row] = (int64_t)rnd(200); // many at one time
    columns[2].f64[row] = rnd(30) == 0 ? NAN : rnd(9) == 0 ? 0 : (double)rnd(100000) / 700 - 40;
    columns[3].i64[row] = (int64_t)rnd(1000) - 300;
    char *text = weir_arena_alloc(arena, 16);
    columns[4].str[row] = (struct weir_str){text, (uint32_t)snprintf(text, 16, "s%u", (unsigned)rnd(50))};
    for (int c = 2; c < FIELDS; c++)
        columns[c].valid[row] = rnd(7) != 0;
}

static int open_fixture(void **state)
{
    struct fixture *f = weir_zalloc(1, sizeof *f);
    struct weir_error err;
    if (weir_plan_parse("test.yaml", weir_str_of(pipeline_text), &(struct weir_overrides){0}, stderr, false, &f->plan, &err) < 0)
        fail_msg("%s", err.text);
    static const enum weir_kind kinds[FIELDS] = {WEIR_STRS, WEIR_I64, WEIR_F64, WEIR_I64, WEIR_STRS};
    struct weir_column *columns = weir_arena_zalloc(&f->arena, FIELDS * sizeof *columns);
    for (int c = 0; c < FIELDS; c++)
        columns[c] = (struct weir_column){
            .kind = kinds[c], .data = weir_arena_zalloc(&f->arena, EVENTS * 16), .valid = c >= 2 ? weir_arena_zalloc(&f->arena, EVENTS) : NULL};
    for (uint32_t row = 0; row < EVENTS; row++)
        fill_row(columns, row, &f->arena);
    f->frame = (struct eval_frame){.rows = EVENTS, .fields = columns, .event_time = columns[1], .arena = &f->arena};
    *state = f;
    return 0;
}

static int close_fixture(void **state)
{
    struct fixture *f = *state;
    weir_plan_free(f->plan);
    weir_arena_drop(&f->arena);
    free(f);
    return 0;
}

// ---- records

static uint8_t *fresh(const struct layout *l)
{
    uint8_t *record = weir_zalloc(1, l->bytes);
    memcpy(record, l->fresh, l->bytes);
    return record;
}

static void drop(const struct layout *l, uint8_t *record)
{
    layout_drop(l, record);
    free(record);
}

static uint8_t *folded(const struct layout *l, const struct fixture *f, uint32_t from, uint32_t to)
{
    uint8_t *record = fresh(l), *records[EVENTS];
    uint32_t rows[EVENTS];
    for (uint32_t i = from; i < to; i++) {
        rows[i - from] = i;
        records[i - from] = record;
    }
    layout_fold(l, &f->frame, records, rows, to - from);
    ((struct record_head *)record)->events += to - from;
    return record;
}

static struct weir_value result(const struct layout *l, uint32_t aggregate, uint8_t *record, struct weir_arena *arena)
{
    struct weir_column column;
    layout_result(l, aggregate, &record, 1, arena, &column);
    return weir_column_get(&column, 0);
}

static bool rounds(enum weir_agg kind)
{
    return kind == WEIR_AGG_SUM || kind == WEIR_AGG_AVG || kind == WEIR_AGG_STDDEV;
}

static void assert_same_results(const struct layout *l, uint8_t *one, uint8_t *other)
{
    weir_cleanup(weir_arena_drop) struct weir_arena arena = {0};
    for (uint32_t a = 0; a < l->query->aggregate_count; a++) {
        struct weir_value x = result(l, a, one, &arena), y = result(l, a, other, &arena);
        assert_int_equal(x.null, y.null);
        if (x.null)
            continue;
        if (x.kind == WEIR_STRS)
            assert_true(weir_str_eq(x.str, y.str));
        else if (x.kind == WEIR_F64 && rounds(l->query->aggregates[a].kind))
            assert_true(fabs(x.f64 - y.f64) <= 1e-15 * fabs(x.f64));
        else
            assert_int_equal(x.i64, y.i64); // bits of doubles, too
    }
}

static void save(const struct layout *l, const uint8_t *record, struct weir_buffer *out)
{
    out->bytes = 0;
    layout_save(l, record, out);
}

// ---- tests

static void check_split(const struct layout *l, const struct fixture *f, uint32_t count)
{
    weir_cleanup(weir_buffer_drop) struct weir_buffer before = {0}, after = {0};
    uint8_t *whole = folded(l, f, 0, count), *merged = fresh(l);
    for (uint32_t from = 0, to; from < count; from = to) {
        to = from + 1 + (uint32_t)rnd(count / PARTS_MAX + 1);
        to = to < count ? to : count;
        uint8_t *part = folded(l, f, from, to);
        save(l, part, &before);
        assert_int_equal(layout_merge(l, merged, part), 0);
        assert_int_equal(layout_merge(l, merged, l->fresh), 0); // nothing adds nothing
        save(l, part, &after);
        assert_true(weir_str_eq(weir_buffer_view(&before), weir_buffer_view(&after)));
        drop(l, part);
    }
    assert_int_equal(((struct record_head *)merged)->events, count);
    assert_same_results(l, whole, merged);
    drop(l, whole);
    drop(l, merged);
}

static void parts_merged_are_the_whole(void **state)
{
    const struct fixture *f = *state;
    for (uint32_t q = 0; q < f->plan->query_count; q++) {
        struct layout l;
        layout_open(&l, &f->plan->queries[q]);
        for (uint32_t count = 1; count <= EVENTS; count += 1 + count * 2 / 3)
            for (int round = 0; round < 5; round++)
                check_split(&l, f, count);
        check_split(&l, f, EVENTS);
        layout_close(&l);
    }
}

// Both ways round: an estimate into what is exact yet, and the other way.
static void merging_does_not_depend_on_sizes(void **state)
{
    const struct fixture *f = *state;
    for (uint32_t q = 0; q < f->plan->query_count; q++) {
        struct layout l;
        layout_open(&l, &f->plan->queries[q]);
        uint8_t *whole = folded(&l, f, 0, EVENTS);
        for (uint32_t cut = 1; cut < EVENTS; cut = cut < EVENTS / 2 ? cut * 3 : EVENTS - (EVENTS - cut) / 3) {
            uint8_t *head = folded(&l, f, 0, cut), *tail = folded(&l, f, cut, EVENTS);
            layout_merge(&l, head, tail);
            assert_same_results(&l, whole, head);
            drop(&l, head);
            drop(&l, tail);
        }
        drop(&l, whole);
        layout_close(&l);
    }
}

static double deviation_of_v(const struct layout *l, uint8_t *record, struct weir_arena *arena)
{
    for (uint32_t a = 0; a < l->query->aggregate_count; a++)
        if (l->query->aggregates[a].kind == WEIR_AGG_STDDEV)
            return result(l, a, record, arena).f64;
    fail_msg("no stddev");
    return NAN;
}

// By exactly 0, be they many, large, small or in parts; those that differ in the fourteenth digit do.
static void readings_that_stay_the_same_do_not_deviate(void **state)
{
    static const double same[] = {21.3, -0.1, 1.6293194933842502e+99, 3e-101, 0};
    const struct fixture *f = *state;
    weir_cleanup(weir_arena_drop) struct weir_arena arena = {0};
    struct fixture constant = *f;
    struct weir_column *fields = weir_arena_alloc(&arena, FIELDS * sizeof *fields);
    memcpy(fields, f->frame.fields, FIELDS * sizeof *fields);
    fields[2].f64 = weir_arena_alloc(&arena, EVENTS * sizeof *fields[2].f64);
    constant.frame.fields = fields;
    struct layout l;
    layout_open(&l, &f->plan->queries[0]);
    for (size_t i = 0; i < sizeof same / sizeof *same; i++) {
        for (uint32_t row = 0; row < EVENTS; row++)
            fields[2].f64[row] = same[i];
        uint8_t *all = fresh(&l);
        for (int part = 0; part < 100; part++) {
            uint8_t *record = folded(&l, &constant, 0, EVENTS - (uint32_t)part);
            layout_merge(&l, all, record);
            assert_true(deviation_of_v(&l, record, &arena) == 0);
            assert_true(deviation_of_v(&l, all, &arena) == 0);
            drop(&l, record);
        }
        drop(&l, all);
        for (uint32_t row = 0; row < EVENTS; row += 2)
            fields[2].f64[row] *= 1 + 1e-13;
        uint8_t *two = folded(&l, &constant, 0, EVENTS);
        assert_true(same[i] == 0 || fabs(deviation_of_v(&l, two, &arena) / fabs(same[i]) / 5e-14 - 1) < 0.05);
        drop(&l, two);
    }
    layout_close(&l);
}

static void quantiles_share_a_measure(void **state)
{
    const struct fixture *f = *state;
    for (uint32_t q = 0; q < f->plan->query_count; q++) {
        struct layout l;
        uint32_t quantiles = 0;
        layout_open(&l, &f->plan->queries[q]);
        for (uint32_t i = 0; i < l.measure_count; i++)
            quantiles += l.measures[i].kind == (q == 0 ? MEASURE_QUANTILE : MEASURE_EXACT);
        assert_int_equal(quantiles, 2); // v and l
        layout_close(&l);
    }
}

static void a_restored_record_goes_on_as_before(void **state)
{
    const struct fixture *f = *state;
    weir_cleanup(weir_buffer_drop) struct weir_buffer bytes = {0}, again = {0};
    for (uint32_t q = 0; q < f->plan->query_count; q++) {
        struct layout l;
        layout_open(&l, &f->plan->queries[q]);
        uint8_t *whole = folded(&l, f, 0, 500), *half = folded(&l, f, 0, 250), *rest = folded(&l, f, 250, 500), *restored = fresh(&l);
        save(&l, half, &bytes);
        struct weir_cursor c = {bytes.data, bytes.data + bytes.bytes, false};
        assert_int_equal(layout_restore(&l, restored, &c), 0);
        assert_ptr_equal(c.at, c.end);
        save(&l, restored, &again);
        assert_true(weir_str_eq(weir_buffer_view(&bytes), weir_buffer_view(&again))); // no address in it, for one
        layout_merge(&l, restored, rest);
        assert_same_results(&l, whole, restored);
        drop(&l, whole);
        drop(&l, half);
        drop(&l, rest);
        drop(&l, restored);
        layout_close(&l);
    }
}

static void damaged_records_are_refused_or_harmless(void **state)
{
    const struct fixture *f = *state;
    weir_cleanup(weir_buffer_drop) struct weir_buffer bytes = {0};
    weir_cleanup(weir_arena_drop) struct weir_arena arena = {0};
    for (uint32_t q = 0; q < f->plan->query_count; q++) {
        struct layout l;
        layout_open(&l, &f->plan->queries[q]);
        uint8_t *whole = folded(&l, f, 0, 200);
        save(&l, whole, &bytes);
        for (int round = 0; round < 5000; round++) {
            size_t at = rnd(bytes.bytes), left = rnd(4) ? bytes.bytes : rnd(bytes.bytes);
            uint8_t was = bytes.data[at], *restored = fresh(&l);
            bytes.data[at] = (uint8_t)rnd(256);
            struct weir_cursor c = {bytes.data, bytes.data + left, false};
            if (layout_restore(&l, restored, &c) == 0) {
                layout_merge(&l, restored, whole);
                for (uint32_t a = 0; a < l.query->aggregate_count; a++)
                    result(&l, a, restored, &arena);
            }
            bytes.data[at] = was;
            drop(&l, restored);
        }
        drop(&l, whole);
        layout_close(&l);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parts_merged_are_the_whole),
        cmocka_unit_test(merging_does_not_depend_on_sizes),
        cmocka_unit_test(readings_that_stay_the_same_do_not_deviate),
        cmocka_unit_test(quantiles_share_a_measure),
        cmocka_unit_test(a_restored_record_goes_on_as_before),
        cmocka_unit_test(damaged_records_are_refused_or_harmless),
    };
    return cmocka_run_group_tests(tests, open_fixture, close_fixture);
}
