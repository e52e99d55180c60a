// SPDX-License-Identifier: Apache-2.0
// Messages: requests are read as they were written, responses as the specification lays them out, and every cut of either is refused.
#include "cql/cql.h"
#include "cql/message.h"
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static const enum cql_version versions[] = {CQL_V4, CQL_V5};
enum { VERSIONS = 2 };

static struct cql_header header_of(enum cql_version version, enum cql_opcode opcode)
{
    return (struct cql_header){.version = (uint8_t)version, .opcode = opcode};
}

static struct cql_asked asked(enum cql_version version, enum cql_opcode opcode, const struct weir_buffer *body)
{
    struct cql_header h = header_of(version, opcode);
    struct cql_asked a;
    struct weir_error err;
    assert_int_equal(cql_request_parse(&h, weir_buffer_view(body), &a, &err), 0);
    for (uint32_t cut = 0; cut < body->bytes; cut++) {
        struct cql_asked none;
        assert_int_equal(cql_request_parse(&h, (struct weir_str){(const char *)body->data, cut}, &none, &err), -1);
    }
    return a;
}

static void startup_and_register(void **state)
{
    (void)state;
    weir_cleanup(weir_buffer_drop) struct weir_buffer b = {0};
    cql_put_startup(&b, &(struct cql_startup){.lz4 = true, .driver_name = WEIR_STR("weir"), .driver_version = WEIR_STR("1")});
    struct cql_asked a = asked(CQL_V5, CQL_OP_STARTUP, &b);
    assert_true(a.startup.lz4 && !a.startup.throw_on_overload);
    assert_true(weir_str_is(a.compression, "lz4") && weir_str_is(a.startup.driver_name, "weir") && weir_str_is(a.startup.driver_version, "1"));
    b.bytes = 0;
    cql_put_register(&b, CQL_TOPOLOGY_CHANGE | CQL_SCHEMA_CHANGE);
    assert_int_equal(asked(CQL_V4, CQL_OP_REGISTER, &b).events, CQL_TOPOLOGY_CHANGE | CQL_SCHEMA_CHANGE);
    b.bytes = 0;
    cql_put_auth_response(&b, WEIR_STR("user"), WEIR_STR("word"));
    struct weir_str token = asked(CQL_V4, CQL_OP_AUTH_RESPONSE, &b).token;
    assert_int_equal(token.bytes, 10);
    assert_memory_equal(token.data, "\0user\0word", 10);
}

static void a_query_with_everything(void **state)
{
    (void)state;
    weir_cleanup(weir_buffer_drop) struct weir_buffer b = {0}, values = {0};
    cql_bind_int(&values, 7);
    cql_bind_null(&values);
    struct cql_parameters p = {.consistency = CQL_LOCAL_QUORUM,
                               .has_timestamp = true,
                               .timestamp_us = 1234567890123456,
                               .has_serial = true,
                               .serial = CQL_LOCAL_SERIAL,
                               .page_rows = 100,
                               .paging_state = WEIR_STR("where"),
                               .value_count = 2,
                               .values = weir_buffer_view(&values),
                               .keyspace = WEIR_STR("iot")};
    for (int i = 0; i < VERSIONS; i++) {
        b.bytes = 0;
        cql_put_query(&b, versions[i], WEIR_STR("SELECT"), &p);
        struct cql_asked a = asked(versions[i], CQL_OP_QUERY, &b);
        assert_true(weir_str_is(a.text, "SELECT"));
        assert_int_equal(a.parameters.consistency, CQL_LOCAL_QUORUM);
        assert_true(a.parameters.has_timestamp && a.parameters.timestamp_us == p.timestamp_us);
        assert_true(a.parameters.has_serial && a.parameters.serial == CQL_LOCAL_SERIAL);
        assert_int_equal(a.parameters.page_rows, 100);
        assert_true(weir_str_is(a.parameters.paging_state, "where"));
        assert_int_equal(a.parameters.value_count, 2);
        assert_true(weir_str_eq(a.parameters.values, p.values));
        assert_true(weir_str_is(a.parameters.keyspace, versions[i] == CQL_V5 ? "iot" : ""));
    }
}

