// SPDX-License-Identifier: Apache-2.0
#include "cql/replicas.h"

#include "base/memory.h"
#include "base/number.h"
#include <stdio.h>
#include <stdlib.h>

static uint32_t factor_parse(struct weir_str text)
{
    const char *slash = memchr(text.data, '/', text.bytes);
    if (slash)
        text.bytes = (uint32_t)(slash - text.data);
    int64_t factor;
    return weir_parse_i64(text, &factor) == 0 && factor > 0 && factor < 1000 ? (uint32_t)factor : 0;
}

static void class_parse(struct cql_replication *r, struct weir_str name)
{
    const char *dot = memrchr(name.data, '.', name.bytes);
    if (dot) {
        name.bytes -= (uint32_t)(dot + 1 - name.data);
        name.data = dot + 1;
    }
    r->strategy = weir_str_is(name, "SimpleStrategy")            ? CQL_STRATEGY_SIMPLE
                  : weir_str_is(name, "NetworkTopologyStrategy") ? CQL_STRATEGY_NETWORK
                  : weir_str_is(name, "EverywhereStrategy")      ? CQL_STRATEGY_EVERYWHERE
                                                                 : CQL_STRATEGY_LOCAL;
}

void cql_replication_put(struct cql_replication *r, struct weir_str key, struct weir_str value)
{
    if (weir_str_is(key, "class"))
        class_parse(r, value);
    else if (weir_str_is(key, "replication_factor"))
        r->factor = factor_parse(value);
    else if (r->datacenter_count < CQL_DATACENTERS_MAX && key.bytes < sizeof r->datacenters[0].name) {
        snprintf(r->datacenters[r->datacenter_count].name, sizeof r->datacenters[0].name, "%.*s", (int)key.bytes, key.data);
        r->datacenters[r->datacenter_count++].factor = factor_parse(value);
    }
}

uint32_t cql_ring_find(const struct cql_ring *ring, int64_t token)
{
    uint32_t low = 0, high = ring->vnode_count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (ring->vnodes[middle].token < token)
            low = middle + 1;
        else
            high = middle;
    }
    return low == ring->vnode_count ? 0 : low;
}

struct walk { // room for one vnode's answer and for what it takes to find it
    const struct cql_ring *ring;
    uint32_t *found, count;
    bool *taken;                                                              // by node
    uint32_t *racks;                                                          // by node: the same number for the same rack of the same data centre
    uint32_t *wanted_by;                                                      // by node: its data centre's place in the replication, or UINT32_MAX
    bool *rack_seen;                                                          // by rack
    uint32_t left[CQL_DATACENTERS_MAX], repeats[CQL_DATACENTERS_MAX];         // this vnode's
    uint32_t left_all[CQL_DATACENTERS_MAX], repeats_all[CQL_DATACENTERS_MAX]; // every vnode's, at first
};

static void walk_take(struct walk *w, uint32_t node)
{
    w->taken[node] = true;
    w->found[w->count++] = node;
}

static void walk_simple(struct walk *w, uint32_t vnode, uint32_t factor)
{
    for (uint32_t i = 0; i < w->ring->vnode_count && w->count < factor; i++) {
        uint32_t node = w->ring->vnodes[(vnode + i) % w->ring->vnode_count].node;
        if (!w->taken[node])
            walk_take(w, node);
    }
}

static void walk_offer(struct walk *w, uint32_t node)
{
    uint32_t dc = w->wanted_by[node];
    if (dc == UINT32_MAX || w->left[dc] == 0 || w->taken[node])
        return;
    if (w->rack_seen[w->racks[node]]) {
        if (w->repeats[dc] == 0)
            return; // the places left are for other racks
        w->repeats[dc]--;
    }
    w->rack_seen[w->racks[node]] = true;
    w->left[dc]--;
    walk_take(w, node);
}

