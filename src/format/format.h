// SPDX-License-Identifier: Apache-2.0
// Bytes ↔ columns. A decoder turns records into a batch of the fields that queries use; an encoder turns one event's values into a record's value.
// Both belong to one thread at a time. Bytes from outside are never trusted: every length is checked against what is left.
#pragma once
#include "base/buffer.h"
#include "base/error.h"
#include "base/value.h"
#include "log/dead.h"
#include "log/record.h"
#include "registry/registry.h"
#include "spec/plan.h"

struct weir_reject {         // a record that cannot be an event
    uint32_t record;         // index into the records handed in
    enum weir_reason reason; // malformed, unknown_schema, future
    int32_t schema_id;       // 0: none
    char text[192];          // what is wrong and where in the event
};

struct weir_rejects {
    struct weir_reject *items; // grows; kept over calls
    size_t count, capacity;
};

struct weir_decoder;

// `registry` may be NULL for JSON.
int weir_decoder_new(const struct weir_plan *plan, struct weir_registry *registry, struct weir_decoder **ret, struct weir_error *err);
void weir_decoder_free(struct weir_decoder *d);

// Decodes `count` records in order into `ret` (columns for fields with `used` set; `arena` is reset by the caller before) and appends those that
// fail to `rejects`. A record with a null value (a tombstone) is a reject. Rows keep the records' order; rows + rejects == count.
// Fails only for what is not the event's fault (the registry is away): then nothing of the batch counts and it may be tried again.
int weir_decode(struct weir_decoder *d, const struct weir_record *records, uint32_t count, struct weir_arena *arena, struct weir_batch *ret,
                struct weir_rejects *rejects, struct weir_error *err);

struct weir_encoder;

// For Avro, registers the plan's schema as subject `<topic>-value` and frames with its id.
int weir_encoder_new(const struct weir_plan *plan, struct weir_registry *registry, struct weir_encoder **ret, struct weir_error *err);
void weir_encoder_free(struct weir_encoder *e);

// Appends one encoded event to `out`. `values` by event field; kinds fit the fields' types. A null in a field that is not optional, or a value
// that does not fit, fails with WEIR_BAD_DATA, WEIR_DEAD_LETTER and the field's name; `out` is then as before.
int weir_encode(struct weir_encoder *e, const struct weir_value *values, struct weir_buffer *out, struct weir_error *err);

// The record as text for people (JSON), decoded with its own writer schema: `topic tail`, `dead show`.
int weir_record_print(struct weir_decoder *d, const struct weir_record *record, struct weir_buffer *out, struct weir_error *err);
