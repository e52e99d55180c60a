// SPDX-License-Identifier: Apache-2.0
#include "cli/cli.h"

static void print_names(FILE *out, const struct cli_verb *const *verbs)
{
    for (size_t i = 0; verbs[i]; i++)
        fprintf(out, "%s%s", i ? " " : "", verbs[i]->name);
}

static bool has_choices(const struct cli_option *option)
{
    return option->kind != CLI_FLAG && strchr(option->value, '|');
}

static bool is_folder(const struct cli_option *option)
{
    return option->kind != CLI_FLAG && strcmp(option->value, "DIR") == 0;
}

static void print_choices(FILE *out, const char *choices)
{
    for (; *choices; choices++)
        fputc(*choices == '|' ? ' ' : *choices, out);
}

// The text inside single quotes of a shell; `special` characters get a backslash.
static void print_quoted(FILE *out, const char *text, const char *special)
{
    for (; *text; text++) {
        if (*text == '\'')
            fputs("'\\''", out);
        else if (strchr(special, *text))
            fprintf(out, "\\%c", *text);
        else
            fputc(*text, out);
    }
}

// ---- bash

static void bash_verb(FILE *out, const char *path, const struct cli_verb *verb)
{
    fprintf(out, "    \"%s%s%s\") words=\"", path, *path ? " " : "", verb->name);
    for (const struct cli_option *o = verb->options; o && o->name; o++)
        fprintf(out, "--%s ", o->name);
    fprintf(out, "--help\"");
    for (const struct cli_option *o = verb->options; o && o->name; o++) {
        if (has_choices(o)) {
            fprintf(out, "; [ \"$prev\" = --%s ] && { COMPREPLY=($(compgen -W \"", o->name);
            print_choices(out, o->value);
            fprintf(out, "\" -- \"$cur\")); return; }");
        }
    }
    fprintf(out, " ;;\n");
}

static void bash_groups(FILE *out, const struct cli_verb *const *verbs)
{
    for (size_t i = 0; verbs[i]; i++) {
        if (!verbs[i]->verbs)
            continue;
        fprintf(out, "    %s)\n        [ \"$COMP_CWORD\" -eq 2 ] && { COMPREPLY=($(compgen -W \"", verbs[i]->name);
        print_names(out, verbs[i]->verbs);
        fprintf(out, "\" -- \"$cur\")); return; }\n        path=\"$path ${COMP_WORDS[2]}\" ;;\n");
    }
}

static void bash(FILE *out, const struct cli_verb *const *verbs)
{
    fprintf(out, "_weir()\n{\n    local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} path=${COMP_WORDS[1]} words=\n"
                 "    [ \"$COMP_CWORD\" -eq 1 ] && { COMPREPLY=($(compgen -W \"");
    print_names(out, verbs);
    fprintf(out, "\" -- \"$cur\")); return; }\n    case $path in\n");
    bash_groups(out, verbs);
    fprintf(out, "    esac\n    [ \"$prev\" = --data ] && { COMPREPLY=($(compgen -d -- \"$cur\")); return; }\n    case $path in\n");
    for (size_t i = 0; verbs[i]; i++) {
        for (size_t j = 0; verbs[i]->verbs && verbs[i]->verbs[j]; j++)
            bash_verb(out, verbs[i]->name, verbs[i]->verbs[j]);
        if (!verbs[i]->verbs)
            bash_verb(out, "", verbs[i]);
    }
    fprintf(out, "    esac\n    case $cur in\n    -*) COMPREPLY=($(compgen -W \"$words\" -- \"$cur\")) ;;\n"
                 "    *) COMPREPLY=($(compgen -f -- \"$cur\")) ;;\n    esac\n}\ncomplete -o filenames -F _weir weir\n");
}

// ---- zsh

static void zsh_describe(FILE *out, const struct cli_verb *const *verbs)
{
    fprintf(out, "commands=(");
    for (size_t i = 0; verbs[i]; i++) {
        fprintf(out, " '%s:", verbs[i]->name);
        print_quoted(out, verbs[i]->summary, "");
        fprintf(out, "'");
    }
    fprintf(out, " ); _describe command commands");
}

