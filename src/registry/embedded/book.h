// SPDX-License-Identifier: Apache-2.0
// All of the embedded registry in memory, and how it is on disk.
//
// Family registry, numbers big-endian:
//   'c' subject                 → level u8        subject empty: the global one
//   'i' id u32                  → schema text
//   'n'                         → next id u32
//   'o' subject                 → mode u8
//   'r' id u32                  → type u8, references (JSON) – only where it is not an Avro schema without references
//   's' subject 0 version u32   → id u32 [deleted u8]
#pragma once
#include "embedded/db.h"
#include "registry/contracts.h"
#include <stddef.h>

struct book_schema {
    int32_t id;
    enum weir_schema_type type;
    char *text;
    char *references; // or NULL
    uint32_t uses;    // versions that have it
};

struct book_version {
    char *subject;
    int32_t version;
    int32_t id;
    bool deleted;
};

struct book_setting {
    char *subject;      // empty: global
    int8_t level, mode; // −1: none
};

struct book {
    struct book_schema *schemas; // in order of ids
    size_t schema_count, schema_capacity;
    struct book_version *versions; // in order of subjects and versions
    size_t version_count, version_capacity;
    struct book_setting *settings; // in order of subjects
    size_t setting_count, setting_capacity;
    uint32_t *index; // of schemas by their identity: number + 1, 0 where free; a power of two
    size_t index_size;
    int32_t next_id;
};

void book_clear(struct book *b);
int book_load(struct book *b, struct weir_embedded *db, struct weir_error *err);

struct book_schema *book_schema(const struct book *b, int32_t id); // NULL: there is none
struct book_schema *book_find(const struct book *b, enum weir_schema_type type, const char *text, const char *references);
size_t book_first(const struct book *b, const char *subject, int32_t version); // position of the first version not before
bool book_is_of(const struct book *b, size_t position, const char *subject);
struct book_setting *book_setting(const struct book *b, const char *subject); // NULL: none

// Changes, in memory and (txn) on disk. Memory is changed only once the transaction is committed: call with txn first, then with NULL.
void book_add_schema(struct book *b, struct weir_txn *txn, int32_t id, enum weir_schema_type type, const char *text, const char *references);
void book_drop_schema(struct book *b, struct weir_txn *txn, int32_t id);
void book_put_version(struct book *b, struct weir_txn *txn, const char *subject, int32_t version, int32_t id, bool deleted);
void book_drop_version(struct book *b, struct weir_txn *txn, const char *subject, int32_t version);
void book_set_level(struct book *b, struct weir_txn *txn, const char *subject, int level); // −1: none
void book_set_mode(struct book *b, struct weir_txn *txn, const char *subject, int mode);
