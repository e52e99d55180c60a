// SPDX-License-Identifier: Apache-2.0
// Tables as statements of CQL (Apache Cassandra, "Data Definition").
#pragma once
#include "base/buffer.h"
#include "base/table.h"

// CREATE TABLE IF NOT EXISTS keyspace.table (…) WITH …; — names that CQL would not take bare are quoted. `keyspace` may hold '-', which becomes '_',
// as Cassandra's names have none.
void cql_create_table(struct weir_buffer *out, const char *keyspace, const struct weir_table *table);
