// SPDX-License-Identifier: Apache-2.0
// The ring as the session sees it.
#include "cql/inside.h"

#include <math.h>
#include <stdio.h>

// A token owns the range from the one before it.
static double ring_share(const struct topology *t, uint32_t vnode)
{
    if (t->vnode_count == 1)
        return 1;
    int64_t before = t->vnodes[vnode ? vnode - 1 : t->vnode_count - 1].token;
    return ldexp((double)((uint64_t)t->vnodes[vnode].token - (uint64_t)before), -64);
}

static void node_figures(struct host *h, struct cql_node *n)
{
    *n = h->info;
    n->up = LOAD(h->ready) > 0;
    n->in_flight = LOAD(h->in_flight);
    n->window = LOAD(h->window);
    n->requests = LOAD(h->requests);
    n->errors = LOAD(h->errors);
    n->timeouts = LOAD(h->timeouts);
    n->overloaded = LOAD(h->overloaded);
    n->reconnects = LOAD(h->reconnects);
    n->latency_us = LOAD(h->latency_us);
}

uint32_t cql_session_nodes(struct cql_session *s, struct weir_arena *arena, struct cql_node **ret)
{
    struct topology *t = cql_topology_use(s);
    if (!t)
        return 0;
    struct cql_node *nodes = weir_arena_zalloc(arena, t->host_count * sizeof *nodes);
    pthread_mutex_lock(&s->lock);
    for (uint32_t i = 0; i < t->host_count; i++)
        node_figures(t->hosts[i], &nodes[i]);
    pthread_mutex_unlock(&s->lock);
    for (uint32_t v = 0; v < t->vnode_count; v++)
        nodes[t->vnodes[v].node].ownership += ring_share(t, v);
    uint32_t count = t->host_count;
    cql_topology_release(t);
    *ret = nodes;
    return count;
}

uint32_t cql_session_replicas(struct cql_session *s, const char *keyspace, int64_t token, uint32_t max, char (*ret_addresses)[46])
{
    const uint32_t *replicas;
    struct topology *t = cql_topology_use(s);
    uint32_t count = t ? cql_topology_replicas(t, keyspace, token, &replicas) : 0;
    if (count > max)
        count = max;
    for (uint32_t i = 0; i < count; i++)
        cql_address_text(&t->addresses[replicas[i]], ret_addresses[i]);
    cql_topology_release(t);
    return count;
}

struct cql_counters cql_session_counters(struct cql_session *s)
{
    return (struct cql_counters){.requests = LOAD(s->requests),
                                 .rows = LOAD(s->rows),
                                 .bytes_sent = LOAD(s->bytes_sent),
                                 .bytes_received = LOAD(s->bytes_received),
                                 .retries = LOAD(s->retries),
                                 .reprepared = LOAD(s->reprepared),
                                 .warnings = LOAD(s->warnings),
                                 .orphans = LOAD(s->orphans),
                                 .failures = LOAD(s->failures)};
}

enum cql_version cql_session_version(const struct cql_session *s)
{
    return (enum cql_version)atomic_load(&((struct cql_session *)s)->version);
}
