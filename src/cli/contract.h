// SPDX-License-Identifier: Apache-2.0
// What `weir schema` says of schemas to people: whether one may follow, what differs between two, and which ones a pipeline's tables stand for.
#pragma once
#include "registry/registry.h"
#include "spec/plan.h"
#include <stdio.h>

// Whether a schema may follow the subject's versions at its level; says so, and else which field is in the way, why, and what would help.
int contract_check(FILE *out, struct weir_registry *r, const char *subject, const char *schema, bool *ret, struct weir_error *err);

// A line for each thing that differs: "+ field …", "- field …", "~ field …". Returns how many in *ret.
int contract_diff(FILE *out, const char *older, const char *newer, uint32_t *ret, struct weir_error *err);

// The rows of a query as an Avro record: hourly_aggregates becomes HourlyAggregate, in the namespace of the event's record.
void contract_export(FILE *out, const struct weir_plan *plan, const struct weir_query_spec *query);
