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

// What a type's logicalType says of its values, where it is one that the type can have (specification, "Logical Types"); others are ignored.
enum weir_avro_logical {
    WEIR_AVRO_PLAIN,
    WEIR_AVRO_DATE,
    WEIR_AVRO_TIME_MILLIS,
    WEIR_AVRO_TIME_MICROS,
    WEIR_AVRO_TIMESTAMP_MILLIS, // local-timestamp-… too, as if in UTC
    WEIR_AVRO_TIMESTAMP_MICROS,
    WEIR_AVRO_TIMESTAMP_NANOS,
    WEIR_AVRO_DECIMAL,
    WEIR_AVRO_UUID,
    WEIR_AVRO_DURATION,
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
    const char *logical_type; // as written, or NULL
    enum weir_avro_logical logical;
    uint32_t precision, scale; // of a decimal
    bool finite;               // while parsing: whether some value of a record comes to an end
    uint32_t field_count;      // RECORD
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
// Depth, names, duplicate names, union rules and whether every record comes to an end are checked; failure is WEIR_BAD_DATA with the path to the
// mistake (`fields[2].type`).
int weir_avro_parse(struct weir_str text, struct weir_arena *arena, const struct weir_avro_schema **ret, json_t **ret_json, struct weir_error *err);

const char *weir_avro_kind_name(enum weir_avro_kind kind);

// What follows the last dot of a full name.
const char *weir_avro_short_name(const char *full_name);

// If the schema is T or a union of null and T: T, and whether null is a branch. NULL for other unions.
const struct weir_avro_schema *weir_avro_nullable(const struct weir_avro_schema *schema, bool *ret_optional);

// Schemas that read the same bytes the same way have the same text: the Parsing Canonical Form, appended to `out`.
struct weir_buffer;
void weir_avro_canonical(const struct weir_avro_schema *schema, struct weir_buffer *out);
// CRC-64-AVRO (Rabin) of the canonical form ("Schema Fingerprints"), which the single-object encoding names schemas by.
uint64_t weir_avro_fingerprint(const struct weir_avro_schema *schema);
