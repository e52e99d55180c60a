// SPDX-License-Identifier: Apache-2.0
// What of a record can be a column: scalars, at the end of a path into it. `location.city` is a record's field or a map's entry, `readings[0]` an item
// of an array, from 0. A path goes through unions; a branch that it does not lead into, an item or entry that is not there, gives null.
#pragma once
#include "avro/schema.h"
#include "base/value.h"

enum { WEIR_AVRO_STEPS_MAX = 16, WEIR_AVRO_RAW = 1 };

struct weir_avro_step {
    struct weir_str name; // of a field or an entry
    int64_t index;        // of an item; -1: it is a name
};

// Splits a path. The number of its steps, or -1 if it is none.
int weir_avro_steps(struct weir_str path, struct weir_avro_step ret[WEIR_AVRO_STEPS_MAX]);

// The type of a column of the values there, and whether they can be null. Dates and timestamps are long, in epoch milliseconds; decimals double; enums,
// uuids and durations string. A union of numbers is the widest of them, any other union of scalars a string; records, arrays and maps in it are null. Bytes and fixed that mean nothing else are
// strings if flags have WEIR_AVRO_RAW. Returns 0, or -1: *ret_kind is what stands there instead, NULL where the path leads nowhere.
int weir_avro_place(const struct weir_avro_schema *schema, const struct weir_avro_step *steps, int step_count, int flags, enum weir_type *ret,
                    bool *ret_optional, const char **ret_kind);

// Of a type that is no union: as above without a path. False if it is no scalar.
bool weir_avro_scalar(const struct weir_avro_schema *schema, enum weir_type *ret);
