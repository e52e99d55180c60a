// SPDX-License-Identifier: Apache-2.0
// The core against a model that knows nothing of batches, pages or checkpoints: each event in turn, each window a list of values.
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/buffer.h"
#include "base/memory.h"
#include "query/query.h"

static const char *const pipeline_text =
    "pipeline: t\n"
    "topic: {name: t}\n"
    "event: {format: json, fields: {device: string, time: long, v: optional double, n: optional long, s: optional string}, key: device, time: time}\n"
    "queries:\n"
    "  - table: raw\n"
    "    where: v > 50\n"
    "    columns: {device: text, time: bigint, v: double}\n"
    "    key: [[device], time desc]\n"
    "  - table: hourly\n"
    "    window: tumbling 1 h\n"
    "    group_by: [device]\n"
    "    lateness: 10 minutes\n"
    "    emit: final\n"
    "    columns: {device: text, hour: bigint = epoch_s(window_start), n: bigint = count(), vn: bigint = count(v), vsum: double = sum(v),\n"
    "              vmin: double = min(v), vmax: double = max(v), vavg: double = avg(v), dev: double = stddev(v), nsum: bigint = sum(n),\n"
    "              nmin: bigint = min(n), first: text = first(s), last: text = last(s), least: text = min(s), kinds: bigint = distinct(s),\n"
    "              span: double = max(v) - min(v)}\n"
    "    key: [[device], hour desc]\n"
    "  - table: devices\n"
    "    group_by: [device]\n"
    "    every: 1 s\n"
    "    columns: {device: text, seen: bigint = max(time), n: bigint = count()}\n"
    "    key: [[device]]\n";

enum { DEVICES = 7, HOUR = 3600000, LATENESS = 600000, EVENTS = 4000 };

struct event {
    int64_t time, n;
    double v;
    bool has_v, has_n;
    char device[16], s[16];
    bool late; // by the model
};

static uint64_t random_state;

static uint64_t rnd(uint64_t below)
{
    random_state = random_state * 6364136223846793005u + 1442695040888963407u;
    return (random_state >> 33) % below;
}

static struct event *make_events(uint32_t count, int64_t disorder_ms)
{
    struct event *events = weir_zalloc(count, sizeof *events);
    int64_t high = INT64_MIN;
    for (uint32_t i = 0; i < count; i++) {
        struct event *e = &events[i];
        e->time = (int64_t)i * 20000 - (int64_t)rnd((uint64_t)disorder_ms);
        snprintf(e->device, sizeof e->device, "device-%llu", (unsigned long long)rnd(DEVICES));
        snprintf(e->s, sizeof e->s, "s%llu", (unsigned long long)rnd(5));
        e->has_v = rnd(10) != 0;
        e->v = rnd(50) == 0 ? NAN : (double)rnd(100000) / 1000 - 20;
        e->has_n = rnd(5) != 0;
        e->n = (int64_t)rnd(1000) - 500;
        int64_t end = (e->time - ((e->time % HOUR) + HOUR) % HOUR) + HOUR;
        e->late = high != INT64_MIN && high - LATENESS >= end;
        high = e->time > high ? e->time : high;
    }
    return events;
}

// ---- driving the core: rows as text, the newest of each key kept

struct driver {
    struct weir_plan *plan;
    struct weir_core *core;
    struct weir_buffer rows; // every row given, as lines
    uint32_t late[4];
    struct weir_arena arena;
};

static void print_value(struct weir_buffer *out, struct weir_value v)
{
    if (v.null)
        weir_buffer_format(out, "|null");
    else if (v.kind == WEIR_STRS)
        weir_buffer_format(out, "|%.*s", (int)v.str.bytes, v.str.data);
    else if (v.kind == WEIR_I64)
        weir_buffer_format(out, "|%lld", (long long)v.i64);
    else
        weir_buffer_format(out, "|%.17g", v.f64);
}

