// SPDX-License-Identifier: Apache-2.0
// How a node answers: as it should, or as a rule has it.
#include "inside.h"
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>

// ---- rules

uint64_t fake_random(struct fake_ring *r)
{
    r->random ^= r->random << 13;
    r->random ^= r->random >> 7;
    r->random ^= r->random << 17;
    return r->random;
}

static bool rule_matches(const struct fake_rule *rule, uint32_t node, const struct fake_request *q)
{
    return (rule->node == FAKE_ANY || rule->node == (int)node) && (rule->opcode == FAKE_ANY || rule->opcode == (int)q->header->opcode) &&
           (!rule->text || fake_text_after(q->text, rule->text).data);
}

const struct fake_rule *fake_rule_find(struct fake_ring *r, uint32_t node, const struct fake_request *q)
{
    for (size_t i = 0; i < r->rule_count; i++) {
        struct fake_rule_state *state = &r->rules[i];
        const struct fake_rule *rule = &state->rule;
        if (!rule_matches(rule, node, q) || (rule->times && state->hits >= rule->times) || state->seen++ < rule->skip)
            continue;
        if (rule->chance && fake_random(r) % 1000 >= rule->chance)
            continue;
        state->hits++;
        return rule;
    }
    return NULL;
}

// ---- errors (§9)

void fake_put_inet(struct weir_buffer *b, const char *address)
{
    uint8_t bytes[4];
    inet_pton(AF_INET, address, bytes);
    weir_buffer_byte(b, sizeof bytes);
    weir_buffer_add(b, bytes, sizeof bytes);
}

static void put_counts(struct weir_buffer *b, uint16_t consistency, int32_t received, int32_t required)
{
    cql_put_short(b, consistency);
    cql_put_int(b, received);
    cql_put_int(b, required);
}

static void put_failures(struct weir_buffer *b, const struct fake_request *q)
{
    cql_put_int(b, 1);
    if (q->version >= CQL_V5) { // a map of who failed and why
        fake_put_inet(b, "127.0.1.1");
        cql_put_short(b, 0x0001);
    }
}

// What codes have beside their message.
static void put_error_fields(struct weir_buffer *b, int32_t code, const struct fake_request *q)
{
    uint16_t consistency = (uint16_t)q->asked.parameters.consistency;
    const char *write_type = q->header->opcode == CQL_OP_BATCH ? "UNLOGGED_BATCH" : "SIMPLE";
    switch (code) {
    case CQL_ERROR_UNAVAILABLE:
        put_counts(b, consistency, 2, 1);
        break;
    case CQL_ERROR_WRITE_TIMEOUT:
        put_counts(b, consistency, 1, 2);
        cql_put_string(b, weir_str_of(write_type));
        break;
    case CQL_ERROR_READ_TIMEOUT:
        put_counts(b, consistency, 1, 2);
        weir_buffer_byte(b, 1);
        break;
    case CQL_ERROR_READ_FAILURE:
        put_counts(b, consistency, 1, 2);
        put_failures(b, q);
        weir_buffer_byte(b, 0);
        break;
    case CQL_ERROR_WRITE_FAILURE:
        put_counts(b, consistency, 1, 2);
        put_failures(b, q);
        cql_put_string(b, weir_str_of(write_type));
        break;
    case CQL_ERROR_FUNCTION_FAILURE:
        cql_put_string(b, WEIR_STR("ks"));
        cql_put_string(b, WEIR_STR("f"));
        cql_put_short(b, 1);
        cql_put_string(b, WEIR_STR("int"));
        break;
    case CQL_ERROR_CAS_WRITE_UNKNOWN:
        put_counts(b, consistency, 1, 2);
        break;
    case CQL_ERROR_ALREADY_EXISTS:
        cql_put_string(b, WEIR_STR("ks"));
        cql_put_string(b, WEIR_STR("t"));
        break;
    case CQL_ERROR_UNPREPARED:
        cql_put_short_bytes(b, q->statement ? (struct weir_str){(const char *)q->statement->id, 16} : q->asked.id);
        break;
    default:
        break;
    }
}

