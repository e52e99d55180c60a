// SPDX-License-Identifier: Apache-2.0
// What the engine is made of; shared by its files only.
//
//   engine    what runs in one process; its main thread tends the data folder and writes status.json
//   pipeline  a plan with its log, store, state; one feeder thread; in a consumer group one more, which serves the group
//   task      one pipeline on one partition: read → decode → fold → commit. Run by one worker at a time, in short steps
//   worker    a thread that takes whichever task has something to do
//
// A commit has two halves, so that a store may take its time: task_seal closes the books at an offset and lets the next interval begin; task_settle
// commits what was sealed once the store has acknowledged its rows. One commit of a task is sealed at a time.
#pragma once
#include "engine/backends.h"
#include "engine/engine.h"
#include "feed/feed.h"
#include "format/format.h"
#include "query/query.h"
#include <pthread.h>
#include <stdatomic.h>

enum {
    TASK_CHUNK = 1024, // records that are decoded and folded at once: their columns fit in the L2 cache
    TASK_FETCH_BYTES = 1 << 20,
    TASK_COMMIT_BYTES = 16 << 20,    // changes collected before a commit is due, whatever the time
    TASK_COMMIT_BEHIND_US = 1000000, // between commits while there is more to read, and always where they travel
    TASK_LOOK_AGAIN_US = 100000,
    TASK_NEARLY_US = 50000, // the same while records come all the time, but few are waiting
    TASK_NEARLY_RECORDS = 20000,
    TASK_CAUGHT_UP_US = 20000, // between flushes of rows when there is nothing more to read; commits too, where all is embedded
    ENGINE_SLOTS = 100,        // processes that may share a data folder
    TASK_LEAVE_US = 20000000,  // a partition that goes may hold its new owner up for so long; a stop, the process
};

struct task_counts { // since the data folder or the group began; saved with every commit, so that each event counts once
    uint64_t records, events, duplicates;
    uint64_t dead[WEIR_REASONS];
    uint64_t *rows;                    // by query
    struct weir_query_counts *queries; // by query
};

enum { SEALED_OPEN, SEALED_QUEUED, SEALED_ENDED }; // not handed on; with the committer; it has said what became of it

struct sealed { // a commit whose rows are on their way
    bool any;
    atomic_int stage;
    enum weir_kafka_fate fate; // where it has ended
    struct sealed *next;       // in the committer's queue
    int32_t partition;
    bool durable;
    uint64_t ticket; // of the rows
    struct weir_commit commit;
    int64_t next_offset, high_ms;
    struct task_counts counts; // as they were
    int64_t retry_us;          // not before: the last try was turned away
    uint32_t tries;
};

