// SPDX-License-Identifier: Apache-2.0
#include "cli/progress.h"
#include "cli/term.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void quantities_have_three_digits(void **state)
{
    (void)state;
    static const struct {
        double value;
        const char *text;
    } cases[] = {{0, "0"}, {999, "999"}, {999.6, "1.00 k"}, {1234, "1.23 k"}, {34000, "34.0 k"}, {999499, "999 k"}, {2188883, "2.19 M"}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char text[32];
        term_quantity(cases[i].value, text, sizeof(text));
        assert_string_equal(text, cases[i].text);
    }
}

static void numbers_and_clocks(void **state)
{
    (void)state;
    char text[32];
    term_number(0, text, sizeof(text));
    assert_string_equal(text, "0");
    term_number(1234567, text, sizeof(text));
    assert_string_equal(text, "1,234,567");
    term_number(UINT64_MAX, text, sizeof(text));
    assert_string_equal(text, "18,446,744,073,709,551,615");
    term_clock(7, text, sizeof(text));
    assert_string_equal(text, "0:07");
    term_clock(3723, text, sizeof(text));
    assert_string_equal(text, "1:02:03");
}

static void widths_count_columns(void **state)
{
    (void)state;
    const char *text = "\033[1mForl\xc3\xac\033[0m";
    assert_int_equal(term_width(text, strlen(text)), 5);
    assert_int_equal(term_fit(text, strlen(text), 4), 8);
    assert_int_equal(term_fit(text, strlen(text), 5), strlen(text));
    assert_int_equal(term_width("\033[", 2), 0);
    assert_int_equal(term_width("\033", 1), 1);
}

static void bars_fill_in_eighths(void **state)
{
    (void)state;
    char bar[64];
    term_bar(0.5, 4, bar, sizeof(bar));
    assert_string_equal(bar, "██  ");
    term_bar(0.53125, 4, bar, sizeof(bar));
    assert_string_equal(bar, "██▏ ");
    term_bar(7, 2, bar, sizeof(bar));
    assert_string_equal(bar, "██");
    term_sparkline((const double[]){0, 5, 10}, 3, bar, sizeof(bar));
    assert_string_equal(bar, "▁▅█");
}

static void a_file_shows_a_bar(void **state)
{
    (void)state;
    char line[256];
    struct progress p = {.seconds = 5, .records = 1000000, .records_per_s = 200000, .feed_done = 50, .feed_total = 100, .lag = 1500};
    progress_line(&p, 80, line, sizeof(line));
    assert_string_equal(line, "▕██████████          ▏  50%  200 k records/s  0:05 left  lag 1.50 k");
    p.feed_ended = true;
    progress_line(&p, 80, line, sizeof(line));
    assert_string_equal(line, "1,000,000 records  200 k/s  watermark –  lag 1.50 k  dead 0");
}

static void lines_fit_the_terminal(void **state)
{
    (void)state;
    char line[256];
    struct progress p = {.records = 1, .has_watermark = true, .watermark_ms = 1507379391999, .dead = 3};
    progress_line(&p, 200, line, sizeof(line));
    assert_string_equal(line, "1 records  0/s  watermark 2017-10-07T12:29:51Z  lag 0  dead 3");
    for (int columns = 0; columns < 80; columns++) {
        progress_line(&p, columns, line, sizeof(line));
        assert_true(term_width(line, strlen(line)) <= (size_t)(columns > 0 ? columns - 1 : 0));
    }
}

static void rates_settle(void **state)
{
    (void)state;
    struct progress_rate r = {0};
    for (int i = 0; i <= 100; i++)
        progress_rate_update(&r, i * 0.25, (uint64_t)i * 25);
    assert_true(r.per_s > 99.9 && r.per_s < 100.1);
    progress_rate_update(&r, 25, 2500); // no time has passed
    assert_true(r.per_s > 99.9 && r.per_s < 100.1);
}

static void pipelines_add_up(void **state)
{
    (void)state;
    struct weir_query_spec query = {.window.kind = WEIR_WINDOW_TUMBLING, .lateness_ms = 1000};
    struct weir_plan plan = {.topic.partitions = 3, .query_count = 1, .queries = &query};
    struct weir_partition_status partitions[] = {{true, 10, 15, 9000}, {true, 7, 7, INT64_MIN}, {true, 3, 4, 8000}};
    struct weir_pipeline_status status = {
        .plan = &plan, .records = 20, .rows = (uint64_t[]){5}, .dead = {1, 2, 0, 0}, .partitions = partitions, .seconds = 2};
    struct progress p = {0};
    progress_add(&p, &status);
    progress_add(&p, &status);
    assert_int_equal(p.records, 40);
    assert_int_equal(p.rows, 10);
    assert_int_equal(p.dead, 6);
    assert_int_equal(p.lag, 12);
    assert_true(p.has_watermark);
    assert_int_equal(p.watermark_ms, 7000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(quantities_have_three_digits),
        cmocka_unit_test(numbers_and_clocks),
        cmocka_unit_test(widths_count_columns),
        cmocka_unit_test(bars_fill_in_eighths),
        cmocka_unit_test(a_file_shows_a_bar),
        cmocka_unit_test(lines_fit_the_terminal),
        cmocka_unit_test(rates_settle),
        cmocka_unit_test(pipelines_add_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
