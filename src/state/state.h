// SPDX-License-Identifier: Apache-2.0
// Checkpoints: what a task must know to go on after a restart, as keyed pages of bytes per (pipeline, partition). Embedded now, a changelog to come.
#pragma once
#include "base/error.h"
#include "base/str.h"
#include "embedded/embedded.h"

struct weir_state;

int weir_state_embedded(struct weir_embedded *db, const char *pipeline, struct weir_state **ret, struct weir_error *err);
void weir_state_close(struct weir_state *s);

// The pipeline's epoch in µs since 1970: taken when the state was first made, kept with it. Revisions of rows start from it.
int64_t weir_state_epoch_us(const struct weir_state *s);

// Visits every page of a partition in key order. A failure of visit (negative, err filled) ends the walk and is returned.
int weir_state_load(struct weir_state *s, int32_t partition,
                    int (*visit)(void *context, struct weir_str key, struct weir_str page, struct weir_error *err), void *context,
                    struct weir_error *err);

void weir_state_put(struct weir_state *s, struct weir_txn *txn, int32_t partition, struct weir_str key, struct weir_str page);
void weir_state_delete(struct weir_state *s, struct weir_txn *txn, int32_t partition, struct weir_str key);
