// SPDX-License-Identifier: Apache-2.0
#include "cli/run_files.h"
#include "cli/verb/verbs.h"

static int run(const struct cli_args *args)
{
    return run_files(args, false);
}

const struct cli_verb verb_run = {
    .name = "run",
    .summary = "run pipelines",
    .operands = "FILE…",
    .operands_min = 1,
    .operands_max = UINT32_MAX,
    .details =
        "Fills the topic from the file's feed, reads it, and writes rows and windows to the tables, until stopped. A stop by ^C or SIGTERM is\n"
        "clean; after any end, the next run goes on where this one was. The last thing printed is a summary, counted since the data folder began.",
    .examples = (const char *const[]){"weir run pipelines/iot-analytics.yaml", "weir run dust.yaml --data /var/lib/dust --until-end --close",
                                      "weir run dust.yaml --for '10 minutes' --format json | tail -n 1", NULL},
    .options = (const struct cli_option[]){{"until-end", CLI_FLAG, CLI_AT(until_end), NULL, "stop when the feed and the topic are read to their end"},
                                           {"close", CLI_FLAG, CLI_AT(close), NULL, "then write out every open window"},
                                           {"no-feed", CLI_FLAG, CLI_AT(no_feed), NULL, "leave the topic to other producers"},
                                           CLI_OPTION_FOR,
                                           CLI_OPTION_SUMMARY_FORMAT,
                                           CLI_OPTIONS_WHERE,
                                           {0}},
    .run = run,
};
