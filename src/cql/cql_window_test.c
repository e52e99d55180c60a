// SPDX-License-Identifier: Apache-2.0
#include "cql/window.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

// A node that works on `cores` requests at once, each for `service_us`, and keeps the others waiting: n requests always in flight have this latency.
static int64_t latency_of(uint32_t in_flight, uint32_t cores, int64_t service_us)
{
    return in_flight <= cores ? service_us : service_us * in_flight / cores;
}

// Answers one after another with the window always full; returns the highest latency of the last half.
static int64_t drive(struct cql_window *w, uint32_t cores, int64_t service_us, int answers)
{
    int64_t now = 1000000, worst = 0;
    for (int i = 0; i < answers; i++) {
        uint32_t in_flight = cql_window_size(w);
        int64_t latency = latency_of(in_flight, cores, service_us);
        now += latency / in_flight + 1;
        cql_window_answered(w, now, latency, in_flight - 1);
        if (i > answers / 2 && latency > worst)
            worst = latency;
    }
    return worst;
}

static void test_grows_where_latency_stays_low(void **state)
{
    (void)state;
    struct cql_window w;
    cql_window_init(&w, 256);
    assert_int_equal(cql_window_size(&w), 8);
    drive(&w, 1000, 500, 5000);
    assert_int_equal(cql_window_size(&w), 256);
}

static void test_small_maximum(void **state)
{
    (void)state;
    struct cql_window w;
    cql_window_init(&w, 1);
    drive(&w, 1000, 500, 100);
    assert_int_equal(cql_window_size(&w), 1);
}

static void test_unused_window_does_not_grow(void **state)
{
    (void)state;
    struct cql_window w;
    cql_window_init(&w, 256);
    for (int i = 0; i < 1000; i++)
        cql_window_answered(&w, 1000000 + i * 1000, 500, 2);
    assert_int_equal(cql_window_size(&w), 8);
}

// 3 ms of work a request on two cores: 96 in flight would take 144 ms.
static void test_finds_the_edge(void **state)
{
    (void)state;
    struct cql_window w;
    cql_window_init(&w, 256);
    int64_t worst = drive(&w, 2, 3000, 20000);
    assert_in_range(cql_window_size(&w), 8, 100);
    assert_true(worst < 160 * 1000);
}

static void test_trouble_halves_once_a_round_trip(void **state)
{
    (void)state;
    struct cql_window w;
    cql_window_init(&w, 256);
    for (int i = 0; i < 8; i++) // sent together, refused together
        cql_window_troubled(&w, 1000000 + i, 10000);
    assert_int_equal(cql_window_size(&w), 4);
    for (int i = 1; i < 100; i++)
        cql_window_troubled(&w, 1000000 + i * 20000, 10000);
    assert_int_equal(cql_window_size(&w), 1);
}

static void test_recovers(void **state)
{
    (void)state;
    struct cql_window w;
    cql_window_init(&w, 256);
    for (int i = 0; i < 100; i++)
        cql_window_troubled(&w, 1000000 + i * 20000, 10000);
    drive(&w, 1000, 500, 100000);
    assert_int_equal(cql_window_size(&w), 256);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_grows_where_latency_stays_low),    cmocka_unit_test(test_small_maximum),
        cmocka_unit_test(test_unused_window_does_not_grow),      cmocka_unit_test(test_finds_the_edge),
        cmocka_unit_test(test_trouble_halves_once_a_round_trip), cmocka_unit_test(test_recovers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
