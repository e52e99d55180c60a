// SPDX-License-Identifier: Apache-2.0
// Checkpoints: what a task must know to go on after a restart, as keyed pages of bytes per (pipeline, partition). Two kinds
// stand behind it: embedded, and a compacted changelog topic beside the input in Kafka, partition by partition.
#pragma once
#include "base/commit.h"
#include "base/error.h"
#include "base/str.h"
#include "embedded/embedded.h"
#include "kafka/kafka.h"

struct weir_state;

int weir_state_embedded(struct weir_embedded *db, const char *pipeline, struct weir_state **ret, struct weir_error *err);
// Topic PIPELINE-changelog, made with as many partitions as the input has.
int weir_state_changelog(struct weir_kafka *kafka, const char *pipeline, int32_t partitions, int32_t replication, struct weir_state **ret,
                         struct weir_error *err);
void weir_state_close(struct weir_state *s);

// The epoch in µs since 1970 that revisions of a partition's rows start from: taken when its state was first made, kept with it, raised by a reset.
// Known after weir_state_load. Where load has taken a new one, *ret_new is true and `commit` holds it: it must be committed before any row is written.
int weir_state_epoch(struct weir_state *s, int32_t partition, const struct weir_commit *commit, int64_t *ret_epoch_us, bool *ret_new,
                     struct weir_error *err);

// Visits every page of a partition in key order. A failure of visit (negative, err filled) ends the walk and is returned.
int weir_state_load(struct weir_state *s, int32_t partition,
                    int (*visit)(void *context, struct weir_str key, struct weir_str page, struct weir_error *err), void *context,
                    struct weir_error *err);

void weir_state_put(struct weir_state *s, const struct weir_commit *commit, int32_t partition, struct weir_str key, struct weir_str page);
void weir_state_delete(struct weir_state *s, const struct weir_commit *commit, int32_t partition, struct weir_str key);

// Forgets every page and raises the epoch: the pipeline starts over, and what it writes wins over what it wrote before. Nothing may run meanwhile.
int weir_state_reset(struct weir_state *s, struct weir_error *err);
