// SPDX-License-Identifier: Apache-2.0
// What changes the book: registering and deleting. Each change looks, writes durably, and only then shows in memory.
#include "registry/embedded/inside.h"

int contracts_commit(struct weir_contracts *c, struct weir_txn *txn, struct weir_arena *arena, struct weir_contracts_error *err)
{
    struct weir_error why;
    int rc = weir_txn_commit(txn, true, &why);
    (void)c;
    return rc < 0 ? contracts_fail(arena, err, STORE_FAILED, "Error in the store: %s", why.text) : 0;
}

static enum weir_mode mode_of(const struct weir_contracts *c, const char *subject)
{
    const struct book_setting *own = book_setting(&c->book, subject), *global = book_setting(&c->book, "");
    int global_mode = global && global->mode >= 0 ? global->mode : WEIR_MODE_READWRITE;
    if (global_mode == WEIR_MODE_READONLY_OVERRIDE)
        return WEIR_MODE_READONLY_OVERRIDE;
    return own && own->mode >= 0 ? (enum weir_mode)own->mode : (enum weir_mode)global_mode;
}

static enum weir_level level_of(const struct weir_contracts *c, const char *subject)
{
    const struct book_setting *own = book_setting(&c->book, subject), *global = book_setting(&c->book, "");
    if (own && own->level >= 0)
        return (enum weir_level)own->level;
    return global && global->level >= 0 ? (enum weir_level)global->level : WEIR_LEVEL_BACKWARD;
}

int contracts_writable(struct weir_contracts *c, struct weir_arena *arena, struct weir_contracts_error *err, const char *subject)
{
    enum weir_mode mode = mode_of(c, subject);
    if (weir_embedded_is_reader(c->db))
        return contracts_fail(arena, err, NOT_PERMITTED, "the data folder is open for reading only");
    if (mode == WEIR_MODE_READONLY || mode == WEIR_MODE_READONLY_OVERRIDE)
        return contracts_fail(arena, err, NOT_PERMITTED, "Subject %.200s is in read-only mode", subject);
    return 0;
}

static int check_subject(struct weir_arena *arena, struct weir_contracts_error *err, const char *subject)
{
    size_t bytes = strlen(subject);
    if (bytes == 0 || bytes > SUBJECT_BYTES_MAX)
        return contracts_fail(arena, err, BAD_SUBJECT, "a subject's name has 1 to %d bytes", SUBJECT_BYTES_MAX);
    for (size_t i = 0; i < bytes; i++)
        if ((unsigned char)subject[i] < 0x20)
            return contracts_fail(arena, err, BAD_SUBJECT, "a subject's name holds no control characters");
    return 0;
}

// ---- registering

struct registration {
    const char *subject;
    const struct identity *identity;
    int32_t want_id, want_version; // 0: any
    bool imports;                  // puts back what was: neither mode nor level is asked
};

// The id under which the subject has the schema, or 0.
static int32_t present(const struct weir_contracts *c, const char *subject, const struct identity *identity)
{
    const struct book_schema *s = book_find(&c->book, identity->type, identity->text, identity->references);
    for (size_t i = book_first(&c->book, subject, 0); s && book_is_of(&c->book, i, subject); i++)
        if (c->book.versions[i].id == s->id && !c->book.versions[i].deleted)
            return s->id;
    return 0;
}

static int32_t next_version(const struct weir_contracts *c, const char *subject)
{
    size_t end = book_first(&c->book, subject, WEIR_VERSION_MAX);
    return end > 0 && book_is_of(&c->book, end - 1, subject) ? c->book.versions[end - 1].version + 1 : 1;
}

