// SPDX-License-Identifier: Apache-2.0
#include "base/memory.h"
#include "cli/session.h"
#include "cli/verb/verbs.h"
#include "http/http.h"
#include "registry/contracts.h"
#include <errno.h>
#include <signal.h>
#include <stdlib.h>

enum { LINE_BYTES_MAX = 8 << 20 };

static void log_line(void *context, const char *line)
{
    (void)context;
    fprintf(stderr, "weir: %s\n", line);
}

static int open_contracts(struct session *s, const struct cli_args *args, enum weir_open mode, struct weir_contracts **ret, struct weir_error *err)
{
    session_begin(s, args, mode);
    if (session_registry(s, err) < 0)
        return -1;
    *ret = weir_contracts_of(s->registry);
    return *ret ? 0 : weir_fail(err, WEIR_USAGE, WEIR_STOP, "'weir registry' is the one in the data folder, but WEIR_REGISTRY names another");
}

// ---- serving

static int serve(const struct cli_args *args)
{
    struct weir_error err;
    weir_cleanup(session_close) struct session s = {0};
    struct weir_contracts *contracts;
    struct weir_http *http;
    sigset_t ends;
    int number;
    sigemptyset(&ends);
    sigaddset(&ends, SIGINT);
    sigaddset(&ends, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &ends, NULL); // for all threads: they are waited for below
    const struct weir_http_options options = {.listen = args->registry_listen, .log = log_line};
    if (open_contracts(&s, args, WEIR_OWNER, &contracts, &err) < 0 || weir_http_start_registry(s.registry, &options, &http, &err) < 0)
        return cli_report(&err);
    printf("registry %s\n", weir_http_url(http));
    fflush(stdout);
    while (sigwait(&ends, &number) != 0)
        ;
    weir_http_stop(http);
    return number == SIGINT ? CLI_EXIT_INTERRUPTED : WEIR_OK;
}

// ---- moving out and in

static int print_line(void *context, const char *text)
{
    return fprintf(context, "%s\n", text) < 0;
}

static int export_all(const struct cli_args *args)
{
    struct weir_error err;
    weir_cleanup(session_close) struct session s = {0};
    struct weir_contracts *contracts;
    const char *path = args->operands.count > 1 ? args->operands.items[1] : NULL;
    if (open_contracts(&s, args, WEIR_READER, &contracts, &err) < 0)
        return cli_report(&err);
    FILE *out = path ? fopen(path, "w") : stdout;
    bool good = out && weir_contracts_export(contracts, print_line, out) == 0;
    good = good && (path ? fclose(out) == 0 : fflush(out) == 0);
    if (good)
        return WEIR_OK;
    weir_fail(&err, WEIR_IO, WEIR_STOP, "cannot write '%s': %s", path ? path : "the output", strerror(errno));
    return cli_report(&err);
}

static int import_lines(struct weir_contracts *contracts, FILE *in, const char *name, uint64_t *ret_lines, struct weir_error *err)
{
    weir_cleanup(weir_arena_drop) struct weir_arena arena = {0};
    weir_cleanup(weir_freep) char *line = NULL;
    size_t capacity = 0;
    uint64_t number = 0;
    for (ssize_t bytes; (bytes = getline(&line, &capacity, in)) >= 0;) {
        struct weir_contracts_error why;
        number++;
        if (bytes > LINE_BYTES_MAX)
            return weir_fail(err, WEIR_BAD_DATA, WEIR_STOP, "%s:%llu: the line is too long", name, (unsigned long long)number);
        if (line[strspn(line, " \t\r\n")] == 0)
            continue;
        weir_arena_reset(&arena);
        if (weir_contracts_import(contracts, &arena, &why, line) < 0)
            return weir_fail(err, WEIR_BAD_DATA, WEIR_STOP, "%s:%llu: %.300s", name, (unsigned long long)number, why.text);
        ++*ret_lines;
    }
    return ferror(in) ? weir_fail(err, WEIR_IO, WEIR_STOP, "cannot read '%s': %s", name, strerror(errno)) : 0;
}

static int import_all(const struct cli_args *args)
{
    struct weir_error err;
    weir_cleanup(session_close) struct session s = {0};
    struct weir_contracts *contracts;
    const char *path = args->operands.count > 1 ? args->operands.items[1] : NULL;
    uint64_t lines = 0;
    FILE *in = path ? fopen(path, "r") : stdin;
    if (!in) {
        weir_fail(&err, WEIR_NO_INPUT, WEIR_STOP, "cannot read '%s': %s", path, strerror(errno));
        return cli_report(&err);
    }
    int rc = open_contracts(&s, args, WEIR_OWNER, &contracts, &err);
    if (rc == 0)
        rc = import_lines(contracts, in, path ? path : "stdin", &lines, &err);
    if (path)
        fclose(in);
    if (rc < 0)
        return cli_report(&err);
    printf("%llu line%s taken\n", (unsigned long long)lines, lines == 1 ? "" : "s");
    return WEIR_OK;
}

static int run(const struct cli_args *args)
{
    const char *what = args->operands.count ? args->operands.items[0] : NULL;
    if (!what)
        return serve(args);
    if (strcmp(what, "export") == 0)
        return export_all(args);
    if (strcmp(what, "import") == 0)
        return import_all(args);
    return cli_usage(args, "'%.60s' is neither 'export' nor 'import'", what);
}

const struct cli_verb verb_registry = {
    .name = "registry",
    .summary = "serve the schema registry of a data folder, or export and import it",
    .operands = "[export|import [FILE]]",
    .operands_min = 0,
    .operands_max = 2,
    .details = "Alone, it serves the registry by the API of the Confluent Schema Registry, until stopped; 'weir run' does so too.\n"
               "An export is a JSON object a line for each version, level and mode; importing puts them back with their ids and versions.",
    .examples = (const char *const[]){"weir registry --data /var/lib/contracts", "weir registry export contracts.jsonl --data weir-data",
                                      "weir registry import contracts.jsonl --data other", NULL},
    .options = (const struct cli_option[]){CLI_OPTION_REGISTRY_LISTEN, CLI_OPTION_DATA, {0}},
    .run = run,
};
