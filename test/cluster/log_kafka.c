// SPDX-License-Identifier: Apache-2.0
// needs: kafka
// The log on a real broker through the logs' suite.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "dead_suite.h"
#include "feed_kills.h"
#include "log_suite.h"

struct kafka_subject {
    struct weir_kafka *kafka;
    char prefix[64], pipeline[80];
};

static void open_all(struct log_subject *s)
{
    struct kafka_subject *k = s->context;
    struct weir_error err;
    char url[256];
    const char *brokers = getenv("KAFKA");
    snprintf(url, sizeof url, "kafka://%s", brokers ? brokers : "127.0.0.1:9092");
    log_suite_ok(weir_kafka_new(url, 0, NULL, &k->kafka, &err), &err);
    log_suite_ok(weir_kafka_reach(k->kafka, 10000, &err), &err);
    log_suite_ok(weir_log_kafka(k->kafka, k->pipeline, &s->log, &err), &err);
    log_suite_ok(weir_dead_kafka(k->kafka, k->pipeline, 3, 1, &s->dead, &err), &err);
}

static void close_all(struct log_subject *s)
{
    weir_dead_close(s->dead);
    weir_log_close(s->log);
    weir_kafka_free(((struct kafka_subject *)s->context)->kafka);
}

static void reopen(struct log_subject *s)
{
    close_all(s);
    open_all(s);
}

static void name_all(struct log_subject *s, const char *prefix)
{
    static struct kafka_subject k;
    k = (struct kafka_subject){0};
    snprintf(k.prefix, sizeof k.prefix, "%s", prefix);
    snprintf(k.pipeline, sizeof k.pipeline, "%spipeline", prefix);
    *s = (struct log_subject){.prefix = k.prefix, .reopen = reopen, .where = k.prefix, .context = &k};
}

static int set_up(void **state)
{
    static struct log_subject s;
    static int tests;
    char prefix[64];
    snprintf(prefix, sizeof prefix, "log-%d-%d-", (int)getpid(), tests++);
    name_all(&s, prefix);
    open_all(&s);
    *state = &s;
    return 0;
}

struct names {
    const char *prefix;
    char *items[64];
    size_t count;
};

static int keep_name(void *context, const struct weir_topic_config *config)
{
    struct names *n = context;
    if (n->count < 64 && strncmp(config->name, n->prefix, strlen(n->prefix)) == 0)
        n->items[n->count++] = strdup(config->name);
    return 0;
}

static int tear_down(void **state)
{
    struct log_subject *s = *state;
    struct weir_error err;
    struct names names = {.prefix = s->prefix};
    log_suite_ok(weir_topic_list(s->log, keep_name, &names, &err), &err);
    for (size_t i = 0; i < names.count; i++) {
        log_suite_ok(weir_topic_delete(s->log, names.items[i], &err), &err);
        free(names.items[i]);
    }
    close_all(s);
    return 0;
}

// The last to feed goes on; the other learns it, and may be opened without disturbing anybody as long as it does not flush.
static void test_two_feeders(void **state)
{
    struct log_subject *s = *state;
    struct weir_error err;
    log_suite_topic(s, "two", 1, 0);
    struct weir_producer *first = log_suite_producer(s, "two", "feed");
    log_suite_add(first, 1, 10);
    log_suite_flush(first, "1");
    struct weir_producer *second = log_suite_producer(s, "two", "feed");
    assert_true(weir_str_is(weir_producer_position(second), "1"));
    log_suite_add(first, 2, 10);
    log_suite_flush(first, "2");
    log_suite_add(second, 2, 10); // it went on from 1, which is not the last word any more
    assert_true(weir_producer_flush(second, WEIR_STR("2"), &err) < 0);
    assert_int_equal(err.fate, WEIR_RETRY);
    weir_producer_close(second);
    second = log_suite_producer(s, "two", "feed");
    log_suite_add(second, 3, 10);
    log_suite_flush(second, "3");
    log_suite_add(first, 3, 10);
    assert_true(weir_producer_flush(first, WEIR_STR("3"), &err) < 0);
    assert_int_equal(err.code, WEIR_FAILED);
    assert_int_equal(err.fate, WEIR_RETRY);
    log_suite_add(second, 4, 10);
    log_suite_flush(second, "4");
    weir_producer_close(first);
    weir_producer_close(second);
}

int main(int argc, char **argv)
{
    feed_kills_program = argv[0];
    if (argc > 2) {
        struct log_subject s;
        name_all(&s, argv[2]);
        open_all(&s);
        feed_kills_be_killed(&s);
        close_all(&s);
        return 0;
    }
    const struct CMUnitTest tests[] = {
        LOG_SUITE(set_up, tear_down),
        LOG_SUITE_TOPICS(set_up, tear_down),
        DEAD_SUITE(set_up, tear_down),
        cmocka_unit_test_setup_teardown(dead_suite_cuts_what_is_long, set_up, tear_down),
        cmocka_unit_test_setup_teardown(feed_kills_lose_and_double_nothing, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_two_feeders, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
