// SPDX-License-Identifier: Apache-2.0
// Rings that change under a session: discovery, routing, nodes that go, come back, move and are replaced, events, versions and logins.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/hash.h"
#include "client.h"
#include "cql/message.h"

static const struct fake_options three = {.nodes = 3};
static const struct cql_options impatient = {.request_timeout_ms = 500, .connect_timeout_ms = 500};

// Writes until `rows` more are good; fails the test where one is not.
static void write_rows(struct client *c, struct tally *t, uint32_t rows)
{
    client_write(c, t, t->submitted, rows, NULL);
    tally_wait(t);
    if (t->failed)
        fail_msg("%u rows failed: %s", t->failed, t->last.text);
    assert_int_equal(client_missing(c, t, 0, t->submitted, NULL), 0);
    assert_int_equal(fake_rows_doubled(c->ring), 0);
}

// Writes until a node has got some.
static void write_until_used(struct client *c, struct tally *t, uint32_t node)
{
    uint64_t before = fake_stats(c->ring, (int)node).executes;
    while (fake_stats(c->ring, (int)node).executes == before && t->submitted < 30000)
        write_rows(c, t, 50);
    assert_true(fake_stats(c->ring, (int)node).executes > before);
}

// ---- what is there

static void check_replicas(struct client *c, uint32_t factor)
{
    char addresses[FAKE_NODES_MAX][46];
    for (uint32_t i = 0; i < 2000; i++) {
        uint32_t nodes[FAKE_NODES_MAX], expected;
        int64_t token = (int64_t)weir_hash64(&i, sizeof i, 99);
        expected = fake_replicas(c->ring, token, nodes);
        assert_int_equal(expected, factor);
        assert_int_equal(cql_session_replicas(c->session, "ks", token, FAKE_NODES_MAX, addresses), expected);
        for (uint32_t n = 0; n < expected; n++)
            assert_string_equal(addresses[n], fake_address(c->ring, nodes[n]));
    }
}

static void found_from_one_address(void **state)
{
    (void)state;
    for (int old = 0; old < 2; old++) {
        struct client c;
        struct fake_options ring = {.nodes = 7, .replication = 3, .no_peers_v2 = old, .version_max = old ? 4 : 5};
        client_open(&c, &ring, &(struct cql_options){.host_count = 1, .hosts = (const char *const[]){"127.0.1.1"}});
        EVENTUALLY(client_up(&c) == 7);
        check_replicas(&c, 3);
        struct cql_node node = client_node(&c, 4);
        assert_string_equal(node.address, fake_address(c.ring, 4));
        assert_string_equal(node.datacenter, "dc1");
        assert_string_equal(node.rack, "rack2");
        assert_string_equal(node.release, "5.0.2");
        assert_int_equal(node.tokens, 8);
        assert_true(node.ownership > 0 && node.ownership < 1);
        client_close(&c);
    }
}

static void rows_go_to_their_replicas(void **state)
{
    (void)state;
    struct client c;
    struct tally *t = tally_make();
    client_open(&c, &(struct fake_options){.nodes = 6, .replication = 2}, NULL);
    EVENTUALLY(client_up(&c) == 6);
    write_rows(&c, t, 2000);
    assert_int_equal(fake_stats(c.ring, FAKE_ANY).misrouted, 0);
    for (int n = 0; n < 6; n++)
        assert_true(fake_stats(c.ring, n).rows > 100);
    client_close(&c);
    tally_free(t);
}

static void local_datacenter_only(void **state)
{
    (void)state;
    struct client c;
    struct tally *t = tally_make();
    client_open(&c, &(struct fake_options){.nodes = 4, .replication = 3, .datacenters = 2}, &(struct cql_options){.local_dc = "dc2"});
    EVENTUALLY(client_up(&c) >= 2);
    write_rows(&c, t, 500);
    assert_int_equal(fake_stats(c.ring, 0).rows + fake_stats(c.ring, 2).rows, 0);
    client_close(&c);
    tally_free(t);
}

