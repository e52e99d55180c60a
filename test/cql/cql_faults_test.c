// SPDX-License-Identifier: Apache-2.0
// Connections and answers that go wrong: what was acknowledged is there once, what was asked is answered once, and the session heals.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "client.h"
#include "cql/message.h"

static const struct cql_options impatient = {.request_timeout_ms = 300};
static const struct fake_options rings[] = {
    {.nodes = 3},
    {.nodes = 3, .no_compression = true},
    {.nodes = 3, .version_max = 4},
    {.nodes = 3, .version_max = 4, .no_compression = true},
};
enum { RINGS = sizeof rings / sizeof *rings };

static void whole(struct client *c, struct tally *t, uint32_t rows, const struct row_options *o)
{
    tally_wait(t);
    if (t->failed)
        fail_msg("%u of %u failed: %s", t->failed, t->submitted, t->last.text);
    EVENTUALLY(client_missing(c, t, 0, rows, o) == 0); // a second answer may overtake the write of whoever has the stream then
    assert_int_equal(fake_rows_doubled(c->ring), 0);
    assert_int_equal(fake_stats(c->ring, FAKE_ANY).streams_busy, 0);
    assert_int_equal(fake_stats(c->ring, FAKE_ANY).garbage, 0);
}

// ---- each fault, three times amid writes, before or after they take effect

static void one_fault(const struct fake_options *ring, enum fake_what what, bool executed)
{
    struct client c;
    struct tally *t = tally_make();
    client_open(&c, ring, &impatient);
    EVENTUALLY(client_up(&c) == 3);
    uint32_t rule = fake_rule_add(
        c.ring,
        &(struct fake_rule){
            .node = FAKE_ANY, .opcode = CQL_OP_EXECUTE, .skip = 20, .times = 3, .what = what, .error = CQL_ERROR_SERVER, .executed = executed});
    client_write(&c, t, 0, 300, NULL);
    whole(&c, t, 300, NULL);
    assert_int_equal(fake_rule_hits(c.ring, rule), 3);
    EVENTUALLY(client_up(&c) == 3);
    client_close(&c);
    tally_free(t);
}

static void every_fault(const struct fake_options *ring)
{
    for (enum fake_what what = FAKE_ERROR; what <= FAKE_WARNING; what++) {
        if (what == FAKE_HOLD) // has tests of its own
            continue;
        one_fault(ring, what, false);
        if (what == FAKE_SILENCE || what == FAKE_CLOSE || what == FAKE_RESET || what == FAKE_HALF_OPEN)
            one_fault(ring, what, true);
    }
}

static void every_fault_v5(void **state)
{
    (void)state;
    every_fault(&rings[0]);
    every_fault(&rings[1]);
}

static void every_fault_v4(void **state)
{
    (void)state;
    every_fault(&rings[2]);
    every_fault(&rings[3]);
}

// The same on the way to a connection: one node misbehaves at each step, the others serve, and in the end it is up.
static void faults_of_handshakes(void **state)
{
    (void)state;
    static const enum cql_opcode steps[] = {CQL_OP_OPTIONS, CQL_OP_STARTUP, CQL_OP_REGISTER, CQL_OP_QUERY, CQL_OP_PREPARE};
    static const enum fake_what faults[] = {FAKE_CLOSE,      FAKE_RESET,      FAKE_HALF_OPEN, FAKE_SILENCE,
                                            FAKE_BAD_OPCODE, FAKE_BAD_LENGTH, FAKE_TRUNCATED, FAKE_STRANGE_STREAM};
    static const struct cql_options quick = {.request_timeout_ms = 200, .connect_timeout_ms = 200};
    for (uint32_t s = 0; s < sizeof steps / sizeof *steps; s++) {
        for (uint32_t f = 0; f < sizeof faults / sizeof *faults; f++) {
            struct client c = {.lock = PTHREAD_MUTEX_INITIALIZER, .ring = fake_ring_open(&(struct fake_options){.nodes = 2})};
            struct weir_error err;
            fake_rule_add(c.ring, &(struct fake_rule){.node = 0, .opcode = (int)steps[s], .times = 2, .what = faults[f]});
            if (client_session(&c, &quick, &err) < 0 || cql_prepare(c.session, INSERT, &c.insert, &err) < 0)
                fail_msg("step %u, fault %u: %s", s, f, err.text);
            EVENTUALLY(client_up(&c) == 2);
            client_close(&c);
        }
    }
}

// ---- bytes as they come

