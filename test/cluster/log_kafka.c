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

static const char *self;

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
    *s = (struct log_subject){.prefix = k.prefix, .reopen = reopen, .context = &k};
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

static void test_read(void **state)
{
    log_suite_reads_what_was_appended(*state);
}

static void test_positions(void **state)
{
    log_suite_keeps_positions(*state);
}

static void test_dead_letters(void **state)
{
    log_suite_appends_dead_letters(*state);
}

static void test_names(void **state)
{
    log_suite_names_topics(*state);
}

static void test_delete(void **state)
{
    log_suite_deletes_topics(*state, false);
}

static void test_producers(void **state)
{
    log_suite_takes_several_producers(*state);
}

static void test_share(void **state)
{
    log_suite_shares_alone(*state);
}

static void test_letters_in_order(void **state)
{
    dead_suite_keeps_order(*state);
}

static void test_letters_whole(void **state)
{
    dead_suite_says_it_all_and_forgets(*state);
}

static void test_letters_cut(void **state)
{
    dead_suite_cuts_what_is_long(*state);
}

static void test_kills(void **state)
{
    struct log_subject *s = *state;
    log_suite_topic(s, "killed", FEED_KILLS_PARTITIONS, 0);
    feed_kills_lose_and_double_nothing(s, self, s->prefix);
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
    self = argv[0];
    if (argc > 2) {
        struct log_subject s;
        name_all(&s, argv[2]);
        open_all(&s);
        feed_kills_be_killed(&s);
        close_all(&s);
        return 0;
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_read, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_positions, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_dead_letters, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_names, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_delete, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_producers, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_share, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_letters_in_order, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_letters_whole, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_letters_cut, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_kills, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_two_feeders, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
