// SPDX-License-Identifier: Apache-2.0
// An I/O thread: takes what was submitted, sends what the windows allow, reads answers, and lets time pass every 50 ms.
#include "cql/inside.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum { EVENTS_MAX = 64, IDLE_MS = 500 };

void cql_loop_wake(struct loop *l)
{
    uint64_t one = 1;
    if (atomic_exchange(&l->sleeping, false))
        while (write(l->wake, &one, sizeof one) < 0 && errno == EINTR)
            ;
}

void cql_loop_submit(struct loop *l, struct call *call)
{
    struct call *first = atomic_load_explicit(&l->inbox, memory_order_relaxed);
    do
        call->next = first;
    while (!atomic_compare_exchange_weak(&l->inbox, &first, call));
    cql_loop_wake(l);
}

static void loop_take(struct loop *l)
{
    struct call *call = atomic_exchange(&l->inbox, NULL), *in_order = NULL;
    while (call) {
        struct call *next = call->next;
        call->next = in_order;
        in_order = call;
        call = next;
    }
    while (in_order) {
        call = in_order;
        in_order = call->next;
        if (call->give_up_us == 0)
            cql_call_fail(l, call, call->cause, call->error); // born that way
        else
            cql_route_call(l, call);
    }
}

void cql_loop_delay(struct loop *l, struct call *call, int64_t due_us)
{
    call->due_us = due_us;
    cql_calls_push(&l->delayed, call);
}

uint64_t cql_loop_random(struct loop *l)
{
    l->random ^= l->random << 13;
    l->random ^= l->random >> 7;
    l->random ^= l->random << 17;
    return l->random;
}

int64_t cql_loop_jitter(struct loop *l, int64_t us)
{
    return us / 2 + (int64_t)(cql_loop_random(l) % (uint64_t)(us / 2 + 1));
}

static void loop_try_delayed(struct loop *l)
{
    struct calls delayed = l->delayed;
    l->delayed = (struct calls){0};
    struct call *call;
    while ((call = cql_calls_pop(&delayed))) {
        if (call->due_us > l->now_us)
            cql_calls_push(&l->delayed, call);
        else if (l->now_us >= call->give_up_us)
            cql_call_fail(l, call, call->cause, call->error);
        else
            cql_route_call(l, call);
    }
}

static void loop_bury(struct loop *l)
{
    while (l->dead) {
        struct connection *c = l->dead;
        l->dead = c->next;
        cql_connection_free(c);
    }
    struct call *call;
    while ((call = cql_calls_pop(&l->finished)))
        cql_call_give(l->session, call);
}

static void loop_let_go(struct loop *l)
{
    for (size_t i = 0; i < l->leaving_count;)
        if (l->leaving[i]->links == 0) {
            cql_node_free(l->leaving[i]);
            l->leaving[i] = l->leaving[--l->leaving_count];
        } else
            i++;
}

static void loop_tick(struct loop *l)
{
    l->tick_us = l->now_us + TICK_US;
    uint64_t published = LOAD(l->session->topology_count);
    if (published != l->topology_seen) {
        l->topology_seen = published;
        cql_route_update(l);
    }
    if (l->control)
        cql_control_tick(l->control);
    for (struct connection *c = l->connections, *next; c; c = next) {
        next = c->next;
        cql_connection_tick(c);
    }
    for (uint32_t i = 0; i < l->node_count; i++)
        cql_node_tick(l->nodes[i]);
    loop_try_delayed(l);
    loop_let_go(l);
}

static void loop_pump(struct loop *l)
{
    uint32_t from = l->node_count ? (uint32_t)(cql_loop_random(l) % l->node_count) : 0;
    for (uint32_t i = 0; i < l->node_count; i++)
        cql_node_pump(l->nodes[(from + i) % l->node_count]);
    while (l->dirty) {
        struct connection *c = l->dirty;
        l->dirty = c->next_dirty;
        c->dirty = false;
        cql_connection_flush(c);
    }
}

static bool loop_busy(const struct loop *l)
{
    if (l->in_flight || l->delayed.count || (l->control && !cql_control_settled(l->control)))
        return true;
    for (const struct connection *c = l->connections; c; c = c->next)
        if (c->phase < PHASE_READY || c->probing || c->in_flight)
            return true;
    for (uint32_t i = 0; i < l->node_count; i++)
        if (l->nodes[i]->local && !l->nodes[i]->ready)
            return true;
    return false;
}

