// SPDX-License-Identifier: Apache-2.0
// Schema resolution (specification, "Schema Resolution") as a program: compiled once for a writer's schema, it reads the writer's fields in their
// order and puts those that queries use straight into columns.
#pragma once
#include "avro/schema.h"
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
    AVRO_OP_NULL,     // no bytes: the column is null
    AVRO_OP_CONSTANT, // no bytes: a default
    // over a writer's value
    AVRO_OP_SKIP_BYTES, // `arg` of them
    AVRO_OP_SKIP_VARINT,
    AVRO_OP_SKIP_TEXT,
    AVRO_OP_SKIP, // anything, by `schema`
    // the union of null and what the next op reads or skips
    AVRO_OP_OPTIONAL,
    AVRO_OP_SKIP_OPTIONAL,
    AVRO_OP_UNION, // `arg` branches at `branches`
    AVRO_OP_REFUSE,
};

enum { AVRO_BRANCH_OPS = 2 }; // a branch's program: one op and END

struct avro_op {
    uint8_t code;
    uint8_t optional;   // the column has a valid array
    uint8_t null_index; // of the null in the union
    uint32_t column;
    uint32_t arg; // UNION: branches; SKIP_BYTES: bytes; SYMBOL: symbols
    const char *field;
    union {
        const struct weir_avro_schema *schema; // SKIP
        const struct avro_op *branches;        // UNION, AVRO_BRANCH_OPS each
        const struct weir_str *symbols;        // SYMBOL, by the writer's index; data NULL: the reader has no such symbol
        const struct weir_value *constant;     // CONSTANT
    };
};

// What the pipeline reads: its schema, and which of the record's fields are event fields.
struct avro_reader {
    struct weir_arena arena;
    json_t *json;
    const struct weir_event_spec *event;
    const struct weir_avro_schema *record;
    uint32_t *event_field; // by field of the record; UINT32_MAX: none
};

int avro_reader_new(const struct weir_event_spec *event, struct avro_reader *ret, struct weir_error *err);
void avro_reader_drop(struct avro_reader *reader);

// Compiles into `arena`. Fails with what does not fit.
int avro_compile(const struct avro_reader *reader, const struct weir_avro_schema *writer, struct weir_arena *arena, const struct avro_op **ret,
                 struct weir_error *err);

// Runs a program over one record's body into row `row`. *ret_field is the field at fault.
enum avro_fault avro_run(const struct avro_op *program, const uint8_t *at, const uint8_t *end, struct weir_column *columns, uint32_t row,
                         const char **ret_field);

// The value of a default for an event field, its text in `arena`. NULL where the JSON is not of the field's type.
const struct weir_value *avro_constant(const struct weir_avro_schema *schema, const struct weir_field *field, const json_t *json,
                                       struct weir_arena *arena);
// Appends a default in Avro's binary encoding.
int avro_encode_default(const struct weir_avro_schema *schema, const json_t *json, struct weir_buffer *out, struct weir_error *err);
