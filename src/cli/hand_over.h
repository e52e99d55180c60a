// SPDX-License-Identifier: Apache-2.0
// A feed's events for a process that holds the embedded log: they are handed to it over HTTP.
#pragma once
#include "cli/cli.h"
#include <jansson.h>

// Whether a process runs in the plan's data folder; *ret_status is its status.json (the caller's). Waits up to `wait_ms` for one that is starting.
bool hand_over_possible(const struct weir_plan *plan, int wait_ms, json_t **ret_status);

// Gives the feed's events until it ends, the limit or time of `args` is reached or a signal comes; prints the summary. Returns the exit code.
// The feed starts at its beginning: its place in the log is the other process's.
int hand_over(const struct weir_plan *plan, const struct cli_args *args, const json_t *status);
