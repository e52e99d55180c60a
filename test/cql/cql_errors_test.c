// SPDX-License-Identifier: Apache-2.0
// Every error code of the protocol, and what the client makes of it.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "client.h"
#include "cql/message.h"

enum class {
    NOT_EXECUTED, // tried again whatever the request is
    UNKNOWN,      // tried again if it is idempotent
    NEVER,        // a dead letter
};

static const struct {
    int32_t code;
    enum class class;
    enum cql_cause cause;
} codes[] = {
    {CQL_ERROR_SERVER, UNKNOWN, CQL_CAUSE_UNAVAILABLE},
    {CQL_ERROR_PROTOCOL, NEVER, CQL_CAUSE_REFUSED},
    {CQL_ERROR_BAD_CREDENTIALS, NEVER, CQL_CAUSE_REFUSED},
    {CQL_ERROR_UNAVAILABLE, NOT_EXECUTED, CQL_CAUSE_UNAVAILABLE},
    {CQL_ERROR_OVERLOADED, NOT_EXECUTED, CQL_CAUSE_OVERLOADED},
    {CQL_ERROR_IS_BOOTSTRAPPING, NOT_EXECUTED, CQL_CAUSE_UNAVAILABLE},
    {CQL_ERROR_TRUNCATE, UNKNOWN, CQL_CAUSE_UNAVAILABLE},
    {CQL_ERROR_WRITE_TIMEOUT, UNKNOWN, CQL_CAUSE_TIMEOUT},
    {CQL_ERROR_READ_TIMEOUT, UNKNOWN, CQL_CAUSE_TIMEOUT},
    {CQL_ERROR_READ_FAILURE, UNKNOWN, CQL_CAUSE_UNAVAILABLE},
    {CQL_ERROR_FUNCTION_FAILURE, NEVER, CQL_CAUSE_REFUSED},
    {CQL_ERROR_WRITE_FAILURE, UNKNOWN, CQL_CAUSE_UNAVAILABLE},
    {CQL_ERROR_CDC_WRITE_FAILURE, UNKNOWN, CQL_CAUSE_UNAVAILABLE},
    {CQL_ERROR_CAS_WRITE_UNKNOWN, UNKNOWN, CQL_CAUSE_TIMEOUT},
    {CQL_ERROR_SYNTAX, NEVER, CQL_CAUSE_REFUSED},
    {CQL_ERROR_UNAUTHORIZED, NEVER, CQL_CAUSE_REFUSED},
    {CQL_ERROR_INVALID, NEVER, CQL_CAUSE_REFUSED},
    {CQL_ERROR_CONFIG, NEVER, CQL_CAUSE_REFUSED},
    {CQL_ERROR_ALREADY_EXISTS, NEVER, CQL_CAUSE_REFUSED},
    {0x7777, UNKNOWN, CQL_CAUSE_UNAVAILABLE}, // of a server younger than the client
};
enum { CODES = sizeof codes / sizeof *codes };

static const struct fake_options ring_v5 = {.nodes = 3}, ring_v4 = {.nodes = 3, .version_max = 4};

// `times` answers with the code to what writes; then all is well again.
static void write_under(struct client *c, struct tally *t, uint32_t row, int32_t code, uint32_t times, const struct row_options *o)
{
    fake_rules_clear(c->ring);
    fake_rule_add(c->ring, &(struct fake_rule){.node = FAKE_ANY,
                                               .opcode = o->batch ? CQL_OP_BATCH : CQL_OP_EXECUTE,
                                               .times = times,
                                               .error = code,
                                               .executed = code == CQL_ERROR_WRITE_TIMEOUT});
    client_write(c, t, row, o->batch ? o->batch : 1, o);
    tally_wait(t);
}

static void check_once(struct client *c, uint32_t i, const struct row_options *o)
{
    struct tally *t = tally_make();
    write_under(c, t, i * 10, codes[i].code, 1, o);
    bool passes = codes[i].class == NOT_EXECUTED || (codes[i].class == UNKNOWN && !o->not_idempotent);
    if (t->good != passes)
        fail_msg("code %04x, batches of %u, %sidempotent: %s", (unsigned)codes[i].code, o->batch, o->not_idempotent ? "not " : "",
                 passes ? t->last.text : "it passed");
    assert_int_equal(t->attempts_max, passes ? 2 : 1);
    assert_int_equal(t->causes[passes ? CQL_CAUSE_NONE : codes[i].cause], 1);
    assert_int_equal(t->refused, codes[i].class == NEVER);
    assert_int_equal(client_missing(c, t, i * 10, o->batch ? o->batch : 1, o), 0);
    if (!passes)
        assert_non_null(strstr(t->last.text, "127.0.1.")); // says who
    tally_free(t);
}

