// SPDX-License-Identifier: Apache-2.0
// Requests, written as a client does and read as a server does.
#include "cql/message.h"

enum {
    WITH_VALUES = 0x01,
    WITHOUT_METADATA = 0x02,
    WITH_PAGE_SIZE = 0x04,
    WITH_PAGING_STATE = 0x08,
    WITH_SERIAL = 0x10,
    WITH_TIMESTAMP = 0x20,
    WITH_NAMES = 0x40,
    WITH_KEYSPACE = 0x80,
    WITH_NOW = 0x100,
};
enum { PREPARE_WITH_KEYSPACE = 0x01 };
enum { BATCH_TEXT = 0, BATCH_PREPARED = 1 };

static const struct {
    unsigned kind;
    const char *name;
} events[] = {{CQL_TOPOLOGY_CHANGE, "TOPOLOGY_CHANGE"}, {CQL_STATUS_CHANGE, "STATUS_CHANGE"}, {CQL_SCHEMA_CHANGE, "SCHEMA_CHANGE"}};
enum { EVENTS = sizeof events / sizeof *events };

void cql_put_startup(struct weir_buffer *b, const struct cql_startup *startup)
{
    struct weir_str pairs[5][2] = {{WEIR_STR("CQL_VERSION"), WEIR_STR("3.0.0")}};
    uint16_t count = 1;
    if (startup->lz4) {
        pairs[count][0] = WEIR_STR("COMPRESSION");
        pairs[count++][1] = WEIR_STR("lz4");
    }
    if (startup->throw_on_overload) {
        pairs[count][0] = WEIR_STR("THROW_ON_OVERLOAD");
        pairs[count++][1] = WEIR_STR("1");
    }
    if (startup->driver_name.bytes) {
        pairs[count][0] = WEIR_STR("DRIVER_NAME");
        pairs[count++][1] = startup->driver_name;
    }
    if (startup->driver_version.bytes) {
        pairs[count][0] = WEIR_STR("DRIVER_VERSION");
        pairs[count++][1] = startup->driver_version;
    }
    cql_put_short(b, count);
    for (uint16_t i = 0; i < count; i++) {
        cql_put_string(b, pairs[i][0]);
        cql_put_string(b, pairs[i][1]);
    }
}

void cql_put_auth_response(struct weir_buffer *b, struct weir_str username, struct weir_str password)
{
    weir_assert(username.bytes < CQL_BODY_BYTES_MAX / 4 && password.bytes < CQL_BODY_BYTES_MAX / 4);
    cql_put_int(b, (int32_t)(username.bytes + password.bytes + 2));
    weir_buffer_byte(b, 0); // no other identity to act for
    weir_buffer_add(b, username.data, username.bytes);
    weir_buffer_byte(b, 0);
    weir_buffer_add(b, password.data, password.bytes);
}

void cql_put_register(struct weir_buffer *b, unsigned kinds)
{
    uint16_t count = 0;
    for (unsigned i = 0; i < EVENTS; i++)
        count += (kinds & events[i].kind) != 0;
    cql_put_short(b, count);
    for (unsigned i = 0; i < EVENTS; i++)
        if (kinds & events[i].kind)
            cql_put_string(b, weir_str_of(events[i].name));
}

static void put_flags(struct weir_buffer *b, enum cql_version version, unsigned flags)
{
    if (version >= CQL_V5)
        cql_put_int(b, (int32_t)flags);
    else
        weir_buffer_byte(b, (uint8_t)flags);
}

// What QUERY and EXECUTE have and BATCH has not is left out of `p` by the latter.
static unsigned flags_of(enum cql_version version, const struct cql_parameters *p)
{
    return (p->value_count ? WITH_VALUES : 0) | (p->skip_metadata ? WITHOUT_METADATA : 0) | (p->page_rows > 0 ? WITH_PAGE_SIZE : 0) |
           (p->paging_state.bytes ? WITH_PAGING_STATE : 0) | (p->has_serial ? WITH_SERIAL : 0) | (p->has_timestamp ? WITH_TIMESTAMP : 0) |
           (p->keyspace.bytes && version >= CQL_V5 ? WITH_KEYSPACE : 0);
}

static void put_parameters(struct weir_buffer *b, enum cql_version version, const struct cql_parameters *p)
{
    unsigned flags = flags_of(version, p);
    cql_put_short(b, (uint16_t)p->consistency);
    put_flags(b, version, flags);
    if (flags & WITH_VALUES) {
        cql_put_short(b, p->value_count);
        weir_buffer_add(b, p->values.data, p->values.bytes);
    }
    if (flags & WITH_PAGE_SIZE)
        cql_put_int(b, p->page_rows);
    if (flags & WITH_PAGING_STATE)
        cql_put_bytes(b, p->paging_state);
    if (flags & WITH_SERIAL)
        cql_put_short(b, (uint16_t)p->serial);
    if (flags & WITH_TIMESTAMP)
        cql_put_long(b, p->timestamp_us);
    if (flags & WITH_KEYSPACE)
        cql_put_string(b, p->keyspace);
}

