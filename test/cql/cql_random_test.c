// SPDX-License-Identifier: Apache-2.0
// Seeded chaos: faults by chance, nodes that go, freeze and come back, amid writes. Whatever happens, every request is answered once, every
// acknowledged row is there under its one timestamp, every idempotent row passes in the end. WEIR_FUZZ_SEED chooses other seeds.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/hash.h"
#include "client.h"
#include "cql/message.h"

enum { NODES = 4, SEEDS = 12, CHUNKS = 40, CHUNK_ROWS = 60 };

struct chaos {
    struct client client;
    struct tally *firm, *loose; // idempotent rows, and others, which may fail
    uint64_t seed;
    uint32_t draws, firm_rows, loose_rows;
    bool stopped[NODES], frozen[NODES];
};

static uint32_t draw(struct chaos *x, uint32_t below)
{
    x->draws++;
    return (uint32_t)(weir_hash64(&x->draws, sizeof x->draws, x->seed) % below);
}

static void add_faults(struct chaos *x)
{
    static const enum fake_what faults[] = {FAKE_ERROR,    FAKE_UNPREPARED, FAKE_HOLD,           FAKE_SILENCE,    FAKE_CLOSE,
                                            FAKE_RESET,    FAKE_HALF_OPEN,  FAKE_BAD_HEADER,     FAKE_BAD_LENGTH, FAKE_BAD_OPCODE,
                                            FAKE_BAD_BODY, FAKE_TRUNCATED,  FAKE_STRANGE_STREAM, FAKE_WARNING};
    static const int32_t errors[] = {CQL_ERROR_SERVER,        CQL_ERROR_UNAVAILABLE,   CQL_ERROR_OVERLOADED,
                                     CQL_ERROR_WRITE_TIMEOUT, CQL_ERROR_WRITE_FAILURE, CQL_ERROR_IS_BOOTSTRAPPING};
    static const int opcodes[] = {CQL_OP_EXECUTE, CQL_OP_BATCH, CQL_OP_PREPARE, CQL_OP_QUERY, FAKE_ANY};
    for (uint32_t i = 0; i < 6; i++) {
        fake_rule_add(x->client.ring, &(struct fake_rule){.node = draw(x, 3) ? FAKE_ANY : (int)draw(x, NODES),
                                                          .opcode = opcodes[draw(x, 5)],
                                                          .chance = 1 + draw(x, 25),
                                                          .what = faults[draw(x, sizeof faults / sizeof *faults)],
                                                          .error = errors[draw(x, 6)],
                                                          .executed = draw(x, 2)});
    }
}

static void shake_node(struct chaos *x, uint32_t node)
{
    struct fake_ring *r = x->client.ring;
    switch (draw(x, 4)) {
    case 0:
        if (x->stopped[node])
            fake_node_start(r, node);
        else
            fake_node_stop(r, node);
        x->stopped[node] = !x->stopped[node];
        break;
    case 1:
        x->frozen[node] = !x->frozen[node];
        fake_node_freeze(r, node, x->frozen[node]);
        break;
    case 2:
        fake_node_forget(r, node);
        break;
    default:
        fake_event(r, "STATUS_CHANGE", draw(x, 2) ? "UP" : "DOWN", node);
        break;
    }
}

static void shake(struct chaos *x)
{
    struct fake_ring *r = x->client.ring;
    switch (draw(x, 6)) {
    case 0:
    case 1:
        shake_node(x, draw(x, NODES));
        break;
    case 2:
        fake_chop(r, draw(x, 3) ? 0 : 1 + draw(x, 30));
        break;
    case 3:
        fake_capacity(r, draw(x, 2) ? 0 : 1 + draw(x, 10));
        break;
    default:
        fake_release(r, draw(x, 2));
        break;
    }
}

static void heal(struct chaos *x)
{
    struct fake_ring *r = x->client.ring;
    fake_rules_clear(r);
    fake_chop(r, 0);
    fake_capacity(r, 0);
    for (uint32_t n = 0; n < NODES; n++) {
        fake_node_freeze(r, n, false);
        fake_node_start(r, n);
    }
    fake_release(r, false);
}

static void write_some(struct chaos *x)
{
    const struct row_options firm = {.patience_ms = UINT32_MAX}, loose = {.not_idempotent = true, .patience_ms = 500};
    uint32_t rows = 1 + draw(x, CHUNK_ROWS);
    client_write(&x->client, x->firm, x->firm_rows, rows, &firm);
    x->firm_rows += rows;
    client_write(&x->client, x->loose, 50000 + x->loose_rows, 5, &loose);
    x->loose_rows += 5;
}

static void check(struct chaos *x)
{
    struct client *c = &x->client;
    tally_wait(x->firm);
    tally_wait(x->loose);
    if (x->firm->failed)
        fail_msg("%u of %u idempotent rows failed: %s", x->firm->failed, x->firm->submitted, x->firm->last.text);
    assert_int_equal(client_missing(c, x->firm, 0, x->firm_rows, NULL), 0);
    assert_int_equal(client_missing(c, x->loose, 50000, x->loose_rows, NULL), 0);
    assert_int_equal(fake_rows_doubled(c->ring), 0);
    assert_int_equal(fake_stats(c->ring, FAKE_ANY).streams_busy, 0);
    assert_int_equal(fake_stats(c->ring, FAKE_ANY).garbage, 0);
}

static void live_through(uint64_t seed)
{
    struct chaos x = {.seed = seed, .firm = tally_make(), .loose = tally_make()};
    struct fake_options ring = {.nodes = NODES, .version_max = seed % 3 ? 5 : 4, .no_compression = seed % 4 == 0};
    print_message("seed %llu\n", (unsigned long long)seed);
    client_open(&x.client, &ring, &(struct cql_options){.request_timeout_ms = 150, .connect_timeout_ms = 300, .io_threads = 1 + seed % 2});
    fake_seed(x.client.ring, seed);
    add_faults(&x);
    for (uint32_t i = 0; i < CHUNKS; i++) {
        write_some(&x);
        shake(&x);
        for (uint32_t looks = draw(&x, 8); looks; looks--)
            moment();
    }
    heal(&x);
    check(&x);
    client_close(&x.client);
    tally_free(x.firm);
    tally_free(x.loose);
}

static void chaos(void **state)
{
    (void)state;
    const char *chosen = getenv("WEIR_FUZZ_SEED");
    uint64_t first = chosen ? strtoull(chosen, NULL, 10) : 1;
    for (uint64_t seed = first; seed < first + SEEDS; seed++)
        live_through(seed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(chaos)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