static int take_rows(void *context, const struct weir_rows *rows, struct weir_error *err)
{
    (void)err;
    struct driver *d = context;
    for (uint32_t i = 0; i < rows->count; i++) {
        weir_buffer_format(&d->rows, "%s", rows->table->name);
        for (uint32_t c = 0; c < rows->table->column_count; c++)
            print_value(&d->rows, weir_column_get(&rows->columns[c], i));
        weir_buffer_format(&d->rows, "\n");
    }
    return 0;
}

static int take_late(void *context, uint32_t query, const struct weir_batch *batch, uint32_t row, struct weir_error *err)
{
    (void)batch, (void)row, (void)err;
    ((struct driver *)context)->late[query]++;
    return 0;
}

static void driver_open(struct driver *d)
{
    struct weir_error err;
    *d = (struct driver){0};
    if (weir_plan_parse("test.yaml", weir_str_of(pipeline_text), &(struct weir_overrides){0}, stderr, false, &d->plan, &err) < 0)
        fail_msg("%s", err.text);
    d->core = weir_core_new(d->plan, 1000, &(struct weir_core_sink){d, take_rows, take_late});
}

static void driver_close(struct driver *d)
{
    weir_core_free(d->core);
    weir_plan_free(d->plan);
    weir_buffer_drop(&d->rows);
    weir_arena_drop(&d->arena);
}

static void apply(struct driver *d, const struct event *events, uint32_t from, uint32_t count)
{
    weir_arena_reset(&d->arena);
    struct weir_column *columns = weir_arena_zalloc(&d->arena, 5 * sizeof *columns);
    static const enum weir_kind kinds[5] = {WEIR_STRS, WEIR_I64, WEIR_F64, WEIR_I64, WEIR_STRS};
    for (int c = 0; c < 5; c++)
        columns[c] = (struct weir_column){
            .kind = kinds[c], .data = weir_arena_zalloc(&d->arena, count * 16 + 1), .valid = c >= 2 ? weir_arena_zalloc(&d->arena, count + 1) : NULL};
    struct weir_batch batch = {.rows = count, .column_count = 5, .columns = columns, .arena = &d->arena};
    batch.time_ms = columns[1].i64;
    batch.offset = weir_arena_alloc(&d->arena, count * 8 + 1);
    for (uint32_t i = 0; i < count; i++) {
        const struct event *e = &events[from + i];
        columns[0].str[i] = weir_str_of(e->device);
        columns[1].i64[i] = e->time;
        columns[2].f64[i] = e->v;
        columns[2].valid[i] = e->has_v;
        columns[3].i64[i] = e->n;
        columns[3].valid[i] = e->has_n;
        columns[4].str[i] = weir_str_of(e->s);
        columns[4].valid[i] = 1;
        batch.offset[i] = from + i;
    }
    struct weir_error err;
    assert_int_equal(weir_core_apply(d->core, &batch, from + count, &err), 0);
}

static void close_all(struct driver *d)
{
    struct weir_error err;
    for (uint32_t q = 0; q < d->plan->query_count; q++)
        if (d->plan->queries[q].grouped)
            assert_int_equal(weir_core_emit_ended(d->core, q, INT64_MAX, &err), 0);
}

static int compare_lines(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

// The rows as sorted lines.
static char *sorted_rows(struct driver *d)
{
    weir_buffer_byte(&d->rows, 0);
    char *text = weir_strdup((char *)d->rows.data), *save = NULL;
    d->rows.bytes--;
    size_t count = 0, capacity = 0;
    char **lines = NULL;
    for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
        weir_grow(&lines, &capacity, count + 1, sizeof *lines);
        lines[count++] = line;
    }
    qsort(lines, count, sizeof *lines, compare_lines);
    struct weir_buffer out = {0};
    for (size_t i = 0; i < count; i++)
        weir_buffer_format(&out, "%s\n", lines[i]);
    weir_buffer_byte(&out, 0);
    free(lines);
    free(text);
    return (char *)out.data;
}

// ---- the model

struct stats {
    uint32_t n, vn, nn;
    long double sum, squares;
    double min, max;
    int64_t nsum, nmin, first_time, last_time;
    const char *first, *last, *least;
    uint32_t kinds;
};

