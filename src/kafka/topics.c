// SPDX-License-Identifier: Apache-2.0
// What there is: topics, their partitions and settings, the offsets at their ends.
#include "kafka/inside.h"

#include "base/memory.h"
#include "base/suggest.h"
#include "base/time.h"
#include "kafka/admin.h"
#include <poll.h>
#include <stdlib.h>

enum { METADATA_MS = 10000, LEADER_MS = 2000, KNOWN_MS = 2000, RETRY_MS = 100 };

static void metadata_drop(const struct rd_kafka_metadata **metadata)
{
    if (*metadata)
        rd_kafka_metadata_destroy(*metadata);
}

int kafka_no_topic(struct weir_kafka *k, const char *topic, struct weir_error *err)
{
    rd_kafka_t *rk;
    weir_cleanup(metadata_drop) const struct rd_kafka_metadata *metadata = NULL;
    char hint[256] = "";
    if (kafka_admin(k, &rk, err) == 0 && rd_kafka_metadata(rk, 1, NULL, &metadata, METADATA_MS) == RD_KAFKA_RESP_ERR_NO_ERROR) {
        size_t count = (size_t)metadata->topic_cnt;
        const char **names = weir_alloc((count + 1) * sizeof *names);
        for (size_t i = 0; i < count; i++)
            names[i] = metadata->topics[i].topic;
        weir_suggest_text(weir_str_of(topic), names, count, hint, sizeof hint);
        free(names);
    }
    return weir_fail(err, WEIR_BAD_DATA, WEIR_STOP, "there is no topic '%s' in Kafka at %s%s%s", topic, k->brokers, hint[0] ? "; " : "", hint);
}

// Metadata of one topic; what passes is tried again for a while.
static rd_kafka_resp_err_t topic_metadata(rd_kafka_t *rk, const char *topic, const struct rd_kafka_metadata **ret)
{
    rd_kafka_topic_t *handle = rd_kafka_topic_new(rk, topic, NULL);
    if (!handle)
        return rd_kafka_last_error();
    int64_t deadline_us = weir_monotonic_us() + METADATA_MS * 1000;
    rd_kafka_resp_err_t code;
    do {
        metadata_drop(ret);
        *ret = NULL;
        code = rd_kafka_metadata(rk, 0, handle, ret, METADATA_MS);
        if (code == RD_KAFKA_RESP_ERR_NO_ERROR)
            code = (*ret)->topic_cnt == 1 ? (*ret)->topics[0].err : RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART;
        if (kafka_passes(code))
            rd_kafka_poll(rk, RETRY_MS);
    } while (kafka_passes(code) && weir_monotonic_us() < deadline_us);
    rd_kafka_topic_destroy(handle);
    return code;
}

static int describe_topic(struct weir_kafka *k, const char *topic, const struct rd_kafka_metadata **ret, struct weir_error *err)
{
    rd_kafka_t *rk;
    if (kafka_admin(k, &rk, err) < 0)
        return -1;
    rd_kafka_resp_err_t code = topic_metadata(rk, topic, ret);
    if (code == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART || code == RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC)
        return kafka_no_topic(k, topic, err);
    return code ? kafka_fail_admin(k, err, code, NULL, "describe topic '%s' in Kafka at %s", topic, k->brokers) : 0;
}

int kafka_topic_partitions(struct weir_kafka *k, const char *topic, int32_t *ret, struct weir_error *err)
{
    weir_cleanup(metadata_drop) const struct rd_kafka_metadata *metadata = NULL;
    if (describe_topic(k, topic, &metadata, err) < 0)
        return -1;
    *ret = metadata->topics[0].partition_cnt;
    return 0;
}

int kafka_topic_known(struct weir_kafka *k, const char *topic, int32_t *ret, struct weir_error *err)
{
    int64_t deadline_us = weir_monotonic_us() + KNOWN_MS * 1000;
    int rc;
    while ((rc = kafka_topic_partitions(k, topic, ret, err)) < 0 && err->code == WEIR_BAD_DATA && weir_monotonic_us() < deadline_us)
        poll(NULL, 0, RETRY_MS);
    return rc;
}

int weir_kafka_topic_shape(struct weir_kafka *k, const char *name, int32_t *ret_partitions, int32_t *ret_replication, struct weir_error *err)
{
    weir_cleanup(metadata_drop) const struct rd_kafka_metadata *metadata = NULL;
    if (describe_topic(k, name, &metadata, err) < 0)
        return -1;
    *ret_partitions = metadata->topics[0].partition_cnt;
    *ret_replication = metadata->topics[0].partition_cnt > 0 ? metadata->topics[0].partitions[0].replica_cnt : 0;
    return 0;
}

bool kafka_topic_ready(rd_kafka_t *rk, const char *topic, int32_t partitions, rd_kafka_resp_err_t *ret_why)
{
    weir_cleanup(metadata_drop) const struct rd_kafka_metadata *metadata = NULL;
    *ret_why = topic_metadata(rk, topic, &metadata);
    if (*ret_why || metadata->topics[0].partition_cnt != partitions)
        return false;
    for (int32_t p = 0; p < partitions; p++)
        if (metadata->topics[0].partitions[p].leader < 0)
            return false;
    return true;
}

