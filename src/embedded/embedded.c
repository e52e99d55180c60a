// SPDX-License-Identifier: Apache-2.0
#include "embedded/embedded.h"

#include "base/memory.h"
#include "base/time.h"
#include "embedded/handle.h"
#include <dirent.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FORMAT_VERSION = 1, OPEN_TRIES = 100, OPEN_TRY_MS = 50 };
enum { TEND_MEMTABLE_BYTES = 6 << 20, TEND_FAMILY_BYTES = 256 << 10, TEND_INTERVAL_US = 20000000 };

static const char format_key[] = "format";

int db_fail(const struct weir_embedded *db, char *message, const char *doing, struct weir_error *err)
{
    enum weir_fate fate = db->reader ? WEIR_RETRY : WEIR_STOP;
    if (strncmp(message, "Corruption", 10) == 0)
        fate = WEIR_STOP;
    weir_fail(err, WEIR_IO, fate, "%s in data folder %s failed: %s", doing, db->dir, message);
    rocksdb_free(message);
    return -1;
}

// ---- the folder

static int make_folder(const char *dir, struct weir_error *err)
{
    weir_cleanup(weir_freep) char *path = weir_strdup(dir);
    for (char *at = path + 1; *at; at++) {
        if (*at != '/')
            continue;
        *at = '\0';
        mkdir(path, 0755); // what goes wrong here goes wrong below too
        *at = '/';
    }
    if (mkdir(path, 0755) < 0 && errno != EEXIST)
        return weir_fail(err, WEIR_IO, WEIR_STOP, "cannot make data folder %s: %s", dir, strerror(errno));
    return 0;
}

static bool has_database(const char *dir)
{
    weir_cleanup(weir_freep) char *path = weir_format("%s/CURRENT", dir);
    return access(path, F_OK) == 0;
}

static int make_scratch(struct weir_embedded *db, struct weir_error *err)
{
    const char *tmp = getenv("TMPDIR");
    db->scratch = weir_format("%s/weir-reader-XXXXXX", tmp && *tmp ? tmp : "/tmp");
    if (mkdtemp(db->scratch))
        return 0;
    weir_fail(err, WEIR_IO, WEIR_STOP, "cannot make the temporary folder %s: %s", db->scratch, strerror(errno));
    free(db->scratch);
    db->scratch = NULL;
    return -1;
}

static void remove_scratch(const char *scratch)
{
    DIR *folder = opendir(scratch);
    if (!folder)
        return;
    for (struct dirent *entry; (entry = readdir(folder));) {
        weir_cleanup(weir_freep) char *path = weir_format("%s/%s", scratch, entry->d_name);
        if (entry->d_name[0] != '.')
            unlink(path);
    }
    closedir(folder);
    rmdir(scratch);
}

// ---- opening

static void open_database(struct weir_embedded *db, char **message)
{
    const rocksdb_options_t *options[WEIR_FAMILIES];
    for (int i = 0; i < WEIR_FAMILIES; i++)
        options[i] = db->options->family[i];
    if (db->reader)
        db->db = rocksdb_open_as_secondary_column_families(db->options->db, db->dir, db->scratch, WEIR_FAMILIES, db_family_names, options, db->family,
                                                           message);
    else
        db->db = rocksdb_open_column_families(db->options->db, db->dir, WEIR_FAMILIES, db_family_names, options, db->family, message);
}

static void close_database(struct weir_embedded *db)
{
    if (!db->db)
        return;
    for (int i = 0; i < WEIR_FAMILIES; i++)
        rocksdb_column_family_handle_destroy(db->family[i]);
    rocksdb_close(db->db);
    db->db = NULL;
}

static int write_format(struct weir_embedded *db, struct weir_error *err)
{
    struct weir_txn *txn = weir_txn_new(db);
    uint8_t version = FORMAT_VERSION;
    weir_txn_put(txn, WEIR_META, WEIR_STR(format_key), (struct weir_str){(const char *)&version, 1});
    int rc = weir_txn_commit(txn, true, err);
    weir_txn_free(txn);
    return rc;
}

static int check_format(struct weir_embedded *db, struct weir_error *err)
{
    struct weir_pin *pin;
    struct weir_str value;
    if (weir_pin_get(db, WEIR_META, WEIR_STR(format_key), &pin, &value, err) < 0)
        return -1;
    if (!pin && !db->reader)
        return write_format(db, err);
    if (!pin)
        return weir_fail(err, WEIR_NO_INPUT, WEIR_RETRY, "data folder %s is empty", db->dir);
    int version = value.bytes == 1 ? (uint8_t)value.data[0] : -1;
    weir_pin_drop(pin);
    if (version != FORMAT_VERSION)
        return weir_fail(err, WEIR_BAD_CONFIG, WEIR_STOP, "data folder %s has format %d, this weir reads format %d: use the version that wrote it",
                         db->dir, version, FORMAT_VERSION);
    return 0;
}

