// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/memory.h"
#include "query/keys.h"

// A plan of two fields, by hand: what keys look at is the fields' types.
static struct weir_field event_fields[] = {{.name = "d", .type = WEIR_STRING}, {.name = "n", .type = WEIR_LONG, .optional = true}};
static struct weir_plan plan = {.event = {.field_count = 2, .fields = event_fields}};
static const uint32_t by_both[] = {0, 1};

enum { ROWS = 600 };

struct rows {
    char texts[ROWS][64];
    struct weir_str str[ROWS];
    int64_t numbers[ROWS];
    uint8_t valid[ROWS];
    struct weir_column columns[2];
    struct weir_batch batch;
};

static struct rows *rows_of(uint64_t first, uint32_t count)
{
    struct rows *r = weir_zalloc(1, sizeof *r);
    for (uint32_t i = 0; i < count; i++) {
        uint64_t n = first + i;
        // every fifth text is longer than a key keeps inline
        snprintf(r->texts[i], sizeof r->texts[i], n % 5 ? "key-%llu" : "a-key-of-more-than-forty-eight-bytes-that-lies-apart-%llu",
                 (unsigned long long)n);
        r->str[i] = weir_str_of(r->texts[i]);
        r->numbers[i] = (int64_t)(n % 3);
        r->valid[i] = n % 3 != 2;
    }
    r->columns[0] = (struct weir_column){.kind = WEIR_STRS, .str = r->str};
    r->columns[1] = (struct weir_column){.kind = WEIR_I64, .i64 = r->numbers, .valid = r->valid};
    r->batch = (struct weir_batch){.rows = count, .column_count = 2, .columns = r->columns};
    return r;
}

static void check_columns(const struct keys *k, const struct rows *r, const uint32_t *ids, uint32_t field_count)
{
    struct weir_arena arena = {0};
    struct weir_column back[2];
    keys_columns(k, ids, r->batch.rows, &arena, back);
    for (uint32_t i = 0; i < r->batch.rows; i++) {
        assert_true(weir_str_eq(back[0].str[i], r->str[i]));
        if (field_count == 2) {
            assert_int_equal(weir_column_is_null(&back[1], i), !r->valid[i]);
            assert_true(!r->valid[i] || back[1].i64[i] == r->numbers[i]);
        }
    }
    weir_arena_drop(&arena);
}

static void ids_are_dense_stable_and_reused(void **state)
{
    (void)state;
    for (uint32_t fields = 1; fields <= 2; fields++) {
        struct keys k;
        keys_open(&k, &plan, by_both, fields);
        for (uint64_t generation = 0; generation < 30; generation++) {
            struct rows *r = rows_of(generation * 400, ROWS);
            uint32_t ids[ROWS], again[ROWS];
            keys_intern(&k, &r->batch, ids);
            keys_intern(&k, &r->batch, again);
            assert_memory_equal(ids, again, sizeof ids);
            check_columns(&k, r, ids, fields);
            for (uint32_t i = 0; i < ROWS; i++)
                keys_ref(&k, ids[i]);
            keys_sweep(&k);
            assert_int_equal(k.live, ROWS);
            assert_true(k.used <= ROWS); // what was given back is used again
            for (uint32_t i = 0; i < ROWS; i++)
                keys_unref(&k, ids[i]);
            assert_int_equal(k.live, 0);
            free(r);
        }
        keys_close(&k);
    }
}

static void keys_that_no_window_holds_go_at_the_sweep(void **state)
{
    (void)state;
    struct keys k;
    keys_open(&k, &plan, by_both, 1);
    struct rows *r = rows_of(0, ROWS);
    uint32_t ids[ROWS];
    keys_intern(&k, &r->batch, ids);
    keys_ref(&k, ids[7]);
    keys_sweep(&k);
    assert_int_equal(k.live, 1);
    assert_true(weir_str_eq(key_view(&k.keys[ids[7]]), r->str[7]));
    free(r);
    keys_close(&k);
}

static void pages_bring_every_key_back_under_its_id(void **state)
{
    (void)state;
    struct keys k, restored;
    keys_open(&k, &plan, by_both, 2);
    keys_open(&restored, &plan, by_both, 2);
    struct rows *r = rows_of(0, ROWS);
    uint32_t ids[ROWS], again[ROWS];
    keys_intern(&k, &r->batch, ids);
    for (uint32_t i = 0; i < ROWS; i++)
        if (i % 4)
            keys_ref(&k, ids[i]);
    keys_sweep(&k);
    for (uint32_t page = 0; page < k.capacity / KEYS_PER_PAGE; page++) {
        struct weir_buffer bytes = {0};
        keys_save_page(&k, page, &bytes);
        if (bytes.bytes)
            assert_int_equal(keys_restore_page(&restored, page, weir_buffer_view(&bytes)), 0);
        weir_buffer_drop(&bytes);
    }
    for (uint32_t i = 0; i < ROWS; i++)
        if (i % 4)
            keys_ref(&restored, ids[i]);
    keys_restore_done(&restored);
    assert_int_equal(restored.live, k.live);
    keys_intern(&restored, &r->batch, again);
    for (uint32_t i = 0; i < ROWS; i++)
        if (i % 4)
            assert_int_equal(again[i], ids[i]);
    check_columns(&restored, r, again, 2);
    free(r);
    keys_close(&k);
    keys_close(&restored);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ids_are_dense_stable_and_reused),
        cmocka_unit_test(keys_that_no_window_holds_go_at_the_sweep),
        cmocka_unit_test(pages_bring_every_key_back_under_its_id),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
