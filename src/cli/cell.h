// SPDX-License-Identifier: Apache-2.0
// Values of table columns as the printer takes them, and keys from the command line.
#pragma once
#include "base/table.h"
#include "cli/printer.h"
#include "format/cell.h"

enum printer_kind cell_kind(enum weir_cql_type type);
// `text` is room for what is not text itself; the cell may point into it or into the value.
struct printer_cell cell_of(enum weir_cql_type type, const struct weir_value *value, char text[WEIR_CELL_BYTES]);

// A key value as people write it. Fails with WEIR_USAGE. A uuid's text is put in lower case in `arena`.
int cell_parse(const struct weir_table_column *column, const char *text, struct weir_arena *arena, struct weir_value *ret, struct weir_error *err);