static void prepares(void **state)
{
    (void)state;
    weir_cleanup(weir_buffer_drop) struct weir_buffer b = {0};
    for (int i = 0; i < VERSIONS; i++) {
        b.bytes = 0;
        cql_put_prepare(&b, versions[i], WEIR_STR("SELECT"));
        assert_true(weir_str_is(asked(versions[i], CQL_OP_PREPARE, &b).text, "SELECT"));
    }
    weir_buffer_drop(&b);
    cql_put_long_string(&b, WEIR_STR("SELECT"));
    cql_put_int(&b, 1);
    cql_put_string(&b, WEIR_STR("iot"));
    assert_true(weir_str_is(asked(CQL_V5, CQL_OP_PREPARE, &b).parameters.keyspace, "iot"));
}

static void a_query_as_bytes(void **state)
{
    (void)state;
    weir_cleanup(weir_buffer_drop) struct weir_buffer b = {0};
    struct cql_parameters p = {.consistency = CQL_QUORUM, .has_serial = true, .serial = CQL_SERIAL, .has_timestamp = true, .timestamp_us = 5};
    cql_put_query(&b, CQL_V5, WEIR_STR("Q"), &p);
    static const char v5[] = "\0\0\0\x01Q\0\x04\0\0\0\x30\0\x08\0\0\0\0\0\0\0\x05";
    assert_int_equal(b.bytes, sizeof v5 - 1);
    assert_memory_equal(b.data, v5, b.bytes);
}

static void executes_and_batches(void **state)
{
    (void)state;
    weir_cleanup(weir_buffer_drop) struct weir_buffer b = {0}, values = {0};
    for (int i = 0; i < 6; i++)
        i == 3 ? cql_bind_unset(&values) : cql_bind_bigint(&values, i);
    struct cql_parameters p = {.consistency = CQL_ONE, .skip_metadata = true, .value_count = 2, .values = weir_buffer_view(&values)};
    for (int i = 0; i < VERSIONS; i++) {
        struct cql_asked_row row;
        b.bytes = 0;
        cql_put_batch(&b, versions[i], WEIR_STR("id"), 3, &p);
        struct cql_asked a = asked(versions[i], CQL_OP_BATCH, &b);
        assert_int_equal(a.batch_type, CQL_UNLOGGED);
        assert_int_equal(a.rows, 3);
        const char *at = p.values.data;
        for (int r = 0; r < 3; r++) {
            assert_true(cql_asked_row(&a, &row));
            assert_true(weir_str_is(row.id, "id") && row.text.bytes == 0 && row.value_count == 2);
            assert_memory_equal(row.values.data, at, row.values.bytes);
            at += row.values.bytes;
        }
        assert_true(at == p.values.data + p.values.bytes);
        assert_false(cql_asked_row(&a, &row));
        b.bytes = 0;
        p.value_count = 6;
        cql_put_execute(&b, versions[i], WEIR_STR("id"), WEIR_STR("metadata"), &p);
        a = asked(versions[i], CQL_OP_EXECUTE, &b);
        assert_true(weir_str_is(a.id, "id") && weir_str_is(a.metadata_id, versions[i] == CQL_V5 ? "metadata" : ""));
        assert_true(a.parameters.skip_metadata && a.parameters.value_count == 6);
        p.value_count = 2;
    }
}

static void responses_are_no_requests(void **state)
{
    (void)state;
    struct cql_header h = header_of(CQL_V4, CQL_OP_RESULT);
    struct cql_asked a;
    struct weir_error err;
    assert_int_equal(cql_request_parse(&h, WEIR_STR("\0\0\0\x01"), &a, &err), -1);
    h = header_of(CQL_V4, CQL_OP_OPTIONS);
    assert_int_equal(cql_request_parse(&h, WEIR_STR(""), &a, &err), 0);
    assert_int_equal(cql_request_parse(&h, WEIR_STR("x"), &a, &err), -1);
}

