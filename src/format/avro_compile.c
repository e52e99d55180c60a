// SPDX-License-Identifier: Apache-2.0
// A program follows the writer's bytes. Records inside records become part of the program around them, so that a path into them costs nothing at all;
// branches of unions and items of arrays and maps are programs of their own.
#include "format/avro_program.h"

#include "base/buffer.h"
#include "base/memory.h"
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

enum { OPS_MAX = 1 << 20, DEPTH_MAX = 64 };

struct program { // growing
    struct avro_op *ops;
    size_t count, capacity;
    struct avro_op *skips; // the last op, if it skips and the next skip may join it
};

struct compile {
    const struct weir_event_spec *event;
    struct weir_arena *arena;
    uint32_t ops_left, depth;
};

static void compile_value(struct compile *c, struct program *p, const struct weir_avro_schema *writer, const struct weir_avro_schema *reader,
                          const struct avro_want *want, const char *name);

static void emit(struct compile *c, struct program *p, struct avro_op op)
{
    p->skips = NULL;
    if (c->ops_left == 0)
        return;
    c->ops_left--;
    weir_grow(&p->ops, &p->capacity, p->count + 1, sizeof *p->ops);
    p->ops[p->count++] = op;
}

static const struct avro_op *finish(struct compile *c, struct program *p)
{
    size_t bytes = p->count * sizeof *p->ops;
    struct avro_op *ops = weir_arena_zalloc(c->arena, bytes + sizeof *ops);
    if (bytes)
        memcpy(ops, p->ops, bytes);
    free(p->ops);
    *p = (struct program){0};
    return ops;
}

static void emit_refuse(struct compile *c, struct program *p, const char *format, ...) __attribute__((format(printf, 3, 4)));

static void emit_refuse(struct compile *c, struct program *p, const char *format, ...)
{
    char text[160];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    emit(c, p, (struct avro_op){.code = AVRO_OP_REFUSE, .why = weir_arena_copy(c->arena, weir_str_of(text)).data});
}

static void refuse_pair(struct compile *c, struct program *p, const struct weir_avro_schema *writer, const struct weir_avro_schema *reader,
                        const char *name)
{
    emit_refuse(c, p, "%s: the writer's %s cannot be read as %s", name, writer->name ? writer->name : weir_avro_kind_name(writer->kind),
                reader->name ? reader->name : weir_avro_kind_name(reader->kind));
}

static bool wants(const struct avro_want *want)
{
    return want && (want->column != UINT32_MAX || want->children);
}

static const struct avro_want *want_named(const struct avro_want *want, const char *name)
{
    for (const struct avro_want *child = want ? want->children : NULL; child; child = child->next)
        if (child->step.index < 0 && weir_str_is(child->step.name, name))
            return child;
    return NULL;
}

static void emit_nulls(struct compile *c, struct program *p, const struct avro_want *want)
{
    if (want->column != UINT32_MAX)
        emit(c, p, (struct avro_op){.code = AVRO_OP_NULL, .column = want->column, .field = c->event->fields[want->column].name});
    for (const struct avro_want *child = want->children; child; child = child->next)
        emit_nulls(c, p, child);
}

// ---- scalars

static const struct weir_str *symbol_table(struct compile *c, const struct weir_avro_schema *writer, const struct weir_avro_schema *reader)
{
    struct weir_str *table = weir_arena_zalloc(c->arena, writer->symbol_count * sizeof *table);
    for (uint32_t i = 0; i < writer->symbol_count; i++) {
        const char *symbol = reader->enum_default;
        for (uint32_t k = 0; k < reader->symbol_count; k++)
            if (strcmp(writer->symbols[i], reader->symbols[k]) == 0)
                symbol = reader->symbols[k];
        if (symbol)
            table[i] = weir_arena_copy(c->arena, weir_str_of(symbol));
    }
    return table;
}

// By writer's and reader's kind, for columns of the reader's own type; 0: they take a conversion.
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
    [WEIR_AVRO_ENUM] = {[WEIR_AVRO_ENUM] = AVRO_OP_SYMBOL},
};

// Values that mean what they are: neither their unit nor their form changes on the way into a column.
static bool is_plain(enum weir_avro_logical logical, const struct weir_avro_schema *reader)
{
    if (logical == WEIR_AVRO_UUID)
        return reader->kind == WEIR_AVRO_STRING;
    return logical == WEIR_AVRO_PLAIN || logical == WEIR_AVRO_TIME_MILLIS || logical == WEIR_AVRO_TIME_MICROS ||
           logical == WEIR_AVRO_TIMESTAMP_MILLIS;
}

