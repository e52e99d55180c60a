// SPDX-License-Identifier: Apache-2.0
// How a request ends: answered, tried again by the class of its error (retry.h), or failed when its patience is at an end.
#include "cql/inside.h"

#include <stdio.h>

enum { BACK_OFF_MIN_US = 20 * 1000, BACK_OFF_MAX_US = 2 * 1000 * 1000, ROUND_NODES = 3 };

void cql_call_finish(struct loop *l, struct call *call, const struct cql_answer *answer)
{
    struct cql_session *s = l->session;
    SUB(s->bytes_waiting, call->charged);
    SUB(s->calls_waiting, 1);
    if (answer->error)
        COUNT(s->failures);
    else
        ADD(s->rows, call->rows);
    call->done(call->context, answer);
    cql_calls_push(&l->finished, call);
}

void cql_call_fail(struct loop *l, struct call *call, enum cql_cause cause, const struct weir_error *why)
{
    struct cql_answer answer = {.cause = cause, .error = why, .attempts = call->attempts, .latency_us = l->now_us - call->sent_us};
    cql_call_finish(l, call, &answer);
}

static int64_t back_off_us(struct loop *l, const struct call *call)
{
    unsigned doublings = call->round < 8 ? call->round : 8;
    int64_t wait = (int64_t)BACK_OFF_MIN_US << doublings;
    return cql_loop_jitter(l, wait < BACK_OFF_MAX_US ? wait : BACK_OFF_MAX_US);
}

// The nodes of a round are tried one right after another; then it waits, each time longer.
void cql_call_again(struct loop *l, struct call *call, bool later)
{
    if (l->now_us >= call->give_up_us) {
        cql_call_fail(l, call, call->cause, call->error);
        return;
    }
    COUNT(l->session->retries);
    if (!later && call->attempts % ROUND_NODES != 0) {
        cql_route_call(l, call);
        return;
    }
    int64_t due = l->now_us + back_off_us(l, call);
    call->round++;
    cql_loop_delay(l, call, due < call->give_up_us ? due : call->give_up_us);
}

void cql_outcome_lost(struct connection *c, struct call *call, bool sent, const struct weir_error *why)
{
    struct node *node = c->owner;
    COUNT(node->host->errors);
    cql_call_note(call, sent ? CQL_CAUSE_CLOSED : CQL_CAUSE_NOT_SENT, why);
    call->avoid = node;
    if (sent && !call->idempotent)
        cql_call_fail(c->loop, call, call->cause, call->error);
    else
        cql_call_again(c->loop, call, false);
}

void cql_outcome_timeout(struct connection *c, struct call *call)
{
    struct node *node = c->owner;
    struct weir_error why;
    int64_t waited = c->loop->now_us - call->sent_us;
    COUNT(node->host->timeouts);
    cql_window_troubled(&node->window, c->loop->now_us, waited);
    weir_fail(&why, WEIR_UNAVAILABLE, WEIR_RETRY, "%s: no answer within %lld ms", c->peer, (long long)waited / 1000);
    cql_call_note(call, CQL_CAUSE_TIMEOUT, &why);
    call->avoid = node;
    if (!call->idempotent)
        cql_call_fail(c->loop, call, call->cause, call->error);
    else
        cql_call_again(c->loop, call, false);
}

static void outcome_remedy(struct connection *c, struct call *call, struct cql_verdict verdict)
{
    struct loop *l = c->loop;
    call->avoid = c->owner;
    switch (verdict.remedy) {
    case CQL_NEXT_NODE:
        cql_call_again(l, call, false);
        break;
    case CQL_BACK_OFF:
        cql_call_again(l, call, true);
        break;
    case CQL_RESEND:
        if (call->idempotent)
            cql_call_again(l, call, verdict.shrinks); // a ring that times out has too much to do
        else
            cql_call_fail(l, call, verdict.cause, call->error);
        break;
    case CQL_REPREPARE:
        cql_statement_forgotten(c, call);
        break;
    case CQL_GIVE_UP:
        cql_call_fail(l, call, verdict.cause, call->error);
        break;
    }
}

static void outcome_error(struct connection *c, struct call *call, struct weir_cursor body)
{
    struct node *node = c->owner;
    struct cql_failure failure;
    struct weir_error err;
    if (cql_failure_parse(body, c->version, &failure, &err) < 0) {
        cql_outcome_lost(c, call, true, &err);
        cql_connection_close(c, TROUBLE_PROTOCOL, &err);
        return;
    }
    struct cql_verdict verdict = cql_judge(&failure);
    char text[400];
    cql_failure_format(&failure, text, sizeof text);
    bool never = verdict.remedy == CQL_GIVE_UP;
    weir_fail(&err, never ? WEIR_BAD_DATA : WEIR_UNAVAILABLE, never ? WEIR_DEAD_LETTER : WEIR_RETRY, "%s: %s", c->peer, text);
    COUNT(node->host->errors);
    if (verdict.cause == CQL_CAUSE_TIMEOUT)
        COUNT(node->host->timeouts);
    if (verdict.cause == CQL_CAUSE_OVERLOADED)
        COUNT(node->host->overloaded);
    if (verdict.shrinks)
        cql_window_troubled(&node->window, c->loop->now_us, c->loop->now_us - call->sent_us);
    if (verdict.remedy != CQL_REPREPARE)
        cql_call_note(call, verdict.cause, &err);
    outcome_remedy(c, call, verdict);
}

static void outcome_count(struct connection *c, const struct call *call)
{
    struct node *node = c->owner;
    int64_t now = c->loop->now_us, latency = now - call->sent_us;
    cql_window_answered(&node->window, now, latency, c->in_flight + c->parked);
    atomic_store_explicit(&node->host->latency_us, node->window.smoothed_us, memory_order_relaxed);
    COUNT(node->host->requests);
}

static void outcome_result(struct connection *c, struct call *call, struct weir_cursor body)
{
    struct cql_result result;
    struct weir_error err;
    weir_arena_reset(&c->loop->arena);
    if (cql_result_parse(body, c->version, NULL, &c->loop->arena, &result, &err) < 0) {
        weir_wrap(&err, "%s", c->peer);
        cql_outcome_lost(c, call, true, &err);
        cql_connection_close(c, TROUBLE_PROTOCOL, &err);
        return;
    }
    outcome_count(c, call);
    if (call->prepared && result.metadata.new_id.bytes)
        cql_statement_update(call->prepared, result.metadata.new_id);
    if (result.kind == CQL_RESULT_SCHEMA)
        atomic_store(&c->loop->session->refresh, true);
    struct cql_answer answer = {
        .result = result.kind == CQL_RESULT_VOID ? NULL : &result, .attempts = call->attempts, .latency_us = c->loop->now_us - call->sent_us};
    cql_call_finish(c->loop, call, &answer);
}

void cql_outcome_answer(struct connection *c, struct call *call, const struct cql_header *header, struct weir_str body)
{
    struct cql_response response;
    struct weir_error err;
    if (cql_response_open(header, body, &response, &err) < 0)
        goto damaged;
    if (response.warning_count)
        ADD(c->loop->session->warnings, response.warning_count);
    if (header->opcode == CQL_OP_RESULT) {
        outcome_result(c, call, response.body);
        return;
    }
    if (header->opcode == CQL_OP_ERROR) {
        outcome_error(c, call, response.body);
        return;
    }
    weir_fail(&err, WEIR_BAD_DATA, WEIR_RETRY, "%s: a request is answered by opcode %d", c->peer, header->opcode);
damaged:
    cql_outcome_lost(c, call, true, &err);
    cql_connection_close(c, TROUBLE_PROTOCOL, &err);
}
