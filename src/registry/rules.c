// SPDX-License-Identifier: Apache-2.0
// The rules of Avro's schema resolution, asked of two schemas without data: each way in which some datum of the writer's could not be read.
#include "registry/rules.h"

#include "avro/schema.h"
#include "base/memory.h"
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

enum { PATH_BYTES = 500 };

struct pair {
    const struct weir_avro_schema *reader, *writer;
};

struct rules {
    const char *reader_name, *writer_name;
    void (*on_finding)(void *context, const struct rules_finding *f);
    void *context;
    struct pair *pairs; // under way or done: a recursive type meets itself again
    size_t pair_count, pair_capacity;
    char path[PATH_BYTES]; // in the reader
    uint32_t silent;       // > 0: only tries
    const char *field;     // that the place belongs to
};

static bool compare(struct rules *r, const struct weir_avro_schema *reader, const struct weir_avro_schema *writer);

// ---- findings

static bool find(struct rules *r, const char *type, const char *format, ...) __attribute__((format(printf, 3, 4)));

static bool find(struct rules *r, const char *type, const char *format, ...)
{
    char text[600];
    va_list args;
    if (r->silent)
        return false;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    const struct rules_finding f = {type, r->path[0] ? r->path : "/", text};
    r->on_finding(r->context, &f);
    return false;
}

static bool compare_at(struct rules *r, const char *step, uint32_t number, const char *rest, const struct weir_avro_schema *reader,
                       const struct weir_avro_schema *writer)
{
    size_t used = strlen(r->path);
    if (number == UINT32_MAX)
        snprintf(r->path + used, sizeof r->path - used, "/%s", step);
    else
        snprintf(r->path + used, sizeof r->path - used, "/%s%u%s", step, number, rest);
    bool good = compare(r, reader, writer);
    r->path[used] = 0;
    return good;
}

static const char *type_name(const struct weir_avro_schema *s)
{
    return s->name ? s->name : weir_avro_kind_name(s->kind);
}

static const char *field_name(const struct rules *r)
{
    return r->field ? r->field : "the schema itself";
}

// ---- named types

static const char *unqualified(const char *name)
{
    const char *dot = strrchr(name, '.');
    return dot ? dot + 1 : name;
}

static bool same_name(struct rules *r, const struct weir_avro_schema *reader, const struct weir_avro_schema *writer)
{
    if (strcmp(unqualified(reader->name), unqualified(writer->name)) == 0)
        return true;
    for (uint32_t i = 0; i < reader->alias_count; i++)
        if (strcmp(reader->aliases[i], writer->name) == 0)
            return true;
    return find(r, "NAME_MISMATCH", "the %s schema has the %s %s where the %s schema has %s; an alias would join them", r->reader_name,
                weir_avro_kind_name(reader->kind), reader->name, r->writer_name, writer->name);
}

static const struct weir_avro_field *field_of(const struct weir_avro_schema *writer, const struct weir_avro_field *reader)
{
    for (uint32_t i = 0; i < writer->field_count; i++)
        if (strcmp(writer->fields[i].name, reader->name) == 0)
            return &writer->fields[i];
    for (uint32_t a = 0; a < reader->alias_count; a++)
        for (uint32_t i = 0; i < writer->field_count; i++)
            if (strcmp(writer->fields[i].name, reader->aliases[a]) == 0)
                return &writer->fields[i];
    return NULL;
}

static bool missing_default(struct rules *r, const struct weir_avro_field *field, uint32_t number)
{
    size_t used = strlen(r->path);
    snprintf(r->path + used, sizeof r->path - used, "/fields/%u", number);
    find(r, "READER_FIELD_MISSING_DEFAULT_VALUE",
         "field '%s' of the %s schema has no default and is missing in the %s schema: give it a default, or make it optional (a union with null, "
         "default null)",
         field->name, r->reader_name, r->writer_name);
    r->path[used] = 0;
    return false;
}

static bool compare_fields(struct rules *r, const struct weir_avro_schema *reader, const struct weir_avro_schema *writer)
{
    bool good = true;
    const char *outer = r->field;
    for (uint32_t i = 0; i < reader->field_count; i++) {
        const struct weir_avro_field *field = &reader->fields[i], *other = field_of(writer, field);
        r->field = field->name;
        if (other)
            good = compare_at(r, "fields/", i, "/type", field->schema, other->schema) && good;
        else if (!field->default_value)
            good = missing_default(r, field, i);
    }
    r->field = outer;
    return good;
}

static bool has_symbol(const struct weir_avro_schema *e, const char *symbol)
{
    for (uint32_t i = 0; i < e->symbol_count; i++)
        if (strcmp(e->symbols[i], symbol) == 0)
            return true;
    return false;
}

static bool compare_symbols(struct rules *r, const struct weir_avro_schema *reader, const struct weir_avro_schema *writer)
{
    bool good = true;
    for (uint32_t i = 0; !reader->enum_default && i < writer->symbol_count; i++)
        if (!has_symbol(reader, writer->symbols[i]))
            good = find(r, "MISSING_ENUM_SYMBOLS",
                        "the enum %s of the %s schema lacks the symbol '%s' of the %s schema: keep it, or give the enum a default", reader->name,
                        r->reader_name, writer->symbols[i], r->writer_name);
    return good;
}

