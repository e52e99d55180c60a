// SPDX-License-Identifier: Apache-2.0
#include "base/memory.h"
#include "base/time.h"
#include "cli/demo_view.h"
#include "cli/runner.h"
#include "cli/screen.h"
#include "cli/shipped.h"
#include "cli/term.h"
#include "cli/verb/verbs.h"
#include <errno.h>
#include <stdlib.h>

enum { CLOCK_FACTOR = 360, SCREEN_MS = 250, LINE_MS = 2000, RECENT_ROWS = 20 }; // an hour in ten seconds

struct demo {
    char *data_dir, *file, *url;
    bool kept; // the folder was given
    struct runner runner;
    struct demo_view view;
};

static int make_data_dir(struct demo *d, const struct cli_args *args, struct weir_error *err)
{
    const char *temporary = getenv("TMPDIR");
    d->kept = args->where.data_dir;
    if (d->kept) {
        d->data_dir = weir_strdup(args->where.data_dir);
    } else {
        d->data_dir = weir_format("%s/weir-demo-XXXXXX", temporary && *temporary ? temporary : "/tmp");
        if (!mkdtemp(d->data_dir))
            return weir_fail(err, WEIR_IO, WEIR_STOP, "cannot make the folder '%s': %s", d->data_dir, strerror(errno));
    }
    weir_cleanup(weir_freep) char *files = weir_format("%s/demo", d->data_dir);
    d->file = weir_format("%s/%s", files, shipped_files[0].path);
    return shipped_write(files, err);
}

static void sample(struct demo *d, struct weir_engine *engine, struct weir_arena *arena, struct weir_pipeline_status *ret)
{
    weir_engine_status(engine, 0, arena, ret);
    demo_view_sample(&d->view, (double)weir_monotonic_us() / 1e6, ret->events);
}

static void draw_screen(void *context, struct weir_engine *engine)
{
    struct demo *d = context;
    weir_cleanup(weir_arena_drop) struct weir_arena arena = {0};
    struct weir_pipeline_status status;
    struct weir_value **recent = NULL;
    sample(d, engine, &arena, &status);
    uint32_t query = (uint32_t)(weir_plan_query(status.plan, d->view.query) - status.plan->queries);
    uint32_t count = weir_engine_recent(engine, 0, query, RECENT_ROWS, &arena, &recent);
    int columns, rows;
    term_size(stdout, &columns, &rows);
    weir_cleanup(weir_freep) char *text = NULL;
    size_t bytes;
    FILE *out = open_memstream(&text, &bytes);
    if (!out)
        return;
    demo_view_screen(out, &d->view, &status, recent, count, rows);
    fclose(out);
    screen_draw(text);
}

static void draw_line(void *context, struct weir_engine *engine)
{
    struct demo *d = context;
    weir_cleanup(weir_arena_drop) struct weir_arena arena = {0};
    struct weir_pipeline_status status;
    sample(d, engine, &arena, &status);
    demo_view_line(stdout, &d->view, &status);
    fflush(stdout);
}

static void keep_quiet(void *context, const char *line)
{
    (void)context;
    (void)line;
}

static void say_how_to_go_on(const struct demo *d)
{
    const char *weir = program_invocation_name;
    printf("\nA hundred simulated sensors wrote Avro events into a durable log; each became a row, and each closed hour one row a device.\n"
           "Everything is in %s%s. To look at it:\n\n",
           d->data_dir, d->kept ? "" : " (delete it when you are done)");
    printf("  %s query %s %s --data %s --limit 10\n", weir, d->file, d->view.query, d->data_dir);
    printf("  %s topic tail %s --data %s --limit 3\n", weir, d->file, d->data_dir);
    printf("  %s table show %s\n", weir, d->file);
    printf("  %s run %s --data %s --no-feed\n\nThe last one serves the page again, which was at %s\n", weir, d->file, d->data_dir, d->url);
}

static int open_demo(struct demo *d, const struct cli_args *args, const struct runner_view *view, struct weir_error *err)
{
    struct weir_run_options options = {.for_ms = args->for_ms, .clock_factor_override = CLOCK_FACTOR, .recent_rows = RECENT_ROWS};
    weir_cleanup(weir_freep) char *listen = args->port >= 0 ? weir_format("127.0.0.1:%lld", (long long)args->port) : NULL;
    if (runner_open(&d->runner, &options, view, err) < 0 || runner_serve(&d->runner, listen, args->registry_listen, view, err) < 0)
        return -1;
    d->view.url = d->url = weir_strdup(weir_http_url(d->runner.http));
    return 0;
}

static int run_demo(struct demo *d, const struct cli_args *args)
{
    struct cli_args own = *args;
    struct weir_error err;
    own.where.data_dir = d->data_dir;
    int code = runner_load(&d->runner, &own, &(struct cli_list){(const char *[]){d->file}, 1});
    if (code != WEIR_OK)
        return code;
    bool screen = term_is(stdout);
    if (!screen)
        printf("%s: simulated sensors into %s; an hour passes in %d seconds\n", d->runner.plans[0]->pipeline, d->data_dir, 3600 / CLOCK_FACTOR);
    d->view = (struct demo_view){.color = term_color(stdout), .query = "hourly_aggregates", .data_dir = d->data_dir, .clock_factor = CLOCK_FACTOR};
    struct runner_view view = {.context = d, .period_ms = screen ? SCREEN_MS : LINE_MS, .draw = screen ? draw_screen : draw_line};
    if (screen)
        view.log = keep_quiet;
    if (open_demo(d, args, &view, &err) < 0)
        return cli_report(&err);
    if (screen)
        screen_open();
    code = runner_run(&d->runner, &view);
    screen_close();
    return code;
}

static int demo(const struct cli_args *args)
{
    struct weir_error err;
    struct demo d = {0};
    if (args->port > 65535)
        return cli_usage(args, "--port is %lld where a port up to 65535 is wanted", (long long)args->port);
    int code = make_data_dir(&d, args, &err) < 0 ? cli_report(&err) : run_demo(&d, args);
    if (code == CLI_EXIT_INTERRUPTED) // the way in which a demo ends
        code = WEIR_OK;
    if (code == WEIR_OK) {
        runner_summary(&d.runner, CLI_FORMAT_TABLE, false);
        say_how_to_go_on(&d);
    }
    runner_close(&d.runner);
    weir_freep(&d.file);
    weir_freep(&d.data_dir);
    weir_freep(&d.url);
    return code;
}

const struct cli_verb verb_demo = {
    .name = "demo",
    .summary = "a hundred simulated sensors, from events to hourly tables",
    .operands = "",
    .details =
        "Runs the IoT pipeline on the embedded engines with a clock that runs fast, so that hours close every ten seconds, and shows what happens.\n"
        "The same can be seen as a page, whose address is said. Data goes into a folder of its own, which is left for you to look at. ^C ends it.",
    .examples = (const char *const[]){"weir demo", "weir demo --for 30s --data demo-data --port 8090", NULL},
    .options =
        (const struct cli_option[]){
            CLI_OPTION_FOR, {"port", CLI_NUMBER, CLI_AT(port), "N", "of the page (8080, or the next free one; 0 picks any)"}, CLI_OPTION_DATA, {0}},
    .run = demo,
};