void cql_put_query(struct weir_buffer *b, enum cql_version version, struct weir_str text, const struct cql_parameters *p)
{
    cql_put_long_string(b, text);
    put_parameters(b, version, p);
}

void cql_put_prepare(struct weir_buffer *b, enum cql_version version, struct weir_str text)
{
    cql_put_long_string(b, text);
    if (version >= CQL_V5)
        cql_put_int(b, 0); // no keyspace of its own
}

void cql_put_execute(struct weir_buffer *b, enum cql_version version, struct weir_str id, struct weir_str metadata_id, const struct cql_parameters *p)
{
    cql_put_short_bytes(b, id);
    if (version >= CQL_V5)
        cql_put_short_bytes(b, metadata_id);
    put_parameters(b, version, p);
}

// Where `count` values that start at `at` end; NULL: beyond `end`.
static const uint8_t *behind_values(const uint8_t *at, const uint8_t *end, unsigned count)
{
    for (; count; count--) {
        uint32_t bytes;
        if ((size_t)(end - at) < sizeof bytes)
            return NULL;
        memcpy(&bytes, at, sizeof bytes);
        bytes = __builtin_bswap32(bytes);
        at += sizeof bytes;
        if ((int32_t)bytes < 0)
            continue;
        if (bytes > (size_t)(end - at))
            return NULL;
        at += bytes;
    }
    return at;
}

// What precedes every row's values in a batch of one prepared statement.
static void put_row_head(struct weir_buffer *b, struct weir_str id, uint16_t value_count)
{
    weir_buffer_byte(b, BATCH_PREPARED);
    cql_put_short_bytes(b, id);
    cql_put_short(b, value_count);
}

static void put_rows(struct weir_buffer *b, struct weir_str head, uint16_t rows, const struct cql_parameters *p)
{
    struct weir_cursor c = cql_cursor(p->values);
    uint8_t *to = weir_buffer_reserve(b, rows * (size_t)head.bytes + p->values.bytes);
    for (uint16_t row = 0; row < rows; row++) {
        const uint8_t *behind = behind_values(c.at, c.end, p->value_count);
        weir_assert(behind);
        memcpy(to, head.data, head.bytes);
        memcpy(to + head.bytes, c.at, (size_t)(behind - c.at));
        to += head.bytes + (size_t)(behind - c.at);
        c.at = behind;
    }
    weir_assert(c.at == c.end);
    b->bytes = (size_t)(to - b->data);
}

void cql_put_batch(struct weir_buffer *b, enum cql_version version, struct weir_str id, uint16_t rows, const struct cql_parameters *p)
{
    weir_cleanup(weir_buffer_drop) struct weir_buffer head = {0};
    put_row_head(&head, id, p->value_count);
    weir_buffer_byte(b, CQL_UNLOGGED);
    cql_put_short(b, rows);
    put_rows(b, weir_buffer_view(&head), rows, p);
    struct cql_parameters rest = {.consistency = p->consistency,
                                  .has_serial = p->has_serial,
                                  .serial = p->serial,
                                  .has_timestamp = p->has_timestamp,
                                  .timestamp_us = p->timestamp_us,
                                  .keyspace = p->keyspace};
    put_parameters(b, version, &rest);
}

// ---- reading

bool cql_take_value(struct weir_cursor *values, struct weir_str *ret)
{
    return cql_take_bytes(values, ret);
}

// Passes values, with their names where `named`, and gives them as they lie there.
static struct weir_str take_values(struct weir_cursor *c, uint16_t count, bool named)
{
    const uint8_t *start = c->at;
    struct weir_str value;
    for (uint16_t i = 0; i < count && !c->bad; i++) {
        if (named)
            cql_take_string(c);
        cql_take_value(c, &value);
    }
    return (struct weir_str){(const char *)start, c->bad ? 0 : (uint32_t)(c->at - start)};
}

static unsigned take_flags(struct weir_cursor *c, enum cql_version version)
{
    return version >= CQL_V5 ? weir_cursor_be32(c) : weir_cursor_byte(c);
}

static void take_parameters(struct weir_cursor *c, enum cql_version version, struct cql_parameters *ret)
{
    ret->consistency = (enum cql_consistency)cql_take_short(c);
    unsigned flags = take_flags(c, version);
    ret->skip_metadata = flags & WITHOUT_METADATA;
    if (flags & WITH_VALUES) {
        ret->value_count = cql_take_short(c);
        ret->values = take_values(c, ret->value_count, flags & WITH_NAMES);
    }
    if (flags & WITH_PAGE_SIZE)
        ret->page_rows = cql_take_int(c);
    if (flags & WITH_PAGING_STATE)
        cql_take_bytes(c, &ret->paging_state);
    if ((ret->has_serial = flags & WITH_SERIAL))
        ret->serial = (enum cql_consistency)cql_take_short(c);
    if ((ret->has_timestamp = flags & WITH_TIMESTAMP))
        ret->timestamp_us = cql_take_long(c);
    if (flags & WITH_KEYSPACE)
        ret->keyspace = cql_take_string(c);
    if (flags & WITH_NOW)
        cql_take_int(c);
}

