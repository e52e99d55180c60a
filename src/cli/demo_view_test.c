// SPDX-License-Identifier: Apache-2.0
#include "cli/demo_view.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct weir_expr start = {.op = WEIR_OP_EPOCH_S, .type = WEIR_LONG}, id = {.op = WEIR_OP_GROUP, .type = WEIR_STRING};
static struct weir_expr *exprs[] = {&id, &start};
static struct weir_table_column columns[] = {{"device_id", WEIR_CQL_TEXT}, {"hour_bucket", WEIR_CQL_BIGINT}};
static struct weir_query_spec query = {.table = {.name = "hourly", .column_count = 2, .columns = columns, .windowed = true},
                                       .window.kind = WEIR_WINDOW_TUMBLING,
                                       .lateness_ms = 60000,
                                       .columns = exprs};
static struct weir_plan plan = {.pipeline = "iot", .topic = {.name = "events", .partitions = 1}, .query_count = 1, .queries = &query};
static struct weir_partition_status partition = {true, 100, 100, 1507379451000};

static struct weir_pipeline_status status_of(void)
{
    static uint64_t rows[] = {24};
    return (struct weir_pipeline_status){
        .plan = &plan, .records = 1234, .events = 1230, .feed_events = 1240, .rows = rows, .dead = {4}, .partitions = &partition, .seconds = 65};
}

static char *screen(struct demo_view *view, struct weir_value **recent, uint32_t count, int rows)
{
    struct weir_pipeline_status status = status_of();
    char *text;
    size_t bytes;
    FILE *out = open_memstream(&text, &bytes);
    demo_view_screen(out, view, &status, recent, count, rows);
    fclose(out);
    return text;
}

static void the_screen_shows_stages_and_rows(void **state)
{
    (void)state;
    struct demo_view view = {.query = "hourly", .data_dir = "somewhere", .url = "http://127.0.0.1:8080", .clock_factor = 360};
    for (int i = 0; i < 100; i++)
        demo_view_sample(&view, i * 0.25, (uint64_t)i * 25);
    struct weir_value row[] = {{.kind = WEIR_STRS, .str = WEIR_STR("sensor-7")}, {.kind = WEIR_I64, .i64 = 1507377600}};
    struct weir_value *recent[] = {row};
    char *text = screen(&view, recent, 1, 30);
    static const char *const words[] = {"running for 1:05",
                                        "events/s      100",
                                        "2017-10-07T12:29:51Z",
                                        "fed 1,240 → read 1,234 → decoded 1,230",
                                        "hourly 24",
                                        "late 4",
                                        "sensor-7   2017-10-07 12:00",
                                        "somewhere",
                                        "http://127.0.0.1:8080"};
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        if (!strstr(text, words[i]))
            fail_msg("no '%s' in\n%s", words[i], text);
    }
    assert_null(strchr(text, '\033'));
    free(text);
}

static void before_the_first_hour_and_on_small_screens(void **state)
{
    (void)state;
    struct demo_view view = {.query = "hourly", .data_dir = "d", .url = "u", .color = true};
    char *text = screen(&view, NULL, 0, 24);
    assert_non_null(strstr(text, "the first hour closes"));
    assert_non_null(strchr(text, '\033'));
    free(text);
    struct weir_value row[] = {{.null = true}, {.null = true}};
    struct weir_value *recent[] = {row, row, row};
    for (int rows = 0; rows < 30; rows++)
        free(screen(&view, recent, 3, rows));
}

static void a_line_says_the_same_in_short(void **state)
{
    (void)state;
    struct demo_view view = {.query = "hourly"};
    struct weir_pipeline_status status = status_of();
    char *text;
    size_t bytes;
    FILE *out = open_memstream(&text, &bytes);
    demo_view_line(out, &view, &status);
    fclose(out);
    assert_string_equal(text, "1:05  1230 events  0/s  watermark 2017-10-07T12:29:51Z  hourly 24  dead 4\n");
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_screen_shows_stages_and_rows),
        cmocka_unit_test(before_the_first_hour_and_on_small_screens),
        cmocka_unit_test(a_line_says_the_same_in_short),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