static int open_once(struct weir_embedded *db, struct weir_error *err)
{
    char *message = NULL;
    open_database(db, &message);
    if (message) {
        db->db = NULL;
        return db_fail(db, message, "opening the database", err);
    }
    if (check_format(db, err) == 0)
        return 0;
    close_database(db);
    return -1;
}

static int open_owner(struct weir_embedded *db, struct weir_error *err)
{
    if (make_folder(db->dir, err) < 0 || db_owner_lock(db->dir, &db->lock_fd, err) < 0)
        return -1;
    return open_once(db, err);
}

// An owner that is just making the folder, or moving its files about, is waited for.
static int open_reader(struct weir_embedded *db, struct weir_error *err)
{
    for (int tries = 0;; tries++) {
        bool owned = db_owner_present(db->dir);
        int rc;
        if (has_database(db->dir))
            rc = db->scratch || make_scratch(db, err) == 0 ? open_once(db, err) : -1;
        else
            rc = weir_fail(err, WEIR_NO_INPUT, WEIR_STOP, "there is no data in folder %s", db->dir);
        if (rc == 0 || !owned || tries == OPEN_TRIES || err->code == WEIR_BAD_CONFIG)
            return rc;
        poll(NULL, 0, OPEN_TRY_MS);
    }
}

int weir_embedded_open(const char *dir, enum weir_open mode, struct weir_embedded **ret, struct weir_error *err)
{
    struct weir_embedded *db = weir_zalloc(1, sizeof *db);
    db->reader = mode == WEIR_READER;
    db->dir = weir_strdup(dir);
    db->lock_fd = -1;
    db->flushed_us = weir_monotonic_us();
    pthread_mutex_init(&db->mutex, NULL);
    pthread_mutex_init(&db->numbers, NULL);
    db->options = db_options_new(db->reader);
    db->read = rocksdb_readoptions_create();
    db->write = rocksdb_writeoptions_create();
    db->write_durable = rocksdb_writeoptions_create();
    rocksdb_writeoptions_set_sync(db->write_durable, 1);
    if ((db->reader ? open_reader(db, err) : open_owner(db, err)) < 0) {
        weir_embedded_close(db);
        return -1;
    }
    *ret = db;
    return 0;
}

int weir_embedded_refresh(struct weir_embedded *db, struct weir_error *err)
{
    if (!db->reader)
        return 0;
    char *message = NULL;
    rocksdb_try_catch_up_with_primary(db->db, &message);
    if (message)
        return db_fail(db, message, "catching up", err);
    atomic_fetch_add(&db->generation, 1);
    return 0;
}

void weir_embedded_close(struct weir_embedded *db)
{
    if (!db)
        return;
    char *message = NULL;
    if (db->db && !db->reader && !atomic_load(&db->failed))
        rocksdb_flush_wal(db->db, 1, &message);
    rocksdb_free(message);
    close_database(db);
    db_owner_unlock(db->lock_fd);
    if (db->scratch)
        remove_scratch(db->scratch);
    rocksdb_writeoptions_destroy(db->write_durable);
    rocksdb_writeoptions_destroy(db->write);
    rocksdb_readoptions_destroy(db->read);
    db_options_free(db->options);
    pthread_mutex_destroy(&db->mutex);
    pthread_mutex_destroy(&db->numbers);
    free(db->scratch);
    free(db->dir);
    free(db);
}

// ---- housekeeping

static uint64_t memtable_bytes(struct weir_embedded *db, int family)
{
    uint64_t bytes = 0;
    rocksdb_property_int_cf(db->db, db->family[family], "rocksdb.cur-size-active-mem-table", &bytes);
    return bytes;
}

static bool flush_is_due(struct weir_embedded *db)
{
    uint64_t total = 0;
    for (int i = 0; i < WEIR_FAMILIES; i++)
        total += memtable_bytes(db, i);
    pthread_mutex_lock(&db->mutex);
    int64_t now_us = weir_monotonic_us();
    bool due = total >= TEND_MEMTABLE_BYTES && now_us - db->flushed_us >= TEND_INTERVAL_US;
    if (due)
        db->flushed_us = now_us;
    pthread_mutex_unlock(&db->mutex);
    return due;
}

void weir_embedded_tend(struct weir_embedded *db)
{
    if (db->reader || !flush_is_due(db))
        return;
    rocksdb_flushoptions_t *options = rocksdb_flushoptions_create();
    rocksdb_flushoptions_set_wait(options, 0);
    for (int i = 0; i < WEIR_FAMILIES; i++) {
        char *message = NULL;
        if (memtable_bytes(db, i) >= TEND_FAMILY_BYTES)
            rocksdb_flush_cf(db->db, options, db->family[i], &message);
        rocksdb_free(message); // a failing flush fails the next commit too
    }
    rocksdb_flushoptions_destroy(options);
}

bool weir_embedded_is_reader(const struct weir_embedded *db)
{
    return db->reader;
}

const char *weir_embedded_folder(const struct weir_embedded *db)
{
    return db->dir;
}

uint64_t weir_embedded_generation(const struct weir_embedded *db)
{
    return atomic_load(&db->generation);
}
