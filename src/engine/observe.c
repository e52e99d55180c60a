// SPDX-License-Identifier: Apache-2.0
// The store as operators know it, asked for every few seconds by a thread of its own, since nodes may be slow to answer.
#include "base/memory.h"
#include "engine/pipeline.h"
#include <poll.h>
#include <stdlib.h>

enum { EVERY_MS = 5000 };

struct observer {
    struct pipeline *pipeline;
    pthread_t thread;
    bool started;
    pthread_mutex_t lock;
    struct weir_arena arenas[2]; // one is shown while the other is filled
    unsigned shown;
    bool known;
    struct weir_store_stats stats;
};

static void look(struct observer *o)
{
    struct weir_store_stats stats;
    struct weir_error err;
    struct weir_arena *arena = &o->arenas[!o->shown];
    weir_arena_reset(arena);
    if (weir_store_stats(o->pipeline->store, o->pipeline->plan->keyspace, arena, &stats, &err) < 0)
        return; // what was known stays; weir_store_healthy says why
    pthread_mutex_lock(&o->lock);
    o->stats = stats;
    o->shown = !o->shown;
    o->known = true;
    pthread_mutex_unlock(&o->lock);
}

static void *watch(void *context)
{
    struct observer *o = context;
    struct weir_engine *e = o->pipeline->engine;
    while (!atomic_load(&e->stopping)) {
        look(o);
        struct pollfd stop = {.fd = e->wake_fd, .events = POLLIN};
        poll(&stop, 1, EVERY_MS);
    }
    return NULL;
}

struct observer *observer_new(struct pipeline *p)
{
    struct observer *o = weir_zalloc(1, sizeof *o);
    o->pipeline = p;
    pthread_mutex_init(&o->lock, NULL);
    return o;
}

void observer_start(struct observer *o)
{
    if (!o || !o->pipeline->store)
        return;
    o->started = pthread_create(&o->thread, NULL, watch, o) == 0;
    weir_assert(o->started);
}

void observer_join(struct observer *o)
{
    if (!o || !o->started)
        return;
    pthread_join(o->thread, NULL);
    o->started = false;
}

void observer_free(struct observer *o)
{
    if (!o)
        return;
    weir_arena_drop(&o->arenas[0]);
    weir_arena_drop(&o->arenas[1]);
    pthread_mutex_destroy(&o->lock);
    free(o);
}

bool weir_engine_store(struct weir_engine *e, uint32_t pipeline, void (*visit)(void *context, const struct weir_store_stats *stats), void *context)
{
    struct observer *o = e->pipelines[pipeline].observer;
    pthread_mutex_lock(&o->lock);
    bool known = o->known;
    if (known)
        visit(context, &o->stats);
    pthread_mutex_unlock(&o->lock);
    return known;
}
