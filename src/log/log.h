// SPDX-License-Identifier: Apache-2.0
// The log: topics of partitions of records. Two kinds stand behind it, embedded (log/embedded) and Kafka (log/kafka). Fetches hand over whole record
// batches, or, where a client library has taken those apart already, records.
#pragma once
#include "base/arena.h"
#include "base/error.h"
#include "embedded/embedded.h"
#include "kafka/kafka.h"
#include "log/dead.h"
#include "log/record.h"

struct weir_log;

int weir_log_embedded(struct weir_embedded *db, struct weir_log **ret, struct weir_error *err);
// `kafka` must outlive the log. `pipeline` names what weir keeps beside the topic (feed positions) and the consumer group; NULL for tools.
int weir_log_kafka(struct weir_kafka *kafka, const char *pipeline, struct weir_log **ret, struct weir_error *err);
void weir_log_close(struct weir_log *log);
bool weir_log_healthy(struct weir_log *log, struct weir_buffer *reasons); // as weir_store_healthy

// ---- topics (thread-safe)

struct weir_topic_config {
    const char *name;
    int32_t partitions, replication;
    int64_t retention_ms; // 0: for ever
};

struct weir_partition_info {
    int64_t start_offset, end_offset; // end: the next record's offset; start == end: empty
    int64_t bytes;                    // kept, about; -1: not known
};

// A topic that exists with as many partitions is left as it is (its retention is updated); with another number it is WEIR_BAD_CONFIG.
int weir_topic_create(struct weir_log *log, const struct weir_topic_config *config, struct weir_error *err);
int weir_topic_delete(struct weir_log *log, const char *name, struct weir_error *err);
// A topic that does not exist is WEIR_BAD_DATA with the nearest name.
int weir_topic_describe(struct weir_log *log, const char *name, struct weir_arena *arena, struct weir_topic_config *ret,
                        struct weir_partition_info **ret_partitions, struct weir_error *err);
int weir_topic_list(struct weir_log *log, int (*visit)(void *context, const struct weir_topic_config *config), void *context, struct weir_error *err);

// Deletes whole batches that were appended more than the topic's retention before now_ms, up to but not including offset keep_from[partition].
int weir_topic_expire(struct weir_log *log, const char *name, int64_t now_ms, const int64_t *keep_from, struct weir_error *err);

// ---- producing (one producer belongs to one thread; several producers may append to one topic)

struct weir_producer;

// `feed` names the position that is kept with the records, or NULL.
int weir_producer_open(struct weir_log *log, const char *topic, const char *feed, struct weir_producer **ret, struct weir_error *err);
void weir_producer_close(struct weir_producer *p); // drops what was not flushed
// The position that was stored with the last durable append; empty: none yet. Valid until the next flush.
struct weir_str weir_producer_position(const struct weir_producer *p);

// Buffers a record; the key decides the partition as Kafka's default partitioner does (murmur2), a null key goes round.
void weir_producer_add(struct weir_producer *p, int64_t timestamp_ms, struct weir_str key, bool null_key, struct weir_str value);
// Buffers a dead letter of the feed itself, to be stored in the same append; `dead` is the pipeline's.
void weir_producer_dead(struct weir_producer *p, struct weir_dead *dead, const struct weir_dead_letter *letter);
// Buffers the deletion of a letter whose event is among the records, to be stored in the same append.
void weir_producer_replayed(struct weir_producer *p, struct weir_dead *dead, const struct weir_dead_letter *letter);
size_t weir_producer_bytes(const struct weir_producer *p); // buffered

// Appends everything buffered and the feed's new position (if it has bytes) as one: after a crash all of it is there or nothing. Durable when it returns.
// Kafka: letters and position after the records; a record that is there without its position is left out when the feed gives it again, by the next
// producer of that feed. WEIR_FAILED with WEIR_RETRY: another process feeds this feed now; stop feeding, nothing else is wrong.
// While brokers are away it waits.
int weir_producer_flush(struct weir_producer *p, struct weir_str position, struct weir_error *err);
void weir_producer_stop(struct weir_producer *p); // any thread: adding and flushing wait no longer, for good

// ---- reading (one reader belongs to one thread)

struct weir_reader;

struct weir_fetch { // in offset order: whole record batches, CRC checked, or records; one of the two is empty
    const struct weir_str *batches;
    uint32_t count;
    const struct weir_record *records;
    uint32_t record_count;
    int64_t next_offset; // after the last record
};

int weir_reader_open(struct weir_log *log, const char *topic, int32_t partition, int64_t offset, struct weir_reader **ret, struct weir_error *err);
void weir_reader_close(struct weir_reader *r);
// Batches from the reader's offset on, at least one if there is any, else up to max_bytes; count 0 at the end of the partition. Never waits.
// The first batch may begin with records before the offset asked for: skip them. Views are valid until the next call.
// An offset before the partition's start moves up to it, and *ret_lost says how many records were missed. A damaged batch is WEIR_IO and WEIR_STOP,
// naming topic, partition, offset.
int weir_reader_fetch(struct weir_reader *r, size_t max_bytes, struct weir_fetch *ret, int64_t *ret_lost, struct weir_error *err);
int64_t weir_reader_end_offset(const struct weir_reader *r); // of the partition, as far as known now
bool weir_reader_ready(
    const struct weir_reader *r); // a fetch would give something now; cheap, and by the thread that has the reader or under its lock
// Everything that was in the partition when this was called has been fetched. May ask the broker: for runs that stop at the end.
bool weir_reader_at_end(struct weir_reader *r);

// ---- sharing: which partitions of a topic this process reads. Embedded: all of them, at once and for ever. Kafka: what the consumer group gives.

struct weir_share;

struct weir_sharer { // called in the thread that calls weir_share_poll, one at a time
    void *context;
    // Ours: where to read from. *ret_offset comes in as what the group has committed; INT64_MIN: nothing, and with the embedded log always.
    int (*assigned)(void *context, int32_t partition, int64_t *ret_offset, struct weir_error *err);
    void (*opened)(void *context, int32_t partition, struct weir_reader *reader); // and this reads it; closed by the share
    void (*revoked)(void *context, int32_t partition, bool lost);                 // commit and let go; lost: let go, nothing may be committed
};

int weir_share_join(struct weir_log *log, const char *topic, const char *instance, const struct weir_sharer *sharer, struct weir_share **ret,
                    struct weir_error *err);
// Serves changes; call it all the time from one thread. Waits up to timeout_ms.
int weir_share_poll(struct weir_share *s, int64_t timeout_ms, struct weir_error *err);
void weir_share_wake(struct weir_share *s);                            // ends a wait; any thread
void weir_share_leave(struct weir_share *s);                           // revokes all, leaves; takes NULL
bool weir_share_settled(const struct weir_share *s);                   // who reads what has been said once, be it that nothing is ours
struct weir_kafka_group *weir_share_group(const struct weir_share *s); // NULL: embedded

// Waits until something was appended to any topic since *seen, or timeout_ms passed; updates *seen. Start with 0. Any thread.
void weir_log_wait(struct weir_log *log, uint64_t *seen, int64_t timeout_ms);
void weir_log_wake(struct weir_log *log); // ends all waits
