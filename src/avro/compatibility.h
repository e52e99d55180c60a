// SPDX-License-Identifier: Apache-2.0
// Whether data written with one Avro schema can be read with another: the rules of Avro's SchemaCompatibility for Java, asked of two schemas without
// data. A pair is incompatible if some datum of the writer's could not be read; the findings say all of why, in the reader's order.
//
// A schema may follow another BACKWARD if it reads the other's data (reader = new, writer = old), FORWARD if the other reads its data, FULL if both.
#pragma once
#include "base/error.h"
#include <stdbool.h>

struct weir_avro_finding {
    // READER_FIELD_MISSING_DEFAULT_VALUE, NAME_MISMATCH, TYPE_MISMATCH, MISSING_UNION_BRANCH, MISSING_ENUM_SYMBOLS, FIXED_SIZE_MISMATCH
    const char *type;
    const char *location; // JSON pointer, as Java gives it: /fields/3/type into the reader; the last step to a missing branch counts in the writer
    const char *text;     // a sentence: which field, why, what would help
};

// Schemas are texts. Calls on_finding for each reason why not; *ret is whether there was none. The names stand for the schemas in sentences: "new",
// "old". What a finding points to is valid during the call. Fails with WEIR_BAD_DATA for a text that is no schema, and for a pair whose types meet
// each other in too many ways to go through.
int weir_avro_compare(const char *reader, const char *writer, const char *reader_name, const char *writer_name,
                      void (*on_finding)(void *context, const struct weir_avro_finding *f), void *context, bool *ret, struct weir_error *err);
