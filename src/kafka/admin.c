// SPDX-License-Identifier: Apache-2.0
// Topics made, altered, emptied and deleted, their settings and the members of groups read, each by one admin request that is waited for.
#include "kafka/admin.h"

#include "base/memory.h"
#include "base/time.h"
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>

enum { REQUEST_MS = 30000, READY_MS = 15000, STEP_MS = 50 };

// One request: its options and queue, and the answer's event.
struct request {
    struct weir_kafka *kafka;
    rd_kafka_t *rk;
    rd_kafka_AdminOptions_t *options;
    rd_kafka_queue_t *queue;
    rd_kafka_event_t *answer;
};

static int request_open(struct weir_kafka *k, rd_kafka_admin_op_t op, struct request *r, struct weir_error *err)
{
    *r = (struct request){.kafka = k};
    if (kafka_admin(k, &r->rk, err) < 0)
        return -1;
    char said[200];
    r->options = rd_kafka_AdminOptions_new(r->rk, op);
    rd_kafka_AdminOptions_set_request_timeout(r->options, REQUEST_MS, said, sizeof said);
    r->queue = rd_kafka_queue_new(r->rk);
    return 0;
}

static void request_drop(struct request *r)
{
    if (r->answer)
        rd_kafka_event_destroy(r->answer);
    if (r->queue)
        rd_kafka_queue_destroy(r->queue);
    if (r->options)
        rd_kafka_AdminOptions_destroy(r->options);
}

static int request_wait(struct request *r, const char *doing, const char *name, struct weir_error *err)
{
    r->answer = rd_kafka_queue_poll(r->queue, REQUEST_MS + 5000);
    rd_kafka_resp_err_t code = r->answer ? rd_kafka_event_error(r->answer) : RD_KAFKA_RESP_ERR__TIMED_OUT;
    if (code)
        return kafka_fail_admin(r->kafka, err, code, r->answer ? rd_kafka_event_error_string(r->answer) : NULL, "%s '%s' in Kafka at %s", doing, name,
                                r->kafka->brokers);
    return 0;
}

// ---- settings

static void take_setting(const rd_kafka_ConfigEntry_t *entry, struct weir_kafka_topic *topic)
{
    const char *name = rd_kafka_ConfigEntry_name(entry), *value = rd_kafka_ConfigEntry_value(entry);
    if (!value)
        return;
    if (strcmp(name, "retention.ms") == 0) {
        long long ms = strtoll(value, NULL, 10);
        topic->retention_ms = ms < 0 ? 0 : ms;
    } else if (strcmp(name, "cleanup.policy") == 0)
        topic->compacted = strstr(value, "compact") != NULL;
}

static void take_settings(const rd_kafka_ConfigResource_t *resource, struct weir_kafka_topic *topics, size_t count)
{
    size_t entries;
    const rd_kafka_ConfigEntry_t **list = rd_kafka_ConfigResource_configs(resource, &entries);
    for (size_t t = 0; t < count; t++)
        for (size_t i = 0; strcmp(topics[t].name, rd_kafka_ConfigResource_name(resource)) == 0 && i < entries; i++)
            take_setting(list[i], &topics[t]);
}

// Asks for the settings of topics; the answer stays in the request.
static int ask_settings(struct weir_kafka *k, const struct weir_kafka_topic *topics, size_t count, struct request *r,
                        const rd_kafka_ConfigResource_t ***ret, size_t *ret_count, struct weir_error *err)
{
    if (request_open(k, RD_KAFKA_ADMIN_OP_DESCRIBECONFIGS, r, err) < 0)
        return -1;
    rd_kafka_ConfigResource_t **resources = weir_alloc(count * sizeof *resources);
    for (size_t i = 0; i < count; i++)
        resources[i] = rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_TOPIC, topics[i].name);
    rd_kafka_DescribeConfigs(r->rk, resources, count, r->options, r->queue);
    rd_kafka_ConfigResource_destroy_array(resources, count);
    free(resources);
    if (request_wait(r, "read the settings of topic", topics[0].name, err) < 0)
        return -1;
    *ret = rd_kafka_DescribeConfigs_result_resources(rd_kafka_event_DescribeConfigs_result(r->answer), ret_count);
    rd_kafka_resp_err_t code = *ret_count == 1 ? rd_kafka_ConfigResource_error((*ret)[0]) : RD_KAFKA_RESP_ERR_NO_ERROR;
    return code ? kafka_fail_admin(k, err, code, rd_kafka_ConfigResource_error_string((*ret)[0]), "read the settings of topic '%s' in Kafka at %s",
                                   topics[0].name, k->brokers)
                : 0;
}

