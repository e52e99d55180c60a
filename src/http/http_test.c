// SPDX-License-Identifier: Apache-2.0
// The server's parts that need no client: addresses, decoding, cursors; and an engine with its server in one process, twice.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/memory.h"
#include "http/inside.h"
#include <unistd.h>

static void test_listen_addresses(void **state)
{
    (void)state;
    static const char *const wrong[] = {"", "8080", "127.0.0.1", ":8080", "127.0.0.1:", "127.0.0.1:x", "127.0.0.1:65536", "127.0.0.1:-1"};
    struct weir_error err;
    int fd = -1;
    char *url = NULL;
    bool loopback = false;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        assert_int_equal(http_listen(wrong[i], 8080, &fd, &url, &loopback, &err), -1);
        assert_int_equal(err.code, WEIR_BAD_CONFIG);
    }
    assert_int_equal(http_listen("127.0.0.1:0", 8080, &fd, &url, &loopback, &err), 0);
    assert_true(loopback);
    assert_memory_equal(url, "http://127.0.0.1:", 17);
    int second = -1;
    char *none = NULL;
    assert_int_equal(http_listen(url + 7, 8080, &second, &none, &loopback, &err), -1); // taken
    assert_int_equal(err.code, WEIR_UNAVAILABLE);
    close(fd);
    free(url);
    assert_int_equal(http_listen("0.0.0.0:0", 8080, &fd, &url, &loopback, &err), 0);
    assert_false(loopback);
    close(fd);
    free(url);
}

static void test_decoding(void **state)
{
    (void)state;
    static const struct {
        const char *text, *value; // NULL: refused
        bool plus;
    } cases[] = {{"abc", "abc", false},         {"a%20b", "a b", false}, {"a+b", "a+b", false}, {"a+b", "a b", true},      {"%2F", "/", false},
                 {"%c3%a8", "\xc3\xa8", false}, {"", "", false},         {"%", NULL, false},    {"%2", NULL, false},       {"%zz", NULL, false},
                 {"%00", NULL, false},          {"%ff", NULL, false},    {"%c3", NULL, false},  {"%ed%a0%80", NULL, false}};
    struct weir_arena arena = {0};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct weir_str out = {0};
        bool good = http_decode(weir_str_of(cases[i].text), cases[i].plus, &arena, &out);
        assert_int_equal(good, cases[i].value != NULL);
        if (good)
            assert_string_equal(out.data, cases[i].value);
    }
    weir_arena_drop(&arena);
}

static void test_base64(void **state)
{
    (void)state;
    static const char *const pairs[][2] = {{"", ""},        {"f", "Zg"},        {"fo", "Zm8"},
                                           {"foo", "Zm9v"}, {"foob", "Zm9vYg"}, {"\xfb\xff", "-_8"}}; // RFC 4648, 10
    static const char *const wrong[] = {"Z", "Zh", "Zm9=", "Zm 9", "Zm+v"};
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        struct weir_buffer text = {0}, back = {0};
        http_base64_add(&text, weir_str_of(pairs[i][0]));
        assert_true(weir_str_is(weir_buffer_view(&text), pairs[i][1]));
        assert_int_equal(http_base64_parse(weir_str_of(pairs[i][1]), &back), 0);
        assert_true(weir_str_is(weir_buffer_view(&back), pairs[i][0]));
        weir_buffer_drop(&text);
        weir_buffer_drop(&back);
    }
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct weir_buffer out = {0};
        assert_int_equal(http_base64_parse(weir_str_of(wrong[i]), &out), -1);
        weir_buffer_drop(&out);
    }
}

