// SPDX-License-Identifier: Apache-2.0
// Which types resolve (specification, "Schema Resolution"); which branch of a union is meant is as Java's resolver does it.
#include "format/avro_program.h"

enum { STEPS_MAX = 20000, DEPTH_MAX = 16 };

static bool same_short(const char *a, const char *b)
{
    return strcmp(weir_avro_short_name(a), weir_avro_short_name(b)) == 0;
}

static bool alias_matches(const struct weir_avro_schema *writer, const struct weir_avro_schema *reader)
{
    for (uint32_t i = 0; i < reader->alias_count; i++)
        if (strcmp(writer->name, reader->aliases[i]) == 0)
            return true;
    return false;
}

// Named types match by their unqualified names, or by one of the reader's aliases.
bool avro_names_match(const struct weir_avro_schema *writer, const struct weir_avro_schema *reader)
{
    if (same_short(writer->name, reader->name) || alias_matches(writer, reader))
        return true;
    for (uint32_t i = 0; i < reader->alias_count; i++)
        if (same_short(writer->name, reader->aliases[i]))
            return true;
    return false;
}

static const struct weir_avro_field *field_named(const struct weir_avro_schema *record, const char *name)
{
    for (uint32_t i = 0; i < record->field_count; i++)
        if (strcmp(record->fields[i].name, name) == 0)
            return &record->fields[i];
    return NULL;
}

// Of the reader's name, or else of one of its aliases.
const struct weir_avro_field *avro_source_of(const struct weir_avro_schema *writer, const struct weir_avro_field *reader)
{
    const struct weir_avro_field *found = field_named(writer, reader->name);
    for (uint32_t i = 0; !found && i < reader->alias_count; i++)
        found = field_named(writer, reader->aliases[i]);
    return found;
}

bool avro_promotes(enum weir_avro_kind writer, enum weir_avro_kind reader)
{
    switch (writer) {
    case WEIR_AVRO_INT:
        return reader == WEIR_AVRO_LONG || reader == WEIR_AVRO_FLOAT || reader == WEIR_AVRO_DOUBLE;
    case WEIR_AVRO_LONG:
        return reader == WEIR_AVRO_FLOAT || reader == WEIR_AVRO_DOUBLE;
    case WEIR_AVRO_FLOAT:
        return reader == WEIR_AVRO_DOUBLE;
    case WEIR_AVRO_STRING:
        return reader == WEIR_AVRO_BYTES;
    case WEIR_AVRO_BYTES:
        return reader == WEIR_AVRO_STRING;
    default:
        return false;
    }
}

// ---- unions

static bool has_default(const struct weir_avro_field *field)
{
    return field->default_value || (field->schema->kind == WEIR_AVRO_ENUM && field->schema->enum_default);
}

static bool fields_are_there(const struct weir_avro_schema *writer, const struct weir_avro_schema *reader)
{
    for (uint32_t i = 0; i < reader->field_count; i++)
        if (!avro_source_of(writer, &reader->fields[i]) && !has_default(&reader->fields[i]))
            return false;
    return true;
}

// Looks no deeper than at what a field is.
static bool field_fits(const struct weir_avro_schema *writer, const struct weir_avro_schema *reader)
{
    if (writer->kind == WEIR_AVRO_UNION)
        return true;
    if (reader->kind == WEIR_AVRO_UNION) {
        for (uint32_t i = 0; i < reader->branch_count; i++)
            if (field_fits(writer, reader->branches[i]))
                return true;
        return false;
    }
    if (writer->kind != reader->kind)
        return avro_promotes(writer->kind, reader->kind);
    if (writer->kind == WEIR_AVRO_RECORD)
        return fields_are_there(writer, reader);
    if (writer->kind == WEIR_AVRO_ENUM || writer->kind == WEIR_AVRO_FIXED)
        return avro_names_match(writer, reader) && writer->fixed_bytes == reader->fixed_bytes;
    return true;
}

static bool structure_fits(const struct weir_avro_schema *writer, const struct weir_avro_schema *reader)
{
    for (uint32_t i = 0; i < reader->field_count; i++) {
        const struct weir_avro_field *source = avro_source_of(writer, &reader->fields[i]);
        if (source ? !field_fits(source->schema, reader->fields[i].schema) : !has_default(&reader->fields[i]))
            return false;
    }
    return true;
}