void fake_put_error(struct weir_buffer *b, int32_t code, const struct fake_request *q)
{
    char text[48];
    int bytes = snprintf(text, sizeof text, "told to answer with %04x", (unsigned)code);
    cql_put_int(b, code);
    cql_put_string(b, (struct weir_str){text, (uint32_t)bytes});
    put_error_fields(b, code, q);
}

void fake_answer_error(struct fake_ring *r, struct fake_conn *c, const struct fake_request *q, int32_t code, const struct fake_rule *rule)
{
    struct weir_buffer body = {0};
    fake_put_error(&body, code, q);
    fake_answer(r, c, q, CQL_OP_ERROR, weir_buffer_view(&body), rule);
    weir_buffer_drop(&body);
}

// ---- sending

// Puts what has been answered so far into segments, where there are any.
void fake_frame(struct fake_conn *c)
{
    if (!c->envelopes.bytes)
        return;
    if (c->segmented)
        cql_segments_put(&c->plain, weir_buffer_view(&c->envelopes), c->lz4);
    else
        weir_buffer_add(&c->plain, c->envelopes.data, c->envelopes.bytes);
    c->envelopes.bytes = 0;
}

// Answers to what came in one read go out together.
void fake_send(struct fake_ring *r, struct fake_conn *c, struct weir_str envelope)
{
    if (c->dead || c->half_open)
        return;
    weir_buffer_add(&c->envelopes, envelope.data, envelope.bytes);
    if (!c->reading)
        fake_conn_flush(r, c);
}

static void settle(struct fake_conn *c, int16_t stream)
{
    if (stream < 0 || !(c->owed[stream / 8] & 1 << stream % 8))
        return;
    c->owed[stream / 8] &= (uint8_t) ~(1 << stream % 8);
    c->owed_count--;
}

static void envelope_put(struct weir_buffer *b, const struct fake_conn *c, const struct fake_request *q, enum cql_opcode opcode, struct weir_str body,
                         bool warning)
{
    bool lz4 = c->lz4 && !c->segmented && opcode != CQL_OP_READY && opcode != CQL_OP_AUTHENTICATE;
    size_t start = cql_envelope_begin(b, q->version, true, warning ? CQL_FLAG_WARNING : 0, q->header->stream, opcode);
    if (warning) {
        cql_put_short(b, 1);
        cql_put_string(b, WEIR_STR("told to warn"));
    }
    weir_buffer_add(b, body.data, body.bytes);
    cql_envelope_end(b, start, lz4);
}

static void hold(struct fake_ring *r, const struct fake_conn *c, struct weir_buffer *envelope)
{
    struct fake_answer *a = weir_zalloc(1, sizeof *a);
    a->next = r->held;
    a->conn = c->serial;
    a->framed = c->segmented;
    a->envelope = *envelope;
    *envelope = (struct weir_buffer){0};
    r->held = a;
}

static void flip(struct weir_buffer *b, size_t at)
{
    if (at < b->bytes)
        b->data[at] ^= 0x10;
}

// One segment around bytes that need not be envelopes; behind LZ4's header too they are sent plain.
static void segment_put(struct weir_buffer *out, struct weir_str payload, bool lz4)
{
    uint64_t header = (uint64_t)payload.bytes | 1u << 17, crc;
    unsigned bytes = 3;
    if (lz4) {
        header = (uint64_t)payload.bytes | (uint64_t)1 << 34; // uncompressed length 0
        bytes = 5;
    }
    uint8_t at[8];
    for (unsigned i = 0; i < bytes; i++)
        at[i] = (uint8_t)(header >> 8 * i);
    crc = cql_crc24(at, bytes);
    for (unsigned i = 0; i < 3; i++)
        at[bytes + i] = (uint8_t)(crc >> 8 * i);
    weir_buffer_add(out, at, bytes + 3);
    weir_buffer_add(out, payload.data, payload.bytes);
    crc = cql_crc32(payload);
    for (unsigned i = 0; i < 4; i++)
        weir_buffer_byte(out, (uint8_t)(crc >> 8 * i));
}

