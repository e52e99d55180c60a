// SPDX-License-Identifier: Apache-2.0
// Sharing without others: all partitions are ours from the first poll to the leaving.
#include "base/memory.h"
#include "log/embedded/inside.h"
#include <stdlib.h>

struct embedded_share {
    struct weir_share base;
    struct embedded_log *log;
    struct log_topic *topic;
    struct weir_sharer sharer;
    struct weir_reader **readers; // by partition
    int32_t opened;
    struct log_news wakes;
    uint64_t seen;
};

static int open_partition(struct embedded_share *s, int32_t partition, struct weir_error *err)
{
    int64_t offset = INT64_MIN;
    if (s->sharer.assigned(s->sharer.context, partition, &offset, err) < 0 ||
        embedded_reader_open(&s->log->base, s->topic->name, partition, offset, &s->readers[partition], err) < 0)
        return -1;
    s->opened = partition + 1;
    s->sharer.opened(s->sharer.context, partition, s->readers[partition]);
    return 0;
}

static int share_poll(struct weir_share *any, int64_t timeout_ms, struct weir_error *err)
{
    struct embedded_share *s = (struct embedded_share *)any;
    if (s->opened == s->topic->partitions) {
        log_news_wait(&s->wakes, &s->seen, timeout_ms);
        return 0;
    }
    for (int32_t i = s->opened; i < s->topic->partitions; i++)
        if (open_partition(s, i, err) < 0)
            return -1;
    return 0;
}

static void share_wake(struct weir_share *s)
{
    log_news_tell(&((struct embedded_share *)s)->wakes);
}

static void share_leave(struct weir_share *any)
{
    struct embedded_share *s = (struct embedded_share *)any;
    for (int32_t i = 0; i < s->opened; i++) {
        s->sharer.revoked(s->sharer.context, i, false);
        weir_reader_close(s->readers[i]);
    }
    log_news_drop(&s->wakes);
    free(s->readers);
    free(s);
}

static bool share_settled(const struct weir_share *any)
{
    const struct embedded_share *s = (const struct embedded_share *)any;
    return s->opened == s->topic->partitions;
}

static struct weir_kafka_group *share_group(const struct weir_share *s)
{
    (void)s;
    return NULL;
}

int embedded_share_join(struct weir_log *any, const char *topic, const char *instance, const struct weir_sharer *sharer, struct weir_share **ret,
                        struct weir_error *err)
{
    static const struct share_ops ops = {
        .poll = share_poll, .wake = share_wake, .leave = share_leave, .settled = share_settled, .group = share_group};
    (void)instance;
    struct embedded_log *log = embedded_log_of(any);
    struct log_topic *found;
    if (log_find(log, topic, &found, err) < 0)
        return -1;
    struct embedded_share *s = weir_zalloc(1, sizeof *s);
    *s = (struct embedded_share){.base.ops = &ops, .log = log, .topic = found, .sharer = *sharer};
    s->readers = weir_zalloc((size_t)found->partitions, sizeof(struct weir_reader *));
    log_news_init(&s->wakes);
    *ret = &s->base;
    return 0;
}
