// SPDX-License-Identifier: Apache-2.0
#include "log/news.h"

#include <time.h>

void log_news_init(struct log_news *n)
{
    pthread_condattr_t monotonic;
    pthread_mutex_init(&n->mutex, NULL);
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&n->told, &monotonic);
    pthread_condattr_destroy(&monotonic);
    n->count = 0;
}

void log_news_drop(struct log_news *n)
{
    pthread_cond_destroy(&n->told);
    pthread_mutex_destroy(&n->mutex);
}

void log_news_tell(struct log_news *n)
{
    pthread_mutex_lock(&n->mutex);
    n->count++;
    pthread_cond_broadcast(&n->told);
    pthread_mutex_unlock(&n->mutex);
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

void log_news_wait(struct log_news *n, uint64_t *seen, int64_t timeout_ms)
{
    struct timespec deadline = deadline_after(timeout_ms);
    pthread_mutex_lock(&n->mutex);
    while (n->count == *seen && pthread_cond_timedwait(&n->told, &n->mutex, &deadline) == 0)
        ;
    *seen = n->count;
    pthread_mutex_unlock(&n->mutex);
}
