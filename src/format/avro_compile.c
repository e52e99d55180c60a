// SPDX-License-Identifier: Apache-2.0
#include "format/avro_program.h"

#include <stdlib.h>

struct target { // what a writer's field is read into
    const struct weir_field *field;
    const struct weir_avro_schema *schema; // the reader's type, null taken off
    uint32_t column;
};

struct compile {
    const struct avro_reader *reader;
    struct weir_arena *arena;
    struct avro_op *ops;
    uint32_t op_count;
    struct weir_error *err;
};

static const char *short_name(const char *full)
{
    const char *dot = strrchr(full, '.');
    return dot ? dot + 1 : full;
}

// Named types match by their unqualified names, or by one of the reader's aliases.
static bool names_match(const struct weir_avro_schema *writer, const struct weir_avro_schema *reader)
{
    if (strcmp(short_name(writer->name), short_name(reader->name)) == 0)
        return true;
    for (uint32_t i = 0; i < reader->alias_count; i++)
        if (strcmp(writer->name, reader->aliases[i]) == 0 || strcmp(short_name(writer->name), short_name(reader->aliases[i])) == 0)
            return true;
    return false;
}

// ---- reading into a column

static const struct weir_str *symbol_table(struct compile *c, const struct weir_avro_schema *writer, const struct weir_avro_schema *reader)
{
    struct weir_str *table = weir_arena_zalloc(c->arena, writer->symbol_count * sizeof *table);
    for (uint32_t i = 0; i < writer->symbol_count; i++) {
        const char *symbol = reader->kind == WEIR_AVRO_ENUM ? reader->enum_default : writer->symbols[i];
        for (uint32_t k = 0; reader->kind == WEIR_AVRO_ENUM && k < reader->symbol_count; k++)
            if (strcmp(writer->symbols[i], reader->symbols[k]) == 0)
                symbol = reader->symbols[k];
        if (symbol)
            table[i] = weir_arena_copy(c->arena, weir_str_of(symbol));
    }
    return table;
}

// By writer's and reader's kind; 0: they do not resolve.
static const uint8_t read_codes[WEIR_AVRO_FIXED + 1][WEIR_AVRO_FIXED + 1] = {
    [WEIR_AVRO_BOOLEAN] = {[WEIR_AVRO_BOOLEAN] = AVRO_OP_BOOLEAN},
    [WEIR_AVRO_INT] = {[WEIR_AVRO_INT] = AVRO_OP_INT,
                       [WEIR_AVRO_LONG] = AVRO_OP_INT,
                       [WEIR_AVRO_FLOAT] = AVRO_OP_INT_TO_FLOAT,
                       [WEIR_AVRO_DOUBLE] = AVRO_OP_INT_TO_DOUBLE},
    [WEIR_AVRO_LONG] = {[WEIR_AVRO_LONG] = AVRO_OP_LONG, [WEIR_AVRO_FLOAT] = AVRO_OP_LONG_TO_FLOAT, [WEIR_AVRO_DOUBLE] = AVRO_OP_LONG_TO_DOUBLE},
    [WEIR_AVRO_FLOAT] = {[WEIR_AVRO_FLOAT] = AVRO_OP_FLOAT, [WEIR_AVRO_DOUBLE] = AVRO_OP_FLOAT},
    [WEIR_AVRO_DOUBLE] = {[WEIR_AVRO_DOUBLE] = AVRO_OP_DOUBLE},
    [WEIR_AVRO_STRING] = {[WEIR_AVRO_STRING] = AVRO_OP_TEXT, [WEIR_AVRO_BYTES] = AVRO_OP_TEXT},
    [WEIR_AVRO_BYTES] = {[WEIR_AVRO_STRING] = AVRO_OP_TEXT, [WEIR_AVRO_BYTES] = AVRO_OP_TEXT},
    [WEIR_AVRO_ENUM] = {[WEIR_AVRO_STRING] = AVRO_OP_SYMBOL, [WEIR_AVRO_ENUM] = AVRO_OP_SYMBOL},
};

// The op that reads a value of a type that is no union; its code is REFUSE where the types do not resolve.
static struct avro_op read_op(struct compile *c, const struct weir_avro_schema *writer, const struct target *target)
{
    struct avro_op op = {.code = AVRO_OP_REFUSE, .optional = target->field->optional, .column = target->column, .field = target->field->name};
    if (writer->kind == WEIR_AVRO_NULL && target->field->optional)
        op.code = AVRO_OP_NULL;
    if (read_codes[writer->kind][target->schema->kind])
        op.code = read_codes[writer->kind][target->schema->kind];
    if (op.code == AVRO_OP_SYMBOL && target->schema->kind == WEIR_AVRO_ENUM && !names_match(writer, target->schema))
        op.code = AVRO_OP_REFUSE;
    if (op.code == AVRO_OP_SYMBOL) {
        op.arg = writer->symbol_count;
        op.symbols = symbol_table(c, writer, target->schema);
    }
    return op;
}

