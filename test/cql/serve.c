// SPDX-License-Identifier: Apache-2.0
// What a node does with a request.
#include "inside.h"

static void put_string_list(struct weir_buffer *b, const char *name, uint32_t count, const char *const *values)
{
    cql_put_string(b, weir_str_of(name));
    cql_put_short(b, (uint16_t)count);
    for (uint32_t i = 0; i < count; i++)
        cql_put_string(b, weir_str_of(values[i]));
}

static void serve_options(struct fake_ring *r, struct fake_conn *c, const struct fake_request *q, const struct fake_rule *rule)
{
    struct weir_buffer b = {0};
    cql_put_short(&b, 3);
    put_string_list(&b, "CQL_VERSION", 1, (const char *const[]){"3.4.7"});
    put_string_list(&b, "COMPRESSION", r->options.no_compression ? 0 : 2, (const char *const[]){"snappy", "lz4"});
    put_string_list(&b, "PROTOCOL_VERSIONS", r->options.version_max == 4 ? 1 : 2, (const char *const[]){"4/v4", "5/v5"});
    fake_answer(r, c, q, CQL_OP_SUPPORTED, weir_buffer_view(&b), rule);
    weir_buffer_drop(&b);
}

static void serve_startup(struct fake_ring *r, struct fake_conn *c, const struct fake_request *q, const struct fake_rule *rule)
{
    struct fake_stats *stats = &r->nodes[c->source.node].stats;
    bool unknown = q->asked.compression.bytes && !weir_str_is(q->asked.compression, "lz4");
    if (unknown || (q->asked.compression.bytes && r->options.no_compression)) {
        fake_answer_error(r, c, q, CQL_ERROR_PROTOCOL, rule);
        return;
    }
    c->version = q->version;
    stats->v4 += c->version == CQL_V4;
    stats->v5 += c->version == CQL_V5;
    stats->lz4 += q->asked.compression.bytes != 0;
    stats->throws += q->asked.startup.throw_on_overload;
    c->authenticated = !r->options.username;
    struct weir_buffer b = {0};
    if (r->options.username)
        cql_put_string(&b, WEIR_STR("org.apache.cassandra.auth.PasswordAuthenticator"));
    fake_answer(r, c, q, r->options.username ? CQL_OP_AUTHENTICATE : CQL_OP_READY, weir_buffer_view(&b), rule);
    weir_buffer_drop(&b);
    fake_frame(c);
    c->lz4 = c->decoder.lz4 = q->asked.compression.bytes != 0;
    c->segmented = c->decoder.segmented = c->version >= CQL_V5;
}

static void serve_auth(struct fake_ring *r, struct fake_conn *c, const struct fake_request *q, const struct fake_rule *rule)
{
    struct weir_buffer b = {0};
    weir_buffer_byte(&b, 0);
    weir_buffer_add(&b, r->options.username, strlen(r->options.username));
    weir_buffer_byte(&b, 0);
    weir_buffer_add(&b, r->options.password, strlen(r->options.password));
    c->authenticated = weir_str_eq(q->asked.token, weir_buffer_view(&b));
    b.bytes = 0;
    cql_put_int(&b, -1);
    if (c->authenticated)
        fake_answer(r, c, q, CQL_OP_AUTH_SUCCESS, weir_buffer_view(&b), rule);
    else
        fake_answer_error(r, c, q, CQL_ERROR_BAD_CREDENTIALS, rule);
    weir_buffer_drop(&b);
}

static void answer_kind(struct fake_ring *r, struct fake_conn *c, const struct fake_request *q, enum cql_result_kind kind, const char *keyspace,
                        const struct fake_rule *rule)
{
    struct weir_buffer b = {0};
    cql_put_int(&b, (int32_t)kind);
    if (kind == CQL_RESULT_KEYSPACE)
        cql_put_string(&b, weir_str_of(keyspace));
    if (kind == CQL_RESULT_SCHEMA) {
        cql_put_string(&b, WEIR_STR("UPDATED"));
        cql_put_string(&b, WEIR_STR("KEYSPACE"));
        cql_put_string(&b, WEIR_STR("ks"));
    }
    fake_answer(r, c, q, CQL_OP_RESULT, weir_buffer_view(&b), rule);
    weir_buffer_drop(&b);
}

