// SPDX-License-Identifier: Apache-2.0
#include "cli/cli.h"
#include <poll.h>
#include <signal.h>
#include <unistd.h>

static bool is_help(const char *word)
{
    return strcmp(word, "-h") == 0 || strcmp(word, "--help") == 0 || strcmp(word, "help") == 0;
}

static int unknown_verb(const char *path, const char *given, const struct cli_verb *const *verbs)
{
    const char *names[32];
    size_t count = 0;
    for (; verbs[count] && count < 32; count++)
        names[count] = verbs[count]->name;
    struct weir_error err;
    cli_unknown(&err, "command", given, names, count);
    cli_report(&err);
    fprintf(stderr, "'weir%s%s --help' lists them\n", *path ? " " : "", path);
    return WEIR_USAGE;
}

// `weir help topic create` reads as `weir topic create --help`.
static int help(int argc, const char *const *argv, const struct cli_verb *const *verbs, const struct cli_verb *verb, char *path, size_t path_bytes)
{
    for (; argc > 0; argc--, argv++) {
        const struct cli_verb *found = verbs ? cli_find(verbs, argv[0]) : NULL;
        if (!found)
            return unknown_verb(path, argv[0], verbs ? verbs : (const struct cli_verb *const[]){NULL});
        size_t used = strlen(path);
        snprintf(path + used, path_bytes - used, "%s%s", used ? " " : "", found->name);
        verb = found;
        verbs = found->verbs;
    }
    if (verb)
        cli_help(stdout, verb, path);
    else
        cli_overview(stdout, cli_verbs);
    return WEIR_OK;
}

static int run_verb(const struct cli_verb *verb, const char *path, int argc, const char *const *argv)
{
    struct cli_args args;
    struct weir_error err;
    if (cli_parse(verb, argc, argv, &args, &err) < 0) {
        fprintf(stderr, "weir %s: %s\n", path, err.text);
        fprintf(stderr, "'weir %s --help' says more\n", path);
        return WEIR_USAGE;
    }
    snprintf(args.path, sizeof(args.path), "%s", path);
    int code = WEIR_OK;
    if (args.help)
        cli_help(stdout, verb, path);
    else
        code = verb->run(&args);
    cli_args_drop(&args);
    return code;
}

static int dispatch(int argc, const char *const *argv)
{
    const struct cli_verb *const *verbs = cli_verbs;
    const struct cli_verb *verb = NULL;
    char path[64] = "";
    while (verbs) {
        if (argc == 0 && !verb) {
            cli_overview(stdout, cli_verbs);
            return WEIR_OK;
        }
        if (argc == 0) {
            cli_help(stderr, verb, path);
            return WEIR_USAGE;
        }
        if (is_help(argv[0]))
            return help(argc - 1, argv + 1, verbs, verb, path, sizeof(path));
        const struct cli_verb *found = cli_find(verbs, strcmp(argv[0], "--version") == 0 ? "version" : argv[0]);
        if (!found)
            return unknown_verb(path, argv[0], verbs);
        size_t used = strlen(path);
        snprintf(path + used, sizeof(path) - used, "%s%s", used ? " " : "", found->name);
        verb = found;
        verbs = found->verbs;
        argc--, argv++;
    }
    return run_verb(verb, path, argc, argv);
}

// Whether what reads stdout is gone, as `head` after its lines: no failure of ours.
static bool nobody_reads(void)
{
    struct pollfd out = {.fd = STDOUT_FILENO};
    return poll(&out, 1, 0) == 1 && (out.revents & (POLLERR | POLLHUP));
}

int cli_main(int argc, char **argv)
{
    signal(SIGPIPE, SIG_IGN); // a run must not die because its reader did
    int code = dispatch(argc - 1, (const char *const *)argv + 1);
    bool written = fflush(stdout) == 0 && !ferror(stdout);
    if (written || nobody_reads())
        return code;
    fprintf(stderr, "weir: error: the output could not be written\n");
    return code == WEIR_OK ? WEIR_IO : code;
}
