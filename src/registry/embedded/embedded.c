// SPDX-License-Identifier: Apache-2.0
// Family registry: 'i' | id u32 → schema text; 's' | subject 0 | version u32 → id u32; numbers big-endian. All of it is held in memory too.
#include "registry/ops.h"

#include "avro/schema.h"
#include "base/buffer.h"
#include "base/memory.h"
#include "embedded/db.h"
#include <pthread.h>
#include <stdlib.h>

enum { SCHEMA_BYTES_MAX = 4 << 20, SUBJECT_BYTES_MAX = 512 };

struct schema {
    int32_t id;
    char *text;
};

struct version {
    char *subject;
    int32_t version;
    uint32_t schema; // index
};

struct embedded_registry {
    struct weir_registry registry;
    struct weir_embedded *db;
    pthread_mutex_t mutex; // guards what follows
    uint64_t generation;
    struct schema *schemas; // in order of id
    size_t schema_count, schema_capacity;
    struct version *versions; // in order of subject and version
    size_t version_count, version_capacity;
};

// ---- in memory

static void forget_all(struct embedded_registry *r)
{
    for (size_t i = 0; i < r->schema_count; i++)
        free(r->schemas[i].text);
    for (size_t i = 0; i < r->version_count; i++)
        free(r->versions[i].subject);
    r->schema_count = r->version_count = 0;
}

static void remember_schema(struct embedded_registry *r, int32_t id, struct weir_str text)
{
    weir_grow(&r->schemas, &r->schema_capacity, r->schema_count + 1, sizeof *r->schemas);
    r->schemas[r->schema_count++] = (struct schema){id, weir_format("%.*s", (int)text.bytes, text.data)};
}

static void remember_version(struct embedded_registry *r, struct weir_str subject, int32_t version, uint32_t schema)
{
    char *name = weir_format("%.*s", (int)subject.bytes, subject.data);
    weir_grow(&r->versions, &r->version_capacity, r->version_count + 1, sizeof *r->versions);
    size_t at = r->version_count++;
    for (; at > 0 && strcmp(r->versions[at - 1].subject, name) > 0; at--)
        r->versions[at] = r->versions[at - 1];
    r->versions[at] = (struct version){name, version, schema};
}

static uint32_t schema_by_id(const struct embedded_registry *r, int32_t id)
{
    uint32_t at = 0;
    while (at < r->schema_count && r->schemas[at].id != id)
        at++;
    return at;
}

static uint32_t schema_by_text(const struct embedded_registry *r, const char *text)
{
    uint32_t at = 0;
    while (at < r->schema_count && strcmp(r->schemas[at].text, text) != 0)
        at++;
    return at;
}

// ---- loading

static int damaged(struct weir_error *err)
{
    return weir_fail(err, WEIR_IO, WEIR_STOP, "the schema registry's records are damaged");
}

static int load_entry(struct embedded_registry *r, struct weir_str key, struct weir_str value, struct weir_error *err)
{
    struct weir_cursor k = {.at = (const uint8_t *)key.data, .end = (const uint8_t *)key.data + key.bytes};
    struct weir_cursor v = {.at = (const uint8_t *)value.data, .end = (const uint8_t *)value.data + value.bytes};
    char kind = (char)weir_cursor_byte(&k);
    if (kind == 'i') {
        int32_t id = (int32_t)weir_cursor_be32(&k);
        if (!k.bad)
            remember_schema(r, id, value);
        return k.bad ? damaged(err) : 0;
    }
    const uint8_t *end = memchr(k.at, '\0', (size_t)(k.end - k.at));
    if (kind != 's' || !end)
        return damaged(err);
    struct weir_str subject = weir_cursor_take(&k, (uint64_t)(end - k.at));
    weir_cursor_byte(&k);
    int32_t version = (int32_t)weir_cursor_be32(&k);
    uint32_t schema = schema_by_id(r, (int32_t)weir_cursor_be32(&v));
    if (k.bad || v.bad || schema == r->schema_count)
        return damaged(err);
    remember_version(r, subject, version, schema);
    return 0;
}

