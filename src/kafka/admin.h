// SPDX-License-Identifier: Apache-2.0
// Topics and their settings through Kafka's admin requests; what topics.c and admin.c need of each other.
#pragma once
#include "kafka/inside.h"

// Fills retention and compaction of topics. One alone must be readable; of several, those that may not be read keep 0 and false.
int kafka_topic_settings(struct weir_kafka *k, struct weir_kafka_topic *topics, size_t count, struct weir_error *err);
// Whether all partitions have a leader. *ret_why: what is in the way, if Kafka says so.
bool kafka_topic_ready(rd_kafka_t *rk, const char *topic, int32_t partitions, rd_kafka_resp_err_t *ret_why);