static void put_metadata(struct weir_buffer *b, const struct weir_str *columns, uint32_t count)
{
    cql_put_int(b, count ? 1 : 4);
    cql_put_int(b, (int32_t)count);
    if (count)
        fake_put_columns(b, "ks", "t", columns, count);
}

static void serve_prepare(struct fake_ring *r, struct fake_conn *c, const struct fake_request *q, const struct fake_rule *rule)
{
    struct fake_statement *s = fake_statement_of(r, q->asked.text);
    struct weir_str columns[FAKE_COLUMNS_MAX];
    struct weir_buffer b = {0};
    uint8_t result_id[16];
    uint32_t count = fake_text_starts(q->text, "SELECT") ? fake_select_columns(q->text, columns) : 0;
    s->nodes |= 1u << c->source.node;
    fake_result_id(r, result_id);
    if (count == 1 && weir_str_is(columns[0], "*")) {
        columns[0] = WEIR_STR("k"), columns[1] = WEIR_STR("c"), columns[2] = WEIR_STR("v");
        count = 3;
    }
    if (count && r->altered && count < FAKE_COLUMNS_MAX)
        columns[count++] = WEIR_STR("x");
    cql_put_int(&b, CQL_RESULT_PREPARED);
    cql_put_short_bytes(&b, (struct weir_str){(const char *)s->id, 16});
    if (q->version >= CQL_V5)
        cql_put_short_bytes(&b, (struct weir_str){(const char *)result_id, 16});
    cql_put_int(&b, 1);
    cql_put_int(&b, (int32_t)s->marker_count);
    cql_put_int(&b, s->marker_count ? 1 : 0);
    if (s->marker_count)
        cql_put_short(&b, 0);
    fake_put_columns(&b, "ks", "t", s->markers, s->marker_count);
    put_metadata(&b, columns, count);
    fake_answer(r, c, q, CQL_OP_RESULT, weir_buffer_view(&b), rule);
    weir_buffer_drop(&b);
}

// ---- rows

static void write_row(struct fake_ring *r, uint32_t node, const struct fake_request *q, struct weir_str values, uint32_t count)
{
    struct fake_stats *stats = &r->nodes[node].stats;
    struct weir_cursor cursor = {(const uint8_t *)values.data, (const uint8_t *)values.data + values.bytes, false};
    struct weir_str partition = {0};
    uint32_t replicas[FAKE_NODES_MAX], replica_count = 0;
    bool home = false;
    if (count && cql_take_value(&cursor, &partition))
        replica_count = fake_replicas(r, cql_token(partition), replicas);
    for (uint32_t i = 0; i < replica_count; i++)
        home |= replicas[i] == node;
    stats->rows++;
    stats->misrouted += !home;
    stats->untimed += !q->asked.parameters.has_timestamp;
    fake_rows_write(&r->rows, values, count, q->asked.parameters.timestamp_us);
}

static void apply(struct fake_ring *r, uint32_t node, struct fake_request *q)
{
    if (q->header->opcode != CQL_OP_BATCH) {
        if (fake_text_starts(q->text, "INSERT"))
            write_row(r, node, q, q->asked.parameters.values, q->asked.parameters.value_count);
        return;
    }
    struct cql_asked_row row;
    while (cql_asked_row(&q->asked, &row))
        write_row(r, node, q, row.values, row.value_count);
}

static void serve_select(struct fake_ring *r, struct fake_conn *c, const struct fake_request *q, const struct fake_rule *rule)
{
    struct weir_str from = fake_text_word(fake_text_after(q->text, " FROM "));
    struct weir_buffer b = {0};
    bool absent = weir_str_is(from, "system.peers_v2") && r->options.no_peers_v2;
    if (!from.bytes || absent || fake_text_starts(from, "system_virtual_schema")) {
        fake_answer_error(r, c, q, from.bytes ? CQL_ERROR_INVALID : CQL_ERROR_SYNTAX, rule);
        return;
    }
    if (fake_text_starts(from, "system"))
        fake_put_system(r, c->source.node, q, &b);
    else
        fake_put_select(r, q, &b);
    fake_answer(r, c, q, CQL_OP_RESULT, weir_buffer_view(&b), rule);
    weir_buffer_drop(&b);
}

