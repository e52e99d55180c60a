// SPDX-License-Identifier: Apache-2.0
// What the folders on top of the database see of it: column families, reads, walks and changes of a transaction. Thread-safe but for the objects
// that say otherwise. Every failure here is WEIR_IO and names the damaged file where the database knows it.
#pragma once
#include "embedded/embedded.h"

// Values of the family tables begin with the time at which they expire, an int64_t of epoch milliseconds, big-endian; 0: never. What has expired is
// dropped when files are merged.
enum weir_family { WEIR_META, WEIR_LOG, WEIR_REGISTRY, WEIR_STATE, WEIR_TABLES, WEIR_DEAD, WEIR_FAMILIES };

bool weir_embedded_is_reader(const struct weir_embedded *db);
const char *weir_embedded_folder(const struct weir_embedded *db); // as it was opened
// Grows with every refresh of a reader, so that caches above know when to look again. Always 0 for an owner.
uint64_t weir_embedded_generation(const struct weir_embedded *db);

// ---- changes, applied when the transaction is committed

void weir_txn_put(struct weir_txn *txn, enum weir_family family, struct weir_str key, struct weir_str value);
void weir_txn_delete(struct weir_txn *txn, enum weir_family family, struct weir_str key);
void weir_txn_delete_range(struct weir_txn *txn, enum weir_family family, struct weir_str from, struct weir_str to); // `to` excluded

// ---- one value, held where it is until let go

struct weir_pin;

// *ret_pin is NULL where there is no such key.
int weir_pin_get(struct weir_embedded *db, enum weir_family family, struct weir_str key, struct weir_pin **ret_pin, struct weir_str *ret_value,
                 struct weir_error *err);
void weir_pin_drop(struct weir_pin *pin); // takes NULL
// A number of WEIR_META, big-endian, of 4 or 8 bytes; `missing` where there is no such key. One that is too short is damaged: WEIR_IO.
int weir_embedded_get_number(struct weir_embedded *db, struct weir_str key, uint32_t bytes, uint64_t missing, uint64_t *ret, struct weir_error *err);

// ---- keys in bytewise order, as they were when the walk began. A walk belongs to one thread and keeps old files alive: do not hold on to it.

struct weir_walk;

// Keys from `from` up to, but not including, `to` (empty: no bound). Starts at the first of them.
struct weir_walk *weir_walk_new(struct weir_embedded *db, enum weir_family family, struct weir_str from, struct weir_str to);
void weir_walk_free(struct weir_walk *w); // takes NULL
bool weir_walk_valid(const struct weir_walk *w);
struct weir_str weir_walk_key(const struct weir_walk *w);   // valid until the walk moves
struct weir_str weir_walk_value(const struct weir_walk *w); // likewise
void weir_walk_next(struct weir_walk *w);
void weir_walk_seek(struct weir_walk *w, struct weir_str key);          // the first key ≥ key
void weir_walk_seek_for_prev(struct weir_walk *w, struct weir_str key); // the last key ≤ key
int weir_walk_error(const struct weir_walk *w, struct weir_error *err); // 0, or what ended the walk early

// Numbers that are never given twice in the life of the folder, greater than all before; `count` of them from *ret_first on, a multiple of `count`.
int weir_embedded_take_numbers(struct weir_embedded *db, uint32_t count, uint64_t *ret_first, struct weir_error *err);

// Drops the files that hold nothing but keys between two: space that is given back at once and for nothing. What it leaves of them is unspecified.
void weir_embedded_drop_files(struct weir_embedded *db, enum weir_family family, struct weir_str from, struct weir_str to);
