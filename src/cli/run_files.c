// SPDX-License-Identifier: Apache-2.0
#include "cli/run_files.h"
#include "cli/runner.h"
#include "cli/status_line.h"

static void say_what_runs(const struct weir_plan *plan)
{
    fprintf(stderr, "%s: topic %s (%d partition%s) →", plan->pipeline, plan->topic.name, plan->topic.partitions,
            plan->topic.partitions == 1 ? "" : "s");
    for (uint32_t q = 0; q < plan->query_count; q++)
        fprintf(stderr, "%s %s", q ? "," : "", plan->queries[q].table.name);
    fprintf(stderr, "; data in %s\n", plan->data_dir);
}

static int run_plans(struct runner *runner, const struct cli_args *args, bool feed_only)
{
    struct weir_run_options options = {
        .until_end = args->until_end,
        .close = args->close,
        .no_feed = args->no_feed,
        .feed_only = feed_only,
        .for_ms = args->for_ms,
        .feed_limit = args->limit,
    };
    struct status_line line;
    status_line_init(&line, feed_only);
    struct runner_view view = status_line_view(&line);
    int code = runner_run(runner, &options, &view);
    status_line_end(&line);
    if (code == WEIR_OK || code == CLI_EXIT_INTERRUPTED)
        runner_summary(runner, args->format, feed_only);
    return code;
}

int run_files(const struct cli_args *args, bool feed_only)
{
    struct runner runner = {0};
    int code = runner_load(&runner, args, &args->operands);
    if (code == WEIR_OK) {
        for (uint32_t i = 0; i < runner.plan_count; i++)
            say_what_runs(runner.plans[i]);
        code = run_plans(&runner, args, feed_only);
    }
    fflush(stdout);
    runner_close(&runner);
    return code;
}
