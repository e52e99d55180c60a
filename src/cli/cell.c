// SPDX-License-Identifier: Apache-2.0
#include "cli/cell.h"

enum printer_kind cell_kind(enum weir_cql_type type)
{
    if (type == WEIR_CQL_BOOLEAN)
        return PRINTER_BOOLEAN;
    return weir_cql_kind(type) == WEIR_STRS || type == WEIR_CQL_TIMESTAMP ? PRINTER_TEXT : PRINTER_NUMBER;
}

struct printer_cell cell_of(enum weir_cql_type type, const struct weir_value *value, char text[WEIR_CELL_BYTES])
{
    if (value->null)
        return (struct printer_cell){.null = true};
    return (struct printer_cell){.text = weir_cell_text(type, value, text)};
}

int cell_parse(const struct weir_table_column *column, const char *text, struct weir_arena *arena, struct weir_value *ret, struct weir_error *err)
{
    if (weir_cell_parse(column, weir_str_of(text), arena, ret) == 0)
        return 0;
    return weir_fail(err, WEIR_USAGE, WEIR_STOP, "'%.80s' is no %s, which column '%s' holds", text, weir_cql_type_name(column->type), column->name);
}
