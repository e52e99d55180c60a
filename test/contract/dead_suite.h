// SPDX-License-Identifier: Apache-2.0
// What dead letters must do on every log: cases like log_suite.h's.
#pragma once
#include "log_suite.h"

struct dead_suite_seen {
    struct weir_dead_letter last;
    char query[32], text[64];
    uint32_t count, stop_after;
    bool out_of_order;
    uint64_t value_bytes;
};

static int dead_suite_compare(const struct weir_dead_letter *a, const struct weir_dead_letter *b)
{
    if (a->reason != b->reason)
        return a->reason < b->reason ? -1 : 1;
    if (a->partition != b->partition)
        return a->partition < b->partition ? -1 : 1;
    if (a->offset != b->offset)
        return a->offset < b->offset ? -1 : 1;
    return strcmp(a->query ? a->query : "", b->query ? b->query : "");
}

static int dead_suite_look(void *context, const struct weir_dead_letter *letter)
{
    struct dead_suite_seen *seen = context;
    seen->out_of_order |= seen->count > 0 && dead_suite_compare(&seen->last, letter) >= 0;
    seen->last = *letter;
    snprintf(seen->query, sizeof seen->query, "%s", letter->query ? letter->query : "");
    snprintf(seen->text, sizeof seen->text, "%.60s", letter->text);
    seen->last.query = seen->query;
    seen->value_bytes = letter->value.bytes;
    return ++seen->count == seen->stop_after;
}

static struct dead_suite_seen dead_suite_scan(struct log_subject *s, int reason, uint32_t stop_after)
{
    struct weir_error err;
    struct dead_suite_seen seen = {.stop_after = stop_after};
    log_suite_ok(weir_dead_scan(s->dead, reason, dead_suite_look, &seen, &err), &err);
    assert_false(seen.out_of_order);
    return seen;
}

// Letter n of a jumbled order: identities are its digits. Partition −1 stands for the feed.
static struct weir_dead_letter dead_suite_letter(uint32_t n)
{
    static const char *const queries[] = {NULL, "daily", "hourly"};
    return (struct weir_dead_letter){
        .reason = (enum weir_reason)(n % WEIR_REASONS),
        .topic = "letters",
        .partition = (int32_t)(n / WEIR_REASONS % 4) - 1,
        .offset = (int64_t)(n * 7919 % 100),
        .query = queries[n / 20 % 3],
        .text = "what is wrong",
        .schema_id = (int32_t)(n % 3),
        .timestamp_ms = 1500000000000 + n,
        .key = WEIR_STR("key"),
        .value = WEIR_STR("value\0with a zero"),
        .null_key = n % 2 == 0,
    };
}

static inline void dead_suite_keeps_order(void **state)
{
    struct log_subject *s = *state;
    enum { LETTERS = 6000, IDENTITIES = 300 }; // an identity is a function of n mod 300
    struct weir_dead_letter letter;
    log_suite_topic(s, "ordered", 3, 0);
    struct weir_producer *p = log_suite_producer(s, "ordered", NULL);
    for (uint32_t n = 0; n < LETTERS; n++) {
        letter = dead_suite_letter(n);
        weir_producer_dead(p, s->dead, &letter);
        if (n % 1000 == 999)
            log_suite_flush(p, "");
    }
    struct dead_suite_seen all = dead_suite_scan(s, -1, 0);
    assert_int_equal(all.count, IDENTITIES); // the rest says again what was said
    uint32_t sum = 0;
    for (int reason = 0; reason < WEIR_REASONS; reason++)
        sum += dead_suite_scan(s, reason, 0).count;
    assert_int_equal(sum, all.count);
    assert_int_equal(dead_suite_scan(s, -1, 7).count, 7);
    weir_producer_close(p);
    s->reopen(s);
    assert_int_equal(dead_suite_scan(s, -1, 0).count, all.count);
}

static int dead_suite_check_one(void *context, const struct weir_dead_letter *letter)
{
    const struct weir_dead_letter *put = context;
    assert_int_equal(letter->reason, put->reason);
    assert_string_equal(letter->topic, put->topic);
    assert_int_equal(letter->partition, put->partition);
    assert_int_equal(letter->offset, put->offset);
    assert_string_equal(letter->query, put->query);
    assert_string_equal(letter->text, put->text);
    assert_int_equal(letter->schema_id, put->schema_id);
    assert_int_equal(letter->timestamp_ms, put->timestamp_ms);
    assert_int_equal(letter->null_key, put->null_key);
    assert_true(weir_str_eq(letter->key, put->key));
    assert_true(weir_str_eq(letter->value, put->value));
    return 0;
}

static inline void dead_suite_says_it_all_and_forgets(void **state)
{
    struct log_subject *s = *state;
    struct weir_error err;
    struct weir_dead_letter letter = dead_suite_letter(21);
    log_suite_topic(s, "one", 3, 0);
    struct weir_producer *p = log_suite_producer(s, "one", NULL);
    weir_producer_dead(p, s->dead, &letter);
    letter.text = "said again, \"with\" ünïcode";
    weir_producer_dead(p, s->dead, &letter);
    log_suite_flush(p, "");
    assert_int_equal(dead_suite_scan(s, -1, 0).count, 1);
    log_suite_ok(weir_dead_scan(s->dead, -1, dead_suite_check_one, &letter, &err), &err);
    weir_producer_add(p, 1, letter.key, letter.null_key, letter.value);
    weir_producer_replayed(p, s->dead, &letter);
    assert_int_equal(dead_suite_scan(s, -1, 0).count, 1); // not flushed
    log_suite_flush(p, "");
    assert_int_equal(dead_suite_scan(s, -1, 0).count, 0);
    weir_producer_close(p);
    s->reopen(s);
    assert_int_equal(dead_suite_scan(s, -1, 0).count, 0);
}

static inline void dead_suite_cuts_what_is_long(void **state)
{
    struct log_subject *s = *state;
    enum { MIB = 1 << 20 };
    struct weir_dead_letter letter = dead_suite_letter(3);
    char *value = calloc(2, MIB);
    log_suite_topic(s, "long", 3, 0);
    struct weir_producer *p = log_suite_producer(s, "long", NULL);
    letter.value = (struct weir_str){value, 2 * MIB};
    weir_producer_dead(p, s->dead, &letter);
    log_suite_flush(p, "");
    struct dead_suite_seen seen = dead_suite_scan(s, -1, 0);
    assert_int_equal(seen.count, 1);
    assert_true(seen.value_bytes > MIB / 2 && seen.value_bytes <= MIB);
    weir_producer_close(p);
    free(value);
}

#define DEAD_SUITE(set_up, tear_down)                                                                                                                \
    cmocka_unit_test_setup_teardown(dead_suite_keeps_order, set_up, tear_down),                                                                      \
        cmocka_unit_test_setup_teardown(dead_suite_says_it_all_and_forgets, set_up, tear_down)
