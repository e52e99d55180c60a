// SPDX-License-Identifier: Apache-2.0
// What `weir bench …` measures. Each prints what it found on stdout and returns an exit code; --limit is the number of events (0: its own choice).
#pragma once
#include "cli/cli.h"

int bench_engine(const struct cli_args *args);
int bench_embedded(const struct cli_args *args);
int bench_avro(const struct cli_args *args);
int bench_metrics(const struct cli_args *args);
