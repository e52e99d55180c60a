// SPDX-License-Identifier: Apache-2.0
#include "base/time.h"
#include "store/cassandra/inside.h"

#include <time.h>

static struct timespec at_us(int64_t us)
{
    return (struct timespec){.tv_sec = us / 1000000, .tv_nsec = us % 1000000 * 1000};
}

// Waits until writers are due; false: the store is closing. Under the lock.
static bool wait_until_due(struct cassandra_store *s)
{
    while (!s->closing && weir_monotonic_us() < s->due_us) {
        struct timespec due = at_us(s->due_us);
        if (s->due_us == INT64_MAX)
            pthread_cond_wait(&s->earlier, &s->lock);
        else
            pthread_cond_timedwait(&s->earlier, &s->lock, &due);
    }
    s->due_us = INT64_MAX;
    return !s->closing;
}

static void *keep(void *context)
{
    struct cassandra_store *s = context;
    pthread_mutex_lock(&s->lock);
    while (wait_until_due(s)) {
        pthread_mutex_unlock(&s->lock);
        cassandra_writers_tend(s);
        pthread_mutex_lock(&s->lock);
    }
    pthread_mutex_unlock(&s->lock);
    return NULL;
}

int cassandra_keeper_start(struct cassandra_store *s, struct weir_error *err)
{
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&s->earlier, &attributes);
    pthread_condattr_destroy(&attributes);
    s->due_us = INT64_MAX;
    if (pthread_create(&s->keeper, NULL, keep, s) == 0)
        return 0;
    pthread_cond_destroy(&s->earlier);
    return weir_fail(err, WEIR_INTERNAL, WEIR_STOP, "no thread can be started");
}

void cassandra_keeper_end(struct cassandra_store *s)
{
    pthread_mutex_lock(&s->lock);
    s->closing = true;
    pthread_cond_signal(&s->earlier);
    pthread_mutex_unlock(&s->lock);
    pthread_join(s->keeper, NULL);
    pthread_cond_destroy(&s->earlier);
}

void cassandra_keeper_at(struct cassandra_store *s, int64_t due_us)
{
    pthread_mutex_lock(&s->lock);
    if (due_us < s->due_us) {
        s->due_us = due_us;
        pthread_cond_signal(&s->earlier);
    }
    pthread_mutex_unlock(&s->lock);
}

void cassandra_progress(struct cassandra_store *s)
{
    pthread_mutex_lock(&s->listening);
    if (s->wake)
        s->wake(s->wake_context);
    pthread_mutex_unlock(&s->listening);
}
