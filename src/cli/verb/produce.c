// SPDX-License-Identifier: Apache-2.0
#include "cli/hand_over.h"
#include "cli/run_files.h"
#include "cli/verb/verbs.h"
#include "feed/feed.h"

enum { START_MS = 5000 }; // in which a run that has taken the data folder says where it listens

static int fix_field(struct weir_plan *plan, const char *field, const char *value, struct weir_error *err)
{
    return value ? weir_feed_fix(plan, weir_str_of(field), weir_str_of(value), err) : 0;
}

static int fix_pair(struct weir_plan *plan, const char *pair, struct weir_error *err)
{
    const char *equals = strchr(pair, '=');
    if (!equals)
        return weir_fail(err, WEIR_USAGE, WEIR_STOP, "--set is '%.80s' where FIELD=VALUE is wanted", pair);
    return weir_feed_fix(plan, (struct weir_str){pair, (uint32_t)(equals - pair)}, weir_str_of(equals + 1), err);
}

// The device that the options describe, in place of the file's fleet.
static int shape_feed(struct weir_plan *plan, const struct cli_args *args, struct weir_error *err)
{
    for (uint32_t i = 0; i < args->sets.count; i++) {
        if (fix_pair(plan, args->sets.items[i], err) < 0)
            return -1;
    }
    if (fix_field(plan, "group", args->group, err) < 0 || fix_field(plan, "id", args->id, err) < 0 || fix_field(plan, "type", args->type, err) < 0)
        return -1;
    if (!args->rate)
        return 0;
    if (plan->feed.kind != WEIR_FEED_SIMULATE)
        return weir_fail(err, WEIR_USAGE, WEIR_STOP, "the feed of pipeline '%s' is no simulation: it has no rate", plan->pipeline);
    if (weir_rate_parse(weir_str_of(args->rate), &plan->feed.rate_per_s) < 0)
        return weir_fail(err, WEIR_USAGE, WEIR_STOP, "--rate is '%.80s' where a rate such as 10 or '6 per minute' is wanted", args->rate);
    return 0;
}

static int give(struct runner *runner, const struct cli_args *args, struct weir_error *err)
{
    const struct weir_plan *plan = runner->plans[0];
    json_t *running = NULL;
    int code = WEIR_OK;
    bool elsewhere = plan->log.embedded && hand_over_possible(plan, 0, &running);
    if (!elsewhere) {
        code = run_files(runner, args, true, err);
        elsewhere = plan->log.embedded && err->code == WEIR_UNAVAILABLE && hand_over_possible(plan, START_MS, &running);
    }
    if (elsewhere) {
        err->code = WEIR_OK;
        code = hand_over(plan, args, running);
    }
    json_decref(running);
    return code;
}

static int produce(const struct cli_args *args)
{
    struct runner runner = {0};
    struct weir_error err = {0};
    int code = runner_load(&runner, args, &args->operands);
    if (code == WEIR_OK)
        code = shape_feed(runner.plans[0], args, &err) < 0 ? (int)err.code : give(&runner, args, &err);
    if (err.code != WEIR_OK)
        cli_report(&err);
    runner_close(&runner);
    return code;
}

const struct cli_verb verb_produce = {
    .name = "produce",
    .summary = "run a pipeline's feed alone, into the topic",
    .operands = "FILE",
    .operands_min = 1,
    .operands_max = 1,
    .details = "The feed goes on where its last durable append ended. The summary's records are the events given since the feed began.\n"
               "While a `weir run` holds the data folder, simulated events are handed to it over HTTP; the summary then counts this command's own.\n"
               "--set gives a field of a simulated feed one value. With the key set, one device speaks in place of the file's fleet.",
    .examples = (const char *const[]){"weir produce pipelines/iot-analytics.yaml --limit 1000", "weir produce dust.yaml --for 10s",
                                      "weir produce pipelines/metrics.yaml --group home --id boiler --type THERM --rate 2", NULL},
    .options =
        (const struct cli_option[]){CLI_OPTION_LIMIT,
                                    CLI_OPTION_FOR,
                                    {"rate", CLI_TEXT, CLI_AT(rate), "RATE", "events a second, or such as '6 per minute', instead of the file's"},
                                    {"set", CLI_LIST, CLI_AT(sets), "FIELD=VALUE", "give a field of every event this value; may be repeated"},
                                    {"group", CLI_TEXT, CLI_AT(group), "VALUE", "short for --set group=VALUE"},
                                    {"id", CLI_TEXT, CLI_AT(id), "VALUE", "short for --set id=VALUE"},
                                    {"type", CLI_TEXT, CLI_AT(type), "VALUE", "short for --set type=VALUE"},
                                    {"token", CLI_TEXT, CLI_AT(token), "TOKEN", "bearer token for a running weir that wants one (WEIR_TOKEN)"},
                                    CLI_OPTION_SUMMARY_FORMAT,
                                    CLI_OPTIONS_WHERE,
                                    {0}},
    .run = produce,
};
