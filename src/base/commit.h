// SPDX-License-Identifier: Apache-2.0
// What a task changes between two commits, collected where its engines keep it: each part is NULL where no such engine is in use. State, dead
// letters and the embedded store put their changes in; the engine commits the parts in order (rows, then state, dead letters and offsets as one).
#pragma once

struct weir_txn;         // embedded/embedded.h
struct weir_kafka_batch; // kafka/kafka.h

struct weir_commit {
    struct weir_txn *embedded;
    struct weir_kafka_batch *kafka;
};