static void version_of(const struct fake_options *ring, const struct cql_options *options, enum cql_version version, bool lz4)
{
    struct client c;
    struct tally *t = tally_make();
    client_open(&c, ring, options);
    EVENTUALLY(client_up(&c) == 1);
    write_rows(&c, t, 100);
    struct fake_stats stats = fake_stats(c.ring, FAKE_ANY);
    assert_int_equal(cql_session_version(c.session), version);
    assert_int_equal(version == CQL_V5 ? stats.v4 : stats.v5, 0);
    assert_int_equal(stats.lz4 > 0, lz4);
    assert_int_equal(stats.throws, stats.v4 + stats.v5);
    assert_int_equal(stats.garbage, 0);
    client_close(&c);
    tally_free(t);
}

static void versions_are_agreed_on(void **state)
{
    (void)state;
    version_of(&(struct fake_options){0}, NULL, CQL_V5, true);
    version_of(&(struct fake_options){.no_compression = true}, NULL, CQL_V5, false);
    version_of(&(struct fake_options){0}, &(struct cql_options){.no_compression = true}, CQL_V5, false);
    version_of(&(struct fake_options){0}, &(struct cql_options){.version_max = CQL_V4}, CQL_V4, true);
    version_of(&(struct fake_options){.version_max = 4}, NULL, CQL_V4, true);
    version_of(&(struct fake_options){.version_max = 4, .no_compression = true}, NULL, CQL_V4, false);
    version_of(&(struct fake_options){.v5_beta = true}, NULL, CQL_V4, true);
}

static void pages(void **state)
{
    (void)state;
    struct client c;
    struct tally *t = tally_make();
    struct weir_error err;
    struct weir_buffer paging = {0};
    uint32_t rows = 0, answers = 0;
    client_open(&c, &three, NULL);
    write_rows(&c, t, 1000);
    do {
        struct cql_request request = {.kind = CQL_QUERY,
                                      .text = "SELECT k, c FROM ks.t",
                                      .consistency = CQL_ONE,
                                      .idempotent = true,
                                      .page_rows = 64,
                                      .paging_state = weir_buffer_view(&paging)};
        struct cql_result *result;
        assert_int_equal(cql_run(c.session, &request, &result, &err), 0);
        rows += cql_result_rows(result);
        answers++;
        struct weir_str next = cql_result_paging_state(result);
        paging.bytes = 0;
        weir_buffer_add(&paging, next.data, next.bytes);
        cql_result_free(result);
    } while (paging.bytes);
    assert_int_equal(rows, 1000);
    assert_int_equal(answers, 16);
    weir_buffer_drop(&paging);
    client_close(&c);
    tally_free(t);
}

// ---- what changes

static void a_node_goes_and_comes_back(void **state)
{
    (void)state;
    struct client c;
    struct tally *t = tally_make();
    client_open(&c, &three, &impatient);
    EVENTUALLY(client_up(&c) == 3);
    for (uint32_t n = 0; n < 3; n++) { // each, so that the control connection's goes too
        fake_node_stop(c.ring, n);
        write_rows(&c, t, 200);
        EVENTUALLY(client_up(&c) == 2);
        assert_true(client_node(&c, n).trouble[0]);
        fake_node_start(c.ring, n);
        fake_event(c.ring, "STATUS_CHANGE", "UP", n);
        EVENTUALLY(client_up(&c) == 3);
        write_until_used(&c, t, n);
    }
    client_close(&c);
    tally_free(t);
}

static void all_nodes_go_and_come_back(void **state)
{
    (void)state;
    struct client c;
    struct tally *t = tally_make();
    client_open(&c, &three, &impatient);
    EVENTUALLY(client_up(&c) == 3);
    for (uint32_t n = 0; n < 3; n++)
        fake_node_stop(c.ring, n);
    client_write(&c, t, 0, 100, &(struct row_options){.patience_ms = UINT32_MAX});
    EVENTUALLY(client_up(&c) == 0);
    for (uint32_t n = 0; n < 3; n++)
        fake_node_start(c.ring, n);
    write_rows(&c, t, 100);
    EVENTUALLY(client_up(&c) == 3);
    client_close(&c);
    tally_free(t);
}

