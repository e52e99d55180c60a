// SPDX-License-Identifier: Apache-2.0
#include "format/csv.h"

#include "base/memory.h"
#include <stdlib.h>

struct csv_reader csv_reader_at(char delimiter, uint64_t offset, int64_t line)
{
    return (struct csv_reader){.delimiter = delimiter, .offset = offset, .line = line};
}

void csv_reader_drop(struct csv_reader *r)
{
    free(r->cells);
    weir_arena_drop(&r->arena);
    r->cells = NULL;
    r->cell_capacity = 0;
}

void csv_take(struct csv_reader *r, const struct csv_row *row)
{
    r->offset += row->bytes;
    r->line += row->lines;
    r->skipping = row->open;
}

// ---- lines

static const char *find_break(const char *at, const char *end)
{
    return at < end ? memchr(at, '\n', (size_t)(end - at)) : NULL;
}

static struct weir_str text_between(const char *from, const char *to)
{
    if (to > from && to[-1] == '\r')
        to--;
    return (struct weir_str){from, (uint32_t)(to - from)};
}

// A row of the whole first line; `next` is behind its break.
static void set_line(struct csv_row *row, const char *start, const char *line_end, const char *next, struct weir_str window)
{
    row->raw = text_between(start, line_end);
    row->bytes = (size_t)(next - window.data);
    row->lines += next > line_end;
}

static enum csv_found bad(struct csv_row *row, const char *start, struct weir_str window, bool last, const char *wrong)
{
    const char *end = window.data + window.bytes, *line_end = find_break(start, end);
    bool seen = line_end || last;
    if (!seen && (size_t)(end - start) <= CSV_ROW_BYTES_MAX)
        return CSV_MORE;
    set_line(row, start, line_end ? line_end : end, line_end ? line_end + 1 : end, window);
    if (row->raw.bytes > CSV_ROW_BYTES_MAX)
        row->raw.bytes = CSV_ROW_BYTES_MAX;
    row->open = !seen;
    row->count = 0;
    row->wrong = wrong;
    return CSV_BAD;
}

static enum csv_found skip_rest(struct csv_row *row, struct weir_str window, bool last)
{
    const char *end = window.data + window.bytes, *line_end = find_break(window.data, end);
    if (window.bytes == 0)
        return last ? CSV_END : CSV_MORE;
    set_line(row, window.data, line_end ? line_end : end, line_end ? line_end + 1 : end, window);
    row->open = !line_end;
    return CSV_SKIP;
}

// Passes the byte order mark and blank lines. CSV_ROW: a row starts at *ret_start; CSV_SKIP: so far there are only blank lines.
static enum csv_found find_start(const struct csv_reader *r, struct csv_row *row, struct weir_str window, bool last, const char **ret_start)
{
    static const char mark[] = "\xef\xbb\xbf";
    const char *at = window.data, *end = at + window.bytes;
    if (r->offset == 0 && window.bytes < 3 && !last)
        return CSV_MORE;
    if (r->offset == 0 && window.bytes >= 3 && memcmp(at, mark, 3) == 0)
        at += 3;
    for (; at < end && (*at == '\n' || *at == '\r'); at++) {
        bool known = at + 1 < end || last;
        if (*at == '\r' && (!known || (at + 1 < end && at[1] != '\n')))
            break;
        row->lines += *at == '\n';
    }
    row->bytes = (size_t)(at - window.data);
    row->line = r->line + row->lines;
    row->offset = r->offset + row->bytes;
    *ret_start = at;
    if (at == end && last)
        return CSV_END;
    if (at == end || (*at == '\r' && at + 1 == end && !last))
        return row->bytes ? CSV_SKIP : CSV_MORE;
    return CSV_ROW;
}

// ---- cells

static void add_cell(struct csv_reader *r, struct csv_row *row, const char *from, const char *to)
{
    if (row->count == r->cell_capacity)
        weir_grow(&r->cells, &r->cell_capacity, (size_t)row->count + 1, sizeof *r->cells);
    r->cells[row->count++] = (struct weir_str){from, (uint32_t)(to - from)};
}

static enum csv_found split_plain(struct csv_reader *r, struct csv_row *row)
{
    const char *at = row->raw.data, *end = at + row->raw.bytes;
    const char delimiter = r->delimiter;
    const char *cell = at;
    for (; at < end; at++)
        if (*at == delimiter) {
            add_cell(r, row, cell, at);
            cell = at + 1;
            if (row->count == CSV_CELLS_MAX)
                return CSV_BAD;
        }
    add_cell(r, row, cell, end);
    return CSV_ROW;
}

// The end of the quoted cell whose first quote is at `at`: its closing quote, or NULL. *ret_doubled if it holds doubled ones.
static const char *closing_quote(const char *at, const char *end, bool *ret_doubled)
{
    *ret_doubled = false;
    for (at++; at < end; at += 2) {
        at = memchr(at, '"', (size_t)(end - at));
        if (!at)
            return NULL;
        if (at + 1 == end || at[1] != '"')
            return at;
        *ret_doubled = true;
    }
    return NULL;
}

static void add_doubled(struct csv_reader *r, struct csv_row *row, const char *from, const char *to)
{
    char *start = weir_arena_alloc(&r->arena, (size_t)(to - from)), *out = start;
    while (from < to) {
        *out++ = *from;
        from += *from == '"' ? 2 : 1;
    }
    add_cell(r, row, start, out);
}