int kafka_topic_settings(struct weir_kafka *k, struct weir_kafka_topic *topics, size_t count, struct weir_error *err)
{
    weir_cleanup(request_drop) struct request r = {0};
    const rd_kafka_ConfigResource_t **resources;
    size_t resource_count;
    if (ask_settings(k, topics, count, &r, &resources, &resource_count, err) < 0)
        return -1;
    for (size_t i = 0; i < resource_count; i++)
        if (!rd_kafka_ConfigResource_error(resources[i]))
            take_settings(resources[i], topics, count);
    return 0;
}

// The request replaces all settings that a topic has of its own: the others go along as they are.
static rd_kafka_ConfigResource_t *with_retention(const rd_kafka_ConfigResource_t *now, const char *name, int64_t retention_ms)
{
    rd_kafka_ConfigResource_t *wanted = rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_TOPIC, name);
    size_t entries;
    const rd_kafka_ConfigEntry_t **list = rd_kafka_ConfigResource_configs(now, &entries);
    for (size_t i = 0; i < entries; i++) {
        const char *key = rd_kafka_ConfigEntry_name(list[i]), *kept = rd_kafka_ConfigEntry_value(list[i]);
        bool own = rd_kafka_ConfigEntry_source(list[i]) == RD_KAFKA_CONFIG_SOURCE_DYNAMIC_TOPIC_CONFIG;
        if (own && kept && strcmp(key, "retention.ms") != 0)
            rd_kafka_ConfigResource_set_config(wanted, key, kept);
    }
    char value[32];
    snprintf(value, sizeof value, "%" PRId64, retention_ms ? retention_ms : -1);
    rd_kafka_ConfigResource_set_config(wanted, "retention.ms", value);
    return wanted;
}

static int alter_retention(struct weir_kafka *k, const rd_kafka_ConfigResource_t *now, const struct weir_kafka_topic *topic, struct weir_error *err)
{
    weir_cleanup(request_drop) struct request r = {0};
    if (request_open(k, RD_KAFKA_ADMIN_OP_ALTERCONFIGS, &r, err) < 0)
        return -1;
    rd_kafka_ConfigResource_t *wanted = with_retention(now, topic->name, topic->retention_ms);
    rd_kafka_AlterConfigs(r.rk, &wanted, 1, r.options, r.queue);
    rd_kafka_ConfigResource_destroy(wanted);
    if (request_wait(&r, "set the retention of topic", topic->name, err) < 0)
        return -1;
    size_t count;
    const rd_kafka_ConfigResource_t **done = rd_kafka_AlterConfigs_result_resources(rd_kafka_event_AlterConfigs_result(r.answer), &count);
    rd_kafka_resp_err_t code = count == 1 ? rd_kafka_ConfigResource_error(done[0]) : RD_KAFKA_RESP_ERR__FAIL;
    return code ? kafka_fail_admin(k, err, code, rd_kafka_ConfigResource_error_string(done[0]), "set the retention of topic '%s' in Kafka at %s",
                                   topic->name, k->brokers)
                : 0;
}

// ---- making

static void add_setting(rd_kafka_NewTopic_t *topic, const char *name, const char *value)
{
    rd_kafka_NewTopic_set_config(topic, name, value);
}

