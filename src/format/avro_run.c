// SPDX-License-Identifier: Apache-2.0
#include "format/avro_program.h"

#include "base/number.h"
#include "base/uuid.h"

struct run {
    const uint8_t *end;
    struct weir_column *columns;
    struct weir_arena *arena; // for texts that are made
    const char *field;        // at fault
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
    at = avro_skip_value(&walk, op->schema, at);
    if (!at)
        run->fault = walk.fault;
    return at;
}

static const uint8_t *run_ops(const struct avro_op *op, const uint8_t *at, struct run *run);

static const uint8_t *run_branch(const struct avro_op *op, const uint8_t *at, struct run *run)
{
    uint32_t index;
    at = avro_index(at, run->end, op->arg, &index, AVRO_BRANCH, &run->fault);
    return at ? run_ops(op->branches[index], at, run) : NULL;
}

// ---- conversions

struct scalar {
    enum weir_kind kind;
    bool boolean;
    int64_t i64;
    double f64;
    struct weir_str str;
};

static const uint8_t *read_text(const struct avro_convert *convert, const uint8_t *at, struct run *run, struct scalar *ret)
{
    uint32_t index;
    ret->kind = WEIR_STRS;
    if (convert->writer->kind == WEIR_AVRO_FIXED) {
        ret->str = (struct weir_str){(const char *)at, convert->writer->fixed_bytes};
        return avro_skip_fixed(at, run->end, convert->writer->fixed_bytes, &run->fault);
    }
    if (convert->writer->kind != WEIR_AVRO_ENUM)
        return avro_bytes(at, run->end, &ret->str, &run->fault);
    at = avro_index(at, run->end, convert->writer->symbol_count, &index, AVRO_SYMBOL, &run->fault);
    if (at && !convert->symbols[index].data) {
        run->fault = AVRO_SYMBOL;
        return NULL;
    }
    if (at)
        ret->str = convert->symbols[index];
    return at;
}

static const uint8_t *read_scalar(const struct avro_convert *convert, const uint8_t *at, struct run *run, struct scalar *ret)
{
    switch (convert->writer->kind) {
    case WEIR_AVRO_BOOLEAN:
        ret->boolean = true;
        return avro_boolean(at, run->end, &ret->i64, &run->fault);
    case WEIR_AVRO_INT:
        return avro_int(at, run->end, &ret->i64, &run->fault);
    case WEIR_AVRO_LONG:
        return avro_long(at, run->end, &ret->i64, &run->fault);
    case WEIR_AVRO_FLOAT:
        ret->kind = WEIR_F64;
        return avro_float(at, run->end, &ret->f64, &run->fault);
    case WEIR_AVRO_DOUBLE:
        ret->kind = WEIR_F64;
        return avro_double(at, run->end, &ret->f64, &run->fault);
    default:
        return read_text(convert, at, run, ret);
    }
}

// As the reader's type, then as what that means. False: the fault is set.
static bool promote(const struct avro_convert *convert, struct run *run, struct scalar *value)
{
    bool real = convert->reader->kind == WEIR_AVRO_FLOAT || convert->reader->kind == WEIR_AVRO_DOUBLE;
    if (real && value->kind == WEIR_I64) {
        value->f64 = convert->reader->kind == WEIR_AVRO_FLOAT ? (double)(float)value->i64 : (double)value->i64;
        value->kind = WEIR_F64;
    }
    if (value->kind == WEIR_I64 && !value->boolean)
        value->i64 = avro_instant_ms(convert->logical, value->i64);
    if (value->kind != WEIR_STRS)
        return true;
    if (convert->logical == WEIR_AVRO_DECIMAL) {
        value->kind = WEIR_F64;
        if (avro_decimal(value->str, convert->scale, &value->f64))
            return true;
        run->fault = AVRO_DECIMAL;
        return false;
    }
    if (convert->logical == WEIR_AVRO_DURATION && value->str.bytes == 12) {
        value->str = avro_duration(value->str, run->arena);
    } else if (convert->logical == WEIR_AVRO_UUID && convert->writer->kind == WEIR_AVRO_FIXED && value->str.bytes == 16) {
        char *text = weir_arena_alloc(run->arena, 37);
        weir_uuid_format((const uint8_t *)value->str.data, text);
        value->str = (struct weir_str){text, 36};
    }
    return true;
}

static struct weir_str text_of(const struct scalar *value, bool single, struct run *run)
{
    if (value->kind == WEIR_STRS)
        return value->str;
    if (value->boolean)
        return weir_str_of(value->i64 ? "true" : "false");
    char *text = weir_arena_alloc(run->arena, 32);
    size_t bytes = value->kind == WEIR_I64 ? weir_format_i64(value->i64, text)
                   : single                ? weir_format_f32((float)value->f64, text)
                                           : weir_format_f64(value->f64, text);
    return (struct weir_str){text, (uint32_t)bytes};
}

static const uint8_t *read_converted(const struct avro_op *op, const uint8_t *at, struct weir_column *column, struct run *run)
{
    const struct avro_convert *convert = op->convert;
    struct scalar value = {.kind = WEIR_I64};
    at = read_scalar(convert, at, run, &value);
    if (!at || !promote(convert, run, &value))
        return NULL;
    set_valid(op, column, run->row);
    if (column->kind == WEIR_STRS)
        column->str[run->row] = text_of(&value, convert->reader->kind == WEIR_AVRO_FLOAT, run);
    else if (column->kind == WEIR_F64)
        column->f64[run->row] = value.kind == WEIR_F64 ? value.f64 : (double)value.i64;
    else
        column->i64[run->row] = value.i64;
    return at;
}

