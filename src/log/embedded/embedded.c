// SPDX-License-Identifier: Apache-2.0
#include "base/memory.h"
#include "log/embedded/inside.h"
#include <stdlib.h>

static void log_close(struct weir_log *any)
{
    struct embedded_log *log = embedded_log_of(any);
    log_free_topics(log);
    log_news_drop(&log->news);
    pthread_mutex_destroy(&log->number_mutex);
    pthread_rwlock_destroy(&log->appending);
    pthread_mutex_destroy(&log->mutex);
    free(log);
}

static bool log_healthy(struct weir_log *log, struct weir_buffer *reasons)
{
    (void)log;
    (void)reasons;
    return true; // a failed write ends the process
}

static void log_wait(struct weir_log *log, uint64_t *seen, int64_t timeout_ms)
{
    log_news_wait(&embedded_log_of(log)->news, seen, timeout_ms);
}

static void log_wake(struct weir_log *log)
{
    log_news_tell(&embedded_log_of(log)->news);
}

static const struct log_ops ops = {
    .close = log_close,
    .healthy = log_healthy,
    .topic_create = embedded_topic_create,
    .topic_delete = embedded_topic_delete,
    .topic_describe = embedded_topic_describe,
    .topic_list = embedded_topic_list,
    .topic_expire = embedded_topic_expire,
    .producer_open = embedded_producer_open,
    .reader_open = embedded_reader_open,
    .share_join = embedded_share_join,
    .wait = log_wait,
    .wake = log_wake,
};

int weir_log_embedded(struct weir_embedded *db, struct weir_log **ret, struct weir_error *err)
{
    struct embedded_log *log = weir_zalloc(1, sizeof *log);
    log->base.ops = &ops;
    log->db = db;
    log->generation = weir_embedded_generation(db);
    pthread_mutex_init(&log->mutex, NULL);
    pthread_rwlock_init(&log->appending, NULL);
    pthread_mutex_init(&log->number_mutex, NULL);
    log_news_init(&log->news);
    if (log_load_topics(log, err) < 0) {
        log_close(&log->base);
        return -1;
    }
    *ret = &log->base;
    return 0;
}

int log_next_number(struct embedded_log *log, uint64_t *ret, struct weir_error *err)
{
    enum { AT_ONCE = 1 << 16 };
    int rc = 0;
    pthread_mutex_lock(&log->number_mutex);
    if (log->next_number % AT_ONCE == 0)
        rc = weir_embedded_take_numbers(log->db, AT_ONCE, &log->next_number, err);
    if (rc == 0)
        *ret = log->next_number++;
    pthread_mutex_unlock(&log->number_mutex);
    return rc;
}