static rd_kafka_NewTopic_t *new_topic(const struct weir_kafka_topic *wanted, char *said, size_t bytes)
{
    rd_kafka_NewTopic_t *topic =
        rd_kafka_NewTopic_new(wanted->name, wanted->partitions, wanted->replication > 0 ? wanted->replication : -1, said, bytes);
    if (!topic)
        return NULL;
    if (wanted->replication >= 3)
        add_setting(topic, "min.insync.replicas", "2"); // acknowledged records outlive a broker
    if (wanted->compacted) {
        add_setting(topic, "cleanup.policy", "compact");
        add_setting(topic, "min.cleanable.dirty.ratio", "0.1");
        add_setting(topic, "segment.bytes", "67108864"); // only closed segments are compacted
        add_setting(topic, "segment.ms", "3600000");
    } else {
        char value[32];
        snprintf(value, sizeof value, "%" PRId64, wanted->retention_ms ? wanted->retention_ms : -1);
        add_setting(topic, "retention.ms", value);
    }
    return topic;
}

// The controller's word that a topic is made comes before all brokers know it.
static int wait_ready(struct weir_kafka *k, rd_kafka_t *rk, const struct weir_kafka_topic *topic, struct weir_error *err)
{
    rd_kafka_resp_err_t why;
    int64_t deadline_us = weir_monotonic_us() + READY_MS * 1000;
    while (!kafka_topic_ready(rk, topic->name, topic->partitions, &why)) {
        if (kafka_lacks_right(why))
            return kafka_fail(k, err, why, NULL, "describe topic '%s' in Kafka at %s", topic->name, k->brokers);
        if (weir_monotonic_us() > deadline_us)
            return weir_fail(err, WEIR_UNAVAILABLE, WEIR_RETRY, "topic '%s' is made, but not all of its partitions have a leader yet", topic->name);
        rd_kafka_poll(rk, STEP_MS);
    }
    return 0;
}

static rd_kafka_resp_err_t topic_result(const rd_kafka_topic_result_t **results, size_t count, const char **ret_said)
{
    *ret_said = count == 1 ? rd_kafka_topic_result_error_string(results[0]) : NULL;
    return count == 1 ? rd_kafka_topic_result_error(results[0]) : RD_KAFKA_RESP_ERR__FAIL;
}

static int create(struct weir_kafka *k, const struct weir_kafka_topic *wanted, bool *ret_exists, struct weir_error *err)
{
    weir_cleanup(request_drop) struct request r = {0};
    char text[300];
    rd_kafka_NewTopic_t *topic = new_topic(wanted, text, sizeof text);
    if (!topic)
        return weir_fail(err, WEIR_BAD_CONFIG, WEIR_STOP, "cannot make topic '%s': %s", wanted->name, text);
    int rc = request_open(k, RD_KAFKA_ADMIN_OP_CREATETOPICS, &r, err);
    if (rc == 0)
        rd_kafka_CreateTopics(r.rk, &topic, 1, r.options, r.queue);
    rd_kafka_NewTopic_destroy(topic);
    if (rc < 0 || request_wait(&r, "make topic", wanted->name, err) < 0)
        return -1;
    size_t count;
    const char *said;
    const rd_kafka_topic_result_t **results = rd_kafka_CreateTopics_result_topics(rd_kafka_event_CreateTopics_result(r.answer), &count);
    rd_kafka_resp_err_t code = topic_result(results, count, &said);
    *ret_exists = code == RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS;
    if (code && !*ret_exists)
        return kafka_fail_admin(k, err, code, said, "make topic '%s' in Kafka at %s", wanted->name, k->brokers);
    return *ret_exists ? 0 : wait_ready(k, r.rk, wanted, err);
}

static int fail_partitions(const struct weir_kafka_topic *wanted, int32_t partitions, struct weir_error *err)
{
    return weir_fail(err, WEIR_BAD_CONFIG, WEIR_STOP, "topic '%s' has %d partitions, not %d; a topic's number of partitions stays as it is",
                     wanted->name, partitions, wanted->partitions);
}