static void test_cursors(void **state)
{
    (void)state;
    struct weir_table_column columns[] = {{"id", WEIR_CQL_TEXT}, {"t", WEIR_CQL_BIGINT}, {"v", WEIR_CQL_DOUBLE}};
    uint32_t partition[] = {0};
    struct weir_clustering clustering[] = {{1, true}, {2, false}};
    struct weir_table table = {.name = "t",
                               .column_count = 3,
                               .columns = columns,
                               .partition_count = 1,
                               .partition = partition,
                               .clustering_count = 2,
                               .clustering = clustering};
    struct weir_value row[] = {{.kind = WEIR_STRS, .str = WEIR_STR("device")}, {.kind = WEIR_I64, .i64 = INT64_MIN}, {.kind = WEIR_F64, .f64 = 0.1}};
    struct weir_value back[3];
    struct weir_arena arena = {0};
    struct weir_buffer text = {0};
    http_cursor_add(&text, 7, &table, row);
    assert_int_equal(http_cursor_parse(weir_buffer_view(&text), 7, &table, &arena, back), 0);
    assert_int_equal(http_key_compare(&table, row, back), 0);
    assert_int_equal(http_cursor_parse(weir_buffer_view(&text), 8, &table, &arena, back), -1); // another query's
    for (uint32_t bytes = 0; bytes < text.bytes; bytes++)
        assert_int_equal(http_cursor_parse((struct weir_str){(char *)text.data, bytes}, 7, &table, &arena, back), -1);
    row[1].i64 = 5;
    assert_int_equal(http_key_compare(&table, row, back), -1); // descending: the higher comes first
    row[0].str = WEIR_STR("e");
    assert_int_equal(http_key_compare(&table, row, back), 1);
    weir_buffer_drop(&text);
    weir_arena_drop(&arena);
}

// ---- whole servers

static const char *const pipeline_text = "pipeline: t\n"
                                         "topic: {name: t}\n"
                                         "event: {format: json, fields: {id: string, time: long}, key: id, time: time}\n"
                                         "queries: [{table: raw, columns: {id: text, time: bigint}, key: [[id], time desc]}]\n";

static void test_two_servers_in_one_process(void **state)
{
    (void)state;
    struct weir_error err;
    struct weir_plan *plans[2];
    struct weir_engine *engines[2];
    struct weir_http *servers[2];
    char folders[2][40];
    const struct weir_run_options options = {0};
    const struct weir_http_options http = {.listen = "127.0.0.1:0"};
    for (int i = 0; i < 2; i++) {
        snprintf(folders[i], sizeof folders[i], "/tmp/weir-http-test-XXXXXX");
        assert_non_null(mkdtemp(folders[i]));
        const struct weir_overrides overrides = {.data_dir = folders[i]};
        assert_int_equal(weir_plan_parse("t.yaml", weir_str_of(pipeline_text), &overrides, stderr, false, &plans[i], &err), 0);
        assert_int_equal(weir_engine_open(&plans[i], 1, &options, &engines[i], &err), 0);
        assert_int_equal(weir_http_start(engines[i], &http, &servers[i], &err), 0);
    }
    assert_string_not_equal(weir_http_url(servers[0]), weir_http_url(servers[1]));
    for (int i = 0; i < 2; i++) {
        weir_http_stop(servers[i]);
        weir_engine_close(engines[i]);
        weir_plan_free(plans[i]);
        weir_cleanup(weir_freep) char *command = weir_format("rm -rf %s", folders[i]);
        FILE *done = popen(command, "r");
        assert_int_equal(pclose(done), 0);
    }
}

static void test_open_addresses_need_authentication(void **state)
{
    (void)state;
    struct weir_error err;
    struct weir_http *server = NULL;
    struct weir_plan *plan;
    struct weir_engine *engine;
    char folder[] = "/tmp/weir-http-test-XXXXXX";
    assert_non_null(mkdtemp(folder));
    const struct weir_overrides overrides = {.data_dir = folder};
    const struct weir_run_options options = {0};
    assert_int_equal(weir_plan_parse("t.yaml", weir_str_of(pipeline_text), &overrides, stderr, false, &plan, &err), 0);
    assert_int_equal(weir_engine_open(&plan, 1, &options, &engine, &err), 0);
    assert_int_equal(weir_http_start(engine, &(struct weir_http_options){.listen = "0.0.0.0:0"}, &server, &err), -1);
    assert_int_equal(err.code, WEIR_BAD_CONFIG);
    struct weir_http_spec keys = {.jwt_issuer = "i", .jwt_audience = "a", .jwt_keys = "/nowhere/keys.json"};
    assert_int_equal(weir_http_start(engine, &(struct weir_http_options){.listen = "127.0.0.1:0", .spec = &keys}, &server, &err), -1);
    assert_int_equal(err.code, WEIR_BAD_CONFIG);
    assert_null(server);
    weir_engine_close(engine);
    weir_plan_free(plan);
    weir_cleanup(weir_freep) char *command = weir_format("rm -rf %s", folder);
    assert_int_equal(pclose(popen(command, "r")), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_listen_addresses),
        cmocka_unit_test(test_decoding),
        cmocka_unit_test(test_base64),
        cmocka_unit_test(test_cursors),
        cmocka_unit_test(test_two_servers_in_one_process),
        cmocka_unit_test(test_open_addresses_need_authentication),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
