// SPDX-License-Identifier: Apache-2.0
#include "client.h"
#include "base/memory.h"
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

void moment(void)
{
    poll(NULL, 0, 1);
}

// ---- the session

static void keep_line(void *context, const char *line)
{
    struct client *c = context;
    size_t bytes = strlen(line) + 1;
    pthread_mutex_lock(&c->lock);
    if (c->log_bytes + bytes < sizeof c->log) {
        memcpy(c->log + c->log_bytes, line, bytes);
        c->log_bytes += bytes;
        c->log[c->log_bytes - 1] = '\n';
    }
    pthread_mutex_unlock(&c->lock);
}

bool client_logged(struct client *c, const char *part)
{
    pthread_mutex_lock(&c->lock);
    bool found = memmem(c->log, c->log_bytes, part, strlen(part)) != NULL;
    pthread_mutex_unlock(&c->lock);
    return found;
}

int client_session(struct client *c, const struct cql_options *options, struct weir_error *err)
{
    struct cql_options o = options ? *options : (struct cql_options){0};
    if (!o.host_count) {
        for (; o.host_count < FAKE_NODES_MAX && fake_address(c->ring, o.host_count)[0]; o.host_count++)
            c->hosts[o.host_count] = fake_address(c->ring, o.host_count);
        o.hosts = c->hosts;
    }
    o.port = fake_port(c->ring);
    o.log = keep_line;
    o.log_context = c;
    return cql_session_open(&o, &c->session, err);
}

int client_try(struct client *c, const struct fake_options *ring, const struct cql_options *options, struct weir_error *err)
{
    *c = (struct client){.lock = PTHREAD_MUTEX_INITIALIZER};
    c->ring = fake_ring_open(ring);
    return client_session(c, options, err);
}

void client_open(struct client *c, const struct fake_options *ring, const struct cql_options *options)
{
    struct weir_error err;
    if (client_try(c, ring, options, &err) < 0)
        fail_msg("%s", err.text);
    if (cql_prepare(c->session, INSERT, &c->insert, &err) < 0 || cql_prepare(c->session, SELECT, &c->select, &err) < 0)
        fail_msg("%s", err.text);
}

void client_close(struct client *c)
{
    cql_session_close(c->session);
    fake_ring_close(c->ring);
    c->session = NULL;
    c->ring = NULL;
}

uint32_t client_up(struct client *c)
{
    struct weir_arena arena = {0};
    struct cql_node *nodes;
    uint32_t up = 0, count = cql_session_nodes(c->session, &arena, &nodes);
    for (uint32_t i = 0; i < count; i++)
        up += nodes[i].up;
    weir_arena_drop(&arena);
    return up;
}

struct cql_node client_node(struct client *c, uint32_t node)
{
    struct weir_arena arena = {0};
    struct cql_node *nodes, found = {0};
    uint32_t count = cql_session_nodes(c->session, &arena, &nodes);
    for (uint32_t i = 0; i < count; i++) {
        if (strcmp(nodes[i].host_id, fake_host_id(c->ring, node)) == 0)
            found = nodes[i];
    }
    weir_arena_drop(&arena);
    return found;
}

// ---- the tally

struct ticket {
    struct tally *tally;
    uint32_t number;
};

struct tally *tally_make(void)
{
    struct tally *t = weir_zalloc(1, sizeof *t);
    pthread_mutex_init(&t->lock, NULL);
    return t;
}

void tally_free(struct tally *t)
{
    pthread_mutex_destroy(&t->lock);
    free(t);
}

static void tally_answer(void *context, const struct cql_answer *answer)
{
    struct ticket *ticket = context;
    struct tally *t = ticket->tally;
    pthread_mutex_lock(&t->lock);
    if (t->seen[ticket->number]) {
        t->twice++; // and the ticket is gone: a sanitizer says so, too
    } else {
        t->seen[ticket->number] = answer->error ? 1 : 2;
        t->good += !answer->error;
        t->failed += answer->error != NULL;
        t->refused += answer->error && answer->error->fate == WEIR_DEAD_LETTER;
        t->causes[answer->cause]++;
        t->attempts_max = answer->attempts > t->attempts_max ? answer->attempts : t->attempts_max;
        if (answer->error)
            t->last = *answer->error;
        t->done++;
    }
    pthread_mutex_unlock(&t->lock);
    free(ticket);
}

