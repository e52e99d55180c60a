// SPDX-License-Identifier: Apache-2.0
// `weir bench metrics`: the six aggregations of pipeline B together (average, lowest, highest, median of every hour, day and month, by device and by group)
// over JSON events in memory of 300 devices in 10 groups and 40 days, one thread.
#include "cli/bench.h"
#include "cli/bench_events.h"

enum { EVENTS = 3000000, ROUNDS = 3, DEVICES = 300, GROUPS = 10, DAYS = 40 };

static void print_query(struct weir_buffer *out, const char *unit, const char *by)
{
    weir_buffer_format(
        out,
        "  - table: %s_by_%s\n"
        "    window: calendar %s\n"
        "    group_by: [%s]\n"
        "    lateness: 1 minute\n"
        "    emit: update\n"
        "    columns: {%s: text, start: bigint = epoch_ms(window_start), n: bigint = count(), avg: double = avg(value), min: double = min(value),\n"
        "              max: double = max(value), median: double = median(value)}\n"
        "    key: [[%s], start desc]\n",
        unit, by, unit, by, by, by);
}

static void print_pipeline(struct weir_buffer *out)
{
    static const char *const units[] = {"hour", "day", "month"};
    weir_buffer_format(
        out, "pipeline: bench\n"
             "topic: {name: bench}\n"
             "event: {format: json, fields: {group: string, id: string, type: string, timestamp: long, value: double}, key: id, time: timestamp}\n"
             "queries:\n");
    for (int u = 0; u < 3; u++) {
        print_query(out, units[u], "id");
        print_query(out, units[u], "group");
    }
    weir_buffer_byte(out, 0);
}

struct tally {
    uint64_t rows, counted;
};

static int take_rows(void *context, const struct weir_rows *rows, struct weir_error *err)
{
    (void)err;
    struct tally *t = context;
    t->rows += rows->count;
    for (uint32_t i = 0; i < rows->count; i++)
        t->counted += (uint64_t)rows->columns[2].i64[i];
    return 0;
}

static int take_late(void *context, uint32_t query, const struct weir_batch *batch, uint32_t row, struct weir_error *err)
{
    (void)context, (void)query, (void)batch, (void)row, (void)err;
    return 0;
}

static int measure(struct bench_world *world, const struct bench_events *events, struct weir_error *err)
{
    struct weir_decoder *decoder;
    double decode_s = 1e9, total_s = 1e9;
    struct tally tally = {0};
    if (weir_decoder_new(world->plan, world->registry, &decoder, err) < 0)
        return -1;
    int result = 0;
    for (int round = 0; round < ROUNDS && result == 0; round++) {
        double decoding = 0, all = 0;
        tally = (struct tally){0};
        struct weir_core *core = weir_core_new(world->plan, 1, &(struct weir_core_sink){&tally, take_rows, take_late});
        result = bench_pass(events, decoder, NULL, &decoding, err) < 0 || bench_pass(events, decoder, core, &all, err) < 0 ? -1 : 0;
        for (uint32_t q = 0; q < world->plan->query_count && result == 0; q++)
            result = weir_core_emit_changed(core, q, err);
        weir_core_free(core);
        decode_s = decoding < decode_s ? decoding : decode_s;
        total_s = all < total_s ? all : total_s;
        weir_assert(result < 0 || tally.counted == 6 * events->count); // every event is in exactly one row of each table
    }
    double n = (double)events->count;
    if (result == 0)
        printf("%12s %12s %12s %12s %12s %12s\n%12.0f %12.1f %12.1f %12.1f %12.1f %12llu\n", "events", "M events/s", "ns/event", "of it decode",
               "of it fold", "rows", n, n / total_s / 1e6, total_s / n * 1e9, decode_s / n * 1e9, (total_s - decode_s) / n * 1e9,
               (unsigned long long)tally.rows);
    weir_decoder_free(decoder);
    return result;
}

int bench_metrics(const struct cli_args *args)
{
    struct weir_error err;
    struct bench_world world;
    weir_cleanup(weir_buffer_drop) struct weir_buffer pipeline = {0};
    print_pipeline(&pipeline);
    if (bench_world_open(&world, (const char *)pipeline.data, &err) < 0)
        return cli_report(&err);
    struct bench_events events = {0};
    int result = bench_meters_make(&events, &world, DEVICES, GROUPS, args->limit ? args->limit : EVENTS, (int64_t)DAYS * 86400000, &err);
    if (result == 0)
        result = measure(&world, &events, &err);
    bench_events_drop(&events);
    bench_world_close(&world);
    return result < 0 ? cli_report(&err) : 0;
}
