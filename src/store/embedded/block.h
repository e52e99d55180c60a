// SPDX-License-Identifier: Apache-2.0
// Blocks: runs of rows of one partition key in clustering order, the values that the database keeps.
//
//   expires_ms i64 (big-endian; 0: never) | format u8 = 1 | rows varint | revision of the first zigzag | bytes of the last row's clustering key
//   varint | that key | rows
//   row: clustering key (key.h) | revision − the block's zigzag | window's start zigzag (windowed tables) | bytes of the rest varint |
//        a bit for each column that is no key column: not null | values: integers zigzag, float and double little-endian, uuid 16 bytes,
//        text length varint and bytes
//
// Key in the database: table id u32 | partition key | clustering key of the first row | number u64, big-endian. Numbers grow from flush to flush, so
// blocks never replace each other. Tables whose rows are written again and again (windowed ones, and those with one row a partition) have
// blocks of one row and no number: a new version of the row takes the place of the old one.
#pragma once
#include "base/buffer.h"
#include "base/error.h"
#include "base/table.h"

// A table as blocks see it.
struct store_layout {
    const struct weir_table *table;
    bool upserts;         // one row a block, no number in the key
    uint32_t value_count; // columns that are no key columns
    uint32_t *values;     // their indexes
    size_t row_bytes_max; // of a row, texts apart
};

void store_layout_make(const struct weir_table *table, struct store_layout *ret);
void store_layout_drop(struct store_layout *layout);

// ---- building

// Appends a row's clustering key and then the rest of the row, revision relative to `base_revision`; *ret_key_bytes says where the key ends.
// Fails where a text is no uuid or a key too long; the buffer is as before then.
int store_row_add(const struct store_layout *layout, const struct weir_rows *rows, uint32_t row, int64_t base_revision, struct weir_buffer *out,
                  uint32_t *ret_key_bytes, struct weir_error *err);
void store_block_begin(struct weir_buffer *out, int64_t expires_ms, uint32_t rows, int64_t base_revision, struct weir_str last_key);

// ---- reading; bytes are checked

struct store_row {
    struct weir_str clustering;
    int64_t revision, window_start_ms;
    struct weir_str body;
};

struct store_block {
    struct weir_cursor cursor;
    uint32_t left;
    int64_t expires_ms, base_revision;
    struct weir_str last_key;
};

int store_block_open(struct weir_str bytes, struct store_block *ret); // -1: damaged
// 1: a row, 0: the end, -1: damaged.
int store_block_next(const struct store_layout *layout, struct store_block *block, struct store_row *ret);

// Key columns and the rest into values by table column. -1: damaged.
int store_partition_values(const struct store_layout *layout, struct weir_str partition_key, struct weir_arena *arena, struct weir_value *values);
int store_row_values(const struct store_layout *layout, const struct store_row *row, struct weir_arena *arena, struct weir_value *values);
