// SPDX-License-Identifier: Apache-2.0
// The table of options in docs/cassandra.md is the table that options are read by. A failure prints the one that should be there.
#include "base/buffer.h"
#include "store/cassandra/options.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

static void read_file(const char *path, struct weir_buffer *out)
{
    char piece[4096];
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    for (size_t bytes; (bytes = fread(piece, 1, sizeof piece, file)) > 0;)
        weir_buffer_add(out, piece, bytes);
    fclose(file);
    weir_buffer_byte(out, 0);
}

static void put_code(struct weir_buffer *out, const char *text)
{
    weir_buffer_format(out, *text ? "`%s`" : "%s", text);
}

static void put_option(struct weir_buffer *out, const struct cassandra_option *option)
{
    weir_buffer_format(out, "| `%s` | %s", option->name, option->help);
    for (const char *at = option->choices; at && *at; at += strspn(at, "|")) {
        size_t bytes = strcspn(at, "|");
        weir_buffer_format(out, "%s`%.*s`", at == option->choices ? ": " : " or ", (int)bytes, at);
        at += bytes;
    }
    weir_buffer_format(out, " |%s", *option->standard ? " " : "");
    put_code(out, option->standard);
    weir_buffer_format(out, " |\n");
}

static void test_options_of_cassandra(void **state)
{
    (void)state;
    weir_cleanup(weir_buffer_drop) struct weir_buffer page = {0}, table = {0};
    read_file(WEIR_SOURCE_DIR "/docs/cassandra.md", &page);
    weir_buffer_format(&table, "| option | means | default |\n|---|---|---|\n");
    for (uint32_t i = 0; i < cassandra_option_count; i++)
        put_option(&table, &cassandra_option_table[i]);
    weir_buffer_byte(&table, 0);
    if (!strstr((const char *)page.data, (const char *)table.data))
        fail_msg("docs/cassandra.md lacks this table:\n%s", (const char *)table.data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_options_of_cassandra)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
