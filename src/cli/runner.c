// SPDX-License-Identifier: Apache-2.0
#include "cli/runner.h"
#include "base/memory.h"
#include "base/time.h"
#include "cli/summary.h"
#include "cli/term.h"
#include <signal.h>
#include <time.h>

// Signal handlers have no context: the engine that a signal stops, and the signal that did.
static struct weir_engine *volatile stoppable;
static volatile sig_atomic_t stopped_by;

static void stop(int number)
{
    stopped_by = number;
    struct weir_engine *engine = stoppable;
    if (engine)
        weir_engine_stop(engine);
}

static void catch_signals(struct weir_engine *engine)
{
    stopped_by = 0;
    stoppable = engine;
    struct sigaction action = {.sa_handler = stop, .sa_flags = (int)SA_RESETHAND}; // a second one ends the process at once
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
}

static void release_signals(void)
{
    signal(SIGINT, SIG_DFL);
    signal(SIGTERM, SIG_DFL);
    stoppable = NULL;
}

// ---- the view's thread

struct watch {
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t wake;
    bool end;
    const struct runner_view *view;
    struct weir_engine *engine;
};

static void later(struct timespec *at, int ms)
{
    clock_gettime(CLOCK_MONOTONIC, at);
    at->tv_nsec += (long)(ms % 1000) * 1000000;
    at->tv_sec += ms / 1000 + at->tv_nsec / 1000000000;
    at->tv_nsec %= 1000000000;
}

static void *watch_main(void *context)
{
    struct watch *w = context;
    pthread_mutex_lock(&w->lock);
    while (!w->end) {
        pthread_mutex_unlock(&w->lock);
        w->view->draw(w->view->context, w->engine);
        struct timespec at;
        later(&at, w->view->period_ms);
        pthread_mutex_lock(&w->lock);
        while (!w->end && pthread_cond_timedwait(&w->wake, &w->lock, &at) == 0)
            ;
    }
    pthread_mutex_unlock(&w->lock);
    return NULL;
}

static void watch_start(struct watch *w)
{
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_mutex_init(&w->lock, NULL);
    pthread_cond_init(&w->wake, &attributes);
    pthread_condattr_destroy(&attributes);
    sigset_t all, old; // signals go to the main thread
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &old);
    weir_assert(pthread_create(&w->thread, NULL, watch_main, w) == 0);
    pthread_sigmask(SIG_SETMASK, &old, NULL);
}

static void watch_stop(struct watch *w)
{
    pthread_mutex_lock(&w->lock);
    w->end = true;
    pthread_cond_signal(&w->wake);
    pthread_mutex_unlock(&w->lock);
    pthread_join(w->thread, NULL);
    pthread_cond_destroy(&w->wake);
    pthread_mutex_destroy(&w->lock);
}

// ----

static void log_line(void *context, const char *line)
{
    (void)context;
    fprintf(stderr, "weir: %s\n", line);
}

int runner_load(struct runner *r, const struct cli_args *args, const struct cli_list *files)
{
    r->plans = weir_zalloc(files->count, sizeof(struct weir_plan *));
    int code = WEIR_OK;
    for (uint32_t i = 0; i < files->count; i++) {
        struct weir_error err;
        if (weir_plan_load(files->items[i], &args->where, stderr, term_color(stderr), &r->plans[r->plan_count], &err) == 0) {
            r->plan_count++;
            continue;
        }
        int failed = cli_report(&err);
        code = code == WEIR_OK ? failed : code;
    }
    return code;
}

int runner_open(struct runner *r, const struct weir_run_options *options, const struct runner_view *view, struct weir_error *err)
{
    struct weir_run_options with_log = *options;
    with_log.log = view && view->log ? view->log : log_line;
    with_log.log_context = view ? view->context : NULL;
    return weir_engine_open(r->plans, r->plan_count, &with_log, &r->engine, err);
}

// Of all files of a run, one may say how it is reached.
static int choose_http(const struct runner *r, const struct weir_http_spec **ret, struct weir_error *err)
{
    const struct weir_plan *chosen = NULL;
    for (uint32_t i = 0; i < r->plan_count; i++) {
        if (!r->plans[i]->http.given)
            continue;
        if (chosen)
            return weir_fail(err, WEIR_BAD_CONFIG, WEIR_STOP, "%s and %s both have an 'http': pipelines that run together share one server",
                             chosen->file, r->plans[i]->file);
        chosen = r->plans[i];
    }
    *ret = chosen ? &chosen->http : NULL;
    return 0;
}

static int serve_registry(struct runner *r, const struct weir_http_options *options, struct weir_error *err)
{
    struct weir_registry *registry;
    if (weir_engine_registry(r->engine, &registry, err) < 0)
        return -1;
    if (!registry)
        return options->listen ? weir_fail(err, WEIR_USAGE, WEIR_STOP, "no pipeline's registry is the embedded one, which --registry-listen is for")
                               : 0;
    if (weir_http_start_registry(registry, options, &r->registry, err) < 0)
        return -1;
    printf("registry %s\n", weir_http_url(r->registry));
    return 0;
}

int runner_serve(struct runner *r, const char *listen, const char *registry_listen, const struct runner_view *view, struct weir_error *err)
{
    struct weir_http_options options = {
        .listen = listen, .log = view && view->log ? view->log : log_line, .log_context = view ? view->context : NULL};
    if (choose_http(r, &options.spec, err) < 0 || weir_http_start(r->engine, &options, &r->http, err) < 0)
        return -1;
    printf("dashboard %s\n", weir_http_url(r->http));
    options.listen = registry_listen;
    int rc = serve_registry(r, &options, err);
    fflush(stdout);
    return rc;
}

static void runner_hang_up(struct runner *r)
{
    weir_http_stop(r->registry);
    weir_http_stop(r->http);
    r->http = r->registry = NULL;
}

int runner_run(struct runner *r, const struct runner_view *view)
{
    struct weir_error err;
    struct watch watch = {.view = view, .engine = r->engine};
    catch_signals(r->engine);
    bool watched = view && view->draw;
    if (watched)
        watch_start(&watch);
    int status = weir_engine_run(r->engine, &err);
    if (watched)
        watch_stop(&watch);
    release_signals();
    runner_hang_up(r);
    if (status < 0)
        return cli_report(&err);
    return stopped_by == SIGINT ? CLI_EXIT_INTERRUPTED : WEIR_OK;
}

void runner_summary(const struct runner *r, enum cli_format format, bool feed_only)
{
    weir_cleanup(weir_arena_drop) struct weir_arena arena = {0};
    for (uint32_t i = 0; r->engine && i < r->plan_count; i++) {
        struct weir_pipeline_status status;
        weir_engine_status(r->engine, i, &arena, &status);
        if (feed_only)
            status.records = status.feed_events;
        if (format == CLI_FORMAT_JSON)
            summary_json(stdout, &status);
        else
            summary_text(stdout, &status, feed_only);
    }
}

void runner_close(struct runner *r)
{
    runner_hang_up(r);
    if (r->engine)
        weir_engine_close(r->engine);
    for (uint32_t i = 0; i < r->plan_count; i++)
        weir_plan_free(r->plans[i]);
    weir_freep(&r->plans);
    *r = (struct runner){0};
}
