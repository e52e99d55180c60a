// SPDX-License-Identifier: Apache-2.0
// One file a verb; each brings its row of the table in verbs.c.
#pragma once
#include "cli/cli.h"

extern const struct cli_verb verb_demo, verb_run, verb_check, verb_produce, verb_query, verb_topic, verb_schema, verb_table, verb_dead, verb_reset,
    verb_status, verb_top, verb_bench, verb_version, verb_completion, verb_registry;
