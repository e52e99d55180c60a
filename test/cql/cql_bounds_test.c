// SPDX-License-Identifier: Apache-2.0
// What is in flight has a limit in every direction: requests, a node's window, bytes; and closing ends everything at once.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/hash.h"
#include "client.h"
#include "cql/message.h"
#include <malloc.h>

static const struct fake_options three = {.nodes = 3};
static const struct row_options for_ever = {.patience_ms = UINT32_MAX};

static uint32_t hold_all(struct client *c)
{
    return fake_rule_add(c->ring, &(struct fake_rule){.node = FAKE_ANY, .opcode = CQL_OP_EXECUTE, .what = FAKE_HOLD});
}

// Lets go of everything again and again until all is done. The rule goes first, so that what comes late is not held.
static void let_go(struct client *c, struct tally *t)
{
    fake_rules_clear(c->ring);
    while (tally_done(t) < t->submitted) {
        fake_release(c->ring, false);
        moment();
    }
    tally_wait(t);
}

static void requests_in_flight(void **state)
{
    (void)state;
    struct client c;
    struct tally *t = tally_make();
    client_open(&c, &three, &(struct cql_options){.in_flight_requests = 40, .window_max = 16});
    EVENTUALLY(client_up(&c) == 3);
    hold_all(&c);
    client_write(&c, t, 0, 5000, &for_ever);
    EVENTUALLY(fake_held(c.ring) >= 24);
    for (int looks = 0; looks < 100; looks++) { // and it stays there
        assert_in_range(fake_held(c.ring), 24, 40);
        moment();
    }
    let_go(&c, t);
    assert_int_equal(t->good, 5000);
    assert_int_equal(client_missing(&c, t, 0, 5000, NULL), 0);
    assert_in_range(fake_stats(c.ring, FAKE_ANY).owed_max, 1, 18); // the window, a heartbeat, the control connection's questions
    client_close(&c);
    tally_free(t);
}

// A submitter that looks at the room never has much more than in_flight_bytes out, and the room comes back.
static void bytes_in_flight(void **state)
{
    (void)state;
    enum { LIMIT = 1 << 20, VALUE = 10000 };
    static const struct row_options large = {.patience_ms = UINT32_MAX, .value_bytes = VALUE};
    struct client c;
    struct tally *t = tally_make();
    client_open(&c, &three, &(struct cql_options){.in_flight_bytes = LIMIT});
    size_t all = cql_session_room(c.session);
    assert_in_range(all, LIMIT / 2, LIMIT);
    hold_all(&c);
    size_t before = mallinfo2().uordblks;
    while (cql_session_room(c.session) > 0) {
        client_write(&c, t, t->submitted, 1, &large);
        assert_true(t->submitted < 2 * LIMIT / VALUE);
    }
    assert_in_range(t->submitted, LIMIT / VALUE / 2, LIMIT / VALUE + 1);
    assert_in_range(mallinfo2().uordblks - before, 0, 12 * LIMIT); // the ring's copies are among them
    let_go(&c, t);
    EVENTUALLY(cql_session_room(c.session) == all);
    assert_int_equal(client_missing(&c, t, 0, t->submitted, &large), 0);
    client_close(&c);
    tally_free(t);
}

static uint32_t window_sum(struct client *c)
{
    return client_node(c, 0).window + client_node(c, 1).window + client_node(c, 2).window;
}

static void windows_shrink_and_grow(void **state)
{
    (void)state;
    struct client c;
    struct tally *t = tally_make();
    client_open(&c, &three, NULL);
    EVENTUALLY(client_up(&c) == 3);
    uint32_t start = window_sum(&c);
    fake_capacity(c.ring, 2);
    client_write(&c, t, 0, 3000, &for_ever);
    tally_wait(t);
    assert_int_equal(t->good, 3000);
    uint32_t small = window_sum(&c);
    assert_in_range(small, 3, start - 1);
    assert_true(client_node(&c, 0).overloaded > 0);
    fake_capacity(c.ring, 0);
    while (window_sum(&c) <= small && t->submitted < TALLY_MAX - 1000) {
        client_write(&c, t, t->submitted, 1000, &for_ever);
        tally_wait(t);
    }
    assert_true(window_sum(&c) > small);
    assert_int_equal(client_missing(&c, t, 0, t->submitted, NULL), 0);
    assert_int_equal(fake_rows_doubled(c.ring), 0);
    client_close(&c);
    tally_free(t);
}

// ---- closing

// Whatever is going on: when closing returns, everything has been answered once, and what was acknowledged is there.
static void close_amid(uint64_t seed)
{
    static const enum fake_what faults[] = {FAKE_HOLD, FAKE_SILENCE, FAKE_HALF_OPEN, FAKE_RESET, FAKE_UNPREPARED, FAKE_ERROR};
    struct client c;
    struct tally *t = tally_make();
    client_open(&c, &three, NULL);
    fake_seed(c.ring, seed);
    fake_rule_add(c.ring, &(struct fake_rule){.node = FAKE_ANY,
                                              .opcode = seed % 3 ? CQL_OP_EXECUTE : CQL_OP_PREPARE,
                                              .chance = 200,
                                              .what = faults[seed % 6],
                                              .error = CQL_ERROR_OVERLOADED});
    if (seed % 3 == 0)
        fake_node_forget(c.ring, 0);
    if (seed % 5 == 0)
        fake_node_freeze(c.ring, 1, true);
    client_write(&c, t, 0, 400, &for_ever);
    uint32_t some = (uint32_t)(weir_hash64(&seed, sizeof seed, 1) % 60);
    for (int looks = 0; looks < 50 && tally_done(t) < some; looks++)
        moment();
    cql_session_close(c.session);
    c.session = NULL;
    assert_int_equal(t->done, t->submitted);
    assert_int_equal(t->twice, 0);
    assert_int_equal(t->good + t->failed, 400);
    assert_int_equal(t->refused, 0);
    assert_int_equal(client_missing(&c, t, 0, 400, NULL), 0);
    if (t->failed)
        assert_int_equal(t->last.code, WEIR_UNAVAILABLE);
    client_close(&c);
    tally_free(t);
}

static void close_at_any_moment(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 60; seed++)
        close_amid(seed);
}

static void close_at_once(void **state)
{
    (void)state;
    struct client c;
    struct weir_error err;
    cql_session_close(NULL);
    for (int i = 0; i < 20; i++) {
        assert_int_equal(client_try(&c, &three, NULL, &err), 0);
        client_close(&c);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(requests_in_flight),  cmocka_unit_test(bytes_in_flight), cmocka_unit_test(windows_shrink_and_grow),
        cmocka_unit_test(close_at_any_moment), cmocka_unit_test(close_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
