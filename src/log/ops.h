// SPDX-License-Identifier: Apache-2.0
// What a kind of log does; contracts are log.h's and dead.h's. Each kind's own structs begin with these.
#pragma once
#include "log/log.h"

struct log_ops {
    void (*close)(struct weir_log *log);
    bool (*healthy)(struct weir_log *log, struct weir_buffer *reasons);
    int (*topic_create)(struct weir_log *log, const struct weir_topic_config *config, struct weir_error *err);
    int (*topic_delete)(struct weir_log *log, const char *name, struct weir_error *err);
    int (*topic_describe)(struct weir_log *log, const char *name, struct weir_arena *arena, struct weir_topic_config *ret,
                          struct weir_partition_info **ret_partitions, struct weir_error *err);
    int (*topic_list)(struct weir_log *log, int (*visit)(void *context, const struct weir_topic_config *config), void *context,
                      struct weir_error *err);
    int (*topic_expire)(struct weir_log *log, const char *name, int64_t now_ms, const int64_t *keep_from, struct weir_error *err);
    int (*producer_open)(struct weir_log *log, const char *topic, const char *feed, struct weir_producer **ret, struct weir_error *err);
    int (*reader_open)(struct weir_log *log, const char *topic, int32_t partition, int64_t offset, struct weir_reader **ret, struct weir_error *err);
    int (*share_join)(struct weir_log *log, const char *topic, const char *instance, const struct weir_sharer *sharer, struct weir_share **ret,
                      struct weir_error *err);
    void (*wait)(struct weir_log *log, uint64_t *seen, int64_t timeout_ms);
    void (*wake)(struct weir_log *log);
};

struct weir_log {
    const struct log_ops *ops;
};

struct producer_ops {
    void (*close)(struct weir_producer *p);
    struct weir_str (*position)(const struct weir_producer *p);
    void (*add)(struct weir_producer *p, int64_t timestamp_ms, struct weir_str key, bool null_key, struct weir_str value);
    void (*dead)(struct weir_producer *p, struct weir_dead *dead, const struct weir_dead_letter *letter);
    void (*replayed)(struct weir_producer *p, struct weir_dead *dead, const struct weir_dead_letter *letter);
    size_t (*bytes)(const struct weir_producer *p);
    int (*flush)(struct weir_producer *p, struct weir_str position, struct weir_error *err);
    void (*stop)(struct weir_producer *p);
};

struct weir_producer {
    const struct producer_ops *ops;
};

struct reader_ops {
    void (*close)(struct weir_reader *r);
    int (*fetch)(struct weir_reader *r, size_t max_bytes, struct weir_fetch *ret, int64_t *ret_lost, struct weir_error *err);
    int64_t (*end_offset)(const struct weir_reader *r);
    bool (*ready)(const struct weir_reader *r);
    bool (*at_end)(struct weir_reader *r);
};

struct weir_reader {
    const struct reader_ops *ops;
};

struct share_ops {
    int (*poll)(struct weir_share *s, int64_t timeout_ms, struct weir_error *err);
    void (*wake)(struct weir_share *s);
    void (*leave)(struct weir_share *s);
    bool (*settled)(const struct weir_share *s);
    struct weir_kafka_group *(*group)(const struct weir_share *s);
};

struct weir_share {
    const struct share_ops *ops;
};

struct dead_ops {
    void (*close)(struct weir_dead *d);
    void (*put)(struct weir_dead *d, const struct weir_commit *commit, const struct weir_dead_letter *letter);
    void (*remove)(struct weir_dead *d, const struct weir_commit *commit, const struct weir_dead_letter *letter);
    int (*scan)(struct weir_dead *d, int reason, int (*visit)(void *context, const struct weir_dead_letter *letter), void *context,
                struct weir_error *err);
};

struct weir_dead {
    const struct dead_ops *ops;
};

enum { DEAD_TEXT_BYTES_MAX = 1 << 20 }; // longer keys, values and texts are cut

// A name that Kafka takes, and numbers that make sense; else WEIR_BAD_CONFIG.
int log_check_topic(const struct weir_topic_config *config, struct weir_error *err);
