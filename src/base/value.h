// SPDX-License-Identifier: Apache-2.0
// The values that events, expressions and rows are made of, and their columns.
//
// Every type is held in one of three physical kinds, so that kernels exist three times and not eight: integers of every width, booleans and
// times are int64_t; float and double are double (a float is exact in it); text is a view of bytes.
#pragma once
#include "base/arena.h"
#include "base/str.h"
#include <stdbool.h>
#include <stdint.h>

enum weir_type { // of event fields and expressions; names are Avro's
    WEIR_BOOLEAN,
    WEIR_INT,
    WEIR_LONG,
    WEIR_FLOAT,
    WEIR_DOUBLE,
    WEIR_STRING,
    WEIR_TIMESTAMP, // int64_t epoch milliseconds; event fields that hold event time, window_start, window_end
    WEIR_TYPE_COUNT,
};

enum weir_kind { WEIR_I64, WEIR_F64, WEIR_STRS };

static inline enum weir_kind weir_kind_of(enum weir_type type)
{
    return type == WEIR_STRING ? WEIR_STRS : type == WEIR_FLOAT || type == WEIR_DOUBLE ? WEIR_F64 : WEIR_I64;
}

const char *weir_type_name(enum weir_type type);                // "boolean", "int", …
int weir_type_parse(struct weir_str name, enum weir_type *ret); // -1 if it is none; "timestamp" is no field type and is refused

struct weir_value { // one value on its own; `null` wins over the rest
    bool null;
    enum weir_kind kind;
    union {
        int64_t i64;
        double f64;
        struct weir_str str;
    };
};

struct weir_column {
    enum weir_kind kind;
    union {
        int64_t *i64;
        double *f64;
        struct weir_str *str;
        void *data;
    };
    uint8_t *valid; // one byte a row, 0 = null; NULL where no row is null
};

static inline bool weir_column_is_null(const struct weir_column *c, uint32_t row)
{
    return c->valid && !c->valid[row];
}

struct weir_value weir_column_get(const struct weir_column *c, uint32_t row);

// Decoded events of one partition, in offset order. Columns are indexed by event field (plan.h); a field that no query uses has data == NULL.
// Strings point into the record memory that was decoded. Everything here lives in `arena`, which whoever made the batch resets.
struct weir_batch {
    uint32_t rows;
    uint32_t column_count;
    struct weir_column *columns;
    int64_t *time_ms; // event time
    int64_t *offset;  // of the record in its partition
    struct weir_arena *arena;
};
