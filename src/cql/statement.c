// SPDX-License-Identifier: Apache-2.0
// Statements on a connection: a node is told a statement before it is first used there, once for all who wait; and again when it has forgotten it.
#include "cql/inside.h"

#include <stdlib.h>

enum { REPREPARES_MAX = 3 };

static struct preparation *preparation_find(struct connection *c, const struct cql_prepared *p)
{
    struct preparation *found = c->preparations;
    while (found && found->statement != p)
        found = found->next;
    return found;
}

static struct preparation *preparation_take(struct connection *c, const struct cql_prepared *p)
{
    for (struct preparation **at = &c->preparations; *at; at = &(*at)->next)
        if ((*at)->statement == p) {
            struct preparation *found = *at;
            *at = found->next;
            return found;
        }
    return NULL;
}

static void statement_know(struct connection *c, const struct cql_prepared *p, bool known)
{
    if (p->index >= c->knows_capacity) {
        size_t before = c->knows_capacity;
        weir_grow(&c->knows, &c->knows_capacity, p->index + 1, 1);
        memset(c->knows + before, 0, c->knows_capacity - before);
    }
    c->knows[p->index] = known;
}

void cql_statement_update(const struct cql_prepared *p, struct weir_str metadata_id)
{
    struct cql_prepared *mine = (struct cql_prepared *)p;
    if (metadata_id.bytes > sizeof mine->metadata_id)
        return;
    pthread_mutex_lock(&mine->lock);
    mine->metadata_id_bytes = (uint8_t)metadata_id.bytes;
    if (metadata_id.bytes) // v4 has none
        memcpy(mine->metadata_id, metadata_id.data, metadata_id.bytes);
    pthread_mutex_unlock(&mine->lock);
}

static int prepared_read(struct connection *c, const struct cql_prepared *p, const struct cql_header *header, struct weir_str body,
                         struct cql_failure *failure, struct weir_error *err)
{
    struct cql_response response;
    struct cql_result result;
    if (cql_response_open(header, body, &response, err) < 0)
        return -1;
    if (header->opcode == CQL_OP_ERROR) {
        if (cql_failure_parse(response.body, c->version, failure, err) < 0)
            return -1;
        char text[400];
        cql_failure_format(failure, text, sizeof text);
        return weir_fail(err, WEIR_BAD_DATA, WEIR_RETRY, "preparing \"%.100s\": %s", p->text, text);
    }
    weir_arena_reset(&c->loop->arena);
    if (cql_result_parse(response.body, c->version, NULL, &c->loop->arena, &result, err) < 0)
        return -1;
    if (result.kind != CQL_RESULT_PREPARED || !weir_str_eq(result.id, p->id))
        return weir_fail(err, WEIR_BAD_DATA, WEIR_RETRY, "preparing \"%.100s\": the node gives the statement another id than its peers", p->text);
    cql_statement_update(p, result.metadata_id);
    return 0;
}

// A node that takes the text no longer (its table is gone) says never to all who wait; another trouble sends them elsewhere.
static void parked_failed(struct connection *c, struct call *call, const struct cql_failure *failure, const struct weir_error *why)
{
    struct cql_verdict verdict = cql_judge(failure);
    if (failure->code >= 0 && verdict.remedy == CQL_GIVE_UP) {
        struct weir_error never = *why;
        never.fate = WEIR_DEAD_LETTER;
        cql_call_fail(c->loop, call, CQL_CAUSE_REFUSED, &never);
        return;
    }
    cql_call_note(call, CQL_CAUSE_NOT_SENT, why);
    call->avoid = c->owner;
    cql_call_again(c->loop, call, true);
}

static void parked_release(struct connection *c, struct preparation *done, bool good, const struct cql_failure *failure, const struct weir_error *why)
{
    struct call *call;
    while ((call = cql_calls_pop(&done->parked))) {
        c->parked--;
        cql_node_counts(c->owner, -1);
        if (!good)
            parked_failed(c, call, failure, why);
        else if (cql_connection_can_send(c))
            cql_connection_send(c, call);
        else
            cql_call_again(c->loop, call, false);
    }
    free(done);
}

static void prepare_answered(struct call *call, struct connection *c, const struct cql_header *header, struct weir_str body,
                             const struct weir_error *lost)
{
    struct preparation *done = preparation_take(c, call->context);
    struct cql_failure failure = {.code = -1};
    struct weir_error err;
    if (!done)
        return;
    bool good = header && prepared_read(c, done->statement, header, body, &failure, &err) == 0;
    if (good)
        statement_know(c, done->statement, true);
    parked_release(c, done, good, &failure, header ? &err : lost);
}

static void statement_prepare(struct connection *c, const struct cql_prepared *p)
{
    size_t start;
    struct call *call = cql_call_internal(c->loop->session, c, CQL_OP_PREPARE, prepare_answered, (void *)p, &start);
    cql_put_prepare(&call->bytes, c->version, weir_str_of(p->text));
    cql_call_internal_end(call, start);
    cql_connection_send(c, call);
}

static void statement_park(struct connection *c, struct call *call)
{
    struct preparation *under_way = preparation_find(c, call->prepared);
    bool first = !under_way;
    if (first) {
        under_way = weir_zalloc(1, sizeof *under_way);
        under_way->statement = call->prepared;
        under_way->next = c->preparations;
        c->preparations = under_way;
    }
    c->parked++;
    cql_node_counts(c->owner, 1);
    cql_calls_push(&under_way->parked, call);
    if (first)
        statement_prepare(c, call->prepared);
}

void cql_statement_send(struct connection *c, struct call *call)
{
    const struct cql_prepared *p = call->prepared;
    if (!p || (p->index < c->knows_capacity && c->knows[p->index]))
        cql_connection_send(c, call);
    else
        statement_park(c, call);
}

void cql_statement_forgotten(struct connection *c, struct call *call)
{
    struct weir_error why;
    COUNT(c->loop->session->reprepared);
    weir_fail(&why, WEIR_UNAVAILABLE, WEIR_RETRY, "%s: the node does not know the statement", c->peer);
    cql_call_note(call, CQL_CAUSE_NOT_SENT, &why);
    if (!call->prepared) {
        cql_call_fail(c->loop, call, CQL_CAUSE_REFUSED, &why);
        return;
    }
    statement_know(c, call->prepared, false);
    if (++call->reprepared % REPREPARES_MAX == 0 || !cql_connection_can_send(c)) {
        call->avoid = c->owner;
        cql_call_again(c->loop, call, true);
        return;
    }
    statement_park(c, call);
}

void cql_statements_lost(struct connection *c, const struct weir_error *why)
{
    while (c->preparations) {
        struct preparation *lost = c->preparations;
        c->preparations = lost->next;
        struct call *call;
        while ((call = cql_calls_pop(&lost->parked))) {
            c->parked--;
            cql_node_counts(c->owner, -1);
            cql_outcome_lost(c, call, false, why);
        }
        free(lost);
    }
}
