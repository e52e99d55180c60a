// SPDX-License-Identifier: Apache-2.0
#include "cli/printer.h"
#include "base/buffer.h"
#include "base/memory.h"
#include "cli/term.h"

enum { ROWS_MEASURED = 500, WIDTH_MAX = 60 }; // the first rows say how wide a table's columns are

struct printer {
    FILE *out;
    enum cli_format format;
    const struct printer_column *columns;
    uint32_t column_count;
    uint64_t rows;
    bool color, measured;
    size_t *widths;
    struct {
        struct printer_cell *items; // of the rows held back, texts copied
        size_t count, capacity;
    } held;
};

// ---- JSON

void print_json_text(FILE *out, struct weir_str text)
{
    weir_cleanup(weir_buffer_drop) struct weir_buffer json = {0};
    weir_buffer_json_text(&json, text);
    fwrite(json.data, 1, json.bytes, out);
}

static bool is_json_number(struct weir_str text)
{
    return text.bytes > 0 && (text.data[text.bytes - 1] >= '0' && text.data[text.bytes - 1] <= '9'); // not NaN, Infinity
}

static void json_row(struct printer *p, const struct printer_cell *cells)
{
    for (uint32_t c = 0; c < p->column_count; c++) {
        fputc(c ? ',' : '{', p->out);
        print_json_text(p->out, weir_str_of(p->columns[c].name));
        fputc(':', p->out);
        bool bare = p->columns[c].kind == PRINTER_BOOLEAN || (p->columns[c].kind == PRINTER_NUMBER && is_json_number(cells[c].text));
        if (cells[c].null)
            fputs("null", p->out);
        else if (bare)
            fwrite(cells[c].text.data, 1, cells[c].text.bytes, p->out);
        else
            print_json_text(p->out, cells[c].text);
    }
    fputs("}\n", p->out);
}

// ---- CSV

static void csv_text(FILE *out, struct weir_str text)
{
    bool plain = text.bytes > 0; // an empty text is "", so that it is no null
    for (uint32_t i = 0; i < text.bytes && plain; i++)
        plain = !strchr("\",\r\n", text.data[i]) || text.data[i] == '\0';
    if (plain) {
        fwrite(text.data, 1, text.bytes, out);
        return;
    }
    fputc('"', out);
    for (uint32_t i = 0; i < text.bytes; i++) {
        if (text.data[i] == '"')
            fputc('"', out);
        fputc(text.data[i], out);
    }
    fputc('"', out);
}

static void csv_header(struct printer *p)
{
    for (uint32_t c = 0; c < p->column_count; c++) {
        if (c)
            fputc(',', p->out);
        csv_text(p->out, weir_str_of(p->columns[c].name));
    }
    fputc('\n', p->out);
}

static void csv_row(struct printer *p, const struct printer_cell *cells)
{
    for (uint32_t c = 0; c < p->column_count; c++) {
        if (c)
            fputc(',', p->out);
        if (!cells[c].null)
            csv_text(p->out, cells[c].text);
    }
    fputc('\n', p->out);
}

// ---- table

static void blanks(FILE *out, size_t count)
{
    while (count-- > 0)
        fputc(' ', out);
}

static void table_cell(struct printer *p, uint32_t c, struct weir_str text, const char *style)
{
    bool last = c + 1 == p->column_count, right = p->columns[c].kind == PRINTER_NUMBER;
    size_t width = term_width(text.data, text.bytes), gap = p->widths[c] > width ? p->widths[c] - width : 0;
    if (right)
        blanks(p->out, gap);
    if (p->color)
        fputs(style, p->out);
    for (uint32_t i = 0; i < text.bytes; i++)
        fputc((unsigned char)text.data[i] < 0x20 ? ' ' : text.data[i], p->out);
    if (p->color && *style)
        fputs(TERM_PLAIN, p->out);
    if (!right && !last)
        blanks(p->out, gap);
    fputs(last ? "\n" : "  ", p->out);
}

static void table_line(struct printer *p, const struct printer_cell *cells)
{
    for (uint32_t c = 0; c < p->column_count; c++)
        table_cell(p, c, cells[c].null ? WEIR_STR("–") : cells[c].text, cells[c].null ? TERM_DIM : "");
}

static void table_start(struct printer *p)
{
    for (uint32_t c = 0; c < p->column_count; c++) {
        p->widths[c] = strlen(p->columns[c].name);
        for (size_t i = c; i < p->held.count; i += p->column_count) {
            size_t width = p->held.items[i].null ? 1 : term_width(p->held.items[i].text.data, p->held.items[i].text.bytes);
            width = width > WIDTH_MAX ? WIDTH_MAX : width;
            p->widths[c] = width > p->widths[c] ? width : p->widths[c];
        }
    }
    p->measured = true;
    for (uint32_t c = 0; c < p->column_count; c++)
        table_cell(p, c, weir_str_of(p->columns[c].name), TERM_BOLD);
    for (size_t i = 0; i < p->held.count; i += p->column_count)
        table_line(p, &p->held.items[i]);
}

static void table_hold(struct printer *p, const struct printer_cell *cells)
{
    weir_grow(&p->held.items, &p->held.capacity, p->held.count + p->column_count, sizeof(*p->held.items));
    for (uint32_t c = 0; c < p->column_count; c++) {
        struct printer_cell copy = cells[c];
        if (!copy.null) {
            char *text = weir_alloc(copy.text.bytes + 1);
            memcpy(text, copy.text.data, copy.text.bytes);
            copy.text.data = text;
        }
        p->held.items[p->held.count++] = copy;
    }
    if (p->held.count >= (size_t)ROWS_MEASURED * p->column_count)
        table_start(p);
}

// ----

struct printer *printer_open(FILE *out, enum cli_format format, const struct printer_column *columns, uint32_t column_count)
{
    struct printer *p = weir_zalloc(1, sizeof(*p));
    p->out = out;
    p->format = format != CLI_FORMAT_AUTO ? format : term_is(out) ? CLI_FORMAT_TABLE : CLI_FORMAT_CSV;
    p->columns = columns;
    p->column_count = column_count;
    p->color = p->format == CLI_FORMAT_TABLE && term_color(out);
    p->widths = weir_zalloc(column_count, sizeof(*p->widths));
    if (p->format == CLI_FORMAT_CSV)
        csv_header(p);
    return p;
}

void printer_row(struct printer *p, const struct printer_cell *cells)
{
    p->rows++;
    if (p->format == CLI_FORMAT_CSV)
        csv_row(p, cells);
    else if (p->format == CLI_FORMAT_JSON)
        json_row(p, cells);
    else if (p->measured)
        table_line(p, cells);
    else
        table_hold(p, cells);
}

bool printer_broken(const struct printer *p)
{
    return ferror(p->out);
}

uint64_t printer_close(struct printer *p)
{
    if (p->format == CLI_FORMAT_TABLE && !p->measured)
        table_start(p);
    for (size_t i = 0; i < p->held.count; i++) {
        if (!p->held.items[i].null)
            weir_freep(&p->held.items[i].text.data);
    }
    uint64_t rows = p->rows;
    weir_freep(&p->held.items);
    weir_freep(&p->widths);
    weir_freep(&p);
    return rows;
}
