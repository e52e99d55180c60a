// SPDX-License-Identifier: Apache-2.0
// Threads that answer requests which wait for others: a store, a broker, a registry. The daemon's own few threads serve many connections each, health
// and streams among them, and must not wait; a request's connection is suspended until its answer is there.
#include "base/memory.h"
#include "http/inside.h"
#include <stdlib.h>

enum { THREADS = 8 };

struct http_pool {
    pthread_mutex_t lock;
    pthread_cond_t work;
    struct http_request *first, *last; // as many as there are connections, at most
    bool ending;
    pthread_t threads[THREADS];
};

static struct http_request *take(struct http_pool *p, bool *ret_ending)
{
    pthread_mutex_lock(&p->lock);
    while (!p->first && !p->ending)
        pthread_cond_wait(&p->work, &p->lock);
    struct http_request *r = p->first;
    if (r)
        p->first = r->next;
    *ret_ending = p->ending;
    pthread_mutex_unlock(&p->lock);
    return r;
}

static void *serve(void *context)
{
    struct http_request *r;
    bool ending;
    while ((r = take(context, &ending)) != NULL) {
        if (ending)
            http_problem(r, 503, "the server is stopping");
        else
            r->route->answer(r);
        MHD_resume_connection(r->connection); // which may send the answer and free the request at once
    }
    return NULL;
}

struct http_pool *http_pool_new(void)
{
    struct http_pool *p = weir_zalloc(1, sizeof *p);
    pthread_mutex_init(&p->lock, NULL);
    pthread_cond_init(&p->work, NULL);
    for (int i = 0; i < THREADS; i++)
        weir_assert(pthread_create(&p->threads[i], NULL, serve, p) == 0);
    return p;
}

void http_pool_answer(struct http_pool *p, struct http_request *r)
{
    MHD_suspend_connection(r->connection);
    pthread_mutex_lock(&p->lock);
    r->next = NULL;
    *(p->first ? &p->last->next : &p->first) = r;
    p->last = r;
    pthread_cond_signal(&p->work);
    pthread_mutex_unlock(&p->lock);
}

void http_pool_free(struct http_pool *p)
{
    if (!p)
        return;
    pthread_mutex_lock(&p->lock);
    p->ending = true;
    pthread_cond_broadcast(&p->work);
    pthread_mutex_unlock(&p->lock);
    for (int i = 0; i < THREADS; i++)
        pthread_join(p->threads[i], NULL);
    pthread_cond_destroy(&p->work);
    pthread_mutex_destroy(&p->lock);
    free(p);
}
