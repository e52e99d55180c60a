// SPDX-License-Identifier: Apache-2.0
// The store on Cassandra, inside.
#pragma once
#include "store/cassandra/options.h"
#include "store/cassandra/shape.h"
#include "store/cassandra/statement.h"
#include "store/ops.h"

#include <pthread.h>
#include <stdatomic.h>

struct cassandra_writer;

struct cassandra_counters { // of this process
    atomic_uint_fast64_t rows, batches, retries, refused;
};

struct cassandra_store {
    struct weir_store base;
    struct weir_arena arena; // of the options
    struct cassandra_options options;
    struct cql_session *session;
    struct cassandra_counters counters;
    atomic_size_t bytes; // of all writers: buffered or not yet acknowledged
    atomic_uint writer_count;

    pthread_mutex_t schema; // one table is made at a time

    pthread_mutex_t lock; // guards what follows
    struct cassandra_writer *writers;
    bool closing;
    int64_t due_us; // when the keeper looks after the writers next; INT64_MAX: not
    pthread_cond_t earlier;
    pthread_t keeper;

    pthread_mutex_t listening; // held while the listener is called
    void (*wake)(void *context);
    void *wake_context;
};

static inline struct cassandra_store *cassandra_store_of(struct weir_store *s)
{
    return (struct cassandra_store *)s;
}

// ---- schema.c

enum { CASSANDRA_NAME_BYTES = 64 };
// As Cassandra has it: '-' becomes '_'.
void cassandra_keyspace_name(const char *keyspace, char ret[CASSANDRA_NAME_BYTES]);
int cassandra_create(struct weir_store *s, const char *keyspace, const struct weir_table *table, struct weir_error *err);

// ---- keeper.c: a thread that sends what has waited for long enough: after a failure, or lingering

int cassandra_keeper_start(struct cassandra_store *s, struct weir_error *err);
void cassandra_keeper_end(struct cassandra_store *s);
void cassandra_keeper_at(struct cassandra_store *s, int64_t due_us);
// Calls the listener, if there is one.
void cassandra_progress(struct cassandra_store *s);

// ---- writer.c

int cassandra_writer_new(struct weir_store *s, const char *keyspace, struct weir_writer **ret, struct weir_error *err);
// All writers' settling and sending; their troubles, a line each. False: there are none.
void cassandra_writers_tend(struct cassandra_store *s);
bool cassandra_writers_trouble(struct cassandra_store *s, struct weir_buffer *reasons);

// ---- reading

int cassandra_scan(struct weir_store *s, const char *keyspace, const struct weir_scan *scan,
                   int (*visit)(void *context, const struct weir_value *values), void *context, struct weir_error *err);
int cassandra_keys(struct weir_store *s, const char *keyspace, const struct weir_table *table, struct weir_str prefix, uint64_t limit,
                   int (*visit)(void *context, const struct weir_value *values), void *context, struct weir_error *err);
int cassandra_stats(struct weir_store *s, const char *keyspace, struct weir_arena *arena, struct weir_store_stats *ret, struct weir_error *err);
