// SPDX-License-Identifier: Apache-2.0
// The client against librdkafka's own mock cluster: every error code that a broker may answer with, brokers that go and come back, fencing.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/memory.h"
#include "base/time.h"
#include "kafka/inside.h"
#include "mock_cluster.h"
#include <stdlib.h>

enum { PRODUCE = 0, FETCH = 1, LIST_OFFSETS = 2, OFFSET_FETCH = 9, FIND_COORDINATOR = 10, JOIN = 11, HEARTBEAT = 12, SYNC = 14 };
enum { INIT_PRODUCER = 22, ADD_PARTITIONS = 24, ADD_OFFSETS = 25, END_TXN = 26, TXN_OFFSET_COMMIT = 28 };

struct mock {
    rd_kafka_mock_cluster_t *cluster;
    struct weir_kafka *kafka;
};

static struct weir_error err;

#define ok(call)                                                                                                                                     \
    do {                                                                                                                                             \
        if ((call) < 0)                                                                                                                              \
            fail_msg("%s: %s", #call, err.text);                                                                                                     \
    } while (0)

static int set_up(void **state)
{
    static struct mock m;
    char url[MOCK_URL_BYTES];
    m.cluster = mock_cluster_start(2, url);
    rd_kafka_mock_topic_create(m.cluster, "in", 2, 2);
    rd_kafka_mock_topic_create(m.cluster, "out", 2, 2);
    const struct weir_option options[] = {{"transaction.timeout.ms", "4000"}, {"reconnect.backoff.max.ms", "200"}, {"socket.timeout.ms", "2000"}};
    ok(weir_kafka_new(url, 3, options, &m.kafka, &err));
    *state = &m;
    return 0;
}

static int tear_down(void **state)
{
    struct mock *m = *state;
    weir_kafka_free(m->kafka);
    mock_cluster_end(m->cluster);
    return 0;
}

static void push(struct mock *m, int16_t api, rd_kafka_resp_err_t code, size_t times)
{
    while (times-- > 0)
        rd_kafka_mock_push_request_errors(m->cluster, api, 1, code);
}

static void produce(struct mock *m, const char *topic, int count)
{
    struct weir_kafka_producer *p;
    ok(weir_kafka_producer_open(m->kafka, topic, &p, &err));
    for (int i = 0; i < count; i++) {
        char key[20], value[20];
        snprintf(key, sizeof key, "k%d", i);
        snprintf(value, sizeof value, "v%d", i);
        weir_kafka_producer_add(p, 1700000000000 + i, weir_str_of(key), false, weir_str_of(value));
    }
    assert_true(count == 0 || weir_kafka_producer_bytes(p) > 0);
    ok(weir_kafka_producer_flush(p, &err));
    assert_int_equal(weir_kafka_producer_bytes(p), 0);
    weir_kafka_producer_close(p);
}

static int count_up(void *context, const struct weir_kafka_message *message, const struct weir_kafka_header *headers, uint32_t header_count,
                    struct weir_error *e)
{
    (void)headers, (void)header_count, (void)e;
    assert_false(message->null_value);
    ++*(int *)context;
    return 0;
}

static int records(struct mock *m, const char *topic)
{
    int count = 0;
    for (int32_t p = 0; p < 2; p++)
        ok(weir_kafka_scan(m->kafka, topic, p, INT64_MIN, count_up, &count, NULL, &err));
    return count;
}

// ---- configuration and reaching

static void expect_refused(const char *url, const char *name, const char *value, const char *words)
{
    struct weir_kafka *k;
    struct weir_option option = {name, value};
    assert_int_equal(weir_kafka_new(url, name ? 1 : 0, &option, &k, &err), -1);
    assert_int_equal(err.code, WEIR_BAD_CONFIG);
    if (!strstr(err.text, words))
        fail_msg("'%s' does not say '%s'", err.text, words);
}

static void properties_that_are_wrong_or_ours_are_refused(void **state)
{
    (void)state;
    static const char *const urls[] = {"kafka://",     "kafka:/h",    "http://h",    "kafka://h:x", "kafka://h:0",   "kafka://h:99999",
                                       "kafka://a,,b", "kafka://a b", "kafka://u@h", "kafka://h/p", "kafka://:9092", "kafka://h:9092,"};
    for (size_t i = 0; i < sizeof urls / sizeof *urls; i++)
        expect_refused(urls[i], NULL, NULL, "kafka://host:port");
    const char *url = "kafka://localhost:9092";
    expect_refused(url, "linger.mss", "1", "did you mean 'linger.ms'?");
    expect_refused(url, "linger.ms", "soon", "linger.ms");
    expect_refused(url, "group.id", "g", "named after the pipeline");
    expect_refused(url, "bootstrap.servers", "h", "URL");
    expect_refused(url, "enable.auto.commit", "true", "cannot be changed");
    expect_refused(url, "isolation.level", "read_uncommitted", "given up");
    expect_refused(url, "partitioner", "random", "Java");
    expect_refused(url, "enable.idempotence", "false", "doubled");
    expect_refused(url, "acks", "2", "all, 1 or 0");
    expect_refused(url, "plugin.library.paths", "x.so", "plugins");
    expect_refused(url, "rebalance_cb", "1", "rebalance_cb");
}

static void properties_pass_through(void **state)
{
    (void)state;
    const struct weir_option options[] = {{"acks", "1"},
                                          {"linger.ms", "10"},
                                          {"batch.size", "16384"},
                                          {"compression.type", "gzip"},
                                          {"fetch.min.bytes", "2"},
                                          {"isolation.level", "read_committed"},
                                          {"security.protocol", "ssl"}};
    struct weir_kafka *k;
    ok(weir_kafka_new("kafka://[::1]:9092,b", 7, options, &k, &err));
    assert_string_equal(weir_kafka_brokers(k), "[::1]:9092,b");
    assert_int_equal(k->properties[1].scope, KAFKA_PRODUCER);
    assert_int_equal(k->properties[4].scope, KAFKA_CONSUMER);
    assert_int_equal(k->properties[6].scope, KAFKA_COMMON);
    weir_kafka_free(k);
}

static void reaching_nobody_says_why(void **state)
{
    (void)state;
    struct weir_kafka *k;
    ok(weir_kafka_new("kafka://127.0.0.1:1", 0, NULL, &k, &err));
    assert_int_equal(weir_kafka_reach(k, 600, &err), -1);
    assert_int_equal(err.code, WEIR_UNAVAILABLE);
    assert_non_null(strstr(err.text, "127.0.0.1:1"));
    assert_non_null(strstr(err.text, "refused"));
    struct weir_buffer reasons = {0};
    assert_false(weir_kafka_healthy(k, &reasons));
    assert_non_null(memmem(reasons.data, reasons.bytes, "127.0.0.1:1", 11));
    weir_buffer_drop(&reasons);
    weir_kafka_free(k);
}

// ---- producing and reading

static void records_come_back(void **state)
{
    struct mock *m = *state;
    ok(weir_kafka_reach(m->kafka, 5000, &err));
    produce(m, "in", 1000);
    assert_int_equal(records(m, "in"), 1000);
    struct weir_kafka_partition *p;
    ok(weir_kafka_partition_open(m->kafka, "in", 0, 3, &p, &err));
    struct weir_kafka_message messages[100];
    int64_t lost, next = 3;
    while (!weir_kafka_partition_at_end(p)) {
        int count = weir_kafka_partition_read(p, messages, 100, &lost, &err);
        ok(count);
        for (int i = 0; i < count; i++)
            assert_int_equal(messages[i].offset, next++);
        assert_int_equal(lost, 0);
    }
    int64_t start, end;
    ok(weir_kafka_offsets(m->kafka, "in", 0, &start, &end, &err));
    assert_int_equal(next, end);
    assert_int_equal(weir_kafka_partition_end(p), end);
    weir_kafka_partition_close(p);
}

static void missing_topics_are_named(void **state)
{
    struct mock *m = *state;
    struct weir_kafka_partition *p;
    rd_kafka_mock_topic_set_error(m->cluster, "inn", RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART);
    assert_int_equal(weir_kafka_partition_open(m->kafka, "inn", 0, 0, &p, &err), -1);
    assert_int_equal(err.code, WEIR_BAD_DATA);
    assert_non_null(strstr(err.text, "'inn'"));
    assert_int_equal(weir_kafka_partition_open(m->kafka, "in", 2, 0, &p, &err), -1);
    assert_non_null(strstr(err.text, "no partition 2"));
}

static void *make_known(void *context)
{
    struct mock *m = context;
    int32_t partitions, replication;
    struct weir_error e;
    bool missing = weir_kafka_topic_shape(m->kafka, "in", &partitions, &replication, &e) < 0;
    rd_kafka_mock_topic_set_error(m->cluster, "in", RD_KAFKA_RESP_ERR_NO_ERROR);
    return missing ? m : NULL;
}

static void topics_that_become_known_are_waited_for(void **state)
{
    struct mock *m = *state;
    struct weir_kafka_producer *p;
    pthread_t thread;
    void *missing;
    rd_kafka_mock_topic_set_error(m->cluster, "in", RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART);
    pthread_create(&thread, NULL, make_known, m);
    ok(weir_kafka_producer_open(m->kafka, "in", &p, &err));
    pthread_join(thread, &missing);
    assert_non_null(missing);
    weir_kafka_producer_close(p);
}

static void trouble_that_passes_is_waited_out(void **state)
{
    struct mock *m = *state;
    static const rd_kafka_resp_err_t produced[] = {RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION,
                                                   RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT,
                                                   RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS,
                                                   RD_KAFKA_RESP_ERR__TRANSPORT,
                                                   RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS_AFTER_APPEND,
                                                   RD_KAFKA_RESP_ERR_KAFKA_STORAGE_ERROR};
    for (size_t i = 0; i < sizeof produced / sizeof *produced; i++)
        push(m, PRODUCE, produced[i], 1);
    produce(m, "in", 100);
    static const rd_kafka_resp_err_t fetched[] = {RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION, RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE,
                                                  RD_KAFKA_RESP_ERR__TRANSPORT, RD_KAFKA_RESP_ERR_KAFKA_STORAGE_ERROR};
    for (size_t i = 0; i < sizeof fetched / sizeof *fetched; i++)
        push(m, FETCH, fetched[i], 1);
    assert_int_equal(records(m, "in"), 100);
}

static void what_kafka_never_takes_fails_the_flush(void **state)
{
    struct mock *m = *state;
    static const rd_kafka_resp_err_t codes[] = {RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED, RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE};
    static const char *const words[] = {"ACL", "message.max.bytes"};
    for (size_t i = 0; i < 2; i++) {
        struct weir_kafka_producer *p;
        ok(weir_kafka_producer_open(m->kafka, "in", &p, &err));
        push(m, PRODUCE, codes[i], 1);
        weir_kafka_producer_add(p, 1, (struct weir_str){0}, true, WEIR_STR("v"));
        assert_int_equal(weir_kafka_producer_flush(p, &err), -1);
        if (!strstr(err.text, words[i]) || !strstr(err.text, "'in'"))
            fail_msg("%s", err.text);
        weir_kafka_producer_close(p);
    }
    struct weir_kafka_producer *p;
    ok(weir_kafka_producer_open(m->kafka, "in", &p, &err));
    char *large = weir_zalloc(1, 3000000);
    weir_kafka_producer_add(p, 1, (struct weir_str){0}, true, (struct weir_str){large, 3000000});
    weir_kafka_producer_add(p, 1, WEIR_STR(""), false, WEIR_STR("small"));
    assert_int_equal(weir_kafka_producer_flush(p, &err), -1);
    assert_int_equal(err.fate, WEIR_DEAD_LETTER);
    ok(weir_kafka_producer_flush(p, &err));
    assert_int_equal(records(m, "in"), 1);
    free(large);
    weir_kafka_producer_close(p);
}

static void *stop_when_unhealthy(void *context)
{
    void **both = context;
    struct mock *m = both[0];
    struct weir_buffer reasons = {0};
    int64_t deadline_us = weir_monotonic_us() + 20000000;
    while (weir_kafka_healthy(m->kafka, &reasons) && weir_monotonic_us() < deadline_us)
        ;
    bool told = reasons.bytes > 0;
    weir_buffer_drop(&reasons);
    weir_kafka_producer_stop(both[1]);
    return told ? both[0] : NULL;
}

static void brokers_that_are_away_are_told_and_waited_for(void **state)
{
    struct mock *m = *state;
    struct weir_kafka_producer *p;
    ok(weir_kafka_producer_open(m->kafka, "in", &p, &err));
    weir_kafka_producer_add(p, 1, WEIR_STR("a"), false, WEIR_STR("b"));
    ok(weir_kafka_producer_flush(p, &err));
    rd_kafka_mock_broker_set_down(m->cluster, 1);
    rd_kafka_mock_broker_set_down(m->cluster, 2);
    weir_kafka_producer_add(p, 1, WEIR_STR("a"), false, WEIR_STR("c"));
    pthread_t thread;
    void *both[] = {m, p}, *told;
    pthread_create(&thread, NULL, stop_when_unhealthy, both);
    assert_int_equal(weir_kafka_producer_flush(p, &err), -1);
    assert_int_equal(err.fate, WEIR_RETRY);
    pthread_join(thread, &told);
    assert_non_null(told);
    rd_kafka_mock_broker_set_up(m->cluster, 1);
    rd_kafka_mock_broker_set_up(m->cluster, 2);
    int64_t deadline_us = weir_monotonic_us() + 20000000;
    while (weir_kafka_producer_flush(p, &err) < 0 && weir_monotonic_us() < deadline_us)
        ;
    ok(weir_kafka_producer_flush(p, &err));
    struct weir_buffer reasons = {0};
    assert_true(weir_kafka_healthy(m->kafka, &reasons));
    weir_buffer_drop(&reasons);
    weir_kafka_producer_close(p);
    assert_int_equal(records(m, "in"), 2);
}

// ---- members and transactions

struct membership {
    struct weir_kafka_group *group;
    struct weir_kafka_partition *partitions[2];
    int assigned, revoked, lost;
    bool refuse;
    struct weir_kafka_txn *txn; // commits once for the partition that comes first, while it comes
    enum weir_kafka_fate fate;
};

static enum weir_kafka_fate commit_one(struct weir_kafka_txn *t, struct membership *g, int64_t next);

static int on_assigned(void *context, int32_t partition, int64_t *ret_offset, struct weir_error *e)
{
    (void)partition, (void)ret_offset;
    struct membership *g = context;
    if (g->refuse)
        return weir_fail(e, WEIR_IO, WEIR_STOP, "no state");
    if (g->txn && g->assigned == 0)
        g->fate = commit_one(g->txn, g, 0);
    g->assigned++;
    return 0;
}

static void on_opened(void *context, int32_t partition, struct weir_kafka_partition *p)
{
    ((struct membership *)context)->partitions[partition] = p;
}

static void on_revoked(void *context, int32_t partition, bool lost)
{
    struct membership *g = context;
    g->partitions[partition] = NULL;
    g->revoked++;
    g->lost += lost;
}

static void join_group(struct mock *m, struct membership *g)
{
    const struct weir_kafka_member calls = {g, on_assigned, on_opened, on_revoked};
    ok(weir_kafka_group_join(m->kafka, "g", "in", NULL, &calls, &g->group, &err));
}

static void poll_until(struct membership *g, const int *counter, int wanted)
{
    int64_t deadline_us = weir_monotonic_us() + 30000000;
    while (*counter < wanted && weir_monotonic_us() < deadline_us)
        ok(weir_kafka_group_poll(g->group, 50, &err));
    assert_true(*counter >= wanted);
}

static void offsets_are_asked_of_who_leads_now(void **state)
{
    struct mock *m = *state;
    int64_t start, end;
    produce(m, "in", 10);
    for (int32_t p = 0; p < 2; p++) {
        rd_kafka_mock_partition_set_leader(m->cluster, "in", p, 1);
        ok(weir_kafka_offsets(m->kafka, "in", p, &start, &end, &err));
    }
    for (int32_t p = 0; p < 2; p++)
        rd_kafka_mock_partition_set_leader(m->cluster, "in", p, 2);
    rd_kafka_mock_broker_set_down(m->cluster, 1);
    for (int32_t p = 0, sum = 0; p < 2; p++) {
        ok(weir_kafka_offsets(m->kafka, "in", p, &start, &end, &err));
        assert_int_equal(start, 0);
        sum += (int32_t)end;
        assert_true(p == 0 || sum == 10);
    }
}

static void a_topic_that_a_broker_does_not_know_yet_is_asked_for_again(void **state)
{
    struct mock *m = *state;
    int64_t start, end;
    produce(m, "in", 10);
    push(m, LIST_OFFSETS, RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART, 2);
    ok(weir_kafka_offsets(m->kafka, "in", 0, &start, &end, &err));
    assert_int_equal(weir_kafka_offsets(m->kafka, "in", 5, &start, &end, &err), -1);
}

static void a_member_reads_what_it_is_given(void **state)
{
    struct mock *m = *state;
    produce(m, "in", 100);
    push(m, FIND_COORDINATOR, RD_KAFKA_RESP_ERR_COORDINATOR_NOT_AVAILABLE, 2);
    push(m, JOIN, RD_KAFKA_RESP_ERR_COORDINATOR_LOAD_IN_PROGRESS, 1);
    push(m, SYNC, RD_KAFKA_RESP_ERR_NOT_COORDINATOR, 1);
    push(m, OFFSET_FETCH, RD_KAFKA_RESP_ERR_UNSTABLE_OFFSET_COMMIT, 1);
    struct membership g = {0};
    join_group(m, &g);
    poll_until(&g, &g.assigned, 2);
    struct weir_kafka_message messages[50];
    int64_t lost;
    int count = 0, end = 0;
    for (int64_t deadline_us = weir_monotonic_us() + 20000000; end < 2 && weir_monotonic_us() < deadline_us;) {
        ok(weir_kafka_group_poll(g.group, 10, &err));
        end = 0;
        for (int p = 0; p < 2; p++) {
            int got = weir_kafka_partition_read(g.partitions[p], messages, 50, &lost, &err);
            ok(got);
            count += got;
            end += weir_kafka_partition_at_end(g.partitions[p]);
        }
    }
    assert_int_equal(count, 100);
    weir_kafka_group_leave(g.group);
    assert_int_equal(g.revoked, 2);
    assert_int_equal(g.lost, 0);
}

static void count_wakes(void *context)
{
    atomic_fetch_add((atomic_int *)context, 1);
}

static void *wake_group(void *group)
{
    weir_kafka_group_wake(group);
    return NULL;
}

static void records_and_wakes_end_waits(void **state)
{
    struct mock *m = *state;
    struct membership g = {0};
    atomic_int wakes = 0;
    join_group(m, &g);
    weir_kafka_group_on_records(g.group, count_wakes, &wakes);
    poll_until(&g, &g.assigned, 2);
    produce(m, "in", 50);
    int64_t deadline_us = weir_monotonic_us() + 20000000;
    while (atomic_load(&wakes) == 0 && weir_monotonic_us() < deadline_us)
        ok(weir_kafka_group_poll(g.group, 10, &err));
    assert_true(atomic_load(&wakes) > 0);
    pthread_t thread;
    pthread_create(&thread, NULL, wake_group, g.group);
    int64_t before_us = weir_monotonic_us();
    ok(weir_kafka_group_poll(g.group, 20000, &err));
    assert_true(weir_monotonic_us() - before_us < 15000000);
    pthread_join(thread, NULL);
    weir_kafka_group_leave(g.group);
}

static void leaving_without_brokers_ends(void **state)
{
    struct mock *m = *state;
    struct membership g = {0};
    join_group(m, &g);
    poll_until(&g, &g.assigned, 2);
    rd_kafka_mock_broker_set_down(m->cluster, 1);
    rd_kafka_mock_broker_set_down(m->cluster, 2);
    struct weir_buffer reasons = {0};
    int64_t deadline_us = weir_monotonic_us() + 20000000;
    while (weir_kafka_healthy(m->kafka, &reasons) && weir_monotonic_us() < deadline_us)
        ok(weir_kafka_group_poll(g.group, 10, &err));
    assert_true(reasons.bytes > 0);
    weir_buffer_drop(&reasons);
    int64_t before_us = weir_monotonic_us();
    weir_kafka_group_leave(g.group);
    assert_true(weir_monotonic_us() - before_us < 15000000);
    assert_int_equal(g.revoked, 2);
}

static void a_member_that_the_group_forgot_loses_and_rejoins(void **state)
{
    struct mock *m = *state;
    struct membership g = {0};
    join_group(m, &g);
    poll_until(&g, &g.assigned, 2);
    push(m, HEARTBEAT, RD_KAFKA_RESP_ERR_UNKNOWN_MEMBER_ID, 1);
    poll_until(&g, &g.assigned, 4);
    assert_int_equal(g.lost, 2);
    weir_kafka_group_leave(g.group);
}

static void a_member_that_cannot_take_ends_with_the_reason(void **state)
{
    struct mock *m = *state;
    struct membership g = {.refuse = true};
    join_group(m, &g);
    int64_t deadline_us = weir_monotonic_us() + 20000000;
    int rc;
    while ((rc = weir_kafka_group_poll(g.group, 50, &err)) == 0 && weir_monotonic_us() < deadline_us)
        ;
    assert_int_equal(rc, -1);
    assert_string_equal(err.text, "no state");
    weir_kafka_group_leave(g.group);
    assert_int_equal(g.revoked, 0);
}

static void a_process_in_a_hurry_does_not_wait_for_others_transactions(void **state)
{
    struct mock *m = *state;
    struct membership g = {0};
    push(m, OFFSET_FETCH, RD_KAFKA_RESP_ERR_UNSTABLE_OFFSET_COMMIT, 1000);
    weir_kafka_hurry(m->kafka);
    join_group(m, &g);
    int64_t deadline_us = weir_monotonic_us() + 40000000; // without the hurry it would be a minute
    int rc;
    while ((rc = weir_kafka_group_poll(g.group, 50, &err)) == 0 && weir_monotonic_us() < deadline_us)
        ;
    assert_int_equal(rc, -1);
    assert_true(weir_monotonic_us() < deadline_us);
    assert_int_equal(err.fate, WEIR_RETRY);
    assert_int_equal(g.assigned, 0);
    weir_kafka_group_leave(g.group);
}

static void a_group_without_rights_says_so(void **state)
{
    struct mock *m = *state;
    struct membership g = {0};
    push(m, JOIN, RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED, 3);
    join_group(m, &g);
    int64_t deadline_us = weir_monotonic_us() + 20000000;
    int rc;
    while ((rc = weir_kafka_group_poll(g.group, 50, &err)) == 0 && weir_monotonic_us() < deadline_us)
        ;
    assert_int_equal(rc, -1);
    assert_non_null(strstr(err.text, "group 'g'"));
    assert_non_null(strstr(err.text, "Read"));
    weir_kafka_group_leave(g.group);
}

// Commits one message with the offset of partition 0; the fate it comes to.
static enum weir_kafka_fate commit_one(struct weir_kafka_txn *t, struct membership *g, int64_t next)
{
    struct weir_kafka_batch *b = weir_kafka_batch_new();
    struct weir_kafka_header headers[] = {{"h", WEIR_STR("x")}, {"none", {0}}};
    weir_kafka_batch_add(b, "out", 1, 5, WEIR_STR("k"), false, WEIR_STR("v"), headers, 2);
    assert_true(weir_kafka_batch_bytes(b) > 0);
    enum weir_kafka_fate fate = WEIR_KAFKA_DONE;
    ok(weir_kafka_txn_begin(t, &err));
    ok(weir_kafka_txn_add(t, b, &err));
    ok(weir_kafka_txn_offset(t, g ? g->group : NULL, 0, next, "meta", &err));
    int rc;
    while ((rc = weir_kafka_txn_commit(t, &fate, &err)) < 0 && err.fate == WEIR_RETRY)
        ;
    weir_kafka_batch_free(b);
    if (rc == 0)
        return fate;
    assert_int_equal(err.fate, WEIR_STOP); // no trying again ends it
    assert_non_null(strstr(err.text, "needs the right (ACL)"));
    return WEIR_KAFKA_ABORTED;
}

struct trouble {
    int16_t api;
    rd_kafka_resp_err_t code;
    enum weir_kafka_fate fate;
};

static void transactions_end_as_the_broker_says(void **state)
{
    struct mock *m = *state;
    static const struct trouble troubles[] = {
        {ADD_PARTITIONS, RD_KAFKA_RESP_ERR_CONCURRENT_TRANSACTIONS, WEIR_KAFKA_DONE},
        {ADD_PARTITIONS, RD_KAFKA_RESP_ERR_NOT_COORDINATOR, WEIR_KAFKA_DONE},
        {ADD_OFFSETS, RD_KAFKA_RESP_ERR_COORDINATOR_LOAD_IN_PROGRESS, WEIR_KAFKA_DONE},
        {TXN_OFFSET_COMMIT, RD_KAFKA_RESP_ERR_NOT_COORDINATOR, WEIR_KAFKA_DONE},
        {END_TXN, RD_KAFKA_RESP_ERR_COORDINATOR_NOT_AVAILABLE, WEIR_KAFKA_DONE},
        {PRODUCE, RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION, WEIR_KAFKA_DONE},
        {ADD_PARTITIONS, RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED, WEIR_KAFKA_ABORTED},
        {ADD_OFFSETS, RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED, WEIR_KAFKA_ABORTED},
        {TXN_OFFSET_COMMIT, RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED, WEIR_KAFKA_ABORTED},
        {TXN_OFFSET_COMMIT, RD_KAFKA_RESP_ERR_ILLEGAL_GENERATION, WEIR_KAFKA_FENCED},
        {TXN_OFFSET_COMMIT, RD_KAFKA_RESP_ERR_UNKNOWN_MEMBER_ID, WEIR_KAFKA_FENCED},
        {TXN_OFFSET_COMMIT, RD_KAFKA_RESP_ERR_FENCED_INSTANCE_ID, WEIR_KAFKA_FENCED},
        {END_TXN, RD_KAFKA_RESP_ERR_PRODUCER_FENCED, WEIR_KAFKA_FENCED},
        {END_TXN, RD_KAFKA_RESP_ERR_INVALID_PRODUCER_EPOCH, WEIR_KAFKA_FENCED},
        {ADD_OFFSETS, RD_KAFKA_RESP_ERR_PRODUCER_FENCED, WEIR_KAFKA_FENCED},
    };
    produce(m, "in", 10);
    struct membership g = {0};
    join_group(m, &g);
    poll_until(&g, &g.assigned, 2);
    struct weir_kafka_txn *t;
    push(m, INIT_PRODUCER, RD_KAFKA_RESP_ERR_CONCURRENT_TRANSACTIONS, 1);
    ok(weir_kafka_txn_open(m->kafka, "p-1", &t, &err));
    assert_int_equal(commit_one(t, &g, 1), WEIR_KAFKA_DONE);
    for (size_t i = 0; i < sizeof troubles / sizeof *troubles; i++) {
        push(m, troubles[i].api, troubles[i].code, 1);
        enum weir_kafka_fate fate = commit_one(t, &g, (int64_t)i + 2);
        if (fate != troubles[i].fate)
            fail_msg("trouble %zu: fate %d, not %d: %s", i, fate, troubles[i].fate, err.text);
        rd_kafka_mock_clear_request_errors(m->cluster, troubles[i].api);
        assert_int_equal(commit_one(t, &g, 1), WEIR_KAFKA_DONE); // it can be used again
    }
    ok(weir_kafka_txn_begin(t, &err));
    weir_kafka_txn_abort(t);
    weir_kafka_group_leave(g.group);
    weir_kafka_txn_close(t);
}

static void a_transaction_without_rights_says_so(void **state)
{
    struct mock *m = *state;
    struct weir_kafka_txn *t;
    push(m, INIT_PRODUCER, RD_KAFKA_RESP_ERR_TRANSACTIONAL_ID_AUTHORIZATION_FAILED, 1);
    assert_int_equal(weir_kafka_txn_open(m->kafka, "p-4", &t, &err), -1);
    assert_int_equal(err.fate, WEIR_STOP);
    assert_non_null(strstr(err.text, "'p-4'"));
    assert_non_null(strstr(err.text, "Write"));
    ok(weir_kafka_txn_open(m->kafka, "p-4", &t, &err));
    push(m, ADD_PARTITIONS, RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED, 1);
    assert_int_equal(commit_one(t, NULL, 0), WEIR_KAFKA_ABORTED);
    weir_kafka_txn_close(t);
}

static void an_offset_that_is_not_ours_is_fenced(void **state)
{
    struct mock *m = *state;
    struct membership g = {0};
    join_group(m, &g);
    poll_until(&g, &g.assigned, 2);
    struct weir_kafka_txn *t;
    ok(weir_kafka_txn_open(m->kafka, "p-2", &t, &err));
    enum weir_kafka_fate fate;
    ok(weir_kafka_txn_begin(t, &err));
    ok(weir_kafka_txn_offset(t, g.group, 7, 1, NULL, &err));
    ok(weir_kafka_txn_commit(t, &fate, &err));
    assert_int_equal(fate, WEIR_KAFKA_FENCED);
    weir_kafka_txn_close(t);
    weir_kafka_group_leave(g.group);
}

static void a_partition_is_ours_to_commit_while_it_comes(void **state)
{
    struct mock *m = *state;
    struct weir_kafka_txn *t;
    ok(weir_kafka_txn_open(m->kafka, "p-5", &t, &err));
    struct membership g = {.txn = t, .fate = WEIR_KAFKA_ABORTED};
    join_group(m, &g);
    poll_until(&g, &g.assigned, 2);
    assert_int_equal(g.fate, WEIR_KAFKA_DONE);
    weir_kafka_group_leave(g.group);
    g.assigned = 0;
    push(m, TXN_OFFSET_COMMIT, RD_KAFKA_RESP_ERR_ILLEGAL_GENERATION, 1);
    join_group(m, &g);
    poll_until(&g, &g.assigned, 2);
    assert_int_equal(g.fate, WEIR_KAFKA_FENCED);
    weir_kafka_group_leave(g.group);
    weir_kafka_txn_close(t);
}

static void a_coordinator_that_moves_is_followed(void **state)
{
    struct mock *m = *state;
    struct weir_kafka_txn *t;
    ok(weir_kafka_txn_open(m->kafka, "p-3", &t, &err));
    for (int i = 0; i < 4; i++) {
        rd_kafka_mock_coordinator_set(m->cluster, "transaction", "p-3", 1 + i % 2);
        rd_kafka_mock_partition_set_leader(m->cluster, "out", 1, 2 - i % 2);
        assert_int_equal(commit_one(t, NULL, 0), WEIR_KAFKA_DONE);
    }
    rd_kafka_mock_broker_set_rtt(m->cluster, 1, 300);
    rd_kafka_mock_broker_set_rtt(m->cluster, 2, 300);
    assert_int_equal(commit_one(t, NULL, 0), WEIR_KAFKA_DONE);
    weir_kafka_txn_close(t);
}

#define WITH_CLUSTER(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(properties_that_are_wrong_or_ours_are_refused),
        cmocka_unit_test(properties_pass_through),
        cmocka_unit_test(reaching_nobody_says_why),
        WITH_CLUSTER(records_come_back),
        WITH_CLUSTER(missing_topics_are_named),
        WITH_CLUSTER(topics_that_become_known_are_waited_for),
        WITH_CLUSTER(trouble_that_passes_is_waited_out),
        WITH_CLUSTER(what_kafka_never_takes_fails_the_flush),
        WITH_CLUSTER(brokers_that_are_away_are_told_and_waited_for),
        WITH_CLUSTER(offsets_are_asked_of_who_leads_now),
        WITH_CLUSTER(a_topic_that_a_broker_does_not_know_yet_is_asked_for_again),
        WITH_CLUSTER(a_member_reads_what_it_is_given),
        WITH_CLUSTER(records_and_wakes_end_waits),
        WITH_CLUSTER(leaving_without_brokers_ends),
        WITH_CLUSTER(a_member_that_the_group_forgot_loses_and_rejoins),
        WITH_CLUSTER(a_member_that_cannot_take_ends_with_the_reason),
        WITH_CLUSTER(a_process_in_a_hurry_does_not_wait_for_others_transactions),
        WITH_CLUSTER(a_group_without_rights_says_so),
        WITH_CLUSTER(transactions_end_as_the_broker_says),
        WITH_CLUSTER(a_transaction_without_rights_says_so),
        WITH_CLUSTER(an_offset_that_is_not_ours_is_fenced),
        WITH_CLUSTER(a_partition_is_ours_to_commit_while_it_comes),
        WITH_CLUSTER(a_coordinator_that_moves_is_followed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
