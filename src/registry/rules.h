// SPDX-License-Identifier: Apache-2.0
// Whether data written with one Avro schema can be read with another, as texts.
#pragma once
#include "base/error.h"
#include <stdbool.h>

struct rules_finding {
    const char *type;     // READER_FIELD_MISSING_DEFAULT_VALUE, …
    const char *location; // JSON pointer into the reader schema: /fields/3/type
    const char *text;     // a sentence: which field, why, what would help
};

// Calls on_finding for each reason why not. The names stand for the schemas in sentences: "new", "old".
int rules_check(const char *reader, const char *writer, const char *reader_name, const char *writer_name,
                void (*on_finding)(void *context, const struct rules_finding *f), void *context, bool *ret, struct weir_error *err);
