// SPDX-License-Identifier: Apache-2.0
#include "avro/compatibility.h"

#include "avro/schema.h"
#include "base/buffer.h"
#include "base/memory.h"
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

enum { PATH_BYTES = 500, TEXT_BYTES = 600, STEPS_MAX = 4000000 };

struct pair {
    const struct weir_avro_schema *reader, *writer;
    bool failed; // else done, or under way and thought good: a recursive type meets itself again
    bool told;   // failed, and its findings were given
};

struct compare {
    const char *reader_name, *writer_name;
    void (*on_finding)(void *context, const struct weir_avro_finding *f);
    void *context;
    struct pair *pairs;
    size_t pair_count, pair_capacity;
    char path[PATH_BYTES]; // in the reader
    uint32_t silent;       // > 0: only tries
    uint32_t steps_left;
    const char *field; // that the place belongs to
};

static bool compare(struct compare *c, const struct weir_avro_schema *reader, const struct weir_avro_schema *writer);

// ---- findings

static size_t enter(struct compare *c, const char *format, ...) __attribute__((format(printf, 2, 3)));
static bool find(struct compare *c, const char *type, const char *step, const char *format, ...) __attribute__((format(printf, 4, 5)));

static size_t enter(struct compare *c, const char *format, ...)
{
    size_t used = strlen(c->path);
    va_list args;
    va_start(args, format);
    vsnprintf(c->path + used, sizeof c->path - used, format, args);
    va_end(args);
    return used;
}

static bool find(struct compare *c, const char *type, const char *step, const char *format, ...)
{
    char text[TEXT_BYTES];
    va_list args;
    if (c->silent)
        return false;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    size_t used = enter(c, "%s", step);
    const struct weir_avro_finding f = {type, c->path[0] ? c->path : "/", text};
    c->on_finding(c->context, &f);
    c->path[used] = 0;
    return false;
}

static const char *type_name(const struct weir_avro_schema *s)
{
    return s->name ? s->name : weir_avro_kind_name(s->kind);
}

// "field 'x'", or the type that the schema is.
static const char *place(const struct compare *c, char text[PATH_BYTES])
{
    snprintf(text, PATH_BYTES, c->field ? "field '%s'" : "the schema itself%.0s", c->field ? c->field : "");
    return text;
}

// ---- named types

static bool names_match(const struct weir_avro_schema *reader, const struct weir_avro_schema *writer)
{
    if (strcmp(weir_avro_short_name(reader->name), weir_avro_short_name(writer->name)) == 0)
        return true;
    for (uint32_t i = 0; i < reader->alias_count; i++)
        if (strcmp(reader->aliases[i], writer->name) == 0)
            return true;
    return false;
}

static bool same_name(struct compare *c, const struct weir_avro_schema *reader, const struct weir_avro_schema *writer)
{
    return names_match(reader, writer) ||
           find(c, "NAME_MISMATCH", "/name", "the %s schema has the %s %s where the %s schema has %s: give it the alias \"%s\", or its old name",
                c->reader_name, weir_avro_kind_name(reader->kind), reader->name, c->writer_name, writer->name, writer->name);
}

static const struct weir_avro_field *field_named(const struct weir_avro_schema *record, const char *name)
{
    for (uint32_t i = 0; i < record->field_count; i++)
        if (strcmp(record->fields[i].name, name) == 0)
            return &record->fields[i];
    return NULL;
}

static const struct weir_avro_field *source_of(const struct weir_avro_schema *writer, const struct weir_avro_field *reader)
{
    const struct weir_avro_field *found = field_named(writer, reader->name);
    for (uint32_t i = 0; !found && i < reader->alias_count; i++)
        found = field_named(writer, reader->aliases[i]);
    return found;
}

static bool missing_default(struct compare *c, const struct weir_avro_field *field)
{
    return find(c, "READER_FIELD_MISSING_DEFAULT_VALUE", "",
                "field '%s' of the %s schema has no default and is missing in the %s schema: give it a default, or make it optional (a union with "
                "null, default null)",
                field->name, c->reader_name, c->writer_name);
}

// An enum's own default stands in for one of the field.
static bool has_default(const struct weir_avro_field *field)
{
    return field->default_value || (field->schema->kind == WEIR_AVRO_ENUM && field->schema->enum_default);
}

static bool compare_field(struct compare *c, const struct weir_avro_schema *writer, const struct weir_avro_field *field)
{
    const struct weir_avro_field *source = source_of(writer, field);
    if (!source)
        return has_default(field) || missing_default(c, field);
    size_t used = enter(c, "/type");
    bool good = compare(c, field->schema, source->schema);
    c->path[used] = 0;
    return good;
}

