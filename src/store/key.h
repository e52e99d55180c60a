// SPDX-License-Identifier: Apache-2.0
// Key columns as bytes whose order is the order of the values: integers big-endian with the sign bit turned, doubles likewise (negative ones
// complemented), uuids as their 16 bytes, booleans as one, text with 0 as 00 ff and 00 00 at its end. Descending columns are complemented.
// Every code tells where it ends, so that columns follow each other without lengths.
#pragma once
#include "base/buffer.h"
#include "base/table.h"

// At most this many bytes are written by store_key_put.
static inline size_t store_key_bytes_max(enum weir_cql_type type, const struct weir_value *value)
{
    return type == WEIR_CQL_TEXT ? 2 * (size_t)value->str.bytes + 2 : 16;
}

// Returns where the next column goes, or NULL where the text is no uuid. Null is not for keys.
uint8_t *store_key_put(uint8_t *at, enum weir_cql_type type, bool descending, const struct weir_value *value);
int store_key_add(struct weir_buffer *out, enum weir_cql_type type, bool descending, const struct weir_value *value); // 0, or -1: no uuid

// Passes one column; sets the cursor's `bad` where the bytes are none.
void store_key_skip(struct weir_cursor *c, enum weir_cql_type type, bool descending);
// Reads one column; text points into the cursor's bytes or into `arena`.
struct weir_value store_key_take(struct weir_cursor *c, enum weir_cql_type type, bool descending, struct weir_arena *arena);

// Makes bytes the first that is greater than everything that begins with them; empties the buffer where there is none.
void store_key_successor(struct weir_buffer *bytes);