static void a_node_moves(void **state)
{
    (void)state;
    struct client c;
    struct tally *t = tally_make();
    client_open(&c, &three, &impatient);
    EVENTUALLY(client_up(&c) == 3);
    fake_node_move(c.ring, 1, "127.0.1.77");
    fake_event(c.ring, "TOPOLOGY_CHANGE", "NEW_NODE", 1);
    EVENTUALLY(strcmp(client_node(&c, 1).address, "127.0.1.77") == 0 && client_node(&c, 1).up);
    write_until_used(&c, t, 1);
    check_replicas(&c, 3);
    client_close(&c);
    tally_free(t);
}

static void a_node_is_replaced(void **state)
{
    (void)state;
    struct client c;
    struct tally *t = tally_make();
    client_open(&c, &three, &impatient);
    EVENTUALLY(client_up(&c) == 3);
    char *old = strdup(fake_host_id(c.ring, 2));
    fake_node_renew(c.ring, 2);
    fake_event(c.ring, "TOPOLOGY_CHANGE", "NEW_NODE", 2);
    EVENTUALLY(client_node(&c, 2).up);
    assert_string_not_equal(client_node(&c, 2).host_id, old);
    EVENTUALLY(client_up(&c) == 3);
    write_until_used(&c, t, 2);
    free(old);
    client_close(&c);
    tally_free(t);
}

static void a_node_leaves_and_another_joins(void **state)
{
    (void)state;
    struct client c;
    struct tally *t = tally_make();
    client_open(&c, &(struct fake_options){.nodes = 4}, &impatient);
    EVENTUALLY(client_up(&c) == 4);
    fake_node_leave(c.ring, 3, true);
    fake_event(c.ring, "TOPOLOGY_CHANGE", "REMOVED_NODE", 3);
    fake_node_stop(c.ring, 3);
    EVENTUALLY(client_node(&c, 3).host_id[0] == 0);
    write_rows(&c, t, 200);
    check_replicas(&c, 3);
    fake_node_start(c.ring, 3);
    fake_node_leave(c.ring, 3, false);
    fake_event(c.ring, "TOPOLOGY_CHANGE", "NEW_NODE", 3);
    EVENTUALLY(client_node(&c, 3).up);
    check_replicas(&c, 3);
    write_until_used(&c, t, 3);
    client_close(&c);
    tally_free(t);
}

// Thousands of events cost a few readings of the ring, not thousands.
static void event_storm(void **state)
{
    (void)state;
    static const char *const events[][2] = {
        {"STATUS_CHANGE", "UP"}, {"STATUS_CHANGE", "DOWN"}, {"TOPOLOGY_CHANGE", "NEW_NODE"}, {"TOPOLOGY_CHANGE", "MOVED_NODE"}};
    struct client c;
    struct tally *t = tally_make();
    client_open(&c, &three, NULL);
    EVENTUALLY(client_up(&c) == 3);
    struct fake_stats before = fake_stats(c.ring, FAKE_ANY);
    int64_t since = weir_monotonic_us();
    for (uint32_t i = 0; i < 4000; i++)
        fake_event(c.ring, events[i % 4][0], events[i % 4][1], i % 3);
    write_rows(&c, t, 1000);
    struct fake_stats after = fake_stats(c.ring, FAKE_ANY);
    uint64_t seconds = (uint64_t)(weir_monotonic_us() - since) / 1000000;
    assert_true(after.events - before.events >= 4000);
    assert_in_range(after.queries - before.queries, 0, 30 + 10 * seconds);
    assert_in_range(after.accepted - before.accepted, 0, 10 + 3 * seconds);
    EVENTUALLY(client_up(&c) == 3);
    client_close(&c);
    tally_free(t);
}

