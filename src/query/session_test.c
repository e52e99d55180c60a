// SPDX-License-Identifier: Apache-2.0
// Sessions against a model that takes one event after the other, with the log cut into batches and the state saved and restored at random.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/buffer.h"
#include "base/memory.h"
#include "query/query.h"

enum { KEYS = 5, EVENTS = 600, ROWS_MAX = 4096, GAP = 30, QUERIES = 4, ROUNDS = 60 };

static const char *const pipeline_text =
    "pipeline: t\n"
    "topic: {name: t}\n"
    "event: {format: json, fields: {id: string, time: long}, key: id, time: time}\n"
    "queries:\n"
    "  - {table: a, window: session 30 ms, group_by: [id], lateness: 40 ms, emit: final, " // columns and key follow
    "columns: {id: text, start: bigint = epoch_ms(window_start), stop: bigint = epoch_ms(window_end), "
    "n: bigint = count(), last: bigint = max(time)}, key: [[id], start asc]}\n"
    "  - {table: b, window: session 30 ms, group_by: [id], lateness: 40 ms, emit: update, "
    "columns: {id: text, start: bigint = epoch_ms(window_start), stop: bigint = epoch_ms(window_end), "
    "n: bigint = count(), last: bigint = max(time)}, key: [[id], start asc]}\n"
    "  - {table: c, window: session 30 ms, group_by: [id], lateness: 0 ms, amend: 90 ms, emit: final, "
    "columns: {id: text, start: bigint = epoch_ms(window_start), stop: bigint = epoch_ms(window_end), "
    "n: bigint = count(), last: bigint = max(time)}, key: [[id], start asc]}\n"
    "  - {table: d, window: session 30 ms, group_by: [id], lateness: 20 ms, amend: 90 ms, emit: update, "
    "columns: {id: text, start: bigint = epoch_ms(window_start), stop: bigint = epoch_ms(window_end), "
    "n: bigint = count(), last: bigint = max(time)}, key: [[id], start asc]}\n";

static const int64_t lateness_ms[QUERIES] = {40, 40, 0, 20}, amend_ms[QUERIES] = {0, 0, 90, 90};

struct event {
    int64_t time_ms;
    int key;
};

struct row {
    int64_t key, start_ms, end_ms, n, last_ms;
};

struct rows {
    struct row items[ROWS_MAX];
    size_t count;
    uint32_t late;
    bool ambiguous; // in the model: an open session came to start with a closed one, and has its key
};

static uint64_t random_state;

static uint64_t rnd(uint64_t below)
{
    random_state = random_state * 6364136223846793005u + 1442695040888963407u;
    return (random_state >> 33) % below;
}

static int compare_rows(const void *a, const void *b)
{
    const struct row *x = a, *y = b;
    return x->key != y->key ? (x->key > y->key) - (x->key < y->key) : (x->start_ms > y->start_ms) - (x->start_ms < y->start_ms);
}

// ---- the model

static bool is_closed(int64_t end_ms, int query, int64_t high_ms)
{
    return high_ms != INT64_MIN && high_ms - lateness_ms[query] - amend_ms[query] >= end_ms;
}

static void model_event(struct rows *m, int query, struct event e, int64_t high_ms)
{
    struct row mine = {e.key, e.time_ms, e.time_ms + GAP, 1, e.time_ms};
    size_t kept = 0;
    bool joined = false;
    for (size_t i = 0; i < m->count; i++) {
        struct row r = m->items[i];
        bool near = r.key == e.key && e.time_ms < r.end_ms && r.start_ms < e.time_ms + GAP && !is_closed(r.end_ms, query, high_ms);
        if (!near) {
            m->items[kept++] = r;
            continue;
        }
        joined = true;
        mine.start_ms = r.start_ms < mine.start_ms ? r.start_ms : mine.start_ms;
        mine.end_ms = r.end_ms > mine.end_ms ? r.end_ms : mine.end_ms;
        mine.last_ms = r.last_ms > mine.last_ms ? r.last_ms : mine.last_ms;
        mine.n += r.n;
    }
    m->count = kept;
    for (size_t i = 0; i < kept && joined; i++)
        m->ambiguous |= compare_rows(&m->items[i], &mine) == 0;
    if (joined || !is_closed(e.time_ms + GAP, query, high_ms))
        m->items[m->count++] = mine;
    else
        m->late++;
}

static void model(struct rows *m, int query, const struct event *events, uint32_t count)
{
    int64_t high_ms = INT64_MIN;
    *m = (struct rows){.count = 0};
    for (uint32_t i = 0; i < count; i++) {
        model_event(m, query, events[i], high_ms);
        high_ms = events[i].time_ms > high_ms ? events[i].time_ms : high_ms;
    }
    qsort(m->items, m->count, sizeof *m->items, compare_rows);
}

// ---- the core, and the tables its rows make

struct page {
    struct weir_str key, bytes;
};

