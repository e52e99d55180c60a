// SPDX-License-Identifier: Apache-2.0
#include "cli/printer.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static const struct printer_column columns[] = {{"name", PRINTER_TEXT}, {"n", PRINTER_NUMBER}, {"on", PRINTER_BOOLEAN}};

#define TEXT(literal)                                                                                                                                \
    {                                                                                                                                                \
        .text = WEIR_STR(literal)                                                                                                                    \
    }

static void check(enum cli_format format, const struct printer_cell (*rows)[3], size_t count, const char *want)
{
    char *text;
    size_t bytes;
    FILE *out = open_memstream(&text, &bytes);
    struct printer *p = printer_open(out, format, columns, 3);
    for (size_t i = 0; i < count; i++)
        printer_row(p, rows[i]);
    assert_int_equal(printer_close(p), count);
    fclose(out);
    assert_string_equal(text, want);
    free(text);
}

static void csv_quotes_what_needs_it(void **state)
{
    (void)state;
    static const struct printer_cell rows[][3] = {
        {TEXT("plain"), TEXT("-1.5"), TEXT("true")},
        {TEXT("a,\"b\"\nc"), {.null = true}, TEXT("false")},
        {TEXT(""), TEXT("1e+30"), {.null = true}},
        {{.null = true}, {.null = true}, {.null = true}},
    };
    check(CLI_FORMAT_CSV, rows, 4, "name,n,on\nplain,-1.5,true\n\"a,\"\"b\"\"\nc\",,false\n\"\",1e+30,\n,,\n");
    check(CLI_FORMAT_CSV, rows, 0, "name,n,on\n");
}

static void json_is_an_object_a_line(void **state)
{
    (void)state;
    static const struct printer_cell rows[][3] = {
        {TEXT("a\"\\\n\xc3\xa8\xff\xed\xa0\x80"), TEXT("7"), TEXT("true")},
        {{.null = true}, TEXT("NaN"), {.null = true}},
    };
    check(CLI_FORMAT_JSON, rows, 2,
          "{\"name\":\"a\\\"\\\\\\u000a\xc3\xa8\\ufffd\\ufffd\\ufffd\\ufffd\",\"n\":7,\"on\":true}\n{\"name\":null,\"n\":\"NaN\",\"on\":null}\n");
}

static void tables_are_aligned(void **state)
{
    (void)state;
    static const struct printer_cell rows[][3] = {
        {TEXT("Forl\xc3\xac"), TEXT("7"), TEXT("true")},
        {{.null = true}, TEXT("1234"), TEXT("false")},
    };
    check(CLI_FORMAT_TABLE, rows, 2, "name      n  on\nForl\xc3\xac     7  true\n\xe2\x80\x93      1234  false\n");
}

static void long_tables_are_not_held_back(void **state)
{
    (void)state;
    char *text;
    size_t bytes;
    FILE *out = open_memstream(&text, &bytes);
    struct printer *p = printer_open(out, CLI_FORMAT_TABLE, columns, 3);
    const struct printer_cell row[3] = {TEXT("x"), TEXT("1"), TEXT("true")};
    for (int i = 0; i < 2000; i++)
        printer_row(p, row);
    fflush(out);
    assert_true(bytes > 2000 * 10);
    printer_close(p);
    fclose(out);
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(csv_quotes_what_needs_it),
        cmocka_unit_test(json_is_an_object_a_line),
        cmocka_unit_test(tables_are_aligned),
        cmocka_unit_test(long_tables_are_not_held_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
