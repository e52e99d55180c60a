// SPDX-License-Identifier: Apache-2.0
// Rows on stdout: an aligned table for people, CSV (RFC 4180, lines ending in LF as Unix tools want them), or JSON, an object a line.
#pragma once
#include "base/str.h"
#include "cli/cli.h"
#include <stdbool.h>
#include <stdio.h>

enum printer_kind { PRINTER_TEXT, PRINTER_NUMBER, PRINTER_BOOLEAN };

struct printer_column {
    const char *name;
    enum printer_kind kind;
};

struct printer_cell {
    bool null;
    struct weir_str text; // a number or boolean as JSON writes it, or plain text
};

struct printer;

// CLI_FORMAT_AUTO: a table on a terminal, else CSV. Columns must outlive the printer. CSV has a header line even without rows.
struct printer *printer_open(FILE *out, enum cli_format format, const struct printer_column *columns, uint32_t column_count);
void printer_row(struct printer *p, const struct printer_cell *cells);
bool printer_broken(const struct printer *p); // nobody takes the output any more: stop
uint64_t printer_close(struct printer *p);    // returns the rows printed

// A JSON string with its quotes. Bytes that are no UTF-8 become U+FFFD.
void print_json_text(FILE *out, struct weir_str text);
