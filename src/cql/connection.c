// SPDX-License-Identifier: Apache-2.0
// A connection to a node: TCP ─► TLS ─► handshake (handshake.c) ─► ready ─► closed. Requests take a stream id and give it back with their answer; one
// that is given up leaves its id taken (an orphan), for the answer may still come.
#include "cql/inside.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

enum { READ_BYTES = 64 << 10, READS_MAX = 16, OUT_BYTES_MAX = 1 << 20 };
static struct call orphan;
#define ORPHAN (&orphan)

static void connection_watch(struct connection *c, int how)
{
    struct epoll_event event = {.events = EPOLLIN | (c->wants_write ? EPOLLOUT : 0u), .data.ptr = c};
    weir_assert(epoll_ctl(c->loop->epoll, how, c->fd, &event) == 0);
}

static void connection_want(struct connection *c, bool write)
{
    if (c->wants_write == write)
        return;
    c->wants_write = write;
    connection_watch(c, EPOLL_CTL_MOD);
}

static void slots_make(struct connection *c, uint32_t slots)
{
    c->slot_count = c->free_count = slots;
    c->slots = weir_zalloc(slots, sizeof(struct call *));
    c->free_ids = weir_zalloc(slots, sizeof *c->free_ids);
    for (uint32_t i = 0; i < slots; i++)
        c->free_ids[i] = (int16_t)(slots - 1 - i);
}

struct connection *cql_connection_open(struct loop *l, const struct sockaddr_storage *address, enum cql_version version, uint32_t slots,
                                       const struct connection_owner *ops, void *owner)
{
    struct connection *c = weir_zalloc(1, sizeof *c);
    c->loop = l;
    c->ops = ops;
    c->owner = owner;
    c->version = version;
    c->address = *address;
    c->fd = -1;
    c->heard_us = c->wrote_us = l->now_us;
    c->deadline_us = l->now_us + (int64_t)l->session->options.connect_timeout_ms * 1000;
    cql_connection_name(address, c->peer, sizeof c->peer);
    cql_decoder_init(&c->in);
    c->in.version = version;
    slots_make(c, slots);
    c->next = l->connections;
    l->connections = c;
    return c;
}

// Not in connection_open, so that its owner knows the connection before it hears that it has failed.
static void connection_begin(struct connection *c)
{
    struct weir_error err;
    if (cql_io_connect(&c->address, &c->fd, &err, c->peer) < 0) {
        cql_connection_close(c, TROUBLE_NETWORK, &err);
        return;
    }
    c->wants_write = true;
    connection_watch(c, EPOLL_CTL_ADD);
}

bool cql_connection_can_send(const struct connection *c)
{
    return c && c->phase == PHASE_READY && !c->draining && c->free_count > 0 && c->out.bytes - c->out_sent < OUT_BYTES_MAX;
}

static void slot_take(struct connection *c, struct call *call)
{
    int16_t id = c->free_ids[--c->free_count];
    c->slots[id] = call;
    if (c->in_flight++ == 0)
        c->heard_us = c->loop->now_us;
    call->sent_us = c->loop->now_us;
    cql_envelope_set_stream(call->bytes.data, id);
    if (!call->raw)
        cql_node_counts(c->owner, 1);
}

static void slot_free(struct connection *c, int16_t id)
{
    c->slots[id] = NULL;
    c->free_ids[c->free_count++] = id;
    c->in_flight--;
}

static void connection_soil(struct connection *c)
{
    if (c->dirty)
        return;
    c->dirty = true;
    c->next_dirty = c->loop->dirty;
    c->loop->dirty = c;
}

void cql_connection_send(struct connection *c, struct call *call)
{
    slot_take(c, call);
    call->wire_start = c->wire_queued;
    if (c->framed && c->version == CQL_V5)
        weir_buffer_add(&c->staged, call->bytes.data, call->bytes.bytes);
    else {
        size_t start = c->out.bytes;
        weir_buffer_add(&c->out, call->bytes.data, call->bytes.bytes);
        if (c->framed && c->lz4)
            cql_envelope_end(&c->out, start, true);
        c->wire_queued += c->out.bytes - start;
    }
    connection_soil(c);
}

static void connection_pack(struct connection *c)
{
    if (c->staged.bytes == 0)
        return;
    size_t before = c->out.bytes;
    cql_segments_put(&c->out, weir_buffer_view(&c->staged), c->lz4);
    c->wire_queued += c->out.bytes - before;
    c->staged.bytes = 0;
}

static void connection_sent(struct connection *c, size_t bytes)
{
    c->out_sent += bytes;
    c->wire_sent += bytes;
    c->wrote_us = c->loop->now_us;
    ADD(c->loop->session->bytes_sent, bytes);
    if (c->out_sent == c->out.bytes)
        c->out_sent = c->out.bytes = 0;
}

