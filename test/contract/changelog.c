// SPDX-License-Identifier: Apache-2.0
// State in a changelog topic, on librdkafka's mock cluster: what two processes that begin at once leave for the third.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/memory.h"
#include "kafka/kafka.h"
#include "state/state.h"
#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>
#include <stdio.h>

struct cluster {
    rd_kafka_t *handle; // what the mock lives in
    rd_kafka_mock_cluster_t *mock;
    struct weir_kafka *kafka;
};

static int set_up(void **state)
{
    static struct cluster c;
    char text[256];
    struct weir_error err;
    c = (struct cluster){.handle = rd_kafka_new(RD_KAFKA_PRODUCER, rd_kafka_conf_new(), text, sizeof text)};
    assert_non_null(c.handle);
    c.mock = rd_kafka_mock_cluster_new(c.handle, 1);
    assert_int_equal(rd_kafka_mock_topic_create(c.mock, "p-changelog", 1, 1), RD_KAFKA_RESP_ERR_NO_ERROR);
    snprintf(text, sizeof text, "kafka://%s", rd_kafka_mock_cluster_bootstraps(c.mock));
    if (weir_kafka_new(text, 0, NULL, &c.kafka, &err) < 0)
        fail_msg("%s", err.text);
    *state = &c;
    return 0;
}

static int tear_down(void **state)
{
    struct cluster *c = *state;
    weir_kafka_free(c->kafka);
    rd_kafka_mock_cluster_destroy(c->mock);
    rd_kafka_destroy(c->handle);
    return 0;
}

struct process {
    struct weir_state *state;
    struct weir_commit commit;
    int64_t epoch_us;
    bool fresh;
};

static int no_page(void *context, struct weir_str key, struct weir_str page, struct weir_error *err)
{
    (void)context, (void)page, (void)err;
    fail_msg("there is a page: %.*s", (int)key.bytes, key.data);
    return 0;
}

static void begin(struct cluster *c, struct process *p)
{
    struct weir_error err;
    *p = (struct process){.commit.kafka = weir_kafka_batch_new()};
    if (weir_state_changelog(c->kafka, "p", 1, 1, &p->state, &err) < 0 || weir_state_load(p->state, 0, no_page, NULL, &err) < 0 ||
        weir_state_epoch(p->state, 0, &p->commit, &p->epoch_us, &p->fresh, &err) < 0)
        fail_msg("%s", err.text);
}

static void commit(struct cluster *c, const char *id, struct process *p)
{
    struct weir_kafka_txn *txn;
    struct weir_error err;
    enum weir_kafka_fate fate = WEIR_KAFKA_ABORTED;
    if (weir_kafka_txn_open(c->kafka, id, &txn, &err) < 0 || weir_kafka_txn_begin(txn, &err) < 0 ||
        weir_kafka_txn_add(txn, p->commit.kafka, &err) < 0 || weir_kafka_txn_commit(txn, &fate, &err) < 0)
        fail_msg("%s", err.text);
    assert_int_equal(fate, WEIR_KAFKA_DONE);
    weir_kafka_txn_close(txn);
}

static void end(struct process *p)
{
    weir_kafka_batch_free(p->commit.kafka);
    weir_state_close(p->state);
}

static void the_higher_of_two_epochs_is_kept(void **state)
{
    struct cluster *c = *state;
    struct process first, second, third, fourth;
    begin(c, &first);
    begin(c, &second);
    assert_true(first.fresh && second.fresh);
    assert_true(second.epoch_us > first.epoch_us);
    commit(c, "second", &second);
    commit(c, "first", &first); // late
    begin(c, &third);
    assert_false(third.fresh);
    assert_true(third.epoch_us == second.epoch_us);
    assert_true(weir_kafka_batch_bytes(third.commit.kafka) > 0); // it is written again, and then no more
    commit(c, "third", &third);
    begin(c, &fourth);
    assert_true(fourth.epoch_us == second.epoch_us);
    assert_int_equal(weir_kafka_batch_bytes(fourth.commit.kafka), 0);
    end(&fourth);
    end(&first);
    end(&second);
    end(&third);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_higher_of_two_epochs_is_kept, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