static void emit_scalar(struct compile *c, struct program *p, const struct weir_avro_schema *writer, const struct weir_avro_schema *reader,
                        uint32_t column)
{
    const struct weir_field *field = &c->event->fields[column];
    struct avro_op op = {.optional = field->optional, .column = column, .field = field->name};
    enum weir_type type;
    struct avro_convert convert = {.writer = writer, .reader = reader};
    convert.logical = avro_meaning(writer, reader, &convert.scale);
    bool direct = weir_avro_scalar(reader, &type) && weir_kind_of(type) == weir_kind_of(field->type) &&
                  (type == WEIR_BOOLEAN) == (field->type == WEIR_BOOLEAN) && is_plain(convert.logical, reader);
    if (writer->kind == WEIR_AVRO_ENUM)
        convert.symbols = symbol_table(c, writer, reader);
    op.code = direct ? read_codes[writer->kind][reader->kind] : 0;
    if (op.code == AVRO_OP_SYMBOL) {
        op.arg = writer->symbol_count;
        op.symbols = convert.symbols;
    } else if (!op.code) {
        struct avro_convert *kept = weir_arena_alloc(c->arena, sizeof *kept);
        *kept = convert;
        op.code = AVRO_OP_CONVERT;
        op.convert = kept;
    }
    emit(c, p, op);
}

// ---- skipping

static struct avro_op skip_op(const struct weir_avro_schema *writer, const char *name)
{
    struct avro_op op = {.code = AVRO_OP_SKIP_BYTES, .field = name};
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
        op.arg = 1;
        break;
    case WEIR_AVRO_STRING:
    case WEIR_AVRO_BYTES:
        op.code = AVRO_OP_SKIP_TEXT;
        op.arg = 1;
        break;
    default:
        op.code = AVRO_OP_SKIP;
        op.schema = writer;
    }
    return op;
}

static uint8_t null_index(const struct weir_avro_schema *optional)
{
    return optional->branches[0]->kind == WEIR_AVRO_NULL ? 0 : 1;
}

// `field`: the writer's field that the value is of, so that skips of fields in a row become one; NULL: none.
static void emit_skip(struct compile *c, struct program *p, const struct weir_avro_schema *writer, const char *name,
                      const struct weir_avro_field *field)
{
    bool nullable;
    const struct weir_avro_schema *plain = weir_avro_nullable(writer, &nullable);
    if (plain && nullable) {
        emit(c, p, (struct avro_op){.code = AVRO_OP_SKIP_OPTIONAL, .null_index = null_index(writer), .field = name});
        emit(c, p, skip_op(plain, name));
        return;
    }
    struct avro_op op = skip_op(writer, name);
    bool joins = field && (op.code == AVRO_OP_SKIP_VARINT || op.code == AVRO_OP_SKIP_TEXT);
    if (joins && p->skips && p->skips->code == op.code && p->skips->fields + p->skips->arg == field) {
        p->skips->arg++;
        return;
    }
    if (joins)
        op.fields = field;
    emit(c, p, op);
    if (joins && p->count)
        p->skips = &p->ops[p->count - 1];
}

// ---- records

static void emit_default(struct compile *c, struct program *p, const struct weir_avro_field *field, const struct avro_want *want)
{
    weir_cleanup(weir_buffer_drop) struct weir_buffer bytes = {0};
    struct avro_default *standing = weir_arena_zalloc(c->arena, sizeof *standing);
    struct program inside = {0};
    struct weir_error why;
    if (!field->default_value) { // an enum's own
        uint32_t at = 0;
        while (strcmp(field->schema->symbols[at], field->schema->enum_default) != 0)
            at++;
        weir_buffer_zigzag(&bytes, at);
    } else if (avro_encode_default(field->schema, field->default_value, &bytes, &why) < 0) {
        emit_refuse(c, p, "%s: %s", field->name, why.text);
        return;
    }
    standing->bytes = weir_arena_copy(c->arena, weir_buffer_view(&bytes));
    compile_value(c, &inside, field->schema, field->schema, want, field->name);
    standing->program = finish(c, &inside);
    emit(c, p, (struct avro_op){.code = AVRO_OP_DEFAULT, .standing = standing, .field = field->name});
}

