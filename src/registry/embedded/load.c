// SPDX-License-Identifier: Apache-2.0
#include "base/memory.h"
#include "registry/embedded/book.h"
#include <stdlib.h>

static int damaged(struct weir_error *err)
{
    return weir_fail(err, WEIR_IO, WEIR_STOP, "the schema registry's records are damaged");
}

static int load_setting(struct book *b, char kind, struct weir_cursor *key, struct weir_cursor *value)
{
    weir_cleanup(weir_freep) char *subject = weir_format("%.*s", (int)(key->end - key->at), (const char *)key->at);
    uint8_t number = weir_cursor_byte(value);
    if (value->bad || number >= (kind == 'c' ? (int)WEIR_LEVELS : (int)WEIR_MODES))
        return -1;
    if (kind == 'c')
        book_set_level(b, NULL, subject, number);
    else
        book_set_mode(b, NULL, subject, number);
    return 0;
}

static int load_schema(struct book *b, struct weir_cursor *key, struct weir_str value)
{
    int32_t id = (int32_t)weir_cursor_be32(key);
    weir_cleanup(weir_freep) char *text = weir_format("%.*s", (int)value.bytes, value.data);
    if (key->bad || id <= 0)
        return -1;
    book_add_schema(b, NULL, id, WEIR_SCHEMA_AVRO, text, NULL);
    return 0;
}

// What else is known of a schema, which was loaded before.
static int load_more(struct book *b, struct weir_cursor *key, struct weir_cursor *value)
{
    int32_t id = (int32_t)weir_cursor_be32(key);
    uint8_t type = weir_cursor_byte(value);
    const struct book_schema *s = key->bad || value->bad ? NULL : book_schema(b, id);
    if (!s || type >= WEIR_SCHEMA_TYPES)
        return -1;
    weir_cleanup(weir_freep) char *text = weir_strdup(s->text);
    weir_cleanup(weir_freep) char *references =
        value->at < value->end ? weir_format("%.*s", (int)(value->end - value->at), (const char *)value->at) : NULL;
    int32_t next_id = b->next_id;
    book_drop_schema(b, NULL, id); // its identity changes with them
    book_add_schema(b, NULL, id, type, text, references);
    b->next_id = next_id;
    return 0;
}

static int load_version(struct book *b, struct weir_cursor *key, struct weir_cursor *value)
{
    const uint8_t *end = memchr(key->at, '\0', (size_t)(key->end - key->at));
    if (!end)
        return -1;
    const char *subject = (const char *)key->at;
    weir_cursor_take(key, (uint64_t)(end + 1 - key->at));
    int32_t version = (int32_t)weir_cursor_be32(key), id = (int32_t)weir_cursor_be32(value);
    bool deleted = value->at < value->end;
    if (key->bad || value->bad || !book_schema(b, id))
        return -1;
    book_put_version(b, NULL, subject, version, id, deleted);
    return 0;
}

static int load_entry(struct book *b, struct weir_str key, struct weir_str value)
{
    struct weir_cursor k = {.at = (const uint8_t *)key.data, .end = (const uint8_t *)key.data + key.bytes};
    struct weir_cursor v = {.at = (const uint8_t *)value.data, .end = (const uint8_t *)value.data + value.bytes};
    char kind = (char)weir_cursor_byte(&k);
    switch (kind) {
    case 'c':
    case 'o':
        return load_setting(b, kind, &k, &v);
    case 'i':
        return load_schema(b, &k, value);
    case 'n':
        b->next_id = (int32_t)weir_cursor_be32(&v);
        return v.bad || b->next_id <= 0 ? -1 : 0;
    case 'r':
        return load_more(b, &k, &v);
    case 's':
        return load_version(b, &k, &v);
    default:
        return -1;
    }
}

// The kinds are walked in the order of their letters: what others refer to comes first.
int book_load(struct book *b, struct weir_embedded *db, struct weir_error *err)
{
    book_clear(b);
    struct weir_walk *walk = weir_walk_new(db, WEIR_REGISTRY, WEIR_STR(""), WEIR_STR(""));
    int rc = 0;
    for (; rc == 0 && weir_walk_valid(walk); weir_walk_next(walk))
        if (load_entry(b, weir_walk_key(walk), weir_walk_value(walk)) < 0)
            rc = damaged(err);
    if (rc == 0)
        rc = weir_walk_error(walk, err);
    weir_walk_free(walk);
    return rc;
}