// DDL waits until the nodes agree, and says so when they do not.
static void *agree_later(void *context)
{
    struct client *c = context;
    uint64_t queries = fake_stats(c->ring, FAKE_ANY).queries;
    for (int i = 0; i < 20000 && fake_stats(c->ring, FAKE_ANY).queries < queries + 4; i++)
        moment();
    fake_node_disagree(c->ring, 1, false);
    return NULL;
}

static void schema_disagreement(void **state)
{
    (void)state;
    struct client c;
    struct weir_error err;
    struct cql_result *result;
    pthread_t thread;
    client_open(&c, &three, NULL);
    fake_node_disagree(c.ring, 1, true);
    assert_true(cql_await_schema(c.session, 300, &err) < 0);
    assert_int_equal(err.code, WEIR_UNAVAILABLE);
    assert_non_null(strstr(err.text, "127."));
    assert_non_null(strstr(err.text, "has another version"));
    pthread_create(&thread, NULL, agree_later, &c);
    int rc = cql_run_text(c.session, "CREATE TABLE ks.t (k text PRIMARY KEY)", &result, &err);
    pthread_join(thread, NULL);
    assert_int_equal(rc, 0);
    cql_result_free(result);
    assert_int_equal(cql_await_schema(c.session, 0, &err), 0);
    client_close(&c);
}

// ---- doors that stay shut

static void logins(void **state)
{
    (void)state;
    struct fake_options ring = {.nodes = 2, .username = "weir", .password = "secret"};
    struct client c;
    struct tally *t = tally_make();
    struct weir_error err;
    client_open(&c, &ring, &(struct cql_options){.username = "weir", .password = "secret"});
    write_rows(&c, t, 100);
    EVENTUALLY(client_up(&c) == 2);
    client_close(&c);
    static const struct cql_options wrong[] = {{.username = "weir", .password = "guess"}, {0}};
    for (uint32_t i = 0; i < 2; i++) {
        int64_t since = weir_monotonic_us();
        assert_true(client_try(&c, &ring, &wrong[i], &err) < 0);
        assert_int_equal(err.code, WEIR_BAD_CONFIG);
        assert_non_null(strstr(err.text, "127.0.1."));
        assert_true(weir_monotonic_us() - since < 8000000); // at once, not when the time to open is over
        client_close(&c);
    }
    tally_free(t);
}

static void nobody_there(void **state)
{
    (void)state;
    struct client c = {.lock = PTHREAD_MUTEX_INITIALIZER, .ring = fake_ring_open(&three)};
    struct weir_error err;
    struct cql_options hasty = {.open_timeout_ms = 600, .connect_timeout_ms = 200, .request_timeout_ms = 200};
    fake_node_stop(c.ring, 0);
    fake_node_freeze(c.ring, 1, true);
    fake_rule_add(c.ring, &(struct fake_rule){.node = 2, .opcode = FAKE_ANY, .what = FAKE_CLOSE});
    assert_true(client_session(&c, &hasty, &err) < 0);
    assert_int_equal(err.code, WEIR_UNAVAILABLE);
    assert_non_null(strstr(err.text, "127.0.1."));
    client_close(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(found_from_one_address),
        cmocka_unit_test(rows_go_to_their_replicas),
        cmocka_unit_test(local_datacenter_only),
        cmocka_unit_test(versions_are_agreed_on),
        cmocka_unit_test(pages),
        cmocka_unit_test(a_node_goes_and_comes_back),
        cmocka_unit_test(all_nodes_go_and_come_back),
        cmocka_unit_test(a_node_moves),
        cmocka_unit_test(a_node_is_replaced),
        cmocka_unit_test(a_node_leaves_and_another_joins),
        cmocka_unit_test(event_storm),
        cmocka_unit_test(schema_disagreement),
        cmocka_unit_test(logins),
        cmocka_unit_test(nobody_there),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