static void what_precedes_a_response(void **state)
{
    (void)state;
    weir_cleanup(weir_buffer_drop) struct weir_buffer b = {0};
    struct cql_header h = {.version = 5, .flags = CQL_FLAG_TRACING | CQL_FLAG_WARNING | CQL_FLAG_CUSTOM_PAYLOAD};
    struct cql_response r;
    struct weir_error err;
    weir_buffer_add(&b, "0123456789abcdef", 16);
    cql_put_short(&b, 2);
    cql_put_string(&b, WEIR_STR("slow"));
    cql_put_string(&b, WEIR_STR("large"));
    cql_put_short(&b, 1);
    cql_put_string(&b, WEIR_STR("key"));
    cql_bind_null(&b);
    size_t before = b.bytes;
    weir_buffer_add(&b, "body", 4);
    assert_int_equal(cql_response_open(&h, weir_buffer_view(&b), &r, &err), 0);
    assert_int_equal(r.warning_count, 2);
    assert_true(weir_str_is(cql_take_string(&r.warnings), "slow"));
    assert_true(weir_str_is(cql_take_string(&r.warnings), "large"));
    assert_true(r.body.end - r.body.at == 4 && memcmp(r.body.at, "body", 4) == 0);
    for (uint32_t cut = 0; cut < before; cut++)
        assert_int_equal(cql_response_open(&h, (struct weir_str){(char *)b.data, cut}, &r, &err), -1);
    h.flags = 0;
    assert_int_equal(cql_response_open(&h, weir_buffer_view(&b), &r, &err), 0);
    assert_true(r.body.at == b.data && r.warning_count == 0);
}

static void put_error(struct weir_buffer *b, int32_t code)
{
    b->bytes = 0;
    cql_put_int(b, code);
    cql_put_string(b, WEIR_STR("why"));
}

static struct cql_failure failure(struct weir_buffer *b, enum cql_version version)
{
    struct cql_failure f;
    struct weir_error err;
    assert_int_equal(cql_failure_parse(cql_cursor(weir_buffer_view(b)), version, &f, &err), 0);
    for (uint32_t cut = 0; cut < b->bytes; cut++)
        assert_int_equal(cql_failure_parse(cql_cursor((struct weir_str){(char *)b->data, cut}), version, &f, &err), -1);
    return f;
}

static void errors(void **state)
{
    (void)state;
    weir_cleanup(weir_buffer_drop) struct weir_buffer b = {0};
    char line[200];
    put_error(&b, CQL_ERROR_WRITE_TIMEOUT);
    cql_put_short(&b, CQL_QUORUM);
    cql_put_int(&b, 1);
    cql_put_int(&b, 2);
    cql_put_string(&b, WEIR_STR("UNLOGGED_BATCH"));
    struct cql_failure f = failure(&b, CQL_V5);
    assert_true(f.consistency == CQL_QUORUM && f.received == 1 && f.required == 2 && weir_str_is(f.write_type, "UNLOGGED_BATCH"));
    cql_failure_format(&f, line, sizeof line);
    assert_string_equal(line, "write timeout at QUORUM (1 of 2 replicas, UNLOGGED_BATCH): why");
    cql_failure_format(&f, line, 10);
    assert_string_equal(line, "write tim");
    put_error(&b, CQL_ERROR_UNAVAILABLE);
    cql_put_short(&b, CQL_ALL);
    cql_put_int(&b, 3);
    cql_put_int(&b, 2);
    f = failure(&b, CQL_V4);
    assert_true(f.required == 3 && f.received == 2 && f.consistency == CQL_ALL);
    put_error(&b, CQL_ERROR_UNPREPARED);
    cql_put_short_bytes(&b, WEIR_STR("id"));
    f = failure(&b, CQL_V4);
    assert_true(weir_str_is(f.statement_id, "id") && weir_str_is(f.text, "why"));
    put_error(&b, CQL_ERROR_OVERLOADED);
    f = failure(&b, CQL_V4);
    assert_int_equal(f.code, CQL_ERROR_OVERLOADED);
    cql_failure_format(&f, line, sizeof line);
    assert_string_equal(line, "overloaded: why");
    put_error(&b, 0x7777); // of a newer server
    f = failure(&b, CQL_V5);
    assert_string_equal(cql_error_name(f.code), "error");
}

