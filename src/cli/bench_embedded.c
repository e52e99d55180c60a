// SPDX-License-Identifier: Apache-2.0
// `weir bench embedded`: pipeline A as shipped, its simulator unthrottled: events → durable log → decode → raw rows, hourly windows, devices.
#include "base/memory.h"
#include "base/time.h"
#include "cli/bench.h"
#include "cli/bench_events.h"
#include "engine/engine.h"
#include <stdio.h>
#include <sys/resource.h>

enum { EVENTS = 3000000, CLOCK = 3600 };

static double cpu_seconds(void)
{
    struct rusage used;
    getrusage(RUSAGE_SELF, &used);
    return (double)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) + (double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e6;
}

static long peak_kilobytes(void)
{
    struct rusage used;
    getrusage(RUSAGE_SELF, &used);
    return used.ru_maxrss;
}

static int measure(struct weir_plan *plan, uint64_t events, struct weir_error *err)
{
    plan->feed.rate_per_s = 1e9;
    struct weir_run_options options = {.until_end = true, .close = true, .feed_limit = events, .clock_factor_override = CLOCK};
    struct weir_engine *engine;
    if (weir_engine_open(&plan, 1, &options, &engine, err) < 0)
        return -1;
    double cpu_before = cpu_seconds();
    int64_t begun_us = weir_monotonic_us();
    int result = weir_engine_run(engine, err);
    double seconds = (double)(weir_monotonic_us() - begun_us) / 1e6, cpu = cpu_seconds() - cpu_before;
    weir_cleanup(weir_arena_drop) struct weir_arena arena = {0};
    struct weir_pipeline_status status;
    weir_engine_status(engine, 0, &arena, &status);
    weir_engine_close(engine);
    if (result < 0)
        return -1;
    uint64_t rows = 0;
    for (uint32_t q = 0; q < plan->query_count; q++)
        rows += status.rows[q];
    printf("%12s %12s %12s %12s %12s %12s\n", "events", "rows", "seconds", "M events/s", "CPU us/event", "peak RSS MB");
    printf("%12llu %12llu %12.2f %12.2f %12.2f %12.1f\n", (unsigned long long)status.records, (unsigned long long)rows, seconds,
           (double)status.records / seconds / 1e6, cpu / (double)status.records * 1e6, (double)peak_kilobytes() / 1024);
    return 0;
}

static int run(const struct cli_args *args, struct weir_error *err)
{
    struct bench_world world;
    if (bench_world_open(&world, NULL, err) < 0)
        return -1;
    weir_cleanup(weir_freep) char *file = weir_format("%s/pipelines/iot-analytics.yaml", world.dir);
    weir_cleanup(weir_freep) char *data = weir_format("%s/run", args->where.data_dir ? args->where.data_dir : world.dir);
    struct weir_plan *plan = NULL;
    int result = weir_plan_load(file, &(struct weir_overrides){.data_dir = data}, stderr, false, &plan, err);
    if (result == 0)
        result = measure(plan, args->limit ? args->limit : EVENTS, err);
    weir_plan_free(plan);
    bench_world_close(&world);
    return result;
}

int bench_embedded(const struct cli_args *args)
{
    struct weir_error err;
    return run(args, &err) < 0 ? cli_report(&err) : 0;
}