static struct weir_kafka_topic shape_of(const rd_kafka_metadata_topic_t *topic)
{
    return (struct weir_kafka_topic){
        .name = topic->topic, .partitions = topic->partition_cnt, .replication = topic->partition_cnt > 0 ? topic->partitions[0].replica_cnt : 0};
}

int weir_kafka_topic_describe(struct weir_kafka *k, const char *name, struct weir_arena *arena, struct weir_kafka_topic *ret, struct weir_error *err)
{
    weir_cleanup(metadata_drop) const struct rd_kafka_metadata *metadata = NULL;
    if (describe_topic(k, name, &metadata, err) < 0)
        return -1;
    struct weir_kafka_topic topic = shape_of(&metadata->topics[0]);
    if (kafka_topic_settings(k, &topic, 1, err) < 0)
        return -1;
    topic.name = weir_arena_copy(arena, weir_str_of(name)).data;
    *ret = topic;
    return 0;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct weir_kafka_topic *)a)->name, ((const struct weir_kafka_topic *)b)->name);
}

static int visit_sorted(struct weir_kafka *k, struct weir_kafka_topic *topics, size_t count,
                        int (*visit)(void *context, const struct weir_kafka_topic *topic), void *context, struct weir_error *err)
{
    qsort(topics, count, sizeof *topics, by_name);
    if (count > 0 && kafka_topic_settings(k, topics, count, err) < 0)
        return -1;
    for (size_t i = 0; i < count; i++)
        if (visit(context, &topics[i]) != 0)
            break;
    return 0;
}

int weir_kafka_topic_list(struct weir_kafka *k, int (*visit)(void *context, const struct weir_kafka_topic *topic), void *context,
                          struct weir_error *err)
{
    rd_kafka_t *rk;
    if (kafka_admin(k, &rk, err) < 0)
        return -1;
    weir_cleanup(metadata_drop) const struct rd_kafka_metadata *metadata = NULL;
    rd_kafka_resp_err_t code = rd_kafka_metadata(rk, 1, NULL, &metadata, METADATA_MS);
    if (code)
        return kafka_fail_admin(k, err, code, NULL, "list the topics of Kafka at %s", k->brokers);
    struct weir_kafka_topic *topics = weir_zalloc((size_t)metadata->topic_cnt + 1, sizeof *topics);
    size_t count = 0;
    for (int i = 0; i < metadata->topic_cnt; i++)
        if (strncmp(metadata->topics[i].topic, "__", 2) != 0 && !metadata->topics[i].err) // Kafka's own
            topics[count++] = shape_of(&metadata->topics[i]);
    int rc = visit_sorted(k, topics, count, visit, context, err);
    free(topics);
    return rc;
}

// One end of a partition's log; by its time, which is given up after a while where the call for both ends waits as long as the leader is away.
static rd_kafka_resp_err_t offset_at(rd_kafka_t *rk, const char *topic, int32_t partition, int64_t which, int64_t *ret)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_t *at = rd_kafka_topic_partition_list_add(list, topic, partition);
    at->offset = which;
    rd_kafka_resp_err_t code = rd_kafka_offsets_for_times(rk, list, LEADER_MS);
    code = code ? code : at->err;
    *ret = at->offset;
    rd_kafka_topic_partition_list_destroy(list);
    return code;
}

static bool is_missing(rd_kafka_resp_err_t code)
{
    return code == RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION || code == RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC ||
           code == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART;
}

// The library keeps asking the leader it has once heard of: when that does not answer, who leads now is asked first. A topic that has just been made
// may be unknown to the broker that is asked.
static rd_kafka_resp_err_t offsets_of(rd_kafka_t *rk, const char *topic, int32_t partition, int64_t *ret_start, int64_t *ret_end)
{
    int64_t begun_us = weir_monotonic_us();
    for (;;) {
        rd_kafka_resp_err_t code = offset_at(rk, topic, partition, RD_KAFKA_OFFSET_BEGINNING, ret_start);
        if (!code)
            code = offset_at(rk, topic, partition, RD_KAFKA_OFFSET_END, ret_end);
        int64_t patience_ms = kafka_passes(code) ? METADATA_MS : is_missing(code) ? KNOWN_MS : 0;
        if (weir_monotonic_us() - begun_us >= patience_ms * 1000)
            return code;
        weir_cleanup(metadata_drop) const struct rd_kafka_metadata *metadata = NULL;
        topic_metadata(rk, topic, &metadata);
        rd_kafka_poll(rk, RETRY_MS);
    }
}

int weir_kafka_offsets(struct weir_kafka *k, const char *topic, int32_t partition, int64_t *ret_start, int64_t *ret_end, struct weir_error *err)
{
    rd_kafka_t *rk;
    if (kafka_admin(k, &rk, err) < 0)
        return -1;
    int64_t start = 0, end = 0;
    rd_kafka_resp_err_t code = offsets_of(rk, topic, partition, &start, &end);
    if (is_missing(code)) {
        int32_t partitions;
        if (kafka_topic_partitions(k, topic, &partitions, err) < 0)
            return -1;
    }
    if (code)
        return kafka_fail_admin(k, err, code, NULL, "ask Kafka at %s for the offsets of %s[%d]", k->brokers, topic, partition);
    *ret_start = start;
    *ret_end = end;
    return 0;
}
