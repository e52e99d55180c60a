// SPDX-License-Identifier: Apache-2.0
// What a table is: columns of CQL types, a primary key, and how it is kept. Made by spec/ from a pipeline file, read by every store.
#pragma once
#include "base/value.h"

enum weir_cql_type {
    WEIR_CQL_TEXT,
    WEIR_CQL_UUID,
    WEIR_CQL_BOOLEAN,
    WEIR_CQL_INT,
    WEIR_CQL_BIGINT,
    WEIR_CQL_FLOAT,
    WEIR_CQL_DOUBLE,
    WEIR_CQL_TIMESTAMP,
    WEIR_CQL_TYPE_COUNT
};

const char *weir_cql_type_name(enum weir_cql_type type);
int weir_cql_type_parse(struct weir_str name, enum weir_cql_type *ret);
enum weir_kind weir_cql_kind(enum weir_cql_type type); // text and uuid are WEIR_STRS (a uuid as its 36 characters of lower-case text)

struct weir_table_column {
    const char *name;
    enum weir_cql_type type;
};

struct weir_clustering {
    uint32_t column; // index into columns
    bool descending;
};

struct weir_option { // e.g. of compaction: class → LeveledCompactionStrategy
    const char *name, *value;
};

// What a column says of the time of its row, a window's start or else the event's time: all of it, in some unit, or a field of its calendar date.
enum weir_time_part {
    WEIR_PART_NONE,
    WEIR_PART_S,
    WEIR_PART_MS,
    WEIR_PART_US,
    WEIR_PART_YEAR,
    WEIR_PART_MONTH,
    WEIR_PART_DAY,
    WEIR_PART_HOUR,
};

struct weir_zone; // base/zone.h

struct weir_table {
    const char *name;
    uint32_t column_count;
    struct weir_table_column *columns;
    uint32_t partition_count;  // ≥ 1
    uint32_t *partition;       // partition key, as indexes into columns
    uint32_t clustering_count; // may be 0: one row a partition
    struct weir_clustering *clustering;
    bool upserts;                    // rows are aggregates, written again as they change
    bool windowed;                   // rows carry the start of their window
    const char *consistency;         // "ONE", "QUORUM", "LOCAL_QUORUM", …
    const char *partition_by;        // "day", "month", … or NULL: time bucket added to the partition key
    enum weir_time_part *time_parts; // by column; NULL: none says anything
    const struct weir_zone *zone;    // of calendar dates; NULL: UTC
    int64_t ttl_ms;                  // 0: rows stay
    uint32_t compaction_count;
    struct weir_option *compaction;
};

// The primary key in its order: the partition key's columns, then the clustering columns.
uint32_t weir_table_key_count(const struct weir_table *table);
uint32_t weir_table_key(const struct weir_table *table, uint32_t index); // the column of key column `index` < weir_table_key_count
bool weir_table_is_key(const struct weir_table *table, uint32_t column);

// Rows on their way to a table, columns in the table's order; or, if `deleted`, keys of rows of an upserts table that are no more. Later rows win over earlier ones of the same primary key.
struct weir_rows {
    const struct weir_table *table;
    uint32_t table_index; // of the query in the plan
    uint32_t count;
    bool deleted;
    struct weir_column *columns; // table->column_count of them; kind = weir_cql_kind(type); key columns are never null
    int64_t *revision;           // by row: grows with every newer version of a row (design: epoch + offsets applied)
    int64_t *window_start_ms;    // by row; NULL unless table->windowed
};
