// SPDX-License-Identifier: Apache-2.0
#include "cli/verb/verbs.h"

const struct cli_verb *const cli_verbs[] = {
    &verb_demo, &verb_run,   &verb_check,  &verb_produce, &verb_query, &verb_topic,   &verb_schema,     &verb_registry, &verb_table,
    &verb_dead, &verb_reset, &verb_status, &verb_top,     &verb_bench, &verb_version, &verb_completion, NULL,
};
