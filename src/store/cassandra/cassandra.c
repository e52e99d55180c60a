// SPDX-License-Identifier: Apache-2.0
// The store on Cassandra: rows go out in batches of one partition with their revision as write timestamp, so that what is written twice, or late,
// changes nothing.
//
//   happy path    weir_writer_add → a chunk of the row's partition (writer.c) → an UNLOGGED batch (send.c) → acknowledged → the ticket
//   ring busy     chunks wait and grow; beyond memory_max writers are full
//   ring away     chunks are sent again, with the same timestamps, ever more slowly; weir_store_healthy says why
//   row refused   its batch is halved until it stands alone: weir_writer_refused
//   table's fault (dropped, no permission) sent again as if the ring were away
#include "base/memory.h"
#include "store/cassandra/inside.h"
#include <stdlib.h>

static void free_store(struct cassandra_store *s)
{
    pthread_mutex_destroy(&s->schema);
    pthread_mutex_destroy(&s->lock);
    pthread_mutex_destroy(&s->listening);
    weir_arena_drop(&s->arena);
    free(s);
}

static void close_store(struct weir_store *store)
{
    struct cassandra_store *s = cassandra_store_of(store);
    cassandra_keeper_end(s);
    cql_session_close(s->session);
    weir_assert(!s->writers);
    free_store(s);
}

static void on_progress(struct weir_store *store, void (*wake)(void *context), void *context)
{
    struct cassandra_store *s = cassandra_store_of(store);
    pthread_mutex_lock(&s->listening);
    s->wake = wake;
    s->wake_context = context;
    pthread_mutex_unlock(&s->listening);
}

// One node that is down takes nothing away as long as writes are acknowledged: it is named only where they are not, or no node is left.
static bool is_healthy(struct weir_store *store, struct weir_buffer *reasons)
{
    struct cassandra_store *s = cassandra_store_of(store);
    weir_cleanup(weir_arena_drop) struct weir_arena arena = {0};
    struct cql_node *nodes;
    uint32_t count = cql_session_nodes(s->session, &arena, &nodes), up = 0;
    for (uint32_t i = 0; i < count; i++)
        up += nodes[i].up;
    bool trouble = cassandra_writers_trouble(s, reasons);
    for (uint32_t i = 0; i < count && (trouble || up == 0); i++)
        if (!nodes[i].up)
            weir_buffer_format(reasons, "Cassandra: %s is down: %s\n", nodes[i].address, nodes[i].trouble);
    if (count == 0)
        weir_buffer_format(reasons, "Cassandra: no node is known\n");
    return !trouble && up > 0;
}

static int open_session(struct cassandra_store *s, const struct weir_cassandra_where *where, struct weir_error *err)
{
    s->options.session.log = where->log;
    s->options.session.log_context = where->log_context;
    if (cql_session_open(&s->options.session, &s->session, err) < 0)
        return -1;
    if (cassandra_keeper_start(s, err) == 0)
        return 0;
    cql_session_close(s->session);
    return -1;
}

int weir_store_cassandra(const struct weir_cassandra_where *where, struct weir_store **ret, struct weir_error *err)
{
    static const struct store_ops ops = {
        .close = close_store,
        .create = cassandra_create,
        .healthy = is_healthy,
        .writer_new = cassandra_writer_new,
        .on_progress = on_progress,
        .scan = cassandra_scan,
        .keys = cassandra_keys,
        .stats = cassandra_stats,
    };
    struct cassandra_store *s = weir_zalloc(1, sizeof *s);
    s->base.ops = &ops;
    pthread_mutex_init(&s->schema, NULL);
    pthread_mutex_init(&s->lock, NULL);
    pthread_mutex_init(&s->listening, NULL);
    if (cassandra_options_read(where->url, where->option_count, where->options, &s->arena, &s->options, err) < 0 || open_session(s, where, err) < 0) {
        free_store(s);
        return -1;
    }
    *ret = &s->base;
    return 0;
}

int weir_cassandra_check(const struct weir_cassandra_where *where, struct weir_error *err)
{
    weir_cleanup(weir_arena_drop) struct weir_arena arena = {0};
    struct cassandra_options options;
    return cassandra_options_read(where->url, where->option_count, where->options, &arena, &options, err);
}