static void failures_of_replicas(void **state)
{
    (void)state;
    weir_cleanup(weir_buffer_drop) struct weir_buffer b = {0};
    for (int i = 0; i < VERSIONS; i++) {
        put_error(&b, CQL_ERROR_WRITE_FAILURE);
        cql_put_short(&b, CQL_QUORUM);
        cql_put_int(&b, 0);
        cql_put_int(&b, 2);
        cql_put_int(&b, 1);
        if (versions[i] == CQL_V5)
            weir_buffer_add(&b, "\x04\x7f\0\0\x01\0\x01", 7);
        cql_put_string(&b, WEIR_STR("SIMPLE"));
        struct cql_failure f = failure(&b, versions[i]);
        assert_true(f.failures == 1 && f.required == 2 && weir_str_is(f.write_type, "SIMPLE"));
    }
}

static void events(void **state)
{
    (void)state;
    weir_cleanup(weir_buffer_drop) struct weir_buffer b = {0};
    struct cql_event e;
    struct weir_error err;
    cql_put_string(&b, WEIR_STR("STATUS_CHANGE"));
    cql_put_string(&b, WEIR_STR("DOWN"));
    weir_buffer_add(&b, "\x04\x7f\0\0\x02\0\0\x23\x52", 9);
    assert_int_equal(cql_event_parse(cql_cursor(weir_buffer_view(&b)), &e, &err), 0);
    assert_true(e.kind == CQL_STATUS_CHANGE && weir_str_is(e.change, "DOWN") && e.port == 9042);
    assert_string_equal(e.address, "127.0.0.2");
    b.bytes -= 1;
    assert_int_equal(cql_event_parse(cql_cursor(weir_buffer_view(&b)), &e, &err), -1);
    b.bytes = 0;
    const char *const words[] = {"SCHEMA_CHANGE", "DROPPED", "TABLE", "ks", "t"};
    for (int i = 0; i < 5; i++)
        cql_put_string(&b, weir_str_of(words[i]));
    assert_int_equal(cql_event_parse(cql_cursor(weir_buffer_view(&b)), &e, &err), 0);
    assert_true(e.kind == CQL_SCHEMA_CHANGE && weir_str_is(e.schema.target, "TABLE") && weir_str_is(e.schema.name, "t"));
    b.bytes = 0;
    cql_put_string(&b, WEIR_STR("NEWS"));
    assert_int_equal(cql_event_parse(cql_cursor(weir_buffer_view(&b)), &e, &err), 0);
    assert_int_equal(e.kind, 0);
}

static void supported(void **state)
{
    (void)state;
    struct weir_str body = WEIR_STR("\0\x02\0\x0b"
                                    "COMPRESSION\0\x02\0\x06snappy\0\x03lz4\0\x01X\0\x01\0\x03zip");
    assert_true(cql_supported_has(cql_cursor(body), "COMPRESSION", "lz4"));
    assert_false(cql_supported_has(cql_cursor(body), "COMPRESSION", "zip"));
    assert_false(cql_supported_has(cql_cursor(body), "X", "lz4"));
    body.bytes--;
    assert_false(cql_supported_has(cql_cursor(body), "COMPRESSION", "lz4"));
}

// Two columns, `id int` and `place text`, and the rows (7, Roma), (8, null).
static void put_rows(struct weir_buffer *b, bool metadata, bool more)
{
    cql_put_int(b, CQL_RESULT_ROWS);
    cql_put_int(b, (metadata ? 0x01 : 0x04) | (more ? 0x02 : 0));
    cql_put_int(b, 2);
    if (more)
        cql_put_bytes(b, WEIR_STR("next"));
    if (metadata) {
        cql_put_string(b, WEIR_STR("ks"));
        cql_put_string(b, WEIR_STR("t"));
        cql_put_string(b, WEIR_STR("id"));
        cql_put_short(b, CQL_INT);
        cql_put_string(b, WEIR_STR("place"));
        cql_put_short(b, CQL_VARCHAR);
    }
    cql_put_int(b, 2);
    cql_bind_int(b, 7);
    cql_bind_text(b, WEIR_STR("Roma"));
    cql_bind_int(b, 8);
    cql_bind_null(b);
}

