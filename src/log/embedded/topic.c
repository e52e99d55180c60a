// SPDX-License-Identifier: Apache-2.0
#include "base/memory.h"
#include "base/suggest.h"
#include "log/embedded/inside.h"
#include <endian.h>
#include <stdlib.h>

enum { PARTITIONS_MAX = 4096, SUGGESTED_TOPICS_MAX = 256 };

static const char topic_prefix[] = "topic/", topic_prefix_end[] = "topic0", next_id_key[] = "next-topic-id";

// ---- the catalogue in memory

static struct log_topic *topic_new(uint32_t id, struct weir_str name, int32_t partitions, int32_t replication, int64_t retention_ms)
{
    struct log_topic *topic = weir_zalloc(1, sizeof *topic);
    topic->id = id;
    topic->name = weir_format("%.*s", (int)name.bytes, name.data);
    topic->partitions = partitions;
    topic->replication = replication;
    topic->retention_ms = retention_ms;
    topic->partition = weir_zalloc((size_t)partitions, sizeof *topic->partition);
    pthread_mutex_init(&topic->append, NULL);
    return topic;
}

static void topic_free(struct log_topic *topic)
{
    pthread_mutex_destroy(&topic->append);
    free(topic->partition);
    free(topic->name);
    free(topic);
}

void log_free_topics(struct embedded_log *log)
{
    while (log->topics) {
        struct log_topic *next = log->topics->next;
        topic_free(log->topics);
        log->topics = next;
    }
}

static struct log_topic *topic_by_name(struct embedded_log *log, const char *name)
{
    for (struct log_topic *t = log->topics; t; t = t->next)
        if (!t->deleted && strcmp(t->name, name) == 0)
            return t;
    return NULL;
}

static struct log_topic *topic_by_id(struct embedded_log *log, uint32_t id)
{
    for (struct log_topic *t = log->topics; t; t = t->next)
        if (t->id == id)
            return t;
    return NULL;
}

// ---- what is kept of it

static void put_topic(struct weir_txn *txn, const struct log_topic *topic)
{
    weir_cleanup(weir_buffer_drop) struct weir_buffer key = {0}, value = {0};
    log_topic_key(topic->name, &key);
    weir_buffer_be32(&value, topic->id);
    weir_buffer_be32(&value, (uint32_t)topic->partitions);
    weir_buffer_be32(&value, (uint32_t)topic->replication);
    weir_buffer_be64(&value, (uint64_t)topic->retention_ms);
    weir_txn_put(txn, WEIR_META, weir_buffer_view(&key), weir_buffer_view(&value));
}

static int load_partition(struct embedded_log *log, struct log_topic *topic, uint32_t index, struct weir_error *err)
{
    struct log_key key = log_partition_key(topic->id, index);
    struct weir_pin *pin;
    struct weir_str value;
    if (weir_pin_get(log->db, WEIR_META, log_key_view(&key), &pin, &value, err) < 0)
        return -1;
    struct weir_cursor c = {.at = (const uint8_t *)value.data, .end = (const uint8_t *)value.data + value.bytes};
    if (pin) {
        struct log_partition *p = &topic->partition[index];
        p->start = (int64_t)weir_cursor_be64(&c);
        p->end = (int64_t)weir_cursor_be64(&c);
        p->bytes = (int64_t)weir_cursor_be64(&c);
    }
    weir_pin_drop(pin);
    if (c.bad)
        return weir_fail(err, WEIR_IO, WEIR_STOP, "damaged offsets of topic %s partition %u", topic->name, index);
    return 0;
}

static int load_partitions(struct embedded_log *log, struct log_topic *topic, struct weir_error *err)
{
    for (int32_t i = 0; i < topic->partitions; i++)
        if (load_partition(log, topic, (uint32_t)i, err) < 0)
            return -1;
    return 0;
}

static int load_topic(struct embedded_log *log, struct weir_str name, struct weir_str value, struct weir_error *err)
{
    struct weir_cursor c = {.at = (const uint8_t *)value.data, .end = (const uint8_t *)value.data + value.bytes};
    uint32_t id = weir_cursor_be32(&c), partitions = weir_cursor_be32(&c), replication = weir_cursor_be32(&c);
    int64_t retention_ms = (int64_t)weir_cursor_be64(&c);
    if (c.bad || partitions == 0 || partitions > PARTITIONS_MAX)
        return weir_fail(err, WEIR_IO, WEIR_STOP, "damaged description of topic %.*s", (int)name.bytes, name.data);
    struct log_topic *topic = topic_by_id(log, id);
    if (!topic) {
        topic = topic_new(id, name, (int32_t)partitions, (int32_t)replication, retention_ms);
        topic->next = log->topics;
        log->topics = topic;
    }
    topic->retention_ms = retention_ms;
    topic->deleted = false;
    return load_partitions(log, topic, err);
}

