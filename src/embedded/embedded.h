// SPDX-License-Identifier: Apache-2.0
// The one RocksDB under log, registry, state, store and dead letters: a data folder, opened by one owner at a time and by any number of readers.
//
// Column families: default (folder format, offsets of topics, feed positions), log, registry, state, tables, dead. Everything goes through one
// write-ahead log, so that after a crash what is left is a prefix of what was committed: a torn tail is cut, and rows, state and offsets agree.
#pragma once
#include "base/error.h"
#include "base/str.h"
#include <stdbool.h>

struct weir_embedded;
struct weir_txn;

enum weir_open { WEIR_OWNER, WEIR_READER };

// Owner: makes the folder if there is none; fails with WEIR_UNAVAILABLE, naming the process, where another owner has it.
// Reader: sees what the owner has committed up to now, also while it runs; call weir_embedded_refresh to see newer. A folder that does not exist
// fails with WEIR_NO_INPUT. A damaged file fails with WEIR_IO and its name.
int weir_embedded_open(const char *dir, enum weir_open mode, struct weir_embedded **ret, struct weir_error *err);
int weir_embedded_refresh(struct weir_embedded *db, struct weir_error *err);
void weir_embedded_close(struct weir_embedded *db); // takes NULL

// A set of changes that is applied as one. Belongs to one thread at a time; reusable after a commit.
struct weir_txn *weir_txn_new(struct weir_embedded *db);
void weir_txn_free(struct weir_txn *txn);
size_t weir_txn_bytes(const struct weir_txn *txn);
void weir_txn_clear(struct weir_txn *txn);
// Applies and empties it. `durable`: returns only once it, and everything committed before it, would survive power loss (concurrent durable commits
// share one fsync). Without it, it survives the death of the process, and after power loss is there wholly or not at all.
// A failed fsync or write is WEIR_IO and WEIR_STOP: the process must end, nothing after it can be trusted.
int weir_txn_commit(struct weir_txn *txn, bool durable, struct weir_error *err);

// Keeps memory small while little is written: flushes memtables when they are older than a while. Call now and then from any thread.
void weir_embedded_tend(struct weir_embedded *db);
