// SPDX-License-Identifier: Apache-2.0
// The session's statements: each text is prepared once, kept as long as the session.
#include "cql/inside.h"

#include <stdio.h>
#include <stdlib.h>

static struct cql_prepared *statement_find(struct cql_session *s, const char *text) // under s->lock
{
    struct cql_prepared *p = s->statements;
    while (p && strcmp(p->text, text) != 0)
        p = p->next;
    return p;
}

static struct cql_prepared *statement_make(const char *text, const struct cql_result *r)
{
    struct cql_prepared *p = weir_zalloc(1, sizeof *p);
    char *id = weir_alloc(r->id.bytes);
    memcpy(id, r->id.data, r->id.bytes);
    p->text = weir_strdup(text);
    p->id = (struct weir_str){id, r->id.bytes};
    p->value_count = r->values.count;
    pthread_mutex_init(&p->lock, NULL);
    cql_statement_update(p, r->metadata_id);
    return p;
}

static void statement_free(struct cql_prepared *p)
{
    free(p->text);
    free((char *)p->id.data);
    pthread_mutex_destroy(&p->lock);
    free(p);
}

void cql_statements_drop(struct cql_session *s)
{
    while (s->statements) {
        struct cql_prepared *p = s->statements;
        s->statements = p->next;
        statement_free(p);
    }
}

static const struct cql_prepared *statement_add(struct cql_session *s, struct cql_prepared *made)
{
    pthread_mutex_lock(&s->lock);
    struct cql_prepared *there = statement_find(s, made->text);
    if (!there) {
        made->index = s->statement_count++;
        made->next = s->statements;
        s->statements = made;
    }
    pthread_mutex_unlock(&s->lock);
    if (there)
        statement_free(made); // another thread was faster
    return there ? there : made;
}

int cql_prepare(struct cql_session *s, const char *text, const struct cql_prepared **ret, struct weir_error *err)
{
    pthread_mutex_lock(&s->lock);
    const struct cql_prepared *known = statement_find(s, text);
    pthread_mutex_unlock(&s->lock);
    if (known) {
        *ret = known;
        return 0;
    }
    struct cql_result *result;
    if (cql_call_run(s, cql_call_prepare(s, text), &result, err) < 0)
        return weir_wrap(err, "preparing \"%.100s\"", text);
    if (!result || result->kind != CQL_RESULT_PREPARED) {
        cql_result_free(result);
        return weir_fail(err, WEIR_UNAVAILABLE, WEIR_RETRY, "preparing \"%.100s\": the node does not give an id", text);
    }
    *ret = statement_add(s, statement_make(text, result));
    cql_result_free(result);
    return 0;
}

uint32_t cql_prepared_values(const struct cql_prepared *p)
{
    return p->value_count;
}
