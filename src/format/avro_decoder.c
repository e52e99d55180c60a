// SPDX-License-Identifier: Apache-2.0
#include "base/memory.h"
#include "format/avro.h"
#include "format/avro_known.h"
#include "format/avro_program.h"
#include "format/reject.h"
#include <stdio.h>
#include <stdlib.h>

struct writer { // a schema that records were written with; kept for ever
    int32_t id;
    struct weir_arena arena;
    json_t *json;
    const struct weir_avro_schema *schema; // NULL: its text is not a schema
    const struct avro_op *program;         // NULL: its records cannot be read
    const char *mistake;                   // why
};

enum { UNKNOWN_MAX = 64 };

struct avro_decoder {
    struct codec_decoder codec;
    struct avro_source source;
    struct avro_reader reader;
    struct writer **writers; // in the order of ids
    size_t writer_count, writer_capacity;
    const struct writer *last;
    struct avro_known known;      // by fingerprint
    int32_t unknown[UNKNOWN_MAX]; // ids that the registry did not know in this batch: asked for again in the next
    bool unasked[UNKNOWN_MAX];    // of those: no registry could be asked
    uint32_t unknown_count;
    char away[sizeof((struct weir_error *)0)->text]; // why not, the last time
};

// ---- writers by id

static size_t writer_position(const struct avro_decoder *d, int32_t id)
{
    size_t low = 0, high = d->writer_count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (d->writers[middle]->id < id)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static struct writer *writer_new(struct avro_decoder *d, int32_t id, struct weir_str text)
{
    struct writer *w = weir_zalloc(1, sizeof *w);
    struct weir_error mistake;
    w->id = id;
    if (weir_avro_parse(text, &w->arena, &w->schema, &w->json, &mistake) < 0 ||
        avro_compile(&d->reader, w->schema, &w->arena, &w->program, &mistake) < 0)
        w->mistake = weir_arena_copy(&w->arena, weir_str_of(mistake.text)).data;
    return w;
}

static void writer_free(struct writer *w)
{
    weir_arena_drop(&w->arena);
    json_decref(w->json);
    free(w);
}

static bool known_unknown(const struct avro_decoder *d, int32_t id, bool *ret_unasked)
{
    for (uint32_t i = 0; i < d->unknown_count; i++)
        if (d->unknown[i] == id) {
            *ret_unasked = d->unasked[i];
            return true;
        }
    return false;
}

static void note_unknown(struct avro_decoder *d, int32_t id, const struct weir_error *why)
{
    bool unasked = why->code == WEIR_UNAVAILABLE;
    if (unasked)
        snprintf(d->away, sizeof d->away, "%s", why->text);
    if (d->unknown_count == UNKNOWN_MAX)
        return;
    d->unasked[d->unknown_count] = unasked;
    d->unknown[d->unknown_count++] = id;
}

__attribute__((cold)) static int refuse_unknown(const struct avro_decoder *d, struct weir_reject *reject, int32_t id)
{
    bool unasked = false;
    if (known_unknown(d, id, &unasked) && unasked)
        return reject_because(reject, WEIR_UNKNOWN_SCHEMA, id, "schema %d: %s", id, d->away);
    return reject_because(reject, WEIR_UNKNOWN_SCHEMA, id, "the registry has no schema %d", id);
}

// 1: fetched, 0: the registry does not know the id, -1: it is away.
static int fetch_writer(struct avro_decoder *d, int32_t id, size_t position, struct weir_error *err)
{
    weir_cleanup(weir_arena_drop) struct weir_arena arena = {0};
    const char *text;
    bool unasked;
    if (id <= 0 || known_unknown(d, id, &unasked))
        return 0;
    if (d->source.schema(d->source.context, id, &arena, &text, err) < 0) {
        if (err->fate != WEIR_DEAD_LETTER)
            return weir_wrap(err, "schema %d", id);
        note_unknown(d, id, err);
        return 0;
    }
    weir_grow(&d->writers, &d->writer_capacity, d->writer_count + 1, sizeof(void *));
    memmove(d->writers + position + 1, d->writers + position, (d->writer_count - position) * sizeof(void *));
    d->writers[position] = writer_new(d, id, weir_str_of(text));
    d->writer_count++;
    return 1;
}

static int find_writer(struct avro_decoder *d, int32_t id, const struct writer **ret, struct weir_error *err)
{
    size_t position = writer_position(d, id);
    if (position == d->writer_count || d->writers[position]->id != id) {
        int fetched = fetch_writer(d, id, position, err);
        if (fetched <= 0)
            return fetched;
    }
    *ret = d->last = d->writers[position];
    return 1;
}

// ---- frames

static const char *frame_mistake(struct weir_str value)
{
    if (value.bytes == 0)
        return "empty, not an Avro record";
    if (value.data[0] == '{')
        return "starts with '{': JSON, not Avro with a schema id";
    if (value.bytes >= 4 && memcmp(value.data, "Obj\1", 4) == 0)
        return "an Avro file, not a record with a schema id";
    if (value.bytes >= 2 && memcmp(value.data, "\xc3\x01", 2) == 0)
        return "Avro's single-object encoding, but too short for a fingerprint";
    if (value.data[0] != 0)
        return "does not start with the byte 0 of a schema id";
    return "too short for a schema id";
}

static bool framed(struct weir_str value, int32_t *ret_id)
{
    if (value.bytes < AVRO_FRAME_BYTES || value.data[0] != 0)
        return false;
    uint32_t id;
    memcpy(&id, value.data + 1, sizeof id);
    *ret_id = (int32_t)__builtin_bswap32(id);
    return true;
}

// ---- the codec

static void begin(struct codec_decoder *self)
{
    ((struct avro_decoder *)self)->unknown_count = 0;
    known_begin(&((struct avro_decoder *)self)->known);
}

__attribute__((cold)) static int refuse(struct weir_reject *reject, const struct writer *writer, enum avro_fault fault, const char *field)
{
    if (writer->mistake)
        return reject_because(reject, WEIR_MALFORMED, writer->id, "schema %d: %s", writer->id, writer->mistake);
    if (fault == AVRO_TRAILING)
        return reject_because(reject, WEIR_MALFORMED, writer->id, "the record has %s", avro_fault_text(fault));
    if (fault == AVRO_REFUSED)
        return reject_because(reject, WEIR_MALFORMED, writer->id, "schema %d: %s", writer->id, field);
    return reject_because(reject, WEIR_MALFORMED, writer->id, "%s: %s", field, avro_fault_text(fault));
}

// A record in single-object encoding: 1 and its writer, 0: *reject, -1: err.
__attribute__((cold)) static int find_single(struct avro_decoder *d, struct weir_str value, const struct writer **ret, struct weir_reject *reject,
                                             struct weir_error *err)
{
    uint64_t fingerprint = 0;
    int32_t id;
    for (int i = 0; i < 8; i++)
        fingerprint |= (uint64_t)(uint8_t)value.data[2 + i] << (8 * i);
    int found = known_find(&d->known, &d->source, fingerprint, &id, err);
    if (found > 0)
        found = find_writer(d, id, ret, err);
    if (found != 0)
        return found;
    return reject_because(reject, WEIR_UNKNOWN_SCHEMA, 0, "the registry has no schema of fingerprint %016llx", (unsigned long long)fingerprint);
}

static bool is_single(struct weir_str value)
{
    return value.bytes >= AVRO_SINGLE_BYTES && (uint8_t)value.data[0] == 0xc3 && value.data[1] == 1;
}

__attribute__((cold)) static int find_framed(struct avro_decoder *d, int32_t id, const struct writer **ret, struct weir_reject *reject,
                                             struct weir_error *err)
{
    int found = find_writer(d, id, ret, err);
    return found != 0 ? found : refuse_unknown(d, reject, id);
}

static int decode_record(struct codec_decoder *self, const struct weir_record *record, struct weir_batch *batch, uint32_t row,
                         struct weir_reject *reject, struct weir_error *err)
{
    struct avro_decoder *d = (struct avro_decoder *)self;
    const struct writer *writer = d->last;
    uint32_t head = AVRO_FRAME_BYTES;
    int32_t id;
    int found = 1;
    if (!framed(record->value, &id)) {
        if (!is_single(record->value))
            return reject_because(reject, WEIR_MALFORMED, 0, "%s", frame_mistake(record->value));
        head = AVRO_SINGLE_BYTES;
        found = find_single(d, record->value, &writer, reject, err);
    } else if (!writer || writer->id != id) {
        found = find_framed(d, id, &writer, reject, err);
    }
    if (found <= 0)
        return found;
    if (!writer->program)
        return refuse(reject, writer, AVRO_FINE, NULL);
    const uint8_t *at = (const uint8_t *)record->value.data;
    const char *field;
    enum avro_fault fault = avro_run(writer->program, at + head, at + record->value.bytes, batch->columns, row, batch->arena, &field);
    return fault == AVRO_FINE ? 1 : refuse(reject, writer, fault, field);
}

static int print_body(const struct writer *writer, const uint8_t *at, const uint8_t *end, struct weir_buffer *out, struct weir_error *err)
{
    struct avro_walk walk = avro_walk_of(at, end);
    at = avro_print(&walk, writer->schema, at, out);
    if (at != end)
        return weir_fail(err, WEIR_BAD_DATA, WEIR_DEAD_LETTER, "not a record of schema %d: %s", writer->id,
                         avro_fault_text(at ? AVRO_TRAILING : walk.fault));
    return 0;
}

static int print_record(struct codec_decoder *self, const struct weir_record *record, struct weir_buffer *out, struct weir_error *err)
{
    struct avro_decoder *d = (struct avro_decoder *)self;
    const struct writer *writer = NULL;
    struct weir_reject reject = {.text = ""};
    int32_t id = 0;
    bool single = is_single(record->value);
    if (!single && !framed(record->value, &id))
        return weir_fail(err, WEIR_BAD_DATA, WEIR_DEAD_LETTER, "%s", frame_mistake(record->value));
    int found = single ? find_single(d, record->value, &writer, &reject, err) : find_writer(d, id, &writer, err);
    if (found < 0)
        return -1;
    if (found == 0 || !writer->schema)
        return weir_fail(err, WEIR_BAD_DATA, WEIR_DEAD_LETTER, "schema %d: %s", found ? writer->id : id,
                         found ? writer->mistake : "the registry has none of this id");
    const uint8_t *at = (const uint8_t *)record->value.data;
    return print_body(writer, at + (single ? AVRO_SINGLE_BYTES : AVRO_FRAME_BYTES), at + record->value.bytes, out, err);
}

static void decoder_free(struct codec_decoder *self)
{
    struct avro_decoder *d = (struct avro_decoder *)self;
    for (size_t i = 0; i < d->writer_count; i++)
        writer_free(d->writers[i]);
    free(d->writers);
    known_drop(&d->known);
    avro_reader_drop(&d->reader);
    free(d);
}

int avro_decoder_new(const struct weir_plan *plan, const struct avro_source *source, struct codec_decoder **ret, struct weir_error *err)
{
    struct avro_reader reader;
    if (avro_reader_new(&plan->event, &reader, err) < 0)
        return -1;
    struct avro_decoder *d = weir_zalloc(1, sizeof *d);
    d->codec = (struct codec_decoder){.begin = begin, .record = decode_record, .print = print_record, .free = decoder_free};
    d->source = *source;
    d->reader = reader;
    *ret = &d->codec;
    return 0;
}

static int schema_of_registry(void *context, int32_t id, struct weir_arena *arena, const char **ret_schema, struct weir_error *err)
{
    return weir_registry_schema(context, id, arena, ret_schema, err);
}

static int list_of_registry(void *context, int (*visit)(void *context, const struct weir_subject_version *v), void *visit_context,
                            struct weir_error *err)
{
    return weir_registry_list(context, visit, visit_context, err);
}

int codec_avro_decoder(const struct weir_plan *plan, struct weir_registry *registry, struct codec_decoder **ret, struct weir_error *err)
{
    const struct avro_source source = {schema_of_registry, list_of_registry, registry};
    return avro_decoder_new(plan, &source, ret, err);
}