static int loop_wait_ms(struct loop *l)
{
    atomic_store(&l->sleeping, true);
    if (atomic_load(&l->inbox) || atomic_load(&l->session->stopping) || LOAD(l->session->topology_count) != l->topology_seen) {
        atomic_store(&l->sleeping, false);
        return 0;
    }
    if (!loop_busy(l))
        return IDLE_MS;
    int64_t left = l->tick_us - weir_monotonic_us();
    return left <= 0 ? 0 : (int)(left / 1000) + 1;
}

static void loop_turn(struct loop *l)
{
    struct epoll_event events[EVENTS_MAX];
    int n = epoll_wait(l->epoll, events, EVENTS_MAX, loop_wait_ms(l));
    atomic_store(&l->sleeping, false);
    l->now_us = weir_monotonic_us();
    for (int i = 0; i < n; i++) {
        uint64_t ignored;
        if (events[i].data.ptr)
            cql_connection_happened(events[i].data.ptr, events[i].events);
        else if (read(l->wake, &ignored, sizeof ignored) < 0)
            weir_assert(errno == EAGAIN || errno == EINTR);
    }
    loop_take(l);
    if (l->now_us >= l->tick_us || LOAD(l->session->topology_count) != l->topology_seen)
        loop_tick(l);
    loop_pump(l);
    loop_bury(l);
}

// ---- the end

static void fail_all(struct loop *l, struct calls *list, const struct weir_error *why)
{
    struct call *call;
    while ((call = cql_calls_pop(list)))
        cql_call_fail(l, call, CQL_CAUSE_CLOSED, why);
}

// Fails what is left. Every call that is anywhere ends up with its callback: closing connections gives what they have back as delayed or waiting.
bool cql_loop_end(struct loop *l)
{
    struct weir_error why;
    weir_fail(&why, WEIR_UNAVAILABLE, WEIR_RETRY, "the session is closed");
    while (l->connections)
        cql_connection_close(l->connections, TROUBLE_NETWORK, &why);
    loop_take(l);
    fail_all(l, &l->delayed, &why);
    for (uint32_t i = 0; i < l->node_count; i++)
        fail_all(l, &l->nodes[i]->waiting, &why);
    loop_bury(l);
    return atomic_load(&l->inbox) != NULL;
}

static void *loop_run(void *argument)
{
    struct loop *l = argument;
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, NULL);
    while (!atomic_load(&l->session->stopping))
        loop_turn(l);
    while (cql_loop_end(l))
        ; // callbacks submitted more
    return NULL;
}

int cql_loop_start(struct loop *l, struct weir_error *err)
{
    l->random = (uint64_t)weir_monotonic_us() * 2654435761u + (uintptr_t)l + 1;
    l->now_us = weir_monotonic_us();
    l->epoll = epoll_create1(EPOLL_CLOEXEC);
    l->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    struct epoll_event event = {.events = EPOLLIN};
    if (l->epoll < 0 || l->wake < 0 || epoll_ctl(l->epoll, EPOLL_CTL_ADD, l->wake, &event) < 0)
        return weir_fail(err, WEIR_UNAVAILABLE, WEIR_STOP, "no I/O thread can be made: %s", strerror(errno));
    int why = pthread_create(&l->thread, NULL, loop_run, l);
    if (why)
        return weir_fail(err, WEIR_UNAVAILABLE, WEIR_STOP, "no I/O thread can be made: %s", strerror(why));
    l->started = true;
    return 0;
}

static void loop_drop_nodes(struct loop *l)
{
    loop_let_go(l);
    for (uint32_t i = 0; i < l->node_count; i++)
        cql_node_free(l->nodes[i]);
    free(l->nodes);
    free(l->leaving);
}

void cql_loop_stop(struct loop *l)
{
    uint64_t one = 1;
    if (l->started) {
        if (write(l->wake, &one, sizeof one) < 0)
            weir_assert(errno == EAGAIN);
        pthread_join(l->thread, NULL);
    }
    l->started = false;
}

void cql_loop_drop(struct loop *l)
{
    loop_drop_nodes(l);
    if (l->control)
        cql_control_drop(l->control);
    cql_topology_release(l->topology);
    weir_arena_drop(&l->arena);
    if (l->epoll > 0)
        close(l->epoll);
    if (l->wake > 0)
        close(l->wake);
}
