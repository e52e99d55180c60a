// SPDX-License-Identifier: Apache-2.0
#include "registry/embedded/inside.h"
#include <stdlib.h>

static struct weir_contracts *self_of(struct weir_registry *r)
{
    return (struct weir_contracts *)r;
}

static int fail_of(const struct weir_contracts_error *why, struct weir_error *err)
{
    enum weir_code code = why->code == STORE_FAILED ? WEIR_IO : why->code == NOT_PERMITTED ? WEIR_BAD_CONFIG : WEIR_BAD_DATA;
    return weir_fail(err, code, WEIR_STOP, "%s", why->text);
}

static int embedded_enroll(struct weir_registry *self, const char *subject, const char *schema, int32_t *ret_id, struct weir_error *err)
{
    weir_cleanup(weir_arena_drop) struct weir_arena arena = {0};
    const struct weir_contract contract = {.schema = schema};
    struct weir_contracts_error why;
    if (weir_contracts_register(self_of(self), &arena, &why, subject, &contract, false, ret_id) < 0)
        return fail_of(&why, err), weir_wrap(err, "schema of subject '%.80s'", subject);
    return 0;
}

static int embedded_schema(struct weir_registry *self, int32_t id, struct weir_arena *arena, const char **ret_schema, struct weir_error *err)
{
    struct weir_contracts *c = self_of(self);
    const char *whole;
    contracts_read(c);
    const struct book_schema *s = book_schema(&c->book, id);
    int rc = s ? contracts_whole(c, s->text, s->type == WEIR_SCHEMA_AVRO ? s->references : NULL, arena, &whole, err)
               : weir_fail(err, WEIR_BAD_DATA, WEIR_DEAD_LETTER, "schema id %d is not registered", id);
    if (rc == 0)
        *ret_schema = weir_arena_copy(arena, weir_str_of(whole)).data;
    contracts_end(c);
    return rc;
}

static int embedded_versions(struct weir_registry *self, const char *subject, int (*visit)(void *context, const struct weir_subject_version *v),
                             void *context, struct weir_error *err)
{
    weir_cleanup(weir_arena_drop) struct weir_arena arena = {0};
    const struct weir_selection selection = {.subject = subject};
    struct weir_contract *list;
    uint32_t count = weir_contracts_select(self_of(self), &selection, &arena, &list);
    for (uint32_t i = 0; i < count; i++) {
        struct weir_subject_version v = {list[i].subject, list[i].version, list[i].id, list[i].schema};
        if (list[i].type == WEIR_SCHEMA_AVRO && list[i].references && embedded_schema(self, v.id, &arena, &v.schema, err) < 0)
            return -1;
        if (visit(context, &v))
            break;
    }
    return 0;
}

static int embedded_level(struct weir_registry *self, const char *subject, enum weir_level *ret, struct weir_error *err)
{
    weir_cleanup(weir_arena_drop) struct weir_arena arena = {0};
    struct weir_contracts_error why;
    return weir_contracts_level(self_of(self), &arena, &why, subject, true, ret) < 0 ? fail_of(&why, err) : 0;
}

static bool embedded_healthy(struct weir_registry *self, struct weir_buffer *reasons)
{
    (void)self, (void)reasons;
    return true;
}

static void embedded_close(struct weir_registry *self)
{
    struct weir_contracts *c = self_of(self);
    book_clear(&c->book);
    pthread_mutex_destroy(&c->writer);
    pthread_rwlock_destroy(&c->lock);
    free(c);
}

static const struct registry_ops ops = {embedded_close, embedded_healthy, embedded_enroll, embedded_schema, embedded_versions, embedded_level};

struct weir_contracts *weir_contracts_of(struct weir_registry *r)
{
    return r && r->ops == &ops ? self_of(r) : NULL;
}

int weir_registry_embedded(struct weir_embedded *db, struct weir_registry **ret, struct weir_error *err)
{
    struct weir_contracts *c = weir_zalloc(1, sizeof *c);
    c->registry.ops = &ops;
    c->db = db;
    c->generation = weir_embedded_generation(db);
    pthread_mutex_init(&c->writer, NULL);
    pthread_rwlockattr_t attributes; // a stream of look-ups must not keep a registration out
    pthread_rwlockattr_init(&attributes);
    pthread_rwlockattr_setkind_np(&attributes, PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP);
    pthread_rwlock_init(&c->lock, &attributes);
    pthread_rwlockattr_destroy(&attributes);
    if (book_load(&c->book, db, err) < 0) {
        embedded_close(&c->registry);
        return -1;
    }
    *ret = &c->registry;
    return 0;
}
