// SPDX-License-Identifier: Apache-2.0
// Values as JSON.
#include "format/cell.h"
#include "format/json_text.h"
#include "http/inside.h"

void http_quote(struct weir_buffer *b, struct weir_str text)
{
    json_text_quote(text, true, b);
}

static void add_number(struct weir_buffer *b, struct weir_str number)
{
    bool finite = number.bytes > 0 && number.data[number.bytes - 1] >= '0' && number.data[number.bytes - 1] <= '9'; // not NaN, Infinity
    if (finite)
        weir_buffer_add(b, number.data, number.bytes);
    else
        http_quote(b, number);
}

void http_value(struct weir_buffer *b, enum weir_cql_type type, const struct weir_value *value)
{
    char text[WEIR_CELL_BYTES];
    if (value->null) {
        weir_buffer_add(b, "null", 4);
        return;
    }
    struct weir_str cell = weir_cell_text(type, value, text);
    if (weir_cql_kind(type) == WEIR_I64 && type != WEIR_CQL_TIMESTAMP)
        weir_buffer_add(b, cell.data, cell.bytes);
    else if (weir_cql_kind(type) == WEIR_F64)
        add_number(b, cell);
    else
        http_quote(b, cell);
}

void http_row(struct weir_buffer *b, const struct weir_table *table, const struct weir_value *values)
{
    for (uint32_t c = 0; c < table->column_count; c++) {
        weir_buffer_byte(b, c ? ',' : '{');
        http_quote(b, weir_str_of(table->columns[c].name));
        weir_buffer_byte(b, ':');
        http_value(b, table->columns[c].type, &values[c]);
    }
    weir_buffer_byte(b, '}');
}
