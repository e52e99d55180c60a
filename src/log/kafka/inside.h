// SPDX-License-Identifier: Apache-2.0
// The log on Kafka, inside. Beside a pipeline's topic it keeps:
//
//   PIPELINE-feeds         compacted, one partition: how far feeds are (position.c)
//   PIPELINE-dead-letters  as many partitions as the topic has (dead.c)
//
// Both are written in transactions and read as committed; the pipeline's own topic is written by a plain producer, so that every client reads it.
#pragma once
#include "log/news.h"
#include "log/ops.h"

#include <stdatomic.h>

struct kafka_log {
    struct weir_log base;
    struct weir_kafka *kafka;
    char *pipeline; // or NULL
    struct log_news news;
    atomic_int deaf_readers; // outside of groups: nobody tells when there is something for them
};

static inline struct kafka_log *kafka_log_of(struct weir_log *log)
{
    return (struct kafka_log *)log;
}

// ---- topic.c

int kafka_topic_create(struct weir_log *log, const struct weir_topic_config *config, struct weir_error *err);
int kafka_topic_delete(struct weir_log *log, const char *name, struct weir_error *err);
int kafka_topic_describe(struct weir_log *log, const char *name, struct weir_arena *arena, struct weir_topic_config *ret,
                         struct weir_partition_info **ret_partitions, struct weir_error *err);
int kafka_topic_list(struct weir_log *log, int (*visit)(void *context, const struct weir_topic_config *config), void *context,
                     struct weir_error *err);
int kafka_topic_expire(struct weir_log *log, const char *name, int64_t now_ms, const int64_t *keep_from, struct weir_error *err);

// ---- producer.c, reader.c, share.c

int kafka_producer_open(struct weir_log *log, const char *topic, const char *feed, struct weir_producer **ret, struct weir_error *err);
int kafka_reader_open(struct weir_log *log, const char *topic, int32_t partition, int64_t offset, struct weir_reader **ret, struct weir_error *err);
int kafka_share_join(struct weir_log *log, const char *topic, const char *instance, const struct weir_sharer *sharer, struct weir_share **ret,
                     struct weir_error *err);

// A reader of a partition that the group has given; closing it leaves the partition to the group.
struct weir_reader *kafka_reader_of_group(struct kafka_log *log, const char *topic, int32_t partition, int64_t offset,
                                          struct weir_kafka_partition *given);

// ---- position.c: how far a feed is

struct feed_position {
    struct weir_buffer feed; // what the feed says of itself; empty: nothing yet
    int64_t *ends;           // by partition of the topic: where the feed's next records go
    int32_t partitions;
    bool stored;
};

void feed_position_drop(struct feed_position *p);
// Reads what is stored; with nothing stored, `ends` are the topic's ends now.
int feed_position_load(struct kafka_log *log, const char *topic, const char *feed, int32_t partitions, struct feed_position *ret,
                       struct weir_error *err);
void feed_position_put(const struct feed_position *p, const char *pipeline, const char *topic, const char *feed, struct weir_kafka_batch *batch);

// ---- tail.c: records behind a feed's position. A producer that died between its records and its position left them; the feed gives them again.

struct feed_tail;

// NULL where there are none.
int feed_tail_load(struct kafka_log *log, const char *topic, const struct feed_position *position, struct feed_tail **ret, struct weir_error *err);
void feed_tail_free(struct feed_tail *t); // takes NULL
// Whether this record is in the log already: then it is not to be produced again, and `position` moves over it. Each record of the tail answers once.
bool feed_tail_take(struct feed_tail *t, struct weir_str key, bool null_key, struct weir_str value, struct feed_position *position);
bool feed_tail_spent(const struct feed_tail *t); // nothing more will be found
