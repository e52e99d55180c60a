// SPDX-License-Identifier: Apache-2.0
#include "store/cassandra/options.h"
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static struct weir_arena arena;

static struct cassandra_options good(const char *url, uint32_t count, const struct weir_option *options)
{
    struct cassandra_options o;
    struct weir_error err;
    if (cassandra_options_read(url, count, options, &arena, &o, &err) < 0)
        fail_msg("%s", err.text);
    return o;
}

static void expect_mistake(const char *url, const char *name, const char *value, const char *text)
{
    struct cassandra_options o;
    struct weir_error err;
    assert_true(cassandra_options_read(url, name != NULL, &(struct weir_option){name, value}, &arena, &o, &err) < 0);
    assert_int_equal(err.code, WEIR_BAD_CONFIG);
    if (!strstr(err.text, text))
        fail_msg("want \"%s\", got: %s", text, err.text);
}

static void addresses(void **state)
{
    (void)state;
    struct cassandra_options o = good("cassandra://a,b.example,10.0.0.1:9043/metric", 0, NULL);
    assert_int_equal(o.session.host_count, 3);
    assert_string_equal(o.session.hosts[1], "b.example");
    assert_string_equal(o.session.hosts[2], "10.0.0.1");
    assert_int_equal(o.session.port, 9043);
    assert_string_equal(o.keyspace, "metric");
    assert_int_equal(good("cassandra://a:1,b:1/k", 0, NULL).session.port, 1);
    static const char *const none[] = {"cassandra://",      "cassandra://a",     "cassandra://a/",       "cassandra:///k",
                                       "cassandra://a:0/k", "cassandra://a:x/k", "kafka://a/k",          "cassandra://,/k",
                                       "cassandra://a/b/c", "cassandra://a/b-c", "cassandra://a:1,b:2/k"};
    for (size_t i = 0; i < sizeof none / sizeof *none; i++)
        expect_mistake(none[i], NULL, NULL, "is no address of Cassandra");
}

static void defaults(void **state)
{
    (void)state;
    struct cassandra_options o = good("cassandra://a/k", 0, NULL);
    assert_int_equal(o.memory_max, 64 << 20);
    assert_int_equal(o.session.request_timeout_ms, 12000);
    assert_int_equal(o.session.version_max, CQL_V5);
    assert_false(o.session.no_compression || o.session.tls.on);
    assert_null(o.session.username);
    assert_int_equal(o.copies, 0);
}

static void values(void **state)
{
    (void)state;
    struct weir_option options[] = {{"username", "u"},           {"password", "p"},       {"tls", "true"},
                                    {"ca", "/ca.pem"},           {"compression", "none"}, {"protocol", "4"},
                                    {"request_timeout", "2 s"},  {"linger", "5"},         {"memory_max", "8 MiB"},
                                    {"batch_bytes_max", "4096"}, {"replication", "2"}};
    struct cassandra_options o = good("cassandra://a/k", sizeof options / sizeof *options, options);
    assert_string_equal(o.session.username, "u");
    assert_true(o.session.tls.on && o.session.no_compression);
    assert_int_equal(o.session.version_max, CQL_V4);
    assert_int_equal(o.session.request_timeout_ms, 2000);
    assert_int_equal(o.linger_ms, 5);
    assert_int_equal(o.memory_max, 8 << 20);
    assert_int_equal(o.batch_bytes_max, 4096);
    assert_int_equal(o.copies, 2);
}

static void replication_by_data_centre(void **state)
{
    (void)state;
    struct weir_option options[] = {{"replication.class", "NetworkTopologyStrategy"}, {"replication.it's", "3"}};
    assert_string_equal(good("cassandra://a/k", 2, options).replication, "{'class': 'NetworkTopologyStrategy', 'it''s': '3'}");
    struct weir_option map = {"replication", "{'class': 'SimpleStrategy', 'replication_factor': 2}"};
    assert_string_equal(good("cassandra://a/k", 1, &map).replication, map.value);
}

static void mistakes(void **state)
{
    (void)state;
    static const char url[] = "cassandra://a/k";
    expect_mistake(url, "usrname", "x", "no option 'usrname': did you mean 'username'?");
    expect_mistake(url, "nonsense_of_all_kinds", "x", "no option 'nonsense_of_all_kinds'");
    expect_mistake(url, "tls", "yes", "'tls' is true or false, not 'yes'");
    expect_mistake(url, "protocol", "3", "'protocol' is one of 5|4, not '3'");
    expect_mistake(url, "memory_max", "1 KiB", "'memory_max' must be from");
    expect_mistake(url, "memory_max", "9999999999999 GiB", "is a size");
    expect_mistake(url, "request_timeout", "soon", "is a duration");
    expect_mistake(url, "io_threads", "-1", "is a whole number");
    expect_mistake(url, "replication", "many", "'replication' is a number");
    expect_mistake(url, "ca", "/x", "'tls' is not true");
    expect_mistake(url, "username", "u", "go together");
}

static int drop(void **state)
{
    (void)state;
    weir_arena_drop(&arena);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(addresses), cmocka_unit_test(defaults), cmocka_unit_test(values), cmocka_unit_test(replication_by_data_centre),
        cmocka_unit_test(mistakes),
    };
    return cmocka_run_group_tests(tests, NULL, drop);
}
