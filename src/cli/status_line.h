// SPDX-License-Identifier: Apache-2.0
// The view of `run` and `produce`: one line on a terminal's stderr that is rewritten in place, log lines passing above it.
#pragma once
#include "cli/progress.h"
#include "cli/runner.h"

struct status_line {
    pthread_mutex_t lock;
    struct progress_rate rate;
    bool live, shown, feed_only;
    char text[512];
};

void status_line_init(struct status_line *line, bool feed_only);
struct runner_view status_line_view(struct status_line *line);
void status_line_end(struct status_line *line); // takes the line off the terminal
