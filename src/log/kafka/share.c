// SPDX-License-Identifier: Apache-2.0
// Sharing as the consumer group named after the pipeline gives it.
#include "base/memory.h"
#include "log/kafka/inside.h"
#include <stdlib.h>

struct lane { // a partition while it is ours
    struct weir_reader *reader;
    int64_t offset; // where reading began
};

struct kafka_share {
    struct weir_share base;
    struct kafka_log *log;
    struct weir_kafka_group *group;
    char *topic;
    struct weir_sharer sharer;
    struct lane *lanes; // by partition
    size_t lane_count;
};

static struct lane *lane_of(struct kafka_share *s, int32_t partition)
{
    if ((size_t)partition >= s->lane_count) {
        size_t before = s->lane_count;
        weir_grow(&s->lanes, &s->lane_count, (size_t)partition + 1, sizeof *s->lanes);
        memset(s->lanes + before, 0, (s->lane_count - before) * sizeof *s->lanes);
    }
    return &s->lanes[partition];
}

static int group_assigned(void *context, int32_t partition, int64_t *ret_offset, struct weir_error *err)
{
    struct kafka_share *s = context;
    int64_t offset = *ret_offset;
    if (s->sharer.assigned(s->sharer.context, partition, &offset, err) < 0)
        return -1;
    lane_of(s, partition)->offset = offset;
    *ret_offset = offset;
    return 0;
}

static void group_opened(void *context, int32_t partition, struct weir_kafka_partition *opened)
{
    struct kafka_share *s = context;
    struct lane *lane = lane_of(s, partition);
    lane->reader = kafka_reader_of_group(s->log, s->topic, partition, lane->offset, opened);
    s->sharer.opened(s->sharer.context, partition, lane->reader);
}

static void group_revoked(void *context, int32_t partition, bool lost)
{
    struct kafka_share *s = context;
    struct lane *lane = lane_of(s, partition);
    s->sharer.revoked(s->sharer.context, partition, lost);
    weir_reader_close(lane->reader);
    lane->reader = NULL;
}

static int share_poll(struct weir_share *s, int64_t timeout_ms, struct weir_error *err)
{
    return weir_kafka_group_poll(((struct kafka_share *)s)->group, timeout_ms, err);
}

static void share_wake(struct weir_share *s)
{
    weir_kafka_group_wake(((struct kafka_share *)s)->group);
}

static bool share_settled(const struct weir_share *s)
{
    return weir_kafka_group_settled(((const struct kafka_share *)s)->group);
}

static struct weir_kafka_group *share_group(const struct weir_share *s)
{
    return ((const struct kafka_share *)s)->group;
}

static void share_free(struct kafka_share *s)
{
    free(s->lanes);
    free(s->topic);
    free(s);
}

static void share_leave(struct weir_share *any)
{
    struct kafka_share *s = (struct kafka_share *)any;
    weir_kafka_group_leave(s->group);
    share_free(s);
}

static void tell_news(void *log)
{
    log_news_tell(&((struct kafka_log *)log)->news);
}

int kafka_share_join(struct weir_log *any, const char *topic, const char *instance, const struct weir_sharer *sharer, struct weir_share **ret,
                     struct weir_error *err)
{
    static const struct share_ops ops = {
        .poll = share_poll, .wake = share_wake, .leave = share_leave, .settled = share_settled, .group = share_group};
    struct kafka_log *log = kafka_log_of(any);
    weir_assert(log->pipeline); // it names the group
    struct kafka_share *s = weir_zalloc(1, sizeof *s);
    *s = (struct kafka_share){.base.ops = &ops, .log = log, .topic = weir_strdup(topic), .sharer = *sharer};
    const struct weir_kafka_member member = {s, group_assigned, group_opened, group_revoked};
    if (weir_kafka_group_join(log->kafka, log->pipeline, topic, instance, &member, &s->group, err) < 0) {
        share_free(s);
        return -1;
    }
    weir_kafka_group_on_records(s->group, tell_news, log);
    *ret = &s->base;
    return 0;
}