static struct stats model_window(const struct event *events, uint32_t count, const char *device, int64_t start)
{
    struct stats s = {.min = INFINITY, .max = -INFINITY, .nmin = INT64_MAX};
    bool seen[5] = {false};
    for (uint32_t i = 0; i < count; i++) {
        const struct event *e = &events[i];
        if (e->late || strcmp(e->device, device) != 0 || e->time < start || e->time >= start + HOUR)
            continue;
        s.n++;
        if (e->has_v && !isnan(e->v)) {
            s.vn++;
            s.sum += e->v;
            s.squares += (long double)e->v * e->v;
            s.min = fmin(s.min, e->v);
            s.max = fmax(s.max, e->v);
        }
        if (e->has_n) {
            s.nn++;
            s.nsum += e->n;
            s.nmin = e->n < s.nmin ? e->n : s.nmin;
        }
        if (!s.first || e->time < s.first_time) {
            s.first = e->s;
            s.first_time = e->time;
        }
        if (!s.last || e->time >= s.last_time) {
            s.last = e->s;
            s.last_time = e->time;
        }
        if (!s.least || strcmp(e->s, s.least) < 0)
            s.least = e->s;
        s.kinds += !seen[e->s[1] - '0'];
        seen[e->s[1] - '0'] = true;
    }
    return s;
}

static double field(const char *line, int index)
{
    for (; index > 0; index--)
        line = strchr(line, '|') + 1;
    return strncmp(line, "null", 4) == 0 ? NAN : strtod(line, NULL);
}

static void check_line(const char *line, const struct event *events, uint32_t count)
{
    char device[16], first[16], last[16], least[16];
    long long hour;
    assert_int_equal(sscanf(line, "hourly|%15[^|]|%lld|", device, &hour), 2);
    struct stats s = model_window(events, count, device, hour * 1000);
    assert_true(s.n > 0);
    assert_true(field(line, 3) == s.n);
    assert_true(field(line, 4) == s.vn);
    if (s.vn) {
        assert_true(fabs(field(line, 5) - (double)s.sum) <= 1e-13 * fabs((double)s.sum) + 1e-12);
        assert_true(field(line, 6) == s.min && field(line, 7) == s.max);
        assert_true(fabs(field(line, 8) - (double)(s.sum / s.vn)) <= 1e-13 * fabs((double)(s.sum / s.vn)) + 1e-13);
        assert_true(field(line, 16) == s.max - s.min);
    }
    if (s.vn > 1) {
        double deviation = (double)sqrtl((s.squares - s.sum * s.sum / s.vn) / (s.vn - 1));
        assert_true(fabs(field(line, 9) - deviation) < 1e-9 * deviation + 1e-9);
    } else {
        assert_true(isnan(field(line, 9)));
    }
    assert_true(s.nn ? field(line, 10) == s.nsum && field(line, 11) == s.nmin : isnan(field(line, 10)));
    const char *rest = line;
    for (int i = 0; i < 12; i++)
        rest = strchr(rest, '|') + 1;
    assert_int_equal(sscanf(rest, "%15[^|]|%15[^|]|%15[^|]|", first, last, least), 3);
    assert_string_equal(first, s.first);
    assert_string_equal(last, s.last);
    assert_string_equal(least, s.least);
    assert_true(field(line, 15) == s.kinds);
}

