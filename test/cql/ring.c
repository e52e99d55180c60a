// SPDX-License-Identifier: Apache-2.0
// A ring from its making to its end, and what tests do to it meanwhile.
#include "base/hash.h"
#include "base/uuid.h"
#include "inside.h"
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

// ---- placement

struct owner {
    int64_t token;
    uint32_t node;
};

static int by_token(const void *a, const void *b)
{
    const struct owner *x = a, *y = b;
    return (x->token > y->token) - (x->token < y->token);
}

// SimpleStrategy: the owners of the tokens that follow, each node once.
uint32_t fake_replicas(struct fake_ring *r, int64_t token, uint32_t *ret_nodes)
{
    struct owner owners[FAKE_NODES_MAX * FAKE_TOKENS_MAX];
    uint32_t count = 0, first = 0, found = 0, taken = 0;
    for (uint32_t n = 0; n < r->node_count; n++) {
        for (uint32_t t = 0; t < r->nodes[n].token_count && !r->nodes[n].gone; t++)
            owners[count++] = (struct owner){r->nodes[n].tokens[t], n};
    }
    qsort(owners, count, sizeof *owners, by_token);
    while (first < count && owners[first].token < token)
        first++;
    for (uint32_t i = 0; i < count && found < r->options.replication; i++) {
        uint32_t node = owners[(first + i) % count].node;
        if (!(taken & 1u << node))
            ret_nodes[found++] = node;
        taken |= 1u << node;
    }
    return found;
}

// ---- making

static void name_host(struct fake_ring *r, uint32_t node)
{
    struct fake_node *n = &r->nodes[node];
    uint32_t what[2] = {node, r->generation++};
    uint64_t id[2] = {weir_hash64(what, sizeof what, r->port), weir_hash64(what, sizeof what, r->port + 1)};
    memcpy(n->host_uuid, id, sizeof n->host_uuid);
    weir_uuid_format(n->host_uuid, n->host_id);
}

static void make_node(struct fake_ring *r, uint32_t node)
{
    struct fake_node *n = &r->nodes[node];
    uint32_t datacenters = r->options.datacenters ? r->options.datacenters : 1;
    *n = (struct fake_node){.listener = {FAKE_LISTENER, node, -1}, .datacenter = node % datacenters, .rack = node / datacenters % 3};
    n->token_count = r->options.tokens ? r->options.tokens : 8;
    weir_assert(n->token_count <= FAKE_TOKENS_MAX);
    snprintf(n->address, sizeof n->address, "127.0.1.%u", node + 1);
    for (uint32_t t = 0; t < n->token_count; t++) {
        uint32_t what[2] = {node, t};
        n->tokens[t] = (int64_t)weir_hash64(what, sizeof what, 11);
    }
    name_host(r, node);
}

// One free port for all nodes: that which the first gets, unless another node's address has it taken.
static bool listen_all(struct fake_ring *r)
{
    r->port = 0;
    for (uint32_t n = 0; n < r->node_count; n++)
        fake_listen(r, n);
    bool whole = true;
    for (uint32_t n = 0; n < r->node_count; n++)
        whole &= r->nodes[n].listener.fd >= 0;
    for (uint32_t n = 0; n < r->node_count && !whole; n++) {
        if (r->nodes[n].listener.fd >= 0)
            close(r->nodes[n].listener.fd);
        r->nodes[n].listener.fd = -1;
    }
    return whole;
}

static SSL_CTX *tls_context(const struct fake_options *options)
{
    if (!options->cert_file)
        return NULL;
    SSL_CTX *context = SSL_CTX_new(TLS_server_method());
    weir_assert(context && SSL_CTX_use_certificate_chain_file(context, options->cert_file) == 1);
    weir_assert(SSL_CTX_use_PrivateKey_file(context, options->key_file, SSL_FILETYPE_PEM) == 1);
    return context;
}