static int load(struct embedded_registry *r, struct weir_error *err)
{
    forget_all(r);
    struct weir_walk *walk = weir_walk_new(r->db, WEIR_REGISTRY, WEIR_STR("i"), WEIR_STR("t")); // ids come before subjects
    int rc = 0;
    for (; rc == 0 && weir_walk_valid(walk); weir_walk_next(walk))
        rc = load_entry(r, weir_walk_key(walk), weir_walk_value(walk), err);
    if (rc == 0)
        rc = weir_walk_error(walk, err);
    weir_walk_free(walk);
    return rc;
}

// A reader of the data folder looks at what its owner registered since.
static int sync_with_owner(struct embedded_registry *r, struct weir_error *err)
{
    uint64_t generation = weir_embedded_generation(r->db);
    if (generation == r->generation)
        return 0;
    r->generation = generation;
    return load(r, err);
}

// ---- registering

static int check(const char *subject, const char *schema, struct weir_error *err)
{
    size_t subject_bytes = strlen(subject), bytes = strlen(schema);
    if (subject_bytes == 0 || subject_bytes > SUBJECT_BYTES_MAX)
        return weir_fail(err, WEIR_BAD_DATA, WEIR_STOP, "a subject's name has 1 to %d bytes", SUBJECT_BYTES_MAX);
    if (bytes > SCHEMA_BYTES_MAX)
        return weir_fail(err, WEIR_BAD_DATA, WEIR_STOP, "schema of subject '%s' is larger than %d MiB", subject, SCHEMA_BYTES_MAX >> 20);
    weir_cleanup(weir_arena_drop) struct weir_arena arena = {0};
    const struct weir_avro_schema *parsed;
    json_t *json = NULL;
    if (weir_avro_parse(weir_str_of(schema), &arena, &parsed, &json, err) < 0)
        return weir_wrap(err, "schema of subject '%s'", subject);
    json_decref(json);
    return 0;
}

static void put_schema(struct weir_txn *txn, int32_t id, const char *schema)
{
    weir_cleanup(weir_buffer_drop) struct weir_buffer key = {0};
    weir_buffer_byte(&key, 'i');
    weir_buffer_be32(&key, (uint32_t)id);
    weir_txn_put(txn, WEIR_REGISTRY, weir_buffer_view(&key), weir_str_of(schema));
}

static void put_version(struct weir_txn *txn, const char *subject, int32_t version, int32_t id)
{
    weir_cleanup(weir_buffer_drop) struct weir_buffer key = {0}, value = {0};
    weir_buffer_byte(&key, 's');
    weir_buffer_add(&key, subject, strlen(subject) + 1);
    weir_buffer_be32(&key, (uint32_t)version);
    weir_buffer_be32(&value, (uint32_t)id);
    weir_txn_put(txn, WEIR_REGISTRY, weir_buffer_view(&key), weir_buffer_view(&value));
}

// The version the subject would give to a schema next, or 0 where it has the schema already.
static int32_t next_version(const struct embedded_registry *r, const char *subject, uint32_t schema)
{
    int32_t last = 0;
    for (size_t i = 0; i < r->version_count; i++) {
        if (strcmp(r->versions[i].subject, subject) != 0)
            continue;
        if (r->versions[i].schema == schema)
            return 0;
        last = r->versions[i].version;
    }
    return last + 1;
}

