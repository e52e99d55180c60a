// SPDX-License-Identifier: Apache-2.0
// Expressions of pipeline files, typed. The parser lives in spec/, evaluation (over whole columns) in query/.
//
// A column of a windowed or grouped query is evaluated in two steps: aggregate calls are folded event by event, then the tree around them is
// evaluated once a row. So a checked tree has two kinds of leaves: per event (FIELD) and per row (GROUP, WINDOW_*, AGGREGATE).
#pragma once
#include "base/value.h"

enum weir_op {
    // leaves
    WEIR_OP_NUMBER,     // constant of `type` WEIR_LONG or WEIR_DOUBLE
    WEIR_OP_TEXT,       // constant
    WEIR_OP_BOOL,       // constant true or false
    WEIR_OP_NULL,       // constant null
    WEIR_OP_FIELD,      // event field `index`, as the event has it
    WEIR_OP_EVENT_TIME, // the event's time in epoch ms; a reference to the time field inside a function that wants a time becomes this
    WEIR_OP_GROUP,      // `index` into the query's group_by; per row
    WEIR_OP_WINDOW_START,
    WEIR_OP_WINDOW_END,
    WEIR_OP_AGGREGATE, // `index` into the query's aggregates; per row
    // arithmetic: long op long gives long (+ - *), `/` always gives double; overflow and division by zero give null
    WEIR_OP_ADD,
    WEIR_OP_SUB,
    WEIR_OP_MUL,
    WEIR_OP_DIV,
    WEIR_OP_NEG,
    // comparisons (numbers with numbers, text with text, booleans for == and !=) give boolean; null if a side is
    WEIR_OP_EQ,
    WEIR_OP_NE,
    WEIR_OP_LT,
    WEIR_OP_LE,
    WEIR_OP_GT,
    WEIR_OP_GE,
    // three-valued logic, as in SQL
    WEIR_OP_AND,
    WEIR_OP_OR,
    WEIR_OP_NOT,
    // functions
    WEIR_OP_IF,
    WEIR_OP_COALESCE,
    WEIR_OP_ABS,
    WEIR_OP_ROUND, // round half to even; (x, digits)
    WEIR_OP_EPOCH_S,
    WEIR_OP_EPOCH_MS,
    WEIR_OP_YEAR,
    WEIR_OP_MONTH,
    WEIR_OP_DAY,
    WEIR_OP_HOUR, // of a time, in the pipeline's time zone
    WEIR_OP_COUNT_,
};

struct weir_expr {
    enum weir_op op;
    enum weir_type type;
    bool nullable;
    uint32_t arg_count;
    struct weir_expr **args;
    union {
        int64_t i64; // NUMBER of type long, BOOL
        double f64;  // NUMBER of type double
        struct weir_str text;
        uint32_t index;
    };
    int line, column; // in the pipeline file, from 1
};

enum weir_agg {
    WEIR_AGG_COUNT_ALL, // count()
    WEIR_AGG_COUNT,
    WEIR_AGG_SUM,
    WEIR_AGG_AVG,
    WEIR_AGG_MIN,
    WEIR_AGG_MAX,
    WEIR_AGG_MEDIAN,
    WEIR_AGG_QUANTILE, // median is quantile 0.5
    WEIR_AGG_STDDEV,   // of a sample (n − 1); null for fewer than two values
    WEIR_AGG_FIRST,
    WEIR_AGG_LAST, // by event time; of equal times the lower (first) or higher (last) offset
    WEIR_AGG_DISTINCT,
    WEIR_AGG_KINDS,
};

struct weir_aggregate {
    enum weir_agg kind;
    struct weir_expr *arg; // per event; NULL for count()
    double quantile;       // of WEIR_AGG_MEDIAN, WEIR_AGG_QUANTILE
    enum weir_type type;   // of the result: count, distinct long; avg, stddev, median, quantile double; sum double, or long of integers;
                           // min, max, first, last the argument's
};

struct weir_plan;
struct weir_query_spec;
struct weir_buffer;

// Appends canonical text: one form for one tree, parentheses only where the tree needs them. The event time prints as its field's name.
void weir_expr_print(const struct weir_plan *plan, const struct weir_query_spec *query, const struct weir_expr *e, struct weir_buffer *out);
void weir_aggregate_print(const struct weir_plan *plan, const struct weir_query_spec *query, uint32_t aggregate, struct weir_buffer *out);

// Whether two checked trees mean the same; NULL equals NULL only.
bool weir_expr_same(const struct weir_expr *a, const struct weir_expr *b);
