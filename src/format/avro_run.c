// SPDX-License-Identifier: Apache-2.0
#include "format/avro_program.h"

struct run {
    const uint8_t *end;
    struct weir_column *columns;
    const char *field; // at fault
    uint32_t row;
    enum avro_fault fault;
};

AVRO_INLINE void set_valid(const struct avro_op *op, struct weir_column *column, uint32_t row)
{
    if (op->optional)
        column->valid[row] = 1;
}

static void put_null(struct weir_column *column, uint32_t row)
{
    column->valid[row] = 0;
    if (column->kind == WEIR_STRS)
        column->str[row] = (struct weir_str){"", 0};
    else
        column->i64[row] = 0;
}

static void put_constant(const struct avro_op *op, struct weir_column *column, uint32_t row)
{
    const struct weir_value *value = op->constant;
    if (value->null) {
        put_null(column, row);
        return;
    }
    set_valid(op, column, row);
    if (column->kind == WEIR_STRS)
        column->str[row] = value->str;
    else if (column->kind == WEIR_F64)
        column->f64[row] = value->f64;
    else
        column->i64[row] = value->i64;
}

static const uint8_t *read_symbol(const struct avro_op *op, const uint8_t *at, struct weir_column *column, struct run *run)
{
    uint32_t index;
    at = avro_index(at, run->end, op->arg, &index, AVRO_SYMBOL, &run->fault);
    if (!at)
        return NULL;
    if (!op->symbols[index].data) {
        run->fault = AVRO_SYMBOL;
        return NULL;
    }
    set_valid(op, column, run->row);
    column->str[run->row] = op->symbols[index];
    return at;
}

static const uint8_t *read_promoted(const struct avro_op *op, const uint8_t *at, struct weir_column *column, struct run *run)
{
    bool from_int = op->code == AVRO_OP_INT_TO_DOUBLE || op->code == AVRO_OP_INT_TO_FLOAT;
    bool to_float = op->code == AVRO_OP_INT_TO_FLOAT || op->code == AVRO_OP_LONG_TO_FLOAT;
    int64_t value;
    at = from_int ? avro_int(at, run->end, &value, &run->fault) : avro_long(at, run->end, &value, &run->fault);
    if (!at)
        return NULL;
    set_valid(op, column, run->row);
    column->f64[run->row] = to_float ? (double)(float)value : (double)value;
    return at;
}

static const uint8_t *skip_tree(const struct avro_op *op, const uint8_t *at, struct run *run)
{
    struct avro_walk walk = avro_walk_of(at, run->end);
    at = avro_skip(&walk, op->schema, at);
    if (!at)
        run->fault = walk.fault;
    return at;
}

static const uint8_t *run_ops(const struct avro_op *op, const uint8_t *at, struct run *run);

static const uint8_t *run_branch(const struct avro_op *op, const uint8_t *at, struct run *run)
{
    uint32_t index;
    at = avro_index(at, run->end, op->arg, &index, AVRO_BRANCH, &run->fault);
    return at ? run_ops(op->branches + AVRO_BRANCH_OPS * index, at, run) : NULL;
}

// Ops that are rare enough to cost a call.
__attribute__((noinline)) static const uint8_t *run_rare(const struct avro_op *op, const uint8_t *at, struct run *run)
{
    struct weir_column *column = &run->columns[op->column];
    switch (op->code) {
    case AVRO_OP_BOOLEAN:
        set_valid(op, column, run->row);
        return avro_boolean(at, run->end, &column->i64[run->row], &run->fault);
    case AVRO_OP_SYMBOL:
        return read_symbol(op, at, column, run);
    case AVRO_OP_NULL:
        put_null(column, run->row);
        return at;
    case AVRO_OP_CONSTANT:
        put_constant(op, column, run->row);
        return at;
    case AVRO_OP_SKIP:
        return skip_tree(op, at, run);
    case AVRO_OP_UNION:
        return run_branch(op, at, run);
    case AVRO_OP_REFUSE:
        run->fault = AVRO_TYPE;
        return NULL;
    default:
        return read_promoted(op, at, column, run);
    }
}

// Whether the branch of null or value is null.
AVRO_INLINE const uint8_t *read_optional(const struct avro_op *op, const uint8_t *at, struct run *run, bool *ret_null)
{
    uint32_t index;
    at = avro_index(at, run->end, 2, &index, AVRO_BRANCH, &run->fault);
    if (at)
        *ret_null = index == op->null_index;
    return at;
}

static const uint8_t *run_ops(const struct avro_op *op, const uint8_t *at, struct run *run)
{
    const uint8_t *end = run->end;
    uint32_t row = run->row;
    enum avro_fault *fault = &run->fault;
    for (; op->code != AVRO_OP_END; op++) {
        struct weir_column *column = &run->columns[op->column];
        struct weir_str skipped;
        uint64_t number;
        bool null = false;
        switch (op->code) {
        case AVRO_OP_TEXT:
            set_valid(op, column, row);
            at = avro_bytes(at, end, &column->str[row], fault);
            break;
        case AVRO_OP_LONG:
            set_valid(op, column, row);
            at = avro_long(at, end, &column->i64[row], fault);
            break;
        case AVRO_OP_INT:
            set_valid(op, column, row);
            at = avro_int(at, end, &column->i64[row], fault);
            break;
        case AVRO_OP_FLOAT:
            set_valid(op, column, row);
            at = avro_float(at, end, &column->f64[row], fault);
            break;
        case AVRO_OP_DOUBLE:
            set_valid(op, column, row);
            at = avro_double(at, end, &column->f64[row], fault);
            break;
        case AVRO_OP_OPTIONAL:
            at = read_optional(op, at, run, &null);
            if (null)
                put_null(column, row);
            op += null;
            break;
        case AVRO_OP_SKIP_OPTIONAL:
            at = read_optional(op, at, run, &null);
            op += null;
            break;
        case AVRO_OP_SKIP_TEXT:
            at = avro_bytes(at, end, &skipped, fault);
            break;
        case AVRO_OP_SKIP_VARINT:
            at = avro_varint(at, end, &number, fault);
            break;
        case AVRO_OP_SKIP_BYTES:
            at = avro_skip_fixed(at, end, op->arg, fault);
            break;
        default:
            at = run_rare(op, at, run);
        }
        if (__builtin_expect(!at, 0)) {
            run->field = op->field;
            return NULL;
        }
    }
    return at;
}

enum avro_fault avro_run(const struct avro_op *program, const uint8_t *at, const uint8_t *end, struct weir_column *columns, uint32_t row,
                         const char **ret_field)
{
    struct run run = {.end = end, .columns = columns, .row = row};
    at = run_ops(program, at, &run);
    if (__builtin_expect(at == end, 1))
        return AVRO_FINE;
    *ret_field = run.field;
    return at ? AVRO_TRAILING : run.fault;
}
