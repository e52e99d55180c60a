// SPDX-License-Identifier: Apache-2.0
#include "base/memory.h"
#include "log/kafka/inside.h"
#include <stdlib.h>

enum { DEAF_WAIT_MS = 20 };

static void log_close(struct weir_log *any)
{
    struct kafka_log *log = kafka_log_of(any);
    log_news_drop(&log->news);
    free(log->pipeline);
    free(log);
}

static bool log_healthy(struct weir_log *log, struct weir_buffer *reasons)
{
    return weir_kafka_healthy(kafka_log_of(log)->kafka, reasons);
}

static void log_wait(struct weir_log *any, uint64_t *seen, int64_t timeout_ms)
{
    struct kafka_log *log = kafka_log_of(any);
    bool deaf = atomic_load(&log->deaf_readers) > 0;
    log_news_wait(&log->news, seen, deaf && timeout_ms > DEAF_WAIT_MS ? DEAF_WAIT_MS : timeout_ms);
}

static void log_wake(struct weir_log *log)
{
    log_news_tell(&kafka_log_of(log)->news);
}

int weir_log_kafka(struct weir_kafka *kafka, const char *pipeline, struct weir_log **ret, struct weir_error *err)
{
    static const struct log_ops ops = {
        .close = log_close,
        .healthy = log_healthy,
        .topic_create = kafka_topic_create,
        .topic_delete = kafka_topic_delete,
        .topic_describe = kafka_topic_describe,
        .topic_list = kafka_topic_list,
        .topic_expire = kafka_topic_expire,
        .producer_open = kafka_producer_open,
        .reader_open = kafka_reader_open,
        .share_join = kafka_share_join,
        .wait = log_wait,
        .wake = log_wake,
    };
    (void)err;
    struct kafka_log *log = weir_zalloc(1, sizeof *log);
    log->base.ops = &ops;
    log->kafka = kafka;
    log->pipeline = pipeline ? weir_strdup(pipeline) : NULL;
    log_news_init(&log->news);
    *ret = &log->base;
    return 0;
}