static void split_everywhere(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < RINGS; i++) {
        struct client c;
        struct tally *t = tally_make();
        client_open(&c, &rings[i], NULL);
        for (uint32_t bytes = 1; bytes <= 7; bytes += 3) {
            fake_chop(c.ring, bytes);
            client_write(&c, t, bytes * 100, 100, NULL);
            tally_wait(t);
        }
        whole(&c, t, 800, NULL);
        client_close(&c);
        tally_free(t);
    }
}

// Requests and answers larger than a segment holds.
static void large_values(void **state)
{
    (void)state;
    static const struct row_options large = {.batch = 10, .value_bytes = 40000};
    for (uint32_t i = 0; i < RINGS; i++) {
        struct client c;
        struct tally *t = tally_make();
        struct weir_error err;
        struct cql_result *result;
        client_open(&c, &rings[i], NULL);
        client_write(&c, t, 0, 100, &large);
        whole(&c, t, 100, &large);
        assert_int_equal(cql_run_text(c.session, "SELECT k, v FROM ks.t", &result, &err), 0);
        assert_int_equal(cql_result_rows(result), 100);
        cql_result_free(result);
        client_close(&c);
        tally_free(t);
    }
}

// ---- answers late, in another order, never

static void held(struct client *c, uint32_t count)
{
    EVENTUALLY(fake_held(c->ring) >= count);
}

static void answers_in_any_order(void **state)
{
    (void)state;
    struct client c;
    struct tally *t = tally_make();
    client_open(&c, &rings[0], NULL);
    EVENTUALLY(client_up(&c) == 3);
    fake_rule_add(c.ring, &(struct fake_rule){.node = FAKE_ANY, .opcode = CQL_OP_EXECUTE, .what = FAKE_HOLD, .times = 60});
    client_write(&c, t, 0, 60, NULL);
    held(&c, 3);
    while (tally_done(t) < 60) {
        fake_release(c.ring, true);
        moment();
    }
    whole(&c, t, 60, NULL);
    assert_int_equal(t->attempts_max, 1);
    client_close(&c);
    tally_free(t);
}

// An answer that comes after its request was given up belongs to nobody; its stream is free then, not before.
static void late_answers(void **state)
{
    (void)state;
    struct client c;
    struct tally *t = tally_make();
    client_open(&c, &(struct fake_options){.nodes = 1}, &impatient);
    fake_rule_add(c.ring, &(struct fake_rule){.node = FAKE_ANY, .opcode = CQL_OP_EXECUTE, .what = FAKE_HOLD, .times = 5});
    client_write(&c, t, 0, 5, NULL);
    whole(&c, t, 5, NULL); // by second attempts
    assert_true(cql_session_counters(c.session).orphans >= 5);
    fake_release(c.ring, false);
    client_write(&c, t, 5, 200, NULL);
    whole(&c, t, 205, NULL);
    client_close(&c);
    tally_free(t);
}

// A node that swallows requests without end: connections are replaced before their streams are used up, and everything passes.
static void orphans_are_replaced(void **state)
{
    (void)state;
    struct client c;
    struct tally *t = tally_make();
    client_open(&c, &(struct fake_options){.nodes = 1}, &(struct cql_options){.request_timeout_ms = 100});
    uint64_t accepted = fake_stats(c.ring, 0).accepted;
    fake_rule_add(c.ring, &(struct fake_rule){.node = FAKE_ANY, .opcode = CQL_OP_EXECUTE, .what = FAKE_SILENCE, .chance = 300});
    client_write(&c, t, 0, 3000, &(struct row_options){.patience_ms = UINT32_MAX});
    EVENTUALLY(fake_stats(c.ring, 0).accepted > accepted);
    fake_rules_clear(c.ring);
    whole(&c, t, 3000, NULL);
    client_close(&c);
    tally_free(t);
}

// A node that stops reading, then goes on: requests go elsewhere meanwhile.
static void frozen_node(void **state)
{
    (void)state;
    struct client c;
    struct tally *t = tally_make();
    client_open(&c, &rings[0], &impatient);
    EVENTUALLY(client_up(&c) == 3);
    fake_node_freeze(c.ring, 1, true);
    client_write(&c, t, 0, 500, NULL);
    whole(&c, t, 500, NULL);
    fake_node_freeze(c.ring, 1, false);
    EVENTUALLY(client_up(&c) == 3);
    uint64_t before = fake_stats(c.ring, 1).executes;
    for (uint32_t n = 500; fake_stats(c.ring, 1).executes == before && n < 20000; n += 100) { // and it is asked again
        client_write(&c, t, n, 100, NULL);
        tally_wait(t);
    }
    assert_true(fake_stats(c.ring, 1).executes > before);
    client_close(&c);
    tally_free(t);
}

// ---- statements that nodes forget

