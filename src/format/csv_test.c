// SPDX-License-Identifier: Apache-2.0
#include "format/csv.h"

#include "base/buffer.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>
#include <stdio.h>

// Rows as lines of text: "line@offset: [cell][cell]", "line! why {raw}", the text coming `piece` bytes at a time.
static char *rows_of(struct weir_str text, uint32_t piece, char delimiter)
{
    struct csv_reader r = csv_reader_at(delimiter, 0, 1);
    struct weir_buffer out = {0};
    uint32_t from = 0, to = 0;
    for (;;) {
        // In memory of exactly its size, so that reading past it is seen.
        char *copy = malloc(to - from ? to - from : 1);
        memcpy(copy, text.data + from, to - from);
        struct csv_row row;
        enum csv_found found = csv_next(&r, (struct weir_str){copy, to - from}, to == text.bytes, &row);
        if (found == CSV_ROW) {
            weir_buffer_format(&out, "%lld@%llu:", (long long)row.line, (unsigned long long)row.offset);
            for (uint32_t i = 0; i < row.count; i++)
                weir_buffer_format(&out, " [%.*s]", (int)row.cells[i].bytes, row.cells[i].data);
            weir_buffer_byte(&out, '\n');
            assert_true(row.offset >= r.offset && memcmp(text.data + row.offset, row.raw.data, row.raw.bytes) == 0);
        } else if (found == CSV_BAD) {
            weir_buffer_format(&out, "%lld! %s {%.*s}\n", (long long)row.line, row.wrong, (int)(row.raw.bytes < 20 ? row.raw.bytes : 20),
                               row.raw.data);
        }
        free(copy);
        if (found == CSV_END)
            break;
        if (found == CSV_MORE) {
            assert_true(to < text.bytes);
            to = text.bytes - to < piece ? text.bytes : to + piece;
            continue;
        }
        csv_take(&r, &row);
        from += (uint32_t)row.bytes;
        assert_int_equal(from, r.offset);
        assert_true(from <= to);
    }
    csv_reader_drop(&r);
    weir_buffer_byte(&out, 0);
    return (char *)out.data;
}

static void expect(const char *text, const char *wanted)
{
    struct weir_str given = weir_str_of(text);
    for (uint32_t piece = 1; piece <= given.bytes + 1; piece++) {
        char *rows = rows_of(given, piece, ',');
        assert_string_equal(rows, wanted);
        free(rows);
    }
}

static void rows_split_into_cells(void **state)
{
    (void)state;
    expect("a,b\n1,2\n", "1@0: [a] [b]\n2@4: [1] [2]\n");
    expect("a,b\r\n1,2", "1@0: [a] [b]\n2@5: [1] [2]\n");
    expect("a\n", "1@0: [a]\n");
    expect(",\n,,x", "1@0: [] []\n2@2: [] [] [x]\n");
    expect("", "");
    expect("\n\r\n\n", "");
    expect("\n\na\n\nb\n", "3@2: [a]\n5@5: [b]\n");
    expect("\xef\xbb\xbf"
           "a,b\n",
           "1@3: [a] [b]\n");
    expect("a\rb,c\r\r\n", "1@0: [a\rb] [c\r]\n");
}

static void quotes_hold_anything(void **state)
{
    (void)state;
    expect("\"a\",\"b,c\"\n\"\",x\n", "1@0: [a] [b,c]\n2@10: [] [x]\n");
    expect("\"a \"\"b\"\"\",\"\"\"\"\n", "1@0: [a \"b\"] [\"]\n");
    expect("\"two\nlines\",1\r\nx,\"\r\n\"\r\ny,2", "1@0: [two\nlines] [1]\n3@15: [x] [\r\n]\n5@23: [y] [2]\n");
    expect("a\"b,c\"\n", "1@0: [a\"b] [c\"]\n");
    expect("\"last\"", "1@0: [last]\n");
}

static void bad_rows_cost_their_first_line(void **state)
{
    (void)state;
    expect("\"a\"b,1\nc,2\n", "1! text after a closing quote {\"a\"b,1}\n2@7: [c] [2]\n");
    expect("a,1\n\"b,2\nc,3\n", "1@0: [a] [1]\n2! a quoted cell does not end {\"b,2}\n3@9: [c] [3]\n");
    expect("x,\"b", "1! a quoted cell does not end {x,\"b}\n");
    expect("\"a\nb\"c\nd\n", "1! text after a closing quote {\"a}\n2@3: [b\"c]\n3@7: [d]\n");
}

