// SPDX-License-Identifier: Apache-2.0
// An event straight from a record schema, without a pipeline file: for benches, oracles and fuzzing.
#pragma once
#include "avro/schema.h"
#include "base/buffer.h"
#include "spec/plan.h"

// Every field that a weir_type holds is an event field, and used; key and time are the field named `time`, which must be one of them, in epoch ms.
// Memory is the arena's; schema_text is kept.
int avro_event_of(const char *schema_text, const char *time, struct weir_arena *arena, struct weir_event_spec *ret, struct weir_error *err);

// Appends a default in Avro's binary encoding.
int avro_encode_default(const struct weir_avro_schema *schema, const json_t *json, struct weir_buffer *out, struct weir_error *err);