static void serve_text(struct fake_ring *r, struct fake_conn *c, struct fake_request *q, const struct fake_rule *rule)
{
    if (fake_text_starts(q->text, "SELECT")) {
        serve_select(r, c, q, rule);
    } else if (fake_text_starts(q->text, "USE ")) {
        answer_kind(r, c, q, CQL_RESULT_KEYSPACE, "ks", rule);
    } else if (fake_text_starts(q->text, "CREATE") || fake_text_starts(q->text, "ALTER") || fake_text_starts(q->text, "DROP")) {
        answer_kind(r, c, q, CQL_RESULT_SCHEMA, NULL, rule);
    } else {
        apply(r, c->source.node, q);
        answer_kind(r, c, q, CQL_RESULT_VOID, NULL, rule);
    }
}

static void serve_prepared(struct fake_ring *r, struct fake_conn *c, struct fake_request *q, const struct fake_rule *rule)
{
    if (!q->statement || !(q->statement->nodes & 1u << c->source.node))
        fake_answer_error(r, c, q, CQL_ERROR_UNPREPARED, rule);
    else
        serve_text(r, c, q, rule);
}

static void serve_register(struct fake_ring *r, struct fake_conn *c, const struct fake_request *q, const struct fake_rule *rule)
{
    c->registered = true;
    fake_answer(r, c, q, CQL_OP_READY, (struct weir_str){0}, rule);
}

static void serve_as_asked(struct fake_ring *r, struct fake_conn *c, struct fake_request *q, const struct fake_rule *rule)
{
    switch (q->header->opcode) {
    case CQL_OP_OPTIONS:
        serve_options(r, c, q, rule);
        return;
    case CQL_OP_STARTUP:
        serve_startup(r, c, q, rule);
        return;
    case CQL_OP_AUTH_RESPONSE:
        if (r->options.username)
            serve_auth(r, c, q, rule);
        else
            fake_answer_error(r, c, q, CQL_ERROR_PROTOCOL, rule);
        return;
    default:
        break;
    }
    if (!c->authenticated)
        fake_answer_error(r, c, q, CQL_ERROR_PROTOCOL, rule);
    else if (q->header->opcode == CQL_OP_REGISTER)
        serve_register(r, c, q, rule);
    else if (q->header->opcode == CQL_OP_PREPARE)
        serve_prepare(r, c, q, rule);
    else if (q->header->opcode == CQL_OP_QUERY)
        serve_text(r, c, q, rule);
    else
        serve_prepared(r, c, q, rule);
}

// Rules under which no answer that is one follows. Gives whether the request is dealt with.
static bool serve_rule(struct fake_ring *r, struct fake_conn *c, struct fake_request *q, const struct fake_rule *rule)
{
    bool silent = rule->what == FAKE_SILENCE || rule->what == FAKE_CLOSE || rule->what == FAKE_RESET || rule->what == FAKE_HALF_OPEN;
    if (!silent && rule->what != FAKE_ERROR && rule->what != FAKE_UNPREPARED)
        return false;
    if (rule->executed && (q->header->opcode == CQL_OP_EXECUTE || q->header->opcode == CQL_OP_BATCH || q->header->opcode == CQL_OP_QUERY))
        apply(r, c->source.node, q);
    if (rule->what == FAKE_ERROR)
        fake_answer_error(r, c, q, rule->error, NULL);
    if (rule->what == FAKE_UNPREPARED && q->statement)
        q->statement->nodes &= ~(1u << c->source.node);
    if (rule->what == FAKE_UNPREPARED)
        fake_answer_error(r, c, q, CQL_ERROR_UNPREPARED, NULL);
    if (rule->what == FAKE_HALF_OPEN) {
        c->half_open = true;
        fake_watch(r, &c->source, false);
    }
    if (rule->what == FAKE_CLOSE)
        c->closing = true;
    if (rule->what == FAKE_RESET)
        fake_conn_close(r, c, true);
    return true;
}

