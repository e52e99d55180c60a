// SPDX-License-Identifier: Apache-2.0
// Walking a value by its writer's schema: over it, or printing it. For what does not become a column.
#pragma once
#include "avro/schema.h"
#include "base/buffer.h"
#include "format/avro_wire.h"

enum {
    AVRO_DEPTH_MAX = 64, // records, arrays and maps inside each other
    AVRO_PRINT_BYTES_MAX = 64 << 20,
};

// Bounds the work that a record can ask for: a block of a billion nulls takes no bytes.
struct avro_walk {
    const uint8_t *end;
    uint64_t steps_left;
    uint32_t depth;
    enum avro_fault fault;
};

struct avro_walk avro_walk_of(const uint8_t *at, const uint8_t *end);
// One step further, into a value; false after setting walk->fault. A walk that failed is over.
bool avro_walk_enter(struct avro_walk *walk, const struct weir_avro_schema *schema);
void avro_walk_leave(struct avro_walk *walk, const struct weir_avro_schema *schema);

const uint8_t *avro_skip_value(struct avro_walk *walk, const struct weir_avro_schema *schema, const uint8_t *at);

// The head of a block of an array or map: how many items follow (0: the end) and, where the writer says, in how many bytes (else −1).
const uint8_t *avro_block(struct avro_walk *walk, const uint8_t *at, uint64_t *ret_count, int64_t *ret_bytes);

// Appends JSON for people: bytes and fixed as text of code points 0–255, unions as the plain value.
const uint8_t *avro_print(struct avro_walk *walk, const struct weir_avro_schema *schema, const uint8_t *at, struct weir_buffer *out);

const char *avro_fault_text(enum avro_fault fault);