static void windows_agree_with_the_model(void **state)
{
    (void)state;
    random_state = 42;
    struct event *events = make_events(EVENTS, 2 * HOUR);
    struct driver d;
    driver_open(&d);
    for (uint32_t at = 0, count; at < EVENTS; at += count) {
        count = 1 + (uint32_t)rnd(300);
        count = count < EVENTS - at ? count : EVENTS - at;
        apply(&d, events, at, count);
    }
    close_all(&d);
    weir_buffer_byte(&d.rows, 0);
    uint64_t folded = 0, in_time = 0, raw = 0, raw_wanted = 0;
    char *save = NULL;
    for (char *line = strtok_r((char *)d.rows.data, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
        raw += strncmp(line, "raw|", 4) == 0;
        if (strncmp(line, "hourly|", 7) != 0)
            continue;
        check_line(line, events, EVENTS);
        folded += (uint64_t)field(line, 3);
    }
    for (uint32_t i = 0; i < EVENTS; i++) {
        in_time += !events[i].late;
        raw_wanted += events[i].has_v && events[i].v > 50;
    }
    assert_true(in_time < EVENTS);
    assert_int_equal(folded, in_time); // and no window was given twice
    assert_int_equal(d.late[1], EVENTS - in_time);
    assert_int_equal(raw, raw_wanted);
    driver_close(&d);
    free(events);
}

static void cuts_into_batches_do_not_matter(void **state)
{
    (void)state;
    random_state = 7;
    struct event *events = make_events(EVENTS, 3 * HOUR);
    char *first = NULL;
    for (int round = 0; round < 4; round++) {
        struct driver d;
        driver_open(&d);
        for (uint32_t at = 0, count; at < EVENTS; at += count) {
            count = round == 0 ? 1 : round == 1 ? EVENTS : 1 + (uint32_t)rnd(1000);
            count = count < EVENTS - at ? count : EVENTS - at;
            apply(&d, events, at, count);
        }
        close_all(&d);
        char *rows = sorted_rows(&d);
        if (first)
            assert_string_equal(rows, first);
        else
            first = weir_strdup(rows);
        free(rows);
        driver_close(&d);
    }
    free(first);
    free(events);
}

// ---- checkpoints

struct pages {
    struct weir_buffer keys[4096], values[4096];
    size_t count;
};

static void put_page(void *context, struct weir_str key, struct weir_str page)
{
    struct pages *p = context;
    size_t at = 0;
    while (at < p->count && !weir_str_eq(weir_buffer_view(&p->keys[at]), key))
        at++;
    assert_true(at < 4096);
    if (at == p->count) {
        weir_buffer_add(&p->keys[p->count++], key.data, key.bytes);
    }
    p->values[at].bytes = 0;
    weir_buffer_add(&p->values[at], page.data, page.bytes);
}

static int page_order(const void *a, const void *b)
{
    const struct weir_buffer *const *x = a, *const *y = b;
    return weir_str_compare(weir_buffer_view(*x), weir_buffer_view(*y));
}

static void restore(struct driver *d, struct pages *p)
{
    struct weir_buffer *order[4096];
    for (size_t i = 0; i < p->count; i++)
        order[i] = &p->keys[i];
    qsort(order, p->count, sizeof *order, page_order);
    for (size_t i = 0; i < p->count; i++) {
        size_t at = (size_t)(order[i] - p->keys);
        struct weir_error err;
        if (p->values[at].bytes && weir_core_restore(d->core, weir_buffer_view(&p->keys[at]), weir_buffer_view(&p->values[at]), &err) < 0)
            fail_msg("%s", err.text);
    }
    weir_core_restored(d->core);
}

static void pages_drop(struct pages *p)
{
    for (size_t i = 0; i < p->count; i++) {
        weir_buffer_drop(&p->keys[i]);
        weir_buffer_drop(&p->values[i]);
    }
    free(p);
}

// A run that is cut off and restored at every commit gives the same rows as one that never stops.
static void a_restored_core_goes_on_as_if_nothing_happened(void **state)
{
    (void)state;
    random_state = 99;
    struct event *events = make_events(EVENTS, 3 * HOUR);
    struct driver straight, cut;
    driver_open(&straight);
    driver_open(&cut);
    struct pages *pages = weir_zalloc(1, sizeof *pages);
    for (uint32_t at = 0, count; at < EVENTS; at += count) {
        count = 1 + (uint32_t)rnd(400);
        count = count < EVENTS - at ? count : EVENTS - at;
        apply(&straight, events, at, count);
        apply(&cut, events, at, count);
        weir_core_checkpoint(cut.core, put_page, pages);
        weir_core_free(cut.core);
        cut.core = weir_core_new(cut.plan, 1000, &(struct weir_core_sink){&cut, take_rows, take_late});
        restore(&cut, pages);
        assert_int_equal(weir_core_stats(cut.core).open_groups, weir_core_stats(straight.core).open_groups);
        assert_int_equal(weir_core_stats(cut.core).keys, weir_core_stats(straight.core).keys);
    }
    close_all(&straight);
    close_all(&cut);
    char *a = sorted_rows(&straight), *b = sorted_rows(&cut);
    assert_string_equal(a, b);
    assert_int_equal(straight.late[1], cut.late[1]);
    free(a);
    free(b);
    pages_drop(pages);
    driver_close(&straight);
    driver_close(&cut);
    free(events);
}

static void a_damaged_page_is_an_error(void **state)
{
    (void)state;
    random_state = 5;
    struct event *events = make_events(500, HOUR);
    struct driver d;
    driver_open(&d);
    apply(&d, events, 0, 500);
    struct pages *pages = weir_zalloc(1, sizeof *pages);
    weir_core_checkpoint(d.core, put_page, pages);
    for (size_t i = 0; i < pages->count; i++)
        for (size_t cut = 0; cut + 1 < pages->values[i].bytes; cut += 1 + cut / 4) {
            struct weir_core *core = weir_core_new(d.plan, 1, &(struct weir_core_sink){&d, take_rows, take_late});
            struct weir_error err;
            struct weir_str part = {(char *)pages->values[i].data, (uint32_t)cut};
            assert_true(weir_core_restore(core, weir_buffer_view(&pages->keys[i]), part, &err) < 0);
            weir_core_free(core);
        }
    pages_drop(pages);
    driver_close(&d);
    free(events);
}

static void rows_of_open_windows_are_corrected(void **state)
{
    (void)state;
    random_state = 3;
    struct event *events = make_events(200, HOUR);
    struct driver d;
    driver_open(&d);
    struct weir_error err;
    apply(&d, events, 0, 10);
    assert_int_equal(weir_core_emit_ended(d.core, 1, INT64_MAX, &err), 0);
    uint64_t rows = weir_core_stats(d.core).rows;
    assert_int_equal(weir_core_emit_ended(d.core, 1, INT64_MAX, &err), 0);
    assert_int_equal(weir_core_stats(d.core).rows, rows); // nothing changed: nothing is given
    apply(&d, events, 10, 1);
    uint64_t raw_rows = weir_core_stats(d.core).rows;
    assert_int_equal(weir_core_emit_ended(d.core, 1, INT64_MAX, &err), 0);
    assert_int_equal(weir_core_stats(d.core).rows, raw_rows + 1); // only the group of that event
    assert_int_equal(weir_core_emit_changed(d.core, 2, &err), 0);
    driver_close(&d);
    free(events);
}

static void sums_are_exact_over_millions_of_values(void **state)
{
    (void)state;
    struct driver d;
    driver_open(&d);
    enum { MILLION = 1000000, BATCH = 1000 };
    struct event *events = weir_zalloc(BATCH, sizeof *events);
    for (int b = 0; b < MILLION / BATCH; b++) {
        for (int i = 0; i < BATCH; i++) {
            events[i] = (struct event){.time = 1000, .has_v = true, .v = i % 2 ? 1e16 : 0.1, .device = "d", .s = "s0"};
            if (i % 4 == 3)
                events[i].v = -1e16;
        }
        apply(&d, events, 0, BATCH);
    }
    d.rows.bytes = 0;
    close_all(&d);
    weir_buffer_byte(&d.rows, 0);
    assert_true(fabs(field((char *)d.rows.data, 5) - 50000.0) < 1e-6); // 500,000 × 0.1, between terms that cancel
    driver_close(&d);
    free(events);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(windows_agree_with_the_model),
        cmocka_unit_test(cuts_into_batches_do_not_matter),
        cmocka_unit_test(a_restored_core_goes_on_as_if_nothing_happened),
        cmocka_unit_test(a_damaged_page_is_an_error),
        cmocka_unit_test(rows_of_open_windows_are_corrected),
        cmocka_unit_test(sums_are_exact_over_millions_of_values),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