int log_load_topics(struct embedded_log *log, struct weir_error *err)
{
    for (struct log_topic *t = log->topics; t; t = t->next)
        t->deleted = true;
    struct weir_walk *walk = weir_walk_new(log->db, WEIR_META, WEIR_STR(topic_prefix), WEIR_STR(topic_prefix_end));
    int rc = 0;
    for (; rc == 0 && weir_walk_valid(walk); weir_walk_next(walk)) {
        struct weir_str name = weir_walk_key(walk);
        name.data += sizeof topic_prefix - 1;
        name.bytes -= sizeof topic_prefix - 1;
        rc = load_topic(log, name, weir_walk_value(walk), err);
    }
    if (rc == 0)
        rc = weir_walk_error(walk, err);
    weir_walk_free(walk);
    return rc;
}

int log_sync(struct embedded_log *log, struct weir_error *err)
{
    uint64_t generation = weir_embedded_generation(log->db);
    if (log->generation == generation)
        return 0;
    pthread_mutex_lock(&log->mutex);
    int rc = log_load_topics(log, err);
    pthread_mutex_unlock(&log->mutex);
    if (rc == 0)
        log->generation = generation;
    return rc;
}

// ---- finding

static int no_such_topic(struct embedded_log *log, const char *name, struct weir_error *err)
{
    const char *names[SUGGESTED_TOPICS_MAX];
    size_t count = 0;
    for (struct log_topic *t = log->topics; t && count < SUGGESTED_TOPICS_MAX; t = t->next)
        if (!t->deleted)
            names[count++] = t->name;
    char hint[160];
    bool near = weir_suggest_text(weir_str_of(name), names, count, hint, sizeof hint);
    return weir_fail(err, WEIR_BAD_DATA, WEIR_STOP, "there is no topic '%s'%s%s", name, near ? "; " : "", near ? hint : "");
}

int log_find(struct embedded_log *log, const char *name, struct log_topic **ret, struct weir_error *err)
{
    if (log_sync(log, err) < 0)
        return -1;
    pthread_mutex_lock(&log->mutex);
    struct log_topic *topic = topic_by_name(log, name);
    int rc = topic ? 0 : no_such_topic(log, name, err);
    pthread_mutex_unlock(&log->mutex);
    if (rc == 0)
        *ret = topic;
    return rc;
}

// ---- making

static int take_id(struct embedded_log *log, struct weir_txn *txn, uint32_t *ret_id, struct weir_error *err)
{
    uint64_t id;
    if (weir_embedded_get_number(log->db, WEIR_STR(next_id_key), 4, 1, &id, err) < 0)
        return -1;
    uint32_t next = htobe32((uint32_t)id + 1);
    weir_txn_put(txn, WEIR_META, WEIR_STR(next_id_key), (struct weir_str){(const char *)&next, sizeof next});
    *ret_id = (uint32_t)id;
    return 0;
}

static int make_topic(struct embedded_log *log, const struct weir_topic_config *config, struct weir_txn *txn, struct weir_error *err)
{
    uint32_t id;
    if (take_id(log, txn, &id, err) < 0)
        return -1;
    struct log_topic *topic = topic_new(id, weir_str_of(config->name), config->partitions, config->replication, config->retention_ms);
    put_topic(txn, topic);
    if (weir_txn_commit(txn, true, err) < 0) {
        topic_free(topic);
        return -1;
    }
    topic->next = log->topics;
    log->topics = topic;
    return 0;
}

static int keep_topic(struct log_topic *topic, const struct weir_topic_config *config, struct weir_txn *txn, struct weir_error *err)
{
    if (topic->partitions != config->partitions)
        return weir_fail(err, WEIR_BAD_CONFIG, WEIR_STOP, "topic '%s' exists with %d partitions, not %d: the number of partitions cannot be changed",
                         topic->name, topic->partitions, config->partitions);
    if (topic->retention_ms == config->retention_ms)
        return 0;
    topic->retention_ms = config->retention_ms;
    put_topic(txn, topic);
    return weir_txn_commit(txn, true, err);
}

int embedded_topic_create(struct weir_log *any, const struct weir_topic_config *config, struct weir_error *err)
{
    struct embedded_log *log = embedded_log_of(any);
    if (log_check_topic(config, err) < 0)
        return -1;
    struct weir_txn *txn = weir_txn_new(log->db);
    pthread_mutex_lock(&log->mutex);
    struct log_topic *topic = topic_by_name(log, config->name);
    int rc = topic ? keep_topic(topic, config, txn, err) : make_topic(log, config, txn, err);
    pthread_mutex_unlock(&log->mutex);
    weir_txn_free(txn);
    return rc;
}

// ---- deleting

