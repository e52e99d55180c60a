// SPDX-License-Identifier: Apache-2.0
// Values of table columns as people read and write them: floats in the shortest form that reads back the same, timestamps in ISO 8601.
#pragma once
#include "base/arena.h"
#include "base/table.h"
#include "spec/plan.h"

enum { WEIR_CELL_BYTES = 40 };

// Of a value that is not null. `text` is room for what is not text itself; the result may point into it or into the value.
struct weir_str weir_cell_text(enum weir_cql_type type, const struct weir_value *value, char text[WEIR_CELL_BYTES]);

// A value from text; a uuid is put in lower case, text lives in `arena`. 0, or -1 where it does not fit the column's type.
int weir_cell_parse(const struct weir_table_column *column, struct weir_str text, struct weir_arena *arena, struct weir_value *ret);

// A moment: ISO 8601, or an epoch in seconds or milliseconds, told apart by magnitude (10^11 s is the year 5138). 0 or -1.
int weir_moment_parse(struct weir_str text, int64_t *ret_ms);

// WEIR_UNIT_MS, WEIR_UNIT_S or WEIR_UNIT_US of an integer column that holds a moment; -1 if it holds none that the plan knows of.
int weir_column_unit(const struct weir_plan *plan, const struct weir_query_spec *query, uint32_t column);

// A bound of a scan: on the start of windows, or on the first clustering column (which there must be), where it holds moments in its unit. 0 or -1.
int weir_bound_parse(const struct weir_plan *plan, const struct weir_query_spec *query, struct weir_str text, struct weir_arena *arena,
                     struct weir_value *ret);