static int check_level(struct weir_contracts *c, struct weir_arena *arena, struct weir_contracts_error *err, const struct registration *r)
{
    const struct weir_selection all = {.subject = r->subject};
    struct weir_contract *older;
    struct weir_verdict verdict;
    uint32_t count = weir_contracts_select(c, &all, arena, &older);
    for (uint32_t i = 0; i < count; i++) {
        struct weir_error why;
        contracts_read(c);
        int rc = older[i].type == WEIR_SCHEMA_AVRO ? contracts_whole(c, older[i].schema, older[i].references, arena, &older[i].schema, &why) : 0;
        contracts_end(c);
        if (rc < 0)
            return contracts_fail(arena, err, BAD_SCHEMA, "version %d of '%.200s': %s", older[i].version, r->subject, why.text);
    }
    if (contracts_judge(arena, err, level_of(c, r->subject), r->identity, older, count, &verdict) < 0)
        return -1;
    if (verdict.compatible)
        return 0;
    weir_cleanup(weir_buffer_drop) struct weir_buffer details = {0};
    for (uint32_t i = 0; i < verdict.message_count; i++)
        weir_buffer_format(&details, "%s%s", i ? ", " : "", verdict.messages[i]);
    return contracts_fail(arena, err, INCOMPATIBLE,
                          "Schema being registered is incompatible with an earlier schema for subject \"%.200s\", details: [%.*s]", r->subject,
                          (int)(details.bytes < 1600 ? details.bytes : 1600), (const char *)details.data);
}

static int check_wanted(struct weir_contracts *c, struct weir_arena *arena, struct weir_contracts_error *err, const struct registration *r)
{
    enum weir_mode mode = mode_of(c, r->subject);
    if (r->imports)
        return 0;
    if (r->want_id > 0 && mode != WEIR_MODE_IMPORT)
        return contracts_fail(arena, err, NOT_PERMITTED, "Subject %.200s is not in import mode", r->subject);
    if (r->want_id <= 0 && mode == WEIR_MODE_IMPORT)
        return contracts_fail(arena, err, NOT_PERMITTED, "Subject %.200s is in import mode", r->subject);
    return contracts_writable(c, arena, err, r->subject);
}

static int choose_id(struct weir_contracts *c, struct weir_arena *arena, struct weir_contracts_error *err, const struct registration *r,
                     const struct book_schema *same, int32_t *ret)
{
    const struct book_schema *taken = r->want_id ? book_schema(&c->book, r->want_id) : NULL;
    if ((same && r->want_id && same->id != r->want_id) || (taken && taken != same))
        return contracts_fail(arena, err, NOT_PERMITTED, "Overwrite new schema with id %d is not permitted.", r->want_id);
    *ret = same ? same->id : r->want_id ? r->want_id : c->book.next_id;
    return 0;
}

static void apply_registration(struct weir_contracts *c, struct weir_txn *txn, const struct registration *r, int32_t id, int32_t version, bool is_new)
{
    if (is_new)
        book_add_schema(&c->book, txn, id, r->identity->type, r->identity->text, r->identity->references);
    book_put_version(&c->book, txn, r->subject, version, id, false);
}

static int add_version(struct weir_contracts *c, struct weir_arena *arena, struct weir_contracts_error *err, const struct registration *r,
                       int32_t *ret_id)
{
    const struct book_schema *same = book_find(&c->book, r->identity->type, r->identity->text, r->identity->references);
    int32_t id = 0, version = r->want_version > 0 ? r->want_version : next_version(c, r->subject);
    bool is_new = !same;
    if (choose_id(c, arena, err, r, same, &id) < 0)
        return -1;
    struct weir_txn *txn = weir_txn_new(c->db);
    apply_registration(c, txn, r, id, version, is_new);
    int rc = contracts_commit(c, txn, arena, err);
    weir_txn_free(txn);
    if (rc < 0)
        return -1;
    pthread_rwlock_wrlock(&c->lock);
    apply_registration(c, NULL, r, id, version, is_new);
    contracts_end(c);
    *ret_id = id;
    return 0;
}

