// SPDX-License-Identifier: Apache-2.0
// What transactions need to know of a membership.
#pragma once
#include "kafka/inside.h"

// Adds an offset of a partition that is ours to `offsets`, and gives what proves that it is (caller destroys). -1: it is not ours (any longer).
int kafka_group_claim(struct weir_kafka_group *g, int32_t partition, int64_t next_offset, const char *metadata,
                      rd_kafka_topic_partition_list_t *offsets, rd_kafka_consumer_group_metadata_t **ret);
// What the group has committed for a partition (-1: nothing), after every transaction that could change it has ended.
int kafka_group_committed(struct weir_kafka_group *g, const char *topic, int32_t partition, int64_t *ret, struct weir_error *err);
// A commit is through: the partition's committed offset, and the one before it, as this member knows.
void kafka_group_note_committed(struct weir_kafka_group *g, int32_t partition, int64_t offset);
int64_t kafka_group_last_committed(struct weir_kafka_group *g, int32_t partition);