void cql_connection_flush(struct connection *c)
{
    struct weir_error err;
    if (c->phase != PHASE_HANDSHAKE && c->phase != PHASE_READY)
        return;
    connection_pack(c);
    while (c->out_sent < c->out.bytes) {
        long n = cql_io_write(c, c->out.data + c->out_sent, c->out.bytes - c->out_sent, &err);
        if (n < 0) {
            cql_connection_close(c, TROUBLE_NETWORK, &err);
            return;
        }
        if (n == 0)
            break;
        connection_sent(c, (size_t)n);
    }
    bool more = c->out_sent < c->out.bytes;
    if (more && c->out_sent > OUT_BYTES_MAX) {
        memmove(c->out.data, c->out.data + c->out_sent, c->out.bytes - c->out_sent);
        c->out.bytes -= c->out_sent;
        c->out_sent = 0;
    }
    connection_want(c, more);
}

static void connection_event(struct connection *c, const struct cql_header *header, struct weir_str body)
{
    struct weir_error err;
    struct cql_response response;
    struct cql_event event;
    if (cql_response_open(header, body, &response, &err) < 0 || cql_event_parse(response.body, &event, &err) < 0)
        cql_connection_close(c, TROUBLE_PROTOCOL, &err);
    else if (c->ops->event)
        c->ops->event(c, &event);
}

static void connection_answered(struct connection *c, const struct cql_header *header, struct weir_str body)
{
    struct weir_error err;
    struct call *call = header->stream >= 0 && (uint32_t)header->stream < c->slot_count ? c->slots[header->stream] : NULL;
    if (!call) {
        weir_fail(&err, WEIR_BAD_DATA, WEIR_RETRY, "%s: an answer for stream %d, on which nothing was asked", c->peer, header->stream);
        cql_connection_close(c, TROUBLE_PROTOCOL, &err);
        return;
    }
    slot_free(c, header->stream);
    if (call == ORPHAN) {
        c->orphans--;
        return;
    }
    if (call->raw) {
        call->raw(call, c, header, body, NULL);
        cql_call_give(c->loop->session, call);
        return;
    }
    cql_node_counts(c->owner, -1);
    cql_outcome_answer(c, call, header, body);
}

static void connection_decode(struct connection *c)
{
    struct cql_header header;
    struct weir_str body;
    struct weir_error err;
    int found = 0;
    while (c->phase != PHASE_DEAD && (found = cql_decoder_next(&c->in, &header, &body, &err)) > 0) {
        if (header.opcode == CQL_OP_EVENT && header.stream == -1)
            connection_event(c, &header, body);
        else
            connection_answered(c, &header, body);
    }
    if (c->phase != PHASE_DEAD && found < 0) {
        weir_wrap(&err, "%s", c->peer);
        cql_connection_close(c, TROUBLE_PROTOCOL, &err);
    }
}

static void connection_read(struct connection *c)
{
    struct weir_error err;
    for (int i = 0; (i < READS_MAX || c->tls) && c->phase != PHASE_DEAD; i++) {
        long n = cql_io_read(c, cql_decoder_room(&c->in, READ_BYTES), READ_BYTES, &err);
        if (n < 0) {
            cql_connection_close(c, err.code == WEIR_BAD_CONFIG ? TROUBLE_REFUSED : TROUBLE_NETWORK, &err);
            return;
        }
        if (n == 0)
            return;
        c->heard_us = c->loop->now_us;
        ADD(c->loop->session->bytes_received, (unsigned long)n);
        cql_decoder_came(&c->in, (size_t)n);
        connection_decode(c);
        if (n < READ_BYTES && !c->tls)
            return;
    }
}

static void connection_shake(struct connection *c)
{
    struct weir_error err;
    bool wanted = c->wants_write;
    c->wants_write = false;
    int done = cql_tls_shake(c, &err);
    if (c->wants_write != wanted)
        connection_watch(c, EPOLL_CTL_MOD);
    if (done < 0)
        cql_connection_close(c, err.code == WEIR_BAD_CONFIG ? TROUBLE_REFUSED : TROUBLE_NETWORK, &err);
    else if (done > 0) {
        c->phase = PHASE_HANDSHAKE;
        cql_handshake_begin(c);
    }
}

static void connection_connected(struct connection *c)
{
    struct weir_error err;
    if (cql_io_connected(c, &err) < 0) {
        cql_connection_close(c, TROUBLE_NETWORK, &err);
        return;
    }
    connection_want(c, false);
    c->phase = c->loop->session->tls ? PHASE_TLS : PHASE_HANDSHAKE;
    if (c->phase == PHASE_HANDSHAKE)
        cql_handshake_begin(c);
    else if (cql_tls_begin(c, &err) < 0)
        cql_connection_close(c, TROUBLE_REFUSED, &err);
    else
        connection_shake(c);
}

void cql_connection_happened(struct connection *c, uint32_t events)
{
    if (c->phase == PHASE_CONNECT)
        connection_connected(c);
    else if (c->phase == PHASE_TLS)
        connection_shake(c);
    else if (c->phase != PHASE_DEAD) {
        if (events & EPOLLOUT)
            cql_connection_flush(c);
        if (events & (EPOLLIN | EPOLLHUP | EPOLLERR))
            connection_read(c);
    }
}