static int register_held(struct weir_contracts *c, struct weir_arena *arena, struct weir_contracts_error *err, const struct registration *r,
                         int32_t *ret_id)
{
    int32_t id = r->want_id ? 0 : present(c, r->subject, r->identity);
    if (id) {
        *ret_id = id;
        return 0;
    }
    if (check_wanted(c, arena, err, r) < 0 || (!r->imports && mode_of(c, r->subject) != WEIR_MODE_IMPORT && check_level(c, arena, err, r) < 0))
        return -1;
    return add_version(c, arena, err, r, ret_id);
}

static int register_one(struct weir_contracts *c, struct weir_arena *arena, struct weir_contracts_error *err, const struct registration *r,
                        int32_t *ret_id)
{
    contracts_read(c);
    int32_t id = r->want_id ? 0 : present(c, r->subject, r->identity); // most producers register what is there
    contracts_end(c);
    if (id) {
        *ret_id = id;
        return 0;
    }
    pthread_mutex_lock(&c->writer);
    int rc = register_held(c, arena, err, r, ret_id);
    pthread_mutex_unlock(&c->writer);
    return rc;
}

int weir_contracts_register(CONTRACTS, const char *subject, const struct weir_contract *schema, bool normalize, int32_t *ret_id)
{
    struct identity identity;
    if (check_subject(arena, err, subject) < 0 || contracts_identify(c, arena, err, schema, normalize, &identity) < 0)
        return -1;
    const struct registration r = {subject, &identity, schema->id, schema->version, false};
    return register_one(c, arena, err, &r, ret_id);
}

int contracts_restore(struct weir_contracts *c, struct weir_arena *arena, struct weir_contracts_error *err, const struct weir_contract *v)
{
    struct identity identity;
    int32_t id;
    if (check_subject(arena, err, v->subject) < 0 || contracts_identify(c, arena, err, v, false, &identity) < 0)
        return -1;
    const struct registration r = {v->subject, &identity, v->id, v->version, true};
    contracts_read(c);
    size_t at = book_first(&c->book, v->subject, v->version);
    const struct book_version *there =
        book_is_of(&c->book, at, v->subject) && c->book.versions[at].version == v->version ? &c->book.versions[at] : NULL;
    bool same = there && there->id == v->id;
    contracts_end(c);
    if (there && !same)
        return contracts_fail(arena, err, NOT_PERMITTED, "version %d of '%.200s' is there already, and is another schema", v->version, v->subject);
    if (!same && register_one(c, arena, err, &r, &id) < 0)
        return -1;
    int32_t gone;
    return v->deleted && !(same && there->deleted) ? weir_contracts_delete_version(c, arena, err, v->subject, v->version, false, &gone) : 0;
}

// ---- deleting

static int check_references(struct weir_contracts *c, struct weir_arena *arena, struct weir_contracts_error *err, const struct book_version *v)
{
    int32_t *ids;
    if (weir_contracts_referring(c, v->subject, v->version, arena, &ids) == 0)
        return 0;
    return contracts_fail(arena, err, REFERRED_TO, "One or more references exist to the schema: version %d of '%.200s' is referred to by schema %d",
                          v->version, v->subject, ids[0]);
}

static void apply_deletion(struct weir_contracts *c, struct weir_txn *txn, const char *subject, int32_t version, int32_t id, bool permanent,
                           bool last)
{
    if (!permanent) {
        book_put_version(&c->book, txn, subject, version, id, true);
        return;
    }
    book_drop_version(&c->book, txn, subject, version);
    if (last)
        book_drop_schema(&c->book, txn, id);
}

static int delete_one(struct weir_contracts *c, struct weir_arena *arena, struct weir_contracts_error *err, const struct book_version *v,
                      bool permanent)
{
    const char *subject = weir_arena_copy(arena, weir_str_of(v->subject)).data;
    int32_t version = v->version, id = v->id;
    bool last = book_schema(&c->book, id)->uses == 1;
    struct weir_txn *txn = weir_txn_new(c->db);
    apply_deletion(c, txn, subject, version, id, permanent, last);
    int rc = contracts_commit(c, txn, arena, err);
    weir_txn_free(txn);
    if (rc < 0)
        return -1;
    pthread_rwlock_wrlock(&c->lock);
    apply_deletion(c, NULL, subject, version, id, permanent, last);
    contracts_end(c);
    return 0;
}

