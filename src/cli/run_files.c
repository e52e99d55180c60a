// SPDX-License-Identifier: Apache-2.0
#include "cli/run_files.h"
#include "cli/status_line.h"

enum { LIVE_ROWS = 100 }; // of each table, for the page

static void say_what_runs(const struct weir_plan *plan)
{
    fprintf(stderr, "%s: topic %s (%d partition%s) →", plan->pipeline, plan->topic.name, plan->topic.partitions,
            plan->topic.partitions == 1 ? "" : "s");
    for (uint32_t q = 0; q < plan->query_count; q++)
        fprintf(stderr, "%s %s", q ? "," : "", plan->queries[q].table.name);
    fprintf(stderr, "; data in %s\n", plan->data_dir);
}

static int open_all(struct runner *runner, const struct cli_args *args, bool feed_only, const struct runner_view *view, struct weir_error *err)
{
    struct weir_run_options options = {
        .until_end = args->until_end,
        .close = args->close,
        .no_feed = args->no_feed,
        .feed_only = feed_only,
        .for_ms = args->for_ms,
        .feed_limit = args->limit,
        .recent_rows = args->until_end ? 0 : LIVE_ROWS, // whom would a run that ends by itself show them to
    };
    if (runner_open(runner, &options, view, err) < 0)
        return -1;
    for (uint32_t i = 0; i < runner->plan_count; i++)
        say_what_runs(runner->plans[i]);
    return feed_only ? 0 : runner_serve(runner, args->listen, args->registry_listen, view, err);
}

int run_files(struct runner *runner, const struct cli_args *args, bool feed_only, struct weir_error *err)
{
    struct status_line line;
    status_line_init(&line, feed_only);
    struct runner_view view = status_line_view(&line);
    err->code = WEIR_OK;
    int opened = open_all(runner, args, feed_only, &view, err);
    if (opened == 0)
        err->code = WEIR_OK; // what was tried again and came out well is none of it
    int code = opened < 0 ? (int)err->code : runner_run(runner, &view);
    status_line_end(&line);
    if (opened == 0 && (code == WEIR_OK || code == CLI_EXIT_INTERRUPTED))
        runner_summary(runner, args->format, feed_only);
    fflush(stdout);
    return code;
}