// ---- time

static void heartbeat_answered(struct call *call, struct connection *c, const struct cql_header *header, struct weir_str body,
                               const struct weir_error *lost)
{
    (void)call, (void)body;
    c->probing = false;
    if (!header && c->phase != PHASE_DEAD)
        cql_connection_close(c, TROUBLE_NETWORK, lost);
}

static void connection_probe(struct connection *c)
{
    if (c->probing || c->free_count == 0)
        return;
    size_t start;
    struct call *call = cql_call_internal(c->loop->session, c, CQL_OP_OPTIONS, heartbeat_answered, NULL, &start);
    cql_call_internal_end(call, start);
    int64_t request_us = (int64_t)c->loop->session->options.request_timeout_ms * 1000;
    call->timeout_us = call->timeout_us < request_us ? call->timeout_us : request_us;
    c->probing = true;
    cql_connection_send(c, call);
}

static void slot_timeout(struct connection *c, uint32_t id)
{
    struct call *call = c->slots[id];
    c->slots[id] = ORPHAN;
    c->orphans++;
    COUNT(c->loop->session->orphans);
    if (!call->raw) {
        cql_node_counts(c->owner, -1);
        cql_outcome_timeout(c, call);
        return;
    }
    struct weir_error why;
    weir_fail(&why, WEIR_UNAVAILABLE, WEIR_RETRY, "%s: no answer within %lld ms", c->peer, (long long)call->timeout_us / 1000);
    call->raw(call, c, NULL, (struct weir_str){0}, &why);
    cql_call_give(c->loop->session, call);
}

static void slots_tick(struct connection *c)
{
    int64_t now = c->loop->now_us;
    for (uint32_t i = 0; i < c->slot_count && c->phase != PHASE_DEAD && c->in_flight > c->orphans; i++) {
        const struct call *call = c->slots[i];
        if (call && call != ORPHAN && (now - call->sent_us >= call->timeout_us || now >= call->give_up_us))
            slot_timeout(c, i);
    }
}

void cql_connection_tick(struct connection *c)
{
    struct weir_error err;
    int64_t now = c->loop->now_us;
    if (c->fd < 0 && c->phase == PHASE_CONNECT)
        connection_begin(c);
    else if (c->phase < PHASE_READY && now > c->deadline_us) {
        weir_fail(&err, WEIR_UNAVAILABLE, WEIR_RETRY, "%s: no %s within %u ms", c->peer, c->phase == PHASE_CONNECT ? "connection" : "answer",
                  c->loop->session->options.connect_timeout_ms);
        cql_connection_close(c, TROUBLE_NETWORK, &err);
    }
    if (c->phase != PHASE_READY)
        return;
    int64_t last = c->heard_us > c->wrote_us ? c->heard_us : c->wrote_us;
    if (now - last >= HEARTBEAT_US || (c->in_flight > 0 && now - c->heard_us >= STALL_US))
        connection_probe(c);
    slots_tick(c);
    if (c->phase == PHASE_READY && c->draining && c->in_flight == c->orphans && c->parked == 0) {
        weir_fail(&err, WEIR_UNAVAILABLE, WEIR_RETRY, "%s: replaced", c->peer);
        cql_connection_close(c, TROUBLE_NETWORK, &err);
    }
}

void cql_connection_drain(struct connection *c)
{
    c->draining = true;
}

// ---- the end

static void connection_leave(struct connection *c)
{
    for (struct connection **at = &c->loop->connections; *at; at = &(*at)->next)
        if (*at == c) {
            *at = c->next;
            break;
        }
    c->next = c->loop->dead;
    c->loop->dead = c;
}

static void slots_lost(struct connection *c, const struct weir_error *why)
{
    for (uint32_t i = 0; i < c->slot_count; i++) {
        struct call *call = c->slots[i];
        c->slots[i] = NULL;
        if (!call || call == ORPHAN)
            continue;
        if (call->raw) {
            call->raw(call, c, NULL, (struct weir_str){0}, why);
            cql_call_give(c->loop->session, call);
            continue;
        }
        cql_node_counts(c->owner, -1);
        cql_outcome_lost(c, call, c->wire_sent > call->wire_start, why);
    }
    c->in_flight = c->orphans = 0;
}

void cql_connection_close(struct connection *c, enum trouble trouble, const struct weir_error *why)
{
    if (c->phase == PHASE_DEAD)
        return;
    struct weir_error kept = *why; // it may be a call's, which goes
    c->phase = PHASE_DEAD;
    connection_leave(c);
    if (c->tls)
        SSL_free(c->tls);
    if (c->fd >= 0)
        close(c->fd);
    slots_lost(c, &kept);
    cql_statements_lost(c, &kept);
    c->ops->closed(c, trouble, &kept);
}

void cql_connection_free(struct connection *c)
{
    cql_decoder_drop(&c->in);
    weir_buffer_drop(&c->staged);
    weir_buffer_drop(&c->out);
    free(c->slots);
    free(c->free_ids);
    free(c->knows);
    free(c);
}