static void too_many_cells_are_refused(void **state)
{
    (void)state;
    static char text[CSV_CELLS_MAX + 16];
    for (int quoted = 0; quoted < 2; quoted++)
        for (int cells = CSV_CELLS_MAX; cells <= CSV_CELLS_MAX + 1; cells++) {
            int at = quoted ? snprintf(text, sizeof text, "\"\"") : 0;
            memset(text + at, ',', (size_t)cells - 1);
            memcpy(text + at + cells - 1, "\nx\n", 4);
            char *rows = rows_of(weir_str_of(text), 1000, ',');
            bool refused = strncmp(rows, "1! too many cells", 17) == 0;
            assert_int_equal(refused, cells > CSV_CELLS_MAX);
            assert_non_null(strstr(rows, ": [x]\n"));
            free(rows);
        }
}

static void rows_have_a_longest(void **state)
{
    (void)state;
    static const char *const starts[] = {"", "\""};
    for (int kind = 0; kind < 2; kind++)
        for (uint32_t bytes = CSV_ROW_BYTES_MAX - 1; bytes <= CSV_ROW_BYTES_MAX + 1; bytes++) {
            struct weir_buffer b = {0};
            weir_buffer_format(&b, "a\n%s", starts[kind]);
            memset(weir_buffer_reserve(&b, bytes), 'x', bytes);
            b.bytes = 2 + bytes - strlen(starts[kind]); // the row is `bytes` long, quotes and all
            weir_buffer_format(&b, "%s\nb\n", starts[kind]);
            char *rows = rows_of(weir_buffer_view(&b), 300000, ',');
            bool refused = strstr(rows, "2! the row is longer than 1 MiB") != NULL;
            assert_int_equal(refused, bytes > CSV_ROW_BYTES_MAX);
            assert_non_null(strstr(rows, ": [b]\n"));
            free(rows);
            weir_buffer_drop(&b);
        }
}

static void other_delimiters(void **state)
{
    (void)state;
    char *rows = rows_of(WEIR_STR("a;\"b;c\";1,5\n"), 100, ';');
    assert_string_equal(rows, "1@0: [a] [b;c] [1,5]\n");
    free(rows);
    rows = rows_of(WEIR_STR("a\t\tb\n"), 100, '\t');
    assert_string_equal(rows, "1@0: [a] [] [b]\n");
    free(rows);
}

static void random_rows_read_back(void **state)
{
    (void)state;
    static const char *const cells[] = {"", "a", "12.5", "x,y", "say \"hi\"", "two\nlines", "\r\n", "\"", "plain text", " "};
    uint64_t dice = 5;
    for (int round = 0; round < 300; round++) {
        struct weir_buffer text = {0}, wanted = {0};
        uint64_t line = 1;
        for (int row = 0; row < 8; row++) {
            weir_buffer_format(&wanted, "%llu@%llu:", (unsigned long long)line, (unsigned long long)text.bytes);
            for (int i = 0; i < 4; i++) {
                const char *cell = cells[(dice = dice * 6364136223846793005 + 1442695040888963407) >> 33 & 7];
                weir_buffer_format(&wanted, " [%s]", cell);
                weir_buffer_format(&text, i ? ",\"" : "\"");
                for (; *cell; cell++) {
                    line += *cell == '\n';
                    weir_buffer_add(&text, "\"\"", *cell == '"' ? 2 : 0);
                    weir_buffer_add(&text, cell, *cell != '"');
                }
                weir_buffer_byte(&text, '"');
            }
            weir_buffer_add(&text, "\r\n", 2);
            weir_buffer_byte(&wanted, '\n');
            line++;
        }
        weir_buffer_byte(&wanted, 0);
        char *rows = rows_of(weir_buffer_view(&text), 1 + (uint32_t)round % 50, ',');
        assert_string_equal(rows, (char *)wanted.data);
        free(rows);
        weir_buffer_drop(&text);
        weir_buffer_drop(&wanted);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_split_into_cells),      cmocka_unit_test(quotes_hold_anything), cmocka_unit_test(bad_rows_cost_their_first_line),
        cmocka_unit_test(too_many_cells_are_refused), cmocka_unit_test(rows_have_a_longest),  cmocka_unit_test(other_delimiters),
        cmocka_unit_test(random_rows_read_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