static void compile_missing(struct compile *c, struct program *p, const struct weir_avro_field *field, const struct avro_want *want)
{
    bool given = field->default_value || (field->schema->kind == WEIR_AVRO_ENUM && field->schema->enum_default), optional;
    if (!given)
        emit_refuse(c, p, "%s: the writer's schema has no such field, and it has no default", field->name);
    if (!given || !wants(want))
        return;
    const struct weir_avro_schema *plain = weir_avro_nullable(field->schema, &optional);
    const struct weir_field *column = want->column != UINT32_MAX ? &c->event->fields[want->column] : NULL;
    enum weir_type type;
    bool simple = column && field->default_value && plain && plain->logical == WEIR_AVRO_PLAIN && weir_avro_scalar(plain, &type) &&
                  type == column->type && plain->kind != WEIR_AVRO_FIXED;
    struct avro_op op = {.code = AVRO_OP_CONSTANT, .column = want->column, .field = field->name};
    op.constant = simple ? avro_constant(plain, column, field->default_value, c->arena) : NULL;
    op.optional = column && column->optional;
    if (op.constant)
        emit(c, p, op);
    else
        emit_default(c, p, field, want);
}

static void compile_record(struct compile *c, struct program *p, const struct weir_avro_schema *writer, const struct weir_avro_schema *reader,
                           const struct avro_want *want)
{
    uint32_t *reader_field = weir_zalloc(writer->field_count + 1, sizeof *reader_field); // + 1; 0: nobody reads it
    for (uint32_t r = 0; r < reader->field_count; r++) {
        const struct weir_avro_field *source = avro_source_of(writer, &reader->fields[r]);
        if (source && !reader_field[source - writer->fields])
            reader_field[source - writer->fields] = r + 1;
        else
            compile_missing(c, p, &reader->fields[r], want_named(want, reader->fields[r].name));
    }
    for (uint32_t w = 0; w < writer->field_count && c->ops_left; w++) {
        const struct weir_avro_field *field = &writer->fields[w], *own = reader_field[w] ? &reader->fields[reader_field[w] - 1] : NULL;
        const struct avro_want *part = own ? want_named(want, own->name) : NULL;
        if (!own || (!wants(part) && !avro_never_resolves(field->schema, own->schema)))
            emit_skip(c, p, field->schema, field->name, field);
        else
            compile_value(c, p, field->schema, own->schema, part, own->name);
    }
    free(reader_field);
}

// ---- arrays and maps

static void compile_items(struct compile *c, struct program *p, const struct weir_avro_schema *writer, const struct weir_avro_schema *reader,
                          const struct avro_want *want, const char *name)
{
    struct avro_items *items = weir_arena_zalloc(c->arena, sizeof *items);
    struct program absent = {0};
    uint32_t count = 0;
    bool array = writer->kind == WEIR_AVRO_ARRAY;
    for (const struct avro_want *child = want->children; child; child = child->next)
        count++;
    struct avro_item *list = weir_arena_zalloc(c->arena, count * sizeof *list);
    emit_nulls(c, &absent, want);
    for (const struct avro_want *child = want->children; child; child = child->next) {
        struct program inside = {0};
        if ((child->step.index >= 0) != array)
            continue;
        compile_value(c, &inside, writer->items, reader->items, child, name);
        list[items->item_count++] = (struct avro_item){child->step.index, child->step.name, finish(c, &inside)};
    }
    *items = (struct avro_items){writer, items->item_count, list, finish(c, &absent)};
    emit(c, p, (struct avro_op){.code = AVRO_OP_ITEMS, .items = items, .field = name});
}

// ---- unions

static void compile_writer_union(struct compile *c, struct program *p, const struct weir_avro_schema *writer, const struct weir_avro_schema *reader,
                                 const struct avro_want *want, const char *name)
{
    const struct avro_op **branches = weir_arena_alloc(c->arena, writer->branch_count * sizeof *branches);
    for (uint32_t i = 0; i < writer->branch_count; i++) {
        struct program inside = {0};
        compile_value(c, &inside, writer->branches[i], reader, want, name);
        branches[i] = finish(c, &inside);
    }
    bool one_column = writer->branch_count == 2 && wants(want) && !want->children;
    uint8_t null = one_column ? null_index(writer) : 0;
    if (one_column && writer->branches[null]->kind == WEIR_AVRO_NULL && branches[null][0].code == AVRO_OP_NULL &&
        branches[1 - null][0].code != AVRO_OP_END && branches[1 - null][1].code == AVRO_OP_END && branches[1 - null][0].code != AVRO_OP_NULL) {
        emit(c, p, (struct avro_op){.code = AVRO_OP_OPTIONAL, .null_index = null, .optional = 1, .column = want->column, .field = name});
        emit(c, p, branches[1 - null][0]);
        return;
    }
    emit(c, p, (struct avro_op){.code = AVRO_OP_UNION, .arg = writer->branch_count, .branches = branches, .field = name});
}

