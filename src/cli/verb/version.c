// SPDX-License-Identifier: Apache-2.0
#include "cli/verb/verbs.h"

static int version(const struct cli_args *args)
{
    (void)args;
    printf("weir %s\n", WEIR_VERSION);
    return WEIR_OK;
}

const struct cli_verb verb_version = {
    .name = "version",
    .summary = "print the version",
    .operands = "",
    .examples = (const char *const[]){"weir version", NULL},
    .run = version,
};
