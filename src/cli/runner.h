// SPDX-License-Identifier: Apache-2.0
// Running pipelines under a view: opens the engine, draws at intervals from a thread of its own, stops cleanly at SIGINT and SIGTERM.
#pragma once
#include "cli/cli.h"
#include "engine/engine.h"
#include "http/http.h"
#include <pthread.h>

struct runner_view {
    void *context;
    int period_ms;
    void (*draw)(void *context, struct weir_engine *engine); // from the view's thread
    void (*log)(void *context, const char *line);            // any thread; NULL: to stderr
};

struct runner {
    struct weir_plan **plans;
    uint32_t plan_count;
    struct weir_engine *engine;
    struct weir_http *http, *registry;
};

// Reads every file, so that all mistakes of all files are printed. Fails with the first failure's exit code reported.
int runner_load(struct runner *r, const struct cli_args *args, const struct cli_list *files);
// Opens the engine. view may be NULL; it gets what the engine logs.
int runner_open(struct runner *r, const struct weir_run_options *options, const struct runner_view *view, struct weir_error *err);
// Starts the HTTP server of the open engine on `listen`, else where the pipeline files say, and prints "dashboard URL"; and that of the embedded
// registry, where the pipelines have it, on `registry_listen`, and prints "registry URL".
int runner_serve(struct runner *r, const char *listen, const char *registry_listen, const struct runner_view *view, struct weir_error *err);
// Runs to the end. Returns the exit code: 0 at the end or after SIGTERM, 130 after SIGINT, else the failure's, which was reported.
// The engine stays open for its numbers.
int runner_run(struct runner *r, const struct runner_view *view);
// The summaries of all pipelines on stdout. Nothing where the engine never opened.
void runner_summary(const struct runner *r, enum cli_format format, bool feed_only);
void runner_close(struct runner *r);