struct fake_ring *fake_ring_open(const struct fake_options *options)
{
    struct fake_ring *r = weir_zalloc(1, sizeof *r);
    r->options = *options;
    r->node_count = options->nodes ? options->nodes : 1;
    weir_assert(r->node_count <= FAKE_NODES_MAX);
    if (!r->options.version_max)
        r->options.version_max = CQL_V5;
    if (!r->options.replication)
        r->options.replication = r->node_count < 3 ? r->node_count : 3;
    r->random = 88172645463325252u;
    r->tls = tls_context(options);
    pthread_mutex_init(&r->lock, NULL);
    fake_loop_start(r);
    for (uint32_t n = 0; n < r->node_count; n++)
        make_node(r, n);
    bool listening = false;
    for (int tries = 0; tries < 50 && !listening; tries++)
        listening = listen_all(r);
    weir_assert(listening);
    fake_loop_run(r);
    return r;
}

static void drop_held(struct fake_ring *r)
{
    while (r->held) {
        struct fake_answer *a = r->held;
        r->held = a->next;
        weir_buffer_drop(&a->envelope);
        free(a);
    }
}

void fake_ring_close(struct fake_ring *r)
{
    if (!r)
        return;
    fake_loop_stop(r);
    for (uint32_t n = 0; n < r->node_count; n++) {
        if (r->nodes[n].listener.fd >= 0)
            close(r->nodes[n].listener.fd);
    }
    drop_held(r);
    fake_statements_drop(r);
    fake_rows_drop(&r->rows);
    free(r->rules);
    SSL_CTX_free(r->tls);
    pthread_mutex_destroy(&r->lock);
    free(r);
}

uint16_t fake_port(const struct fake_ring *r)
{
    return r->port;
}

const char *fake_address(struct fake_ring *r, uint32_t node)
{
    return r->nodes[node].address;
}

const char *fake_host_id(struct fake_ring *r, uint32_t node)
{
    return r->nodes[node].host_id;
}

// ---- settings

static void lock(struct fake_ring *r)
{
    pthread_mutex_lock(&r->lock);
}

static void unlock(struct fake_ring *r)
{
    fake_loop_wake(r);
    pthread_mutex_unlock(&r->lock);
}

uint32_t fake_rule_add(struct fake_ring *r, const struct fake_rule *rule)
{
    lock(r);
    weir_grow(&r->rules, &r->rule_capacity, r->rule_count + 1, sizeof *r->rules);
    r->rules[r->rule_count] = (struct fake_rule_state){.rule = *rule};
    uint32_t number = (uint32_t)r->rule_count++;
    unlock(r);
    return number;
}

uint64_t fake_rule_hits(struct fake_ring *r, uint32_t rule)
{
    lock(r);
    uint64_t hits = rule < r->rule_count ? r->rules[rule].hits : 0;
    unlock(r);
    return hits;
}

#define FAKE_SETTING(name, parameter, statement)                                                                                                     \
    void fake_##name(struct fake_ring *r, parameter)                                                                                                 \
    {                                                                                                                                                \
        lock(r);                                                                                                                                     \
        statement;                                                                                                                                   \
        unlock(r);                                                                                                                                   \
    }
FAKE_SETTING(seed, uint64_t seed, r->random = weir_hash64(&seed, sizeof seed, 5) | 1)
FAKE_SETTING(chop, uint32_t bytes, r->chop = bytes)
FAKE_SETTING(capacity, uint32_t requests, r->capacity = requests)
FAKE_SETTING(version, int version_max, r->options.version_max = version_max)

void fake_rules_clear(struct fake_ring *r)
{
    lock(r);
    r->rule_count = 0;
    unlock(r);
}

void fake_alter(struct fake_ring *r)
{
    lock(r);
    r->altered++;
    unlock(r);
}

// ---- nodes

static void forget(struct fake_ring *r, uint32_t node)
{
    for (size_t i = 0; i < r->statement_count; i++)
        r->statements[i]->nodes &= ~(1u << node);
}

static void stop(struct fake_ring *r, uint32_t node)
{
    struct fake_node *n = &r->nodes[node];
    if (n->listener.fd >= 0)
        close(n->listener.fd);
    n->listener.fd = -1;
    for (struct fake_conn *c = r->conns; c; c = c->next) {
        if (c->source.node == node)
            fake_conn_close(r, c, true);
    }
    forget(r, node);
}

static void start(struct fake_ring *r, uint32_t node)
{
    if (r->nodes[node].listener.fd < 0)
        fake_listen(r, node);
    weir_assert(r->nodes[node].listener.fd >= 0);
}

void fake_node_stop(struct fake_ring *r, uint32_t node)
{
    lock(r);
    stop(r, node);
    unlock(r);
}

