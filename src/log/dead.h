// SPDX-License-Identifier: Apache-2.0
// Dead letters: events that could not become rows or join a window, with their reason and position, kept until someone replays them.
#pragma once
#include "base/buffer.h"
#include "base/commit.h"
#include "base/error.h"
#include "embedded/embedded.h"
#include "kafka/kafka.h"

// refused: a row that the store will never take (its event, or its group's last event, by position).
enum weir_reason { WEIR_LATE, WEIR_MALFORMED, WEIR_FUTURE, WEIR_UNKNOWN_SCHEMA, WEIR_REFUSED, WEIR_REASONS };

const char *weir_reason_name(enum weir_reason reason); // "late", "malformed", "future", "unknown_schema", "refused"
int weir_reason_parse(struct weir_str name, enum weir_reason *ret);

struct weir_dead_letter {
    enum weir_reason reason;
    const char *topic;
    int32_t partition;    // -1: it never entered the topic (a feed's line)
    int64_t offset;       // in the partition; for a feed, the line number (from 1)
    const char *query;    // the table that did without it; NULL: all
    const char *text;     // what is wrong
    int32_t schema_id;    // 0: none
    int64_t timestamp_ms; // the record's own
    struct weir_str key, value;
    bool null_key;
};

struct weir_dead;

int weir_dead_embedded(struct weir_embedded *db, const char *pipeline, struct weir_dead **ret, struct weir_error *err);
// Topic PIPELINE-dead-letters, made with as many partitions as the input has. Messages have the event's own key and value and say the rest in headers:
// weir.reason, weir.topic, weir.partition, weir.offset, weir.query, weir.schema.id, weir.error, weir.timestamp.
int weir_dead_kafka(struct weir_kafka *kafka, const char *pipeline, int32_t partitions, int32_t replication, struct weir_dead **ret,
                    struct weir_error *err);
// Whether letters can be written, asked before there is any: fails where the right to is missing. A topic that has some passes unasked.
int weir_dead_kafka_try(struct weir_dead *d, struct weir_kafka_txn *txn, struct weir_error *err);
void weir_dead_close(struct weir_dead *d);

// Adds to a commit. The same (reason, partition, offset, query) again replaces the letter.
void weir_dead_put(struct weir_dead *d, const struct weir_commit *commit, const struct weir_dead_letter *letter);

// In order of reason, partition, offset; reason < 0 for all. A non-zero answer of visit ends the walk. Views are valid inside visit.
int weir_dead_scan(struct weir_dead *d, int reason, int (*visit)(void *context, const struct weir_dead_letter *letter), void *context,
                   struct weir_error *err);
void weir_dead_delete(struct weir_dead *d, const struct weir_commit *commit, const struct weir_dead_letter *letter);
