// SPDX-License-Identifier: Apache-2.0
#include "cli/status_view.h"
#include "cli/term.h"
#include "cli/verb/verbs.h"
#include <poll.h>

enum { POLL_MS = 50, POLLS_MAX = 40 };

// The snapshot after `before`, for rates: a run writes one each second. NULL where none came in time.
static json_t *next_snapshot(const char *data_dir, const json_t *before)
{
    struct weir_error ignored;
    for (int i = 0; i < POLLS_MAX; i++) {
        json_t *now;
        poll(NULL, 0, POLL_MS);
        if (status_read(data_dir, &now, &ignored) < 0)
            return NULL;
        if (!json_equal(json_object_get(json_array_get(now, 0), "updated_ms"), json_object_get(json_array_get(before, 0), "updated_ms")))
            return now;
        json_decref(now);
    }
    return NULL;
}

// An object a line: one process mostly.
static void print_json(const json_t *all)
{
    size_t i;
    json_t *process;
    json_array_foreach(all, i, process)
    {
        json_dumpf(process, stdout, JSON_COMPACT);
        fputc('\n', stdout);
    }
}

static int status(const struct cli_args *args)
{
    struct weir_error err;
    json_t *first;
    if (status_read(cli_data_dir(args), &first, &err) < 0)
        return cli_report(&err);
    if (args->format == CLI_FORMAT_JSON) {
        print_json(first);
    } else {
        json_t *now = next_snapshot(cli_data_dir(args), first);
        status_print(stdout, now ? now : first, first, term_color(stdout));
        json_decref(now);
    }
    json_decref(first);
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
