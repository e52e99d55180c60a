// SPDX-License-Identifier: Apache-2.0
// Lanes of a writer: each partition key that it meets gets a number, from 0.
#pragma once
#include "base/buffer.h"
#include "base/error.h"
#include "base/table.h"

struct store_lane_map;

struct store_lanes {
    struct store_lane_map *raw, *encoded; // by the values as they come; by the encoded key, which is the same for all spellings of a uuid
    struct weir_buffer scratch;
};

void store_lanes_init(struct store_lanes *lanes);
void store_lanes_drop(struct store_lanes *lanes);
uint32_t store_lanes_count(const struct store_lanes *lanes);
struct weir_str store_lane_key(const struct store_lanes *lanes, uint32_t lane); // as key.h has it; valid until another lane is added
int store_lane_of(struct store_lanes *lanes, const struct weir_rows *rows, uint32_t row, uint32_t *ret_lane, struct weir_error *err);
