// SPDX-License-Identifier: Apache-2.0
// The store: tables of rows with a primary key, upserted. Two kinds stand behind it, embedded (store/embedded) and Cassandra (store/cassandra).
//
// Thread-safe, but for writers, which belong to one thread each.
#pragma once
#include "base/arena.h"
#include "base/buffer.h"
#include "base/commit.h"
#include "base/error.h"
#include "base/table.h"
#include "embedded/embedded.h"

struct weir_store;

int weir_store_embedded(struct weir_embedded *db, struct weir_store **ret, struct weir_error *err);

// cassandra://host[,host…][:port]/keyspace and the options of the long form: replication (a number, or "{'class': …}"), username, password, local_dc,
// tls, ca, cert, key, …: the whole list with defaults is a table in store/cassandra/options.c. Connects; a ring that does not answer within ten seconds
// is WEIR_UNAVAILABLE and names its addresses.
struct weir_cassandra_where {
    const char *url;
    uint32_t option_count;
    const struct weir_option *options;
    void (*log)(void *context, const char *line); // what happens to nodes; NULL: silence
    void *log_context;
};
int weir_store_cassandra(const struct weir_cassandra_where *where, struct weir_store **ret, struct weir_error *err);
// The keyspace part of such a URL. WEIR_BAD_CONFIG where the URL is none.
int weir_cassandra_keyspace(const char *url, struct weir_arena *arena, const char **ret, struct weir_error *err);

// CREATE TABLE IF NOT EXISTS keyspace.table (…) WITH …; as weir_store_create has it. '-' in the keyspace's name becomes '_'.
int weir_cassandra_table_text(struct weir_buffer *out, const char *keyspace, const struct weir_table *table, struct weir_error *err);
// The URL and the options alone, connecting nowhere.
int weir_cassandra_check(const struct weir_cassandra_where *where, struct weir_error *err);

void weir_store_close(struct weir_store *s);

// Makes the table if there is none. One that exists with other columns or another key is WEIR_BAD_CONFIG and the difference in words.
int weir_store_create(struct weir_store *s, const char *keyspace, const struct weir_table *table, struct weir_error *err);

// Whether writes and reads go through as they should; else one reason a line is appended to `reasons` ("Cassandra: 127.0.0.2 is down: …").
bool weir_store_healthy(struct weir_store *s, struct weir_buffer *reasons);

// ---- writing: a writer belongs to one thread and never waits. Rows are buffered by partition key and handed on in blocks or batches; Cassandra's
// are on their way as soon as they are full or have lingered.

struct weir_writer;

int weir_writer_new(struct weir_store *s, const char *keyspace, struct weir_writer **ret, struct weir_error *err);
void weir_writer_free(struct weir_writer *w); // what is not acknowledged is given up
// Copies what it needs, except rows->table, which must outlive the writer.
int weir_writer_add(struct weir_writer *w, const struct weir_rows *rows, struct weir_error *err);
size_t weir_writer_bytes(const struct weir_writer *w); // buffered or not yet acknowledged
// No more should be added for now: the store does not keep up, or is away. Rows that come all the same are kept.
bool weir_writer_full(struct weir_writer *w);
// Hands over everything buffered. Embedded: puts it into the commit, *ret_ticket is 0. Cassandra: sends it without waiting.
int weir_writer_flush(struct weir_writer *w, const struct weir_commit *commit, uint64_t *ret_ticket, struct weir_error *err);
// Whether all rows of a flush (and before it) are acknowledged at their tables' consistency levels, or refused for good (see below). 0 always is.
bool weir_writer_acked(struct weir_writer *w, uint64_t ticket);
// Rows that the store will never take, oldest first, each given once; false: there is none. Views are valid until the next call.
struct weir_refused_row {
    const struct weir_table *table;
    uint32_t table_index;
    int64_t revision;
    struct weir_str row; // as a JSON object
    const char *text;    // what the store says
};
bool weir_writer_refused(struct weir_writer *w, struct weir_refused_row *ret);
// Calls `wake`, from any thread, when something may have changed about tickets or fullness of the store's writers. One listener; NULL ends it.
void weir_store_on_progress(struct weir_store *s, void (*wake)(void *context), void *context);

// ---- reading (thread-safe)

struct weir_scan {
    const struct weir_table *table;
    uint32_t key_count;           // 0: the whole table in key order; up to the whole partition key, then clustering columns by equality
    const struct weir_value *key; // values of the key columns in their order, of the columns' kinds
    bool bound_from, bound_to;    // on the window's start (windowed tables, epoch ms) or else the first clustering column
    struct weir_value from, to;   // both inclusive; of the first clustering column's kind, or WEIR_I64 ms for windowed tables
    uint64_t limit;               // 0: all
};

// Rows in key order: by the partition key's values ascending, clustering order within; for each primary key its newest row.
// A non-zero answer of visit ends the walk without error. `values` by table column.
int weir_store_scan(struct weir_store *s, const char *keyspace, const struct weir_scan *scan,
                    int (*visit)(void *context, const struct weir_value *values), void *context, struct weir_error *err);

// The partition keys of a table in their order, each once: those whose first column begins with `prefix` (text columns; empty: all), up to `limit`
// (0: all). `values` by partition key column.
int weir_store_keys(struct weir_store *s, const char *keyspace, const struct weir_table *table, struct weir_str prefix, uint64_t limit,
                    int (*visit)(void *context, const struct weir_value *values), void *context, struct weir_error *err);

// ---- the store as operators know it (`nodetool`); embedded: no nodes, tables with what is known

struct weir_store_node {
    const char *address, *host_id, *datacenter, *rack, *release, *trouble; // trouble: NULL: up
    uint32_t tokens, in_flight, window;
    double ownership; // 0 to 1
    uint64_t requests, errors, timeouts, overloaded;
    int64_t latency_us;
};
struct weir_store_table { // -1: not known
    const char *name;
    int64_t sstables, bytes, rows, reads, writes;
    double read_latency_us, write_latency_us;
    int64_t compactions_pending;
};
struct weir_store_compaction {
    const char *table, *kind, *node;
    int64_t done_bytes, total_bytes;
};
struct weir_store_stats {
    const char *kind, *where; // "embedded" and the folder, "cassandra" and the keyspace
    uint32_t node_count, table_count, compaction_count;
    struct weir_store_node *nodes;
    struct weir_store_table *tables;
    struct weir_store_compaction *compactions;
    uint64_t rows_sent, requests, retries, refused, batches; // of this process
    double rows_per_batch;
};
// Asks the nodes (Cassandra: virtual tables, size_estimates); may take a while, not for the hot path. What cannot be had is left out, not an error.
int weir_store_stats(struct weir_store *s, const char *keyspace, struct weir_arena *arena, struct weir_store_stats *ret, struct weir_error *err);
