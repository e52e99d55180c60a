// SPDX-License-Identifier: Apache-2.0
// A writer: per table queues of chunks, each of rows of one partition, oldest first. A chunk takes rows until it is full or sent, so that batches are
// as large as the ring is busy. The first row of a partition that has been quiet goes at once; those that follow within `linger` gather, at most for as
// long, so that a busy partition costs a request for many rows, and a quiet one no waiting (J. Nagle's rule for segments, RFC 896). What gathers is due
// at moments that all partitions share, so that the nodes' threads wake up for many requests and not for each.
// Whoever holds the lock settles answers and sends; an answer that comes while somebody holds it is left to them.
#pragma once
#include "store/cassandra/inside.h"
#include "store/lanes.h"

enum { CHUNK_NO_LANE = UINT32_MAX };

enum chunk_outcome { CHUNK_ACKNOWLEDGED, CHUNK_FAILED, CHUNK_REFUSED };

struct chunk {
    struct chunk *next;
    struct cassandra_writer *writer;
    struct table_writer *table;
    struct weir_buffer values; // as the statement binds them, row by row
    uint32_t rows;
    uint32_t lane; // that adds rows to it; CHUNK_NO_LANE: none any more
    bool deleted;  // its rows are keys of rows that are no more
    uint64_t epoch;
    int64_t token, due_us; // not sent before, unless no row can be added any more
    enum chunk_outcome outcome;
    struct weir_error *error; // of the last two
};

struct chunk_queue {
    struct chunk *first, *last;
};

struct lane {
    int64_t token, sent_us;
    struct chunk *open[2]; // rows, deleted ones
};

struct table_writer {
    struct cassandra_shape shape;
    uint32_t table_index;
    const struct cql_prepared *insert, *delete;
    struct store_lanes lanes;
    struct lane *lane;
    size_t lane_capacity;
    uint32_t lane_count;
    struct chunk_queue ready, gathering; // not sent; the latter by when they are due
    uint32_t in_flight;
    // while writes fail: one at a time, ever more slowly
    uint32_t failures;
    int64_t hold_until_us;
    struct weir_error trouble;
};

struct refusal {
    struct refusal *next;
    struct weir_refused_row row;
    struct weir_buffer json;
    char text[256];
};

struct cassandra_writer {
    struct weir_writer base;
    struct cassandra_store *store;
    struct cassandra_writer *next;    // in the store's list
    _Atomic(struct chunk *) answered; // newest first, not settled
    atomic_uint refs;                 // the owner's, one for each chunk in flight, those of the keeper
    atomic_size_t bytes;
    pthread_mutex_t lock; // guards what follows
    char keyspace[CASSANDRA_NAME_BYTES];
    struct table_writer **tables;
    size_t table_count, table_capacity;
    uint32_t turn; // whose chunk is sent next
    uint32_t in_flight;
    bool given_up;
    // epochs end with flushes; a chunk belongs to that of its first row
    uint64_t epoch, oldest; // open; the first with chunks left
    uint32_t *left;         // chunks by epoch, from `oldest` on, in a ring
    size_t left_capacity;   // a power of two
    struct chunk *spare;
    uint32_t spare_count;
    bool progress; // worth telling
    struct refusal *refused, *last_refused, *given;
    struct weir_buffer key, delete_row;
};

// ---- writer.c

struct chunk *chunk_new(struct cassandra_writer *w, struct table_writer *t, uint64_t epoch);
void chunk_retire(struct cassandra_writer *w, struct chunk *chunk); // acknowledged or refused
void chunk_count_bytes(struct cassandra_writer *w, int64_t bytes);
void writer_ref(struct cassandra_writer *w);
void writer_unref(struct cassandra_writer *w);

// ---- send.c

enum writer_patience { WRITER_NOW_OR_HOLDER, WRITER_WAIT };
// Settles answers and sends what may go.
void writer_tend(struct cassandra_writer *w, enum writer_patience patience);
void writer_settle(struct cassandra_writer *w); // the two, under the lock
void writer_send(struct cassandra_writer *w);

// ---- refuse.c

// Takes the one row of a chunk out of the way.
void writer_refuse(struct cassandra_writer *w, const struct chunk *chunk, int64_t revision_more, const char *text);
