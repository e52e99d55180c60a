// SPDX-License-Identifier: Apache-2.0
// Requests: made once, pooled.
#include "cql/inside.h"

#include <stdlib.h>

enum { POOL_BYTES_MAX = 8 << 20, POOL_ONE_MAX = 64 << 10 };

void cql_calls_push(struct calls *list, struct call *call)
{
    call->next = NULL;
    if (list->last)
        list->last->next = call;
    else
        list->first = call;
    list->last = call;
    list->count++;
}

struct call *cql_calls_pop(struct calls *list)
{
    struct call *call = list->first;
    if (!call)
        return NULL;
    list->first = call->next;
    if (!list->first)
        list->last = NULL;
    list->count--;
    call->next = NULL;
    return call;
}

struct call *cql_call_take(struct cql_session *s)
{
    pthread_mutex_lock(&s->pool_lock);
    struct call *call = cql_calls_pop(&s->pool);
    if (call)
        s->pool_bytes -= call->bytes.capacity + sizeof *call;
    pthread_mutex_unlock(&s->pool_lock);
    if (!call)
        return weir_zalloc(1, sizeof *call);
    struct weir_buffer bytes = {call->bytes.data, 0, call->bytes.capacity};
    *call = (struct call){.bytes = bytes};
    return call;
}

static void call_free(struct call *call)
{
    weir_buffer_drop(&call->bytes);
    free(call);
}

void cql_call_give(struct cql_session *s, struct call *call)
{
    free(call->error);
    call->error = NULL;
    size_t bytes = call->bytes.capacity + sizeof *call;
    pthread_mutex_lock(&s->pool_lock);
    bool keep = bytes <= POOL_ONE_MAX && s->pool_bytes + bytes <= POOL_BYTES_MAX;
    if (keep) {
        cql_calls_push(&s->pool, call);
        s->pool_bytes += bytes;
    }
    pthread_mutex_unlock(&s->pool_lock);
    if (!keep)
        call_free(call);
}

static void call_parameters(const struct cql_request *r, struct cql_parameters *ret)
{
    *ret = (struct cql_parameters){.consistency = r->consistency,
                                   .has_timestamp = r->has_timestamp,
                                   .timestamp_us = r->timestamp_us,
                                   .page_rows = r->page_rows ? r->page_rows : 5000,
                                   .paging_state = r->paging_state,
                                   .value_count = (uint16_t)(r->prepared ? r->prepared->value_count : r->value_count),
                                   .values = r->values};
}

static enum cql_opcode call_opcode(enum cql_kind kind)
{
    return kind == CQL_QUERY ? CQL_OP_QUERY : kind == CQL_EXECUTE ? CQL_OP_EXECUTE : CQL_OP_BATCH;
}

static void call_put_execute(struct weir_buffer *b, enum cql_version version, const struct cql_prepared *p, const struct cql_parameters *parameters)
{
    uint8_t id[sizeof p->metadata_id];
    pthread_mutex_lock((pthread_mutex_t *)&p->lock);
    uint8_t bytes = p->metadata_id_bytes;
    memcpy(id, p->metadata_id, bytes);
    pthread_mutex_unlock((pthread_mutex_t *)&p->lock);
    cql_put_execute(b, version, p->id, (struct weir_str){(char *)id, bytes}, parameters);
}

static void call_encode(struct call *call, enum cql_version version, const struct cql_request *r)
{
    struct cql_parameters p;
    call_parameters(r, &p);
    size_t start = cql_envelope_begin(&call->bytes, version, false, 0, 0, call_opcode(r->kind));
    if (r->kind == CQL_QUERY)
        cql_put_query(&call->bytes, version, weir_str_of(r->text), &p);
    else if (r->kind == CQL_EXECUTE)
        call_put_execute(&call->bytes, version, r->prepared, &p);
    else
        cql_put_batch(&call->bytes, version, r->prepared->id, (uint16_t)r->rows, &p);
    cql_envelope_end(&call->bytes, start, false);
}

static int64_t give_up_us(uint32_t patience_ms)
{
    if (patience_ms == UINT32_MAX)
        return FOREVER_US;
    return weir_monotonic_us() + (int64_t)(patience_ms ? patience_ms : 30000) * 1000;
}

static struct host *call_host(struct cql_session *s, const char *address)
{
    struct host *found = NULL;
    pthread_mutex_lock(&s->lock);
    for (size_t i = 0; i < s->host_count && !found; i++)
        if (!s->hosts[i]->gone && strcmp(s->hosts[i]->info.address, address) == 0)
            found = s->hosts[i];
    pthread_mutex_unlock(&s->lock);
    return found;
}

struct call *cql_call_make(struct cql_session *s, const struct cql_request *r, cql_done done, void *context)
{
    weir_assert(r->kind == CQL_QUERY ? r->text != NULL : r->prepared != NULL);
    weir_assert(r->kind != CQL_BATCH || (r->rows > 0 && r->rows <= UINT16_MAX));
    struct call *call = cql_call_take(s);
    call->done = done;
    call->context = context;
    call->prepared = r->kind == CQL_QUERY ? NULL : r->prepared;
    call->rows = r->kind == CQL_BATCH ? r->rows : 1;
    call->idempotent = r->idempotent;
    call->has_token = r->has_token && r->keyspace && strlen(r->keyspace) < KEYSPACE_BYTES;
    call->token = r->token;
    if (call->has_token)
        memcpy(call->keyspace, r->keyspace, strlen(r->keyspace) + 1);
    call->give_up_us = give_up_us(r->patience_ms);
    call->timeout_us = (int64_t)(r->timeout_ms ? r->timeout_ms : s->options.request_timeout_ms) * 1000;
    call_encode(call, (enum cql_version)atomic_load(&s->version), r);
    call->charged = (uint32_t)call->bytes.bytes;
    if (r->node && !(call->only = call_host(s, r->node))) {
        struct weir_error why;
        weir_fail(&why, WEIR_UNAVAILABLE, WEIR_RETRY, "no node of the cluster has the address %s", r->node);
        cql_call_note(call, CQL_CAUSE_NOT_SENT, &why);
        call->give_up_us = 0;
    }
    return call;
}

struct call *cql_call_prepare(struct cql_session *s, const char *text)
{
    enum cql_version version = (enum cql_version)atomic_load(&s->version);
    struct call *call = cql_call_take(s);
    call->idempotent = true;
    call->give_up_us = give_up_us(0);
    call->timeout_us = (int64_t)s->options.request_timeout_ms * 1000;
    size_t start = cql_envelope_begin(&call->bytes, version, false, 0, 0, CQL_OP_PREPARE);
    cql_put_prepare(&call->bytes, version, weir_str_of(text));
    cql_envelope_end(&call->bytes, start, false);
    call->charged = (uint32_t)call->bytes.bytes;
    return call;
}

struct call *cql_call_internal(struct cql_session *s, struct connection *c, enum cql_opcode opcode, call_raw raw, void *context, size_t *ret_start)
{
    struct call *call = cql_call_take(s);
    call->raw = raw;
    call->context = context;
    call->give_up_us = FOREVER_US;
    call->timeout_us = (int64_t)s->options.connect_timeout_ms * 1000;
    *ret_start = cql_envelope_begin(&call->bytes, c->version, false, 0, 0, opcode);
    return call;
}

void cql_call_internal_end(struct call *call, size_t start)
{
    cql_envelope_end(&call->bytes, start, false);
}

void cql_call_note(struct call *call, enum cql_cause cause, const struct weir_error *why)
{
    call->cause = cause;
    if (!call->error)
        call->error = weir_alloc(sizeof *call->error);
    *call->error = *why;
}
