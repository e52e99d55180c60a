// SPDX-License-Identifier: Apache-2.0
// Requests whose answers are waited for; schema agreement.
#include "cql/inside.h"

#include <stdlib.h>
#include <time.h>

// A node that missed a change asks the others for it after a minute (cassandra.migration_delay_ms).
enum { SCHEMA_WAIT_MS = 90000, SCHEMA_SAY_MS = 5000, SCHEMA_POLL_MS = 100 };

struct waiter {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool done;
    int result;
    struct cql_result *kept;
    struct weir_error *err;
};

static void waiter_done(void *context, const struct cql_answer *answer)
{
    struct waiter *w = context;
    pthread_mutex_lock(&w->lock);
    if (answer->error) {
        *w->err = *answer->error;
        w->result = -1;
    } else if (answer->result)
        w->kept = cql_result_keep(answer->result);
    w->done = true;
    pthread_cond_signal(&w->changed);
    pthread_mutex_unlock(&w->lock);
}

int cql_call_run(struct cql_session *s, struct call *call, struct cql_result **ret, struct weir_error *err)
{
    struct waiter w = {.err = err};
    pthread_mutex_init(&w.lock, NULL);
    pthread_cond_init(&w.changed, NULL);
    call->done = waiter_done;
    call->context = &w;
    cql_session_submit(s, call);
    pthread_mutex_lock(&w.lock);
    while (!w.done)
        pthread_cond_wait(&w.changed, &w.lock);
    pthread_mutex_unlock(&w.lock);
    pthread_cond_destroy(&w.changed);
    pthread_mutex_destroy(&w.lock);
    if (w.result == 0)
        *ret = w.kept;
    return w.result;
}

int cql_run(struct cql_session *s, const struct cql_request *request, struct cql_result **ret, struct weir_error *err)
{
    return cql_call_run(s, cql_call_make(s, request, NULL, NULL), ret, err);
}

int cql_run_text(struct cql_session *s, const char *text, struct cql_result **ret, struct weir_error *err)
{
    struct cql_request request = {.kind = CQL_QUERY, .text = text, .consistency = CQL_LOCAL_ONE};
    struct cql_result *result;
    if (cql_run(s, &request, &result, err) < 0)
        return -1;
    if (result && result->kind == CQL_RESULT_SCHEMA && cql_await_schema(s, 0, err) < 0) {
        cql_result_free(result);
        return -1;
    }
    *ret = result;
    return 0;
}

// ---- schema agreement

static int schema_version(struct cql_session *s, const char *address, uint8_t ret[16], struct weir_error *err)
{
    struct cql_request request = {.kind = CQL_QUERY,
                                  .text = "SELECT schema_version FROM system.local WHERE key='local'",
                                  .consistency = CQL_ONE,
                                  .idempotent = true,
                                  .node = address,
                                  .patience_ms = 2000};
    struct cql_result *result;
    struct cql_rows rows;
    struct cql_cell cell;
    if (cql_run(s, &request, &result, err) < 0)
        return -1;
    bool good = result && cql_result_columns(result) == 1;
    if (good) {
        cql_rows_begin(result, &rows);
        good = cql_rows_next(&rows, &cell) > 0 && !cell.null && cell.bytes.bytes == 16;
    }
    if (good)
        memcpy(ret, cell.bytes.data, 16);
    cql_result_free(result);
    return good ? 0 : weir_fail(err, WEIR_UNAVAILABLE, WEIR_RETRY, "%s does not say which version of the schema it has", address);
}

// Each node is asked itself: what others think it has may be older than the change. Nodes that are down are not waited for, they catch up when
// they come back.
static bool schema_agrees(struct cql_session *s, struct weir_error *err)
{
    weir_cleanup(weir_arena_drop) struct weir_arena arena = {0};
    struct cql_node *nodes;
    const char *against = NULL;
    uint32_t count = cql_session_nodes(s, &arena, &nodes), asked = 0;
    uint8_t first[16], next[16];
    for (uint32_t i = 0; i < count; i++) {
        if (!nodes[i].up)
            continue;
        if (schema_version(s, nodes[i].address, asked ? next : first, err) < 0)
            return false;
        if (!asked++)
            against = nodes[i].address;
        else if (memcmp(first, next, 16) != 0) {
            weir_fail(
                err, WEIR_UNAVAILABLE, WEIR_RETRY,
                "the nodes do not agree on the schema: %s has another version than %s; their logs say why, nodetool describecluster who has which",
                nodes[i].address, against);
            return false;
        }
    }
    return asked > 0;
}

static void pause_ms(struct cql_session *s, uint32_t ms)
{
    struct timespec deadline = cql_deadline_in_ms(ms);
    pthread_mutex_lock(&s->lock);
    while (!atomic_load(&s->stopping) && pthread_cond_timedwait(&s->changed, &s->lock, &deadline) == 0)
        ;
    pthread_mutex_unlock(&s->lock);
}

int cql_await_schema(struct cql_session *s, uint32_t patience_ms, struct weir_error *err)
{
    int64_t begun = weir_monotonic_us(), until = begun + (int64_t)(patience_ms ? patience_ms : SCHEMA_WAIT_MS) * 1000;
    bool said = false;
    weir_fail(err, WEIR_UNAVAILABLE, WEIR_RETRY, "no node is up that could say which version of the schema it has");
    while (weir_monotonic_us() < until && !atomic_load(&s->stopping)) {
        if (schema_agrees(s, err))
            return 0;
        if (!said && weir_monotonic_us() - begun > SCHEMA_SAY_MS * 1000) {
            cql_session_say(s, "still waiting: %s", err->text);
            said = true;
        }
        pause_ms(s, SCHEMA_POLL_MS);
    }
    return -1;
}
