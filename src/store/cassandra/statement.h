// SPDX-License-Identifier: Apache-2.0
// Statements of CQL (Apache Cassandra, "Data Definition", "Data Manipulation"). Names that CQL would not take bare are quoted.
#pragma once
#include "store/cassandra/shape.h"

void cassandra_put_name(struct weir_buffer *out, const char *name);
// `keyspace` may hold '-', which becomes '_', as Cassandra's names have none.
void cassandra_put_table(struct weir_buffer *out, const char *keyspace, const struct weir_table *table);

// CREATE KEYSPACE IF NOT EXISTS … WITH replication = MAP
void cassandra_put_create_keyspace(struct weir_buffer *out, const char *keyspace, const char *replication);
// CREATE TABLE IF NOT EXISTS …, with the bucket column where there is one
void cassandra_put_create_table(struct weir_buffer *out, const char *keyspace, const struct cassandra_shape *shape);

// All columns in the physical table's order, then the timestamp.
void cassandra_put_insert(struct weir_buffer *out, const char *keyspace, const struct cassandra_shape *shape);
// The timestamp, then the key columns in their order.
void cassandra_put_delete(struct weir_buffer *out, const char *keyspace, const struct cassandra_shape *shape);

// SELECT of the columns as asked for, of one partition, `equal` clustering columns by equality.
void cassandra_put_select(struct weir_buffer *out, const char *keyspace, const struct cassandra_shape *shape, uint32_t equal);
// SELECT DISTINCT of the physical partition key.
void cassandra_put_select_keys(struct weir_buffer *out, const char *keyspace, const struct cassandra_shape *shape);