static void unprepared_storm(void **state)
{
    (void)state;
    struct client c;
    struct tally *t = tally_make();
    client_open(&c, &rings[0], NULL);
    EVENTUALLY(client_up(&c) == 3);
    client_write(&c, t, 0, 200, NULL);
    tally_wait(t);
    uint64_t before = fake_stats(c.ring, FAKE_ANY).prepares;
    fake_rule_add(c.ring, &(struct fake_rule){.node = FAKE_ANY, .opcode = CQL_OP_PREPARE, .what = FAKE_HOLD});
    for (uint32_t n = 0; n < 3; n++)
        fake_node_forget(c.ring, n);
    client_write(&c, t, 200, 300, NULL);
    held(&c, 1);
    while (tally_done(t) < 500) {
        fake_release(c.ring, false);
        moment();
    }
    whole(&c, t, 500, NULL);
    // many waited, one asked: at most once a node, and one more where an answer was under way
    assert_in_range(fake_stats(c.ring, FAKE_ANY).prepares - before, 1, 6);
    assert_true(cql_session_counters(c.session).reprepared > 0);
    client_close(&c);
    tally_free(t);
}

static void always_unprepared(void **state)
{
    (void)state;
    struct client c;
    struct tally *t = tally_make();
    client_open(&c, &rings[0], NULL);
    fake_rule_add(c.ring, &(struct fake_rule){.node = FAKE_ANY, .opcode = CQL_OP_EXECUTE, .what = FAKE_UNPREPARED});
    client_write(&c, t, 0, 3, &(struct row_options){.patience_ms = 300});
    assert_int_equal(tally_wait(t)->failed, 3);
    client_close(&c);
    tally_free(t);
}

static void refused_when_prepared_again(void **state)
{
    (void)state;
    struct client c;
    struct tally *t = tally_make();
    client_open(&c, &rings[0], NULL);
    for (uint32_t n = 0; n < 3; n++)
        fake_node_forget(c.ring, n);
    fake_rule_add(c.ring, &(struct fake_rule){.node = FAKE_ANY, .opcode = CQL_OP_PREPARE, .error = CQL_ERROR_INVALID});
    client_write(&c, t, 0, 5, &(struct row_options){.patience_ms = 2000});
    assert_int_equal(tally_wait(t)->failed, 5);
    assert_int_equal(t->refused, 5);
    client_close(&c);
    tally_free(t);
}

static void altered_metadata(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < RINGS; i++) {
        struct client c;
        struct tally *t = tally_make();
        struct weir_error err;
        struct cql_result *result;
        client_open(&c, &rings[i], NULL);
        client_write(&c, t, 0, 10, NULL);
        tally_wait(t);
        for (uint32_t columns = 3; columns <= 4; columns++) {
            struct weir_buffer values = {0};
            cql_bind_text(&values, WEIR_STR("key7"));
            struct cql_request request = {
                .kind = CQL_EXECUTE, .prepared = c.select, .values = weir_buffer_view(&values), .consistency = CQL_ONE, .idempotent = true};
            for (int again = 0; again < 6; again++) {
                if (cql_run(c.session, &request, &result, &err) < 0)
                    fail_msg("%s", err.text);
                assert_int_equal(cql_result_columns(result), columns);
                assert_int_equal(cql_result_rows(result), 1);
                cql_result_free(result);
            }
            weir_buffer_drop(&values);
            fake_alter(c.ring);
        }
        client_close(&c);
        tally_free(t);
    }
}

static void warnings_are_counted(void **state)
{
    (void)state;
    struct client c;
    struct tally *t = tally_make();
    client_open(&c, &rings[0], NULL);
    fake_rule_add(c.ring, &(struct fake_rule){.node = FAKE_ANY, .opcode = CQL_OP_EXECUTE, .what = FAKE_WARNING, .times = 40});
    client_write(&c, t, 0, 100, NULL);
    whole(&c, t, 100, NULL);
    assert_int_equal(cql_session_counters(c.session).warnings, 40);
    client_close(&c);
    tally_free(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_fault_v5),   cmocka_unit_test(every_fault_v4),       cmocka_unit_test(faults_of_handshakes),
        cmocka_unit_test(split_everywhere), cmocka_unit_test(large_values),         cmocka_unit_test(answers_in_any_order),
        cmocka_unit_test(late_answers),     cmocka_unit_test(orphans_are_replaced), cmocka_unit_test(frozen_node),
        cmocka_unit_test(unprepared_storm), cmocka_unit_test(always_unprepared),    cmocka_unit_test(refused_when_prepared_again),
        cmocka_unit_test(altered_metadata), cmocka_unit_test(warnings_are_counted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
