// SPDX-License-Identifier: Apache-2.0
// Avro schemas as a tree (Apache Avro 1.11 specification, "Schema Declaration"). No bytes are decoded here: format/ does that.
#pragma once
#include "base/arena.h"
#include "base/error.h"
#include "base/str.h"
#include <jansson.h>

enum weir_avro_kind {
    WEIR_AVRO_NULL,
    WEIR_AVRO_BOOLEAN,
    WEIR_AVRO_INT,
    WEIR_AVRO_LONG,
    WEIR_AVRO_FLOAT,
    WEIR_AVRO_DOUBLE,
    WEIR_AVRO_BYTES,
    WEIR_AVRO_STRING,
    WEIR_AVRO_RECORD,
    WEIR_AVRO_ENUM,
    WEIR_AVRO_ARRAY,
    WEIR_AVRO_MAP,
    WEIR_AVRO_UNION,
    WEIR_AVRO_FIXED,
};

struct weir_avro_schema;

struct weir_avro_field {
    const char *name;
    const struct weir_avro_schema *schema;
    uint32_t alias_count;
    const char **aliases;
    const json_t *default_value; // NULL: none; lives as long as the schema's root
};

struct weir_avro_schema {
    enum weir_avro_kind kind;
    const char *name; // full name of records, enums, fixed; else NULL
    uint32_t alias_count;
    const char **aliases;     // full names
    const char *logical_type; // or NULL
    uint32_t field_count;     // RECORD
    struct weir_avro_field *fields;
    uint32_t symbol_count; // ENUM
    const char **symbols;
    const char *enum_default; // or NULL
    uint32_t branch_count;    // UNION
    const struct weir_avro_schema **branches;
    const struct weir_avro_schema *items; // ARRAY, MAP; a recursive type points back to its definition
    uint32_t fixed_bytes;                 // FIXED
};

// Parses and checks a schema; the tree lives in `arena`, its defaults in *ret_json (json_decref it after the arena's last use).
// Depth, names, duplicate names and union rules are checked; failure is WEIR_BAD_DATA with the path to the mistake (`fields[2].type`).
int weir_avro_parse(struct weir_str text, struct weir_arena *arena, const struct weir_avro_schema **ret, json_t **ret_json, struct weir_error *err);

const char *weir_avro_kind_name(enum weir_avro_kind kind);

// If the schema is T or a union of null and T: T, and whether null is a branch. NULL for other unions.
const struct weir_avro_schema *weir_avro_nullable(const struct weir_avro_schema *schema, bool *ret_optional);