static int delete_version(CONTRACTS, const char *subject, int32_t version, bool permanent, int32_t *ret_version)
{
    size_t at = contracts_find(c, arena, err, subject, version, true);
    if (contracts_writable(c, arena, err, subject) < 0 || at == SIZE_MAX)
        return -1;
    const struct book_version *v = &c->book.versions[at];
    if (v->deleted && !permanent)
        return contracts_fail(arena, err, VERSION_SOFT_DELETED,
                              "Subject '%.200s' Version %d was soft deleted. Set permanent=true to delete permanently", subject, v->version);
    if (!v->deleted && permanent)
        return contracts_fail(arena, err, VERSION_NOT_SOFT_DELETED,
                              "Subject '%.200s' Version %d was not deleted first before being permanently deleted", subject, v->version);
    *ret_version = v->version;
    return check_references(c, arena, err, v) < 0 ? -1 : delete_one(c, arena, err, v, permanent);
}

int weir_contracts_delete_version(CONTRACTS, const char *subject, int32_t version, bool permanent, int32_t *ret_version)
{
    pthread_mutex_lock(&c->writer);
    int rc = delete_version(c, arena, err, subject, version, permanent, ret_version);
    pthread_mutex_unlock(&c->writer);
    return rc;
}

static int check_subject_deletion(struct weir_contracts *c, struct weir_arena *arena, struct weir_contracts_error *err, const char *subject,
                                  bool permanent)
{
    size_t first = book_first(&c->book, subject, 0);
    uint32_t live = 0;
    for (size_t i = first; book_is_of(&c->book, i, subject); i++) {
        live += !c->book.versions[i].deleted;
        if ((permanent || !c->book.versions[i].deleted) && check_references(c, arena, err, &c->book.versions[i]) < 0)
            return -1;
    }
    if (!book_is_of(&c->book, first, subject))
        return contracts_fail(arena, err, NO_SUBJECT, "Subject '%.200s' not found.", subject);
    if (permanent && live)
        return contracts_fail(arena, err, SUBJECT_NOT_SOFT_DELETED, "Subject '%.200s' was not deleted first before being permanently deleted",
                              subject);
    if (!permanent && !live)
        return contracts_fail(arena, err, SUBJECT_SOFT_DELETED, "Subject '%.200s' was soft deleted. Set permanent=true to delete permanently",
                              subject);
    return 0;
}

static int delete_subject(CONTRACTS, const char *subject, bool permanent, int32_t **ret_versions, uint32_t *ret_count)
{
    if (contracts_writable(c, arena, err, subject) < 0 || check_subject_deletion(c, arena, err, subject, permanent) < 0)
        return -1;
    size_t first = book_first(&c->book, subject, 0), all = 0;
    while (book_is_of(&c->book, first + all, subject))
        all++;
    uint32_t count = 0;
    int32_t *versions = weir_arena_alloc(arena, (all + 1) * sizeof *versions);
    for (size_t i = 0; i < all; i++)
        if (permanent || !c->book.versions[first + i].deleted)
            versions[count++] = c->book.versions[first + i].version;
    for (uint32_t i = 0; i < count; i++) {
        size_t at = book_first(&c->book, subject, versions[i]);
        if (delete_one(c, arena, err, &c->book.versions[at], permanent) < 0)
            return -1;
    }
    *ret_versions = versions;
    *ret_count = count;
    return 0;
}

int weir_contracts_delete_subject(CONTRACTS, const char *subject, bool permanent, int32_t **ret_versions, uint32_t *ret_count)
{
    pthread_mutex_lock(&c->writer);
    int rc = delete_subject(c, arena, err, subject, permanent, ret_versions, ret_count);
    pthread_mutex_unlock(&c->writer);
    return rc;
}