static void emit(struct compile *c, struct avro_op op)
{
    c->ops[c->op_count++] = op;
}

static void emit_union(struct compile *c, const struct weir_avro_schema *writer, const struct target *target)
{
    struct avro_op *branches = weir_arena_zalloc(c->arena, AVRO_BRANCH_OPS * writer->branch_count * sizeof *branches);
    for (uint32_t i = 0; i < writer->branch_count; i++)
        branches[AVRO_BRANCH_OPS * i] = read_op(c, writer->branches[i], target);
    emit(c, (struct avro_op){.code = AVRO_OP_UNION, .arg = writer->branch_count, .branches = branches, .field = target->field->name});
}

static uint8_t null_index(const struct weir_avro_schema *optional)
{
    return optional->branches[0]->kind == WEIR_AVRO_NULL ? 0 : 1;
}

static int emit_read(struct compile *c, const struct weir_avro_schema *writer, const struct target *target)
{
    bool nullable;
    const struct weir_avro_schema *plain = weir_avro_nullable(writer, &nullable);
    struct avro_op op = plain ? read_op(c, plain, target) : (struct avro_op){.code = AVRO_OP_REFUSE};
    if (nullable && target->field->optional && op.code != AVRO_OP_REFUSE) {
        emit(c,
             (struct avro_op){
                 .code = AVRO_OP_OPTIONAL, .null_index = null_index(writer), .optional = 1, .column = target->column, .field = target->field->name});
        emit(c, op);
    } else if (writer->kind == WEIR_AVRO_UNION) {
        emit_union(c, writer, target);
    } else if (op.code == AVRO_OP_REFUSE) {
        return weir_fail(c->err, WEIR_BAD_DATA, WEIR_DEAD_LETTER, "%s: the writer's %s cannot be read as %s%s", target->field->name,
                         weir_avro_kind_name(writer->kind), target->field->optional ? "optional " : "", weir_avro_kind_name(target->schema->kind));
    } else {
        emit(c, op);
    }
    return 0;
}

// ---- skipping

static struct avro_op skip_op(const struct weir_avro_schema *writer, const char *field)
{
    struct avro_op op = {.code = AVRO_OP_SKIP_BYTES, .field = field};
    switch (writer->kind) {
    case WEIR_AVRO_NULL:
        break;
    case WEIR_AVRO_BOOLEAN:
        op.arg = 1;
        break;
    case WEIR_AVRO_FLOAT:
        op.arg = 4;
        break;
    case WEIR_AVRO_DOUBLE:
        op.arg = 8;
        break;
    case WEIR_AVRO_FIXED:
        op.arg = writer->fixed_bytes;
        break;
    case WEIR_AVRO_INT:
    case WEIR_AVRO_LONG:
    case WEIR_AVRO_ENUM:
        op.code = AVRO_OP_SKIP_VARINT;
        break;
    case WEIR_AVRO_STRING:
    case WEIR_AVRO_BYTES:
        op.code = AVRO_OP_SKIP_TEXT;
        break;
    default:
        op.code = AVRO_OP_SKIP;
        op.schema = writer;
    }
    return op;
}

static void emit_skip(struct compile *c, const struct weir_avro_schema *writer, const char *field)
{
    bool nullable;
    const struct weir_avro_schema *plain = weir_avro_nullable(writer, &nullable);
    if (plain && nullable)
        emit(c, (struct avro_op){.code = AVRO_OP_SKIP_OPTIONAL, .null_index = null_index(writer), .field = field});
    emit(c, skip_op(plain && nullable ? plain : writer, field));
}

// ---- the record

static const struct weir_avro_field *field_named(const struct weir_avro_schema *record, const char *name)
{
    for (uint32_t i = 0; i < record->field_count; i++)
        if (strcmp(record->fields[i].name, name) == 0)
            return &record->fields[i];
    return NULL;
}

// The writer's field that a reader's field is read from: of its name, or else of one of its aliases.
static const struct weir_avro_field *source_of(const struct weir_avro_schema *writer, const struct weir_avro_field *reader)
{
    const struct weir_avro_field *found = field_named(writer, reader->name);
    for (uint32_t i = 0; !found && i < reader->alias_count; i++)
        found = field_named(writer, reader->aliases[i]);
    return found;
}

static bool make_target(const struct compile *c, uint32_t reader_field, struct target *ret)
{
    uint32_t column = c->reader->event_field[reader_field];
    bool optional;
    if (column == UINT32_MAX)
        return false;
    *ret = (struct target){&c->reader->event->fields[column], weir_avro_nullable(c->reader->record->fields[reader_field].schema, &optional), column};
    return true;
}