static bool compare_fields(struct compare *c, const struct weir_avro_schema *reader, const struct weir_avro_schema *writer)
{
    const char *outer = c->field;
    bool good = true;
    for (uint32_t i = 0; i < reader->field_count; i++) {
        size_t used = enter(c, "/fields/%u", i);
        c->field = reader->fields[i].name;
        good = compare_field(c, writer, &reader->fields[i]) && good;
        c->path[used] = 0;
    }
    c->field = outer;
    return good;
}

static bool has_symbol(const struct weir_avro_schema *schema, const char *symbol)
{
    for (uint32_t i = 0; i < schema->symbol_count; i++)
        if (strcmp(schema->symbols[i], symbol) == 0)
            return true;
    return false;
}

static bool compare_symbols(struct compare *c, const struct weir_avro_schema *reader, const struct weir_avro_schema *writer)
{
    weir_cleanup(weir_buffer_drop) struct weir_buffer missing = {0};
    uint32_t count = 0;
    for (uint32_t i = 0; !reader->enum_default && i < writer->symbol_count; i++)
        if (!has_symbol(reader, writer->symbols[i]) && count++ < 20)
            weir_buffer_format(&missing, "%s'%s'", count > 1 ? ", " : "", writer->symbols[i]);
    return count == 0 || find(c, "MISSING_ENUM_SYMBOLS", "/symbols",
                              "the enum %s of the %s schema lacks %.*s of the %s schema: keep what was there, or give the enum a default",
                              reader->name, c->reader_name, (int)missing.bytes, (char *)missing.data, c->writer_name);
}

static bool compare_size(struct compare *c, const struct weir_avro_schema *reader, const struct weir_avro_schema *writer)
{
    return reader->fixed_bytes == writer->fixed_bytes ||
           find(c, "FIXED_SIZE_MISMATCH", "/size",
                "the fixed %s has %u bytes in the %s schema and %u in the %s schema: keep its size, or give another size another name in a union",
                reader->name, reader->fixed_bytes, c->reader_name, writer->fixed_bytes, c->writer_name);
}

// ---- unions, promotions

static bool promotes(enum weir_avro_kind reader, enum weir_avro_kind writer)
{
    switch (reader) {
    case WEIR_AVRO_LONG:
        return writer == WEIR_AVRO_INT;
    case WEIR_AVRO_FLOAT:
        return writer == WEIR_AVRO_INT || writer == WEIR_AVRO_LONG;
    case WEIR_AVRO_DOUBLE:
        return writer == WEIR_AVRO_INT || writer == WEIR_AVRO_LONG || writer == WEIR_AVRO_FLOAT;
    case WEIR_AVRO_BYTES:
        return writer == WEIR_AVRO_STRING;
    case WEIR_AVRO_STRING:
        return writer == WEIR_AVRO_BYTES;
    default:
        return false;
    }
}

static bool some_branch_reads(struct compare *c, const struct weir_avro_schema *reader, const struct weir_avro_schema *writer)
{
    bool good = false;
    c->silent++;
    for (uint32_t i = 0; !good && i < reader->branch_count; i++)
        good = compare(c, reader->branches[i], writer);
    c->silent--;
    return good;
}

static bool compare_reader_union(struct compare *c, const struct weir_avro_schema *reader, const struct weir_avro_schema *writer, const char *step)
{
    char where[PATH_BYTES];
    return some_branch_reads(c, reader, writer) ||
           find(c, "MISSING_UNION_BRANCH", step, "%s: the union of the %s schema has no branch that reads the %s schema's %s: add %s to it",
                place(c, where), c->reader_name, c->writer_name, type_name(writer), type_name(writer));
}

static bool compare_writer_union(struct compare *c, const struct weir_avro_schema *reader, const struct weir_avro_schema *writer)
{
    bool good = true;
    for (uint32_t i = 0; i < writer->branch_count; i++) {
        char step[16];
        snprintf(step, sizeof step, "/%u", i);
        good = (reader->kind == WEIR_AVRO_UNION ? compare_reader_union(c, reader, writer->branches[i], step)
                                                : compare(c, reader, writer->branches[i])) &&
               good;
    }
    return good;
}

static bool mismatch(struct compare *c, const struct weir_avro_schema *reader, const struct weir_avro_schema *writer)
{
    char where[PATH_BYTES];
    bool null = writer->kind == WEIR_AVRO_NULL;
    return find(c, "TYPE_MISMATCH", "", "%s: the %s schema says %s, which does not read the %s schema's %s: %s%s", place(c, where), c->reader_name,
                type_name(reader), c->writer_name, type_name(writer),
                null ? "make it a union with null, default null" : "keep the type, or add a union branch ", null ? "" : type_name(writer));
}

