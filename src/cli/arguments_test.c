// SPDX-License-Identifier: Apache-2.0
#include "cli/cli.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static const struct cli_verb verb = {
    .name = "try",
    .summary = "a verb to try",
    .operands = "FILE [MORE]",
    .operands_min = 1,
    .operands_max = 2,
    .examples = (const char *const[]){"weir try x.yaml", NULL},
    .options = (const struct cli_option[]){{"close", CLI_FLAG, CLI_AT(close), NULL, "close it"},
                                           {"key", CLI_LIST, CLI_AT(keys), "V", "a key"},
                                           {"offset", CLI_NUMBER, CLI_AT(offset), "N", "an offset"},
                                           CLI_OPTION_LIMIT,
                                           CLI_OPTION_FOR,
                                           CLI_OPTION_SUMMARY_FORMAT,
                                           CLI_OPTION_DATA,
                                           {0}},
};

#define PARSE(args, err, ...) parse(args, err, (const char *const[]){__VA_ARGS__, NULL})

static int parse(struct cli_args *args, struct weir_error *err, const char *const *argv)
{
    int argc = 0;
    while (argv[argc])
        argc++;
    return cli_parse(&verb, argc, argv, args, err);
}

static void options_and_operands_mix(void **state)
{
    (void)state;
    struct cli_args args;
    struct weir_error err;
    assert_int_equal(PARSE(&args, &err, "a.yaml", "--close", "--limit=12", "b", "--for", "30s", "--data", "d"), 0);
    assert_int_equal(args.operands.count, 2);
    assert_string_equal(args.operands.items[1], "b");
    assert_true(args.close);
    assert_int_equal(args.limit, 12);
    assert_int_equal(args.for_ms, 30000);
    assert_string_equal(args.where.data_dir, "d");
    assert_int_equal(args.offset, -1);
    cli_args_drop(&args);
}

static void lists_keep_their_order(void **state)
{
    (void)state;
    struct cli_args args;
    struct weir_error err;
    assert_int_equal(PARSE(&args, &err, "a", "--key", "-5", "--key=x=y", "--format", "json", "--offset", "-7"), 0);
    assert_int_equal(args.keys.count, 2);
    assert_string_equal(args.keys.items[0], "-5");
    assert_string_equal(args.keys.items[1], "x=y");
    assert_int_equal(args.format, CLI_FORMAT_JSON);
    assert_int_equal(args.offset, -7);
    cli_args_drop(&args);
}

static void two_dashes_end_the_options(void **state)
{
    (void)state;
    struct cli_args args;
    struct weir_error err;
    assert_int_equal(PARSE(&args, &err, "--", "--close", "-"), 0);
    assert_int_equal(args.operands.count, 2);
    assert_string_equal(args.operands.items[0], "--close");
    assert_false(args.close);
    cli_args_drop(&args);
}

static void help_needs_no_operands(void **state)
{
    (void)state;
    struct cli_args args;
    struct weir_error err;
    assert_int_equal(PARSE(&args, &err, "-h"), 0);
    assert_true(args.help);
    cli_args_drop(&args);
}

static void mistakes_are_usage_errors(void **state)
{
    (void)state;
    static const struct {
        const char *argv[4];
        const char *words;
    } cases[] = {
        {{"a", "--closed"}, "did you mean '--close'?"}, {{"a", "--until-the-end"}, "unknown option '--until-the-end'"},
        {{"a", "-x"}, "unknown option '-x'"},           {{"a", "--close=1"}, "--close takes no value"},
        {{"a", "--limit"}, "--limit needs a value"},    {{"a", "--limit", "-1"}, "--limit is '-1' where a number from 0 is wanted"},
        {{"a", "--limit", "12x"}, "--limit is '12x'"},  {{"a", "--for", "soon"}, "--for is 'soon' where a duration"},
        {{"a", "--for", "0 s"}, "--for is '0 s'"},      {{"a", "--format", "csv"}, "--format is 'csv' where table|json is wanted"},
        {{"a", "--format", ""}, "--format is ''"},      {{"a", "b", "c"}, "unexpected 'c'"},
        {{"--close"}, "FILE [MORE] is missing"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct cli_args args;
        struct weir_error err = {0};
        assert_int_equal(parse(&args, &err, cases[i].argv), -1);
        assert_int_equal(err.code, WEIR_USAGE);
        if (!strstr(err.text, cases[i].words))
            fail_msg("'%s' does not say '%s'", err.text, cases[i].words);
    }
}

static void help_shows_every_option_and_example(void **state)
{
    (void)state;
    char *text;
    size_t bytes;
    FILE *out = open_memstream(&text, &bytes);
    cli_help(out, &verb, "try");
    fclose(out);
    assert_non_null(strstr(text, "usage: weir try FILE [MORE] [options]"));
    assert_non_null(strstr(text, "weir try x.yaml"));
    for (const struct cli_option *o = verb.options; o->name; o++)
        assert_non_null(strstr(text, o->name));
    free(text);
}

static void every_verb_has_help_with_an_example(void **state)
{
    (void)state;
    for (size_t i = 0; cli_verbs[i]; i++) {
        if (!cli_verbs[i]->verbs)
            assert_non_null(cli_verbs[i]->examples);
        for (size_t j = 0; cli_verbs[i]->verbs && cli_verbs[i]->verbs[j]; j++)
            assert_non_null(cli_verbs[i]->verbs[j]->examples);
    }
}

static void completions_name_every_verb_and_option(void **state)
{
    (void)state;
    static const char *const shells[] = {"bash", "zsh", "fish"};
    for (size_t s = 0; s < 3; s++) {
        char *text;
        size_t bytes;
        FILE *out = open_memstream(&text, &bytes);
        assert_int_equal(cli_completion(out, shells[s], cli_verbs), 0);
        fclose(out);
        for (size_t i = 0; cli_verbs[i]; i++)
            assert_non_null(strstr(text, cli_verbs[i]->name));
        assert_non_null(strstr(text, "until-end"));
        assert_non_null(strstr(text, "unknown_schema"));
        free(text);
    }
    assert_int_equal(cli_completion(stdout, "tcsh", cli_verbs), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(options_and_operands_mix),
        cmocka_unit_test(lists_keep_their_order),
        cmocka_unit_test(two_dashes_end_the_options),
        cmocka_unit_test(help_needs_no_operands),
        cmocka_unit_test(mistakes_are_usage_errors),
        cmocka_unit_test(help_shows_every_option_and_example),
        cmocka_unit_test(every_verb_has_help_with_an_example),
        cmocka_unit_test(completions_name_every_verb_and_option),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
