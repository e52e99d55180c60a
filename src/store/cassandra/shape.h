// SPDX-License-Identifier: Apache-2.0
// A table as Cassandra has it: as it was asked for and, with `partition_by`, a column more, the last of the partition key: UNIT_bucket timestamp, the
// start (UTC) of the hour, day, ISO week, month or year in which the row's time lies. And its rows as bytes, both ways.
#pragma once
#include "base/arena.h"
#include "base/buffer.h"
#include "base/error.h"
#include "base/table.h"
#include "cql/cql.h"

enum cassandra_unit { CASSANDRA_NO_BUCKET, CASSANDRA_HOUR, CASSANDRA_DAY, CASSANDRA_WEEK, CASSANDRA_MONTH, CASSANDRA_YEAR };

struct cassandra_shape {
    const struct weir_table *table; // as asked for
    struct weir_table physical;     // columns of `table` first
    enum cassandra_unit unit;
    enum cql_consistency write, read;
    struct weir_arena arena;
};

// WEIR_BAD_CONFIG where `partition_by` cannot be followed: time must come first among the clustering columns.
int cassandra_shape_make(const struct weir_table *table, struct cassandra_shape *ret, struct weir_error *err);
void cassandra_shape_drop(struct cassandra_shape *shape);

int64_t cassandra_bucket_ms(enum cassandra_unit unit, int64_t time_ms);       // where its bucket starts
int64_t cassandra_bucket_next_ms(enum cassandra_unit unit, int64_t start_ms); // where the next one does

// The time of a row, where its columns tell: 0, or -1. Columns that say all of it win over calendar dates.
int cassandra_row_time(const struct weir_table *table, const struct weir_value *values, int64_t *ret_ms);
bool cassandra_tells_time(const struct weir_table *table);

// ---- bytes

// Appends a bound value. -1: a text is no uuid; nothing is appended.
int cassandra_bind(struct weir_buffer *out, enum weir_cql_type type, const struct weir_value *value);
// The bytes of a value that was bound, without their length: what partition keys are made of.
struct weir_str cassandra_bound(const struct weir_buffer *out, size_t at);
// Reads a cell of a column of this type; text points into the cell or into `arena`. -1: it is none.
int cassandra_take(const struct cql_cell *cell, enum weir_cql_type type, struct weir_arena *arena, struct weir_value *ret);

// The token of a partition key, as bound values one behind the other.
int64_t cassandra_token(struct weir_str bound, uint32_t columns, struct weir_buffer *scratch);
