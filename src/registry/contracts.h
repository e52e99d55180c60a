// SPDX-License-Identifier: Apache-2.0
// The embedded registry whole, as its REST surface and `weir registry` see it: what the Confluent Schema Registry's API (version 7) says of subjects,
// versions, levels, modes and deletion, without its transport. Thread-safe. Everything that is given out is copied into the caller's arena.
#pragma once
#include "registry/registry.h"
#include <jansson.h>

enum weir_schema_type { WEIR_SCHEMA_AVRO, WEIR_SCHEMA_JSON, WEIR_SCHEMA_PROTOBUF, WEIR_SCHEMA_TYPES };
const char *weir_schema_type_name(enum weir_schema_type type); // AVRO, …
int weir_schema_type_parse(const char *name, enum weir_schema_type *ret);

enum weir_mode { WEIR_MODE_READWRITE, WEIR_MODE_READONLY, WEIR_MODE_READONLY_OVERRIDE, WEIR_MODE_IMPORT, WEIR_MODES };
const char *weir_mode_name(enum weir_mode mode);
int weir_mode_parse(const char *name, enum weir_mode *ret);

enum { WEIR_VERSION_LATEST = -1, WEIR_VERSION_ALL = 0, WEIR_VERSION_MAX = INT32_MAX };

struct weir_contract {
    enum weir_schema_type type;
    const char *schema;
    const char *references; // a JSON array of {name, subject, version}; NULL: none
    // where it is kept; of one that is asked about: an id and a version that an import asks for, or 0
    const char *subject;
    int32_t version, id;
    bool deleted; // softly: kept, but not shown unless asked for
};

struct weir_contracts_error {
    int code;         // as that API numbers them: 40401, 409, 42201, …; the first three digits are the HTTP status
    const char *text; // in the arena
};

struct weir_contracts;
struct weir_contracts *weir_contracts_of(struct weir_registry *r); // NULL where the registry is elsewhere

#define CONTRACTS struct weir_contracts *c, struct weir_arena *arena, struct weir_contracts_error *err

// Gives the schema an id, and the subject a version of it unless it has one. Refused with 409 where the subject's level forbids it. The same schema, by
// its canonical text and references, has the same id in every subject; `normalize` also levels the order of properties and references.
int weir_contracts_register(CONTRACTS, const char *subject, const struct weir_contract *schema, bool normalize, int32_t *ret_id);
int weir_contracts_lookup(CONTRACTS, const char *subject, const struct weir_contract *schema, bool normalize, bool deleted,
                          struct weir_contract *ret);

// Whether a schema may follow a version, the latest or all of them, by the subject's level; else messages say why not.
struct weir_verdict {
    bool compatible;
    uint32_t message_count;
    const char **messages;
};
int weir_contracts_check(CONTRACTS, const char *subject, int32_t version, const struct weir_contract *schema, bool normalize,
                         struct weir_verdict *ret);

int weir_contracts_by_id(CONTRACTS, int32_t id, struct weir_contract *ret); // without subject and version
int weir_contracts_get(CONTRACTS, const char *subject, int32_t version, bool deleted, struct weir_contract *ret);

// Versions in the order of subjects and versions.
struct weir_selection {
    const char *subject; // NULL: all
    const char *prefix;  // of subjects; NULL: any
    int32_t id;          // 0: any
    bool deleted;        // those too
    bool deleted_only;
    bool bare; // without schemas and references
};
uint32_t weir_contracts_select(struct weir_contracts *c, const struct weir_selection *s, struct weir_arena *arena, struct weir_contract **ret);
// Ids of schemas that refer to a version of a subject.
uint32_t weir_contracts_referring(struct weir_contracts *c, const char *subject, int32_t version, struct weir_arena *arena, int32_t **ret);

int weir_contracts_delete_version(CONTRACTS, const char *subject, int32_t version, bool permanent, int32_t *ret_version);
int weir_contracts_delete_subject(CONTRACTS, const char *subject, bool permanent, int32_t **ret_versions, uint32_t *ret_count);

// Settings of a subject, or (subject NULL) of all that have none of their own.
int weir_contracts_level(CONTRACTS, const char *subject, bool or_global, enum weir_level *ret);
int weir_contracts_set_level(CONTRACTS, const char *subject, enum weir_level level);
int weir_contracts_delete_level(CONTRACTS, const char *subject, enum weir_level *ret_was);
int weir_contracts_mode(CONTRACTS, const char *subject, bool or_global, enum weir_mode *ret);
int weir_contracts_set_mode(CONTRACTS, const char *subject, enum weir_mode mode, bool force);
int weir_contracts_delete_mode(CONTRACTS, const char *subject, enum weir_mode *ret_was);

// One line of an export: an object a version and a setting (`weir registry export`); importing puts it back with its id and version.
int weir_contracts_export(struct weir_contracts *c, int (*line)(void *context, const char *text), void *context);
int weir_contracts_import(CONTRACTS, const char *line);
