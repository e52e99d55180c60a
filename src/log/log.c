// SPDX-License-Identifier: Apache-2.0
#include "log/log.h"

#include "log/ops.h"

void weir_log_close(struct weir_log *log)
{
    if (log)
        log->ops->close(log);
}

bool weir_log_healthy(struct weir_log *log, struct weir_buffer *reasons)
{
    return log->ops->healthy(log, reasons);
}

void weir_log_wait(struct weir_log *log, uint64_t *seen, int64_t timeout_ms)
{
    log->ops->wait(log, seen, timeout_ms);
}

void weir_log_wake(struct weir_log *log)
{
    log->ops->wake(log);
}

// ---- topics

int weir_topic_create(struct weir_log *log, const struct weir_topic_config *config, struct weir_error *err)
{
    return log->ops->topic_create(log, config, err);
}

int weir_topic_delete(struct weir_log *log, const char *name, struct weir_error *err)
{
    return log->ops->topic_delete(log, name, err);
}

int weir_topic_describe(struct weir_log *log, const char *name, struct weir_arena *arena, struct weir_topic_config *ret,
                        struct weir_partition_info **ret_partitions, struct weir_error *err)
{
    return log->ops->topic_describe(log, name, arena, ret, ret_partitions, err);
}

int weir_topic_list(struct weir_log *log, int (*visit)(void *context, const struct weir_topic_config *config), void *context, struct weir_error *err)
{
    return log->ops->topic_list(log, visit, context, err);
}

int weir_topic_expire(struct weir_log *log, const char *name, int64_t now_ms, const int64_t *keep_from, struct weir_error *err)
{
    return log->ops->topic_expire(log, name, now_ms, keep_from, err);
}

// ---- producing

int weir_producer_open(struct weir_log *log, const char *topic, const char *feed, struct weir_producer **ret, struct weir_error *err)
{
    return log->ops->producer_open(log, topic, feed, ret, err);
}

void weir_producer_close(struct weir_producer *p)
{
    if (p)
        p->ops->close(p);
}

struct weir_str weir_producer_position(const struct weir_producer *p)
{
    return p->ops->position(p);
}

void weir_producer_add(struct weir_producer *p, int64_t timestamp_ms, struct weir_str key, bool null_key, struct weir_str value)
{
    p->ops->add(p, timestamp_ms, key, null_key, value);
}

void weir_producer_dead(struct weir_producer *p, struct weir_dead *dead, const struct weir_dead_letter *letter)
{
    p->ops->dead(p, dead, letter);
}

void weir_producer_replayed(struct weir_producer *p, struct weir_dead *dead, const struct weir_dead_letter *letter)
{
    p->ops->replayed(p, dead, letter);
}

size_t weir_producer_bytes(const struct weir_producer *p)
{
    return p->ops->bytes(p);
}

int weir_producer_flush(struct weir_producer *p, struct weir_str position, struct weir_error *err)
{
    return p->ops->flush(p, position, err);
}

void weir_producer_stop(struct weir_producer *p)
{
    p->ops->stop(p);
}

// ---- reading

int weir_reader_open(struct weir_log *log, const char *topic, int32_t partition, int64_t offset, struct weir_reader **ret, struct weir_error *err)
{
    return log->ops->reader_open(log, topic, partition, offset, ret, err);
}

void weir_reader_close(struct weir_reader *r)
{
    if (r)
        r->ops->close(r);
}

int weir_reader_fetch(struct weir_reader *r, size_t max_bytes, struct weir_fetch *ret, int64_t *ret_lost, struct weir_error *err)
{
    return r->ops->fetch(r, max_bytes, ret, ret_lost, err);
}

bool weir_reader_ready(const struct weir_reader *r)
{
    return r->ops->ready(r);
}

bool weir_reader_at_end(struct weir_reader *r)
{
    return r->ops->at_end(r);
}

int64_t weir_reader_end_offset(const struct weir_reader *r)
{
    return r->ops->end_offset(r);
}

// ---- sharing

int weir_share_join(struct weir_log *log, const char *topic, const char *instance, const struct weir_sharer *sharer, struct weir_share **ret,
                    struct weir_error *err)
{
    return log->ops->share_join(log, topic, instance, sharer, ret, err);
}

int weir_share_poll(struct weir_share *s, int64_t timeout_ms, struct weir_error *err)
{
    return s->ops->poll(s, timeout_ms, err);
}

void weir_share_wake(struct weir_share *s)
{
    s->ops->wake(s);
}

void weir_share_leave(struct weir_share *s)
{
    if (s)
        s->ops->leave(s);
}

bool weir_share_settled(const struct weir_share *s)
{
    return s->ops->settled(s);
}

struct weir_kafka_group *weir_share_group(const struct weir_share *s)
{
    return s->ops->group(s);
}

// ---- for all kinds

enum { NAME_BYTES_MAX = 249, PARTITIONS_MAX = 4096 };

static bool name_is_legal(const char *name)
{
    size_t bytes = strlen(name);
    static const char legal[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";
    return bytes > 0 && bytes <= NAME_BYTES_MAX && strspn(name, legal) == bytes && strcmp(name, ".") != 0 && strcmp(name, "..") != 0;
}

int log_check_topic(const struct weir_topic_config *config, struct weir_error *err)
{
    if (!name_is_legal(config->name))
        return weir_fail(err, WEIR_BAD_CONFIG, WEIR_STOP, "'%.64s' is no topic name: letters, digits, '.', '_' and '-', at most %d", config->name,
                         NAME_BYTES_MAX);
    if (config->partitions < 1 || config->partitions > PARTITIONS_MAX)
        return weir_fail(err, WEIR_BAD_CONFIG, WEIR_STOP, "topic '%s' cannot have %d partitions: 1 to %d", config->name, config->partitions,
                         PARTITIONS_MAX);
    if (config->retention_ms < 0)
        return weir_fail(err, WEIR_BAD_CONFIG, WEIR_STOP, "topic '%s' cannot have a negative retention", config->name);
    return 0;
}
