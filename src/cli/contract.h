// SPDX-License-Identifier: Apache-2.0
// What `weir schema` says of schemas to people: whether one may follow, and what differs between two.
#pragma once
#include "registry/registry.h"
#include <stdio.h>

// Whether a schema may follow the subject's versions at its level; says so, and else which field is in the way, why, and what would help.
int contract_check(FILE *out, struct weir_registry *r, const char *subject, const char *schema, bool *ret, struct weir_error *err);

// A line for each thing that differs: "+ field …", "- field …", "~ field …". Returns how many in *ret.
int contract_diff(FILE *out, const char *older, const char *newer, uint32_t *ret, struct weir_error *err);
