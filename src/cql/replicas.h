// SPDX-License-Identifier: Apache-2.0
// Which nodes hold a token, by Cassandra's replication strategies. Pure: works on indices of nodes.
//
// The ring: tokens in ascending order, each with the node that owns the range ending there (previous, token]. The owner is the primary; strategies
// walk on from it. A new rack is taken before a known one is repeated, as org.apache.cassandra.locator.NetworkTopologyStrategy does since 3.0.
#pragma once
#include "base/str.h"
#include <stddef.h>
#include <stdint.h>

struct cql_vnode {
    int64_t token;
    uint32_t node;
};
struct cql_place {
    const char *datacenter, *rack;
};
struct cql_ring {
    uint32_t node_count, vnode_count;
    const struct cql_place *places; // of the nodes
    const struct cql_vnode *vnodes; // ascending
};

enum cql_strategy { CQL_STRATEGY_LOCAL, CQL_STRATEGY_SIMPLE, CQL_STRATEGY_NETWORK, CQL_STRATEGY_EVERYWHERE };
enum { CQL_DATACENTERS_MAX = 16 };
struct cql_replication {
    enum cql_strategy strategy;
    uint32_t factor; // SIMPLE
    uint32_t datacenter_count;
    struct {
        char name[64];
        uint32_t factor;
    } datacenters[CQL_DATACENTERS_MAX];
};

// One pair of system_schema.keyspaces' replication map: class, replication_factor or a data centre. "3/1" (with transient ones) counts 3.
void cql_replication_put(struct cql_replication *r, struct weir_str key, struct weir_str value);

struct cql_replicas { // of every vnode, one after another
    uint32_t *first;  // vnode_count + 1 places in nodes
    uint32_t *nodes;
};
void cql_replicas_make(const struct cql_ring *ring, const struct cql_replication *replication, struct cql_replicas *ret);
void cql_replicas_drop(struct cql_replicas *r);
uint32_t cql_ring_find(const struct cql_ring *ring, int64_t token); // the vnode whose range holds the token; the ring is not empty
