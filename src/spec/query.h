// SPDX-License-Identifier: Apache-2.0
// One query being read: its parts share what was found under its keys.
#pragma once
#include "spec/check.h"

enum query_key {
    QUERY_TABLE,
    QUERY_WINDOW,
    QUERY_GROUP_BY,
    QUERY_LATENESS,
    QUERY_AMEND,
    QUERY_IDLE,
    QUERY_EMIT,
    QUERY_EVERY,
    QUERY_WHERE,
    QUERY_QUANTILES,
    QUERY_COLUMNS,
    QUERY_KEY,
    QUERY_CONSISTENCY,
    QUERY_COMPACTION,
    QUERY_TTL,
    QUERY_PARTITION_BY,
    QUERY_KEYS,
};

struct query_reading {
    struct reading *r;
    const struct node *node;
    const char *title; // "query 'hourly'"
    const struct node *at[QUERY_KEYS];
    struct weir_query_spec *query;
    struct scope scope;
    bool columns_known; // all columns were read, so that a name that is none of them is a mistake
};

void spec_read_window(struct query_reading *q);            // window.c
void spec_read_columns_and_where(struct query_reading *q); // columns.c
void spec_read_key(struct query_reading *q);               // key.c
void spec_read_table_options(struct query_reading *q);     // table_options.c
