// SPDX-License-Identifier: Apache-2.0
// JSON events of pipeline B's shape: bytes in memory into columns here, into a tree with jansson; and written from values. The best of several rounds
// counts, and rounds take turns, so that all meet the same machine.
#include "base/time.h"
#include "format/format.h"
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

enum { EVENTS = 50000, BATCH = 1000, ROUNDS = 15 };
enum { GROUP, ID, TYPE, TIMESTAMP, VALUE, FIELDS };

static struct weir_field fields[FIELDS] = {{.name = "group", .type = WEIR_STRING, .used = true},
                                           {.name = "id", .type = WEIR_STRING, .used = true},
                                           {.name = "type", .type = WEIR_STRING, .used = true},
                                           {.name = "timestamp", .type = WEIR_LONG, .used = true},
                                           {.name = "value", .type = WEIR_DOUBLE, .used = true}};

static const struct weir_plan plan = {
    .event = {.format = WEIR_FORMAT_JSON, .field_count = FIELDS, .fields = fields, .key_field = ID, .time_field = TIMESTAMP, .max_ahead_ms = -1}};

struct bench {
    struct weir_arena arena; // of the events
    struct weir_value (*values)[FIELDS];
    struct weir_record *records;
    struct weir_encoder *encoder;
    struct weir_decoder *decoder;
    double sum; // of what was read, so that no reading can be left out
};

static void give_up(const char *what)
{
    fprintf(stderr, "bench_json: %s\n", what);
    exit(1);
}

static double ns_per_event(int64_t start_us)
{
    return (double)(weir_monotonic_us() - start_us) * 1e3 / EVENTS;
}

static void make_events(struct bench *b)
{
    static const char *const types[] = {"THERM", "HEARTRATE", "FUEL"};
    b->values = weir_arena_zalloc(&b->arena, EVENTS * sizeof *b->values);
    for (int i = 0; i < EVENTS; i++) {
        b->values[i][GROUP].str = weir_str_of(weir_arena_format(&b->arena, "group-%d", i % 7));
        b->values[i][ID].str = weir_str_of(weir_arena_format(&b->arena, "sensor-%d", i % 100));
        b->values[i][TYPE].str = weir_str_of(types[i % 3]);
        b->values[i][TIMESTAMP].i64 = 1700000000000 + i * 10;
        b->values[i][VALUE].f64 = (1000 + i * 79 % 9000) / 100.0;
        for (int f = 0; f < FIELDS; f++)
            b->values[i][f].kind = weir_kind_of(fields[f].type);
    }
}

static double run_encode(struct bench *b, bool keep)
{
    struct weir_buffer out = {0};
    struct weir_error err;
    int64_t start_us = weir_monotonic_us();
    for (int i = 0; i < EVENTS; i++) {
        out.bytes = 0;
        if (weir_encode(b->encoder, b->values[i], &out, &err) < 0)
            give_up(err.text);
        if (keep)
            b->records[i] = (struct weir_record){.offset = i, .value = weir_arena_copy(&b->arena, weir_buffer_view(&out))};
    }
    double ns = ns_per_event(start_us);
    weir_buffer_drop(&out);
    return ns;
}

static double run_decode(struct bench *b)
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
        b->sum += batch.columns[VALUE].f64[batch.rows - 1];
    }
    double ns = ns_per_event(start_us);
    weir_arena_drop(&arena);
    return ns;
}

static double run_jansson(struct bench *b)
{
    json_error_t error;
    int64_t start_us = weir_monotonic_us();
    for (int i = 0; i < EVENTS; i++) {
        json_t *tree = json_loadb(b->records[i].value.data, b->records[i].value.bytes, 0, &error);
        if (!tree)
            give_up(error.text);
        b->sum += json_number_value(json_object_get(tree, "value"));
        json_decref(tree);
    }
    return ns_per_event(start_us);
}

static double least(double a, double b)
{
    return b < a ? b : a;
}

int main(void)
{
    struct bench b = {0};
    struct weir_error err;
    double decode = 1e9, encode = 1e9, other = 1e9;
    if (weir_encoder_new(&plan, NULL, &b.encoder, &err) < 0 || weir_decoder_new(&plan, NULL, &b.decoder, &err) < 0)
        give_up(err.text);
    make_events(&b);
    b.records = weir_arena_zalloc(&b.arena, EVENTS * sizeof *b.records);
    run_encode(&b, true);
    for (int round = 0; round < ROUNDS; round++) {
        decode = least(decode, run_decode(&b));
        encode = least(encode, run_encode(&b, false));
        if (round < ROUNDS / 3)
            other = least(other, run_jansson(&b));
    }
    printf("json, %d events of %u bytes, 5 fields, best of %d (checksum %.2f)\n", EVENTS, b.records[0].value.bytes, ROUNDS, b.sum);
    printf("  weir, all fields into columns               %7.1f ns/event\n", decode);
    printf("  jansson, into a tree                        %7.1f ns/event\n", other);
    printf("  ratio                                       %7.1f\n", other / decode);
    printf("  weir, values to text                        %7.1f ns/event\n", encode);
    weir_encoder_free(b.encoder);
    weir_decoder_free(b.decoder);
    weir_arena_drop(&b.arena);
    return 0;
}