struct task {
    struct pipeline *pipeline;
    int32_t partition;
    struct weir_reader *reader; // the share's
    struct weir_fetch fetch;    // being applied
    bool fetch_left;            // some of it
    struct weir_decoder *decoder;
    struct weir_core *core;
    struct weir_core_sink sink;
    struct weir_writer *writer;
    struct weir_commit commit; // what changed since the last one was sealed
    struct sealed sealed;
    struct partials *partials; // of groups that span partitions in a consumer group; else NULL
    struct weir_arena arena;   // of one chunk
    struct weir_rejects rejects;
    struct weir_record records[TASK_CHUNK];
    uint32_t record_count;
    int64_t next_offset;    // after the last record applied
    int64_t last_record_ms; // its own time
    struct task_counts counts;
    struct weir_query_counts *collected; // by query: what of the core's own counts is in them
    uint64_t collected_duplicates;
    uint64_t commits, lost_records;
    bool fresh;           // no state was found
    bool uncommitted;     // something changed since the last seal
    bool unflushed;       // rows were given since the last flush
    atomic_bool finished; // read to the end and closed, see task_finish
    bool fenced;          // another process has the partition: nothing may be committed
    int64_t last_commit_us, last_flush_us, last_record_us, last_end_check_us;
    int64_t retry_us; // trouble that may pass: not to be run before
    uint32_t retries;
    int64_t *next_emit_us; // by query
    bool *idle_given;      // by query: ended windows were given since the last record
    // for others to see
    bool owned, leaving, busy; // ours; about to go; a worker has it. Under the engine's lock
    pthread_mutex_t lock;
    struct weir_partition_status status;
    struct weir_core_stats core_stats;
    struct task_counts seen;
    uint64_t seen_commits, seen_lost;
    char trouble[512]; // why it waits; empty: it does not
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

struct merge;    // of groups that span partitions; NULL where no query needs it, and in a consumer group
struct partials; // the same between processes
struct door;     // events that come from outside
struct recent;   // newest rows of the tables
struct observer; // what the store says of itself

struct committer { // of a pipeline in a consumer group
    pthread_t thread;
    bool started;
    pthread_mutex_t lock; // of what follows
    pthread_cond_t changed;
    bool stopping, under_way;
    struct sealed *queue;
};

struct pipeline {
    struct weir_engine *engine;
    struct weir_plan *plan;
    struct weir_log *log;
    struct weir_registry *registry; // NULL: no event needs one
    struct weir_store *store;
    struct weir_state *state;
    struct weir_dead *dead;
    struct weir_kafka *kafka;   // NULL: the log is embedded
    struct weir_embedded *db;   // NULL: neither log nor store is embedded
    struct weir_kafka_txn *txn; // the committer's
    struct committer committer;
    struct weir_share *share;
    pthread_t share_thread;
    bool share_started;
    struct recent *recent;
    struct observer *observer;
    struct door *door;
    struct merge *merge;
    struct feeder feeder;
    uint32_t task_count; // one a partition of the topic, whether it is ours or not
    struct task *tasks;
};

struct weir_engine {
    struct weir_run_options options;
    struct weir_backends *backends;
    const char *data_dir;
    char *url;       // of the HTTP server; NULL: none
    char *instance;  // tells the processes of a consumer group apart; NULL: not in one
    int instance_fd; // its lock
    unsigned slot;   // number among the processes that share the data folder
    uint32_t pipeline_count;
    struct pipeline *pipelines;
    uint32_t worker_count;
    pthread_t *workers;
    int wake_fd;                           // eventfd: stop was asked for, or all is done
    atomic_bool running, stopping, ending; // ending: tasks are being finished, or are
    atomic_llong leave_by_us;              // on the monotonic clock, once a stop was asked for; else INT64_MAX
    int64_t started_us, started_ms;
    pthread_mutex_t lock; // task.owned, leaving, busy; error
    pthread_cond_t idle;  // a task was put back
    uint32_t next_task;   // where the next worker starts to look
    bool failed;
    struct weir_error error; // the first one
};

// Which rows of groups that span partitions a commit gives: those that are due; of update queries all that changed; of all windows, ended or not.
enum merge_extent { MERGE_DUE, MERGE_CHANGED, MERGE_ALL };

// engine.c
int64_t engine_leave_by_us(const struct weir_engine *e); // until when a task that ends may wait for the store and for Kafka

// task.c
void task_init(struct task *t, struct pipeline *p, int32_t partition); // an empty slot
void task_drop(struct task *t);
int task_open(struct task *t, struct weir_error *err);   // loads its state; the reader comes later
void task_close(struct task *t);                         // what it counted stays to be seen
bool task_has_work(struct task *t, int64_t now_us);      // something to read, or a timer that is due
int task_step(struct task *t, struct weir_error *err);   // reads a fetch, if there is one, and commits when it is due
int64_t task_log_now_ms(const struct task *t);           // what "now" is for windows that wait for a silent partition
int task_finish(struct task *t, struct weir_error *err); // gives what changed (all open windows under --close) and commits durably

// task_commit.c
int task_restore(struct task *t, struct weir_error *err);
int task_seal(struct task *t, bool durable, enum merge_extent extent, struct weir_error *err); // nothing may be sealed
int task_settle(struct task *t, struct weir_error *err);                                       // commits what is sealed, if its rows are acknowledged
// Both, waiting for the store until deadline_us of the monotonic clock, then WEIR_UNAVAILABLE and WEIR_RETRY.
int task_commit(struct task *t, bool durable, enum merge_extent extent, int64_t deadline_us, struct weir_error *err);
bool task_settle_due(const struct task *t, int64_t now_us);

// task_counts.c
void counts_open(struct task_counts *c, const struct weir_plan *plan);
void counts_drop(struct task_counts *c);
void counts_copy(struct task_counts *to, const struct task_counts *from, const struct weir_plan *plan);
void counts_save(const struct task_counts *c, const struct weir_plan *plan, int64_t next_offset, struct weir_buffer *page);
int counts_restore(struct task_counts *c, const struct weir_plan *plan, int64_t *ret_next_offset, struct weir_str page, struct weir_error *err);

// membership.c: which partitions are ours
int membership_join(struct pipeline *p, struct weir_error *err);
void membership_start(struct pipeline *p); // where partitions can come and go
void membership_stop(struct pipeline *p);  // they stay as they are
void membership_leave(struct pipeline *p);

// pipeline.c
int pipeline_open(struct pipeline *p, struct weir_engine *e, struct weir_plan *plan, struct weir_error *err);
void pipeline_close(struct pipeline *p);
void pipeline_commit_open(const struct pipeline *p, struct weir_commit *ret); // the parts that this pipeline's engines need
void pipeline_commit_drop(struct weir_commit *commit);
size_t pipeline_commit_bytes(const struct weir_commit *commit);
// What is embedded of a commit is applied. With the rest, in a consumer group, the committer is left.
int pipeline_commit_embedded(struct weir_commit *commit, bool durable, struct weir_error *err);

// committer.c
void committer_start(struct pipeline *p);
void committer_stop(struct pipeline *p);
void committer_submit(struct pipeline *p, struct sealed *s);   // its stage tells when it has ended
void committer_withdraw(struct pipeline *p, struct sealed *s); // it is with nobody when this returns

// instance.c
int instance_folder(const char *dir, struct weir_error *err); // makes the data folder, where there is none
int instance_take(const char *data_dir, struct weir_engine *e, struct weir_error *err);
void instance_drop(struct weir_engine *e);

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
void engine_stop_if_done(struct weir_engine *e);                       // under until_end: every task of ours is finished
void engine_say(struct weir_engine *e, const char *format, ...) __attribute__((format(printf, 2, 3)));

// recent.c
struct recent *recent_new(const struct weir_plan *plan, uint32_t rows);
void recent_free(struct recent *r);
void recent_add(struct recent *r, const struct weir_rows *rows);
uint32_t recent_get(struct recent *r, uint32_t query, uint32_t limit, struct weir_arena *arena, struct weir_value ***ret_rows);
uint32_t recent_since(struct recent *r, uint32_t query, uint64_t since, uint32_t limit, struct weir_arena *arena, struct weir_value ***ret_rows,
                      uint64_t *ret_next);

// observe.c
struct observer *observer_new(struct pipeline *p);
void observer_start(struct observer *o);
void observer_join(struct observer *o);
void observer_free(struct observer *o); // these take NULL

// merge.c: all take NULL and then do nothing
struct merge *merge_new(const struct weir_plan *plan, int64_t epoch_us);
void merge_free(struct merge *m);
void merge_begin(struct merge *m, struct pipeline *p); // takes what the tasks were restored with
void merge_lock(struct merge *m);
void merge_unlock(struct merge *m);
void merge_take(struct merge *m, struct task *t); // under the lock
int merge_give(struct merge *m, struct task *t, enum merge_extent extent, int64_t silent_now_ms,
               struct weir_error *err);                    // likewise, into the task's commit
void merge_settled(struct merge *m, const struct task *t); // likewise: what it gave is in the tables
void merge_silence(struct merge *m, uint32_t partition, uint32_t query, bool silent);
int64_t merge_wait_us(const struct weir_query_spec *query); // between givings of its rows
bool merge_due(struct merge *m, const struct task *t, int64_t now_us);

// partials.c: all take NULL and then do nothing
int partials_topic(struct pipeline *p, struct weir_error *err);
int partials_open(struct task *t, int64_t epoch_us, struct weir_error *err);
void partials_close(struct partials *x);
void partials_export(struct task *t);                                                // what changed in the task's core, into its commit
int partials_step(struct task *t, enum merge_extent extent, struct weir_error *err); // what came from others; rows that are due
int partials_finish(struct task *t, struct weir_error *err);                         // all that has come by now
bool partials_due(struct task *t, int64_t now_us);
void partials_silence(struct task *t, uint32_t query, bool silent);

// door.c
struct door *door_new(struct pipeline *p);
void door_free(struct door *d);
int door_post(struct door *d, struct weir_str json, uint64_t *ret_count, struct weir_error *err);

// status.c
int status_write(struct weir_engine *e, struct weir_error *err);
void status_remove(struct weir_engine *e);
