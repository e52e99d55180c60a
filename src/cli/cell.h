// SPDX-License-Identifier: Apache-2.0
// Values of table columns as text and back: floats in the shortest form that reads back the same, timestamps in ISO 8601.
#pragma once
#include "base/table.h"
#include "cli/printer.h"

enum { CELL_BYTES = 40 };

enum printer_kind cell_kind(enum weir_cql_type type);
// `text` is room for what is not text itself; the cell may point into it or into the value.
struct printer_cell cell_of(enum weir_cql_type type, const struct weir_value *value, char text[CELL_BYTES]);

// A key value as people write it. Fails with WEIR_USAGE. A uuid's text is put in lower case in `arena`.
int cell_parse(const struct weir_table_column *column, const char *text, struct weir_arena *arena, struct weir_value *ret, struct weir_error *err);

// A moment as people write it: ISO 8601, or an epoch in seconds or milliseconds, told apart by magnitude (10^11 s is the year 5138). 0 or -1.
int cell_parse_time(const char *text, int64_t *ret_ms);
