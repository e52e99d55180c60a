// SPDX-License-Identifier: Apache-2.0
// The embedded store, inside. Family tables: blocks (block.h). Family meta:
//
//   table/KEYSPACE.NAME        → id u32 | the table's description (catalogue.c)
//   next-table-id              → u32
//   span/ id u32 | level u8    → nothing: a block's first and last value of the first clustering column are less than 2^level apart, so that
//                                a scan knows how far before its first row a block with it may begin
#pragma once
#include "embedded/db.h"
#include "store/embedded/block.h"
#include "store/lanes.h"
#include "store/ops.h"

#include <pthread.h>

struct embedded_store {
    struct weir_store base;
    struct weir_embedded *db;
    pthread_mutex_t mutex; // one table is made at a time
};

static inline struct embedded_store *embedded_store_of(struct weir_store *s)
{
    return (struct embedded_store *)s;
}

// What store.c calls.
int embedded_create(struct weir_store *s, const char *keyspace, const struct weir_table *table, struct weir_error *err);
int embedded_writer_new(struct weir_store *s, const char *keyspace, struct weir_writer **ret, struct weir_error *err);
int embedded_scan(struct weir_store *s, const char *keyspace, const struct weir_scan *scan,
                  int (*visit)(void *context, const struct weir_value *values), void *context, struct weir_error *err);
int embedded_keys(struct weir_store *s, const char *keyspace, const struct weir_table *table, struct weir_str prefix, uint64_t limit,
                  int (*visit)(void *context, const struct weir_value *values), void *context, struct weir_error *err);
int embedded_stats(struct weir_store *s, const char *keyspace, struct weir_arena *arena, struct weir_store_stats *ret, struct weir_error *err);

// The id of a table; WEIR_BAD_DATA where there is none, WEIR_BAD_CONFIG where it is another than `table`.
int store_table_id(struct embedded_store *s, const char *keyspace, const struct weir_table *table, uint32_t *ret_id, struct weir_error *err);

// Whether the first clustering column is encoded in eight bytes, so that distances make sense.
bool store_has_span(const struct weir_table *table);
uint64_t store_leading(struct weir_str clustering_key); // its first eight bytes as a number, zeros behind a shorter one
void store_put_span(struct weir_txn *txn, uint32_t table_id, unsigned level);
int store_span(struct embedded_store *s, uint32_t table_id, uint64_t *ret_span, struct weir_error *err);
