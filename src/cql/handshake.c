// SPDX-License-Identifier: Apache-2.0
// What is said before a connection is of use (§4.1): OPTIONS ─► SUPPORTED, STARTUP ─► READY, or AUTHENTICATE, AUTH_RESPONSE ─► AUTH_SUCCESS.
// What follows STARTUP's answer is framed (v5) or may be compressed (v4). A node that does not know the version says so by ERROR.
#include "cql/inside.h"

#include <stdio.h>

static void handshake_ready(struct connection *c)
{
    c->phase = PHASE_READY;
    c->ops->ready(c);
}

static void handshake_failed(struct connection *c, enum trouble trouble, struct weir_error *err)
{
    weir_wrap(err, "%s", c->peer);
    if (trouble == TROUBLE_REFUSED) {
        err->code = WEIR_BAD_CONFIG;
        err->fate = WEIR_STOP;
    }
    cql_connection_close(c, trouble, err);
}

static void handshake_error(struct connection *c, const struct cql_header *header, struct weir_cursor body)
{
    struct weir_error err;
    struct cql_failure failure;
    char text[400];
    if (cql_failure_parse(body, header->version, &failure, &err) < 0) {
        handshake_failed(c, TROUBLE_PROTOCOL, &err);
        return;
    }
    cql_failure_format(&failure, text, sizeof text);
    weir_fail(&err, WEIR_UNAVAILABLE, WEIR_RETRY, "%s", text);
    bool refused = failure.code == CQL_ERROR_BAD_CREDENTIALS || failure.code == CQL_ERROR_UNAUTHORIZED;
    handshake_failed(c, refused ? TROUBLE_REFUSED : failure.code == CQL_ERROR_PROTOCOL ? TROUBLE_PROTOCOL : TROUBLE_NETWORK, &err);
}

// The response's body, if it is no ERROR; else the connection is closed.
static bool handshake_open(struct connection *c, const struct cql_header *header, struct weir_str body, struct cql_response *ret)
{
    struct weir_error err;
    if (!header)
        return false; // the connection is closing
    if (cql_response_open(header, body, ret, &err) < 0) {
        handshake_failed(c, TROUBLE_PROTOCOL, &err);
        return false;
    }
    if (header->opcode == CQL_OP_ERROR) {
        handshake_error(c, header, ret->body);
        return false;
    }
    return true;
}

static void handshake_unexpected(struct connection *c, const struct cql_header *header)
{
    struct weir_error err;
    weir_fail(&err, WEIR_BAD_DATA, WEIR_RETRY, "the handshake is answered by opcode %d, which does not belong there", header->opcode);
    handshake_failed(c, TROUBLE_PROTOCOL, &err);
}

static void auth_answered(struct call *call, struct connection *c, const struct cql_header *header, struct weir_str body,
                          const struct weir_error *lost)
{
    struct cql_response response;
    (void)call, (void)lost;
    if (!handshake_open(c, header, body, &response))
        return;
    if (header->opcode == CQL_OP_AUTH_SUCCESS)
        handshake_ready(c);
    else
        handshake_unexpected(c, header);
}

static void auth_send(struct connection *c, struct weir_cursor body)
{
    const struct cql_options *o = &c->loop->session->options;
    struct weir_error err;
    struct weir_str class;
    if (cql_authenticate_parse(body, &class, &err) < 0) {
        handshake_failed(c, TROUBLE_PROTOCOL, &err);
        return;
    }
    if (!o->username || !o->password) {
        weir_fail(&err, WEIR_BAD_CONFIG, WEIR_STOP, "the node asks for a user name and a password (%.*s), none are given", (int)class.bytes,
                  class.data);
        handshake_failed(c, TROUBLE_REFUSED, &err);
        return;
    }
    size_t start;
    struct call *call = cql_call_internal(c->loop->session, c, CQL_OP_AUTH_RESPONSE, auth_answered, NULL, &start);
    cql_put_auth_response(&call->bytes, weir_str_of(o->username), weir_str_of(o->password));
    cql_call_internal_end(call, start);
    cql_connection_send(c, call);
}

static void startup_answered(struct call *call, struct connection *c, const struct cql_header *header, struct weir_str body,
                             const struct weir_error *lost)
{
    struct cql_response response;
    (void)call, (void)lost;
    if (!handshake_open(c, header, body, &response))
        return;
    c->framed = true;
    c->in.segmented = c->version == CQL_V5;
    c->in.lz4 = c->lz4;
    if (header->opcode == CQL_OP_READY)
        handshake_ready(c);
    else if (header->opcode == CQL_OP_AUTHENTICATE)
        auth_send(c, response.body);
    else
        handshake_unexpected(c, header);
}

static void options_answered(struct call *call, struct connection *c, const struct cql_header *header, struct weir_str body,
                             const struct weir_error *lost)
{
    struct cql_session *s = c->loop->session;
    struct cql_response response;
    (void)call, (void)lost;
    if (!handshake_open(c, header, body, &response))
        return;
    if (header->opcode != CQL_OP_SUPPORTED) {
        handshake_unexpected(c, header);
        return;
    }
    c->lz4 = !s->options.no_compression && cql_supported_has(response.body, "COMPRESSION", "lz4");
    c->in.lz4 = c->lz4 && c->version == CQL_V4; // STARTUP's own answer is compressed already; v5's is not framed yet
    size_t start;
    struct cql_startup startup = {
        .lz4 = c->lz4, .throw_on_overload = true, .driver_name = WEIR_STR("weir"), .driver_version = weir_str_of(WEIR_VERSION)};
    struct call *next = cql_call_internal(s, c, CQL_OP_STARTUP, startup_answered, NULL, &start);
    cql_put_startup(&next->bytes, &startup);
    cql_call_internal_end(next, start);
    cql_connection_send(c, next);
}

void cql_handshake_begin(struct connection *c)
{
    size_t start;
    struct call *call = cql_call_internal(c->loop->session, c, CQL_OP_OPTIONS, options_answered, NULL, &start);
    cql_call_internal_end(call, start);
    cql_connection_send(c, call);
}
