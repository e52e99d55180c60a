// SPDX-License-Identifier: Apache-2.0
// What a format brings; decoder.c and encoder.c do what all formats share: event time in its unit, uuid checks, `future`.
#pragma once
#include "format/format.h"

struct codec_decoder {
    void (*begin)(struct codec_decoder *self); // before the first record of each batch; may be NULL
    // Decodes one record into row `row` of batch->columns (allocated, of the fields' kinds; `valid` is present on optional fields, and is to be set
    // either way). Strings may point into the record or into batch->arena. 1: done, 0: *reject has reason, schema_id and text, -1: err.
    int (*record)(struct codec_decoder *self, const struct weir_record *record, struct weir_batch *batch, uint32_t row, struct weir_reject *reject,
                  struct weir_error *err);
    int (*print)(struct codec_decoder *self, const struct weir_record *record, struct weir_buffer *out, struct weir_error *err);
    void (*free)(struct codec_decoder *self);
};

struct codec_encoder {
    int (*event)(struct codec_encoder *self, const struct weir_value *values, struct weir_buffer *out, struct weir_error *err);
    void (*free)(struct codec_encoder *self);
};

int codec_avro_decoder(const struct weir_plan *plan, struct weir_registry *registry, struct codec_decoder **ret, struct weir_error *err);
int codec_avro_encoder(const struct weir_plan *plan, struct weir_registry *registry, struct codec_encoder **ret, struct weir_error *err);
int codec_json_decoder(const struct weir_plan *plan, struct codec_decoder **ret, struct weir_error *err);
int codec_json_encoder(const struct weir_plan *plan, struct codec_encoder **ret, struct weir_error *err);

// A decoder or encoder around a codec, which it owns from then on.
struct weir_decoder *decoder_of_codec(const struct weir_plan *plan, struct codec_decoder *codec);
struct weir_encoder *encoder_of_codec(const struct weir_plan *plan, struct codec_encoder *codec);