static int adopt_once(struct weir_kafka *k, const struct weir_kafka_topic *wanted, struct weir_error *err)
{
    int32_t partitions;
    if (kafka_topic_partitions(k, wanted->name, &partitions, err) < 0)
        return -1;
    if (partitions != wanted->partitions)
        return fail_partitions(wanted, partitions, err);
    if (wanted->compacted)
        return 0;
    weir_cleanup(request_drop) struct request r = {0};
    const rd_kafka_ConfigResource_t **resources;
    size_t count;
    struct weir_kafka_topic now = {.name = wanted->name};
    if (ask_settings(k, wanted, 1, &r, &resources, &count, err) < 0)
        return -1;
    take_settings(resources[0], &now, 1);
    return now.retention_ms == wanted->retention_ms ? 0 : alter_retention(k, resources[0], wanted, err);
}

// Takes an existing topic as it is, but for its retention. Each of its requests may go to another broker, and one that was away learns of a new topic late:
// "there is none" is believed only when it is said for a while.
static int adopt(struct weir_kafka *k, const struct weir_kafka_topic *wanted, struct weir_error *err)
{
    int64_t deadline_us = weir_monotonic_us() + READY_MS * 1000;
    int rc;
    while ((rc = adopt_once(k, wanted, err)) < 0 && err->code == WEIR_BAD_DATA && weir_monotonic_us() < deadline_us)
        poll(NULL, 0, STEP_MS);
    return rc;
}

// Where somebody else was first, that one is taken.
static int make(struct weir_kafka *k, const struct weir_kafka_topic *topic, bool *ret_created, struct weir_error *err)
{
    bool exists;
    if (create(k, topic, &exists, err) < 0)
        return -1;
    *ret_created = !exists;
    return exists ? adopt(k, topic, err) : 0;
}

int weir_kafka_topic_create(struct weir_kafka *k, const struct weir_kafka_topic *topic, bool *ret_created, struct weir_error *err)
{
    int32_t partitions;
    *ret_created = false;
    if (kafka_topic_partitions(k, topic->name, &partitions, err) == 0)
        return adopt(k, topic, err); // for that no right to make topics is needed
    return err->fate == WEIR_RETRY ? -1 : make(k, topic, ret_created, err);
}

int weir_kafka_topic_need(struct weir_kafka *k, const struct weir_kafka_topic *topic, struct weir_error *err)
{
    int32_t partitions;
    bool created;
    if (kafka_topic_partitions(k, topic->name, &partitions, err) == 0)
        return partitions == topic->partitions ? 0 : fail_partitions(topic, partitions, err);
    return err->code == WEIR_BAD_DATA ? make(k, topic, &created, err) : -1;
}

// ---- taking away

static void wait_gone(rd_kafka_t *rk, const char *name, int32_t partitions)
{
    rd_kafka_resp_err_t why;
    int64_t deadline_us = weir_monotonic_us() + READY_MS * 1000;
    while (kafka_topic_ready(rk, name, partitions, &why) && weir_monotonic_us() < deadline_us)
        rd_kafka_poll(rk, STEP_MS);
}

int weir_kafka_topic_delete(struct weir_kafka *k, const char *name, struct weir_error *err)
{
    int32_t partitions;
    weir_cleanup(request_drop) struct request r = {0};
    if (kafka_topic_partitions(k, name, &partitions, err) < 0 || request_open(k, RD_KAFKA_ADMIN_OP_DELETETOPICS, &r, err) < 0)
        return -1;
    rd_kafka_DeleteTopic_t *topic = rd_kafka_DeleteTopic_new(name);
    rd_kafka_DeleteTopics(r.rk, &topic, 1, r.options, r.queue);
    rd_kafka_DeleteTopic_destroy(topic);
    if (request_wait(&r, "delete topic", name, err) < 0)
        return -1;
    size_t count;
    const char *said;
    const rd_kafka_topic_result_t **results = rd_kafka_DeleteTopics_result_topics(rd_kafka_event_DeleteTopics_result(r.answer), &count);
    rd_kafka_resp_err_t code = topic_result(results, count, &said);
    if (code)
        return kafka_fail_admin(k, err, code, said, "delete topic '%s' in Kafka at %s", name, k->brokers);
    wait_gone(r.rk, name, partitions);
    return 0;
}

