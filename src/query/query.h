// SPDX-License-Identifier: Apache-2.0
// The query core: all queries of a pipeline over one partition. Pure: batches in, rows and late events out; it owns no thread, clock or socket.
// What comes out is a function of the batches' events alone, however they are cut into batches.
#pragma once
#include "base/error.h"
#include "base/table.h"
#include "spec/plan.h"

struct weir_core;

struct weir_core_sink {
    void *context;
    int (*rows)(void *context, const struct weir_rows *rows,
                struct weir_error *err); // valid inside the call; negative ends the call with that failure
    int (*late)(void *context, uint32_t query, const struct weir_batch *batch, uint32_t row, struct weir_error *err);
};

// `epoch_us` starts the revisions of rows. The core keeps a reference to the plan.
struct weir_core *weir_core_new(const struct weir_plan *plan, int64_t epoch_us, const struct weir_core_sink *sink);
void weir_core_free(struct weir_core *core);
void weir_core_set_epoch(struct weir_core *core, int64_t epoch_us); // another one; before the first apply

// Folds the events in and gives: the rows of queries without a group, late events, final rows of the windows that closed, and corrections of closed
// windows that are kept for it. next_offset is the offset after the last record of the batch, decoded or not.
int weir_core_apply(struct weir_core *core, const struct weir_batch *batch, int64_t next_offset, struct weir_error *err);

// Gives the groups of one update query that changed since they were last given.
int weir_core_emit_changed(struct weir_core *core, uint32_t query, struct weir_error *err);

// Gives every changed group of one query in windows that ended at or before `ended_ms` (INT64_MAX: in all windows, and without a window). The windows
// stay open: events that come later correct the row. For partitions that fell silent, and for --close.
int weir_core_emit_ended(struct weir_core *core, uint32_t query, int64_t ended_ms, struct weir_error *err);

// ---- groups that span partitions (weir_query_spec.spans_partitions): the cores fold, one merger a pipeline gives their rows

struct weir_merger; // not thread-safe: whoever uses it holds a lock of the pipeline's

struct weir_merger *weir_merger_new(const struct weir_plan *plan, int64_t epoch_us);
void weir_merger_free(struct weir_merger *m);

// Takes over what changed in a partition's core since the last time; after a restart, everything. Whether there was anything, or the watermark rose.
bool weir_merger_take(struct weir_merger *m, uint32_t partition, struct weir_core *core);
void weir_merger_idle(struct weir_merger *m, uint32_t partition, uint32_t query, bool idle); // a silent partition holds no window up

// Gives the groups of a query that changed, of windows that every partition's watermark (silent ones aside) has passed; `everything`: of all windows.
// Where all partitions are silent, of windows that ended until silent_now_ms.
int weir_merger_give(struct weir_merger *m, uint32_t query, const struct weir_core_sink *sink, bool everything, int64_t silent_now_ms,
                     struct weir_error *err);

// Windows of the query that were given and can receive no more events from any partition go: highest event time that all partitions had reached.
int64_t weir_merger_released_ms(const struct weir_merger *m, uint32_t query);
void weir_core_release(struct weir_core *core, uint32_t query, int64_t high_ms);
// Kept in checkpoints. After a restart all cores must release what one had released, before the merger takes anything of them: a row of part of the
// partitions would overwrite the whole one.
int64_t weir_core_released_ms(const struct weir_core *core, uint32_t query);
void weir_merger_resume(struct weir_merger *m, uint32_t query, int64_t released_ms); // what they had released; before the first take

// ---- the same between processes: what changed in a partition's core travels as messages, key → value (none: deleted), each to the process that
// merges its group. Later messages of a key replace earlier ones; a message says everything about its key, so that one which comes twice does no harm.

struct weir_partial_sink {
    void *context;
    void (*put)(void *context, uint64_t group_hash, struct weir_str key, struct weir_str value); // value.data NULL: deleted
};

// Gives what changed since the last time (after a restart: everything), and lets go of the windows that can receive no more events: the messages hold
// them now. Whether there was anything.
bool weir_core_export(struct weir_core *core, uint32_t partition, const struct weir_partial_sink *sink);
// How far a partition is, for every merging process, behind what weir_core_export gave. `idle` by query.
void weir_core_export_progress(const struct weir_core *core, uint32_t partition, const bool *idle, const struct weir_partial_sink *sink);

// Takes a message in, whoever sent it. A message of another pipeline file or shape is WEIR_BAD_CONFIG.
int weir_merger_import(struct weir_merger *m, struct weir_str key, struct weir_str value, struct weir_error *err);
void weir_merger_imported(struct weir_merger *m); // behind a run of messages, before the next give
// Messages that weir_merger_give makes superfluous are deleted through `sink` from now on; progress says, behind a give, what was released by it.
void weir_merger_on_dropped(struct weir_merger *m, const struct weir_partial_sink *sink);
void weir_merger_export_progress(struct weir_merger *m);

// ---- checkpoints

// Pages that changed since the last call, as key → bytes; a page of zero bytes is to be deleted. restore takes them back,
// in the bytewise order of keys, before the first apply. A page made by other queries than the plan's fails with WEIR_BAD_CONFIG.
void weir_core_checkpoint(struct weir_core *core, void (*put)(void *context, struct weir_str key, struct weir_str page), void *context);
int weir_core_restore(struct weir_core *core, struct weir_str key, struct weir_str page, struct weir_error *err);
void weir_core_restored(struct weir_core *core); // after the last page

// What became of the events a query got: events == duplicates + filtered + late + folded. Of this process.
struct weir_query_counts {
    uint64_t filtered; // by `where`
    uint64_t late;
    uint64_t folded; // into a group, or made a row
};
const struct weir_query_counts *weir_core_counts(const struct weir_core *core); // by query

struct weir_core_stats {
    int64_t high_ms; // highest event time; INT64_MIN before the first event
    uint64_t open_windows, open_groups, keys, memory_bytes;
    uint64_t events, duplicates, rows; // of this process
};
struct weir_core_stats weir_core_stats(const struct weir_core *core);
