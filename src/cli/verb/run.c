// SPDX-License-Identifier: Apache-2.0
#include "cli/run_files.h"
#include "cli/verb/verbs.h"

static int run(const struct cli_args *args)
{
    struct runner runner = {0};
    struct weir_error err = {0};
    int code = runner_load(&runner, args, &args->operands);
    if (code == WEIR_OK)
        code = run_files(&runner, args, false, &err);
    if (err.code != WEIR_OK)
        cli_report(&err);
    runner_close(&runner);
    return code;
}

const struct cli_verb verb_run = {
    .name = "run",
    .summary = "run pipelines",
    .operands = "FILE…",
    .operands_min = 1,
    .operands_max = UINT32_MAX,
    .details =
        "Fills the topic from the file's feed, reads it, and writes rows and windows to the tables, until stopped. A stop by ^C or SIGTERM is\n"
        "clean; after any end, the next run goes on where this one was. The last thing printed is a summary, counted since the data folder began.\n"
        "The first is where the dashboard and the API are. Others than this machine are listened to only if the file's 'http' says who may ask.",
    .examples = (const char *const[]){"weir run pipelines/iot-analytics.yaml", "weir run pipelines/metrics.yaml --no-feed --listen 127.0.0.1:9000",
                                      "weir run dust.yaml --data /var/lib/dust --until-end --close",
                                      "weir run dust.yaml --for '10 minutes' --format json | tail -n 1", NULL},
    .options = (const struct cli_option[]){{"until-end", CLI_FLAG, CLI_AT(until_end), NULL, "stop when the feed and the topic are read to their end"},
                                           {"close", CLI_FLAG, CLI_AT(close), NULL, "then write out every open window"},
                                           {"no-feed", CLI_FLAG, CLI_AT(no_feed), NULL, "leave the topic to other producers"},
                                           CLI_OPTION_FOR,
                                           {"listen", CLI_TEXT, CLI_AT(listen), "HOST:PORT",
                                            "where the HTTP server listens (127.0.0.1:8080, or the next free port)"},
                                           CLI_OPTION_REGISTRY_LISTEN,
                                           CLI_OPTION_SUMMARY_FORMAT,
                                           CLI_OPTIONS_WHERE,
                                           {0}},
    .run = run,
};
