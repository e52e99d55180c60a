// SPDX-License-Identifier: Apache-2.0
// What the engine is made of; shared by its files only.
//
//   engine    one data folder, opened once; its main thread tends it and writes status.json
//   pipeline  a plan with its topic, store, state; one feeder thread
//   task      one pipeline on one partition: read → decode → fold → commit. Run by one worker at a time, in short steps
//   worker    a thread that takes whichever task has something to do
#pragma once
#include "engine/engine.h"
#include "feed/feed.h"
#include "format/format.h"
#include "log/log.h"
#include "query/query.h"
#include "state/state.h"
#include "store/store.h"
#include <pthread.h>
#include <stdatomic.h>

enum {
    TASK_CHUNK = 1024, // records that are decoded and folded at once: their columns fit in the L2 cache
    TASK_FETCH_BYTES = 1 << 20,
    TASK_COMMIT_BYTES = 16 << 20,    // rows and letters buffered before a commit is due, whatever the time
    TASK_COMMIT_BEHIND_US = 1000000, // between commits while there is more to read
    TASK_LOOK_AGAIN_US = 100000,
    TASK_COMMIT_CAUGHT_UP_US = 20000, // and when there is not
};

struct task_counts { // since the data folder began; saved with every commit, so that each event counts once
    uint64_t records, events, duplicates;
    uint64_t dead[WEIR_REASONS];
    uint64_t *rows;                    // by query
    struct weir_query_counts *queries; // by query
};

struct task {
    struct pipeline *pipeline;
    int32_t partition;
    struct weir_reader *reader;
    struct weir_decoder *decoder;
    struct weir_core *core;
    struct weir_core_sink sink;
    struct weir_writer *writer;
    struct weir_commit commit;
    struct weir_arena arena; // of one chunk
    struct weir_rejects rejects;
    struct weir_record records[TASK_CHUNK];
    uint32_t record_count;
    int64_t next_offset;    // after the last record applied
    int64_t last_record_ms; // its own time
    struct task_counts counts;
    struct weir_query_counts *collected; // by query: what of the core's own counts is in them
    uint64_t collected_duplicates;
    uint64_t commits, lost;
    bool uncommitted; // something changed since the last commit
    bool finished;    // read to the end and closed, see task_finish
    int64_t last_commit_us, last_record_us;
    int64_t *next_emit_us; // by query
    bool *idle_given;      // by query: ended windows were given since the last record
    // for others to see
    bool busy; // a worker has it; under the engine's lock
    pthread_mutex_t lock;
    struct weir_partition_status status;
    struct weir_core_stats core_stats;
    struct task_counts seen;
    uint64_t seen_commits, seen_lost;
};

struct feeder {
    struct pipeline *pipeline;
    pthread_t thread;
    bool started;
    struct weir_feed *feed;
    struct weir_encoder *encoder;
    struct weir_producer *producer;
    struct weir_buffer encoded, position;
    uint64_t events, rejects;         // appended durably, since the feed's very start
    uint64_t new_events, new_rejects; // buffered since
    int64_t last_reject_line;
    int64_t oldest_us; // when the first of the buffered events came; 0: none
    uint64_t given;    // events of this run, against the limit
    atomic_bool ended; // nothing more will come
    pthread_mutex_t lock;
    uint64_t seen_events, seen_rejects, seen_done, seen_total; // for others to see
};

struct merge;  // of groups that span partitions; NULL where no query needs it
struct door;   // events that come from outside
struct recent; // newest rows of the tables

struct pipeline {
    struct weir_engine *engine;
    struct weir_plan *plan;
    struct weir_store *store;
    struct weir_state *state;
    struct weir_dead *dead;
    struct recent *recent;
    struct door *door;
    struct merge *merge;
    int64_t epoch_us;
    struct feeder feeder;
    uint32_t task_count;
    struct task *tasks;
};

struct weir_engine {
    struct weir_run_options options;
    struct weir_embedded *db;
    struct weir_log *log;
    struct weir_registry *registry;
    const char *data_dir;
    char *url; // of the HTTP server; NULL: none
    uint32_t pipeline_count;
    struct pipeline *pipelines;
    uint32_t worker_count;
    pthread_t *workers;
    int wake_fd; // eventfd: stop was asked for, or all is done
    atomic_bool running, stopping;
    int64_t started_us, started_ms;
    pthread_mutex_t lock;   // task.busy, error
    uint32_t next_task;     // where the next worker starts to look
    atomic_uint unfinished; // tasks, under until_end
    bool failed;
    struct weir_error error; // the first one
};

// Which rows of groups that span partitions a commit gives: those that are due; of update queries all that changed; of all windows, ended or not.
enum merge_extent { MERGE_DUE, MERGE_CHANGED, MERGE_ALL };

// task.c
int task_open(struct task *t, struct pipeline *p, int32_t partition, struct weir_error *err);
void task_close(struct task *t);
bool task_has_work(struct task *t, int64_t now_us);      // something to read, or a timer that is due
int task_step(struct task *t, struct weir_error *err);   // reads a fetch, if there is one, and commits when it is due
int64_t task_log_now_ms(const struct task *t);           // what "now" is for windows that wait for a silent partition
int task_finish(struct task *t, struct weir_error *err); // gives what changed (all open windows under --close) and commits durably

// task_commit.c
int task_restore(struct task *t, struct weir_error *err);
int task_commit(struct task *t, bool durable, enum merge_extent extent, struct weir_error *err);

// feeder.c
int feeder_open(struct feeder *f, struct pipeline *p, struct weir_error *err);
void feeder_start(struct feeder *f);
void feeder_join(struct feeder *f);
void feeder_close(struct feeder *f);

// worker.c
void worker_start_all(struct weir_engine *e);
void worker_join_all(struct weir_engine *e);

// engine.c
void engine_fail(struct weir_engine *e, const struct weir_error *err); // remembers the first failure and stops
void engine_feed_ended(struct weir_engine *e);                         // one feed has no more to give
void engine_say(struct weir_engine *e, const char *format, ...) __attribute__((format(printf, 2, 3)));

// recent.c
struct recent *recent_new(const struct weir_plan *plan, uint32_t rows);
void recent_free(struct recent *r);
void recent_add(struct recent *r, const struct weir_rows *rows);
uint32_t recent_get(struct recent *r, uint32_t query, uint32_t limit, struct weir_arena *arena, struct weir_value ***ret_rows);
uint32_t recent_since(struct recent *r, uint32_t query, uint64_t since, uint32_t limit, struct weir_arena *arena, struct weir_value ***ret_rows,
                      uint64_t *ret_next);

// merge.c: all take NULL and then do nothing
struct merge *merge_new(const struct weir_plan *plan, int64_t epoch_us);
void merge_free(struct merge *m);
void merge_begin(struct merge *m, struct pipeline *p); // takes what the tasks were restored with
void merge_lock(struct merge *m);
void merge_unlock(struct merge *m);
void merge_take(struct merge *m, struct task *t); // under the lock
int merge_give(struct merge *m, struct task *t, enum merge_extent extent, int64_t silent_now_ms,
               struct weir_error *err); // likewise, into the task's commit
void merge_silence(struct merge *m, uint32_t partition, uint32_t query, bool silent);
bool merge_due(struct merge *m, const struct weir_plan *plan, int64_t now_us);

// door.c
struct door *door_new(struct pipeline *p);
void door_free(struct door *d);
int door_post(struct door *d, struct weir_str json, uint64_t *ret_count, struct weir_error *err);

// status.c
int status_write(struct weir_engine *e, struct weir_error *err);
void status_remove(struct weir_engine *e);
