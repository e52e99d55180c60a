// SPDX-License-Identifier: Apache-2.0
// Any bytes as CSV. Read whole and read in small pieces, the rows must be the same, and every byte belongs to one of them.
#include "base/error.h"
#include "base/hash.h"
#include "format/csv.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct summary {
    uint64_t rows, bad, hash;
};

static struct summary read_all(struct weir_str text, uint32_t piece, bool lines)
{
    struct csv_reader r = csv_reader_at(',', 0, 1);
    struct summary s = {0};
    uint32_t from = 0, to = piece < text.bytes ? piece : text.bytes;
    for (;;) {
        struct csv_row row;
        struct weir_str window = {text.data + from, to - from};
        enum csv_found found = lines ? csv_next_line(&r, window, to == text.bytes, &row) : csv_next(&r, window, to == text.bytes, &row);
        if (found == CSV_END)
            break;
        if (found == CSV_MORE) {
            weir_assert(to < text.bytes);
            to = text.bytes - to < piece ? text.bytes : to + piece;
            continue;
        }
        weir_assert(row.bytes > 0 && row.bytes <= to - from);
        s.rows += found == CSV_ROW;
        s.bad += found == CSV_BAD;
        if (found != CSV_SKIP) {
            s.hash = weir_hash64(row.raw.data, row.raw.bytes, s.hash + row.offset * 31 + (uint64_t)row.line);
            for (uint32_t i = 0; i < row.count && row.cells; i++)
                s.hash = weir_hash64(row.cells[i].data, row.cells[i].bytes, s.hash);
        }
        csv_take(&r, &row);
        from += (uint32_t)row.bytes;
    }
    csv_reader_drop(&r);
    return s;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct weir_str text = {(const char *)data, (uint32_t)size};
    uint32_t piece = size ? 1 + data[0] % 64 : 1;
    if (size > 4096)
        piece = 1000;
    for (int lines = 0; lines < 2; lines++) {
        struct summary whole = read_all(text, text.bytes + 1, lines), pieces = read_all(text, piece, lines);
        weir_assert(whole.rows == pieces.rows && whole.bad == pieces.bad && whole.hash == pieces.hash);
    }
    return 0;
}
