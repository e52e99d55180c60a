// SPDX-License-Identifier: Apache-2.0
// The engine: runs pipelines. A feeder fills the topic; one task a partition reads, decodes, folds and commits; workers share the tasks.
#pragma once
#include "base/buffer.h"
#include "base/error.h"
#include "log/dead.h"
#include "query/query.h"
#include "registry/registry.h"
#include "spec/plan.h"
#include "store/store.h"

struct weir_run_options {
    bool until_end; // stop when the feed and the topic have been read to their end
    bool close;     // then write out every open window
    bool no_feed;
    bool feed_only;                               // `produce`: fill the topic, run no query
    int64_t for_ms;                               // stop after; 0: no limit
    uint64_t feed_limit;                          // events from the feed; 0: no limit
    int workers;                                  // 0: as many as there are cores
    uint32_t recent_rows;                         // newest rows of each table kept for weir_engine_recent; 0: none
    int64_t clock_factor_override;                // demo: run the simulated clock this much faster; 0: as the file says
    void (*log)(void *context, const char *line); // one line of what happens; any thread. NULL: silence
    void *log_context;
};

struct weir_engine;

// Opens the engines and all pipelines (of one data folder), creates topics and tables, loads the state. Plans must outlive the engine.
int weir_engine_open(struct weir_plan *const *plans, uint32_t plan_count, const struct weir_run_options *options, struct weir_engine **ret,
                     struct weir_error *err);
// Runs to the end (see options) or until weir_engine_stop. A failure that ends the run comes back here.
int weir_engine_run(struct weir_engine *e, struct weir_error *err);
void weir_engine_stop(struct weir_engine *e); // clean stop; async-signal-safe
void weir_engine_close(struct weir_engine *e);

// ---- what it is doing; any thread, also while it runs

struct weir_partition_status {
    bool owned;                      // read by this process; else nothing more is known of it
    int64_t next_offset, end_offset; // lag = end − next
    int64_t high_ms;                 // highest event time; INT64_MIN before the first event
};

// Every stage counts the same way: records == events + dead letters of the topic; events == duplicates + filtered + late +
// folded, for each query. Since the data
// folder began.
struct weir_pipeline_status {
    const struct weir_plan *plan;
    bool shared;                              // in a consumer group: partitions come and go
    uint64_t records;                         // read from the topic
    uint64_t events;                          // decoded
    uint64_t duplicates;                      // seen before, and left out (`dedupe`)
    uint64_t dead[WEIR_REASONS];              // a dead letter counts once per event, late once per query and event
    uint64_t *rows;                           // by query
    struct weir_query_counts *queries;        // by query: events == duplicates + filtered + late + folded
    struct weir_partition_status *partitions; // plan->topic.partitions of them
    uint64_t open_windows, open_groups, keys, state_bytes;
    // the feed, since it began; total 0: endless
    uint64_t feed_events, feed_rejects, feed_done, feed_total;
    bool feed_ended;
    // of this process
    uint64_t commits, lost; // lost: records that retention took before they were read
    double seconds;
};

uint32_t weir_engine_pipelines(const struct weir_engine *e);
// Fills a snapshot; arrays are allocated in `arena`.
void weir_engine_status(struct weir_engine *e, uint32_t pipeline, struct weir_arena *arena, struct weir_pipeline_status *ret);
// The newest rows that were written to a table, for live views: up to `limit`, newest first, as values by column in `arena`.
uint32_t weir_engine_recent(struct weir_engine *e, uint32_t pipeline, uint32_t query, uint32_t limit, struct weir_arena *arena,
                            struct weir_value ***ret_rows);

// ---- for servers; any thread

const struct weir_plan *weir_engine_plan(const struct weir_engine *e, uint32_t pipeline);
int weir_engine_scan(struct weir_engine *e, uint32_t pipeline, const struct weir_scan *scan,
                     int (*visit)(void *context, const struct weir_value *values), void *context, struct weir_error *err); // as weir_store_scan
int weir_engine_keys(struct weir_engine *e, uint32_t pipeline, uint32_t query, struct weir_str prefix, uint64_t limit,
                     int (*visit)(void *context, const struct weir_value *values), void *context, struct weir_error *err); // as weir_store_keys
int weir_engine_dead_scan(struct weir_engine *e, uint32_t pipeline, int reason, int (*visit)(void *context, const struct weir_dead_letter *letter),
                          void *context, struct weir_error *err); // as weir_dead_scan

// Appends JSON events, one object or an array of them, to a topic; they are durable when it returns. All or none: the first wrong one fails with
// WEIR_BAD_DATA and its place and field. What is no JSON fails with WEIR_USAGE, a topic that no pipeline has with WEIR_NO_INPUT.
int weir_engine_post(struct weir_engine *e, const char *topic, struct weir_str json, uint64_t *ret_count, struct weir_error *err);

// The newest rows since a number that was given before (0: from now on), oldest first, up to `limit`; what was missed is passed over. *ret_next is
// what to ask with next.
uint32_t weir_engine_recent_since(struct weir_engine *e, uint32_t pipeline, uint32_t query, uint64_t since, uint32_t limit, struct weir_arena *arena,
                                  struct weir_value ***ret_rows, uint64_t *ret_next);

// The registry that a pipeline's schemas are in; NULL: its events need none. Thread-safe, the engine's.
struct weir_registry *weir_engine_registry_of(const struct weir_engine *e, uint32_t pipeline);

// What the pipeline's store last said of itself, some seconds ago at most; false: nothing yet. Valid inside visit.
bool weir_engine_store(struct weir_engine *e, uint32_t pipeline, void (*visit)(void *context, const struct weir_store_stats *stats), void *context);

// Whether every pipeline runs as it should; else one reason a line is appended to `reasons`.
bool weir_engine_ready(struct weir_engine *e, struct weir_buffer *reasons);
char *weir_engine_status_json(struct weir_engine *e); // as in status.json; caller frees
// The embedded registry, where a pipeline names it; NULL where those of all pipelines are elsewhere. Before the engine runs.
int weir_engine_registry(struct weir_engine *e, struct weir_registry **ret, struct weir_error *err);
void weir_engine_set_url(struct weir_engine *e, const char *url); // where its HTTP server is, for status.json; before it runs

// ---- status for other processes: DIR/status.json is replaced every second while a run goes on, and removed at a clean stop
// { "pid", "started_ms", "updated_ms", "http" (a URL, or null), "pipelines": [ {...as above, in snake_case...} ] }
// Of the first process from *slot on that runs; *slot is moved behind it, so that starting at 0 all are found. Caller frees; WEIR_UNAVAILABLE where there
// is none.
int weir_status_read(const char *data_dir, unsigned *slot, char **ret_json, struct weir_error *err);
