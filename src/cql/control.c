// SPDX-License-Identifier: Apache-2.0
// The control connection, to one node at a time: reads who is in the cluster and hears of changes.
//
//   candidates ─► connect ─► REGISTER ─► system.local ─► system.peers_v2 (peers, where there is none) ─► system_schema.keyspaces ─► publish
//   an event ─► the same again, a second later, once for all events of that second; UP: loops are told to connect at once
//   it dies ─► the next candidate: nodes that are known, then the contact points, their names resolved anew
#include "cql/inside.h"

#include <stdio.h>
#include <stdlib.h>

enum step { STEP_NONE, STEP_REGISTER, STEP_LOCAL, STEP_PEERS, STEP_PEERS_OLD, STEP_KEYSPACES };

struct control {
    struct loop *loop;
    struct connection *connection;
    struct sockaddr_storage *candidates;
    size_t candidate_count, candidate_next;
    bool contacts_next; // the next list is that of the contact points
    bool agreed;        // on a version, with the first node
    bool ready;
    enum step step;
    int64_t connect_us, refresh_us; // 0: no refresh is due
    uint32_t tries;
    struct topology_rows rows;
};

static void control_step(struct control *k, enum step step);

struct control *cql_control_make(struct loop *l)
{
    struct control *k = weir_zalloc(1, sizeof *k);
    k->loop = l;
    k->contacts_next = true;
    return k;
}

static void rows_drop(struct topology_rows *rows)
{
    cql_result_free(rows->local);
    cql_result_free(rows->peers);
    cql_result_free(rows->keyspaces);
    *rows = (struct topology_rows){0};
}

void cql_control_drop(struct control *k)
{
    rows_drop(&k->rows);
    free(k->candidates);
    free(k);
}

static void control_refresh(struct control *k)
{
    if (!k->refresh_us)
        k->refresh_us = k->loop->now_us + DEBOUNCE_US;
}

static void control_failed(struct control *k, enum trouble trouble, struct weir_error *err)
{
    if (k->connection)
        cql_connection_close(k->connection, trouble, err);
}

// ---- reading

static void control_publish(struct control *k)
{
    struct cql_session *s = k->loop->session;
    struct topology *t;
    struct weir_error err;
    k->rows.asked = k->connection->address;
    k->rows.port = s->options.port;
    k->step = STEP_NONE;
    if (cql_topology_build(s, &k->rows, &t, &err) < 0) {
        rows_drop(&k->rows);
        control_failed(k, err.code == WEIR_BAD_CONFIG ? TROUBLE_REFUSED : TROUBLE_NETWORK, &err);
        return;
    }
    rows_drop(&k->rows);
    pthread_mutex_lock(&s->lock);
    cql_address_text(&k->connection->address, s->control_address);
    pthread_mutex_unlock(&s->lock);
    k->tries = 0;
    cql_topology_publish(s, t);
    for (uint32_t i = 0; i < s->options.io_threads; i++)
        cql_loop_wake(&s->loops[i]);
}

static int control_keep(struct control *k, const struct cql_header *header, struct weir_str body, struct cql_result **ret, struct weir_error *err)
{
    struct cql_response response;
    struct cql_result result;
    struct cql_failure failure;
    char text[400];
    if (cql_response_open(header, body, &response, err) < 0)
        return -1;
    if (header->opcode == CQL_OP_ERROR) {
        if (cql_failure_parse(response.body, header->version, &failure, err) < 0)
            return -1;
        cql_failure_format(&failure, text, sizeof text);
        return weir_fail(err, failure.code == CQL_ERROR_INVALID ? WEIR_BAD_DATA : WEIR_UNAVAILABLE, WEIR_RETRY, "reading the cluster's nodes: %s",
                         text);
    }
    if (header->opcode != CQL_OP_RESULT)
        return weir_fail(err, WEIR_UNAVAILABLE, WEIR_RETRY, "a query is answered by opcode %d", header->opcode);
    weir_arena_reset(&k->loop->arena);
    if (cql_result_parse(response.body, header->version, NULL, &k->loop->arena, &result, err) < 0)
        return -1;
    if (result.kind != CQL_RESULT_ROWS)
        return weir_fail(err, WEIR_UNAVAILABLE, WEIR_RETRY, "a query of a system table is answered without rows");
    *ret = cql_result_keep(&result);
    return 0;
}

static void control_answered(struct call *call, struct connection *c, const struct cql_header *header, struct weir_str body,
                             const struct weir_error *lost)
{
    struct control *k = call->context;
    struct weir_error err;
    struct cql_result **into = k->step == STEP_LOCAL ? &k->rows.local : k->step == STEP_KEYSPACES ? &k->rows.keyspaces : &k->rows.peers;
    if (!header) {
        if (c->phase != PHASE_DEAD)
            cql_connection_close(c, TROUBLE_NETWORK, lost);
        return;
    }
    if (k->step == STEP_REGISTER && header->opcode == CQL_OP_READY) {
        control_step(k, STEP_LOCAL);
        return;
    }
    if (control_keep(k, header, body, into, &err) < 0) {
        if (k->step == STEP_PEERS && err.code == WEIR_BAD_DATA)
            control_step(k, STEP_PEERS_OLD); // Cassandra before 4.0
        else
            control_failed(k, TROUBLE_NETWORK, &err);
        return;
    }
    if (k->step == STEP_LOCAL)
        control_step(k, STEP_PEERS);
    else if (k->step == STEP_PEERS || k->step == STEP_PEERS_OLD)
        control_step(k, STEP_KEYSPACES);
    else
        control_publish(k);
}

