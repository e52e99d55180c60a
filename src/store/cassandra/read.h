// SPDX-License-Identifier: Apache-2.0
// Reading: which partitions, which of their rows, and the rows themselves, several partitions under way at once.
#pragma once
#include "store/cassandra/inside.h"

// ---- bounds.c: a scan's bounds as Cassandra is asked for them, and as rows are held against them

struct bounds {
    const struct weir_scan *scan;
    uint32_t equal;            // clustering columns that are given
    struct weir_buffer text;   // " AND timestamp >= ? …"
    struct weir_buffer values; // bound: equal ones and those of the text
    bool rows_tell;            // rows must be held against the bounds, too
    int64_t from_ms, to_ms;    // of windowed tables
};

// WEIR_BAD_DATA where the table's rows do not tell when their window started.
int bounds_make(const struct cassandra_shape *shape, const struct weir_scan *scan, struct bounds *ret, struct weir_error *err);
void bounds_drop(struct bounds *b);
bool bounds_let_through(const struct bounds *b, const struct weir_value *values);
bool bounds_let_bucket_through(const struct bounds *b, const struct cassandra_shape *shape, int64_t bucket_ms);

// ---- partitions.c: partition keys in their order

struct partition {
    size_t key, bound; // in `bytes`
    uint32_t key_bytes, bound_bytes;
};

struct partitions {
    struct weir_buffer bytes; // of each: its key as store/key.h has it, its values as statements bind them
    struct partition *items;
    size_t count, capacity;
};

void partitions_drop(struct partitions *p);
struct weir_str partition_key(const struct partitions *p, const struct partition *item);
struct weir_str partition_bound(const struct partitions *p, const struct partition *item);
// Those of a key (scan->key), its buckets where it has some; or all of the table.
int partitions_of_key(struct cassandra_store *s, const char *keyspace, const struct cassandra_shape *shape, const struct bounds *b,
                      struct partitions *ret, struct weir_error *err);
int partitions_of_table(struct cassandra_store *s, const char *keyspace, const struct cassandra_shape *shape, const struct bounds *b,
                        struct partitions *ret, struct weir_error *err);

// ---- fetch.c: rows of partitions, in the order of these

struct fetch_request {
    struct cassandra_store *store;
    const char *keyspace;
    const struct cassandra_shape *shape;
    const struct cql_prepared *select;
    const struct partitions *partitions;
    struct weir_str more; // bound values behind the partition key's
    int32_t page_rows;
};
// visit: negative ends it with that failure, positive without one.
int fetch_rows(const struct fetch_request *request, int (*visit)(void *context, const struct weir_value *values, struct weir_error *err),
               void *context, struct weir_error *err);
