// SPDX-License-Identifier: Apache-2.0
// From expressions as written to typed ones: names looked up, types checked, aggregates taken out.
#pragma once
#include "spec/syntax.h"

struct scope {
    struct reading *r;
    const struct node *node; // the scalar the expression stands in
    struct weir_query_spec *query;
    uint32_t aggregate_capacity; // of query->aggregates
    bool groups_known;           // group_by was read without mistakes
    bool per_row;                // of a grouped query's columns; else per event
    const char *no_aggregates;   // why there can be none here; NULL where they may stand
};

// NULL after reporting at least one mistake. With `want_time` a bare reference to the event's time field gives the time in epoch ms.
struct weir_expr *spec_check_expr(struct scope *s, const struct syntax *syntax, bool want_time);

bool spec_is_number_type(enum weir_type type); // int, long, float, double
