// SPDX-License-Identifier: Apache-2.0
// Decoding the six-field sensor event: bytes in memory into columns here, through a resolved reader into a generic value with avro-c. Both read the
// same events; the best of several rounds counts, and rounds take turns, so that both meet the same machine.
#include "base/number.h"
#include "base/time.h"
#include "format/avro.h"
#include "format/avro_c.h"
#include "format/avro_event.h"
#include <stdio.h>
#include <stdlib.h>

enum { EVENTS = 100000, DEVICES = 100, BATCH = 1000, ROUNDS = 15, SCHEMA_ID = 1 };

static const char schema[] = "{\"type\":\"record\",\"name\":\"SensorEvent\",\"namespace\":\"com.iot.pipeline\",\"fields\":["
                             "{\"name\":\"device_id\",\"type\":\"string\"},"
                             "{\"name\":\"device_name\",\"type\":[\"null\",\"string\"],\"default\":null},"
                             "{\"name\":\"timestamp\",\"type\":\"long\"},"
                             "{\"name\":\"temperature\",\"type\":\"float\"},"
                             "{\"name\":\"humidity\",\"type\":\"float\"},"
                             "{\"name\":\"location\",\"type\":[\"null\",\"string\"],\"default\":null}]}";

struct bench {
    struct weir_plan plan;
    struct weir_arena arena; // of the plan and the events
    struct weir_record *records;
    struct weir_decoder *decoder;
    avro_value_t value; // avro-c: what it reads into, the resolved reader around it
    avro_value_t resolved;
    double sum; // of what was read, so that no reading can be left out
};

static void give_up(const char *what)
{
    fprintf(stderr, "bench_avro: %s\n", what);
    exit(1);
}

static int schema_of_bench(void *context, int32_t id, struct weir_arena *arena, const char **ret_schema, struct weir_error *err)
{
    (void)context;
    (void)id;
    (void)err;
    *ret_schema = weir_arena_copy(arena, WEIR_STR(schema)).data;
    return 0;
}

static struct weir_value text_of(const char *text)
{
    return (struct weir_value){.kind = WEIR_STRS, .str = weir_str_of(text)};
}

static void encode_events(struct bench *b)
{
    static const char *const cities[] = {"Roma", "Milano", "Napoli", "Torino", "Palermo", "Genova", "Bologna"};
    struct codec_encoder *codec;
    struct weir_error err;
    if (avro_encoder_new(&b->plan, SCHEMA_ID, &codec, &err) < 0)
        give_up(err.text);
    struct weir_encoder *encoder = encoder_of_codec(&b->plan, codec);
    b->records = weir_arena_zalloc(&b->arena, EVENTS * sizeof *b->records);
    for (int i = 0; i < EVENTS; i++) {
        struct weir_buffer out = {0};
        int device = i % DEVICES;
        struct weir_value values[] = {
            text_of(weir_arena_format(&b->arena, "%08x-0000-4000-8000-%012x", device * 2654435761u, device)),
            text_of(weir_arena_format(&b->arena, "sensor-%d", device + 1)),
            {.kind = WEIR_I64, .i64 = 1700000000000 + i},
            {.kind = WEIR_F64, .f64 = 15 + i % 2000 / 100.0},
            {.kind = WEIR_F64, .f64 = 30 + i % 6000 / 100.0},
            text_of(cities[device % 7]),
        };
        if (weir_encode(encoder, values, &out, &err) < 0)
            give_up(err.text);
        b->records[i] =
            (struct weir_record){.offset = i, .timestamp_ms = 1700000000000 + i, .value = weir_arena_copy(&b->arena, weir_buffer_view(&out))};
        weir_buffer_drop(&out);
    }
    weir_encoder_free(encoder);
}

