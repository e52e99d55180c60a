// SPDX-License-Identifier: Apache-2.0
// Levels and modes, of subjects and of all.
#include "registry/embedded/inside.h"
#include <strings.h>

static const char *const mode_names[WEIR_MODES] = {"READWRITE", "READONLY", "READONLY_OVERRIDE", "IMPORT"};

const char *weir_mode_name(enum weir_mode mode)
{
    return mode_names[mode];
}

int weir_mode_parse(const char *name, enum weir_mode *ret)
{
    for (int i = 0; i < WEIR_MODES; i++)
        if (strcasecmp(name, mode_names[i]) == 0) {
            *ret = (enum weir_mode)i;
            return 0;
        }
    return -1;
}

static int own_level(const struct weir_contracts *c, const char *subject)
{
    const struct book_setting *s = book_setting(&c->book, subject ? subject : "");
    return s ? s->level : -1;
}

static int own_mode(const struct weir_contracts *c, const char *subject)
{
    const struct book_setting *s = book_setting(&c->book, subject ? subject : "");
    return s ? s->mode : -1;
}

static int no_level(struct weir_arena *arena, struct weir_contracts_error *err, const char *subject)
{
    return contracts_fail(arena, err, NO_SUBJECT_LEVEL, "Subject '%.200s' does not have subject-level compatibility configured", subject);
}

static int no_mode(struct weir_arena *arena, struct weir_contracts_error *err, const char *subject)
{
    return contracts_fail(arena, err, NO_SUBJECT_MODE, "Subject '%.200s' does not have subject-level mode configured", subject);
}

int weir_contracts_level(CONTRACTS, const char *subject, bool or_global, enum weir_level *ret)
{
    contracts_read(c);
    int level = own_level(c, subject);
    if (level < 0 && (or_global || !subject))
        level = own_level(c, NULL) < 0 ? (int)WEIR_LEVEL_BACKWARD : own_level(c, NULL);
    contracts_end(c);
    if (level < 0)
        return no_level(arena, err, subject);
    *ret = (enum weir_level)level;
    return 0;
}

int weir_contracts_mode(CONTRACTS, const char *subject, bool or_global, enum weir_mode *ret)
{
    contracts_read(c);
    int mode = own_mode(c, subject);
    if (mode < 0 && (or_global || !subject))
        mode = own_mode(c, NULL) < 0 ? (int)WEIR_MODE_READWRITE : own_mode(c, NULL);
    contracts_end(c);
    if (mode < 0)
        return no_mode(arena, err, subject);
    *ret = (enum weir_mode)mode;
    return 0;
}

static int set(struct weir_contracts *c, struct weir_arena *arena, struct weir_contracts_error *err, const char *subject, int value,
               void (*change)(struct book *b, struct weir_txn *txn, const char *subject, int value))
{
    const char *name = subject ? subject : "";
    if (strlen(name) > SUBJECT_BYTES_MAX)
        return contracts_fail(arena, err, BAD_SUBJECT, "a subject's name has 1 to %d bytes", SUBJECT_BYTES_MAX);
    if (weir_embedded_is_reader(c->db))
        return contracts_fail(arena, err, NOT_PERMITTED, "the data folder is open for reading only");
    struct weir_txn *txn = weir_txn_new(c->db);
    change(&c->book, txn, name, value);
    int rc = contracts_commit(c, txn, arena, err);
    weir_txn_free(txn);
    if (rc < 0)
        return -1;
    pthread_rwlock_wrlock(&c->lock);
    change(&c->book, NULL, name, value);
    contracts_end(c);
    return 0;
}

int weir_contracts_set_level(CONTRACTS, const char *subject, enum weir_level level)
{
    pthread_mutex_lock(&c->writer);
    int rc = contracts_writable(c, arena, err, subject ? subject : "");
    if (rc == 0)
        rc = set(c, arena, err, subject, level, book_set_level);
    pthread_mutex_unlock(&c->writer);
    return rc;
}

int weir_contracts_delete_level(CONTRACTS, const char *subject, enum weir_level *ret_was)
{
    pthread_mutex_lock(&c->writer);
    int was = own_level(c, subject), rc = 0;
    if (was < 0 && subject)
        rc = no_level(arena, err, subject);
    else
        rc = set(c, arena, err, subject, -1, book_set_level);
    pthread_mutex_unlock(&c->writer);
    if (rc == 0)
        *ret_was = was < 0 ? WEIR_LEVEL_BACKWARD : (enum weir_level)was;
    return rc;
}

// Ids that are given from outside must not meet such that were given here.
static bool has_subjects(const struct weir_contracts *c, const char *subject)
{
    return subject ? book_is_of(&c->book, book_first(&c->book, subject, 0), subject) : c->book.version_count > 0;
}

int weir_contracts_set_mode(CONTRACTS, const char *subject, enum weir_mode mode, bool force)
{
    int rc;
    pthread_mutex_lock(&c->writer);
    if (mode == WEIR_MODE_IMPORT && !force && own_mode(c, subject) != WEIR_MODE_IMPORT && has_subjects(c, subject))
        rc = contracts_fail(arena, err, NOT_PERMITTED, "Cannot import since found existing subjects");
    else
        rc = set(c, arena, err, subject, mode, book_set_mode);
    pthread_mutex_unlock(&c->writer);
    return rc;
}

int weir_contracts_delete_mode(CONTRACTS, const char *subject, enum weir_mode *ret_was)
{
    pthread_mutex_lock(&c->writer);
    int was = own_mode(c, subject), rc = 0;
    if (was < 0 && subject)
        rc = no_mode(arena, err, subject);
    else
        rc = set(c, arena, err, subject, -1, book_set_mode);
    pthread_mutex_unlock(&c->writer);
    if (rc == 0)
        *ret_was = was < 0 ? WEIR_MODE_READWRITE : (enum weir_mode)was;
    return rc;
}