static int register_locked(struct embedded_registry *r, const char *subject, const char *text, int32_t *ret_id, struct weir_error *err)
{
    uint32_t schema = schema_by_text(r, text);
    bool known = schema < r->schema_count;
    int32_t id = known ? r->schemas[schema].id : r->schema_count ? r->schemas[r->schema_count - 1].id + 1 : 1;
    int32_t version = next_version(r, subject, schema);
    if (version > 0) {
        struct weir_txn *txn = weir_txn_new(r->db);
        if (!known)
            put_schema(txn, id, text);
        put_version(txn, subject, version, id);
        int rc = weir_txn_commit(txn, true, err);
        weir_txn_free(txn);
        if (rc < 0)
            return -1;
        if (!known)
            remember_schema(r, id, weir_str_of(text));
        remember_version(r, weir_str_of(subject), version, schema);
    }
    *ret_id = id;
    return 0;
}

static int embedded_enroll(struct weir_registry *self, const char *subject, const char *schema, int32_t *ret_id, struct weir_error *err)
{
    struct embedded_registry *r = (struct embedded_registry *)self;
    if (check(subject, schema, err) < 0)
        return -1;
    pthread_mutex_lock(&r->mutex);
    int rc = register_locked(r, subject, schema, ret_id, err);
    pthread_mutex_unlock(&r->mutex);
    return rc;
}

// ---- asking

static int embedded_schema(struct weir_registry *self, int32_t id, struct weir_arena *arena, const char **ret_schema, struct weir_error *err)
{
    struct embedded_registry *r = (struct embedded_registry *)self;
    pthread_mutex_lock(&r->mutex);
    int rc = sync_with_owner(r, err);
    uint32_t schema = schema_by_id(r, id);
    if (rc == 0 && schema == r->schema_count)
        rc = weir_fail(err, WEIR_BAD_DATA, WEIR_DEAD_LETTER, "schema id %d is not registered", id);
    if (rc == 0)
        *ret_schema = weir_arena_copy(arena, weir_str_of(r->schemas[schema].text)).data;
    pthread_mutex_unlock(&r->mutex);
    return rc;
}

static int embedded_versions(struct weir_registry *self, const char *subject, int (*visit)(void *context, const struct weir_subject_version *v),
                             void *context, struct weir_error *err)
{
    struct embedded_registry *r = (struct embedded_registry *)self;
    pthread_mutex_lock(&r->mutex);
    int rc = sync_with_owner(r, err);
    for (size_t i = 0; rc == 0 && i < r->version_count; i++) {
        const struct version *v = &r->versions[i];
        const struct schema *schema = &r->schemas[v->schema];
        if (subject && strcmp(subject, v->subject) != 0)
            continue;
        struct weir_subject_version entry = {v->subject, v->version, schema->id, schema->text};
        if (visit(context, &entry))
            break;
    }
    pthread_mutex_unlock(&r->mutex);
    return rc;
}

// ---- open and close

static int embedded_level(struct weir_registry *self, const char *subject, enum weir_level *ret, struct weir_error *err)
{
    (void)self, (void)subject, (void)err;
    *ret = WEIR_LEVEL_NONE;
    return 0;
}

static bool embedded_healthy(struct weir_registry *self, struct weir_buffer *reasons)
{
    (void)self, (void)reasons;
    return true;
}

static void embedded_close(struct weir_registry *self)
{
    struct embedded_registry *r = (struct embedded_registry *)self;
    forget_all(r);
    free(r->schemas);
    free(r->versions);
    pthread_mutex_destroy(&r->mutex);
    free(r);
}

static const struct registry_ops ops = {embedded_close, embedded_healthy, embedded_enroll, embedded_schema, embedded_versions, embedded_level};

int weir_registry_embedded(struct weir_embedded *db, struct weir_registry **ret, struct weir_error *err)
{
    struct embedded_registry *r = weir_zalloc(1, sizeof *r);
    r->registry.ops = &ops;
    r->db = db;
    r->generation = weir_embedded_generation(db);
    pthread_mutex_init(&r->mutex, NULL);
    if (load(r, err) < 0) {
        embedded_close(&r->registry);
        return -1;
    }
    *ret = &r->registry;
    return 0;
}
