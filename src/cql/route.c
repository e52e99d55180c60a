// SPDX-License-Identifier: Apache-2.0
// Where a request goes: to the replica in the local data centre with the least to do for its window; without a token, or where no replica is up, to
// the least busy node. A node where the request has just failed comes last.
#include "cql/inside.h"

#include <stdlib.h>

enum { ALL_MAX = 8 }; // with more nodes to choose from, two random ones are compared

static bool node_fit(const struct node *n)
{
    return n && n->ready && !n->leaving && n->local && n->connection && n->connection->phase == PHASE_READY && !n->connection->draining;
}

static double node_score(const struct node *n, const struct call *call)
{
    double load = (cql_node_load(n) + 1.0) / cql_window_size(&n->window);
    return load + (n->stalled ? 1e6 : 0) + (n == call->avoid ? 1e9 : 0);
}

static void choose_better(struct node **best, double *score, struct node *n, const struct call *call)
{
    if (!node_fit(n))
        return;
    double its = node_score(n, call);
    if (!*best || its < *score) {
        *best = n;
        *score = its;
    }
}

static struct node *choose_replica(struct loop *l, const struct call *call)
{
    const uint32_t *replicas;
    struct node *best = NULL;
    double score = 0;
    uint32_t count = call->has_token && l->topology ? cql_topology_replicas(l->topology, call->keyspace, call->token, &replicas) : 0;
    uint32_t from = count ? (uint32_t)(cql_loop_random(l) % count) : 0;
    for (uint32_t i = 0; i < count; i++)
        choose_better(&best, &score, l->nodes[replicas[(from + i) % count]], call);
    return best;
}

static struct node *choose_any(struct loop *l, const struct call *call)
{
    struct node *best = NULL;
    double score = 0;
    uint32_t from = l->node_count ? (uint32_t)(cql_loop_random(l) % l->node_count) : 0;
    for (uint32_t i = 0, fit = 0; i < l->node_count && fit < (l->node_count > ALL_MAX ? 2u : ALL_MAX); i++) {
        struct node *n = l->nodes[(from + i) % l->node_count];
        fit += node_fit(n);
        choose_better(&best, &score, n, call);
    }
    return best;
}

static struct node *choose_only(struct loop *l, const struct call *call)
{
    for (uint32_t i = 0; i < l->node_count; i++)
        if (l->nodes[i]->host == call->only)
            return node_fit(l->nodes[i]) ? l->nodes[i] : NULL;
    return NULL;
}

static void route_nowhere(struct loop *l, struct call *call)
{
    if (!call->error) {
        struct weir_error why;
        weir_fail(&why, WEIR_UNAVAILABLE, WEIR_RETRY, "%s", call->only ? "the node cannot be reached" : "no Cassandra node can be reached");
        cql_call_note(call, CQL_CAUSE_NOT_SENT, &why);
    }
    if (l->now_us >= call->give_up_us)
        cql_call_fail(l, call, call->cause, call->error);
    else
        cql_loop_delay(l, call, l->now_us + TICK_US);
}

void cql_route_call(struct loop *l, struct call *call)
{
    struct node *n = call->only ? choose_only(l, call) : choose_replica(l, call);
    if (!n && !call->only)
        n = choose_any(l, call);
    if (n)
        cql_calls_push(&n->waiting, call);
    else
        route_nowhere(l, call);
}

// ---- nodes as the topology has them

static struct node *take_node(struct loop *l, struct host *host)
{
    for (uint32_t i = 0; i < l->node_count; i++)
        if (l->nodes[i] && l->nodes[i]->host == host) {
            struct node *found = l->nodes[i];
            l->nodes[i] = NULL;
            return found;
        }
    struct node *made = weir_zalloc(1, sizeof *made);
    made->loop = l;
    made->host = host;
    cql_window_init(&made->window, l->session->options.window_max / l->session->options.io_threads);
    return made;
}

static void leave_others(struct loop *l, struct node **left, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        if (left[i]) {
            weir_grow(&l->leaving, &l->leaving_capacity, l->leaving_count + 1, sizeof(struct node *));
            l->leaving[l->leaving_count++] = left[i];
            cql_node_leave(left[i]);
        }
}

void cql_route_update(struct loop *l)
{
    struct topology *t = cql_topology_use(l->session);
    if (!t)
        return;
    struct node **nodes = weir_zalloc(t->host_count, sizeof(struct node *));
    for (uint32_t i = 0; i < t->host_count; i++)
        nodes[i] = take_node(l, t->hosts[i]);
    struct node **left = l->nodes;
    uint32_t left_count = l->node_count;
    cql_topology_release(l->topology);
    l->topology = t;
    l->nodes = nodes;
    l->node_count = t->host_count;
    for (uint32_t i = 0; i < t->host_count; i++) {
        nodes[i]->local = t->local[i];
        if (nodes[i]->address.ss_family == 0)
            nodes[i]->address = t->addresses[i];
        else if (!cql_address_equal(&nodes[i]->address, &t->addresses[i]))
            cql_node_move(nodes[i], &t->addresses[i]);
    }
    leave_others(l, left, left_count);
    free(left);
    for (uint32_t i = 0; i < t->host_count; i++)
        cql_node_tick(nodes[i]);
}
