// SPDX-License-Identifier: Apache-2.0
// What was seen before, against a list of all that was seen; through batches, checkpoints, forgetting and damage.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/error.h"
#include "base/memory.h"
#include "query/dedupe.h"

enum { WITHIN = 500, EVENTS = 6000, PAGES_MAX = 512 };

static uint32_t by_fields[] = {0, 1};
static const struct weir_event_spec by_both = {.dedupe_count = 2, .dedupe_fields = by_fields, .dedupe_within_ms = WITHIN};

static uint64_t random_state;

static uint64_t rnd(uint64_t below)
{
    random_state = random_state * 6364136223846793005u + 1442695040888963407u;
    return (random_state >> 33) % below;
}

struct event {
    char id[16];
    double value;
    bool has_value;
    int64_t time_ms;
};

// ---- the model

struct model {
    struct event seen[EVENTS]; // first of their keys, or first again
    size_t count;
};

static bool is_same(const struct event *a, const struct event *b)
{
    return strcmp(a->id, b->id) == 0 && a->has_value == b->has_value && (!a->has_value || a->value == b->value);
}

static bool model_is_new(struct model *m, const struct event *e, int64_t high_ms)
{
    for (size_t i = 0; i < m->count; i++) {
        if (!is_same(&m->seen[i], e))
            continue;
        bool forgotten = high_ms != INT64_MIN && m->seen[i].time_ms + WITHIN <= high_ms;
        if (forgotten)
            m->seen[i] = *e;
        return forgotten;
    }
    m->seen[m->count++] = *e;
    return true;
}

// ---- driving it

struct page {
    uint64_t number;
    struct weir_str bytes;
};

struct store {
    struct page pages[PAGES_MAX];
    size_t count;
};

static void put_page(void *context, struct weir_str key, struct weir_str bytes)
{
    struct store *s = context;
    uint64_t number;
    assert_true(key.bytes == 9 && key.data[0] == 'D');
    memcpy(&number, key.data + 1, 8);
    number = __builtin_bswap64(number);
    for (size_t i = 0; i < s->count; i++)
        if (s->pages[i].number == number) {
            assert_int_equal(bytes.bytes, 0); // a page is never written again
            free((char *)s->pages[i].bytes.data);
            s->pages[i] = s->pages[--s->count];
            return;
        }
    assert_true(bytes.bytes > 0 && s->count < PAGES_MAX);
    char *copy = weir_alloc(bytes.bytes);
    memcpy(copy, bytes.data, bytes.bytes);
    s->pages[s->count++] = (struct page){number, {copy, bytes.bytes}};
}

static int compare_pages(const void *a, const void *b)
{
    const struct page *x = a, *y = b;
    return (x->number > y->number) - (x->number < y->number);
}

static void start_again(struct dedupe *d, struct store *s, int64_t high_ms)
{
    dedupe_save(d, high_ms, put_page, s);
    dedupe_close(d);
    dedupe_open(d, &by_both);
    qsort(s->pages, s->count, sizeof *s->pages, compare_pages);
    for (size_t i = 0; i < s->count; i++)
        assert_int_equal(dedupe_restore(d, s->pages[i].number, s->pages[i].bytes), 0);
}

static void store_drop(struct store *s)
{
    for (size_t i = 0; i < s->count; i++)
        free((char *)s->pages[i].bytes.data);
}

