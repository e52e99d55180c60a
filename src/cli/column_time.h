// SPDX-License-Identifier: Apache-2.0
// Which columns hold moments, and in which unit.
#pragma once
#include "spec/plan.h"

// WEIR_UNIT_MS, WEIR_UNIT_S or WEIR_UNIT_US of an integer column that holds a moment; -1 if it holds none that the plan knows of.
int column_time_unit(const struct weir_plan *plan, const struct weir_query_spec *query, uint32_t column);
int64_t column_time_from_ms(int64_t ms, int unit);
int64_t column_time_to_ms(int64_t value, int unit);
