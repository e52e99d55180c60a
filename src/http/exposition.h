// SPDX-License-Identifier: Apache-2.0
// How a sample is written in Prometheus' text format (version 0.0.4): its family's head once, then name{labels} value.
#pragma once
#include "base/buffer.h"

void exposition_head(struct weir_buffer *b, const char *name, const char *type, const char *help);
void exposition_label(struct weir_buffer *b, const char *name, const char *value); // behind a '{' or another label
void exposition_number_label(struct weir_buffer *b, const char *name, uint64_t value);
void exposition_value(struct weir_buffer *b, double value); // ends the line
