// SPDX-License-Identifier: Apache-2.0
#include "base/memory.h"
#include "cli/screen.h"
#include "cli/status_view.h"
#include "cli/term.h"
#include "cli/verb/verbs.h"
#include <errno.h>
#include <poll.h>
#include <signal.h>

static volatile sig_atomic_t interrupted;

static void interrupt(int number)
{
    (void)number;
    interrupted = 1;
}

static void draw(const json_t *now, const json_t *before)
{
    weir_cleanup(weir_freep) char *text = NULL;
    size_t bytes;
    FILE *out = open_memstream(&text, &bytes);
    if (!out)
        return;
    status_print(out, now, before, term_color(stdout));
    fclose(out);
    screen_draw(text);
}

static int redraw_until_interrupted(const char *data_dir, struct weir_error *err)
{
    json_t *before = NULL, *now;
    int status;
    while ((status = status_read(data_dir, &now, err)) == 0) {
        draw(now, before);
        json_decref(before);
        before = now;
        if (interrupted || (poll(NULL, 0, 1000) < 0 && errno == EINTR))
            break;
    }
    json_decref(before);
    return status;
}

static int top(const struct cli_args *args)
{
    struct weir_error err;
    if (!term_is(stdout))
        return cli_usage(args, "this needs a terminal; 'weir status' prints the same once");
    struct sigaction action = {.sa_handler = interrupt};
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    screen_open();
    int status = redraw_until_interrupted(cli_data_dir(args), &err);
    screen_close();
    return status < 0 ? cli_report(&err) : WEIR_OK;
}

const struct cli_verb verb_top = {
    .name = "top",
    .summary = "the same as status, redrawn each second",
    .operands = "",
    .examples = (const char *const[]){"weir top --data /var/lib/dust", NULL},
    .options = (const struct cli_option[]){CLI_OPTION_DATA, {0}},
    .run = top,
};