static void delete_all_of(struct weir_txn *txn, const char *prefix, uint32_t topic)
{
    weir_cleanup(weir_buffer_drop) struct weir_buffer from = {0}, to = {0};
    weir_buffer_add(&from, prefix, strlen(prefix));
    weir_buffer_be32(&from, topic);
    weir_buffer_add(&to, prefix, strlen(prefix));
    weir_buffer_be32(&to, topic + 1);
    weir_txn_delete_range(txn, WEIR_META, weir_buffer_view(&from), weir_buffer_view(&to));
}

static int delete_batches(struct embedded_log *log, const struct log_topic *topic, struct weir_txn *txn, struct weir_error *err)
{
    int rc = 0;
    for (int32_t i = 0; rc == 0 && i < topic->partitions; i++) {
        struct weir_walk *walk = log_index_walk(log, topic, (uint32_t)i);
        for (; weir_walk_valid(walk); weir_walk_next(walk)) {
            struct log_index_entry entry;
            if (log_index_entry(weir_walk_value(walk), &entry) < 0)
                continue;
            struct log_key key = log_batch_key(entry.number);
            weir_txn_delete(txn, WEIR_LOG, log_key_view(&key));
        }
        rc = weir_walk_error(walk, err);
        weir_walk_free(walk);
    }
    return rc;
}

static int delete_topic(struct embedded_log *log, struct log_topic *topic, struct weir_error *err)
{
    weir_cleanup(weir_buffer_drop) struct weir_buffer key = {0};
    struct weir_txn *txn = weir_txn_new(log->db);
    log_topic_key(topic->name, &key);
    weir_txn_delete(txn, WEIR_META, weir_buffer_view(&key));
    delete_all_of(txn, "partition/", topic->id);
    delete_all_of(txn, "index/", topic->id);
    delete_all_of(txn, "feed/", topic->id);
    int rc = delete_batches(log, topic, txn, err);
    if (rc == 0)
        rc = weir_txn_commit(txn, true, err);
    weir_txn_free(txn);
    return rc;
}

int embedded_topic_delete(struct weir_log *any, const char *name, struct weir_error *err)
{
    struct embedded_log *log = embedded_log_of(any);
    struct log_topic *topic;
    if (log_find(log, name, &topic, err) < 0)
        return -1;
    pthread_mutex_lock(&topic->append);
    int rc = topic->deleted ? 0 : delete_topic(log, topic, err);
    if (rc == 0)
        topic->deleted = true;
    pthread_mutex_unlock(&topic->append);
    if (rc == 0)
        rc = log_reclaim(log, err);
    return rc;
}

// ---- telling

static struct weir_topic_config config_of(const struct log_topic *topic)
{
    return (struct weir_topic_config){
        .name = topic->name, .partitions = topic->partitions, .replication = topic->replication, .retention_ms = topic->retention_ms};
}

int embedded_topic_describe(struct weir_log *log, const char *name, struct weir_arena *arena, struct weir_topic_config *ret,
                            struct weir_partition_info **ret_partitions, struct weir_error *err)
{
    struct log_topic *topic;
    if (log_find(embedded_log_of(log), name, &topic, err) < 0)
        return -1;
    *ret = config_of(topic);
    ret->name = weir_arena_copy(arena, weir_str_of(topic->name)).data;
    struct weir_partition_info *info = weir_arena_alloc(arena, (size_t)topic->partitions * sizeof *info);
    for (int32_t i = 0; i < topic->partitions; i++) {
        struct log_partition *p = &topic->partition[i];
        info[i] = (struct weir_partition_info){.start_offset = p->start, .end_offset = p->end, .bytes = p->bytes};
    }
    *ret_partitions = info;
    return 0;
}

static int by_name(const void *a, const void *b)
{
    return strcmp((*(struct log_topic *const *)a)->name, (*(struct log_topic *const *)b)->name);
}

int embedded_topic_list(struct weir_log *any, int (*visit)(void *context, const struct weir_topic_config *config), void *context,
                        struct weir_error *err)
{
    struct embedded_log *log = embedded_log_of(any);
    if (log_sync(log, err) < 0)
        return -1;
    weir_cleanup(weir_freep) struct log_topic **sorted = NULL;
    size_t count = 0, capacity = 0;
    pthread_mutex_lock(&log->mutex);
    for (struct log_topic *t = log->topics; t; t = t->next) {
        if (t->deleted)
            continue;
        weir_grow(&sorted, &capacity, count + 1, sizeof *sorted);
        sorted[count++] = t;
    }
    pthread_mutex_unlock(&log->mutex); // topics stay in memory until the log is closed
    if (count)
        qsort(sorted, count, sizeof *sorted, by_name);
    for (size_t i = 0; i < count; i++) {
        struct weir_topic_config config = config_of(sorted[i]);
        if (visit(context, &config))
            break;
    }
    return 0;
}
