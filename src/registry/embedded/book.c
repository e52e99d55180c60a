// SPDX-License-Identifier: Apache-2.0
#include "registry/embedded/book.h"

#include "base/hash.h"
#include "base/memory.h"
#include <stdlib.h>

enum { INDEX_MIN = 64 };

void book_clear(struct book *b)
{
    for (size_t i = 0; i < b->schema_count; i++) {
        free(b->schemas[i].text);
        free(b->schemas[i].references);
    }
    for (size_t i = 0; i < b->version_count; i++)
        free(b->versions[i].subject);
    for (size_t i = 0; i < b->setting_count; i++)
        free(b->settings[i].subject);
    free(b->schemas);
    free(b->versions);
    free(b->settings);
    free(b->index);
    *b = (struct book){.next_id = 1};
}

// ---- schemas by id

static size_t schema_position(const struct book *b, int32_t id)
{
    size_t low = 0, high = b->schema_count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (b->schemas[middle].id < id)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

struct book_schema *book_schema(const struct book *b, int32_t id)
{
    size_t at = schema_position(b, id);
    return at < b->schema_count && b->schemas[at].id == id ? &b->schemas[at] : NULL;
}

// ---- schemas by identity

static uint64_t identity(enum weir_schema_type type, const char *text, const char *references)
{
    uint64_t h = weir_hash64(text, strlen(text), type);
    return references ? weir_hash64(references, strlen(references), h) : h;
}

static bool is_same(const struct book_schema *s, enum weir_schema_type type, const char *text, const char *references)
{
    return s->type == type && strcmp(s->text, text) == 0 && strcmp(s->references ? s->references : "", references ? references : "") == 0;
}

static void index_put(struct book *b, size_t number)
{
    const struct book_schema *s = &b->schemas[number];
    size_t at = identity(s->type, s->text, s->references) & (b->index_size - 1);
    while (b->index[at])
        at = (at + 1) & (b->index_size - 1);
    b->index[at] = (uint32_t)number + 1;
}

static void index_rebuild(struct book *b)
{
    size_t size = INDEX_MIN;
    while (size < b->schema_count * 2 + 2)
        size *= 2;
    free(b->index);
    b->index = weir_zalloc(size, sizeof *b->index);
    b->index_size = size;
    for (size_t i = 0; i < b->schema_count; i++)
        index_put(b, i);
}

struct book_schema *book_find(const struct book *b, enum weir_schema_type type, const char *text, const char *references)
{
    if (!b->index_size)
        return NULL;
    for (size_t at = identity(type, text, references);; at++) {
        uint32_t number = b->index[at & (b->index_size - 1)];
        if (!number)
            return NULL;
        if (is_same(&b->schemas[number - 1], type, text, references))
            return &b->schemas[number - 1];
    }
}

// ---- versions, settings

size_t book_first(const struct book *b, const char *subject, int32_t version)
{
    size_t low = 0, high = b->version_count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        int order = strcmp(b->versions[middle].subject, subject);
        if (order < 0 || (order == 0 && b->versions[middle].version < version))
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

bool book_is_of(const struct book *b, size_t position, const char *subject)
{
    return position < b->version_count && strcmp(b->versions[position].subject, subject) == 0;
}

static size_t setting_position(const struct book *b, const char *subject)
{
    size_t low = 0, high = b->setting_count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (strcmp(b->settings[middle].subject, subject) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

struct book_setting *book_setting(const struct book *b, const char *subject)
{
    size_t at = setting_position(b, subject);
    return at < b->setting_count && strcmp(b->settings[at].subject, subject) == 0 ? &b->settings[at] : NULL;
}

static struct book_setting *make_setting(struct book *b, const char *subject)
{
    struct book_setting *s = book_setting(b, subject);
    if (s)
        return s;
    size_t at = setting_position(b, subject);
    weir_grow(&b->settings, &b->setting_capacity, b->setting_count + 1, sizeof *b->settings);
    memmove(b->settings + at + 1, b->settings + at, (b->setting_count - at) * sizeof *b->settings);
    b->setting_count++;
    b->settings[at] = (struct book_setting){weir_strdup(subject), -1, -1};
    return &b->settings[at];
}

// ---- on disk

static void put_number(struct weir_txn *txn, char kind, int32_t id, struct weir_str value, bool drop)
{
    weir_cleanup(weir_buffer_drop) struct weir_buffer key = {0};
    weir_buffer_byte(&key, (uint8_t)kind);
    weir_buffer_be32(&key, (uint32_t)id);
    if (drop)
        weir_txn_delete(txn, WEIR_REGISTRY, weir_buffer_view(&key));
    else
        weir_txn_put(txn, WEIR_REGISTRY, weir_buffer_view(&key), value);
}

static void version_key(struct weir_buffer *key, const char *subject, int32_t version)
{
    weir_buffer_byte(key, 's');
    weir_buffer_add(key, subject, strlen(subject) + 1);
    weir_buffer_be32(key, (uint32_t)version);
}

static void put_setting(struct weir_txn *txn, char kind, const char *subject, int value)
{
    weir_cleanup(weir_buffer_drop) struct weir_buffer key = {0};
    weir_buffer_byte(&key, (uint8_t)kind);
    weir_buffer_add(&key, subject, strlen(subject));
    char byte = (char)value;
    if (value < 0)
        weir_txn_delete(txn, WEIR_REGISTRY, weir_buffer_view(&key));
    else
        weir_txn_put(txn, WEIR_REGISTRY, weir_buffer_view(&key), (struct weir_str){&byte, 1});
}

// ---- changes

static void put_schema(struct weir_txn *txn, int32_t id, enum weir_schema_type type, const char *text, const char *references, int32_t next_id)
{
    weir_cleanup(weir_buffer_drop) struct weir_buffer value = {0}, next = {0};
    put_number(txn, 'i', id, weir_str_of(text), false);
    if (type != WEIR_SCHEMA_AVRO || references) {
        weir_buffer_byte(&value, (uint8_t)type);
        weir_buffer_add(&value, references ? references : "", references ? strlen(references) : 0);
        put_number(txn, 'r', id, weir_buffer_view(&value), false);
    }
    weir_buffer_be32(&next, (uint32_t)next_id);
    weir_txn_put(txn, WEIR_REGISTRY, WEIR_STR("n"), weir_buffer_view(&next));
}

void book_add_schema(struct book *b, struct weir_txn *txn, int32_t id, enum weir_schema_type type, const char *text, const char *references)
{
    int32_t next_id = id >= b->next_id && id < INT32_MAX ? id + 1 : b->next_id;
    if (txn) {
        put_schema(txn, id, type, text, references, next_id);
        return;
    }
    size_t at = schema_position(b, id);
    weir_grow(&b->schemas, &b->schema_capacity, b->schema_count + 1, sizeof *b->schemas);
    memmove(b->schemas + at + 1, b->schemas + at, (b->schema_count - at) * sizeof *b->schemas);
    b->schemas[at] = (struct book_schema){id, type, weir_strdup(text), references ? weir_strdup(references) : NULL, 0};
    b->schema_count++;
    b->next_id = next_id;
    if (at + 1 < b->schema_count || b->schema_count * 2 > b->index_size)
        index_rebuild(b);
    else
        index_put(b, at);
}

void book_drop_schema(struct book *b, struct weir_txn *txn, int32_t id)
{
    if (txn) {
        put_number(txn, 'i', id, (struct weir_str){0}, true);
        put_number(txn, 'r', id, (struct weir_str){0}, true);
        return;
    }
    size_t at = schema_position(b, id);
    free(b->schemas[at].text);
    free(b->schemas[at].references);
    b->schema_count--;
    memmove(b->schemas + at, b->schemas + at + 1, (b->schema_count - at) * sizeof *b->schemas);
    index_rebuild(b);
}

static void insert_version(struct book *b, size_t at, const char *subject, int32_t version, int32_t id)
{
    weir_grow(&b->versions, &b->version_capacity, b->version_count + 1, sizeof *b->versions);
    memmove(b->versions + at + 1, b->versions + at, (b->version_count - at) * sizeof *b->versions);
    b->versions[at] = (struct book_version){weir_strdup(subject), version, id, false};
    b->version_count++;
    struct book_schema *s = book_schema(b, id);
    s->uses++;
}

void book_put_version(struct book *b, struct weir_txn *txn, const char *subject, int32_t version, int32_t id, bool deleted)
{
    if (txn) {
        weir_cleanup(weir_buffer_drop) struct weir_buffer key = {0}, value = {0};
        version_key(&key, subject, version);
        weir_buffer_be32(&value, (uint32_t)id);
        if (deleted)
            weir_buffer_byte(&value, 1);
        weir_txn_put(txn, WEIR_REGISTRY, weir_buffer_view(&key), weir_buffer_view(&value));
        return;
    }
    size_t at = book_first(b, subject, version);
    if (!book_is_of(b, at, subject) || b->versions[at].version != version)
        insert_version(b, at, subject, version, id);
    b->versions[at].deleted = deleted;
}

void book_drop_version(struct book *b, struct weir_txn *txn, const char *subject, int32_t version)
{
    if (txn) {
        weir_cleanup(weir_buffer_drop) struct weir_buffer key = {0};
        version_key(&key, subject, version);
        weir_txn_delete(txn, WEIR_REGISTRY, weir_buffer_view(&key));
        return;
    }
    size_t at = book_first(b, subject, version);
    book_schema(b, b->versions[at].id)->uses--;
    free(b->versions[at].subject);
    b->version_count--;
    memmove(b->versions + at, b->versions + at + 1, (b->version_count - at) * sizeof *b->versions);
}

void book_set_level(struct book *b, struct weir_txn *txn, const char *subject, int level)
{
    if (txn)
        put_setting(txn, 'c', subject, level);
    else
        make_setting(b, subject)->level = (int8_t)level;
}

void book_set_mode(struct book *b, struct weir_txn *txn, const char *subject, int mode)
{
    if (txn)
        put_setting(txn, 'o', subject, mode);
    else
        make_setting(b, subject)->mode = (int8_t)mode;
}