static int64_t later(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

// Which rows of the batch are new; moves the highest time on.
static uint32_t select_rows(struct dedupe *d, const struct event *events, uint32_t count, int64_t *high_ms, uint32_t *ret_rows)
{
    struct weir_arena arena = {0};
    struct weir_str *ids = weir_arena_alloc(&arena, count * sizeof *ids);
    double *values = weir_arena_alloc(&arena, count * sizeof *values);
    int64_t *times = weir_arena_alloc(&arena, count * sizeof *times), *before = weir_arena_alloc(&arena, count * sizeof *before);
    uint8_t *valid = weir_arena_alloc(&arena, count);
    for (uint32_t i = 0; i < count; i++) {
        ids[i] = weir_str_of(events[i].id);
        values[i] = events[i].value;
        valid[i] = events[i].has_value;
        times[i] = events[i].time_ms;
        before[i] = *high_ms;
        *high_ms = later(*high_ms, times[i]);
    }
    struct weir_column columns[2] = {{.kind = WEIR_STRS, .str = ids}, {.kind = WEIR_F64, .f64 = values, .valid = valid}};
    struct weir_batch batch = {.rows = count, .column_count = 2, .columns = columns, .time_ms = times, .arena = &arena};
    uint32_t kept = dedupe_select(d, &batch, before, ret_rows);
    weir_arena_drop(&arena);
    return kept;
}

static struct event random_event(int64_t now_ms, uint64_t kinds)
{
    struct event e = {.value = (double)rnd(3), .has_value = rnd(4) != 0, .time_ms = now_ms - (int64_t)rnd(2) * (int64_t)rnd(2 * WITHIN)};
    snprintf(e.id, sizeof e.id, "id-%llu", (unsigned long long)rnd(kinds));
    return e;
}

static void one_round(uint64_t seed)
{
    static struct model model;
    static struct event events[EVENTS];
    static uint32_t rows[EVENTS];
    struct store store = {.count = 0};
    struct dedupe d;
    random_state = seed;
    model.count = 0;
    dedupe_open(&d, &by_both);
    int64_t high_ms = INT64_MIN, model_high_ms = INT64_MIN;
    uint64_t kinds = 1 + rnd(300), step = 1 + rnd(30);
    for (uint32_t i = 0; i < EVENTS; i++)
        events[i] = random_event((int64_t)(i * step), kinds);
    for (uint32_t from = 0, count; from < EVENTS; from += count) {
        count = (uint32_t)(1 + rnd(500));
        count = count < EVENTS - from ? count : EVENTS - from;
        uint32_t kept = select_rows(&d, events + from, count, &high_ms, rows), at = 0;
        for (uint32_t i = 0; i < count; i++) {
            bool is_new = model_is_new(&model, &events[from + i], model_high_ms);
            bool taken = at < kept && rows[at] == i;
            if (is_new != taken)
                fail_msg("seed %llu: event %u was %s", (unsigned long long)seed, from + i, taken ? "taken, and is none" : "dropped, and is new");
            at += taken;
            model_high_ms = later(model_high_ms, events[from + i].time_ms);
        }
        assert_int_equal(at, kept);
        if (rnd(3) == 0)
            start_again(&d, &store, high_ms);
    }
    dedupe_close(&d);
    store_drop(&store);
}

static void what_was_seen_is_dropped(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 12; seed++)
        one_round(seed);
}

// Memory and pages are those of the keys within reach, however many there were.
static void what_is_forgotten_takes_no_room(void **state)
{
    (void)state;
    static struct event events[1000];
    static uint32_t rows[1000];
    struct store store = {.count = 0};
    struct dedupe d;
    dedupe_open(&d, &by_both);
    int64_t high_ms = INT64_MIN;
    for (int64_t round = 0; round < 200; round++) {
        for (int64_t i = 0; i < 1000; i++) {
            events[i] = (struct event){.time_ms = (round * 1000 + i) / 2};
            snprintf(events[i].id, sizeof events[i].id, "%lld", (long long)(round * 1000 + i));
        }
        assert_int_equal(select_rows(&d, events, 1000, &high_ms, rows), 1000);
        dedupe_save(&d, high_ms, put_page, &store);
        assert_true(store.count <= 4 && d.mask < 8192);
    }
    dedupe_close(&d);
    store_drop(&store);
}

static void null_is_a_value_of_its_own(void **state)
{
    (void)state;
    const struct event events[] = {{"a", 0, false, 1}, {"a", 0, true, 1}, {"a", 7, false, 1}, {"", 0, true, 1}, {"", 0, false, 1}, {"a", 0, true, 2}};
    uint32_t rows[6];
    int64_t high_ms = INT64_MIN;
    struct dedupe d;
    dedupe_open(&d, &by_both);
    assert_int_equal(select_rows(&d, events, 6, &high_ms, rows), 4);
    static const uint32_t want[] = {0, 1, 3, 4};
    assert_memory_equal(rows, want, sizeof want);
    dedupe_close(&d);
}

static void damaged_pages_are_refused(void **state)
{
    (void)state;
    static const char zeros[48];
    struct dedupe d;
    dedupe_open(&d, &by_both);
    assert_int_equal(dedupe_restore(&d, 0, (struct weir_str){zeros, 23}), -1);
    assert_int_equal(dedupe_restore(&d, 0, (struct weir_str){zeros, 48}), -1); // a key is never zero
    assert_int_equal(dedupe_restore(&d, 0, (struct weir_str){zeros, 1}), -1);
    dedupe_close(&d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_seen_is_dropped),
        cmocka_unit_test(what_is_forgotten_takes_no_room),
        cmocka_unit_test(null_is_a_value_of_its_own),
        cmocka_unit_test(damaged_pages_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