// What ends a cell: the delimiter, a line break, or the end of the text.
static bool ends_cell(const struct csv_reader *r, const char *at, const char *end)
{
    return at == end || *at == r->delimiter || *at == '\n' || (*at == '\r' && (at + 1 == end || at[1] == '\n'));
}

// Walks a row cell by cell, quotes and all. On CSV_ROW *ret_end is where it ends (a break, or the window's end).
static enum csv_found split_quoted(struct csv_reader *r, struct csv_row *row, const char *start, const char *end, const char **ret_end)
{
    for (const char *at = start;; at++) {
        if (row->count == CSV_CELLS_MAX) {
            row->wrong = "too many cells";
            return CSV_BAD;
        }
        if (at < end && *at == '"') {
            bool doubled;
            const char *close = closing_quote(at, end, &doubled);
            if (!close)
                return CSV_MORE;
            if (!ends_cell(r, close + 1, end)) {
                row->wrong = "text after a closing quote";
                return CSV_BAD;
            }
            doubled ? add_doubled(r, row, at + 1, close) : add_cell(r, row, at + 1, close);
            at = close + 1;
        } else {
            const char *cell = at;
            while (!ends_cell(r, at, end))
                at++;
            add_cell(r, row, cell, at);
        }
        if (at == end || *at != r->delimiter) {
            *ret_end = at < end && *at == '\r' ? at + 1 : at;
            return CSV_ROW;
        }
    }
}

static int64_t count_breaks(const char *at, const char *end)
{
    int64_t breaks = 0;
    for (; (at = find_break(at, end)); at++)
        breaks++;
    return breaks;
}

static enum csv_found quoted_row(struct csv_reader *r, struct csv_row *row, const char *start, struct weir_str window, bool last)
{
    const char *end = window.data + window.bytes, *row_end;
    bool whole = last;
    if ((size_t)(end - start) > CSV_ROW_BYTES_MAX + 1) {
        end = start + CSV_ROW_BYTES_MAX + 1;
        whole = false;
    }
    weir_arena_reset(&r->arena);
    enum csv_found found = split_quoted(r, row, start, end, &row_end);
    bool at_end = found == CSV_MORE || (found == CSV_ROW && row_end >= end);
    if (found == CSV_BAD)
        return bad(row, start, window, last, row->wrong);
    if (at_end && !whole) {
        if ((size_t)(end - start) > CSV_ROW_BYTES_MAX)
            return bad(row, start, window, last, "the row is longer than 1 MiB");
        return CSV_MORE;
    }
    if (found == CSV_MORE)
        return bad(row, start, window, last, "a quoted cell does not end");
    const char *next = row_end < end ? row_end + 1 : end;
    row->raw = text_between(start, row_end);
    row->bytes = (size_t)(next - window.data);
    row->lines += count_breaks(start, next);
    row->cells = r->cells;
    return CSV_ROW;
}

static enum csv_found plain_line(struct csv_row *row, const char *start, struct weir_str window, bool last)
{
    const char *end = window.data + window.bytes, *line_end = find_break(start, end);
    if ((size_t)((line_end ? line_end : end) - start) > CSV_ROW_BYTES_MAX)
        return bad(row, start, window, last, "the row is longer than 1 MiB");
    if (!line_end && !last)
        return CSV_MORE;
    set_line(row, start, line_end ? line_end : end, line_end ? line_end + 1 : end, window);
    return CSV_ROW;
}

// Blank lines before a row that is not whole yet need not be kept.
static enum csv_found or_skip(enum csv_found found, const struct csv_row *row)
{
    return found == CSV_MORE && row->bytes ? CSV_SKIP : found;
}

enum csv_found csv_next_line(struct csv_reader *r, struct weir_str window, bool last, struct csv_row *ret)
{
    const char *start;
    *ret = (struct csv_row){.raw = WEIR_STR("")};
    if (r->skipping)
        return skip_rest(ret, window, last);
    enum csv_found found = find_start(r, ret, window, last, &start);
    return found == CSV_ROW ? or_skip(plain_line(ret, start, window, last), ret) : found;
}

static enum csv_found plain_row(struct csv_reader *r, struct csv_row *row, const char *start, struct weir_str window, bool last)
{
    int64_t lines = row->lines;
    enum csv_found found = plain_line(row, start, window, last);
    if (found == CSV_ROW && split_plain(r, row) == CSV_BAD) {
        row->lines = lines;
        return bad(row, start, window, last, "too many cells");
    }
    row->cells = r->cells;
    return found;
}

enum csv_found csv_next(struct csv_reader *r, struct weir_str window, bool last, struct csv_row *ret)
{
    const char *start;
    *ret = (struct csv_row){.raw = WEIR_STR("")};
    if (r->skipping)
        return skip_rest(ret, window, last);
    enum csv_found found = find_start(r, ret, window, last, &start);
    if (found != CSV_ROW)
        return found;
    const char *end = window.data + window.bytes, *line_end = find_break(start, end);
    bool quoted = memchr(start, '"', (size_t)((line_end ? line_end : end) - start)) != NULL;
    return or_skip((quoted ? quoted_row : plain_row)(r, ret, start, window, last), ret);
}
