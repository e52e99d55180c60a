// SPDX-License-Identifier: Apache-2.0
// JSON events: one object a record, fields by name.
#include "base/memory.h"
#include "base/number.h"
#include "format/codec.h"
#include "format/json_scan.h"
#include "format/reject.h"
#include <math.h>
#include <stdlib.h>

// ---- decoding

struct json_decoder {
    struct codec_decoder codec;
    uint32_t want_count;
    uint32_t *field_of; // by want
    struct weir_value *values;
    struct json_scan *scan;
};

static void store(struct weir_column *column, uint32_t row, const struct weir_value *value)
{
    if (column->valid)
        column->valid[row] = !value->null;
    if (column->kind == WEIR_STRS)
        column->str[row] = value->null ? WEIR_STR("") : value->str;
    else if (column->kind == WEIR_F64)
        column->f64[row] = value->null ? 0 : value->f64;
    else
        column->i64[row] = value->null ? 0 : value->i64;
}

static int decode_record(struct codec_decoder *self, const struct weir_record *record, struct weir_batch *batch, uint32_t row,
                         struct weir_reject *reject, struct weir_error *err)
{
    struct json_decoder *d = (struct json_decoder *)self;
    char why[sizeof reject->text];
    (void)err;
    if (json_scan_object(d->scan, record->value, batch->arena, d->values, why, sizeof why) < 0)
        return reject_because(reject, WEIR_MALFORMED, 0, "%s", why);
    for (uint32_t i = 0; i < d->want_count; i++)
        store(&batch->columns[d->field_of[i]], row, &d->values[i]);
    return 1;
}

// The record itself, or as one string where it is no JSON.
static int print_record(struct codec_decoder *self, const struct weir_record *record, struct weir_buffer *out, struct weir_error *err)
{
    (void)self;
    (void)err;
    if (json_text_valid(record->value))
        weir_buffer_add(out, record->value.data, record->value.bytes);
    else
        json_text_quote(record->value, true, out);
    return 0;
}

static void free_decoder(struct codec_decoder *self)
{
    struct json_decoder *d = (struct json_decoder *)self;
    json_scan_free(d->scan);
    free(d->field_of);
    free(d->values);
    free(d);
}

int codec_json_decoder(const struct weir_plan *plan, struct codec_decoder **ret, struct weir_error *err)
{
    (void)err;
    const struct weir_event_spec *event = &plan->event;
    struct json_decoder *d = weir_zalloc(1, sizeof *d);
    weir_cleanup(weir_freep) struct json_want *wants = weir_zalloc(event->field_count, sizeof *wants);
    d->codec = (struct codec_decoder){.record = decode_record, .print = print_record, .free = free_decoder};
    d->field_of = weir_zalloc(event->field_count, sizeof *d->field_of);
    d->values = weir_zalloc(event->field_count, sizeof *d->values);
    for (uint32_t f = 0; f < event->field_count; f++) {
        if (!event->fields[f].used)
            continue;
        wants[d->want_count] = (struct json_want){event->fields[f].name, event->fields[f].type, event->fields[f].optional};
        d->field_of[d->want_count++] = f;
    }
    d->scan = json_scan_new(wants, d->want_count);
    *ret = &d->codec;
    return 0;
}

// ---- encoding

struct json_encoder {
    struct codec_encoder codec;
    const struct weir_event_spec *event;
    struct weir_buffer keys; // `{"a":`, `,"b":`, …
    uint32_t *key_ends;      // by field, in `keys`
};

static int refuse(const struct weir_field *field, const char *wrong, struct weir_error *err)
{
    return weir_fail(err, WEIR_BAD_DATA, WEIR_DEAD_LETTER, "%s: %s", field->name, wrong);
}

static int encode_integer(const struct weir_field *field, int64_t value, struct weir_buffer *out, struct weir_error *err)
{
    if (field->type == WEIR_BOOLEAN) {
        weir_buffer_add(out, value ? "true" : "false", value ? 4 : 5);
        return 0;
    }
    if (field->type == WEIR_INT && value != (int32_t)value)
        return refuse(field, "out of range of int", err);
    out->bytes += weir_format_i64(value, (char *)weir_buffer_reserve(out, 24));
    return 0;
}

static int encode_float(const struct weir_field *field, double value, struct weir_buffer *out, struct weir_error *err)
{
    char *to = (char *)weir_buffer_reserve(out, 32);
    if (field->type == WEIR_FLOAT && isfinite(value) && isinf((float)value))
        return refuse(field, "out of range of float", err);
    out->bytes += field->type == WEIR_FLOAT ? weir_format_f32((float)value, to) : weir_format_f64(value, to);
    return 0;
}

static int encode_value(const struct weir_field *field, const struct weir_value *value, struct weir_buffer *out, struct weir_error *err)
{
    if (value->null) {
        weir_buffer_add(out, "null", 4);
        return 0;
    }
    switch (weir_kind_of(field->type)) {
    case WEIR_I64:
        return encode_integer(field, value->i64, out, err);
    case WEIR_F64:
        return encode_float(field, value->f64, out, err);
    default:
        return json_text_quote(value->str, false, out) < 0 ? refuse(field, "the text is not valid UTF-8", err) : 0;
    }
}

static int encode_event(struct codec_encoder *self, const struct weir_value *values, struct weir_buffer *out, struct weir_error *err)
{
    struct json_encoder *e = (struct json_encoder *)self;
    uint32_t from = 0;
    for (uint32_t f = 0; f < e->event->field_count; f++) {
        weir_buffer_add(out, e->keys.data + from, e->key_ends[f] - from);
        from = e->key_ends[f];
        if (encode_value(&e->event->fields[f], &values[f], out, err) < 0)
            return -1;
    }
    if (e->event->field_count == 0)
        weir_buffer_byte(out, '{');
    weir_buffer_byte(out, '}');
    return 0;
}

static void free_encoder(struct codec_encoder *self)
{
    struct json_encoder *e = (struct json_encoder *)self;
    weir_buffer_drop(&e->keys);
    free(e->key_ends);
    free(e);
}

int codec_json_encoder(const struct weir_plan *plan, struct codec_encoder **ret, struct weir_error *err)
{
    const struct weir_event_spec *event = &plan->event;
    struct json_encoder *e = weir_zalloc(1, sizeof *e);
    e->codec = (struct codec_encoder){.event = encode_event, .free = free_encoder};
    e->event = event;
    e->key_ends = weir_zalloc(event->field_count, sizeof *e->key_ends);
    for (uint32_t f = 0; f < event->field_count; f++) {
        weir_buffer_byte(&e->keys, f ? ',' : '{');
        if (json_text_quote(weir_str_of(event->fields[f].name), false, &e->keys) < 0) {
            free_encoder(&e->codec);
            return weir_fail(err, WEIR_BAD_CONFIG, WEIR_STOP, "the name of field %u is not valid UTF-8", f + 1);
        }
        weir_buffer_byte(&e->keys, ':');
        e->key_ends[f] = (uint32_t)e->keys.bytes;
    }
    *ret = &e->codec;
    return 0;
}