static void each_code(const struct fake_options *ring)
{
    static const struct row_options ways[] = {{0}, {.batch = 10}, {.not_idempotent = true}, {.batch = 10, .not_idempotent = true}};
    struct client c;
    client_open(&c, ring, NULL);
    EVENTUALLY(client_up(&c) == 3);
    for (uint32_t w = 0; w < sizeof ways / sizeof *ways; w++) {
        for (uint32_t i = 0; i < CODES; i++)
            check_once(&c, i, &ways[w]);
    }
    assert_int_equal(fake_stats(c.ring, FAKE_ANY).garbage, 0);
    assert_int_equal(fake_stats(c.ring, FAKE_ANY).streams_busy, 0);
    client_close(&c);
}

static void codes_once_v5(void **state)
{
    (void)state;
    each_code(&ring_v5);
}

static void codes_once_v4(void **state)
{
    (void)state;
    each_code(&ring_v4);
}

// What does not end ends with the request's patience, and the error says why.
static void codes_for_ever(void **state)
{
    (void)state;
    struct client c;
    client_open(&c, &ring_v5, NULL);
    EVENTUALLY(client_up(&c) == 3);
    for (uint32_t i = 0; i < CODES; i++) {
        struct tally *t = tally_make();
        write_under(&c, t, i, codes[i].code, 0, &(struct row_options){.patience_ms = 400});
        assert_int_equal(t->failed, 1);
        bool cause = t->causes[codes[i].cause] == 1, fate = (t->last.fate == WEIR_DEAD_LETTER) == (codes[i].class == NEVER);
        if (!cause || !fate || (t->attempts_max > 1) == (codes[i].class == NEVER))
            fail_msg("code %04x, %u attempts: %s", (unsigned)codes[i].code, t->attempts_max, t->last.text);
        tally_free(t);
    }
    client_close(&c);
}

// A quarter of all answers is an error of some kind that may pass: all rows pass.
static void codes_mixed(void **state)
{
    (void)state;
    struct client c;
    struct tally *t = tally_make();
    client_open(&c, &ring_v5, NULL);
    for (uint32_t i = 0; i < CODES; i++) {
        if (codes[i].class != NEVER)
            fake_rule_add(c.ring,
                          &(struct fake_rule){.node = FAKE_ANY, .opcode = CQL_OP_EXECUTE, .chance = 25, .error = codes[i].code, .executed = i % 2});
    }
    client_write(&c, t, 0, 2000, NULL);
    assert_int_equal(tally_wait(t)->good, 2000);
    assert_int_equal(client_missing(&c, t, 0, 2000, NULL), 0);
    assert_int_equal(fake_rows_doubled(c.ring), 0);
    assert_true(cql_session_counters(c.session).retries > 0);
    client_close(&c);
    tally_free(t);
}

static void prepare_and_query(void **state)
{
    (void)state;
    struct client c;
    struct weir_error err;
    const struct cql_prepared *p;
    struct cql_result *result;
    client_open(&c, &ring_v5, NULL);
    fake_rule_add(c.ring, &(struct fake_rule){.node = FAKE_ANY, .opcode = CQL_OP_PREPARE, .text = "nonsense", .error = CQL_ERROR_SYNTAX});
    fake_rule_add(c.ring, &(struct fake_rule){.node = FAKE_ANY, .opcode = CQL_OP_QUERY, .text = "nowhere", .error = CQL_ERROR_INVALID});
    assert_true(cql_prepare(c.session, "INSERT nonsense", &p, &err) < 0);
    assert_non_null(strstr(err.text, "2000"));
    assert_true(cql_run_text(c.session, "SELECT * FROM nowhere", &result, &err) < 0);
    assert_int_equal(err.fate, WEIR_DEAD_LETTER);
    assert_int_equal(cql_run_text(c.session, "SELECT k FROM ks.t", &result, &err), 0);
    assert_int_equal(cql_result_rows(result), 0);
    cql_result_free(result);
    client_close(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(codes_once_v5), cmocka_unit_test(codes_once_v4),     cmocka_unit_test(codes_for_ever),
        cmocka_unit_test(codes_mixed),   cmocka_unit_test(prepare_and_query),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
