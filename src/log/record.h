// SPDX-License-Identifier: Apache-2.0
// Records, and the batches of them that a log keeps and hands over: Kafka's record batch, version 2 ("magic 2"; kafka.apache.org/documentation,
// "Record Batch"), so that an embedded log and a broker give a task the same bytes.
//
//   baseOffset i64 | batchLength i32 | partitionLeaderEpoch i32 | magic i8 = 2 | crc u32 (CRC-32C of all that follows) | attributes i16 |
//   lastOffsetDelta i32 | baseTimestamp i64 | maxTimestamp i64 | producerId i64 | producerEpoch i16 | baseSequence i32 | count i32 | records
//   record: length zigzag | attributes i8 | timestampDelta zigzag | offsetDelta zigzag | keyLength zigzag (-1: null) | key |
//           valueLength zigzag (-1: null) | value | headerCount zigzag | headers
#pragma once
#include "base/buffer.h"
#include "base/error.h"
#include <stdbool.h>

struct weir_record { // strings point into the batch's bytes
    int64_t offset;
    int64_t timestamp_ms;
    struct weir_str key, value;
    bool null_key, null_value;
};

enum { WEIR_BATCH_HEADER_BYTES = 61 };

// Building: begin, add, …, end. Offsets in the batch start at 0; the log sets the base offset when it appends.
struct weir_batch_writer {
    struct weir_buffer bytes;
    int64_t base_timestamp_ms, max_timestamp_ms;
    int32_t count;
};

void weir_batch_writer_begin(struct weir_batch_writer *w);
void weir_batch_writer_add(struct weir_batch_writer *w, int64_t timestamp_ms, struct weir_str key, bool null_key, struct weir_str value,
                           bool null_value);
void weir_batch_writer_end(struct weir_batch_writer *w); // fills the header, CRC included
void weir_batch_writer_drop(struct weir_batch_writer *w);
void weir_batch_set_base_offset(uint8_t *batch, int64_t offset); // outside the CRC, as Kafka's broker does

struct weir_batch_info {
    int64_t base_offset, last_offset, max_timestamp_ms;
    int32_t count;
    uint32_t total_bytes; // header included
};

// Looks at the batch at the start of `bytes`. Fails with WEIR_BAD_DATA where it is cut short or its header makes no sense.
int weir_batch_peek(struct weir_str bytes, struct weir_batch_info *ret, struct weir_error *err);
// Checks the CRC too. Compressed batches are refused here; whoever fetches them unpacks them first.
int weir_batch_verify(struct weir_str bytes, struct weir_batch_info *ret, struct weir_error *err);

// Walking the records of a verified batch. next gives 1 for a record, 0 at the end, -1 where lengths make no sense.
struct weir_batch_walk {
    struct weir_cursor cursor;
    int64_t base_offset, base_timestamp_ms;
    int32_t left;
};
void weir_batch_walk_begin(struct weir_batch_walk *w, struct weir_str batch);
int weir_batch_walk_next(struct weir_batch_walk *w, struct weir_record *ret);
