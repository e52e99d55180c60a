// SPDX-License-Identifier: Apache-2.0
// Reading a topic of dead letters in the order of their identities. A first pass over the messages makes an index (40 bytes a letter); it is sorted, the
// last word on each identity counts, and what is left is cut into runs: the letters of one reason and partition. A second pass shows a run's messages;
// those that come before their turn are kept until then, which are few, since tasks put letters in the order of their offsets.
#pragma once
#include "log/ops.h"

struct letter_entry {
    int64_t offset, at; // at: in the topic of letters
    int32_t partition, topic_partition;
    uint32_t query; // into letters.queries
    uint8_t reason;
    bool gone;
};

struct held_letter;

struct letters {
    int reason; // < 0: all
    int (*visit)(void *context, const struct weir_dead_letter *letter);
    void *context;
    // the rest is the module's; zero before the start
    struct letter_entry *entries;
    size_t count, capacity;
    char **queries;
    size_t query_count, query_capacity;
    int32_t topic_partition; // being indexed
    struct weir_arena arena; // of the message at hand
    // the run
    size_t run_first, run_end, shown, arrived; // entries; shown, arrived: how many of the run
    size_t *arrival;                           // the run's entries in the order in which messages come
    struct held_letter **held;                 // by entry of the run
    int32_t run_partition;                     // of the topic of letters
    int64_t run_from;                          // the first message's offset
    bool run_over, stopped;                    // stopped: visit has had enough
};

void letters_begin_partition(struct letters *all, int32_t topic_partition);
void letters_settle(struct letters *all);
bool letters_next_run(struct letters *all);
void letters_drop(struct letters *all);

// For weir_kafka_scan. letters_show ends the scan by failing, with run_over, as soon as the run is over.
int letters_index(void *context, const struct weir_kafka_message *m, const struct weir_kafka_header *headers, uint32_t header_count,
                  struct weir_error *err);
int letters_show(void *context, const struct weir_kafka_message *m, const struct weir_kafka_header *headers, uint32_t header_count,
                 struct weir_error *err);

// ---- letter.c: a message's letter. 0: it is one; 1: a mark that one is gone, of which only the identity is filled in; -1: neither.
int letter_parse(const struct weir_kafka_message *m, const struct weir_kafka_header *headers, uint32_t header_count, struct weir_arena *arena,
                 struct weir_dead_letter *ret);