static void open_weir(struct bench *b)
{
    static const struct avro_source source = {.schema = schema_of_bench, .context = NULL};
    struct codec_decoder *codec = NULL;
    struct weir_error err;
    if (avro_event_of(schema, "timestamp", &b->arena, &b->plan.event, &err) < 0 || avro_decoder_new(&b->plan, &source, &codec, &err) < 0)
        give_up(err.text);
    b->decoder = decoder_of_codec(&b->plan, codec);
}

static void open_avro_c(struct bench *b)
{
    avro_schema_t writer = NULL, reader = NULL;
    if (avro_schema_from_json_length(schema, sizeof schema - 1, &writer) || avro_schema_from_json_length(schema, sizeof schema - 1, &reader))
        give_up(avro_strerror());
    avro_value_iface_t *generic = avro_generic_class_from_schema(reader), *resolver = avro_resolved_writer_new(writer, reader);
    if (!generic || !resolver || avro_generic_value_new(generic, &b->value) || avro_resolved_writer_new_value(resolver, &b->resolved))
        give_up(avro_strerror());
    avro_resolved_writer_set_dest(&b->resolved, &b->value);
}

static double run_weir(struct bench *b)
{
    struct weir_arena arena = {0};
    struct weir_rejects rejects = {0};
    struct weir_batch batch;
    struct weir_error err;
    int64_t start_us = weir_monotonic_us();
    for (int i = 0; i < EVENTS; i += BATCH) {
        weir_arena_reset(&arena);
        if (weir_decode(b->decoder, b->records + i, BATCH, &arena, &batch, &rejects, &err) < 0 || rejects.count)
            give_up("an event was refused");
        b->sum += batch.columns[3].f64[batch.rows - 1];
    }
    int64_t us = weir_monotonic_us() - start_us;
    weir_arena_drop(&arena);
    free(rejects.items);
    return (double)us * 1e3 / EVENTS;
}

static double run_avro_c(struct bench *b)
{
    avro_value_t field;
    float temperature = 0;
    avro_reader_t reader = avro_reader_memory("", 0);
    int64_t start_us = weir_monotonic_us();
    for (int i = 0; i < EVENTS; i++) {
        const struct weir_str *value = &b->records[i].value;
        avro_reader_memory_set_source(reader, value->data + AVRO_FRAME_BYTES, value->bytes - AVRO_FRAME_BYTES);
        avro_value_reset(&b->value);
        if (avro_value_read(reader, &b->resolved))
            give_up(avro_strerror());
    }
    int64_t us = weir_monotonic_us() - start_us;
    avro_value_get_by_name(&b->value, "temperature", &field, NULL);
    avro_value_get_float(&field, &temperature);
    b->sum += (double)temperature;
    avro_reader_free(reader);
    return (double)us * 1e3 / EVENTS;
}

static double least(double a, double b)
{
    return b < a ? b : a;
}

int main(void)
{
    struct bench b = {0};
    double weir = 1e9, checked = 1e9, other = 1e9;
    open_weir(&b);
    open_avro_c(&b);
    encode_events(&b);
    for (int round = 0; round < ROUNDS; round++) {
        weir = least(weir, run_weir(&b));
        b.plan.event.fields[0].is_uuid = true;
        b.plan.event.max_ahead_ms = 86400000;
        checked = least(checked, run_weir(&b));
        b.plan.event.fields[0].is_uuid = false;
        b.plan.event.max_ahead_ms = -1;
        if (round < ROUNDS / 3)
            other = least(other, run_avro_c(&b));
    }
    printf("avro decode, %d events of %u bytes, 6 fields, best of %d (checksum %.2f)\n", EVENTS, b.records[0].value.bytes, ROUNDS, b.sum);
    printf("  weir, all fields into columns               %7.1f ns/event\n", weir);
    printf("  weir, with uuid and event-time checks       %7.1f ns/event\n", checked);
    printf("  avro-c, resolved reader into a generic value%7.1f ns/event\n", other);
    printf("  ratio                                       %7.1f\n", other / weir);
    return 0;
}
