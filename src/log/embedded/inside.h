// SPDX-License-Identifier: Apache-2.0
// The embedded log, inside. In family log: number u64 → a record batch. Numbers grow with every batch of every topic, so that files hold consecutive
// numbers and are never rewritten, only moved down and, when all in them has expired, dropped. In family meta, numbers big-endian:
//
//   topic/NAME                               → id u32 | partitions u32 | replication u32 | retention_ms u64
//   next-topic-id                            → u32; ids are never used again, so that a name may be
//   partition/ id u32 | partition u32        → start offset u64 | end offset u64 | bytes u64
//   index/ id u32 | partition u32 | base u64 → appended_ms u64 | batch number u64 | batch bytes u32
//   feed/ id u32 | NAME                      → position of a feed
#pragma once
#include "embedded/db.h"
#include "log/news.h"
#include "log/ops.h"

#include <pthread.h>
#include <stdatomic.h>

struct log_partition {
    atomic_int_fast64_t start, end; // what readers see: moved only once it is durable
    atomic_int_fast64_t bytes;
};

struct log_topic {
    struct log_topic *next;
    uint32_t id;
    char *name;
    int32_t partitions, replication;
    atomic_int_fast64_t retention_ms;
    atomic_bool deleted;
    pthread_mutex_t append; // held from the choice of offsets until they are durable
    struct log_partition *partition;
};

struct embedded_log {
    struct weir_log base;
    struct weir_embedded *db;
    pthread_mutex_t mutex;    // guards topics
    struct log_topic *topics; // deleted ones too, until the log is closed
    atomic_uint_fast64_t generation;

    pthread_rwlock_t appending; // read-locked from the choice of numbers until their batches are committed
    pthread_mutex_t number_mutex;
    uint64_t next_number; // of batches

    struct log_news news;
};

struct log_key {
    uint32_t bytes;
    char data[32];
};

static inline struct embedded_log *embedded_log_of(struct weir_log *log)
{
    return (struct embedded_log *)log;
}

static inline struct weir_str log_key_view(const struct log_key *key)
{
    return (struct weir_str){key->data, key->bytes};
}

// ---- keys.c

struct log_key log_batch_key(uint64_t number);
struct log_key log_partition_key(uint32_t topic, uint32_t partition);
struct log_key log_index_key(uint32_t topic, uint32_t partition, int64_t base_offset);
void log_feed_key(uint32_t topic, const char *feed, struct weir_buffer *out);
void log_topic_key(const char *name, struct weir_buffer *out);
void log_put_partition(struct weir_txn *txn, const struct log_topic *topic, uint32_t partition, int64_t start, int64_t end, int64_t bytes);
struct log_index_entry {
    int64_t appended_ms;
    uint64_t number;
    uint32_t bytes;
};
void log_put_index(struct weir_txn *txn, const struct log_topic *topic, uint32_t partition, int64_t base_offset, const struct log_index_entry *entry);
int64_t log_index_offset(struct weir_str key);                                                                 // of an index key
int log_index_entry(struct weir_str value, struct log_index_entry *ret);                                       // -1: damaged
struct weir_walk *log_index_walk(struct embedded_log *log, const struct log_topic *topic, uint32_t partition); // at its first batch

// ---- topic.c

// A reader of the data folder looks at what its owner wrote since.
int log_sync(struct embedded_log *log, struct weir_error *err);
int log_find(struct embedded_log *log, const char *name, struct log_topic **ret, struct weir_error *err);
int log_load_topics(struct embedded_log *log, struct weir_error *err);
void log_free_topics(struct embedded_log *log);

int embedded_topic_create(struct weir_log *log, const struct weir_topic_config *config, struct weir_error *err);
int embedded_topic_delete(struct weir_log *log, const char *name, struct weir_error *err);
int embedded_topic_describe(struct weir_log *log, const char *name, struct weir_arena *arena, struct weir_topic_config *ret,
                            struct weir_partition_info **ret_partitions, struct weir_error *err);
int embedded_topic_list(struct weir_log *log, int (*visit)(void *context, const struct weir_topic_config *config), void *context,
                        struct weir_error *err);

// ---- producer.c, reader.c, share.c

int embedded_producer_open(struct weir_log *log, const char *topic, const char *feed, struct weir_producer **ret, struct weir_error *err);
int embedded_reader_open(struct weir_log *log, const char *topic, int32_t partition, int64_t offset, struct weir_reader **ret,
                         struct weir_error *err);
int embedded_share_join(struct weir_log *log, const char *topic, const char *instance, const struct weir_sharer *sharer, struct weir_share **ret,
                        struct weir_error *err);

// ---- embedded.c

int log_next_number(struct embedded_log *log, uint64_t *ret, struct weir_error *err);

// ---- expire.c

int embedded_topic_expire(struct weir_log *log, const char *name, int64_t now_ms, const int64_t *keep_from, struct weir_error *err);
// Gives back the space of batches that no topic has any more.
int log_reclaim(struct embedded_log *log, struct weir_error *err);