static void assert_rows(const struct cql_result *r)
{
    struct cql_rows rows;
    struct cql_cell cells[2];
    int32_t id;
    assert_int_equal(cql_result_columns(r), 2);
    assert_int_equal(cql_result_rows(r), 2);
    assert_true(weir_str_is(cql_result_column_name(r, 1), "place"));
    assert_int_equal(cql_result_column_type(r, 0), CQL_INT);
    cql_rows_begin(r, &rows);
    assert_int_equal(cql_rows_next(&rows, cells), 1);
    assert_true(cql_cell_int(cells[0].bytes, &id) && id == 7 && !cells[1].null && weir_str_is(cells[1].bytes, "Roma"));
    assert_int_equal(cql_rows_next(&rows, cells), 1);
    assert_true(cql_cell_int(cells[0].bytes, &id) && id == 8 && cells[1].null);
    assert_int_equal(cql_rows_next(&rows, cells), 0);
}

static void rows_and_a_copy_of_them(void **state)
{
    (void)state;
    weir_cleanup(weir_buffer_drop) struct weir_buffer b = {0};
    weir_cleanup(weir_arena_drop) struct weir_arena arena = {0};
    struct cql_result r;
    struct weir_error err;
    put_rows(&b, true, true);
    assert_int_equal(cql_result_parse(cql_cursor(weir_buffer_view(&b)), CQL_V5, NULL, &arena, &r, &err), 0);
    assert_rows(&r);
    assert_true(weir_str_is(cql_result_paging_state(&r), "next"));
    struct cql_result *kept = cql_result_keep(&r);
    memset(b.data, 0xee, b.bytes);
    weir_arena_drop(&arena);
    assert_rows(kept);
    assert_true(weir_str_is(cql_result_paging_state(kept), "next"));
    cql_result_free(kept);
    cql_result_free(NULL);
}

static void every_cut_of_rows_is_refused(void **state)
{
    (void)state;
    weir_cleanup(weir_buffer_drop) struct weir_buffer b = {0};
    weir_cleanup(weir_arena_drop) struct weir_arena arena = {0};
    struct cql_result r;
    struct weir_error err;
    put_rows(&b, true, true);
    for (uint32_t cut = 0; cut < b.bytes; cut++)
        assert_int_equal(cql_result_parse(cql_cursor((struct weir_str){(char *)b.data, cut}), CQL_V5, NULL, &arena, &r, &err), -1);
}

static void skipped_metadata_is_that_of_the_statement(void **state)
{
    (void)state;
    static const struct cql_column columns[] = {{{0}, {0}, {"id", 2}, CQL_INT}, {{0}, {0}, {"place", 5}, CQL_VARCHAR}};
    struct cql_metadata known = {.count = 2, .columns = columns}, other = {.count = 1, .columns = columns};
    weir_cleanup(weir_buffer_drop) struct weir_buffer b = {0};
    weir_cleanup(weir_arena_drop) struct weir_arena arena = {0};
    struct cql_result r;
    struct weir_error err;
    put_rows(&b, false, false);
    struct weir_cursor body = cql_cursor(weir_buffer_view(&b));
    assert_int_equal(cql_result_parse(body, CQL_V4, &known, &arena, &r, &err), 0);
    assert_rows(&r);
    assert_int_equal(cql_result_paging_state(&r).bytes, 0);
    assert_int_equal(cql_result_parse(body, CQL_V4, NULL, &arena, &r, &err), -1);
    assert_int_equal(cql_result_parse(body, CQL_V4, &other, &arena, &r, &err), -1);
}

