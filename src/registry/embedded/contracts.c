// SPDX-License-Identifier: Apache-2.0
// What is asked: versions, ids, selections, and whether a schema may follow.
#include "registry/embedded/inside.h"
#include <stdarg.h>
#include <stdio.h>

static const char *const type_names[WEIR_SCHEMA_TYPES] = {"AVRO", "JSON", "PROTOBUF"};

const char *weir_schema_type_name(enum weir_schema_type type)
{
    return type_names[type];
}

int weir_schema_type_parse(const char *name, enum weir_schema_type *ret)
{
    for (int i = 0; i < WEIR_SCHEMA_TYPES; i++)
        if (strcmp(name, type_names[i]) == 0) {
            *ret = (enum weir_schema_type)i;
            return 0;
        }
    return -1;
}

int contracts_fail(struct weir_arena *arena, struct weir_contracts_error *err, int code, const char *format, ...)
{
    char text[2000];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    *err = (struct weir_contracts_error){code, weir_arena_copy(arena, weir_str_of(text)).data};
    return -1;
}

// ---- under the lock

// A reader of the data folder looks at what its owner wrote since.
static void reload(struct weir_contracts *c)
{
    struct weir_error err;
    pthread_rwlock_wrlock(&c->lock);
    uint64_t generation = weir_embedded_generation(c->db);
    if (generation != c->generation && book_load(&c->book, c->db, &err) == 0)
        c->generation = generation;
    pthread_rwlock_unlock(&c->lock);
}

void contracts_read(struct weir_contracts *c)
{
    if (weir_embedded_is_reader(c->db))
        reload(c);
    pthread_rwlock_rdlock(&c->lock);
}

void contracts_end(struct weir_contracts *c)
{
    pthread_rwlock_unlock(&c->lock);
}

static const char *copy(struct weir_arena *arena, const char *text)
{
    return text ? weir_arena_copy(arena, weir_str_of(text)).data : NULL;
}

static void fill_schema(const struct book_schema *s, struct weir_arena *arena, struct weir_contract *ret)
{
    *ret = (struct weir_contract){.type = s->type, .id = s->id, .schema = copy(arena, s->text), .references = copy(arena, s->references)};
}

void contracts_fill(const struct weir_contracts *c, const struct book_version *v, struct weir_arena *arena, struct weir_contract *ret)
{
    fill_schema(book_schema(&c->book, v->id), arena, ret);
    ret->subject = copy(arena, v->subject);
    ret->version = v->version;
    ret->deleted = v->deleted;
}

static bool has_any(const struct weir_contracts *c, const char *subject, bool deleted)
{
    for (size_t i = book_first(&c->book, subject, 0); book_is_of(&c->book, i, subject); i++)
        if (deleted || !c->book.versions[i].deleted)
            return true;
    return false;
}

static size_t find_latest(const struct weir_contracts *c, const char *subject, bool deleted)
{
    size_t found = SIZE_MAX;
    for (size_t i = book_first(&c->book, subject, WEIR_VERSION_MAX); i-- > 0 && book_is_of(&c->book, i, subject);)
        if (deleted || !c->book.versions[i].deleted)
            return i;
    return found;
}

size_t contracts_find(struct weir_contracts *c, struct weir_arena *arena, struct weir_contracts_error *err, const char *subject, int32_t version,
                      bool deleted)
{
    size_t at = version == WEIR_VERSION_LATEST ? find_latest(c, subject, deleted) : book_first(&c->book, subject, version);
    if (version == WEIR_VERSION_LATEST && at != SIZE_MAX)
        return at;
    if (version != WEIR_VERSION_LATEST && book_is_of(&c->book, at, subject)) {
        const struct book_version *v = &c->book.versions[at];
        if (v->version == version && (deleted || !v->deleted))
            return at;
    }
    if (!has_any(c, subject, deleted))
        contracts_fail(arena, err, NO_SUBJECT, "Subject '%.200s' not found.", subject);
    else
        contracts_fail(arena, err, NO_VERSION, "Version %d not found.", version);
    return SIZE_MAX;
}

