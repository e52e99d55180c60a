// SPDX-License-Identifier: Apache-2.0
// What `run` and `produce` share.
#pragma once
#include "cli/runner.h"

// Runs the loaded pipelines with an HTTP server, or only their feeds without one, under a status line; prints the summary. Returns the exit code.
// What fails before anything runs is left for the caller to report: err->code says that there is such, and is WEIR_OK otherwise.
int run_files(struct runner *runner, const struct cli_args *args, bool feed_only, struct weir_error *err);
