// SPDX-License-Identifier: Apache-2.0
// The command line: verbs and their options are tables, of which parsing, help and completions are made.
#pragma once
#include "base/error.h"
#include "spec/plan.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum cli_format { CLI_FORMAT_AUTO, CLI_FORMAT_TABLE, CLI_FORMAT_CSV, CLI_FORMAT_JSON };

enum { CLI_EXIT_INTERRUPTED = 130 }; // beside enum weir_code

struct cli_list {
    const char **items;
    uint32_t count;
};

struct cli_verb;

// What was given. Strings point into argv.
struct cli_args {
    const struct cli_verb *verb;
    char path[64]; // of the verb, for messages: "topic create"
    struct cli_list operands;
    bool help;
    // options; each verb takes those of its table
    struct weir_overrides where; // --log --registry --store --data
    enum cli_format format;
    struct cli_list keys, sets;
    const char *from, *to, *reason, *name;
    const char *group, *id, *type, *rate; // of `produce`
    const char *listen, *registry_listen, *token;
    uint64_t limit, partitions;
    int64_t offset, partition, port; // -1: not given
    int64_t for_ms, retention_ms;
    bool until_end, close, no_feed, follow;
};

enum cli_kind { CLI_FLAG, CLI_TEXT, CLI_LIST, CLI_COUNT, CLI_NUMBER, CLI_DURATION, CLI_FORMAT };

struct cli_option {
    const char *name; // without the dashes; NULL ends a table
    enum cli_kind kind;
    size_t at;         // offset in struct cli_args
    const char *value; // what help calls the value; words with | are also the completions
    const char *help;
};

struct cli_verb {
    const char *name, *summary;
    const char *operands; // as usage shows them; "" for none
    uint32_t operands_min, operands_max;
    const char *details;         // a paragraph below the usage; NULL: none
    const char *const *examples; // ends with NULL
    const struct cli_option *options;
    const struct cli_verb *const *verbs;     // sub-verbs, ends with NULL; NULL: none
    int (*run)(const struct cli_args *args); // returns the exit code
};

extern const struct cli_verb *const cli_verbs[]; // ends with NULL

#define CLI_AT(field) offsetof(struct cli_args, field)
#define CLI_OPTION_DATA                                                                                                                              \
    {                                                                                                                                                \
        "data", CLI_TEXT, CLI_AT(where.data_dir), "DIR", "where the embedded engines keep their files (WEIR_DATA; weir-data)"                        \
    }
#define CLI_OPTIONS_WHERE                                                                                                                            \
    {"log", CLI_TEXT, CLI_AT(where.log), "URL", "the log instead of the file's (WEIR_LOG)"},                                                         \
        {"registry", CLI_TEXT, CLI_AT(where.registry), "URL", "the schema registry instead of the file's (WEIR_REGISTRY)"},                          \
        {"store", CLI_TEXT, CLI_AT(where.store), "URL", "the store instead of the file's (WEIR_STORE)"}, CLI_OPTION_DATA
#define CLI_OPTION_REGISTRY                                                                                                                          \
    {                                                                                                                                                \
        "registry", CLI_TEXT, CLI_AT(where.registry), "URL", "a schema registry elsewhere (WEIR_REGISTRY; the data folder's)"                        \
    }
#define CLI_OPTION_REGISTRY_LISTEN                                                                                                                   \
    {                                                                                                                                                \
        "registry-listen", CLI_TEXT, CLI_AT(registry_listen), "HOST:PORT",                                                                           \
            "where the embedded registry listens (127.0.0.1:8081, or the next free port)"                                                            \
    }
#define CLI_OPTION_FORMAT                                                                                                                            \
    {                                                                                                                                                \
        "format", CLI_FORMAT, CLI_AT(format), "table|csv|json",                                                                                      \
            "how rows are printed: table (on a terminal), csv (elsewhere), json (an object a line)"                                                  \
    }
#define CLI_OPTION_SUMMARY_FORMAT                                                                                                                    \
    {                                                                                                                                                \
        "format", CLI_FORMAT, CLI_AT(format), "table|json", "the summary: for people, or one JSON object a pipeline on the last lines of stdout"     \
    }
#define CLI_OPTION_LIMIT                                                                                                                             \
    {                                                                                                                                                \
        "limit", CLI_COUNT, CLI_AT(limit), "N", "at most N of them"                                                                                  \
    }
#define CLI_OPTION_FOR                                                                                                                               \
    {                                                                                                                                                \
        "for", CLI_DURATION, CLI_AT(for_ms), "D", "stop after this long: 30s, '5 minutes'"                                                           \
    }

// The whole program; returns the exit code.
int cli_main(int argc, char **argv);

// ---- arguments.c
// Parses what follows the verb's name. Fails with WEIR_USAGE. Missing or surplus operands fail too, unless --help was given.
int cli_parse(const struct cli_verb *verb, int argc, const char *const *argv, struct cli_args *ret, struct weir_error *err);
void cli_args_drop(struct cli_args *args);
const struct cli_verb *cli_find(const struct cli_verb *const *verbs, const char *name);
// Fails with WEIR_USAGE: "unknown WHAT 'given'", and the nearest of the names if one is near.
int cli_unknown(struct weir_error *err, const char *what, const char *given, const char *const *names, size_t count);

// ---- help.c
void cli_overview(FILE *out, const struct cli_verb *const *verbs);
void cli_help(FILE *out, const struct cli_verb *verb, const char *path);

// ---- completion.c
// `shell` is bash, zsh or fish; -1 for others.
int cli_completion(FILE *out, const char *shell, const struct cli_verb *const *verbs);

// ---- report.c: what a verb says when it fails, and where things are
int cli_report(const struct weir_error *err); // prints "weir: error: …" to stderr and returns the exit code
int cli_usage(const struct cli_args *args, const char *format, ...) __attribute__((format(printf, 2, 3)));
const char *cli_data_dir(const struct cli_args *args); // of verbs without a pipeline file
