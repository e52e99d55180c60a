// SPDX-License-Identifier: Apache-2.0
#include "cql/replicas.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

#include <cmocka.h>

static void put(struct cql_replication *r, const char *key, const char *value)
{
    cql_replication_put(r, weir_str_of(key), weir_str_of(value));
}

// Six nodes, one token each: 10, 20 … 60.
static const struct cql_vnode six[] = {{10, 0}, {20, 1}, {30, 2}, {40, 3}, {50, 4}, {60, 5}};

static void expect(const struct cql_ring *ring, const struct cql_replication *r, int64_t token, const char *nodes)
{
    struct cql_replicas made;
    cql_replicas_make(ring, r, &made);
    uint32_t vnode = cql_ring_find(ring, token);
    char found[16];
    uint32_t count = made.first[vnode + 1] - made.first[vnode];
    for (uint32_t i = 0; i < count; i++)
        found[i] = (char)('0' + made.nodes[made.first[vnode] + i]);
    found[count] = 0;
    cql_replicas_drop(&made);
    assert_string_equal(found, nodes);
}

static void test_find(void **state)
{
    (void)state;
    struct cql_ring ring = {.node_count = 6, .vnode_count = 6, .vnodes = six};
    assert_int_equal(cql_ring_find(&ring, INT64_MIN), 0);
    assert_int_equal(cql_ring_find(&ring, 10), 0); // a token owns up to and with itself
    assert_int_equal(cql_ring_find(&ring, 11), 1);
    assert_int_equal(cql_ring_find(&ring, 60), 5);
    assert_int_equal(cql_ring_find(&ring, 61), 0); // round the ring
    assert_int_equal(cql_ring_find(&ring, INT64_MAX), 0);
}

static void test_simple(void **state)
{
    (void)state;
    static const struct cql_place places[6] = {{"a", "r"}, {"b", "r"}, {"a", "r"}, {"b", "r"}, {"a", "r"}, {"b", "r"}};
    struct cql_ring ring = {.node_count = 6, .vnode_count = 6, .places = places, .vnodes = six};
    struct cql_replication r = {0};
    put(&r, "class", "org.apache.cassandra.locator.SimpleStrategy");
    put(&r, "replication_factor", "3");
    expect(&ring, &r, 15, "123");
    expect(&ring, &r, 55, "501");
    put(&r, "replication_factor", "9"); // more than there are nodes
    expect(&ring, &r, 15, "123450");
}

// Racks first: 0 and 1 share one, so that 1 is passed over until all racks have a replica.
static void test_network_racks(void **state)
{
    (void)state;
    static const struct cql_place places[6] = {{"dc", "r1"}, {"dc", "r1"}, {"dc", "r1"}, {"dc", "r2"}, {"dc", "r2"}, {"dc", "r3"}};
    struct cql_ring ring = {.node_count = 6, .vnode_count = 6, .places = places, .vnodes = six};
    struct cql_replication r = {0};
    put(&r, "class", "org.apache.cassandra.locator.NetworkTopologyStrategy");
    put(&r, "dc", "3");
    expect(&ring, &r, 5, "035");
    expect(&ring, &r, 35, "350");
    expect(&ring, &r, 45, "450");
}

// Fewer racks than replicas: as many repeats as are missing, the first that come.
static void test_network_few_racks(void **state)
{
    (void)state;
    static const struct cql_place places[6] = {{"dc", "r1"}, {"dc", "r1"}, {"dc", "r1"}, {"dc", "r2"}, {"dc", "r2"}, {"dc", "r2"}};
    struct cql_ring ring = {.node_count = 6, .vnode_count = 6, .places = places, .vnodes = six};
    struct cql_replication r = {0};
    put(&r, "class", "NetworkTopologyStrategy");
    put(&r, "dc", "3");
    expect(&ring, &r, 5, "013");  // one repeat is allowed (node 1), then rack r2 must come
    expect(&ring, &r, 25, "234"); // r1, r2, and one repeat of r2
    put(&r, "other", "2");        // a data centre without nodes
    expect(&ring, &r, 5, "013");
}

static void test_network_two_datacenters(void **state)
{
    (void)state;
    static const struct cql_place places[6] = {{"a", "r1"}, {"b", "r1"}, {"a", "r2"}, {"b", "r2"}, {"a", "r3"}, {"c", "r1"}};
    struct cql_ring ring = {.node_count = 6, .vnode_count = 6, .places = places, .vnodes = six};
    struct cql_replication r = {0};
    put(&r, "class", "NetworkTopologyStrategy");
    put(&r, "a", "2");
    put(&r, "b", "1");
    expect(&ring, &r, 5, "012");
    expect(&ring, &r, 25, "234");
    put(&r, "c", "3/1"); // transient replicas count; there is one node only
    expect(&ring, &r, 45, "4501");
}

static void test_others(void **state)
{
    (void)state;
    static const struct cql_place places[6] = {{"a", "r"}, {"a", "r"}, {"a", "r"}, {"a", "r"}, {"a", "r"}, {"a", "r"}};
    struct cql_ring ring = {.node_count = 6, .vnode_count = 6, .places = places, .vnodes = six};
    struct cql_replication local = {0}, everywhere = {0}, nonsense = {0};
    put(&local, "class", "org.apache.cassandra.locator.LocalStrategy");
    expect(&ring, &local, 15, "");
    put(&everywhere, "class", "org.apache.cassandra.locator.EverywhereStrategy");
    expect(&ring, &everywhere, 15, "123450");
    put(&nonsense, "class", "SimpleStrategy");
    put(&nonsense, "replication_factor", "many");
    expect(&ring, &nonsense, 15, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_find),
        cmocka_unit_test(test_simple),
        cmocka_unit_test(test_network_racks),
        cmocka_unit_test(test_network_few_racks),
        cmocka_unit_test(test_network_two_datacenters),
        cmocka_unit_test(test_others),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
