// SPDX-License-Identifier: Apache-2.0
#include "cli/bench.h"
#include "cli/verb/verbs.h"

static const struct cli_option options[] = {CLI_OPTION_LIMIT, CLI_OPTION_FORMAT, CLI_OPTION_DATA, {0}};

#define BENCH(title, text)                                                                                                                           \
    static const struct cli_verb verb_##title = {                                                                                                    \
        .name = #title,                                                                                                                              \
        .summary = text,                                                                                                                             \
        .operands = "",                                                                                                                              \
        .examples = (const char *const[]){"weir bench " #title, NULL},                                                                               \
        .options = options,                                                                                                                          \
        .run = bench_##title,                                                                                                                        \
    }

BENCH(engine, "Avro in memory → decode → hourly windows per device, one thread");
BENCH(embedded, "memory → durable log → windows and raw rows");
BENCH(metrics, "the six aggregations of pipeline B, with medians, over JSON events in memory, one thread");
BENCH(avro, "decoding the six-field sensor event");

const struct cli_verb verb_bench = {
    .name = "bench",
    .summary = "the project's own measurements",
    .operands = "",
    .verbs = (const struct cli_verb *const[]){&verb_engine, &verb_embedded, &verb_avro, &verb_metrics, NULL},
};
