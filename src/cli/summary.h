// SPDX-License-Identifier: Apache-2.0
// What a run has done, when it is over.
#pragma once
#include "engine/engine.h"
#include <stdbool.h>
#include <stdio.h>

// {"pipeline":"…","records":N,"rows":{"table":N},"dead":{"late":N,…},"seconds":S} and a newline.
void summary_json(FILE *out, const struct weir_pipeline_status *status);
// feed_only: no query ran, so that there are no rows to speak of.
void summary_text(FILE *out, const struct weir_pipeline_status *status, bool feed_only);
