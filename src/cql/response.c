// SPDX-License-Identifier: Apache-2.0
// Responses other than RESULT.
#include "cql/message.h"
#include <stdio.h>

static int damaged(const char *what, struct weir_error *err)
{
    return weir_fail(err, WEIR_BAD_DATA, WEIR_RETRY, "Cassandra protocol: %s is damaged", what);
}

static void pass_payload(struct weir_cursor *c)
{
    struct weir_str value;
    for (uint16_t left = cql_take_short(c); left && !c->bad; left--) {
        cql_take_string(c);
        cql_take_bytes(c, &value);
    }
}

int cql_response_open(const struct cql_header *header, struct weir_str body, struct cql_response *ret, struct weir_error *err)
{
    enum { TRACING_ID_BYTES = 16 };
    struct weir_cursor c = cql_cursor(body);
    struct cql_response opened = {0};
    if (header->flags & CQL_FLAG_TRACING)
        weir_cursor_take(&c, TRACING_ID_BYTES);
    if (header->flags & CQL_FLAG_WARNING) {
        opened.warning_count = cql_take_short(&c);
        opened.warnings = c;
        for (uint16_t i = 0; i < opened.warning_count && !c.bad; i++)
            cql_take_string(&c);
    }
    if (header->flags & CQL_FLAG_CUSTOM_PAYLOAD)
        pass_payload(&c);
    if (c.bad)
        return damaged("what precedes a response", err);
    opened.body = c;
    *ret = opened;
    return 0;
}

// ---- ERROR

static const struct {
    int32_t code;
    const char *name;
} error_names[] = {
    {CQL_ERROR_SERVER, "server error"},
    {CQL_ERROR_PROTOCOL, "protocol error"},
    {CQL_ERROR_BAD_CREDENTIALS, "bad credentials"},
    {CQL_ERROR_UNAVAILABLE, "unavailable"},
    {CQL_ERROR_OVERLOADED, "overloaded"},
    {CQL_ERROR_IS_BOOTSTRAPPING, "is bootstrapping"},
    {CQL_ERROR_TRUNCATE, "truncate error"},
    {CQL_ERROR_WRITE_TIMEOUT, "write timeout"},
    {CQL_ERROR_READ_TIMEOUT, "read timeout"},
    {CQL_ERROR_READ_FAILURE, "read failure"},
    {CQL_ERROR_FUNCTION_FAILURE, "function failure"},
    {CQL_ERROR_WRITE_FAILURE, "write failure"},
    {CQL_ERROR_CDC_WRITE_FAILURE, "CDC write failure"},
    {CQL_ERROR_CAS_WRITE_UNKNOWN, "CAS write unknown"},
    {CQL_ERROR_SYNTAX, "syntax error"},
    {CQL_ERROR_UNAUTHORIZED, "unauthorized"},
    {CQL_ERROR_INVALID, "invalid"},
    {CQL_ERROR_CONFIG, "configuration error"},
    {CQL_ERROR_ALREADY_EXISTS, "already exists"},
    {CQL_ERROR_UNPREPARED, "unprepared"},
};

const char *cql_error_name(int32_t code)
{
    for (size_t i = 0; i < sizeof error_names / sizeof *error_names; i++)
        if (error_names[i].code == code)
            return error_names[i].name;
    return "error";
}

static void take_counts(struct weir_cursor *c, struct cql_failure *f)
{
    f->consistency = (enum cql_consistency)cql_take_short(c);
    f->received = cql_take_int(c);
    f->required = cql_take_int(c);
}

// v4: a count; v5: the addresses, each with a reason.
static void take_reasons(struct weir_cursor *c, enum cql_version version, struct cql_failure *f)
{
    f->failures = cql_take_int(c);
    if (version < CQL_V5)
        return;
    c->bad |= f->failures < 0;
    for (int32_t i = 0; i < f->failures && !c->bad; i++) {
        weir_cursor_take(c, weir_cursor_byte(c));
        cql_take_short(c);
    }
}

static void take_unavailable(struct weir_cursor *c, struct cql_failure *f)
{
    f->consistency = (enum cql_consistency)cql_take_short(c);
    f->required = cql_take_int(c);
    f->received = cql_take_int(c);
}

static void take_function(struct weir_cursor *c, struct cql_failure *f)
{
    f->keyspace = cql_take_string(c);
    f->name = cql_take_string(c);
    for (uint16_t left = cql_take_short(c); left && !c->bad; left--)
        cql_take_string(c);
}

