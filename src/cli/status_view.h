// SPDX-License-Identifier: Apache-2.0
// status.json of a running process (engine.h) as people read it.
#pragma once
#include "base/error.h"
#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

int status_read(const char *data_dir, json_t **ret, struct weir_error *err);
// Rates come from the difference to an earlier snapshot of the same process; `before` may be NULL.
void status_print(FILE *out, const json_t *now, const json_t *before, bool color);