// ---- defaults, arrays and maps

static const uint8_t *put_default(const struct avro_op *op, const uint8_t *at, struct run *run)
{
    struct run inside = *run;
    const uint8_t *bytes = (const uint8_t *)op->standing->bytes.data;
    inside.end = bytes + op->standing->bytes.bytes;
    if (run_ops(op->standing->program, bytes, &inside))
        return at;
    run->fault = inside.fault;
    run->field = inside.field;
    return NULL;
}

static const struct avro_item *item_for(const struct avro_items *items, uint64_t index, struct weir_str key)
{
    bool map = items->schema->kind == WEIR_AVRO_MAP;
    for (uint32_t i = 0; i < items->item_count; i++)
        if (map ? weir_str_eq(items->items[i].key, key) : items->items[i].index == (int64_t)index)
            return &items->items[i];
    return NULL;
}

static const uint8_t *run_item(const struct avro_items *items, uint64_t index, const uint8_t *at, struct avro_walk *walk, struct run *run)
{
    struct weir_str key = {"", 0};
    if (items->schema->kind == WEIR_AVRO_MAP)
        at = avro_bytes(at, run->end, &key, &walk->fault);
    if (!at)
        return NULL;
    const struct avro_item *item = item_for(items, index, key);
    if (!item || walk->steps_left == 0)
        return avro_skip_value(walk, items->schema->items, at);
    walk->steps_left--;
    return run_ops(item->program, at, run);
}

// An array's block whose items nobody wants is passed over by its size, where the writer says it.
static bool passes_over(const struct avro_items *items, uint64_t from)
{
    return items->schema->kind == WEIR_AVRO_ARRAY && (items->item_count == 0 || (uint64_t)items->items[items->item_count - 1].index < from);
}

static const uint8_t *run_items(const struct avro_op *op, const uint8_t *at, struct run *run)
{
    const struct avro_items *items = op->items;
    struct avro_walk walk = avro_walk_of(at, run->end);
    uint64_t count = 1, index = 0;
    int64_t bytes;
    run_ops(items->absent, at, run);
    while (at && count) {
        at = avro_block(&walk, at, &count, &bytes);
        if (at && bytes >= 0 && passes_over(items, index)) {
            at += bytes;
            continue;
        }
        for (uint64_t i = 0; at && i < count; i++)
            at = run_item(items, index++, at, &walk, run);
    }
    if (!at && run->fault == AVRO_FINE)
        run->fault = walk.fault;
    return at;
}

// ---- runs of what nobody wants

static const uint8_t *skip_varints(const struct avro_op *op, const uint8_t *at, struct run *run)
{
    uint64_t number;
    for (uint32_t i = 0; i < op->arg; i++) {
        at = avro_varint(at, run->end, &number, &run->fault);
        if (__builtin_expect(!at, 0)) {
            run->field = op->fields ? op->fields[i].name : op->field;
            break;
        }
    }
    return at;
}

static const uint8_t *skip_texts(const struct avro_op *op, const uint8_t *at, struct run *run)
{
    struct weir_str text;
    for (uint32_t i = 0; i < op->arg; i++) {
        at = avro_bytes(at, run->end, &text, &run->fault);
        if (__builtin_expect(!at, 0)) {
            run->field = op->fields ? op->fields[i].name : op->field;
            break;
        }
    }
    return at;
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
    case AVRO_OP_CONVERT:
        return read_converted(op, at, column, run);
    case AVRO_OP_NULL:
        put_null(column, run->row);
        return at;
    case AVRO_OP_CONSTANT:
        put_constant(op, column, run->row);
        return at;
    case AVRO_OP_DEFAULT:
        return put_default(op, at, run);
    case AVRO_OP_SKIP:
        return skip_tree(op, at, run);
    case AVRO_OP_UNION:
        return run_branch(op, at, run);
    case AVRO_OP_ITEMS:
        return run_items(op, at, run);
    case AVRO_OP_REFUSE:
        run->fault = AVRO_REFUSED;
        run->field = op->why;
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
            at = skip_texts(op, at, run);
            break;
        case AVRO_OP_SKIP_VARINT:
            at = skip_varints(op, at, run);
            break;
        case AVRO_OP_SKIP_BYTES:
            at = avro_skip_fixed(at, end, op->arg, fault);
            break;
        default:
            at = run_rare(op, at, run);
        }
        if (__builtin_expect(!at, 0)) {
            if (!run->field)
                run->field = op->field;
            return NULL;
        }
    }
    return at;
}

enum avro_fault avro_run(const struct avro_op *program, const uint8_t *at, const uint8_t *end, struct weir_column *columns, uint32_t row,
                         struct weir_arena *arena, const char **ret_field)
{
    struct run run = {.end = end, .columns = columns, .arena = arena, .row = row};
    at = run_ops(program, at, &run);
    if (__builtin_expect(at == end, 1))
        return AVRO_FINE;
    *ret_field = run.field;
    return at ? AVRO_TRAILING : run.fault;
}