// ---- references

static int fetch_version(void *context, const char *subject, int32_t version, struct weir_arena *arena, const char **ret_text,
                         json_t **ret_references, struct weir_error *err)
{
    struct weir_contracts *c = context;
    struct weir_contracts_error why;
    size_t at = contracts_find(c, arena, &why, subject, version, true);
    if (at == SIZE_MAX)
        return weir_fail(err, WEIR_BAD_DATA, WEIR_DEAD_LETTER, "it refers to version %d of '%.80s', which is not there", version, subject);
    const struct book_schema *s = book_schema(&c->book, c->book.versions[at].id);
    *ret_text = s->text;
    *ret_references = s->references ? json_loads(s->references, 0, NULL) : NULL;
    return 0;
}

int contracts_whole(struct weir_contracts *c, const char *text, const char *references, struct weir_arena *arena, const char **ret,
                    struct weir_error *err)
{
    const struct inline_source source = {fetch_version, c};
    json_t *list = references ? json_loads(references, 0, NULL) : NULL;
    int rc = inline_references(text, list, &source, arena, ret, err);
    json_decref(list);
    return rc;
}

// ---- asking

int weir_contracts_by_id(CONTRACTS, int32_t id, struct weir_contract *ret)
{
    contracts_read(c);
    const struct book_schema *s = book_schema(&c->book, id);
    if (s)
        fill_schema(s, arena, ret);
    contracts_end(c);
    return s ? 0 : contracts_fail(arena, err, NO_SCHEMA, "Schema %d not found", id);
}

int weir_contracts_get(CONTRACTS, const char *subject, int32_t version, bool deleted, struct weir_contract *ret)
{
    contracts_read(c);
    size_t at = contracts_find(c, arena, err, subject, version, deleted);
    if (at != SIZE_MAX)
        contracts_fill(c, &c->book.versions[at], arena, ret);
    contracts_end(c);
    return at == SIZE_MAX ? -1 : 0;
}

int weir_contracts_lookup(CONTRACTS, const char *subject, const struct weir_contract *schema, bool normalize, bool deleted, struct weir_contract *ret)
{
    struct identity identity;
    if (contracts_identify(c, arena, err, schema, normalize, &identity) < 0)
        return -1;
    contracts_read(c);
    const struct book *b = &c->book;
    const struct book_schema *s = book_find(b, identity.type, identity.text, identity.references);
    size_t found = SIZE_MAX;
    for (size_t i = book_first(b, subject, 0); s && book_is_of(b, i, subject); i++)
        if (b->versions[i].id == s->id && (deleted || !b->versions[i].deleted))
            found = i;
    if (found != SIZE_MAX)
        contracts_fill(c, &b->versions[found], arena, ret);
    else if (!has_any(c, subject, deleted))
        contracts_fail(arena, err, NO_SUBJECT, "Subject '%.200s' not found.", subject);
    else
        contracts_fail(arena, err, NO_SCHEMA, "Schema not found");
    contracts_end(c);
    return found == SIZE_MAX ? -1 : 0;
}

static bool is_selected(const struct weir_selection *s, const struct book_version *v)
{
    if (v->deleted ? !s->deleted && !s->deleted_only : s->deleted_only)
        return false;
    return (!s->id || v->id == s->id) && (!s->prefix || strncmp(v->subject, s->prefix, strlen(s->prefix)) == 0);
}

static void fill_selected(const struct weir_contracts *c, const struct weir_selection *s, const struct book_version *v, struct weir_arena *arena,
                          struct weir_contract *ret)
{
    if (s->bare)
        *ret = (struct weir_contract){.subject = copy(arena, v->subject), .version = v->version, .id = v->id, .deleted = v->deleted};
    else
        contracts_fill(c, v, arena, ret);
}

