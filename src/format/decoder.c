// SPDX-License-Identifier: Apache-2.0
#include "base/memory.h"
#include "format/check.h"
#include "format/codec.h"
#include "format/reject.h"
#include <stdlib.h>

struct weir_decoder {
    const struct weir_plan *plan;
    struct codec_decoder *codec;
};

int weir_decoder_new(const struct weir_plan *plan, struct weir_registry *registry, struct weir_decoder **ret, struct weir_error *err)
{
    struct codec_decoder *codec;
    int got = plan->event.format == WEIR_FORMAT_AVRO ? codec_avro_decoder(plan, registry, &codec, err) : codec_json_decoder(plan, &codec, err);
    if (got < 0)
        return -1;
    *ret = decoder_of_codec(plan, codec);
    return 0;
}

struct weir_decoder *decoder_of_codec(const struct weir_plan *plan, struct codec_decoder *codec)
{
    weir_assert(plan->event.fields[plan->event.time_field].used);
    struct weir_decoder *d = weir_alloc(sizeof *d);
    *d = (struct weir_decoder){plan, codec};
    return d;
}

void weir_decoder_free(struct weir_decoder *d)
{
    if (!d)
        return;
    d->codec->free(d->codec);
    free(d);
}

static void make_columns(const struct weir_event_spec *event, uint32_t rows, struct weir_arena *arena, struct weir_batch *batch)
{
    batch->column_count = event->field_count + event->nested_count;
    batch->columns = weir_arena_zalloc(arena, batch->column_count * sizeof *batch->columns);
    for (uint32_t f = 0; f < batch->column_count; f++) {
        const struct weir_field *field = &event->fields[f];
        struct weir_column *column = &batch->columns[f];
        column->kind = weir_kind_of(field->type);
        if (!field->used)
            continue;
        column->data = weir_arena_alloc(arena, rows * (column->kind == WEIR_STRS ? sizeof(struct weir_str) : sizeof(int64_t)));
        if (field->optional)
            column->valid = weir_arena_alloc(arena, rows);
    }
    batch->offset = weir_arena_alloc(arena, rows * sizeof *batch->offset);
}

// 1: decoded into the next row, 0: rejected, -1: err.
static int decode_one(struct weir_decoder *d, const struct weir_record *record, struct weir_batch *batch, struct weir_reject *reject,
                      struct weir_error *err)
{
    if (record->null_value)
        return reject_because(reject, WEIR_MALFORMED, 0, "the record has no value");
    return d->codec->record(d->codec, record, batch, batch->rows, reject, err);
}

int weir_decode(struct weir_decoder *d, const struct weir_record *records, uint32_t count, struct weir_arena *arena, struct weir_batch *ret,
                struct weir_rejects *rejects, struct weir_error *err)
{
    struct weir_batch batch = {.arena = arena};
    size_t rejects_before = rejects->count;
    uint32_t *record_of = weir_arena_alloc(arena, count * sizeof *record_of);
    struct weir_reject reject;
    make_columns(&d->plan->event, count, arena, &batch);
    if (d->codec->begin)
        d->codec->begin(d->codec);
    for (uint32_t i = 0; i < count; i++) {
        int decoded = decode_one(d, &records[i], &batch, &reject, err);
        if (decoded < 0) {
            rejects->count = rejects_before;
            return -1;
        }
        if (decoded == 0) {
            reject.record = i;
            rejects_add(rejects, &reject);
            continue;
        }
        record_of[batch.rows] = i;
        batch.offset[batch.rows++] = records[i].offset;
    }
    struct check check = {.event = &d->plan->event, .records = records, .record_of = record_of, .batch = &batch, .rejects = rejects};
    check_rows(&check);
    if (check.failed_count) {
        check_compact(&check);
        rejects_sort(rejects, rejects_before);
    }
    *ret = batch;
    return 0;
}

int weir_record_print(struct weir_decoder *d, const struct weir_record *record, struct weir_buffer *out, struct weir_error *err)
{
    if (record->null_value) {
        weir_buffer_add(out, "null", 4);
        return 0;
    }
    size_t before = out->bytes;
    int printed = d->codec->print(d->codec, record, out, err);
    if (printed < 0)
        out->bytes = before;
    return printed;
}
