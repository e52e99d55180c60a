// SPDX-License-Identifier: Apache-2.0
// Rows of CSV text (RFC 4180) that comes in pieces: quoted cells, doubled quotes, line breaks in quotes, LF or CRLF, a byte order mark, a last line
// without a break. Blank lines are passed over. A quote inside an unquoted cell stands for itself.
//
// The caller holds a window of the text that starts where the reader is. csv_next looks at its first row and moves nothing; csv_take moves the reader
// over it. Where csv_next asks for more, the caller lengthens the window.
//
// A bad row costs its first line only: the next row is looked for after that, so that a stray quote does not swallow what follows.
#pragma once
#include "base/arena.h"
#include "base/str.h"
#include <stdbool.h>
#include <stddef.h>

enum { CSV_ROW_BYTES_MAX = 1 << 20, CSV_CELLS_MAX = 4096, CSV_WINDOW_BYTES_MAX = (2 << 20) };

struct csv_reader {
    char delimiter;
    uint64_t offset; // of the window's start in the text; also where to resume
    int64_t line;    // on which it lies, from 1
    bool skipping;   // inside the rest of a line that was too long; resume with it, too
    struct weir_str *cells;
    size_t cell_capacity;
    struct weir_arena arena; // cells that had doubled quotes
};

enum csv_found {
    CSV_MORE, // the window holds no whole row
    CSV_END,  // nothing but blank lines to the end
    CSV_ROW,
    CSV_BAD,  // `wrong` says why
    CSV_SKIP, // blank lines, or the rest of a bad row: to be taken, not looked at
};

struct csv_row {
    struct weir_str raw; // without its line break; of a bad row the first line
    uint32_t count;
    const struct weir_str *cells; // until the next csv_next
    const char *wrong;
    uint64_t offset; // of the row in the text
    int64_t line;
    size_t bytes;  // from the window's start to the next row
    int64_t lines; // that these are
    bool open;     // too long to have its end in sight
};

struct csv_reader csv_reader_at(char delimiter, uint64_t offset, int64_t line);
void csv_reader_drop(struct csv_reader *r);

// `last`: the text ends with the window. No window need be longer than CSV_WINDOW_BYTES_MAX.
enum csv_found csv_next(struct csv_reader *r, struct weir_str window, bool last, struct csv_row *ret);
// The same for text in which every line is a row (JSON lines): no cells, no quotes.
enum csv_found csv_next_line(struct csv_reader *r, struct weir_str window, bool last, struct csv_row *ret);
void csv_take(struct csv_reader *r, const struct csv_row *row);