uint32_t weir_contracts_select(struct weir_contracts *c, const struct weir_selection *s, struct weir_arena *arena, struct weir_contract **ret)
{
    contracts_read(c);
    const struct book *b = &c->book;
    size_t first = s->subject ? book_first(b, s->subject, 0) : 0, end = first, count = 0;
    for (; end < b->version_count && (!s->subject || book_is_of(b, end, s->subject)); end++)
        count += is_selected(s, &b->versions[end]);
    *ret = weir_arena_alloc(arena, (count + 1) * sizeof **ret);
    uint32_t filled = 0;
    for (size_t i = first; i < end; i++)
        if (is_selected(s, &b->versions[i]))
            fill_selected(c, s, &b->versions[i], arena, &(*ret)[filled++]);
    contracts_end(c);
    return filled;
}

static bool refers_to(const struct book_schema *s, const char *subject, int32_t version)
{
    json_t *list = s->references ? json_loads(s->references, 0, NULL) : NULL;
    bool found = false;
    for (size_t i = 0; !found && i < json_array_size(list); i++) {
        const json_t *r = json_array_get(list, i);
        found =
            json_integer_value(json_object_get(r, "version")) == version && strcmp(json_string_value(json_object_get(r, "subject")), subject) == 0;
    }
    json_decref(list);
    return found;
}

uint32_t weir_contracts_referring(struct weir_contracts *c, const char *subject, int32_t version, struct weir_arena *arena, int32_t **ret)
{
    contracts_read(c);
    uint32_t count = 0;
    *ret = weir_arena_alloc(arena, (c->book.schema_count + 1) * sizeof **ret);
    for (size_t i = 0; i < c->book.schema_count; i++)
        if (refers_to(&c->book.schemas[i], subject, version))
            (*ret)[count++] = c->book.schemas[i].id;
    contracts_end(c);
    return count;
}

// ---- whether it may follow

// The versions that count for a check, their texts whole.
static int older_versions(struct weir_contracts *c, struct weir_arena *arena, struct weir_contracts_error *err, const char *subject, int32_t version,
                          struct weir_contract **ret, uint32_t *ret_count)
{
    struct weir_selection all = {.subject = subject};
    struct weir_contract *list;
    uint32_t count = weir_contracts_select(c, &all, arena, &list), kept = 0;
    for (uint32_t i = 0; i < count; i++) {
        struct weir_error why;
        if (version != WEIR_VERSION_ALL && list[i].version != version && !(version == WEIR_VERSION_LATEST && i == count - 1))
            continue;
        contracts_read(c);
        int rc = list[i].type == WEIR_SCHEMA_AVRO ? contracts_whole(c, list[i].schema, list[i].references, arena, &list[i].schema, &why) : 0;
        contracts_end(c);
        if (rc < 0)
            return contracts_fail(arena, err, BAD_SCHEMA, "version %d of '%.200s': %s", list[i].version, subject, why.text);
        list[kept++] = list[i];
    }
    if (version > 0 && kept == 0)
        return count ? contracts_fail(arena, err, NO_VERSION, "Version %d not found.", version)
                     : contracts_fail(arena, err, NO_SUBJECT, "Subject '%.200s' not found.", subject);
    *ret = list;
    *ret_count = kept;
    return 0;
}

// A check of one version asks for that one alone, whatever the level says of all.
int weir_contracts_check(CONTRACTS, const char *subject, int32_t version, const struct weir_contract *schema, bool normalize,
                         struct weir_verdict *ret)
{
    struct identity identity;
    struct weir_contract *older;
    enum weir_level level;
    uint32_t count;
    if (contracts_identify(c, arena, err, schema, normalize, &identity) < 0 || older_versions(c, arena, err, subject, version, &older, &count) < 0 ||
        weir_contracts_level(c, arena, err, subject, true, &level) < 0)
        return -1;
    return contracts_judge(arena, err, level, &identity, older, count, ret);
}
