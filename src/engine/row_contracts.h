// SPDX-License-Identifier: Apache-2.0
// The rows of a pipeline's aggregates are contracts like its events: those who read a table are told, by a subject of the registry, which columns it has
// and what may become of them. Each grouped query's table has a subject of its own (spec/contract.h).
#pragma once
#include "registry/registry.h"
#include "spec/plan.h"

// 1: the columns of all tables may follow what is registered. 0: those of one may not, and *err says which column, why, and what to do. -1: the registry
// cannot be asked.
int weir_row_contracts_check(struct weir_registry *r, const struct weir_plan *plan, struct weir_error *err);
// Registers what is new. What the registry refuses fails with WEIR_BAD_DATA, one that is for reading only with WEIR_BAD_CONFIG.
int weir_row_contracts_register(struct weir_registry *r, const struct weir_plan *plan, struct weir_error *err);
