// SPDX-License-Identifier: Apache-2.0
#include "base/memory.h"
#include "base/number.h"
#include "base/suggest.h"
#include "base/time.h"
#include "cli/cli.h"

const struct cli_verb *cli_find(const struct cli_verb *const *verbs, const char *name)
{
    for (; *verbs; verbs++) {
        if (strcmp((*verbs)->name, name) == 0)
            return *verbs;
    }
    return NULL;
}

int cli_unknown(struct weir_error *err, const char *what, const char *given, const char *const *names, size_t count)
{
    char near[160];
    if (weir_suggest_text(weir_str_of(given), names, count, near, sizeof(near)))
        return weir_fail(err, WEIR_USAGE, WEIR_STOP, "unknown %s '%s'; %s", what, given, near);
    return weir_fail(err, WEIR_USAGE, WEIR_STOP, "unknown %s '%s'", what, given);
}

static int unknown_option(const struct cli_verb *verb, const char *name, size_t bytes, struct weir_error *err)
{
    const char *names[64] = {"--help"};
    char text[64][32];
    size_t count = 1;
    for (const struct cli_option *o = verb->options; o && o->name && count < 64; o++, count++) {
        snprintf(text[count], sizeof(text[count]), "--%s", o->name);
        names[count] = text[count];
    }
    char given[64];
    snprintf(given, sizeof(given), "--%.*s", (int)(bytes > 60 ? 60 : bytes), name);
    return cli_unknown(err, "option", given, names, count);
}

static const struct cli_option *find_option(const struct cli_verb *verb, const char *name, size_t bytes)
{
    for (const struct cli_option *o = verb->options; o && o->name; o++) {
        if (strlen(o->name) == bytes && memcmp(o->name, name, bytes) == 0)
            return o;
    }
    return NULL;
}

static int parse_format(const char *text, enum cli_format *ret)
{
    static const char *const names[] = {[CLI_FORMAT_TABLE] = "table", [CLI_FORMAT_CSV] = "csv", [CLI_FORMAT_JSON] = "json"};
    for (enum cli_format f = CLI_FORMAT_TABLE; f <= CLI_FORMAT_JSON; f++) {
        if (strcmp(text, names[f]) == 0) {
            *ret = f;
            return 0;
        }
    }
    return -1;
}

static int parse_count(const char *text, uint64_t *ret)
{
    int64_t value;
    if (weir_parse_i64(weir_str_of(text), &value) < 0 || value < 0)
        return -1;
    *ret = (uint64_t)value;
    return 0;
}

static int parse_duration(const char *text, int64_t *ret_ms)
{
    int64_t ms;
    if (weir_duration_parse(weir_str_of(text), &ms) < 0 || ms <= 0)
        return -1;
    *ret_ms = ms;
    return 0;
}

static void list_add(struct cli_list *list, const char *item)
{
    list->items = weir_realloc(list->items, (list->count + 1) * sizeof(*list->items));
    list->items[list->count++] = item;
}

// 0, or -1 where the value is not of the option's kind.
static int store_value(const struct cli_option *option, const char *value, struct cli_args *args)
{
    void *at = (char *)args + option->at;
    switch (option->kind) {
    case CLI_FLAG:
        *(bool *)at = true;
        return 0;
    case CLI_TEXT:
        *(const char **)at = value;
        return 0;
    case CLI_LIST:
        list_add(at, value);
        return 0;
    case CLI_COUNT:
        return parse_count(value, at);
    case CLI_NUMBER:
        return weir_parse_i64(weir_str_of(value), at);
    case CLI_DURATION:
        return parse_duration(value, at);
    case CLI_FORMAT:
        return parse_format(value, at);
    }
    return -1;
}

static int wrong_value(const struct cli_option *option, const char *value, struct weir_error *err)
{
    static const char *const wanted[] = {
        [CLI_COUNT] = "a number from 0",
        [CLI_NUMBER] = "a whole number",
        [CLI_DURATION] = "a duration such as 30s or '5 minutes'",
        [CLI_FORMAT] = NULL,
    };
    return weir_fail(err, WEIR_USAGE, WEIR_STOP, "--%s is '%.80s' where %s is wanted", option->name, value,
                     wanted[option->kind] ? wanted[option->kind] : option->value);
}

// One option at argv[*at], with its value there or in the next argument; moves *at to the last argument used.
static int parse_option(const struct cli_verb *verb, int argc, const char *const *argv, int *at, struct cli_args *args, struct weir_error *err)
{
    const char *name = argv[*at] + 2, *equals = strchr(name, '=');
    size_t bytes = equals ? (size_t)(equals - name) : strlen(name);
    if (bytes == 4 && memcmp(name, "help", 4) == 0) {
        args->help = true;
        return 0;
    }
    const struct cli_option *option = find_option(verb, name, bytes);
    if (!option)
        return unknown_option(verb, name, bytes, err);
    if (option->kind == CLI_FLAG && equals)
        return weir_fail(err, WEIR_USAGE, WEIR_STOP, "--%s takes no value", option->name);
    const char *value = equals ? equals + 1 : NULL;
    if (option->kind != CLI_FLAG && !equals) {
        if (*at + 1 >= argc)
            return weir_fail(err, WEIR_USAGE, WEIR_STOP, "--%s needs a value: --%s %s", option->name, option->name, option->value);
        value = argv[++*at];
    }
    if (option->kind == CLI_FORMAT && !strstr(option->value, value))
        return wrong_value(option, value, err);
    return store_value(option, value, args) < 0 ? wrong_value(option, value, err) : 0;
}

static int check_operands(const struct cli_verb *verb, const struct cli_args *args, struct weir_error *err)
{
    if (args->help)
        return 0;
    if (args->operands.count < verb->operands_min)
        return weir_fail(err, WEIR_USAGE, WEIR_STOP, "%s is missing", verb->operands);
    if (args->operands.count > verb->operands_max)
        return weir_fail(err, WEIR_USAGE, WEIR_STOP, "unexpected '%s'", args->operands.items[verb->operands_max]);
    return 0;
}

static int parse_all(const struct cli_verb *verb, int argc, const char *const *argv, struct cli_args *args, struct weir_error *err)
{
    bool options_end = false;
    for (int i = 0; i < argc; i++) {
        const char *arg = argv[i];
        if (options_end || arg[0] != '-' || arg[1] == '\0') {
            list_add(&args->operands, arg);
        } else if (strcmp(arg, "--") == 0) {
            options_end = true;
        } else if (strcmp(arg, "-h") == 0) {
            args->help = true;
        } else if (arg[1] != '-') {
            return weir_fail(err, WEIR_USAGE, WEIR_STOP, "unknown option '%s'; options are written out, as in --help", arg);
        } else if (parse_option(verb, argc, argv, &i, args, err) < 0) {
            return -1;
        }
    }
    return check_operands(verb, args, err);
}

int cli_parse(const struct cli_verb *verb, int argc, const char *const *argv, struct cli_args *ret, struct weir_error *err)
{
    struct cli_args args = {.verb = verb, .offset = -1, .partition = -1, .port = -1};
    snprintf(args.path, sizeof(args.path), "%s", verb->name);
    if (parse_all(verb, argc, argv, &args, err) < 0) {
        cli_args_drop(&args);
        return -1;
    }
    *ret = args;
    return 0;
}

void cli_args_drop(struct cli_args *args)
{
    weir_freep(&args->operands.items);
    weir_freep(&args->keys.items);
    weir_freep(&args->sets.items);
    args->operands = args->keys = args->sets = (struct cli_list){0};
}
