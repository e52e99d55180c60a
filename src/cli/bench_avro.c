// SPDX-License-Identifier: Apache-2.0
// `weir bench avro`: decoding the six-field event of pipeline A, every field into its column. (build/bench/bench_avro sets it beside avro-c.)
#include "cli/bench.h"
#include "cli/bench_events.h"

enum { EVENTS = 2000000, ROUNDS = 7, DEVICES = 100 };

static const char *const pipeline_text =
    "pipeline: bench\n"
    "topic: {name: bench}\n"
    "event: {format: avro, schema: schemas/sensor-event.avsc, key: device_id, time: timestamp}\n"
    "queries:\n"
    "  - table: events\n"
    "    columns: {device_id: text, device_name: text, timestamp: bigint, temperature: float, humidity: float, location: text}\n"
    "    key: [[device_id], timestamp]\n";

static int measure(struct bench_world *world, uint64_t count, struct weir_error *err)
{
    struct weir_decoder *decoder = NULL;
    struct bench_events events = {0};
    int result =
        bench_events_make(&events, world, DEVICES, count, 3600000, err) < 0 || weir_decoder_new(world->plan, world->registry, &decoder, err) < 0 ? -1
                                                                                                                                                 : 0;
    double best_s = 1e9;
    for (int round = 0; round < ROUNDS && result == 0; round++) {
        double seconds = 0;
        result = bench_pass(&events, decoder, NULL, &seconds, err);
        best_s = seconds < best_s ? seconds : best_s;
    }
    if (result == 0)
        printf("%llu events of %.0f bytes: %.1f ns/event, %.1f M events/s (best of %d)\n", (unsigned long long)count,
               (double)events.bytes.bytes / (double)count, best_s / (double)count * 1e9, (double)count / best_s / 1e6, ROUNDS);
    weir_decoder_free(decoder);
    bench_events_drop(&events);
    return result;
}

int bench_avro(const struct cli_args *args)
{
    struct weir_error err;
    struct bench_world world;
    if (bench_world_open(&world, pipeline_text, &err) < 0)
        return cli_report(&err);
    int result = measure(&world, args->limit ? args->limit : EVENTS, &err);
    bench_world_close(&world);
    return result < 0 ? cli_report(&err) : 0;
}
