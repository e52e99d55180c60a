// SPDX-License-Identifier: Apache-2.0
// An event straight from a record schema, without a pipeline file: for benches, oracles and fuzzing.
#pragma once
#include "spec/plan.h"

// Every field that a weir_type holds is an event field, and used; key and time are the field named `time`, which must be one of them, in epoch ms.
// Memory is the arena's; schema_text is kept.
int avro_event_of(const char *schema_text, const char *time, struct weir_arena *arena, struct weir_event_spec *ret, struct weir_error *err);
