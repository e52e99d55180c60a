// SPDX-License-Identifier: Apache-2.0
// Kafka, as log, state and dead letters see it: one connection's properties, administration, a consumer group's membership, plain reading of a
// partition, an idempotent producer and a transactional one. Everything librdkafka is behind this header; errors name the broker, topic or right
// that is missing. Property names are librdkafka's own and pass through.
//
// Threads: a struct weir_kafka may be used by all; the other objects say.
#pragma once
#include "base/arena.h"
#include "base/buffer.h"
#include "base/commit.h"
#include "base/error.h"
#include "base/table.h"

struct weir_kafka;

// `url`: kafka://host:port[,host:port…]. Connects nowhere yet. An unknown property is WEIR_BAD_CONFIG and named.
int weir_kafka_new(const char *url, uint32_t option_count, const struct weir_option *options, struct weir_kafka **ret, struct weir_error *err);
void weir_kafka_free(struct weir_kafka *k); // after everything made from it; takes NULL
const char *weir_kafka_brokers(const struct weir_kafka *k);
// Waits until a broker answers, at most timeout_ms; else WEIR_UNAVAILABLE naming the addresses and the reason (refused, DNS, TLS, login…).
int weir_kafka_reach(struct weir_kafka *k, int64_t timeout_ms, struct weir_error *err);
// False while brokers are away; then `reasons` gets one line. Cheap: from what the clients' callbacks said last.
bool weir_kafka_healthy(struct weir_kafka *k, struct weir_buffer *reasons);

// For a process that ends, from any thread: what would wait for other processes' transactions (scans, partitions that come, a transaction's fate) fails
// after a second with WEIR_RETRY.
void weir_kafka_hurry(struct weir_kafka *k);

// ---- administration (blocking, up to 30 s)

struct weir_kafka_topic {
    const char *name;
    int32_t partitions, replication;
    int64_t retention_ms; // 0: for ever (-1 in Kafka)
    bool compacted;       // an internal topic: cleanup.policy=compact with sane segment and dirty-ratio settings
};

// Existing with as many partitions: *ret_created false, retention is altered where it differs; with another number WEIR_BAD_CONFIG.
int weir_kafka_topic_create(struct weir_kafka *k, const struct weir_kafka_topic *topic, bool *ret_created, struct weir_error *err);
// A topic that weir keeps for itself: made where it is missing, else taken as it is; for that no right is needed but to use it.
int weir_kafka_topic_need(struct weir_kafka *k, const struct weir_kafka_topic *topic, struct weir_error *err);
int weir_kafka_topic_delete(struct weir_kafka *k, const char *name, struct weir_error *err); // WEIR_BAD_DATA where there is none
int weir_kafka_topic_empty(struct weir_kafka *k, const char *name, struct weir_error *err);  // deletes all its records
// Partitions, replication, retention, cleanup policy. WEIR_BAD_DATA with the nearest name where there is none.
int weir_kafka_topic_describe(struct weir_kafka *k, const char *name, struct weir_arena *arena, struct weir_kafka_topic *ret, struct weir_error *err);
// The first two alone, which every client may ask for, whatever its rights to settings.
int weir_kafka_topic_shape(struct weir_kafka *k, const char *name, int32_t *ret_partitions, int32_t *ret_replication, struct weir_error *err);
int weir_kafka_topic_list(struct weir_kafka *k, int (*visit)(void *context, const struct weir_kafka_topic *topic), void *context,
                          struct weir_error *err);
int weir_kafka_offsets(struct weir_kafka *k, const char *topic, int32_t partition, int64_t *ret_start, int64_t *ret_end, struct weir_error *err);

// ---- messages

struct weir_kafka_header {
    const char *name;
    struct weir_str value;
};

struct weir_kafka_message { // views, valid as the function that gives them says
    int32_t partition;
    int64_t offset, timestamp_ms;
    struct weir_str key, value;
    bool null_key, null_value;
};

