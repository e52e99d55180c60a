// SPDX-License-Identifier: Apache-2.0
#include "cli/cli.h"

static void print_verbs(FILE *out, const struct cli_verb *const *verbs)
{
    int width = 0;
    for (size_t i = 0; verbs[i]; i++) {
        int bytes = (int)strlen(verbs[i]->name);
        width = bytes > width ? bytes : width;
    }
    for (size_t i = 0; verbs[i]; i++)
        fprintf(out, "  %-*s  %s\n", width, verbs[i]->name, verbs[i]->summary);
}

void cli_overview(FILE *out, const struct cli_verb *const *verbs)
{
    fprintf(out, "weir turns sensor events into rows and windows you can query.\n\n"
                 "usage: weir COMMAND …\n\ncommands:\n");
    print_verbs(out, verbs);
    fprintf(out, "\n'weir COMMAND --help' says more, with examples. To begin: weir demo\n");
}

static void option_label(const struct cli_option *option, char *label, size_t bytes)
{
    snprintf(label, bytes, "--%s%s%s", option->name, option->kind == CLI_FLAG ? "" : " ", option->kind == CLI_FLAG ? "" : option->value);
}

static void print_options(FILE *out, const struct cli_option *options)
{
    char label[64];
    int width = (int)strlen("-h, --help");
    for (const struct cli_option *o = options; o && o->name; o++) {
        option_label(o, label, sizeof(label));
        width = (int)strlen(label) > width ? (int)strlen(label) : width;
    }
    fprintf(out, "\noptions:\n");
    for (const struct cli_option *o = options; o && o->name; o++) {
        option_label(o, label, sizeof(label));
        fprintf(out, "  %-*s  %s\n", width, label, o->help);
    }
    fprintf(out, "  %-*s  this\n", width, "-h, --help");
}

void cli_help(FILE *out, const struct cli_verb *verb, const char *path)
{
    const char *operands = verb->verbs ? "COMMAND …" : verb->operands;
    bool options = verb->options && verb->options->name;
    fprintf(out, "weir %s: %s\n\nusage: weir %s%s%s%s\n", path, verb->summary, path, *operands ? " " : "", operands, options ? " [options]" : "");
    if (verb->details)
        fprintf(out, "\n%s\n", verb->details);
    if (verb->verbs) {
        fprintf(out, "\ncommands:\n");
        print_verbs(out, verb->verbs);
    }
    print_options(out, verb->options);
    if (verb->examples) {
        fprintf(out, "\nexamples:\n");
        for (const char *const *example = verb->examples; *example; example++)
            fprintf(out, "  %s\n", *example);
    }
}