struct driver {
    struct weir_plan *plan;
    struct weir_core *core;
    struct rows tables[QUERIES];
    struct page pages[64];
    size_t page_count;
};

static void change_table(struct rows *t, const struct row *row, bool deleted)
{
    size_t at = 0;
    while (at < t->count && compare_rows(&t->items[at], row) != 0)
        at++;
    if (deleted) {
        if (at < t->count)
            t->items[at] = t->items[--t->count];
        return;
    }
    assert_true(at < ROWS_MAX);
    t->count += at == t->count;
    t->items[at] = *row;
}

static int take_rows(void *context, const struct weir_rows *rows, struct weir_error *err)
{
    (void)err;
    struct driver *d = context;
    for (uint32_t i = 0; i < rows->count; i++) {
        struct row row = {.key = rows->columns[0].str[i].data[0] - 'a',
                          .start_ms = rows->columns[1].i64[i],
                          .end_ms = rows->columns[2].i64[i],
                          .n = rows->columns[3].i64[i],
                          .last_ms = rows->columns[4].i64[i]};
        change_table(&d->tables[rows->table_index], &row, rows->deleted);
    }
    return 0;
}

static int take_late(void *context, uint32_t query, const struct weir_batch *batch, uint32_t row, struct weir_error *err)
{
    (void)batch, (void)row, (void)err;
    ((struct driver *)context)->tables[query].late++;
    return 0;
}

static struct weir_core *new_core(struct driver *d)
{
    return weir_core_new(d->plan, 1000, &(struct weir_core_sink){d, take_rows, take_late});
}

static struct driver *driver_open(void)
{
    struct weir_error err;
    struct driver *d = weir_zalloc(1, sizeof *d);
    if (weir_plan_parse("test.yaml", weir_str_of(pipeline_text), &(struct weir_overrides){0}, stderr, false, &d->plan, &err) < 0)
        fail_msg("%s", err.text);
    d->core = new_core(d);
    return d;
}

static void drop_page(struct page *page)
{
    free((char *)page->key.data);
    free((char *)page->bytes.data);
}

static void driver_close(struct driver *d)
{
    for (size_t i = 0; i < d->page_count; i++)
        drop_page(&d->pages[i]);
    weir_core_free(d->core);
    weir_plan_free(d->plan);
    free(d);
}

static struct weir_str copied(struct weir_str s)
{
    char *bytes = weir_alloc(s.bytes + 1);
    memcpy(bytes, s.data, s.bytes);
    return (struct weir_str){bytes, s.bytes};
}

static bool is_same_key(struct weir_str a, struct weir_str b)
{
    return a.bytes == b.bytes && memcmp(a.data, b.data, a.bytes) == 0;
}

static void put_page(void *context, struct weir_str key, struct weir_str bytes)
{
    struct driver *d = context;
    for (size_t i = 0; i < d->page_count; i++)
        if (is_same_key(d->pages[i].key, key)) {
            drop_page(&d->pages[i]);
            d->pages[i] = d->pages[--d->page_count];
            break;
        }
    if (bytes.bytes == 0)
        return;
    assert_true(d->page_count < sizeof d->pages / sizeof *d->pages);
    d->pages[d->page_count++] = (struct page){copied(key), copied(bytes)};
}

static int compare_pages(const void *a, const void *b)
{
    const struct weir_str *x = &((const struct page *)a)->key, *y = &((const struct page *)b)->key;
    int order = memcmp(x->data, y->data, x->bytes < y->bytes ? x->bytes : y->bytes);
    return order ? order : (x->bytes > y->bytes) - (x->bytes < y->bytes);
}

static void save_and_restore(struct driver *d)
{
    struct weir_error err;
    weir_core_checkpoint(d->core, put_page, d);
    weir_core_free(d->core);
    d->core = new_core(d);
    qsort(d->pages, d->page_count, sizeof *d->pages, compare_pages);
    for (size_t i = 0; i < d->page_count; i++)
        if (weir_core_restore(d->core, d->pages[i].key, d->pages[i].bytes, &err) < 0)
            fail_msg("%s", err.text);
    weir_core_restored(d->core);
}

static void apply(struct driver *d, const struct event *events, uint32_t from, uint32_t count)
{
    static const char *const names[KEYS] = {"a", "b", "c", "d", "e"};
    struct weir_arena arena = {0};
    struct weir_str *ids = weir_arena_alloc(&arena, count * sizeof *ids);
    int64_t *times = weir_arena_alloc(&arena, count * sizeof *times), *offsets = weir_arena_alloc(&arena, count * sizeof *offsets);
    for (uint32_t i = 0; i < count; i++) {
        ids[i] = weir_str_of(names[events[from + i].key]);
        times[i] = events[from + i].time_ms;
        offsets[i] = from + i;
    }
    struct weir_column columns[2] = {{.kind = WEIR_STRS, .str = ids}, {.kind = WEIR_I64, .i64 = times}};
    struct weir_batch batch = {.rows = count, .column_count = 2, .columns = columns, .time_ms = times, .offset = offsets, .arena = &arena};
    struct weir_error err;
    assert_int_equal(weir_core_apply(d->core, &batch, from + count, &err), 0);
    weir_arena_drop(&arena);
}

