// SPDX-License-Identifier: Apache-2.0
// Where Cassandra is and how it is used: the URL and the options of a pipeline file's long form.
#pragma once
#include "cql/cql.h"
#include "store/store.h"

struct cassandra_options {
    struct cql_options session;
    const char *keyspace;
    const char *replication;           // "{'class': …}", or NULL
    uint32_t copies;                   // 0: three, or as many as there are nodes
    uint32_t batch_rows_max;           // of one partition
    size_t batch_bytes_max;            // of their values
    uint32_t batches_in_flight;        // of all writers: beyond it rows gather
    int64_t linger_ms;                 // that rows gather for at least
    size_t memory_max;                 // of rows buffered and in flight, of all writers
    const char *compression, *dialect; // as given; session holds what they mean
};

enum cassandra_option_type { CASSANDRA_TEXT, CASSANDRA_SWITCH, CASSANDRA_COUNT, CASSANDRA_BYTES, CASSANDRA_DURATION, CASSANDRA_CHOICE };

struct cassandra_option { // a row of the table that options are read by, and documented from
    const char *name;
    enum cassandra_option_type type;
    size_t at; // in struct cassandra_options
    int64_t least, most;
    const char *standard; // the default, as it would be written
    const char *choices;  // "a|b"
    const char *help;
};
extern const struct cassandra_option cassandra_option_table[];
extern const uint32_t cassandra_option_count;

// All texts are the arena's. Mistakes are WEIR_BAD_CONFIG and name the option, and the nearest there is.
int cassandra_options_read(const char *url, uint32_t count, const struct weir_option *options, struct weir_arena *arena,
                           struct cassandra_options *ret, struct weir_error *err);
