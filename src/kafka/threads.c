// SPDX-License-Identifier: Apache-2.0
// Only for ThreadSanitizer, which does not know C11's threads: librdkafka's, whose callbacks run our code, are made with POSIX's under it. In glibc
// both kinds of locks have one layout.
#include "kafka/inside.h"

#ifdef KAFKA_UNDER_TSAN
#include "base/memory.h"
#include <errno.h>
#include <stdlib.h>
#include <threads.h>

const bool kafka_threads_are_seen = true;

struct beginning {
    thrd_start_t run;
    void *argument;
};

static void *begin(void *context)
{
    struct beginning at = *(struct beginning *)context;
    free(context);
    return (void *)(intptr_t)at.run(at.argument);
}

static int result(int error)
{
    return error == 0 ? thrd_success : error == ETIMEDOUT ? thrd_timedout : thrd_error;
}

int thrd_create(thrd_t *thread, thrd_start_t run, void *argument)
{
    struct beginning *at = weir_alloc(sizeof *at);
    *at = (struct beginning){run, argument};
    return result(pthread_create(thread, NULL, begin, at));
}

int thrd_join(thrd_t thread, int *ret)
{
    void *value;
    int rc = result(pthread_join(thread, &value));
    if (ret)
        *ret = (int)(intptr_t)value;
    return rc;
}

int mtx_lock(mtx_t *lock)
{
    return result(pthread_mutex_lock((pthread_mutex_t *)lock));
}

int mtx_unlock(mtx_t *lock)
{
    return result(pthread_mutex_unlock((pthread_mutex_t *)lock));
}

void mtx_destroy(mtx_t *lock)
{
    pthread_mutex_destroy((pthread_mutex_t *)lock);
}

int cnd_wait(cnd_t *condition, mtx_t *lock)
{
    return result(pthread_cond_wait((pthread_cond_t *)condition, (pthread_mutex_t *)lock));
}

int cnd_timedwait(cnd_t *restrict condition, mtx_t *restrict lock, const struct timespec *restrict until)
{
    return result(pthread_cond_timedwait((pthread_cond_t *)condition, (pthread_mutex_t *)lock, until));
}

int cnd_signal(cnd_t *condition)
{
    return result(pthread_cond_signal((pthread_cond_t *)condition));
}

int cnd_broadcast(cnd_t *condition)
{
    return result(pthread_cond_broadcast((pthread_cond_t *)condition));
}

void cnd_destroy(cnd_t *condition)
{
    pthread_cond_destroy((pthread_cond_t *)condition);
}
#endif
