// SPDX-License-Identifier: Apache-2.0
// Topic PIPELINE-dead-letters. A letter lies in the partition of its event's partition (those of the feed itself in 0), so that all that is said of one
// letter is in order: put, put again, replayed. The last word counts. dead.h names the headers; numbers are decimal text.
//
//   weir.replayed   "reason/partition/offset/query", on a message without a value: this letter is gone
#include "base/memory.h"
#include "base/number.h"
#include "base/time.h"
#include "log/kafka/inside.h"
#include "log/kafka/letters.h"
#include <stdlib.h>

// Brokers and clients take messages of a million bytes unless they are told otherwise.
enum { VALUE_BYTES_MAX = 900000, TEXT_BYTES_MAX = 40000 };

struct kafka_dead {
    struct weir_dead base;
    struct weir_kafka *kafka;
    char *topic;
    int32_t partitions;
};

static void dead_close(struct weir_dead *any)
{
    struct kafka_dead *d = (struct kafka_dead *)any;
    free(d->topic);
    free(d);
}

// ---- changes

static struct weir_str cut(struct weir_str text, uint32_t bytes_max)
{
    return text.bytes == 0 ? WEIR_STR("") : (struct weir_str){text.data, text.bytes < bytes_max ? text.bytes : bytes_max};
}

static int32_t partition_of(const struct kafka_dead *d, const struct weir_dead_letter *letter)
{
    return letter->partition < 0 ? 0 : letter->partition % d->partitions;
}

static struct weir_str decimal(int64_t value, char text[24])
{
    return (struct weir_str){text, (uint32_t)weir_format_i64(value, text)};
}

static void dead_put(struct weir_dead *any, const struct weir_commit *commit, const struct weir_dead_letter *letter)
{
    const struct kafka_dead *d = (const struct kafka_dead *)any;
    char partition[24], offset[24], schema_id[24], timestamp[24];
    struct weir_kafka_header headers[8] = {
        {"weir.reason", weir_str_of(weir_reason_name(letter->reason))},
        {"weir.topic", weir_str_of(letter->topic ? letter->topic : "")},
        {"weir.partition", decimal(letter->partition, partition)},
        {"weir.offset", decimal(letter->offset, offset)},
        {"weir.error", cut(weir_str_of(letter->text ? letter->text : ""), TEXT_BYTES_MAX)},
        {"weir.timestamp", decimal(letter->timestamp_ms, timestamp)},
    };
    uint32_t count = 6;
    if (letter->query)
        headers[count++] = (struct weir_kafka_header){"weir.query", weir_str_of(letter->query)};
    if (letter->schema_id)
        headers[count++] = (struct weir_kafka_header){"weir.schema.id", decimal(letter->schema_id, schema_id)};
    weir_kafka_batch_add(commit->kafka, d->topic, partition_of(d, letter), weir_now_ms(), cut(letter->key, TEXT_BYTES_MAX), letter->null_key,
                         cut(letter->value, VALUE_BYTES_MAX), headers, count);
}

static void dead_remove(struct weir_dead *any, const struct weir_commit *commit, const struct weir_dead_letter *letter)
{
    const struct kafka_dead *d = (const struct kafka_dead *)any;
    weir_cleanup(weir_freep) char *identity = weir_format("%s/%d/%lld/%s", weir_reason_name(letter->reason), letter->partition,
                                                          (long long)letter->offset, letter->query ? letter->query : "");
    const struct weir_kafka_header header = {"weir.replayed", weir_str_of(identity)};
    weir_kafka_batch_add(commit->kafka, d->topic, partition_of(d, letter), weir_now_ms(), cut(letter->key, TEXT_BYTES_MAX), letter->null_key,
                         (struct weir_str){NULL, 0}, &header, 1);
}

// What is tried is the end of a letter that there never was.
int weir_dead_kafka_try(struct weir_dead *any, struct weir_kafka_txn *txn, struct weir_error *err)
{
    struct kafka_dead *d = (struct kafka_dead *)any;
    int64_t start, end;
    if (weir_kafka_offsets(d->kafka, d->topic, 0, &start, &end, err) < 0)
        return -1;
    if (end > 0)
        return 0;
    const struct weir_dead_letter none = {.partition = -1, .offset = -1, .null_key = true};
    struct weir_commit commit = {.kafka = weir_kafka_batch_new()};
    dead_remove(any, &commit, &none);
    int rc = weir_kafka_txn_try(txn, commit.kafka, err);
    weir_kafka_batch_free(commit.kafka);
    return rc;
}

// ---- walking: once over the topic to know which letters there are, then, reason by reason, to show them

static int index_topic(const struct kafka_dead *d, struct letters *all, struct weir_error *err)
{
    for (int32_t i = 0; i < d->partitions; i++) {
        letters_begin_partition(all, i);
        if (weir_kafka_scan(d->kafka, d->topic, i, INT64_MIN, letters_index, all, NULL, err) < 0)
            return -1;
    }
    letters_settle(all);
    return 0;
}

// Shows a run: letters of one reason in one partition of the topic.
static int show_run(const struct kafka_dead *d, struct letters *all, struct weir_error *err)
{
    struct weir_error stop;
    if (weir_kafka_scan(d->kafka, d->topic, all->run_partition, all->run_from, letters_show, all, NULL, &stop) < 0 && !all->run_over) {
        *err = stop;
        return -1;
    }
    return 0;
}

static int dead_scan(struct weir_dead *any, int reason, int (*visit)(void *context, const struct weir_dead_letter *letter), void *context,
                     struct weir_error *err)
{
    const struct kafka_dead *d = (const struct kafka_dead *)any;
    struct letters all = {.reason = reason, .visit = visit, .context = context};
    int rc = index_topic(d, &all, err);
    while (rc == 0 && letters_next_run(&all))
        rc = show_run(d, &all, err);
    letters_drop(&all);
    return rc < 0 ? weir_wrap(err, "dead letters in topic %s", d->topic) : 0;
}

// ----

int weir_dead_kafka(struct weir_kafka *kafka, const char *pipeline, int32_t partitions, int32_t replication, struct weir_dead **ret,
                    struct weir_error *err)
{
    static const struct dead_ops ops = {.close = dead_close, .put = dead_put, .remove = dead_remove, .scan = dead_scan};
    weir_cleanup(weir_freep) char *name = weir_format("%s-dead-letters", pipeline);
    const struct weir_kafka_topic topic = {.name = name, .partitions = partitions, .replication = replication};
    if (weir_kafka_topic_need(kafka, &topic, err) < 0)
        return -1;
    struct kafka_dead *d = weir_alloc(sizeof *d);
    *d = (struct kafka_dead){{&ops}, kafka, name, partitions};
    name = NULL;
    *ret = &d->base;
    return 0;
}
