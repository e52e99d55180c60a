// SPDX-License-Identifier: Apache-2.0
// State in a changelog topic, on librdkafka's mock cluster.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "kafka/mock_cluster.h"
#include "state_suite.h"

struct cluster {
    rd_kafka_mock_cluster_t *mock;
    struct weir_kafka *kafka;
    struct weir_kafka_txn *txn;
};

static void open_all(struct state_subject *s)
{
    struct cluster *c = s->context;
    state_suite_ok(weir_state_changelog(c->kafka, "pipe", STATE_SUITE_PARTITIONS, 1, &s->state, &state_suite_err));
    state_suite_ok(weir_state_changelog(c->kafka, "pipe2", STATE_SUITE_PARTITIONS, 1, &s->other, &state_suite_err));
}

static void close_all(struct state_subject *s)
{
    weir_state_close(s->state);
    weir_state_close(s->other);
}

static void reopen(struct state_subject *s)
{
    close_all(s);
    open_all(s);
}

static void apply(struct state_subject *s)
{
    struct cluster *c = s->context;
    enum weir_kafka_fate fate;
    state_suite_ok(weir_kafka_txn_begin(c->txn, &state_suite_err));
    state_suite_ok(weir_kafka_txn_add(c->txn, s->commit.kafka, &state_suite_err));
    state_suite_ok(weir_kafka_txn_commit(c->txn, &fate, &state_suite_err));
    assert_int_equal(fate, WEIR_KAFKA_DONE);
    weir_kafka_batch_clear(s->commit.kafka);
}

static void drop(struct state_subject *s)
{
    struct cluster *c = s->context;
    state_suite_ok(weir_kafka_txn_begin(c->txn, &state_suite_err));
    weir_kafka_txn_abort(c->txn);
    weir_kafka_batch_clear(s->commit.kafka);
}

static int set_up(void **state)
{
    static struct cluster c;
    static struct state_subject s;
    char url[MOCK_URL_BYTES];
    c = (struct cluster){.mock = mock_cluster_start(1, url)};
    assert_int_equal(rd_kafka_mock_topic_create(c.mock, "pipe-changelog", STATE_SUITE_PARTITIONS, 1), RD_KAFKA_RESP_ERR_NO_ERROR);
    assert_int_equal(rd_kafka_mock_topic_create(c.mock, "pipe2-changelog", STATE_SUITE_PARTITIONS, 1), RD_KAFKA_RESP_ERR_NO_ERROR);
    state_suite_ok(weir_kafka_new(url, 0, NULL, &c.kafka, &state_suite_err));
    state_suite_ok(weir_kafka_txn_open(c.kafka, "suite", &c.txn, &state_suite_err));
    s = (struct state_subject){.commit.kafka = weir_kafka_batch_new(), .apply = apply, .drop = drop, .reopen = reopen, .context = &c};
    open_all(&s);
    *state = &s;
    return 0;
}

static int tear_down(void **state)
{
    struct state_subject *s = *state;
    struct cluster *c = s->context;
    close_all(s);
    weir_kafka_batch_free(s->commit.kafka);
    weir_kafka_txn_close(c->txn);
    weir_kafka_free(c->kafka);
    mock_cluster_end(c->mock);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {STATE_SUITE(set_up, tear_down)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