static void control_step(struct control *k, enum step step)
{
    static const char *const texts[] = {[STEP_LOCAL] = "SELECT * FROM system.local WHERE key='local'",
                                        [STEP_PEERS] = "SELECT * FROM system.peers_v2",
                                        [STEP_PEERS_OLD] = "SELECT * FROM system.peers",
                                        [STEP_KEYSPACES] = "SELECT keyspace_name, replication FROM system_schema.keyspaces"};
    struct connection *c = k->connection;
    struct cql_parameters p = {.consistency = CQL_ONE};
    size_t start;
    k->step = step;
    struct call *call = cql_call_internal(k->loop->session, c, step == STEP_REGISTER ? CQL_OP_REGISTER : CQL_OP_QUERY, control_answered, k, &start);
    if (step == STEP_REGISTER)
        cql_put_register(&call->bytes, CQL_TOPOLOGY_CHANGE | CQL_STATUS_CHANGE | CQL_SCHEMA_CHANGE);
    else
        cql_put_query(&call->bytes, c->version, weir_str_of(texts[step]), &p);
    cql_call_internal_end(call, start);
    cql_connection_send(c, call);
}

// ---- the connection

static void control_ready(struct connection *c)
{
    struct control *k = c->owner;
    k->ready = k->agreed = true;
    k->contacts_next = false;
    atomic_store(&k->loop->session->version, c->version);
    control_step(k, STEP_REGISTER);
}

static void control_closed(struct connection *c, enum trouble trouble, const struct weir_error *why)
{
    struct control *k = c->owner;
    struct cql_session *s = k->loop->session;
    bool was_ready = k->ready;
    k->connection = NULL;
    k->ready = false;
    k->step = STEP_NONE;
    rows_drop(&k->rows);
    k->connect_us = k->loop->now_us;
    if (trouble == TROUBLE_PROTOCOL && !k->agreed && c->version > CQL_V4) {
        k->candidate_next--; // the same node, in the older version
        atomic_store(&s->version, CQL_V4);
        return;
    }
    if (!was_ready || trouble == TROUBLE_REFUSED)
        cql_session_opening(s, trouble == TROUBLE_REFUSED, why);
    if (was_ready && !atomic_load(&s->stopping))
        cql_session_say(s, "Cassandra control connection lost: %s", why->text);
}

static void control_up(struct cql_session *s, const char *address)
{
    pthread_mutex_lock(&s->lock);
    for (size_t i = 0; i < s->host_count; i++)
        if (!s->hosts[i]->gone && strcmp(s->hosts[i]->info.address, address) == 0)
            COUNT(s->hosts[i]->nudge);
    pthread_mutex_unlock(&s->lock);
    for (uint32_t i = 0; i < s->options.io_threads; i++)
        cql_loop_wake(&s->loops[i]);
}

static void control_event(struct connection *c, const struct cql_event *event)
{
    struct control *k = c->owner;
    if (event->kind == CQL_STATUS_CHANGE && weir_str_is(event->change, "UP"))
        control_up(k->loop->session, event->address);
    control_refresh(k);
}

static const struct connection_owner control_ops = {.ready = control_ready, .closed = control_closed, .event = control_event};

static bool contacts_find(struct control *k)
{
    struct weir_error err;
    if (cql_control_addresses(k->loop->session, &k->candidates, &k->candidate_count, &err))
        return true;
    cql_session_opening(k->loop->session, false, &err);
    return false;
}

static void hosts_find(struct control *k)
{
    struct cql_session *s = k->loop->session;
    pthread_mutex_lock(&s->lock);
    struct topology *t = s->topology;
    k->candidates = weir_zalloc(t ? t->host_count : 0, sizeof *k->candidates);
    for (int up = 1; t && up >= 0; up--)
        for (uint32_t i = 0; i < t->host_count; i++)
            if (t->local[i] && (LOAD(t->hosts[i]->ready) > 0) == up)
                k->candidates[k->candidate_count++] = t->addresses[i];
    pthread_mutex_unlock(&s->lock);
}

static void control_list(struct control *k)
{
    free(k->candidates);
    k->candidates = NULL;
    k->candidate_count = k->candidate_next = 0;
    if (!k->contacts_next)
        hosts_find(k);
    else if (!contacts_find(k))
        k->candidate_count = 0;
    k->contacts_next = !k->contacts_next;
}

static void control_connect(struct control *k)
{
    struct loop *l = k->loop;
    if (k->candidate_next >= k->candidate_count) {
        control_list(k);
        unsigned doublings = k->tries < 10 ? k->tries : 10;
        int64_t wait = (int64_t)RECONNECT_MIN_US << doublings;
        if (k->tries++ > 1) { // all of both lists have been tried
            k->connect_us = l->now_us + cql_loop_jitter(l, wait < RECONNECT_MAX_US / 6 ? wait : RECONNECT_MAX_US / 6);
            return;
        }
    }
    if (k->candidate_next >= k->candidate_count)
        return;
    struct sockaddr_storage *to = &k->candidates[k->candidate_next++];
    k->connection = cql_connection_open(l, to, (enum cql_version)atomic_load(&l->session->version), 64, &control_ops, k);
    cql_connection_tick(k->connection);
}

void cql_control_tick(struct control *k)
{
    int64_t now = k->loop->now_us;
    if (atomic_exchange(&k->loop->session->refresh, false))
        k->refresh_us = now;
    if (!k->connection && now >= k->connect_us && !atomic_load(&k->loop->session->stopping))
        control_connect(k);
    if (k->ready && k->connection->phase == PHASE_READY && k->step == STEP_NONE && k->refresh_us && now >= k->refresh_us) {
        k->refresh_us = 0;
        control_step(k, STEP_LOCAL);
    }
}

bool cql_control_settled(const struct control *k)
{
    return k->ready && k->step == STEP_NONE;
}