static void take_startup(struct weir_cursor *c, struct cql_asked *ret)
{
    for (uint16_t left = cql_take_short(c); left && !c->bad; left--) {
        struct weir_str name = cql_take_string(c), value = cql_take_string(c);
        if (weir_str_is(name, "COMPRESSION"))
            ret->compression = value;
        else if (weir_str_is(name, "THROW_ON_OVERLOAD"))
            ret->startup.throw_on_overload = weir_str_is(value, "1");
        else if (weir_str_is(name, "DRIVER_NAME"))
            ret->startup.driver_name = value;
        else if (weir_str_is(name, "DRIVER_VERSION"))
            ret->startup.driver_version = value;
    }
    ret->startup.lz4 = weir_str_is(ret->compression, "lz4");
}

static void take_register(struct weir_cursor *c, struct cql_asked *ret)
{
    for (uint16_t left = cql_take_short(c); left && !c->bad; left--) {
        struct weir_str name = cql_take_string(c);
        for (unsigned i = 0; i < EVENTS; i++)
            if (weir_str_is(name, events[i].name))
                ret->events |= events[i].kind;
    }
}

static void take_batch_row(struct weir_cursor *c, struct cql_asked_row *ret)
{
    uint8_t kind = weir_cursor_byte(c);
    *ret = (struct cql_asked_row){0};
    if (kind == BATCH_PREPARED)
        ret->id = cql_take_short_bytes(c);
    else
        ret->text = cql_take_long_string(c);
    c->bad |= kind > BATCH_PREPARED;
    ret->value_count = cql_take_short(c);
    ret->values = take_values(c, ret->value_count, false);
}

static void take_batch(struct weir_cursor *c, enum cql_version version, struct cql_asked *ret)
{
    ret->batch_type = (enum cql_batch_type)weir_cursor_byte(c);
    ret->rows = cql_take_short(c);
    ret->batch = *c;
    for (uint16_t row = 0; row < ret->rows && !c->bad; row++) {
        struct cql_asked_row passed;
        take_batch_row(c, &passed);
    }
    take_parameters(c, version, &ret->parameters);
}

static void take_prepare(struct weir_cursor *c, enum cql_version version, struct cql_asked *ret)
{
    ret->text = cql_take_long_string(c);
    if (version >= CQL_V5 && (weir_cursor_be32(c) & PREPARE_WITH_KEYSPACE))
        ret->parameters.keyspace = cql_take_string(c);
}

static void take_execute(struct weir_cursor *c, enum cql_version version, struct cql_asked *ret)
{
    ret->id = cql_take_short_bytes(c);
    if (version >= CQL_V5)
        ret->metadata_id = cql_take_short_bytes(c);
    take_parameters(c, version, &ret->parameters);
}

static bool take_request(struct weir_cursor *c, enum cql_version version, struct cql_asked *ret)
{
    switch (ret->opcode) {
    case CQL_OP_OPTIONS:
        return true;
    case CQL_OP_STARTUP:
        take_startup(c, ret);
        return true;
    case CQL_OP_AUTH_RESPONSE:
        cql_take_bytes(c, &ret->token);
        return true;
    case CQL_OP_REGISTER:
        take_register(c, ret);
        return true;
    case CQL_OP_QUERY:
        ret->text = cql_take_long_string(c);
        take_parameters(c, version, &ret->parameters);
        return true;
    case CQL_OP_PREPARE:
        take_prepare(c, version, ret);
        return true;
    case CQL_OP_EXECUTE:
        take_execute(c, version, ret);
        return true;
    case CQL_OP_BATCH:
        take_batch(c, version, ret);
        return true;
    default:
        return false;
    }
}

int cql_request_parse(const struct cql_header *header, struct weir_str body, struct cql_asked *ret, struct weir_error *err)
{
    struct cql_asked asked = {.opcode = header->opcode};
    struct weir_cursor c = cql_cursor(body);
    if (header->response || !take_request(&c, (enum cql_version)header->version, &asked))
        return weir_fail(err, WEIR_BAD_DATA, WEIR_RETRY, "Cassandra protocol: opcode 0x%02x is no request", header->opcode);
    if (c.bad || c.at != c.end)
        return weir_fail(err, WEIR_BAD_DATA, WEIR_RETRY, "Cassandra protocol: the body of request 0x%02x is damaged", header->opcode);
    *ret = asked;
    return 0;
}

bool cql_asked_row(struct cql_asked *asked, struct cql_asked_row *ret)
{
    if (asked->rows == 0)
        return false;
    asked->rows--;
    take_batch_row(&asked->batch, ret);
    return !asked->batch.bad;
}