static void walk_network(struct walk *w, uint32_t vnode, const struct cql_replication *r)
{
    uint32_t left = 0;
    for (uint32_t i = 0; i < r->datacenter_count; i++) {
        w->left[i] = w->left_all[i];
        w->repeats[i] = w->repeats_all[i];
        left += w->left[i];
    }
    memset(w->rack_seen, 0, w->ring->node_count);
    for (uint32_t i = 0; i < w->ring->vnode_count && w->count < left; i++)
        walk_offer(w, w->ring->vnodes[(vnode + i) % w->ring->vnode_count].node);
}

static void walk_everywhere(struct walk *w, uint32_t vnode)
{
    walk_simple(w, vnode, w->ring->node_count);
}

static void walk_number_racks(struct walk *w, const struct cql_replication *r)
{
    const struct cql_place *places = w->ring->places;
    uint32_t nodes[CQL_DATACENTERS_MAX] = {0}, racks[CQL_DATACENTERS_MAX] = {0};
    for (uint32_t i = 0; i < w->ring->node_count; i++) {
        w->wanted_by[i] = UINT32_MAX;
        for (uint32_t d = 0; d < r->datacenter_count; d++)
            if (strcmp(r->datacenters[d].name, places[i].datacenter) == 0)
                w->wanted_by[i] = d;
        w->racks[i] = i;
        for (uint32_t j = 0; j < i && w->racks[i] == i; j++)
            if (strcmp(places[i].datacenter, places[j].datacenter) == 0 && strcmp(places[i].rack, places[j].rack) == 0)
                w->racks[i] = w->racks[j];
        if (w->wanted_by[i] != UINT32_MAX) {
            nodes[w->wanted_by[i]]++;
            racks[w->wanted_by[i]] += w->racks[i] == i;
        }
    }
    for (uint32_t d = 0; d < r->datacenter_count; d++) {
        uint32_t factor = r->datacenters[d].factor;
        w->left_all[d] = factor < nodes[d] ? factor : nodes[d];
        w->repeats_all[d] = factor > racks[d] ? factor - racks[d] : 0;
    }
}

static void walk_one(struct walk *w, uint32_t vnode, const struct cql_replication *r)
{
    w->count = 0;
    memset(w->taken, 0, w->ring->node_count);
    if (r->strategy == CQL_STRATEGY_SIMPLE)
        walk_simple(w, vnode, r->factor);
    else if (r->strategy == CQL_STRATEGY_NETWORK)
        walk_network(w, vnode, r);
    else if (r->strategy == CQL_STRATEGY_EVERYWHERE)
        walk_everywhere(w, vnode);
}

void cql_replicas_make(const struct cql_ring *ring, const struct cql_replication *replication, struct cql_replicas *ret)
{
    uint32_t n = ring->node_count;
    struct walk w = {.ring = ring,
                     .found = weir_zalloc(n, sizeof *w.found),
                     .taken = weir_zalloc(n, sizeof *w.taken),
                     .racks = weir_zalloc(n, sizeof *w.racks),
                     .wanted_by = weir_zalloc(n, sizeof *w.wanted_by),
                     .rack_seen = weir_zalloc(n, sizeof *w.rack_seen)};
    walk_number_racks(&w, replication);
    struct cql_replicas made = {.first = weir_zalloc(ring->vnode_count + 1, sizeof *made.first)};
    size_t capacity = 0;
    for (uint32_t v = 0; v < ring->vnode_count; v++) {
        walk_one(&w, v, replication);
        weir_grow(&made.nodes, &capacity, made.first[v] + (size_t)w.count, sizeof *made.nodes);
        if (w.count)
            memcpy(made.nodes + made.first[v], w.found, w.count * sizeof *w.found);
        made.first[v + 1] = made.first[v] + w.count;
    }
    free(w.found);
    free(w.taken);
    free(w.racks);
    free(w.wanted_by);
    free(w.rack_seen);
    *ret = made;
}

void cql_replicas_drop(struct cql_replicas *r)
{
    free(r->first);
    free(r->nodes);
    *r = (struct cql_replicas){0};
}
