// SPDX-License-Identifier: Apache-2.0
// What `run` and `produce` share.
#pragma once
#include "cli/cli.h"

// Runs the pipelines of the operands, or only their feeds, under a status line; prints the summary. Returns the exit code.
int run_files(const struct cli_args *args, bool feed_only);
