// SPDX-License-Identifier: Apache-2.0
#include "cli/verb/verbs.h"

static int completion(const struct cli_args *args)
{
    if (cli_completion(stdout, args->operands.items[0], cli_verbs) < 0)
        return cli_usage(args, "no completions for '%s'; there are bash, zsh and fish", args->operands.items[0]);
    return WEIR_OK;
}

const struct cli_verb verb_completion = {
    .name = "completion",
    .summary = "print completions for a shell",
    .operands = "bash|zsh|fish",
    .operands_min = 1,
    .operands_max = 1,
    .examples = (const char *const[]){"source <(weir completion bash)", "weir completion fish > ~/.config/fish/completions/weir.fish", NULL},
    .run = completion,
};
