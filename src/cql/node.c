// SPDX-License-Identifier: Apache-2.0
// A loop's side of a node: its connection, made again for ever, ever more slowly; its window; the requests that wait for it.
#include "cql/inside.h"

#include <stdio.h>
#include <stdlib.h>

enum { NUDGE_US = 1000 * 1000, TICKS_US = 250 * 1000 };

void cql_node_counts(struct node *n, int change)
{
    n->loop->in_flight += (uint32_t)change;
    ADD(n->host->in_flight, (unsigned)change);
}

uint32_t cql_node_load(const struct node *n)
{
    return n->waiting.count + (n->connection ? n->connection->in_flight + n->connection->parked : 0);
}

void cql_node_trouble(struct node *n, const char *text)
{
    struct cql_session *s = n->loop->session;
    pthread_mutex_lock(&s->lock);
    snprintf(n->host->info.trouble, sizeof n->host->info.trouble, "%s", text);
    pthread_mutex_unlock(&s->lock);
}

void cql_node_tell_window(struct node *n)
{
    uint32_t now = n->ready ? cql_window_size(&n->window) : 0;
    if (now == n->window_told)
        return;
    ADD(n->host->window, now - n->window_told);
    ADD(n->loop->session->windows, now - n->window_told);
    n->window_told = now;
}

static void node_unready(struct node *n)
{
    if (!n->ready)
        return;
    n->ready = n->stalled = false;
    SUB(n->host->ready, 1);
    cql_node_tell_window(n);
}

static void node_ready(struct connection *c)
{
    struct node *n = c->owner;
    struct cql_session *s = n->loop->session;
    if (c != n->connection)
        return; // replaced meanwhile
    if (n->tries)
        cql_session_say(s, "Cassandra node %s is up", c->peer);
    if (n->host->requests)
        COUNT(n->host->reconnects);
    n->ready = true;
    n->tries = 0;
    cql_window_init(&n->window, s->options.window_max / s->options.io_threads);
    ADD(n->host->ready, 1);
    cql_node_tell_window(n);
    cql_node_trouble(n, "");
    pthread_mutex_lock(&s->lock);
    if (s->state == SESSION_OPENING)
        s->state = SESSION_OPEN;
    pthread_cond_broadcast(&s->changed);
    pthread_mutex_unlock(&s->lock);
}

void cql_node_scatter(struct node *n)
{
    struct calls waiting = n->waiting;
    n->waiting = (struct calls){0};
    struct call *call;
    while ((call = cql_calls_pop(&waiting)))
        cql_route_call(n->loop, call);
}

static void node_later(struct node *n)
{
    unsigned doublings = n->tries < 10 ? n->tries : 10;
    int64_t wait = (int64_t)RECONNECT_MIN_US << doublings;
    n->tries++;
    n->connect_us = n->loop->now_us + cql_loop_jitter(n->loop, wait < RECONNECT_MAX_US ? wait : RECONNECT_MAX_US);
}

static void node_closed(struct connection *c, enum trouble trouble, const struct weir_error *why)
{
    struct node *n = c->owner;
    struct cql_session *s = n->loop->session;
    (void)trouble;
    n->links--;
    if (c != n->connection)
        return;
    bool was_ready = n->ready;
    n->connection = NULL;
    node_unready(n);
    if (!n->leaving && !atomic_load(&s->stopping)) {
        if (was_ready || n->tries == 1)
            cql_session_say(s, "Cassandra node is down: %s", why->text);
        cql_node_trouble(n, why->text);
    }
    node_later(n);
    cql_node_scatter(n);
}

static const struct connection_owner node_ops = {.ready = node_ready, .closed = node_closed};

void cql_node_connect(struct node *n)
{
    struct cql_session *s = n->loop->session;
    if (n->connection || n->leaving || !n->local || atomic_load(&s->stopping))
        return;
    uint32_t slots = s->options.window_max * 2 + 64;
    n->links++;
    n->connection = cql_connection_open(n->loop, &n->address, (enum cql_version)atomic_load(&s->version), slots, &node_ops, n);
    cql_connection_tick(n->connection);
}