// Reads a partition from an offset (INT64_MIN: its start) to its end as of the call, committed records only, outside any group. Compacted topics have gaps.
// *ret_next (may be NULL) is the offset to go on from. A failure of visit ends the walk and is returned.
int weir_kafka_scan(struct weir_kafka *k, const char *topic, int32_t partition, int64_t offset,
                    int (*visit)(void *context, const struct weir_kafka_message *m, const struct weir_kafka_header *headers, uint32_t header_count,
                                 struct weir_error *err),
                    void *context, int64_t *ret_next, struct weir_error *err);
// Fails where a partition may not be read, which a scan of one that is empty would not find out. Takes some 50 ms.
int weir_kafka_readable(struct weir_kafka *k, const char *topic, int32_t partition, struct weir_error *err);

// ---- reading in bulk: one open partition, for one thread. Members of a group get theirs from the group, others by weir_kafka_partition_open.

struct weir_kafka_partition;

int weir_kafka_partition_open(struct weir_kafka *k, const char *topic, int32_t partition, int64_t offset, struct weir_kafka_partition **ret,
                              struct weir_error *err);
void weir_kafka_partition_close(struct weir_kafka_partition *p);
// Records from where it stands, in order, without waiting; views are valid until the next call. Fills up to `max` of them and returns how many; -1: error
// (WEIR_RETRY: trouble that passes is not reported here but by weir_kafka_healthy). *ret_lost: records that retention took before they were read.
int weir_kafka_partition_read(struct weir_kafka_partition *p, struct weir_kafka_message *messages, uint32_t max, int64_t *ret_lost,
                              struct weir_error *err);
int64_t weir_kafka_partition_end(
    const struct weir_kafka_partition *p); // the next record's offset as far as known (last stable offset); never behind what was read
int64_t weir_kafka_partition_high(const struct weir_kafka_partition *p); // the same without what was read; -1: not known yet. Any thread
bool weir_kafka_partition_at_end(const struct weir_kafka_partition *p);  // everything there was at its end has been given
bool weir_kafka_partition_ready(const struct weir_kafka_partition *p);   // a read would find something now, be it only the end; cheap

// ---- membership of a consumer group: partitions of one topic, shared between processes. Every change takes back all partitions first
// (the eager protocol, assignor "range"): librdkafka 2.0.2 has faults in its cooperative one by which two members could hold a partition at once.

struct weir_kafka_group;

struct weir_kafka_member { // called in the thread that calls weir_kafka_group_poll, one at a time
    void *context;
    // This partition is ours from now on, and transactions may commit its offset: say where to read from (INT64_MIN: the start). *ret_offset comes in
    // as what the group has committed, or INT64_MIN; every transaction that could still change it or the partition's state has ended. A failure ends
    // the membership and comes out of poll.
    int (*assigned)(void *context, int32_t partition, int64_t *ret_offset, struct weir_error *err);
    // And this is where it is read; called right after, when fetching has begun.
    void (*opened)(void *context, int32_t partition, struct weir_kafka_partition *p);
    // It goes: finish and commit, then return; the partition object is closed after. lost: it is no longer ours already, commit nothing.
    void (*revoked)(void *context, int32_t partition, bool lost);
};

int weir_kafka_group_join(struct weir_kafka *k, const char *group, const char *topic, const char *instance, const struct weir_kafka_member *member,
                          struct weir_kafka_group **ret, struct weir_error *err);
// Serves rebalances and errors; call it all the time. Waits up to timeout_ms.
int weir_kafka_group_poll(struct weir_kafka_group *g, int64_t timeout_ms, struct weir_error *err);
void weir_kafka_group_wake(struct weir_kafka_group *g);          // ends a wait; any thread
void weir_kafka_group_leave(struct weir_kafka_group *g);         // revokes what it has, then leaves; takes NULL
bool weir_kafka_group_settled(const struct weir_kafka_group *g); // the group has said once what is ours, be it nothing
int weir_kafka_group_members(struct weir_kafka *k, const char *group, uint32_t *ret_count,
                             struct weir_error *err); // of any group: how many it has now
// Wakes `wake(context)` from a librdkafka thread when a partition's queue becomes non-empty.
void weir_kafka_group_on_records(struct weir_kafka_group *g, void (*wake)(void *context), void *context);