static void compile_same_kind(struct compile *c, struct program *p, const struct weir_avro_schema *writer, const struct weir_avro_schema *reader,
                              const struct avro_want *want, const char *name)
{
    bool part = writer->kind == WEIR_AVRO_ARRAY || writer->kind == WEIR_AVRO_MAP;
    if (writer->kind == WEIR_AVRO_RECORD)
        compile_record(c, p, writer, reader, want);
    else if (part && wants(want))
        compile_items(c, p, writer, reader, want, name);
    else if (want && want->column != UINT32_MAX && writer->kind != WEIR_AVRO_NULL)
        emit_scalar(c, p, writer, reader, want->column);
    else
        emit_skip(c, p, writer, name, NULL);
}

// Parts that the value does not have are null.
static void compile_absent(struct compile *c, struct program *p, const struct weir_avro_schema *reader, const struct avro_want *want)
{
    bool holds = reader->kind == WEIR_AVRO_RECORD || reader->kind == WEIR_AVRO_ARRAY || reader->kind == WEIR_AVRO_MAP;
    for (const struct avro_want *child = want ? want->children : NULL; child; child = child->next) {
        bool there = false;
        for (uint32_t i = 0; reader->kind == WEIR_AVRO_RECORD && i < reader->field_count; i++)
            there |= child->step.index < 0 && weir_str_is(child->step.name, reader->fields[i].name);
        if (!there)
            emit_nulls(c, p, child);
    }
    if (want && want->column != UINT32_MAX && (holds || reader->kind == WEIR_AVRO_NULL))
        emit(c, p, (struct avro_op){.code = AVRO_OP_NULL, .column = want->column, .field = c->event->fields[want->column].name});
}

// The reader's branch of its union is taken by structure, whatever its name.
static bool pair_resolves(const struct weir_avro_schema *writer, const struct weir_avro_schema *reader, bool chosen)
{
    if (writer->kind != reader->kind)
        return avro_promotes(writer->kind, reader->kind);
    if (writer->kind == WEIR_AVRO_FIXED && writer->fixed_bytes != reader->fixed_bytes)
        return false;
    return !writer->name || chosen || avro_names_match(writer, reader);
}

static void compile_value(struct compile *c, struct program *p, const struct weir_avro_schema *writer, const struct weir_avro_schema *reader,
                          const struct avro_want *want, const char *name)
{
    const struct weir_avro_schema *branch = reader;
    if (c->depth == DEPTH_MAX || c->ops_left == 0) {
        c->ops_left = 0;
        return;
    }
    c->depth++;
    if (writer->kind == WEIR_AVRO_UNION && wants(want)) {
        compile_writer_union(c, p, writer, reader, want, name);
    } else if (!wants(want) && !avro_never_resolves(writer, reader)) {
        emit_skip(c, p, writer, name, NULL);
    } else {
        if (reader->kind == WEIR_AVRO_UNION && writer->kind != WEIR_AVRO_UNION)
            branch = avro_branch_for(writer, reader);
        if (!branch || !wants(want) || !pair_resolves(writer, branch, branch != reader)) {
            refuse_pair(c, p, writer, reader, name);
        } else {
            compile_absent(c, p, branch, want);
            compile_same_kind(c, p, writer, branch, want, name);
        }
    }
    c->depth--;
}

int avro_compile(const struct avro_reader *reader, const struct weir_avro_schema *writer, struct weir_arena *arena, const struct avro_op **ret,
                 struct weir_error *err)
{
    if (writer->kind != WEIR_AVRO_RECORD)
        return weir_fail(err, WEIR_BAD_DATA, WEIR_DEAD_LETTER, "the writer's schema is %s, not a record", weir_avro_kind_name(writer->kind));
    if (!avro_names_match(writer, reader->record))
        return weir_fail(err, WEIR_BAD_DATA, WEIR_DEAD_LETTER, "the writer's record is '%s', the pipeline reads '%s' (an alias would join them)",
                         writer->name, reader->record->name);
    struct compile c = {.event = reader->event, .arena = arena, .ops_left = OPS_MAX};
    struct program program = {0};
    compile_record(&c, &program, writer, reader->record, reader->want);
    *ret = finish(&c, &program);
    if (c.ops_left == 0)
        return weir_fail(err, WEIR_BAD_DATA, WEIR_DEAD_LETTER, "the writer's and the reader's types meet each other in too many ways");
    return 0;
}