// Too many answers are owed: what runs is waited for on the old connection, a new one takes what comes.
static void node_replace(struct node *n)
{
    cql_session_say(n->loop->session, "%s: %u requests were never answered, the connection is replaced", n->connection->peer, n->connection->orphans);
    cql_connection_drain(n->connection);
    n->connection = NULL;
    node_unready(n);
    COUNT(n->host->reconnects);
    cql_node_scatter(n);
    cql_node_connect(n);
}

static void node_expire(struct node *n)
{
    int64_t now = n->loop->now_us;
    struct calls waiting = n->waiting;
    n->waiting = (struct calls){0};
    struct call *call;
    while ((call = cql_calls_pop(&waiting))) {
        if (now < call->give_up_us) {
            cql_calls_push(&n->waiting, call);
            continue;
        }
        struct weir_error why;
        weir_fail(&why, WEIR_UNAVAILABLE, WEIR_RETRY, "%s: the node has too much to do, and the request's time is over", n->host->info.address);
        if (!call->error)
            cql_call_note(call, CQL_CAUSE_NOT_SENT, &why);
        cql_call_fail(n->loop, call, call->cause, call->error);
    }
}

static void node_watch(struct node *n)
{
    const struct connection *c = n->connection;
    int64_t now = n->loop->now_us;
    n->stalled = c->in_flight > 0 && now - c->heard_us >= STALL_US;
    if (c->orphans >= cql_window_size(&n->window) || c->orphans > n->loop->session->options.window_max / 2)
        node_replace(n);
    else if (n->waiting.count && (n->stalled || c->in_flight >= cql_window_size(&n->window)))
        cql_node_scatter(n);
}

void cql_node_tick(struct node *n)
{
    int64_t now = n->loop->now_us;
    uint64_t nudge = LOAD(n->host->nudge);
    if (nudge != n->nudge_seen && now - n->nudged_us >= NUDGE_US) {
        n->nudge_seen = nudge;
        n->nudged_us = now;
        n->tries = n->tries ? 1 : 0;
        n->connect_us = now;
    }
    if (!n->connection && now >= n->connect_us)
        cql_node_connect(n);
    if (n->ready)
        node_watch(n);
    if (n->waiting.count && now / TICKS_US != (now - TICK_US) / TICKS_US)
        node_expire(n);
}

void cql_node_pump(struct node *n)
{
    struct loop *l = n->loop;
    uint32_t all = l->session->options.in_flight_requests / l->session->options.io_threads;
    while (n->waiting.first && cql_connection_can_send(n->connection) && l->in_flight < all &&
           n->connection->in_flight + n->connection->parked < cql_window_size(&n->window)) {
        struct call *call = cql_calls_pop(&n->waiting);
        call->attempts++;
        cql_statement_send(n->connection, call);
    }
    cql_node_tell_window(n);
}

void cql_node_leave(struct node *n)
{
    n->leaving = true;
    node_unready(n);
    if (n->connection)
        cql_connection_drain(n->connection);
    cql_node_scatter(n);
}

void cql_node_move(struct node *n, const struct sockaddr_storage *address)
{
    char from[64];
    cql_connection_name(&n->address, from, sizeof from);
    n->address = *address;
    n->tries = 0;
    if (n->connection) {
        struct weir_error why;
        weir_fail(&why, WEIR_UNAVAILABLE, WEIR_RETRY, "%s: the node has another address now", from);
        cql_connection_close(n->connection, TROUBLE_NETWORK, &why);
    }
    n->tries = 0;
    n->connect_us = n->loop->now_us;
}

void cql_node_free(struct node *n)
{
    weir_assert(n->links == 0 && n->waiting.count == 0);
    free(n);
}
