// SPDX-License-Identifier: Apache-2.0
// The store: tables of rows with a primary key, upserted. Embedded now, Cassandra to come.
#pragma once
#include "base/arena.h"
#include "base/error.h"
#include "base/table.h"
#include "embedded/embedded.h"

struct weir_store;

int weir_store_embedded(struct weir_embedded *db, struct weir_store **ret, struct weir_error *err);
void weir_store_close(struct weir_store *s);

// Makes the table if there is none. One that exists with other columns or another key is WEIR_BAD_CONFIG and the difference in words.
int weir_store_create(struct weir_store *s, const char *keyspace, const struct weir_table *table, struct weir_error *err);

// ---- writing: a writer belongs to one thread. Rows are buffered by partition key and handed on in blocks.

struct weir_writer;

int weir_writer_new(struct weir_store *s, const char *keyspace, struct weir_writer **ret, struct weir_error *err);
void weir_writer_free(struct weir_writer *w);
// Copies what it needs, except rows->table, which must outlive the writer.
int weir_writer_add(struct weir_writer *w, const struct weir_rows *rows, struct weir_error *err);
size_t weir_writer_bytes(const struct weir_writer *w); // buffered
// Hands over everything buffered. Embedded: puts it into `txn`. Others: returns when the tables' consistency levels have acknowledged it; txn is unused.
int weir_writer_flush(struct weir_writer *w, struct weir_txn *txn, struct weir_error *err);

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
