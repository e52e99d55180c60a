// SPDX-License-Identifier: Apache-2.0
#include "log/log.h"

#include "base/memory.h"
#include "log/inside.h"
#include <stdlib.h>
#include <time.h>

int weir_log_embedded(struct weir_embedded *db, struct weir_log **ret, struct weir_error *err)
{
    struct weir_log *log = weir_zalloc(1, sizeof *log);
    log->db = db;
    log->generation = weir_embedded_generation(db);
    pthread_mutex_init(&log->mutex, NULL);
    pthread_rwlock_init(&log->appending, NULL);
    pthread_mutex_init(&log->number_mutex, NULL);
    pthread_mutex_init(&log->news_mutex, NULL);
    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&log->news, &monotonic);
    pthread_condattr_destroy(&monotonic);
    if (log_load_topics(log, err) < 0) {
        weir_log_close(log);
        return -1;
    }
    *ret = log;
    return 0;
}

void weir_log_close(struct weir_log *log)
{
    if (!log)
        return;
    log_free_topics(log);
    pthread_cond_destroy(&log->news);
    pthread_mutex_destroy(&log->news_mutex);
    pthread_mutex_destroy(&log->number_mutex);
    pthread_rwlock_destroy(&log->appending);
    pthread_mutex_destroy(&log->mutex);
    free(log);
}

int log_next_number(struct weir_log *log, uint64_t *ret, struct weir_error *err)
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

void log_news(struct weir_log *log)
{
    pthread_mutex_lock(&log->news_mutex);
    log->news_count++;
    pthread_cond_broadcast(&log->news);
    pthread_mutex_unlock(&log->news_mutex);
}

static struct timespec deadline_after(int64_t timeout_ms)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    t.tv_sec += timeout_ms / 1000;
    t.tv_nsec += timeout_ms % 1000 * 1000000;
    if (t.tv_nsec >= 1000000000) {
        t.tv_sec++;
        t.tv_nsec -= 1000000000;
    }
    return t;
}

void weir_log_wait(struct weir_log *log, uint64_t *seen, int64_t timeout_ms)
{
    struct timespec deadline = deadline_after(timeout_ms);
    pthread_mutex_lock(&log->news_mutex);
    while (log->news_count == *seen && pthread_cond_timedwait(&log->news, &log->news_mutex, &deadline) == 0)
        ;
    *seen = log->news_count;
    pthread_mutex_unlock(&log->news_mutex);
}

void weir_log_wake(struct weir_log *log)
{
    log_news(log);
}
