// SPDX-License-Identifier: Apache-2.0
// The inside of an open database, shared by the files of this folder.
#pragma once
#include "embedded/db.h"

#include <pthread.h>
#include <rocksdb/c.h>
#include <stdatomic.h>

struct weir_embedded {
    rocksdb_t *db;
    rocksdb_column_family_handle_t *family[WEIR_FAMILIES];
    struct weir_db_options *options;
    rocksdb_readoptions_t *read;
    rocksdb_writeoptions_t *write, *write_durable;
    bool reader;
    char *dir;
    char *scratch; // a reader's own folder
    int lock_fd;   // an owner's weir.pid
    atomic_uint_fast64_t generation;

    pthread_mutex_t numbers; // held while numbers are taken
    pthread_mutex_t mutex;   // guards what follows
    atomic_bool failed;      // a commit has failed: `failure` says how, and every later commit fails the same way
    struct weir_error failure;
    int64_t flushed_us;
};

// ---- options.c

struct weir_db_options {
    rocksdb_options_t *db;
    rocksdb_options_t *family[WEIR_FAMILIES];
    rocksdb_cache_t *cache;
    rocksdb_compactionfilter_t *expiry;
    rocksdb_block_based_table_options_t *table;
};

extern const char *const db_family_names[WEIR_FAMILIES];
struct weir_db_options *db_options_new(bool reader);
void db_options_free(struct weir_db_options *options);

// ---- owner.c: one owner a folder, by a lock on the file weir.pid, which holds the owner's process id

int db_owner_lock(const char *dir, int *ret_fd, struct weir_error *err);
void db_owner_unlock(int fd);
bool db_owner_present(const char *dir);

// ---- embedded.c

// Turns the database's message into an error and frees it. `doing`: what was tried.
int db_fail(const struct weir_embedded *db, char *message, const char *doing, struct weir_error *err);
