// SPDX-License-Identifier: Apache-2.0
// The inside of the embedded registry. Two locks: `writer` is held by one change at a time from its first look until it is durable, `lock` guards memory
// and is never held while the disk is waited for, so that look-ups go on meanwhile.
#pragma once
#include "base/memory.h"
#include "registry/contracts.h"
#include "registry/embedded/book.h"
#include "registry/inline.h"
#include "registry/ops.h"
#include <pthread.h>

enum { CONTRACT_BYTES_MAX = 1 << 20, SUBJECT_BYTES_MAX = 512, REFERENCES_MAX = 100 };

struct weir_contracts {
    struct weir_registry registry;
    struct weir_embedded *db;
    pthread_mutex_t writer;
    pthread_rwlock_t lock;
    uint64_t generation;
    struct book book;
};

// Numbers of Confluent's API.
enum {
    NO_SUBJECT = 40401,
    NO_VERSION = 40402,
    NO_SCHEMA = 40403,
    SUBJECT_SOFT_DELETED = 40404,
    SUBJECT_NOT_SOFT_DELETED = 40405,
    VERSION_SOFT_DELETED = 40406,
    VERSION_NOT_SOFT_DELETED = 40407,
    NO_SUBJECT_LEVEL = 40408,
    NO_SUBJECT_MODE = 40409,
    INCOMPATIBLE = 409,
    BAD_SCHEMA = 42201,
    NOT_PERMITTED = 42205,
    REFERRED_TO = 42206,
    BAD_SUBJECT = 42208,
    STORE_FAILED = 50001,
};

int contracts_fail(struct weir_arena *arena, struct weir_contracts_error *err, int code, const char *format, ...)
    __attribute__((format(printf, 4, 5))); // returns −1

// ---- contracts.c: under the locks that the names say
void contracts_read(struct weir_contracts *c); // takes `lock`, and looks at what an owner of the folder wrote since
void contracts_end(struct weir_contracts *c);
void contracts_fill(const struct weir_contracts *c, const struct book_version *v, struct weir_arena *arena, struct weir_contract *ret);
// Position of a version, or SIZE_MAX and why.
size_t contracts_find(struct weir_contracts *c, struct weir_arena *arena, struct weir_contracts_error *err, const char *subject, int32_t version,
                      bool deleted);
int contracts_commit(struct weir_contracts *c, struct weir_txn *txn, struct weir_arena *arena, struct weir_contracts_error *err);
int contracts_writable(struct weir_contracts *c, struct weir_arena *arena, struct weir_contracts_error *err, const char *subject);
// The schema's text with what it refers to written out. `lock` is held.
int contracts_whole(struct weir_contracts *c, const char *text, const char *references, struct weir_arena *arena, const char **ret,
                    struct weir_error *err);

// ---- identity.c
struct identity {
    enum weir_schema_type type;
    const char *text;       // canonical
    const char *references; // canonical; or NULL
    const char *whole;      // for compatibility: stands for itself
};
int contracts_identify(struct weir_contracts *c, struct weir_arena *arena, struct weir_contracts_error *err, const struct weir_contract *schema,
                       bool normalize, struct identity *ret);

// ---- canonical.c: an Avro schema as Avro's own library for Java prints it: attributes in a fixed order, names no longer than needed, no blanks
void contracts_canonical(const json_t *schema, bool sorted, struct weir_buffer *out);

// ---- judge.c: compatibility of a schema with older ones of its type. `older` are in the order of versions, their `schema` whole.
int contracts_judge(struct weir_arena *arena, struct weir_contracts_error *err, enum weir_level level, const struct identity *newer,
                    const struct weir_contract *older, uint32_t count, struct weir_verdict *ret);

// ---- change.c: puts a version back as it was, with its id; one that is there already is left
int contracts_restore(struct weir_contracts *c, struct weir_arena *arena, struct weir_contracts_error *err, const struct weir_contract *v);
