// SPDX-License-Identifier: Apache-2.0
// status.json of a running process (engine.h) as people read it.
#pragma once
#include "base/error.h"
#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

// Snapshots of all processes that run in a data folder, an array; WEIR_UNAVAILABLE where there is none.
int status_read(const char *data_dir, json_t **ret, struct weir_error *err);
// Rates come from the difference to earlier snapshots of the same processes; `before` may be NULL.
void status_print(FILE *out, const json_t *now, const json_t *before, bool color);