uint32_t tally_done(struct tally *t)
{
    pthread_mutex_lock(&t->lock);
    uint32_t done = t->done;
    pthread_mutex_unlock(&t->lock);
    return done;
}

struct tally *tally_wait(struct tally *t)
{
    EVENTUALLY(tally_done(t) == t->submitted);
    assert_int_equal(t->twice, 0);
    return t;
}

// ---- rows

static uint32_t value_of(uint32_t n, uint32_t bytes, char *out)
{
    uint32_t length = (uint32_t)snprintf(out, 32, "value%u", n);
    if (bytes > length)
        memset(out + length, 'x', bytes - length);
    return bytes > length ? bytes : length;
}

static uint32_t partition_of(uint32_t n, uint32_t batch, char out[24])
{
    return (uint32_t)snprintf(out, 24, "key%u", n / batch);
}

static void bind_key(struct weir_buffer *b, uint32_t n, uint32_t batch)
{
    char key[24];
    cql_bind_text(b, (struct weir_str){key, partition_of(n, batch, key)});
    cql_bind_bigint(b, n);
}

static void submit_rows(struct client *c, struct tally *t, uint32_t first, uint32_t rows, const struct row_options *o)
{
    struct weir_buffer values = {0};
    char key[24], *value = weir_alloc(o->value_bytes + 32);
    for (uint32_t n = first; n < first + rows; n++) {
        bind_key(&values, n, rows);
        cql_bind_text(&values, (struct weir_str){value, value_of(n, o->value_bytes, value)});
    }
    struct cql_request request = {.kind = o->batch ? CQL_BATCH : CQL_EXECUTE,
                                  .prepared = c->insert,
                                  .rows = rows,
                                  .values = weir_buffer_view(&values),
                                  .consistency = CQL_QUORUM,
                                  .has_token = true,
                                  .token = cql_token((struct weir_str){key, partition_of(first, rows, key)}),
                                  .keyspace = "ks",
                                  .has_timestamp = true,
                                  .timestamp_us = 1000000000000000 + first,
                                  .idempotent = !o->not_idempotent,
                                  .timeout_ms = o->timeout_ms,
                                  .patience_ms = o->patience_ms};
    struct ticket *ticket = weir_alloc(sizeof *ticket);
    *ticket = (struct ticket){t, first};
    t->submitted++;
    cql_submit(c->session, &request, tally_answer, ticket);
    weir_buffer_drop(&values);
    free(value);
}

void client_write(struct client *c, struct tally *t, uint32_t first, uint32_t count, const struct row_options *options)
{
    struct row_options o = options ? *options : (struct row_options){0};
    uint32_t rows = o.batch ? o.batch : 1;
    weir_assert(first % rows == 0 && first + count <= TALLY_MAX);
    for (uint32_t n = first; n < first + count; n += rows)
        submit_rows(c, t, n, rows, &o);
}

static bool row_good(struct client *c, uint32_t n, uint32_t batch, uint32_t value_bytes)
{
    struct weir_buffer key = {0};
    struct fake_row row = {0};
    char *value = weir_alloc(value_bytes + 32);
    uint32_t bytes = value_of(n, value_bytes, value), compared = bytes < sizeof row.value ? bytes : (uint32_t)sizeof row.value;
    bind_key(&key, n, batch);
    bool good = fake_row(c->ring, weir_buffer_view(&key), &row) && row.timestamps == 1 && row.timestamp_us == 1000000000000000 + n / batch * batch &&
                row.value_bytes == bytes && memcmp(row.value, value, compared) == 0;
    weir_buffer_drop(&key);
    free(value);
    return good;
}

uint32_t client_missing(struct client *c, const struct tally *t, uint32_t first, uint32_t count, const struct row_options *options)
{
    uint32_t batch = options && options->batch ? options->batch : 1, missing = 0;
    for (uint32_t n = first; n < first + count; n++) {
        if (t->seen[n / batch * batch] == 2)
            missing += !row_good(c, n, batch, options ? options->value_bytes : 0);
    }
    return missing;
}
