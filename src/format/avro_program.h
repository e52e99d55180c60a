// SPDX-License-Identifier: Apache-2.0
// Schema resolution (specification, "Schema Resolution") as a program: compiled once for a writer's schema, it reads the writer's fields in their
// order and puts those that queries use straight into columns.
#pragma once
#include "avro/place.h"
#include "format/avro_event.h"
#include "format/avro_walk.h"
#include "spec/plan.h"

enum avro_op_code {
    AVRO_OP_END,
    // one writer's value into a column
    AVRO_OP_BOOLEAN,
    AVRO_OP_INT,
    AVRO_OP_LONG,
    AVRO_OP_FLOAT,
    AVRO_OP_DOUBLE,
    AVRO_OP_TEXT, // string or bytes
    AVRO_OP_SYMBOL,
    AVRO_OP_INT_TO_DOUBLE,
    AVRO_OP_INT_TO_FLOAT,
    AVRO_OP_LONG_TO_DOUBLE,
    AVRO_OP_LONG_TO_FLOAT,
    AVRO_OP_CONVERT,  // any scalar, by `convert`
    AVRO_OP_NULL,     // no bytes: the column is null
    AVRO_OP_CONSTANT, // no bytes: a default
    AVRO_OP_DEFAULT,  // no bytes: a default that fills several columns, or needs converting
    // over a writer's value
    AVRO_OP_SKIP_BYTES,  // `arg` of them
    AVRO_OP_SKIP_VARINT, // `arg` of them
    AVRO_OP_SKIP_TEXT,   // `arg` of them
    AVRO_OP_SKIP,        // anything, by `schema`
    // the union of null and what the next op reads or skips
    AVRO_OP_OPTIONAL,
    AVRO_OP_SKIP_OPTIONAL,
    AVRO_OP_UNION, // `arg` branches, a program each
    AVRO_OP_ITEMS, // an array or map, some of its items or entries
    AVRO_OP_REFUSE,
};

struct avro_op {
    uint8_t code;
    uint8_t optional;   // the column has a valid array
    uint8_t null_index; // of the null in the union
    uint32_t column;
    uint32_t arg; // UNION: branches; SKIP_…: how many; SYMBOL: symbols
    const char *field;
    union {
        const struct weir_avro_schema *schema; // SKIP
        const struct weir_avro_field *fields;  // SKIP_VARINT, SKIP_TEXT: the first of those skipped, which follow each other; NULL: one
        const struct avro_op *const *branches; // UNION
        const struct weir_str *symbols;        // SYMBOL, by the writer's index; data NULL: the reader has no such symbol
        const struct weir_value *constant;     // CONSTANT
        const struct avro_convert *convert;    // CONVERT
        const struct avro_default *standing;   // DEFAULT
        const struct avro_items *items;        // ITEMS
        const char *why;                       // REFUSE
    };
};

// A writer's scalar as the reader's, as the column's: promotions first, then what the logical type means.
struct avro_convert {
    const struct weir_avro_schema *writer, *reader;
    enum weir_avro_logical logical; // how the value is to be understood
    uint32_t scale;                 // of a decimal
    const struct weir_str *symbols; // of an enum, as in an op
};

struct avro_default {
    struct weir_str bytes; // the default in the binary encoding
    const struct avro_op *program;
};

struct avro_item {
    int64_t index;       // of an array
    struct weir_str key; // of a map
    const struct avro_op *program;
};

struct avro_items {
    const struct weir_avro_schema *schema; // the writer's array or map
    uint32_t item_count;
    const struct avro_item *items; // in the order of indexes
    const struct avro_op *absent;  // sets the columns of all items to null
};

// Which parts of a value are columns: a tree of steps into it.
struct avro_want {
    struct weir_avro_step step; // from the value around it
    uint32_t column;            // UINT32_MAX: none is of the whole value
    struct avro_want *children, *next;
};

// What the pipeline reads: its schema, and which parts of the record are event fields.
struct avro_reader {
    struct weir_arena arena;
    json_t *json;
    const struct weir_event_spec *event;
    const struct weir_avro_schema *record;
    uint32_t *event_field;  // by field of the record; UINT32_MAX: none
    struct avro_want *want; // of the record; event fields that are used
};

int avro_reader_new(const struct weir_event_spec *event, struct avro_reader *ret, struct weir_error *err);
void avro_reader_drop(struct avro_reader *reader);

// Compiles into `arena`. Fails where no record of the writer's could be read for its name or size alone; what else does not resolve fails when it is
// met. Of fields that no query uses, only those of types that never resolve fail.
int avro_compile(const struct avro_reader *reader, const struct weir_avro_schema *writer, struct weir_arena *arena, const struct avro_op **ret,
                 struct weir_error *err);

// Runs a program over one record's body into row `row`. *ret_field is the field at fault; of AVRO_REFUSED, all that is to be said. Texts that are made
// for columns are the arena's.
enum avro_fault avro_run(const struct avro_op *program, const uint8_t *at, const uint8_t *end, struct weir_column *columns, uint32_t row,
                         struct weir_arena *arena, const char **ret_field);

// Schema resolution, of types alone (avro_resolve.c).
bool avro_names_match(const struct weir_avro_schema *writer, const struct weir_avro_schema *reader);
const struct weir_avro_field *avro_source_of(const struct weir_avro_schema *writer, const struct weir_avro_field *reader);
bool avro_promotes(enum weir_avro_kind writer, enum weir_avro_kind reader);
// The branch of a reader's union that a writer's type, no union, is read as: of its exact name, else of its structure, else the first that it can be
// promoted to; NULL: none.
const struct weir_avro_schema *avro_branch_for(const struct weir_avro_schema *writer, const struct weir_avro_schema *reader);
// Whether no value at all could be read.
bool avro_never_resolves(const struct weir_avro_schema *writer, const struct weir_avro_schema *reader);

// avro_logical.c
enum weir_avro_logical avro_meaning(const struct weir_avro_schema *writer, const struct weir_avro_schema *reader, uint32_t *ret_scale);
int64_t avro_instant_ms(enum weir_avro_logical logical, int64_t raw); // INT64_MAX where it is beyond
bool avro_instant_raw(enum weir_avro_logical logical, int64_t ms, int64_t *ret);
bool avro_decimal(struct weir_str bytes, uint32_t scale, double *ret); // big-endian two's complement; false: too long to be a number
bool avro_decimal_bytes(double value, uint32_t scale, uint8_t ret[16], uint32_t *ret_bytes);
struct weir_str avro_duration(struct weir_str bytes, struct weir_arena *arena); // ISO 8601

// The value of a default for an event field, its text in `arena`. NULL where the JSON is not of the field's type.
const struct weir_value *avro_constant(const struct weir_avro_schema *schema, const struct weir_field *field, const json_t *json,
                                       struct weir_arena *arena);
