// SPDX-License-Identifier: Apache-2.0
#include "cli/run_files.h"
#include "cli/verb/verbs.h"

static int produce(const struct cli_args *args)
{
    return run_files(args, true);
}

const struct cli_verb verb_produce = {
    .name = "produce",
    .summary = "run a pipeline's feed alone, into the topic",
    .operands = "FILE",
    .operands_min = 1,
    .operands_max = 1,
    .details = "The feed goes on where its last durable append ended. The summary's records are the events given since the feed began.",
    .examples = (const char *const[]){"weir produce pipelines/iot-analytics.yaml --limit 1000", "weir produce dust.yaml --for 10s", NULL},
    .options = (const struct cli_option[]){CLI_OPTION_LIMIT, CLI_OPTION_FOR, CLI_OPTION_SUMMARY_FORMAT, CLI_OPTIONS_WHERE, {0}},
    .run = produce,
};
