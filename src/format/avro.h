// SPDX-License-Identifier: Apache-2.0
// Avro in Confluent's framing: byte 0, the schema's id as a 32-bit big-endian integer, the record in Avro's binary encoding. Read, not written, is
// Avro's own single-object encoding too: C3 01, the schema's fingerprint as a 64-bit little-endian integer, the record.
#pragma once
#include "format/codec.h"

// Where schemas come from; same contract as weir_registry_schema.
struct avro_source {
    int (*schema)(void *context, int32_t id, struct weir_arena *arena, const char **ret_schema, struct weir_error *err);
    // Calls visit for each schema known, until it answers other than 0; same contract as weir_registry_list. NULL: none can be told.
    int (*list)(void *context, int (*visit)(void *context, const struct weir_subject_version *v), void *visit_context, struct weir_error *err);
    void *context;
};

enum { AVRO_FRAME_BYTES = 5, AVRO_SINGLE_BYTES = 10 };

int avro_decoder_new(const struct weir_plan *plan, const struct avro_source *source, struct codec_decoder **ret, struct weir_error *err);
int avro_encoder_new(const struct weir_plan *plan, int32_t schema_id, struct codec_encoder **ret, struct weir_error *err);
