// SPDX-License-Identifier: Apache-2.0
// Requests whose answers are waited for; schema agreement.
#include "cql/inside.h"

#include <stdlib.h>
#include <time.h>

enum { SCHEMA_WAIT_US = 10 * 1000 * 1000, SCHEMA_POLL_MS = 100 };

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

int call_run(struct cql_session *s, struct call *call, struct cql_result **ret, struct weir_error *err)
{
    struct waiter w = {.err = err};
    pthread_mutex_init(&w.lock, NULL);
    pthread_cond_init(&w.changed, NULL);
    call->done = waiter_done;
    call->context = &w;
    session_submit(s, call);
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
    return call_run(s, call_make(s, request, NULL, NULL), ret, err);
}

int cql_run_text(struct cql_session *s, const char *text, struct cql_result **ret, struct weir_error *err)
{
    struct cql_request request = {.kind = CQL_QUERY, .text = text, .consistency = CQL_LOCAL_ONE};
    struct cql_result *result;
    if (cql_run(s, &request, &result, err) < 0)
        return -1;
    if (result && result->kind == CQL_RESULT_SCHEMA && cql_await_schema(s, err) < 0) {
        cql_result_free(result);
        return -1;
    }
    *ret = result;
    return 0;
}

// ---- schema agreement

static bool host_is_up(struct cql_session *s, struct weir_str id)
{
    bool up = false;
    pthread_mutex_lock(&s->lock);
    for (size_t i = 0; i < s->host_count && id.bytes == 16; i++)
        if (memcmp(s->hosts[i]->id, id.data, 16) == 0)
            up = LOAD(s->hosts[i]->ready) > 0;
    pthread_mutex_unlock(&s->lock);
    return up;
}

struct schema_versions {
    uint8_t first[16];
    uint32_t count;
    bool differ;
};

static void versions_add(struct cql_session *s, const struct cql_result *result, bool all, struct schema_versions *v)
{
    struct cql_rows rows;
    struct cql_cell cells[2];
    if (!result || cql_result_columns(result) != 2)
        return;
    cql_rows_begin(result, &rows);
    while (cql_rows_next(&rows, cells) > 0) {
        if (cells[1].null || cells[1].bytes.bytes != 16 || (!all && !host_is_up(s, cells[0].bytes)))
            continue;
        if (v->count++ == 0)
            memcpy(v->first, cells[1].bytes.data, 16);
        else
            v->differ |= memcmp(v->first, cells[1].bytes.data, 16) != 0;
    }
}

// What the node behind the control connection knows of all. Nodes that are down are not waited for: they catch up when they come back.
static int schema_agrees(struct cql_session *s, bool *ret, struct weir_error *err)
{
    static const char *const texts[] = {"SELECT host_id, schema_version FROM system.local WHERE key='local'",
                                        "SELECT host_id, schema_version FROM system.peers"};
    char node[46];
    struct schema_versions versions = {0};
    pthread_mutex_lock(&s->lock);
    memcpy(node, s->control_address, sizeof node);
    pthread_mutex_unlock(&s->lock);
    for (int i = 0; i < 2; i++) {
        struct cql_request request = {
            .kind = CQL_QUERY, .text = texts[i], .consistency = CQL_LOCAL_ONE, .idempotent = true, .node = node, .patience_ms = 2000};
        struct cql_result *result = NULL;
        if (cql_run(s, &request, &result, err) < 0)
            return -1;
        versions_add(s, result, i == 0, &versions);
        cql_result_free(result);
    }
    *ret = !versions.differ;
    return 0;
}

static void pause_ms(struct cql_session *s, uint32_t ms)
{
    struct timespec deadline = deadline_in_ms(ms);
    pthread_mutex_lock(&s->lock);
    while (!atomic_load(&s->stopping) && pthread_cond_timedwait(&s->changed, &s->lock, &deadline) == 0)
        ;
    pthread_mutex_unlock(&s->lock);
}

int cql_await_schema(struct cql_session *s, struct weir_error *err)
{
    int64_t until = weir_monotonic_us() + SCHEMA_WAIT_US;
    struct weir_error why;
    weir_fail(&why, WEIR_UNAVAILABLE, WEIR_RETRY, "the nodes do not agree on the schema after %d s", SCHEMA_WAIT_US / 1000000);
    while (weir_monotonic_us() < until && !atomic_load(&s->stopping)) {
        bool agrees = false;
        if (schema_agrees(s, &agrees, &why) == 0 && agrees)
            return 0;
        pause_ms(s, SCHEMA_POLL_MS);
    }
    *err = why;
    return -1;
}
