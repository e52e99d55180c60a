// SPDX-License-Identifier: Apache-2.0
#include "http/exposition.h"
#include "base/number.h"

void exposition_head(struct weir_buffer *b, const char *name, const char *type, const char *help)
{
    weir_buffer_format(b, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static void begin_label(struct weir_buffer *b, const char *name)
{
    bool first = b->data[b->bytes - 1] == '{';
    weir_buffer_format(b, "%s%s=\"", first ? "" : ",", name);
}

void exposition_label(struct weir_buffer *b, const char *name, const char *value)
{
    begin_label(b, name);
    for (const char *c = value; *c; c++) {
        if (*c == '\n')
            weir_buffer_format(b, "\\n");
        else
            weir_buffer_format(b, *c == '"' || *c == '\\' ? "\\%c" : "%c", *c);
    }
    weir_buffer_byte(b, '"');
}

void exposition_number_label(struct weir_buffer *b, const char *name, uint64_t value)
{
    begin_label(b, name);
    weir_buffer_format(b, "%llu\"", (unsigned long long)value);
}

void exposition_value(struct weir_buffer *b, double value)
{
    char text[32];
    weir_buffer_byte(b, ' ');
    weir_buffer_add(b, text, weir_format_f64(value, text));
    weir_buffer_byte(b, '\n');
}
