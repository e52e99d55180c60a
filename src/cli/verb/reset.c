// SPDX-License-Identifier: Apache-2.0
#include "cli/session.h"
#include "cli/verb/verbs.h"

static int reset(const struct cli_args *args)
{
    struct weir_error err;
    weir_cleanup(session_close) struct session s = {0};
    if (session_plan(&s, args, args->operands.items[0], &err) < 0)
        return cli_report(&err);
    session_begin(&s, args, WEIR_OWNER);
    if (weir_backends_reset(s.backends, s.plan, &err) < 0)
        return cli_report(&err);
    printf("%s starts over: its next run reads topic %s from the beginning\n", s.plan->pipeline, s.plan->topic.name);
    return WEIR_OK;
}

const struct cli_verb verb_reset = {
    .name = "reset",
    .summary = "forget a pipeline's state, so that it reads its topic again",
    .operands = "FILE",
    .operands_min = 1,
    .operands_max = 1,
    .details =
        "Rows that the next run writes take the place of those there are; rows of groups that no longer come out stay. Use it when the queries of a\n"
        "pipeline have changed. The topic, its records and the dead letters stay as they are. Not while the pipeline runs.",
    .examples = (const char *const[]){"weir reset pipelines/iot-analytics.yaml", NULL},
    .options = (const struct cli_option[]){CLI_OPTIONS_WHERE, {0}},
    .run = reset,
};
