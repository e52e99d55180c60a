// SPDX-License-Identifier: Apache-2.0
#include "base/memory.h"
#include "log/kafka/inside.h"
#include <stdlib.h>

int kafka_topic_create(struct weir_log *log, const struct weir_topic_config *config, struct weir_error *err)
{
    const struct weir_kafka_topic topic = {
        .name = config->name, .partitions = config->partitions, .replication = config->replication, .retention_ms = config->retention_ms};
    bool created;
    if (log_check_topic(config, err) < 0)
        return -1;
    return weir_kafka_topic_create(kafka_log_of(log)->kafka, &topic, &created, err);
}

int kafka_topic_delete(struct weir_log *log, const char *name, struct weir_error *err)
{
    return weir_kafka_topic_delete(kafka_log_of(log)->kafka, name, err);
}

static struct weir_topic_config config_of(const struct weir_kafka_topic *topic)
{
    return (struct weir_topic_config){
        .name = topic->name, .partitions = topic->partitions, .replication = topic->replication, .retention_ms = topic->retention_ms};
}

int kafka_topic_describe(struct weir_log *any, const char *name, struct weir_arena *arena, struct weir_topic_config *ret,
                         struct weir_partition_info **ret_partitions, struct weir_error *err)
{
    struct kafka_log *log = kafka_log_of(any);
    struct weir_kafka_topic topic;
    if (weir_kafka_topic_describe(log->kafka, name, arena, &topic, err) < 0)
        return -1;
    struct weir_partition_info *infos = weir_arena_alloc(arena, (size_t)topic.partitions * sizeof *infos);
    for (int32_t i = 0; i < topic.partitions; i++) {
        infos[i] = (struct weir_partition_info){.bytes = -1};
        if (weir_kafka_offsets(log->kafka, name, i, &infos[i].start_offset, &infos[i].end_offset, err) < 0)
            return -1;
    }
    *ret = config_of(&topic);
    *ret_partitions = infos;
    return 0;
}

struct listing {
    int (*visit)(void *context, const struct weir_topic_config *config);
    void *context;
};

static int visit_topic(void *context, const struct weir_kafka_topic *topic)
{
    struct listing *l = context;
    if (strncmp(topic->name, "__", 2) == 0) // Kafka's own
        return 0;
    struct weir_topic_config config = config_of(topic);
    return l->visit(l->context, &config);
}

int kafka_topic_list(struct weir_log *log, int (*visit)(void *context, const struct weir_topic_config *config), void *context, struct weir_error *err)
{
    struct listing l = {visit, context};
    return weir_kafka_topic_list(kafka_log_of(log)->kafka, visit_topic, &l, err);
}

int kafka_topic_expire(struct weir_log *log, const char *name, int64_t now_ms, const int64_t *keep_from, struct weir_error *err)
{
    (void)log, (void)name, (void)now_ms, (void)keep_from, (void)err;
    return 0; // the broker does
}