static void counts_beyond_what_is_left_are_refused(void **state)
{
    (void)state;
    weir_cleanup(weir_arena_drop) struct weir_arena arena = {0};
    struct cql_result r;
    struct weir_error err;
    static const struct weir_str bodies[] = {
        {"\0\0\0\x02\0\0\0\x04\x7f\xff\xff\xff\0\0\0\0", 16},                  // columns
        {"\0\0\0\x02\0\0\0\0\0\0\xff\xff\0\0\0\0", 16},                        // columns, none of which is there
        {"\0\0\0\x02\0\0\0\x04\0\0\0\0\x7f\xff\xff\xff", 16},                  // rows without columns
        {"\0\0\0\x02\0\0\0\x01\0\0\0\0\0\0\0\0\xff\xff\xff\xff", 20},          // rows
        {"\0\0\0\x04\0\x01i\0\0\0\0\0\0\0\0\x7f\xff\xff\xff\0\0\0\0\0\0", 25}, // key values
        {"\0\0\0\x09", 4},
    };
    for (size_t i = 0; i < sizeof bodies / sizeof *bodies; i++)
        assert_int_equal(cql_result_parse(cql_cursor(bodies[i]), CQL_V4, NULL, &arena, &r, &err), -1);
    assert_true(arena.total_bytes < 1 << 17);
}

static void prepared(void **state)
{
    (void)state;
    weir_cleanup(weir_buffer_drop) struct weir_buffer b = {0};
    weir_cleanup(weir_arena_drop) struct weir_arena arena = {0};
    for (int i = 0; i < VERSIONS; i++) {
        struct cql_result r;
        struct weir_error err;
        b.bytes = 0;
        cql_put_int(&b, CQL_RESULT_PREPARED);
        cql_put_short_bytes(&b, WEIR_STR("statement"));
        if (versions[i] == CQL_V5)
            cql_put_short_bytes(&b, WEIR_STR("metadata"));
        cql_put_int(&b, 0x01);
        cql_put_int(&b, 1);
        cql_put_int(&b, 1);
        cql_put_short(&b, 0);
        cql_put_string(&b, WEIR_STR("ks"));
        cql_put_string(&b, WEIR_STR("t"));
        cql_put_string(&b, WEIR_STR("id"));
        cql_put_short(&b, CQL_UUID);
        cql_put_int(&b, 0x04);
        cql_put_int(&b, 0);
        assert_int_equal(cql_result_parse(cql_cursor(weir_buffer_view(&b)), versions[i], NULL, &arena, &r, &err), 0);
        assert_true(weir_str_is(r.id, "statement") && weir_str_is(r.metadata_id, versions[i] == CQL_V5 ? "metadata" : ""));
        assert_int_equal(r.values.count, 1);
        assert_true(weir_str_is(r.values.columns[0].table, "t") && r.values.columns[0].type == CQL_UUID);
        assert_int_equal(cql_result_columns(&r), 0);
        struct cql_result *kept = cql_result_keep(&r);
        memset(b.data, 0xee, b.bytes);
        weir_arena_drop(&arena);
        assert_true(weir_str_is(kept->id, "statement") && weir_str_is(kept->values.columns[0].name, "id"));
        assert_true(kept->values.key_count == 1 && kept->values.key_values[0] == 0);
        cql_result_free(kept);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(startup_and_register),
        cmocka_unit_test(a_query_with_everything),
        cmocka_unit_test(prepares),
        cmocka_unit_test(a_query_as_bytes),
        cmocka_unit_test(executes_and_batches),
        cmocka_unit_test(responses_are_no_requests),
        cmocka_unit_test(what_precedes_a_response),
        cmocka_unit_test(errors),
        cmocka_unit_test(failures_of_replicas),
        cmocka_unit_test(events),
        cmocka_unit_test(supported),
        cmocka_unit_test(rows_and_a_copy_of_them),
        cmocka_unit_test(every_cut_of_rows_is_refused),
        cmocka_unit_test(skipped_metadata_is_that_of_the_statement),
        cmocka_unit_test(counts_beyond_what_is_left_are_refused),
        cmocka_unit_test(prepared),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