static bool compare_fixed(struct rules *r, const struct weir_avro_schema *reader, const struct weir_avro_schema *writer)
{
    if (reader->fixed_bytes == writer->fixed_bytes)
        return true;
    return find(r, "FIXED_SIZE_MISMATCH", "the fixed %s has %u bytes in the %s schema and %u in the %s schema", reader->name, reader->fixed_bytes,
                r->reader_name, writer->fixed_bytes, r->writer_name);
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

static bool compare_writer_union(struct rules *r, const struct weir_avro_schema *reader, const struct weir_avro_schema *writer)
{
    bool good = true;
    for (uint32_t i = 0; i < writer->branch_count; i++)
        good = compare(r, reader, writer->branches[i]) && good;
    return good;
}

static bool compare_reader_union(struct rules *r, const struct weir_avro_schema *reader, const struct weir_avro_schema *writer)
{
    bool good = false;
    size_t pairs = r->pair_count;
    r->silent++;
    for (uint32_t i = 0; !good && i < reader->branch_count; i++) {
        good = compare(r, reader->branches[i], writer);
        r->pair_count = good ? r->pair_count : pairs; // what was assumed in vain
    }
    r->silent--;
    return good || find(r, "MISSING_UNION_BRANCH", "%s: the union of the %s schema has no branch that reads the %s schema's %s", field_name(r),
                        r->reader_name, r->writer_name, type_name(writer));
}

static bool mismatch(struct rules *r, const struct weir_avro_schema *reader, const struct weir_avro_schema *writer)
{
    const char *remedy = writer->kind == WEIR_AVRO_NULL ? ": make it a union with null, default null" : "";
    return find(r, "TYPE_MISMATCH", "%s: the %s schema says %s, which does not read the %s schema's %s%s", field_name(r), r->reader_name,
                type_name(reader), r->writer_name, type_name(writer), remedy);
}

static bool compare_same_kind(struct rules *r, const struct weir_avro_schema *reader, const struct weir_avro_schema *writer)
{
    switch (reader->kind) {
    case WEIR_AVRO_RECORD:
        return same_name(r, reader, writer) && compare_fields(r, reader, writer);
    case WEIR_AVRO_ENUM:
        return same_name(r, reader, writer) && compare_symbols(r, reader, writer);
    case WEIR_AVRO_FIXED:
        return same_name(r, reader, writer) && compare_fixed(r, reader, writer);
    case WEIR_AVRO_ARRAY:
        return compare_at(r, "items", UINT32_MAX, "", reader->items, writer->items);
    case WEIR_AVRO_MAP:
        return compare_at(r, "values", UINT32_MAX, "", reader->items, writer->items);
    default:
        return true;
    }
}

// Records and unions are where types can meet themselves again.
static bool is_known(struct rules *r, const struct weir_avro_schema *reader, const struct weir_avro_schema *writer)
{
    if (reader->kind != WEIR_AVRO_RECORD)
        return false;
    for (size_t i = 0; i < r->pair_count; i++)
        if (r->pairs[i].reader == reader && r->pairs[i].writer == writer)
            return true;
    weir_grow(&r->pairs, &r->pair_capacity, r->pair_count + 1, sizeof *r->pairs);
    r->pairs[r->pair_count++] = (struct pair){reader, writer};
    return false;
}

static bool compare(struct rules *r, const struct weir_avro_schema *reader, const struct weir_avro_schema *writer)
{
    if (writer->kind == WEIR_AVRO_UNION)
        return compare_writer_union(r, reader, writer);
    if (reader->kind == WEIR_AVRO_UNION)
        return compare_reader_union(r, reader, writer);
    if (reader->kind != writer->kind)
        return promotes(reader->kind, writer->kind) || mismatch(r, reader, writer);
    return is_known(r, reader, writer) || compare_same_kind(r, reader, writer);
}

int rules_check(const char *reader, const char *writer, const char *reader_name, const char *writer_name,
                void (*on_finding)(void *context, const struct rules_finding *f), void *context, bool *ret, struct weir_error *err)
{
    weir_cleanup(weir_arena_drop) struct weir_arena arena = {0};
    const struct weir_avro_schema *r, *w;
    json_t *reader_json = NULL, *writer_json = NULL;
    struct rules rules = {.reader_name = reader_name, .writer_name = writer_name, .on_finding = on_finding, .context = context};
    int rc = weir_avro_parse(weir_str_of(reader), &arena, &r, &reader_json, err);
    if (rc == 0)
        rc = weir_avro_parse(weir_str_of(writer), &arena, &w, &writer_json, err);
    if (rc == 0)
        *ret = compare(&rules, r, w);
    free(rules.pairs);
    json_decref(reader_json);
    json_decref(writer_json);
    return rc;
}