// ---- one request

static void count_request(struct fake_stats *s, struct fake_conn *c, const struct cql_header *h)
{
    s->requests++;
    s->queries += h->opcode == CQL_OP_QUERY;
    s->prepares += h->opcode == CQL_OP_PREPARE;
    s->executes += h->opcode == CQL_OP_EXECUTE;
    s->batches += h->opcode == CQL_OP_BATCH;
    s->options += h->opcode == CQL_OP_OPTIONS;
    s->registers += h->opcode == CQL_OP_REGISTER;
    s->auths += h->opcode == CQL_OP_AUTH_RESPONSE;
    if (h->stream < 0) {
        s->garbage++;
        return;
    }
    uint8_t *owed = &c->owed[h->stream / 8], bit = (uint8_t)(1 << h->stream % 8);
    s->streams_busy += (*owed & bit) != 0;
    c->owed_count += !(*owed & bit);
    *owed |= bit;
    s->owed_max = c->owed_count > s->owed_max ? c->owed_count : s->owed_max;
}

static void name_statement(struct fake_ring *r, struct fake_request *q)
{
    struct weir_str id = q->asked.id;
    q->text = q->asked.text;
    if (q->header->opcode == CQL_OP_BATCH) {
        struct cql_asked copy = q->asked;
        struct cql_asked_row row;
        if (!cql_asked_row(&copy, &row))
            return;
        q->text = row.text;
        id = row.id;
    }
    q->statement = id.bytes ? fake_statement_find(r, id) : NULL;
    if (q->statement)
        q->text = weir_str_of(q->statement->text);
}

// A server that does not speak a version says so in the latest that it does.
static bool refuse_version(struct fake_ring *r, struct fake_conn *c, const struct cql_header *header)
{
    bool beta = r->options.v5_beta && header->version == 5;
    if (header->version <= r->options.version_max && !beta)
        return false;
    struct fake_request q = {.header = header, .version = beta ? CQL_V5 : CQL_V4};
    struct weir_buffer b = {0};
    cql_put_int(&b, CQL_ERROR_PROTOCOL);
    cql_put_string(&b, beta ? WEIR_STR("Beta version of the protocol used (5/v5-beta), but USE_BETA flag is unset")
                            : WEIR_STR("Invalid or unsupported protocol version (5); supported versions are (3/v3, 4/v4)"));
    fake_answer(r, c, &q, CQL_OP_ERROR, weir_buffer_view(&b), NULL);
    weir_buffer_drop(&b);
    c->closing = true;
    return true;
}

void fake_serve(struct fake_ring *r, struct fake_conn *c, const struct cql_header *header, struct weir_str body)
{
    struct fake_stats *stats = &r->nodes[c->source.node].stats;
    struct fake_request q = {.header = header, .version = (enum cql_version)header->version};
    struct weir_error err;
    if (refuse_version(r, c, header))
        return;
    count_request(stats, c, header);
    bool writes = header->opcode == CQL_OP_EXECUTE || header->opcode == CQL_OP_BATCH;
    if (writes && r->options.fast) {
        answer_kind(r, c, &q, CQL_RESULT_VOID, NULL, NULL);
        return;
    }
    if (header->response || (c->version && q.version != c->version) || cql_request_parse(header, body, &q.asked, &err) < 0) {
        stats->garbage++;
        fake_answer_error(r, c, &q, CQL_ERROR_PROTOCOL, NULL);
        return;
    }
    name_statement(r, &q);
    if (writes && r->capacity && ++c->in_read > r->capacity) {
        fake_answer_error(r, c, &q, CQL_ERROR_OVERLOADED, NULL);
        return;
    }
    const struct fake_rule *rule = fake_rule_find(r, c->source.node, &q);
    if (!rule || !serve_rule(r, c, &q, rule))
        serve_as_asked(r, c, &q, rule);
}