static int delete_records(struct weir_kafka *k, const struct weir_kafka_topic *topic, struct weir_error *err)
{
    weir_cleanup(request_drop) struct request r = {0};
    if (request_open(k, RD_KAFKA_ADMIN_OP_DELETERECORDS, &r, err) < 0)
        return -1;
    rd_kafka_topic_partition_list_t *ends = rd_kafka_topic_partition_list_new(topic->partitions);
    for (int32_t p = 0; p < topic->partitions; p++)
        rd_kafka_topic_partition_list_add(ends, topic->name, p)->offset = RD_KAFKA_OFFSET_END;
    rd_kafka_DeleteRecords_t *records = rd_kafka_DeleteRecords_new(ends);
    rd_kafka_topic_partition_list_destroy(ends);
    rd_kafka_DeleteRecords(r.rk, &records, 1, r.options, r.queue);
    rd_kafka_DeleteRecords_destroy(records);
    if (request_wait(&r, "empty topic", topic->name, err) < 0)
        return -1;
    const rd_kafka_topic_partition_list_t *done = rd_kafka_DeleteRecords_result_offsets(rd_kafka_event_DeleteRecords_result(r.answer));
    for (int i = 0; i < done->cnt; i++)
        if (done->elems[i].err)
            return kafka_fail_admin(k, err, done->elems[i].err, NULL, "empty partition %d of topic '%s' in Kafka at %s", done->elems[i].partition,
                                    topic->name, k->brokers);
    return 0;
}

// Records of compacted topics cannot be deleted: the topic is made anew.
static int make_anew(struct weir_kafka *k, const struct weir_kafka_topic *topic, struct weir_error *err)
{
    if (weir_kafka_topic_delete(k, topic->name, err) < 0)
        return -1;
    rd_kafka_t *rk;
    if (kafka_admin(k, &rk, err) < 0)
        return -1;
    int64_t deadline_us = weir_monotonic_us() + READY_MS * 1000;
    for (bool exists = true; exists;) { // for a while the old one may be there still
        if (create(k, topic, &exists, err) < 0)
            return -1;
        if (exists && weir_monotonic_us() > deadline_us)
            return weir_fail(err, WEIR_UNAVAILABLE, WEIR_RETRY, "topic '%s' is being deleted still; try again", topic->name);
        if (exists)
            rd_kafka_poll(rk, STEP_MS);
    }
    return 0;
}

int weir_kafka_topic_empty(struct weir_kafka *k, const char *name, struct weir_error *err)
{
    weir_cleanup(weir_arena_drop) struct weir_arena arena = {0};
    struct weir_kafka_topic topic;
    if (weir_kafka_topic_describe(k, name, &arena, &topic, err) < 0)
        return -1;
    return topic.compacted ? make_anew(k, &topic, err) : delete_records(k, &topic, err);
}

// ---- groups

int weir_kafka_group_members(struct weir_kafka *k, const char *group, uint32_t *ret_count, struct weir_error *err)
{
    weir_cleanup(request_drop) struct request r = {0};
    if (request_open(k, RD_KAFKA_ADMIN_OP_DESCRIBECONSUMERGROUPS, &r, err) < 0)
        return -1;
    rd_kafka_DescribeConsumerGroups(r.rk, &group, 1, r.options, r.queue);
    if (request_wait(&r, "ask for the members of group", group, err) < 0)
        return -1;
    size_t count;
    const rd_kafka_ConsumerGroupDescription_t **groups =
        rd_kafka_DescribeConsumerGroups_result_groups(rd_kafka_event_DescribeConsumerGroups_result(r.answer), &count);
    rd_kafka_resp_err_t code = count == 1 ? rd_kafka_error_code(rd_kafka_ConsumerGroupDescription_error(groups[0])) : RD_KAFKA_RESP_ERR__FAIL;
    if (code)
        return kafka_fail_admin(k, err, code, NULL, "ask for the members of group '%s' in Kafka at %s", group, k->brokers);
    *ret_count = (uint32_t)rd_kafka_ConsumerGroupDescription_member_count(groups[0]); // none where there is no such group
    return 0;
}
