// SPDX-License-Identifier: Apache-2.0
// Any bytes as an Avro record: the first byte chooses the writer's and the reader's schema, the rest is the record's body.
#include "format/avro.h"
#include "format/avro_event.h"
#include <stdlib.h>

#define RECORD(fields)       "{\"type\":\"record\",\"name\":\"Event\",\"fields\":[" fields "{\"name\":\"ts\",\"type\":\"long\"}]}"
#define FIELD(name, type)    "{\"name\":\"" name "\",\"type\":" type "},"
#define NULLABLE(name, type) "{\"name\":\"" name "\",\"type\":[\"null\"," type "],\"default\":null},"
#define TREE                                                                                                                                         \
    "{\"type\":\"record\",\"name\":\"Tree\",\"fields\":[{\"name\":\"x\",\"type\":[\"null\",\"Tree\"]},"                                              \
    "{\"name\":\"y\",\"type\":{\"type\":\"array\",\"items\":\"Tree\"}}]}"

static const char *const schemas[] = {
    RECORD(FIELD("id", "\"string\"") NULLABLE("name", "\"string\"") FIELD("a", "\"float\"") FIELD("b", "\"double\"") NULLABLE("n", "\"int\"")),
    RECORD(NULLABLE("n", "\"long\"") FIELD("id", "\"bytes\"") NULLABLE("a", "\"double\"") NULLABLE("b", "\"double\"") NULLABLE("c", "\"boolean\"")),
    RECORD(FIELD("id", "[\"int\",\"string\",\"null\",\"boolean\"]") FIELD("a", "\"int\"") FIELD("b", "\"long\"") FIELD("tree", TREE)),
    RECORD(FIELD("id", "{\"type\":\"enum\",\"name\":\"E\",\"symbols\":[\"A\",\"B\"]}") FIELD("a", "\"long\"") FIELD("b", "[\"float\",\"null\"]")
               FIELD("m", "{\"type\":\"map\",\"values\":{\"type\":\"array\",\"items\":[\"null\",\"bytes\"]}}")
                   FIELD("f", "{\"type\":\"fixed\",\"name\":\"F\",\"size\":9}") FIELD("nulls", "{\"type\":\"array\",\"items\":\"null\"}")),
};

enum { SCHEMAS = sizeof schemas / sizeof *schemas };

static int schema_of_list(void *context, int32_t id, struct weir_arena *arena, const char **ret_schema, struct weir_error *err)
{
    (void)context;
    if (id > SCHEMAS)
        return weir_fail(err, WEIR_BAD_DATA, WEIR_DEAD_LETTER, "no schema %d", id);
    *ret_schema = weir_arena_copy(arena, weir_str_of(schemas[id - 1])).data;
    return 0;
}

static struct weir_plan plans[SCHEMAS];
static struct weir_decoder *decoders[SCHEMAS];

static void open_decoder(int reader)
{
    static const struct avro_source source = {.schema = schema_of_list, .context = NULL};
    struct codec_decoder *codec;
    struct weir_error err;
    struct weir_plan *plan = &plans[reader];
    weir_assert(avro_event_of(schemas[reader], "ts", &plan->arena, &plan->event, &err) == 0);
    weir_assert(avro_decoder_new(plan, &source, &codec, &err) == 0);
    decoders[reader] = decoder_of_codec(plan, codec);
}

static void read_columns(const struct weir_event_spec *event, const struct weir_batch *batch)
{
    uint64_t seen = 0;
    for (uint32_t f = 0; batch->rows && f < event->field_count; f++) {
        struct weir_value value = weir_column_get(&batch->columns[f], 0);
        for (uint32_t i = 0; !value.null && value.kind == WEIR_STRS && i < value.str.bytes; i++)
            seen += (uint8_t)value.str.data[i];
    }
    weir_assert(seen < UINT64_MAX);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0 || size > 1 << 16)
        return 0;
    int reader = data[0] % SCHEMAS, writer = data[0] / SCHEMAS % (SCHEMAS + 1);
    if (!decoders[reader])
        open_decoder(reader);
    char *bytes = malloc(size + 4); // the frame with the body: exactly as long, for the sanitizer
    memcpy(bytes, (const char[]){0, 0, 0, 0, (char)(writer + 1)}, AVRO_FRAME_BYTES);
    memcpy(bytes + AVRO_FRAME_BYTES, data + 1, size - 1);
    struct weir_record record = {.value = {bytes, (uint32_t)size + 4}};
    struct weir_arena arena = {0};
    struct weir_batch batch;
    struct weir_rejects rejects = {0};
    struct weir_buffer text = {0};
    struct weir_error err;
    weir_assert(weir_decode(decoders[reader], &record, 1, &arena, &batch, &rejects, &err) == 0);
    weir_assert(batch.rows + rejects.count == 1);
    read_columns(&plans[reader].event, &batch);
    weir_record_print(decoders[reader], &record, &text, &err);
    weir_buffer_drop(&text);
    weir_arena_drop(&arena);
    free(rejects.items);
    free(bytes);
    return 0;
}