static void give_all(struct driver *d, uint32_t query)
{
    struct weir_error err;
    assert_int_equal(weir_core_emit_ended(d->core, query, INT64_MAX, &err), 0);
}

static void check_table(struct driver *d, int query, const struct event *events, uint32_t count, uint64_t seed)
{
    static struct rows want;
    model(&want, query, events, count);
    if (want.ambiguous)
        return;
    struct rows *got = &d->tables[query];
    qsort(got->items, got->count, sizeof *got->items, compare_rows);
    assert_int_equal(got->late, want.late);
    bool same = got->count == want.count && memcmp(got->items, want.items, want.count * sizeof *want.items) == 0;
    for (size_t i = 0; !same && i < want.count; i++)
        if (i >= got->count || memcmp(&got->items[i], &want.items[i], sizeof *want.items) != 0)
            fail_msg("seed %llu, table %c: row %zu of %zu (wanted %zu) should be key %lld, [%lld, %lld), %lld events", (unsigned long long)seed,
                     'a' + query, i, got->count, want.count, (long long)want.items[i].key, (long long)want.items[i].start_ms,
                     (long long)want.items[i].end_ms, (long long)want.items[i].n);
    assert_true(same);
}

static void one_round(uint64_t seed)
{
    static struct event events[EVENTS];
    random_state = seed;
    uint64_t step = 1 + rnd(20), back = 1 + rnd(300), batch_max = 1 + rnd(200);
    for (uint32_t i = 0; i < EVENTS; i++)
        events[i] = (struct event){(int64_t)(i * step) - (int64_t)rnd(3) * (int64_t)rnd(back), (int)rnd(KEYS)};
    struct driver *d = driver_open();
    for (uint32_t from = 0, count; from < EVENTS; from += count) {
        count = 1 + (uint32_t)rnd(batch_max);
        count = count < EVENTS - from ? count : EVENTS - from;
        apply(d, events, from, count);
        for (int q = 1; q < QUERIES; q += 2) // the update ones, now and then
            if (rnd(2)) {
                give_all(d, (uint32_t)q);
                check_table(d, q, events, from + count, seed);
            }
        if (rnd(5) == 0)
            save_and_restore(d);
    }
    for (int q = 0; q < QUERIES; q++) {
        give_all(d, (uint32_t)q);
        check_table(d, q, events, EVENTS, seed);
    }
    driver_close(d);
}

static void sessions_are_what_the_model_says(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= ROUNDS; seed++)
        one_round(seed);
}

// ---- cases worth a name

static void expect_rows(const struct event *events, uint32_t count, int query, const struct row *want, size_t want_count)
{
    for (uint32_t batch = 1; batch <= count; batch++) {
        struct driver *d = driver_open();
        for (uint32_t from = 0; from < count; from += batch)
            apply(d, events, from, batch < count - from ? batch : count - from);
        give_all(d, (uint32_t)query);
        struct rows *got = &d->tables[query];
        qsort(got->items, got->count, sizeof *got->items, compare_rows);
        assert_int_equal(got->count, want_count);
        assert_memory_equal(got->items, want, want_count * sizeof *want);
        driver_close(d);
    }
}

static void an_event_a_gap_later_begins_a_session(void **state)
{
    (void)state;
    expect_rows((const struct event[]){{100, 0}, {129, 0}, {159, 0}}, 3, 0, (const struct row[]){{0, 100, 159, 2, 129}, {0, 159, 189, 1, 159}}, 2);
}

static void an_event_between_joins_two_sessions(void **state)
{
    (void)state;
    expect_rows((const struct event[]){{100, 0}, {150, 0}, {100, 1}, {125, 0}}, 4, 1,
                (const struct row[]){{0, 100, 180, 3, 150}, {1, 100, 130, 1, 100}}, 2);
}

// Its start has moved before that of a session that is closed: what comes before both must find it.
static void a_session_is_found_behind_a_closed_one(void **state)
{
    (void)state;
    const struct event events[] = {{60, 0}, {181, 1}, {75, 0}, {59, 0}, {30, 0}};
    expect_rows(events, 5, 2, (const struct row[]){{0, 30, 105, 3, 75}, {0, 60, 90, 1, 60}, {1, 181, 211, 1, 181}}, 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sessions_are_what_the_model_says),
        cmocka_unit_test(an_event_a_gap_later_begins_a_session),
        cmocka_unit_test(an_event_between_joins_two_sessions),
        cmocka_unit_test(a_session_is_found_behind_a_closed_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