static void zsh_options(FILE *out, const struct cli_verb *verb)
{
    fprintf(out, "_arguments");
    for (const struct cli_option *o = verb->options; o && o->name; o++) {
        fprintf(out, " '%s--%s%s[", o->kind == CLI_LIST ? "*" : "", o->name, o->kind == CLI_FLAG ? "" : "=");
        print_quoted(out, o->help, "[]:");
        fprintf(out, "]");
        if (has_choices(o)) {
            fprintf(out, ":value:(");
            print_choices(out, o->value);
            fprintf(out, ")");
        } else if (o->kind != CLI_FLAG) {
            fprintf(out, ":%s:%s", o->value, is_folder(o) ? "_files -/" : "");
        }
        fprintf(out, "'");
    }
    fprintf(out, " '--help[more about it]' '*:file:_files'");
}

static void zsh_group(FILE *out, const struct cli_verb *verb)
{
    fprintf(out, "    %s)\n        if (( CURRENT == 3 )); then ", verb->name);
    zsh_describe(out, verb->verbs);
    fprintf(out, "; return; fi\n        case $words[3] in\n");
    for (size_t i = 0; verb->verbs[i]; i++) {
        fprintf(out, "        %s) shift 2 words; (( CURRENT -= 2 )); ", verb->verbs[i]->name);
        zsh_options(out, verb->verbs[i]);
        fprintf(out, " ;;\n");
    }
    fprintf(out, "        esac ;;\n");
}

static void zsh(FILE *out, const struct cli_verb *const *verbs)
{
    fprintf(out, "#compdef weir\n_weir()\n{\n    local -a commands\n    if (( CURRENT == 2 )); then ");
    zsh_describe(out, verbs);
    fprintf(out, "; return; fi\n    case $words[2] in\n");
    for (size_t i = 0; verbs[i]; i++) {
        if (verbs[i]->verbs) {
            zsh_group(out, verbs[i]);
            continue;
        }
        fprintf(out, "    %s) shift words; (( CURRENT -= 1 )); ", verbs[i]->name);
        zsh_options(out, verbs[i]);
        fprintf(out, " ;;\n");
    }
    fprintf(out, "    esac\n}\ncompdef _weir weir\n");
}

// ---- fish

static void fish_options(FILE *out, const char *condition, const struct cli_verb *verb)
{
    for (const struct cli_option *o = verb->options; o && o->name; o++) {
        fprintf(out, "complete -c weir -n '%s' -l %s", condition, o->name);
        if (has_choices(o)) {
            fprintf(out, " -x -a '");
            print_choices(out, o->value);
            fprintf(out, "'");
        } else if (o->kind != CLI_FLAG) {
            fprintf(out, " -r");
        }
        fprintf(out, " -d '");
        print_quoted(out, o->help, "");
        fprintf(out, "'\n");
    }
}

static void fish_name(FILE *out, const char *condition, const struct cli_verb *verb)
{
    fprintf(out, "complete -c weir -f -n '%s' -a %s -d '", condition, verb->name);
    print_quoted(out, verb->summary, "");
    fprintf(out, "'\n");
}

static void fish(FILE *out, const struct cli_verb *const *verbs)
{
    char condition[128];
    for (size_t i = 0; verbs[i]; i++) {
        fish_name(out, "__fish_use_subcommand", verbs[i]);
        for (size_t j = 0; verbs[i]->verbs && verbs[i]->verbs[j]; j++) {
            snprintf(condition, sizeof(condition), "__fish_prev_arg_in %s", verbs[i]->name);
            fish_name(out, condition, verbs[i]->verbs[j]);
            snprintf(condition, sizeof(condition), "__fish_seen_subcommand_from %s; and __fish_seen_subcommand_from %s", verbs[i]->name,
                     verbs[i]->verbs[j]->name);
            fish_options(out, condition, verbs[i]->verbs[j]);
        }
        snprintf(condition, sizeof(condition), "__fish_seen_subcommand_from %s", verbs[i]->name);
        fish_options(out, condition, verbs[i]);
    }
}

int cli_completion(FILE *out, const char *shell, const struct cli_verb *const *verbs)
{
    static const struct {
        const char *name;
        void (*print)(FILE *out, const struct cli_verb *const *verbs);
    } shells[] = {{"bash", bash}, {"zsh", zsh}, {"fish", fish}};
    for (size_t i = 0; i < sizeof(shells) / sizeof(shells[0]); i++) {
        if (strcmp(shell, shells[i].name) == 0) {
            shells[i].print(out, verbs);
            return 0;
        }
    }
    return -1;
}