// ---- producing: idempotent; one thread at a time. The key decides the partition as the Java client does (murmur2), a null key goes round.

struct weir_kafka_producer;

int weir_kafka_producer_open(struct weir_kafka *k, const char *topic, struct weir_kafka_producer **ret, struct weir_error *err);
void weir_kafka_producer_close(struct weir_kafka_producer *p);
void weir_kafka_producer_add(struct weir_kafka_producer *p, int64_t timestamp_ms, struct weir_str key, bool null_key, struct weir_str value);
size_t weir_kafka_producer_bytes(const struct weir_kafka_producer *p);
// The offset behind the last record that was acknowledged in a partition; -1: none of this producer's yet.
int64_t weir_kafka_producer_end(const struct weir_kafka_producer *p, int32_t partition);
// Returns when everything added is acknowledged; while brokers are away it waits (weir_kafka_healthy says so) until stopped: then WEIR_RETRY.
// A record that Kafka will never take fails the flush, with the others acknowledged.
int weir_kafka_producer_flush(struct weir_kafka_producer *p, struct weir_error *err);
void weir_kafka_producer_stop(struct weir_kafka_producer *p); // any thread: adds and flushes wait no longer, for good

// ---- messages kept until a transaction takes them (see base/commit.h); one thread

struct weir_kafka_batch *weir_kafka_batch_new(void);
void weir_kafka_batch_free(struct weir_kafka_batch *b); // takes NULL
void weir_kafka_batch_clear(struct weir_kafka_batch *b);
size_t weir_kafka_batch_bytes(const struct weir_kafka_batch *b);
// Copies everything. value.data NULL: a tombstone.
void weir_kafka_batch_add(struct weir_kafka_batch *b, const char *topic, int32_t partition, int64_t timestamp_ms, struct weir_str key, bool null_key,
                          struct weir_str value, const struct weir_kafka_header *headers, uint32_t header_count);

// ---- transactions: what a task changes outside the tables, all or nothing, together with the offset it has read to (KIP-447). One producer a
// process and pipeline, transactional.id PIPELINE-INSTANCE; one thread at a time. A zombie's commit is refused.

struct weir_kafka_txn;

int weir_kafka_txn_open(struct weir_kafka *k, const char *transactional_id, struct weir_kafka_txn **ret, struct weir_error *err);
void weir_kafka_txn_close(struct weir_kafka_txn *t); // an open transaction is aborted
int weir_kafka_txn_begin(struct weir_kafka_txn *t, struct weir_error *err);
int weir_kafka_txn_add(struct weir_kafka_txn *t, const struct weir_kafka_batch *batch, struct weir_error *err); // all messages of the batch
// Offset and metadata of a partition the group has given us. NULL group: no offset belongs to it.
int weir_kafka_txn_offset(struct weir_kafka_txn *t, struct weir_kafka_group *g, int32_t partition, int64_t next_offset, const char *metadata,
                          struct weir_error *err);
enum weir_kafka_fate { WEIR_KAFKA_DONE, WEIR_KAFKA_ABORTED, WEIR_KAFKA_FENCED };
// DONE: durable. ABORTED: nothing of it counts, the same may be tried again from the last commit. FENCED: another process has the partition or the id.
// Waits out broker trouble up to the transaction's timeout. -1 with WEIR_RETRY: not known yet which; call it again. After ABORTED and FENCED begin works.
// Where no offset of a group's tells what became of it, it counts as ABORTED: such a batch must do no harm when it is committed twice.
// -1 otherwise: it was aborted for want of a right, and so would be the next.
int weir_kafka_txn_commit(struct weir_kafka_txn *t, enum weir_kafka_fate *ret, struct weir_error *err);
// Whether a batch could be committed: fails where a right is missing. It is written and given up; should it take long, it is committed: it must do no harm.
int weir_kafka_txn_try(struct weir_kafka_txn *t, const struct weir_kafka_batch *batch, struct weir_error *err);
void weir_kafka_txn_abort(struct weir_kafka_txn *t);
