// SPDX-License-Identifier: Apache-2.0
// The log on Kafka through the logs' suite, on librdkafka's mock cluster: brokers in this very process, so that sanitizers see all of it. The mock makes
// no topics by request and knows no settings; what needs those is tried on a real broker (test/cluster/log_kafka.c).
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "dead_suite.h"
#include "feed_kills.h"
#include "kafka/mock_cluster.h"
#include "log_suite.h"

struct mock_subject {
    rd_kafka_mock_cluster_t *cluster;
    struct weir_kafka *kafka;
    char url[MOCK_URL_BYTES];
};

static void open_all(struct log_subject *s)
{
    struct mock_subject *m = s->context;
    struct weir_error err;
    log_suite_ok(weir_kafka_new(m->url, 0, NULL, &m->kafka, &err), &err);
    log_suite_ok(weir_log_kafka(m->kafka, "suite", &s->log, &err), &err);
    log_suite_ok(weir_dead_kafka(m->kafka, "suite", 3, 1, &s->dead, &err), &err);
}

static void close_all(struct log_subject *s)
{
    weir_dead_close(s->dead);
    weir_log_close(s->log);
    weir_kafka_free(((struct mock_subject *)s->context)->kafka);
}

static void reopen(struct log_subject *s)
{
    close_all(s);
    open_all(s);
}

static void make_topic(struct log_subject *s, const char *name, int32_t partitions)
{
    struct mock_subject *m = s->context;
    assert_int_equal(rd_kafka_mock_topic_create(m->cluster, name, partitions, 1), RD_KAFKA_RESP_ERR_NO_ERROR);
}

static int set_up(void **state)
{
    static struct mock_subject m;
    static struct log_subject s;
    m = (struct mock_subject){0};
    m.cluster = mock_cluster_start(1, m.url);
    s = (struct log_subject){.reopen = reopen, .topic = make_topic, .where = m.url, .context = &m};
    make_topic(&s, "suite-feeds", 1);
    make_topic(&s, "suite-dead-letters", 3);
    open_all(&s);
    *state = &s;
    return 0;
}

static int tear_down(void **state)
{
    struct log_subject *s = *state;
    struct mock_subject *m = s->context;
    close_all(s);
    mock_cluster_end(m->cluster);
    return 0;
}

static int be_killed(const char *url)
{
    struct mock_subject m = {0};
    struct log_subject s = {.reopen = reopen, .context = &m};
    snprintf(m.url, sizeof m.url, "%s", url);
    open_all(&s);
    feed_kills_be_killed(&s);
    close_all(&s);
    return 0;
}

int main(int argc, char **argv)
{
    feed_kills_program = argv[0];
    if (argc > 2)
        return be_killed(argv[2]);
    const struct CMUnitTest tests[] = {
        LOG_SUITE(set_up, tear_down),
        DEAD_SUITE(set_up, tear_down),
        cmocka_unit_test_setup_teardown(feed_kills_lose_and_double_nothing, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
