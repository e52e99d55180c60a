// SPDX-License-Identifier: Apache-2.0
#include "cli/status_view.h"
#include "cli/term.h"
#include "cli/verb/verbs.h"

static int status(const struct cli_args *args)
{
    struct weir_error err;
    json_t *now;
    if (status_read(cli_data_dir(args), &now, &err) < 0)
        return cli_report(&err);
    if (args->format == CLI_FORMAT_JSON) {
        json_dumpf(now, stdout, JSON_COMPACT);
        fputc('\n', stdout);
    } else {
        status_print(stdout, now, NULL, term_color(stdout));
    }
    json_decref(now);
    return WEIR_OK;
}

const struct cli_verb verb_status = {
    .name = "status",
    .summary = "what runs: records, lag, watermark, state, dead letters",
    .operands = "",
    .details = "Exits 69 where nothing runs in the data folder.",
    .examples = (const char *const[]){"weir status", "weir status --data /var/lib/dust --format json", NULL},
    .options =
        (const struct cli_option[]){{"format", CLI_FORMAT, CLI_AT(format), "table|json", "for people, or one JSON object"}, CLI_OPTION_DATA, {0}},
    .run = status,
};