void fake_node_start(struct fake_ring *r, uint32_t node)
{
    lock(r);
    start(r, node);
    unlock(r);
}

void fake_node_move(struct fake_ring *r, uint32_t node, const char *address)
{
    lock(r);
    stop(r, node);
    snprintf(r->nodes[node].address, sizeof r->nodes[node].address, "%s", address);
    start(r, node);
    unlock(r);
}

void fake_node_renew(struct fake_ring *r, uint32_t node)
{
    lock(r);
    stop(r, node);
    name_host(r, node);
    start(r, node);
    unlock(r);
}

void fake_node_freeze(struct fake_ring *r, uint32_t node, bool frozen)
{
    lock(r);
    struct fake_node *n = &r->nodes[node];
    if (n->frozen != frozen) {
        n->frozen = frozen;
        fake_watch(r, &n->listener, !frozen);
        for (struct fake_conn *c = r->conns; c; c = c->next) {
            if (c->source.node != node || c->dead || c->half_open)
                continue;
            fake_watch(r, &c->source, !frozen);
            c->writing = false;
            fake_conn_flush(r, c);
        }
    }
    unlock(r);
}

void fake_node_leave(struct fake_ring *r, uint32_t node, bool gone)
{
    lock(r);
    r->nodes[node].gone = gone;
    unlock(r);
}

void fake_node_disagree(struct fake_ring *r, uint32_t node, bool on)
{
    lock(r);
    r->nodes[node].disagrees = on;
    unlock(r);
}

void fake_node_forget(struct fake_ring *r, uint32_t node)
{
    lock(r);
    forget(r, node);
    unlock(r);
}

void fake_event(struct fake_ring *r, const char *type, const char *change, uint32_t node)
{
    lock(r);
    for (struct fake_conn *c = r->conns; c; c = c->next) {
        if (!c->registered || c->dead)
            continue;
        struct weir_buffer b = {0};
        size_t start_at = cql_envelope_begin(&b, c->version, true, 0, -1, CQL_OP_EVENT);
        cql_put_string(&b, weir_str_of(type));
        cql_put_string(&b, weir_str_of(change));
        fake_put_inet(&b, r->nodes[node].address);
        cql_put_int(&b, r->port);
        cql_envelope_end(&b, start_at, false);
        fake_send(r, c, weir_buffer_view(&b));
        weir_buffer_drop(&b);
        r->nodes[c->source.node].stats.events++;
    }
    unlock(r);
}

// ---- what was seen

bool fake_row(struct fake_ring *r, struct weir_str key, struct fake_row *ret)
{
    lock(r);
    const struct fake_cells *row = fake_rows_find(&r->rows, key);
    if (row) {
        uint32_t bytes = row->value.bytes < sizeof ret->value ? row->value.bytes : (uint32_t)sizeof ret->value;
        *ret = (struct fake_row){.timestamp_us = row->timestamp_us, .writes = row->writes, .timestamps = row->timestamp_count};
        memcpy(ret->value, row->value.data, bytes);
        ret->value_bytes = row->value.bytes;
    }
    unlock(r);
    return row != NULL;
}

uint64_t fake_row_count(struct fake_ring *r)
{
    lock(r);
    uint64_t count = r->rows.count;
    unlock(r);
    return count;
}

uint64_t fake_rows_doubled(struct fake_ring *r)
{
    uint64_t count = 0;
    lock(r);
    for (size_t i = 0; i < r->rows.count; i++)
        count += r->rows.rows[i].timestamp_count > 1;
    unlock(r);
    return count;
}

struct fake_stats fake_stats(struct fake_ring *r, int node)
{
    struct fake_stats sum = {0};
    enum { FIELDS = sizeof sum / sizeof(uint64_t) };
    lock(r);
    for (uint32_t n = 0; n < r->node_count; n++) {
        const uint64_t *from = (const uint64_t *)&r->nodes[n].stats;
        uint64_t *to = (uint64_t *)&sum, most = sum.owed_max;
        for (uint32_t i = 0; i < FIELDS && (node == FAKE_ANY || node == (int)n); i++)
            to[i] += from[i];
        if (node == FAKE_ANY)
            sum.owed_max = r->nodes[n].stats.owed_max > most ? r->nodes[n].stats.owed_max : most;
    }
    unlock(r);
    return sum;
}