// The answer's bytes with a fault in them, framed.
static void send_spoilt(struct fake_ring *r, struct fake_conn *c, struct weir_buffer *envelope, enum fake_what what)
{
    struct weir_buffer framed = {0};
    fake_frame(c);
    if (what == FAKE_BAD_LENGTH)
        memcpy(envelope->data + 5, (const uint8_t[]){0x7f, 0xff, 0xff, 0xff}, 4);
    if (what == FAKE_BAD_OPCODE)
        envelope->data[4] = 0x7f;
    if (c->segmented && envelope->bytes <= CQL_SEGMENT_PAYLOAD_MAX)
        segment_put(&framed, weir_buffer_view(envelope), c->lz4);
    else
        weir_buffer_add(&framed, envelope->data, envelope->bytes);
    if (what == FAKE_BAD_CRC)
        flip(&framed, framed.bytes - 1);
    if (what == FAKE_BAD_HEADER)
        flip(&framed, 0);
    if (what == FAKE_TRUNCATED)
        framed.bytes /= 2;
    weir_buffer_add(&c->plain, framed.data, framed.bytes);
    weir_buffer_drop(&framed);
    c->closing = what == FAKE_TRUNCATED;
    fake_conn_flush(r, c);
}

static void answer_whole(struct fake_ring *r, struct fake_conn *c, const struct fake_request *q, struct weir_buffer *envelope, enum fake_what what)
{
    if (what == FAKE_STRANGE_STREAM) {
        cql_envelope_set_stream(envelope->data, (int16_t)(q->header->stream ^ 0x2aaa));
        fake_send(r, c, weir_buffer_view(envelope));
        cql_envelope_set_stream(envelope->data, q->header->stream);
    }
    settle(c, q->header->stream);
    fake_send(r, c, weir_buffer_view(envelope));
    if (what == FAKE_TWICE)
        fake_send(r, c, weir_buffer_view(envelope));
}

static bool spoils(enum fake_what what)
{
    return what == FAKE_BAD_CRC || what == FAKE_BAD_HEADER || what == FAKE_BAD_LENGTH || what == FAKE_BAD_OPCODE || what == FAKE_TRUNCATED;
}

void fake_answer(struct fake_ring *r, struct fake_conn *c, const struct fake_request *q, enum cql_opcode opcode, struct weir_str body,
                 const struct fake_rule *rule)
{
    struct weir_buffer envelope = {0};
    if (rule && rule->what == FAKE_BAD_BODY)
        body.bytes /= 2;
    envelope_put(&envelope, c, q, opcode, body, rule && rule->what == FAKE_WARNING);
    if (rule && rule->what == FAKE_HOLD)
        hold(r, c, &envelope);
    else if (rule && spoils(rule->what))
        send_spoilt(r, c, &envelope, rule->what);
    else
        answer_whole(r, c, q, &envelope, rule ? rule->what : FAKE_ERROR);
    weir_buffer_drop(&envelope);
}

// ---- what is held

uint64_t fake_held(struct fake_ring *r)
{
    uint64_t count = 0;
    pthread_mutex_lock(&r->lock);
    for (struct fake_answer *a = r->held; a; a = a->next)
        count++;
    pthread_mutex_unlock(&r->lock);
    return count;
}

static struct fake_answer *reversed(struct fake_answer *list)
{
    struct fake_answer *back = NULL;
    while (list) {
        struct fake_answer *next = list->next;
        list->next = back;
        back = list;
        list = next;
    }
    return back;
}

// A READY that was held goes out as it would have: before segments begin.
static void release_one(struct fake_ring *r, struct fake_conn *c, const struct fake_answer *a)
{
    bool segmented = c->segmented;
    fake_frame(c);
    c->segmented = a->framed;
    fake_send(r, c, weir_buffer_view(&a->envelope));
    fake_frame(c);
    c->segmented = segmented;
}

void fake_release(struct fake_ring *r, bool newest_first)
{
    pthread_mutex_lock(&r->lock);
    struct fake_answer *list = newest_first ? r->held : reversed(r->held);
    r->held = NULL;
    while (list) {
        struct fake_answer *a = list;
        struct fake_conn *c = r->conns;
        while (c && c->serial != a->conn)
            c = c->next;
        if (c && !c->dead) {
            settle(c, (int16_t)(a->envelope.data[2] << 8 | a->envelope.data[3]));
            release_one(r, c, a);
        }
        list = a->next;
        weir_buffer_drop(&a->envelope);
        free(a);
    }
    fake_loop_wake(r);
    pthread_mutex_unlock(&r->lock);
}
