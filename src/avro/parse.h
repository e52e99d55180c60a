// SPDX-License-Identifier: Apache-2.0
// The inside of the schema parser: one pass builds the tree, a second one checks the defaults, which may need types that are defined later.
#pragma once
#include "avro/schema.h"
#include <stddef.h>

enum {
    PARSE_DEPTH_MAX = 64,
    PARSE_TEXT_BYTES_MAX = 1 << 20,
    PARSE_NAME_BYTES_MAX = 512, // of a full name
    PARSE_ITEMS_MAX = 4096,     // fields, symbols, branches, aliases; named types of a schema
    PARSE_PATH_BYTES = 320,
};

struct parse_default { // to be checked once the tree is whole
    const struct weir_avro_field *field;
    const char *path;
};

struct parse {
    struct weir_arena *arena;
    struct weir_error *err;
    const struct weir_avro_schema **names; // every named type so far
    size_t name_count, name_capacity;
    struct parse_default *defaults;
    size_t default_count, default_capacity;
    char path[PARSE_PATH_BYTES]; // to where the parser is: `fields[2].type`
    uint32_t path_bytes;
    uint32_t depth;
};

// ---- parse.c
const struct weir_avro_schema *parse_type(struct parse *p, const json_t *json, struct weir_str space); // NULL: p->err is filled

// ---- path.c: the way to the mistake
int parse_fail(struct parse *p, const char *format, ...) __attribute__((format(printf, 2, 3))); // returns -1
uint32_t parse_enter(struct parse *p, const char *format, ...) __attribute__((format(printf, 2, 3)));
void parse_leave(struct parse *p, uint32_t mark); // takes what parse_enter gave

// ---- names.c: namespaces, definitions, references (spec: "Names")
bool name_is_simple(struct weir_str text); // [A-Za-z_][A-Za-z0-9_]*
bool name_is_full(struct weir_str text);   // simple names joined by dots
struct weir_str name_space(const char *full_name);
bool name_primitive(struct weir_str text, enum weir_avro_kind *ret);
// Reads "name", "namespace" and "aliases" of a definition into `schema` and makes it known.
int name_define(struct parse *p, const json_t *json, struct weir_str space, struct weir_avro_schema *schema);
// The type that `text` means in a namespace; NULL: none is known by it.
const struct weir_avro_schema *name_find(const struct parse *p, struct weir_str text, struct weir_str space);
struct weir_str name_text(const json_t *string); // of a JSON string; empty if it is none
// An optional array of strings, each of which `valid` holds for. `space` is put before those without dots; empty: none.
int name_list(struct parse *p, const json_t *object, const char *key, bool (*valid)(struct weir_str), struct weir_str space, uint32_t *ret_count,
              const char ***ret);

// ---- default.c
// Whether a JSON value can stand for a schema's value ("Complex Types", table "field default values"); of a union, any branch.
bool default_fits(const struct weir_avro_schema *schema, const json_t *value);

// ---- logical.c
// What "logicalType" says, where the type can have it.
void logical_read(const json_t *json, struct weir_avro_schema *schema);

// ---- finite.c
// Refuses records that hold themselves, directly or through others, without a null or an empty list to end them: they have no value at all.
int finite_check(struct parse *p);
