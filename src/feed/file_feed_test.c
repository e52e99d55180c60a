// SPDX-License-Identifier: Apache-2.0
#include "feed/feed_testing.h"

#include <sys/stat.h>
#include <zlib.h>
#include <zstd.h>

static char folder[64];
static char path[128];

static int make_folder(void **state)
{
    (void)state;
    snprintf(folder, sizeof folder, "/tmp/weir-feed-XXXXXX");
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/events", folder);
    return 0;
}

static int drop_folder(void **state)
{
    (void)state;
    unlink(path);
    return rmdir(folder);
}

static void write_file(const void *data, size_t bytes)
{
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(data, 1, bytes, file), bytes);
    assert_int_equal(fclose(file), 0);
}

static void write_text(const char *text)
{
    write_file(text, strlen(text));
}

static void append_text(const char *text)
{
    FILE *file = fopen(path, "ab");
    assert_non_null(file);
    fputs(text, file);
    assert_int_equal(fclose(file), 0);
}

static size_t gzip_text(const char *text, size_t bytes, unsigned char *out, size_t room)
{
    z_stream z = {0};
    assert_int_equal(deflateInit2(&z, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
    z.next_in = (unsigned char *)(uintptr_t)text;
    z.avail_in = (unsigned)bytes;
    z.next_out = out;
    z.avail_out = (unsigned)room;
    assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
    size_t made = z.total_out;
    deflateEnd(&z);
    return made;
}

#define EVENT "{format: json, fields: {id: string, time: long, value: optional double}, key: id, time: time}"

static struct weir_plan *file_plan(const char *event, const char *rest)
{
    char *feed = weir_format("{file: {path: %s, %s}}", path, rest);
    struct weir_plan *plan = plan_of(event, feed);
    free(feed);
    return plan;
}

// What the file gives, read from the start in one go.
static void expect(const char *event, const char *rest, const char *wanted)
{
    struct weir_plan *plan = file_plan(event, rest);
    struct weir_feed *feed = feed_at(plan, WEIR_STR(""));
    struct heard h = {.plan = plan};
    struct weir_error err;
    assert_int_equal(hear_all(feed, 1000, &h, &err), 0);
    assert_string_equal(heard_text(&h), wanted);
    assert_int_equal(weir_feed_progress(feed).events, h.events);
    weir_buffer_drop(&h.text);
    weir_feed_close(feed);
    weir_plan_free(plan);
}

static void expect_open_fails(const char *rest, enum weir_code code, const char *wanted)
{
    struct weir_plan *plan = file_plan(EVENT, rest);
    struct weir_feed *feed = NULL;
    struct weir_error err;
    assert_int_equal(weir_feed_open(plan, WEIR_STR(""), &feed, &err), -1);
    assert_int_equal(err.code, code);
    if (!strstr(err.text, wanted))
        fail_msg("'%s' is not in: %s", wanted, err.text);
    weir_plan_free(plan);
}

static void csv_rows_become_events(void **state)
{
    (void)state;
    write_text(
        "\xef\xbb\xbfvalue,id,time,more\r\n1.5,a,1,x\r\n\r\n,\"b, c\",2,\"two\nlines\"\nabc,d,3,x\n7,e,4\n8,,5,x\n9,f,6.5,x\n 10 ,g, 7 ,\"x\"");
    expect(EVENT, "format: csv",
           "2: a 1 1.5\n"
           "4: b, c 2 null\n"
           "6! column value: 'abc' is not a double [abc,d,3,x]\n"
           "7! 3 cells, but the header has 4 [7,e,4]\n"
           "8! column id: empty, but field id is required [8,,5,x]\n"
           "9! column time: '6.5' is not a long [9,f,6.5,x]\n"
           "10: g 7 10\n");
}

static void stray_quotes_cost_one_line(void **state)
{
    (void)state;
    write_text("id,time,value\na,1,1\n\"b,2,2\nc,3,3\nd\"x,4,4\n\"e\"f,5,5\ng,6,6\n");
    expect(EVENT, "format: csv",
           "2: a 1 1\n"
           "3! text after a closing quote [\"b,2,2]\n"
           "4: c 3 3\n"
           "5: d\"x 4 4\n"
           "6! text after a closing quote [\"e\"f,5,5]\n"
           "7: g 6 6\n");
    write_text("id,time,value\na,1,1\n\"b,2,2\nc,3,3\n");
    expect(EVENT, "format: csv",
           "2: a 1 1\n"
           "3! a quoted cell does not end [\"b,2,2]\n"
           "4: c 3 3\n");
}

static void columns_are_mapped_and_times_read(void **state)
{
    (void)state;
    write_text("sensor;t;P1\ns;2017-10-07T12:29:51;7.97\ns;yesterday;1\ns;;1\ns;2017-10-07T14:29:51+02:00;\n");
    expect(EVENT, "format: csv, delimiter: ';', time_format: iso8601, fields: {id: sensor, time: t, value: P1}",
           "2: s 1507379391000 7.97\n"
           "3! column t: 'yesterday' is not an ISO 8601 time [s;yesterday;1]\n"
           "4! column t: empty, but field time is required [s;;1]\n"
           "5: s 1507379391000 null\n");
}

static void a_missing_column_is_named(void **state)
{
    (void)state;
    write_text("sensor_id,time,P1\ns,1,1\n");
    expect_open_fails("format: csv, fields: {id: senser_id}", WEIR_BAD_DATA, "no column 'senser_id'; did you mean 'sensor_id'?");
    expect_open_fails("format: csv, fields: {id: sensor_id, value: P2}", WEIR_BAD_DATA, "no column 'P2'");
    expect(EVENT, "format: csv, fields: {id: sensor_id}", "2: s 1 null\n"); // an optional field nobody mapped
    write_text("id,time,id\ns,1,1\n");
    expect_open_fails("format: csv", WEIR_BAD_DATA, "column 'id' twice");
    write_text("");
    expect_open_fails("format: csv", WEIR_BAD_DATA, "no header");
    unlink(path);
    expect_open_fails("format: csv", WEIR_NO_INPUT, path);
    write_text("id,time\n");
    expect(EVENT, "format: csv, fields: {}", "");
}

#define UNPIVOT_EVENT "{format: json, fields: {id: string, time: long, metric: string, value: double}, key: id, time: time}"

static void unpivot_makes_an_event_of_each_filled_column(void **state)
{
    (void)state;
    write_text("id,time,pm,temp,wind\na,1,4,-0.5,NW\na,2,,7,N\na,3,,,N\na,x,1,1,N\na,5,many,8,N\n");
    expect(UNPIVOT_EVENT, "format: csv, unpivot: {columns: [pm, temp], name: metric, value: value}",
           "2: a 1 pm 4\n"
           "2: a 1 temp -0.5\n"
           "3: a 2 temp 7\n"
           "5! column time: 'x' is not a long [a,x,1,1,N]\n"
           "6: a 5 temp 8\n"
           "6! column pm: 'many' is not a double [a,5,many,8,N]\n");
}

static void json_lines_become_events(void **state)
{
    (void)state;
    write_text("{\"id\":\"a\",\"time\":1,\"value\":2.5}\n\n{\"time\":2,\"id\":\"b\"}\r\n{\"id\":3,\"time\":3}\nno\n{\"id\":\"c\\u00e9\",\"time\":1e1,"
               "\"value\":null}");
    expect(EVENT, "format: jsonl",
           "1: a 1 2.5\n"
           "3: b 2 null\n"
           "4! id: expected a string, found a number (at byte 7) [{\"id\":3,\"time\":3}]\n"
           "5! expected an object, found an unknown word (at byte 1) [no]\n"
           "6: c\xc3\xa9 10 null\n");
    write_text("{\"s\":\"a\",\"at\":\"2017-10-07T12:29:51\",\"pm\":1,\"temp\":null}\n{\"s\":\"a\",\"at\":\"noon\",\"pm\":1}\n{\"s\":\"a\",\"at\":"
               "\"1970-01-01\",\"temp\":2,\"pm\":3}\n");
    expect(UNPIVOT_EVENT,
           "format: jsonl, time_format: iso8601, fields: {id: s, time: at}, unpivot: {columns: [pm, temp], name: metric, value: value}",
           "1: a 1507379391000 pm 1\n"
           "2! at: 'noon' is not an ISO 8601 time [{\"s\":\"a\",\"at\":\"noon\",\"pm\":1}]\n"
           "3: a 0 pm 3\n"
           "3: a 0 temp 2\n");
}

static char *many_rows(int rows)
{
    struct weir_buffer b = {0};
    weir_buffer_format(&b, "id,time,value\n");
    for (int i = 0; i < rows; i++) {
        if (i % 7 == 3)
            weir_buffer_format(&b, "\"d\n%d\"\"\",%d,\n", i, i);
        else if (i % 11 == 5)
            weir_buffer_format(&b, "broken,%d\n", i);
        else
            weir_buffer_format(&b, "dev%d,%d,%d.25\r\n", i, i * 1000, i);
    }
    weir_buffer_byte(&b, 0);
    return (char *)b.data;
}

// Reads `each` events at a time, opening the feed anew at its position after every step.
static void hear_in_pieces(const struct weir_plan *plan, uint32_t each, struct heard *h)
{
    struct weir_buffer position = {0};
    const struct weir_feed_sink sink = {h, hear_event, hear_reject};
    for (struct weir_feed_step did = {0}; !did.end;) {
        struct weir_error err;
        struct weir_feed *feed = feed_at(plan, weir_buffer_view(&position));
        assert_int_equal(weir_feed_next(feed, each, &sink, &did, &err), 0);
        position.bytes = 0;
        weir_feed_position(feed, &position);
        assert_int_equal(weir_feed_progress(feed).events, h->events);
        weir_feed_close(feed);
    }
    weir_buffer_drop(&position);
}

static void expect_same_in_pieces(const struct weir_plan *plan, uint32_t each, const char *whole)
{
    struct heard h = {.plan = plan};
    hear_in_pieces(plan, each, &h);
    assert_string_equal(heard_text(&h), whole);
    weir_buffer_drop(&h.text);
}

static void every_position_resumes_exactly(void **state)
{
    (void)state;
    char *text = many_rows(120);
    size_t bytes = strlen(text), half = bytes / 2;
    static unsigned char packed[3][1 << 16];
    size_t packed_bytes[3] = {0};
    memcpy(packed[0], text, packed_bytes[0] = bytes);
    packed_bytes[1] = gzip_text(text, half, packed[1], sizeof packed[1]); // two members
    packed_bytes[1] += gzip_text(text + half, bytes - half, packed[1] + packed_bytes[1], sizeof packed[1] - packed_bytes[1]);
    packed_bytes[2] = ZSTD_compress(packed[2], sizeof packed[2], text, half, 3); // two frames
    packed_bytes[2] += ZSTD_compress(packed[2] + packed_bytes[2], sizeof packed[2] - packed_bytes[2], text + half, bytes - half, 3);
    char *whole = NULL;
    for (int kind = 0; kind < 3; kind++) {
        write_file(packed[kind], packed_bytes[kind]);
        struct weir_plan *plan = file_plan(EVENT, "format: csv");
        struct weir_feed *feed = feed_at(plan, WEIR_STR(""));
        struct heard h = {.plan = plan};
        struct weir_error err;
        assert_int_equal(hear_all(feed, 1000, &h, &err), 0);
        assert_int_equal(h.events + h.rejects, 120);
        struct weir_feed_progress progress = weir_feed_progress(feed);
        assert_true(progress.done == packed_bytes[kind] && progress.total == packed_bytes[kind]);
        weir_feed_close(feed);
        if (!whole)
            whole = weir_strdup(heard_text(&h));
        assert_string_equal(heard_text(&h), whole);
        expect_same_in_pieces(plan, 1, whole);
        expect_same_in_pieces(plan, 7, whole);
        weir_buffer_drop(&h.text);
        weir_plan_free(plan);
    }
    free(whole);
    free(text);
}

// Every cut of an archive: whole rows first, in order, then an error that names the file.
static void cut_archives_give_what_is_whole(void **state)
{
    (void)state;
    char *text = many_rows(40);
    static unsigned char packed[1 << 16];
    for (int kind = 0; kind < 2; kind++) {
        size_t bytes = kind ? ZSTD_compress(packed, sizeof packed, text, strlen(text), 3) : gzip_text(text, strlen(text), packed, sizeof packed);
        for (size_t cut = 8; cut < bytes; cut += 13) {
            write_file(packed, cut);
            struct weir_plan *plan = file_plan(EVENT, "format: csv");
            struct weir_feed *feed = NULL;
            struct heard h = {.plan = plan};
            struct weir_error err = {0};
            if (weir_feed_open(plan, WEIR_STR(""), &feed, &err) == 0)
                assert_int_equal(hear_all(feed, 3, &h, &err), -1);
            assert_int_equal(err.code, WEIR_IO);
            assert_non_null(strstr(err.text, path));
            assert_non_null(strstr(err.text, "cut short at byte"));
            weir_buffer_drop(&h.text);
            weir_feed_close(feed);
            weir_plan_free(plan);
        }
    }
    free(text);
}

static void damaged_archives_are_refused(void **state)
{
    (void)state;
    char *text = many_rows(40);
    static unsigned char packed[1 << 16];
    size_t bytes = gzip_text(text, strlen(text), packed, sizeof packed);
    for (int kind = 0; kind < 2; kind++) {
        if (kind == 0)
            packed[bytes - 6] ^= 1; // the CRC
        else
            memcpy(packed + (bytes = gzip_text(text, strlen(text), packed, sizeof packed)), "junk", 4), bytes += 4;
        write_file(packed, bytes);
        struct weir_plan *plan = file_plan(EVENT, "format: csv");
        struct weir_feed *feed = feed_at(plan, WEIR_STR(""));
        struct heard h = {.plan = plan};
        struct weir_error err = {0};
        assert_int_equal(hear_all(feed, 1000, &h, &err), -1);
        assert_int_equal(err.code, WEIR_IO);
        assert_int_equal(h.events + h.rejects, 40);
        weir_buffer_drop(&h.text);
        weir_feed_close(feed);
        weir_plan_free(plan);
    }
    free(text);
}

static void a_grown_file_goes_on_and_another_is_refused(void **state)
{
    (void)state;
    write_text("id,time,value\na,1,1\nb,2,2"); // the last line has no break
    struct weir_plan *plan = file_plan(EVENT, "format: csv");
    struct weir_feed *feed = feed_at(plan, WEIR_STR(""));
    struct heard h = {.plan = plan};
    struct weir_error err;
    struct weir_buffer position = {0};
    assert_int_equal(hear_all(feed, 1000, &h, &err), 0);
    weir_feed_position(feed, &position);
    weir_feed_close(feed);
    append_text("\nc,3,3\n");
    feed = feed_at(plan, weir_buffer_view(&position));
    assert_int_equal(hear_all(feed, 1000, &h, &err), 0);
    assert_string_equal(heard_text(&h), "2: a 1 1\n3: b 2 2\n4: c 3 3\n");
    weir_feed_close(feed);
    write_text("id,time,value\n");
    assert_int_equal(weir_feed_open(plan, weir_buffer_view(&position), &feed, &err), -1);
    assert_int_equal(err.code, WEIR_BAD_DATA);
    assert_non_null(strstr(err.text, "shrunk"));
    write_text("id,time,value\nz,1,1\nb,2,2\nc,3,3\n");
    assert_int_equal(weir_feed_open(plan, weir_buffer_view(&position), &feed, &err), -1);
    assert_non_null(strstr(err.text, "not the file that was read before"));
    assert_int_equal(weir_feed_open(plan, WEIR_STR("\x01\x02\x00"), &feed, &err), -1);
    assert_int_equal(weir_feed_open(plan, WEIR_STR("\x09"), &feed, &err), -1);
    weir_buffer_drop(&position);
    weir_buffer_drop(&h.text);
    weir_plan_free(plan);
}

static void endless_lines_cost_one_reject(void **state)
{
    (void)state;
    enum { LONG = 3 << 20 };
    static const char *const formats[] = {"format: csv", "format: jsonl"};
    for (int kind = 0; kind < 2; kind++) {
        struct weir_buffer b = {0};
        weir_buffer_format(&b, kind ? "{\"id\":\"a\",\"time\":1}\n" : "id,time,value\na,1,1\n");
        memset(weir_buffer_reserve(&b, LONG), 'x', LONG);
        b.bytes += LONG;
        weir_buffer_format(&b, kind ? "\n{\"id\":\"b\",\"time\":2}\n" : "\nb,2,2\n");
        memset(weir_buffer_reserve(&b, LONG), '\n', LONG); // and blank lines without end
        b.bytes += LONG;
        weir_buffer_format(&b, kind ? "{\"id\":\"c\",\"time\":3}" : "c,3,3");
        write_file(b.data, b.bytes);
        struct weir_plan *plan = file_plan(EVENT, formats[kind]);
        struct heard h = {.plan = plan, .counting = true};
        struct weir_feed *feed = feed_at(plan, WEIR_STR(""));
        struct weir_error err;
        assert_int_equal(hear_all(feed, 1000, &h, &err), 0);
        assert_int_equal(h.events, 3);
        assert_int_equal(h.rejects, 1);
        assert_int_equal(h.last_reject_line, kind ? 2 : 3);
        weir_feed_close(feed);
        struct heard pieces = {.plan = plan};
        hear_in_pieces(plan, 1, &pieces); // also from within the long line
        assert_int_equal(pieces.events, 3);
        assert_int_equal(pieces.rejects, 1);
        weir_buffer_drop(&pieces.text);
        weir_plan_free(plan);
        weir_buffer_drop(&b);
    }
}

static void a_paced_file_waits_for_its_events(void **state)
{
    (void)state;
    write_text("id,time,value\na,1000,1\nb,1000,2\nc,3601000,3\n");
    struct weir_plan *plan = file_plan(EVENT, "format: csv, pace: 60x");
    struct weir_feed *feed = feed_at(plan, WEIR_STR(""));
    struct heard h = {.plan = plan};
    const struct weir_feed_sink sink = {&h, hear_event, hear_reject};
    struct weir_feed_step did;
    struct weir_error err;
    int64_t before_us = weir_monotonic_us();
    for (int i = 0; i < 2; i++) {
        assert_int_equal(weir_feed_next(feed, 1000, &sink, &did, &err), 0);
        assert_false(did.end);
        assert_string_equal(heard_text(&h), "2: a 1000 1\n3: b 1000 2\n");
        assert_true(did.wait_until_us >= before_us + 60000000 && did.wait_until_us <= weir_monotonic_us() + 60000000);
    }
    weir_buffer_drop(&h.text);
    weir_feed_close(feed);
    weir_plan_free(plan);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(csv_rows_become_events),
        cmocka_unit_test(stray_quotes_cost_one_line),
        cmocka_unit_test(columns_are_mapped_and_times_read),
        cmocka_unit_test(a_missing_column_is_named),
        cmocka_unit_test(unpivot_makes_an_event_of_each_filled_column),
        cmocka_unit_test(json_lines_become_events),
        cmocka_unit_test(every_position_resumes_exactly),
        cmocka_unit_test(cut_archives_give_what_is_whole),
        cmocka_unit_test(damaged_archives_are_refused),
        cmocka_unit_test(a_grown_file_goes_on_and_another_is_refused),
        cmocka_unit_test(endless_lines_cost_one_reject),
        cmocka_unit_test(a_paced_file_waits_for_its_events),
    };
    return cmocka_run_group_tests(tests, make_folder, drop_folder);
}
