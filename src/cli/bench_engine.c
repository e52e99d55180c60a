// SPDX-License-Identifier: Apache-2.0
// `weir bench engine`: pre-encoded Avro events in memory → decode → hourly minimum, maximum, average and count per device, one thread, by the very plan
// that a pipeline file gives. Devices speak in random order; each speaks at least four times an hour, over at most 48 hours.
#include "base/memory.h"
#include "cli/bench.h"
#include "cli/bench_events.h"
#include "query/query.h"

enum { ROUNDS = 3, SAMPLES_AN_HOUR = 4, HOURS_MAX = 48 };

static const char *const pipeline_text =
    "pipeline: bench\n"
    "topic: {name: bench}\n"
    "event: {format: avro, schema: schemas/sensor-event.avsc, key: device_id, time: timestamp}\n"
    "queries:\n"
    "  - table: hourly\n"
    "    window: tumbling 1 hour\n"
    "    group_by: [device_id]\n"
    "    lateness: 1 minute\n"
    "    emit: final\n"
    "    columns: {device_id: uuid, hour: bigint = epoch_s(window_start), low: float = min(temperature), high: float = max(temperature),\n"
    "              mean: double = avg(temperature), events: bigint = count()}\n"
    "    key: [[device_id], hour desc]\n";

struct outcome {
    double decode_s, total_s;
    uint64_t rows, counted;
    struct weir_core_stats stats;
};

static int count_rows(void *context, const struct weir_rows *rows, struct weir_error *err)
{
    (void)err;
    struct outcome *o = context;
    o->rows += rows->count;
    for (uint32_t i = 0; i < rows->count; i++)
        o->counted += (uint64_t)rows->columns[5].i64[i];
    return 0;
}

static int count_late(void *context, uint32_t query, const struct weir_batch *batch, uint32_t row, struct weir_error *err)
{
    (void)context, (void)query, (void)batch, (void)row, (void)err;
    return 0;
}

static int measure(const struct bench_world *world, const struct bench_events *events, struct outcome *best, struct weir_error *err)
{
    struct weir_decoder *decoder;
    if (weir_decoder_new(world->plan, world->registry, &decoder, err) < 0)
        return -1;
    int result = 0;
    *best = (struct outcome){.total_s = 1e9, .decode_s = 1e9};
    for (int round = 0; round < ROUNDS && result == 0; round++) {
        struct outcome o = {0};
        struct weir_core *core = weir_core_new(world->plan, 1, &(struct weir_core_sink){&o, count_rows, count_late});
        result = bench_pass(events, decoder, NULL, &o.decode_s, err) < 0 || bench_pass(events, decoder, core, &o.total_s, err) < 0 ? -1 : 0;
        o.stats = weir_core_stats(core);
        if (result == 0)
            result = weir_core_emit_ended(core, 0, INT64_MAX, err);
        weir_core_free(core);
        weir_assert(result < 0 || o.counted == events->count); // every event is in exactly one row
        double decode_s = o.decode_s < best->decode_s ? o.decode_s : best->decode_s;
        if (o.total_s < best->total_s)
            *best = o;
        best->decode_s = decode_s;
    }
    weir_decoder_free(decoder);
    return result;
}

static int run(const struct cli_args *args, struct weir_error *err)
{
    static const uint32_t devices[] = {100, 10000, 100000, 1000000};
    struct bench_world world;
    if (bench_world_open(&world, pipeline_text, err) < 0)
        return -1;
    int result = 0;
    printf("%10s %10s %12s %12s %12s %12s %10s %10s\n", "devices", "events", "M events/s", "ns/event", "of it decode", "of it fold", "rows",
           "state MB");
    for (size_t i = 0; i < sizeof devices / sizeof *devices && result == 0; i++) {
        uint64_t count = args->limit ? args->limit : devices[i] < 1000000 ? 4000000 : 8000000;
        uint64_t hours = count / devices[i] / SAMPLES_AN_HOUR;
        hours = hours < 1 ? 1 : hours > HOURS_MAX ? HOURS_MAX : hours;
        struct bench_events events;
        struct outcome o;
        result = bench_events_make(&events, &world, devices[i], count, (int64_t)hours * 3600000, err) < 0 || measure(&world, &events, &o, err) < 0
                     ? -1
                     : 0;
        bench_events_drop(&events);
        double n = (double)count;
        if (result == 0)
            printf("%10u %10llu %12.1f %12.1f %12.1f %12.1f %10llu %10.1f\n", devices[i], (unsigned long long)count, n / o.total_s / 1e6,
                   o.total_s / n * 1e9, o.decode_s / n * 1e9, (o.total_s - o.decode_s) / n * 1e9, (unsigned long long)o.rows,
                   (double)o.stats.memory_bytes / 1e6);
        fflush(stdout);
    }
    bench_world_close(&world);
    return result;
}

int bench_engine(const struct cli_args *args)
{
    struct weir_error err;
    return run(args, &err) < 0 ? cli_report(&err) : 0;
}