// Fields behind those known here are left alone: newer servers add some (as v5 did the contentions of a conditional write).
static void take_details(struct weir_cursor *c, enum cql_version version, struct cql_failure *f)
{
    switch (f->code) {
    case CQL_ERROR_UNAVAILABLE:
        take_unavailable(c, f);
        break;
    case CQL_ERROR_WRITE_TIMEOUT:
        take_counts(c, f);
        f->write_type = cql_take_string(c);
        break;
    case CQL_ERROR_READ_TIMEOUT:
        take_counts(c, f);
        f->data_present = weir_cursor_byte(c) != 0;
        break;
    case CQL_ERROR_READ_FAILURE:
        take_counts(c, f);
        take_reasons(c, version, f);
        f->data_present = weir_cursor_byte(c) != 0;
        break;
    case CQL_ERROR_WRITE_FAILURE:
        take_counts(c, f);
        take_reasons(c, version, f);
        f->write_type = cql_take_string(c);
        break;
    case CQL_ERROR_CAS_WRITE_UNKNOWN:
        take_counts(c, f);
        break;
    case CQL_ERROR_FUNCTION_FAILURE:
        take_function(c, f);
        break;
    case CQL_ERROR_ALREADY_EXISTS:
        f->keyspace = cql_take_string(c);
        f->name = cql_take_string(c);
        break;
    case CQL_ERROR_UNPREPARED:
        f->statement_id = cql_take_short_bytes(c);
        break;
    default:
        break;
    }
}

int cql_failure_parse(struct weir_cursor body, enum cql_version version, struct cql_failure *ret, struct weir_error *err)
{
    struct cql_failure f = {.code = cql_take_int(&body)};
    f.text = cql_take_string(&body);
    take_details(&body, version, &f);
    if (body.bad)
        return damaged("an ERROR", err);
    *ret = f;
    return 0;
}

void cql_failure_format(const struct cql_failure *f, char *out, size_t bytes)
{
    char counts[128] = "";
    if (f->required > 0)
        snprintf(counts, sizeof counts, " at %s (%d of %d replicas%s%.*s%s)", cql_consistency_name(f->consistency), f->received, f->required,
                 f->write_type.bytes ? ", " : "", f->write_type.bytes < 32 ? (int)f->write_type.bytes : 32,
                 f->write_type.bytes ? f->write_type.data : "", f->failures > 0 ? ", with failures" : "");
    int length = f->text.bytes < 1024 ? (int)f->text.bytes : 1024;
    snprintf(out, bytes, "%s%s: %.*s", cql_error_name(f->code), counts, length, length ? f->text.data : "");
}

// ---- the others

bool cql_supported_has(struct weir_cursor body, const char *option, const char *value)
{
    bool found = false;
    for (uint16_t left = cql_take_short(&body); left && !body.bad; left--) {
        bool here = weir_str_is(cql_take_string(&body), option);
        for (uint16_t values = cql_take_short(&body); values && !body.bad; values--)
            found |= weir_str_is(cql_take_string(&body), value) && here;
    }
    return found && !body.bad;
}

int cql_authenticate_parse(struct weir_cursor body, struct weir_str *ret_class, struct weir_error *err)
{
    struct weir_str class = cql_take_string(&body);
    if (body.bad)
        return damaged("an AUTHENTICATE", err);
    *ret_class = class;
    return 0;
}

static void take_address(struct weir_cursor *c, struct cql_event *ret)
{
    struct weir_str address = weir_cursor_take(c, weir_cursor_byte(c));
    c->bad |= !cql_cell_inet(address, ret->address);
    ret->port = cql_take_int(c);
}

void cql_take_change(struct weir_cursor *c, struct cql_change *ret)
{
    ret->change = cql_take_string(c);
    ret->target = cql_take_string(c);
    ret->keyspace = cql_take_string(c);
    ret->name = (struct weir_str){"", 0};
    if (!weir_str_is(ret->target, "KEYSPACE"))
        ret->name = cql_take_string(c);
    if (weir_str_is(ret->target, "FUNCTION") || weir_str_is(ret->target, "AGGREGATE"))
        for (uint16_t left = cql_take_short(c); left && !c->bad; left--)
            cql_take_string(c);
}

int cql_event_parse(struct weir_cursor body, struct cql_event *ret, struct weir_error *err)
{
    struct cql_event event = {0};
    struct weir_str kind = cql_take_string(&body);
    if (weir_str_is(kind, "SCHEMA_CHANGE")) {
        event.kind = CQL_SCHEMA_CHANGE;
        cql_take_change(&body, &event.schema);
        event.change = event.schema.change;
    } else if (weir_str_is(kind, "STATUS_CHANGE") || weir_str_is(kind, "TOPOLOGY_CHANGE")) {
        event.kind = weir_str_is(kind, "STATUS_CHANGE") ? CQL_STATUS_CHANGE : CQL_TOPOLOGY_CHANGE;
        event.change = cql_take_string(&body);
        take_address(&body, &event);
    }
    if (body.bad)
        return damaged("an EVENT", err);
    *ret = event;
    return 0;
}