static bool compare_items(struct compare *c, const char *step, const struct weir_avro_schema *reader, const struct weir_avro_schema *writer)
{
    size_t used = enter(c, "%s", step);
    bool good = compare(c, reader->items, writer->items);
    c->path[used] = 0;
    return good;
}

static bool compare_same_kind(struct compare *c, const struct weir_avro_schema *reader, const struct weir_avro_schema *writer)
{
    switch (reader->kind) {
    case WEIR_AVRO_ENUM:
        return same_name(c, reader, writer) && compare_symbols(c, reader, writer);
    case WEIR_AVRO_FIXED:
        return same_name(c, reader, writer) && compare_size(c, reader, writer);
    case WEIR_AVRO_ARRAY:
        return compare_items(c, "/items", reader, writer);
    case WEIR_AVRO_MAP:
        return compare_items(c, "/values", reader, writer);
    default:
        return true;
    }
}

// ---- recursion
//
// A pair under way is thought good. What fails even so has failed for good and is remembered; what was found good meanwhile may have leant on the
// failed thought, and is forgotten.

static struct pair *known_pair(struct compare *c, const struct weir_avro_schema *reader, const struct weir_avro_schema *writer)
{
    for (size_t i = 0; i < c->pair_count; i++)
        if (c->pairs[i].reader == reader && c->pairs[i].writer == writer)
            return &c->pairs[i];
    return NULL;
}

static void forget_good(struct compare *c, size_t from)
{
    size_t kept = from;
    for (size_t i = from; i < c->pair_count; i++)
        if (c->pairs[i].failed)
            c->pairs[kept++] = c->pairs[i];
    c->pair_count = kept;
}

static size_t begin_pair(struct compare *c, struct pair *known, const struct weir_avro_schema *reader, const struct weir_avro_schema *writer)
{
    if (known) {
        known->failed = false;
        return (size_t)(known - c->pairs);
    }
    weir_grow(&c->pairs, &c->pair_capacity, c->pair_count + 1, sizeof *c->pairs);
    c->pairs[c->pair_count] = (struct pair){.reader = reader, .writer = writer};
    return c->pair_count++;
}

// A pair that failed in a try is gone through once more where its findings are wanted.
static bool compare_records(struct compare *c, const struct weir_avro_schema *reader, const struct weir_avro_schema *writer)
{
    struct pair *known = known_pair(c, reader, writer);
    if (known && (!known->failed || known->told || c->silent))
        return !known->failed;
    size_t own = begin_pair(c, known, reader, writer), mark = c->pair_count;
    bool good = same_name(c, reader, writer) && compare_fields(c, reader, writer);
    if (!good) {
        c->pairs[own].failed = true;
        c->pairs[own].told = !c->silent;
        forget_good(c, mark);
    }
    return good;
}

static bool compare(struct compare *c, const struct weir_avro_schema *reader, const struct weir_avro_schema *writer)
{
    if (c->steps_left == 0)
        return false;
    c->steps_left--;
    if (writer->kind == WEIR_AVRO_UNION)
        return compare_writer_union(c, reader, writer);
    if (reader->kind == WEIR_AVRO_UNION)
        return compare_reader_union(c, reader, writer, "");
    if (reader->kind != writer->kind)
        return promotes(reader->kind, writer->kind) || mismatch(c, reader, writer);
    return reader->kind == WEIR_AVRO_RECORD ? compare_records(c, reader, writer) : compare_same_kind(c, reader, writer);
}

static int compare_all(struct compare *c, const struct weir_avro_schema *reader, const struct weir_avro_schema *writer, bool *ret,
                       struct weir_error *err)
{
    bool good = compare(c, reader, writer);
    free(c->pairs);
    if (c->steps_left == 0)
        return weir_fail(err, WEIR_BAD_DATA, WEIR_STOP, "the schemas' types meet each other in too many ways to be compared");
    *ret = good;
    return 0;
}

int weir_avro_compare(const char *reader, const char *writer, const char *reader_name, const char *writer_name,
                      void (*on_finding)(void *context, const struct weir_avro_finding *f), void *context, bool *ret, struct weir_error *err)
{
    weir_cleanup(weir_arena_drop) struct weir_arena arena = {0};
    const struct weir_avro_schema *r = NULL, *w = NULL;
    json_t *reader_json = NULL, *writer_json = NULL;
    struct compare c = {
        .reader_name = reader_name, .writer_name = writer_name, .on_finding = on_finding, .context = context, .steps_left = STEPS_MAX};
    int rc = weir_avro_parse(weir_str_of(reader), &arena, &r, &reader_json, err);
    if (rc == 0)
        rc = weir_avro_parse(weir_str_of(writer), &arena, &w, &writer_json, err);
    if (rc == 0)
        rc = compare_all(&c, r, w, ret, err);
    json_decref(reader_json);
    json_decref(writer_json);
    return rc;
}