static bool is_exact(const struct weir_avro_schema *writer, const struct weir_avro_schema *branch)
{
    return writer->kind == branch->kind && (!writer->name || strcmp(writer->name, branch->name) == 0 || alias_matches(writer, branch));
}

static const struct weir_avro_schema *structural_branch(const struct weir_avro_schema *writer, const struct weir_avro_schema *reader)
{
    const struct weir_avro_schema *found = NULL;
    for (uint32_t i = 0; writer->name && i < reader->branch_count; i++) {
        const struct weir_avro_schema *branch = reader->branches[i];
        if (branch->kind != writer->kind)
            continue;
        bool fits = writer->kind == WEIR_AVRO_RECORD ? structure_fits(writer, branch) : field_fits(writer, branch);
        if (fits && (!found || same_short(writer->name, branch->name)))
            found = branch;
    }
    return found;
}

const struct weir_avro_schema *avro_branch_for(const struct weir_avro_schema *writer, const struct weir_avro_schema *reader)
{
    for (uint32_t i = 0; i < reader->branch_count; i++)
        if (is_exact(writer, reader->branches[i]))
            return reader->branches[i];
    const struct weir_avro_schema *found = structural_branch(writer, reader);
    for (uint32_t i = 0; !found && i < reader->branch_count; i++)
        if (avro_promotes(writer->kind, reader->branches[i]->kind))
            found = reader->branches[i];
    return found;
}

// ---- whether anything resolves

static bool never(const struct weir_avro_schema *writer, const struct weir_avro_schema *reader, uint32_t depth, uint32_t *steps);

static bool some_field_never(const struct weir_avro_schema *writer, const struct weir_avro_schema *reader, uint32_t depth, uint32_t *steps)
{
    for (uint32_t i = 0; i < reader->field_count; i++) {
        const struct weir_avro_field *source = avro_source_of(writer, &reader->fields[i]);
        if (source ? never(source->schema, reader->fields[i].schema, depth, steps) : !has_default(&reader->fields[i]))
            return true;
    }
    return false;
}

static bool no_symbol_known(const struct weir_avro_schema *writer, const struct weir_avro_schema *reader)
{
    for (uint32_t i = 0; !reader->enum_default && i < writer->symbol_count; i++)
        for (uint32_t k = 0; k < reader->symbol_count; k++)
            if (strcmp(writer->symbols[i], reader->symbols[k]) == 0)
                return false;
    return !reader->enum_default;
}

static bool same_kind_never(const struct weir_avro_schema *writer, const struct weir_avro_schema *reader, uint32_t depth, uint32_t *steps)
{
    switch (writer->kind) {
    case WEIR_AVRO_RECORD:
        return !avro_names_match(writer, reader) || some_field_never(writer, reader, depth, steps);
    case WEIR_AVRO_ENUM:
        return !avro_names_match(writer, reader) || no_symbol_known(writer, reader);
    case WEIR_AVRO_FIXED:
        return !avro_names_match(writer, reader) || writer->fixed_bytes != reader->fixed_bytes;
    default: // an array or map can be empty
        return false;
    }
}

static bool never(const struct weir_avro_schema *writer, const struct weir_avro_schema *reader, uint32_t depth, uint32_t *steps)
{
    if (depth == DEPTH_MAX || *steps == 0)
        return false;
    --*steps;
    if (writer->kind == WEIR_AVRO_UNION) {
        for (uint32_t i = 0; i < writer->branch_count; i++)
            if (!never(writer->branches[i], reader, depth + 1, steps))
                return false;
        return true;
    }
    if (reader->kind == WEIR_AVRO_UNION) {
        const struct weir_avro_schema *branch = avro_branch_for(writer, reader);
        if (!branch)
            return true;
        return writer->kind == WEIR_AVRO_RECORD && some_field_never(writer, branch, depth + 1, steps);
    }
    return writer->kind == reader->kind ? same_kind_never(writer, reader, depth + 1, steps) : !avro_promotes(writer->kind, reader->kind);
}

bool avro_never_resolves(const struct weir_avro_schema *writer, const struct weir_avro_schema *reader)
{
    uint32_t steps = STEPS_MAX;
    return never(writer, reader, 0, &steps);
}
