// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "format/format.h"

// Fills *reject (its record index aside) and returns 0, which is what a codec's `record` answers for a record that cannot be an event.
int reject_because(struct weir_reject *reject, enum weir_reason reason, int32_t schema_id, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

void rejects_add(struct weir_rejects *rejects, const struct weir_reject *reject);
void rejects_sort(struct weir_rejects *rejects, size_t from); // those from index `from` on, by record