static int compile_missing(struct compile *c, uint32_t reader_field)
{
    const struct weir_avro_field *field = &c->reader->record->fields[reader_field];
    struct target target;
    if (!field->default_value)
        return weir_fail(c->err, WEIR_BAD_DATA, WEIR_DEAD_LETTER, "%s: the writer's schema has no such field, and it has no default", field->name);
    if (!make_target(c, reader_field, &target) || !target.field->used)
        return 0;
    struct avro_op op = {.code = AVRO_OP_CONSTANT, .optional = target.field->optional, .column = target.column, .field = field->name};
    op.constant = avro_constant(target.schema, target.field, field->default_value, c->arena);
    if (!op.constant)
        return weir_fail(c->err, WEIR_BAD_DATA, WEIR_DEAD_LETTER, "%s: its default is not of its type", field->name);
    emit(c, op);
    return 0;
}

// `reader_field` by the writer's field; UINT32_MAX: nobody reads it.
static int compile_field(struct compile *c, const struct weir_avro_field *writer, uint32_t reader_field)
{
    struct target target;
    if (reader_field == UINT32_MAX || !make_target(c, reader_field, &target)) {
        emit_skip(c, writer->schema, writer->name);
        return 0;
    }
    uint32_t before = c->op_count;
    if (emit_read(c, writer->schema, &target) < 0)
        return -1;
    if (!target.field->used) {
        c->op_count = before;
        emit_skip(c, writer->schema, writer->name);
    }
    return 0;
}

static int compile_record(struct compile *c, const struct weir_avro_schema *writer, uint32_t *reader_field)
{
    const struct weir_avro_schema *reader = c->reader->record;
    for (uint32_t r = 0; r < reader->field_count; r++) {
        const struct weir_avro_field *source = source_of(writer, &reader->fields[r]);
        if (source && reader_field[source - writer->fields] == UINT32_MAX)
            reader_field[source - writer->fields] = r;
        else if (compile_missing(c, r) < 0)
            return -1;
    }
    for (uint32_t w = 0; w < writer->field_count; w++)
        if (compile_field(c, &writer->fields[w], reader_field[w]) < 0)
            return -1;
    emit(c, (struct avro_op){.code = AVRO_OP_END});
    return 0;
}

int avro_compile(const struct avro_reader *reader, const struct weir_avro_schema *writer, struct weir_arena *arena, const struct avro_op **ret,
                 struct weir_error *err)
{
    if (writer->kind != WEIR_AVRO_RECORD)
        return weir_fail(err, WEIR_BAD_DATA, WEIR_DEAD_LETTER, "the writer's schema is %s, not a record", weir_avro_kind_name(writer->kind));
    if (!names_match(writer, reader->record))
        return weir_fail(err, WEIR_BAD_DATA, WEIR_DEAD_LETTER, "the writer's record is '%s', the pipeline reads '%s' (an alias would join them)",
                         writer->name, reader->record->name);
    struct compile c = {.reader = reader, .arena = arena, .err = err};
    c.ops = weir_arena_alloc(arena, (2 * (size_t)writer->field_count + reader->record->field_count + 1) * sizeof *c.ops);
    uint32_t *reader_field = weir_arena_alloc(arena, (writer->field_count + 1) * sizeof *reader_field);
    memset(reader_field, 0xff, writer->field_count * sizeof *reader_field);
    if (compile_record(&c, writer, reader_field) < 0)
        return -1;
    *ret = c.ops;
    return 0;
}

// ---- the reader

static uint32_t event_field_named(const struct weir_event_spec *event, const char *name)
{
    for (uint32_t f = 0; f < event->field_count; f++)
        if (strcmp(event->fields[f].name, name) == 0)
            return f;
    return UINT32_MAX;
}

static int map_fields(struct avro_reader *reader, struct weir_error *err)
{
    const struct weir_avro_schema *record = reader->record;
    reader->event_field = weir_arena_alloc(&reader->arena, (record->field_count + 1) * sizeof *reader->event_field);
    for (uint32_t r = 0; r < record->field_count; r++) {
        bool optional;
        uint32_t f = event_field_named(reader->event, record->fields[r].name);
        reader->event_field[r] = f;
        if (f != UINT32_MAX && !weir_avro_nullable(record->fields[r].schema, &optional))
            return weir_fail(err, WEIR_BAD_DATA, WEIR_STOP, "schema: field '%s' is a union of more than null and one type", record->fields[r].name);
    }
    return 0;
}

int avro_reader_new(const struct weir_event_spec *event, struct avro_reader *ret, struct weir_error *err)
{
    struct avro_reader reader = {.event = event};
    if (weir_avro_parse(weir_str_of(event->schema_text), &reader.arena, &reader.record, &reader.json, err) == 0) {
        if (reader.record->kind != WEIR_AVRO_RECORD)
            weir_fail(err, WEIR_BAD_DATA, WEIR_STOP, "schema: an event must be a record, not %s", weir_avro_kind_name(reader.record->kind));
        else if (map_fields(&reader, err) == 0) {
            *ret = reader;
            return 0;
        }
    }
    avro_reader_drop(&reader);
    return -1;
}

void avro_reader_drop(struct avro_reader *reader)
{
    json_decref(reader->json);
    weir_arena_drop(&reader->arena);
}
