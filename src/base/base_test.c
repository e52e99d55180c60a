// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/buffer.h"
#include "base/error.h"
#include "base/hash.h"
#include "base/uuid.h"
#include "base/value.h"

static void errors_keep_their_cause_when_wrapped(void **state)
{
    (void)state;
    struct weir_error err;
    assert_int_equal(weir_fail(&err, WEIR_IO, WEIR_STOP, "disk %s", "full"), -1);
    assert_int_equal(weir_wrap(&err, "topic %s", "t"), -1);
    assert_string_equal(err.text, "topic t: disk full");
    assert_int_equal(err.code, WEIR_IO);
    weir_fail(&err, WEIR_IO, WEIR_STOP, "again: %s", err.text);
    assert_string_equal(err.text, "again: topic t: disk full");
}

static void an_arena_reuses_its_blocks(void **state)
{
    (void)state;
    struct weir_arena arena = {0};
    for (int round = 0; round < 3; round++) {
        for (int i = 1; i < 2000; i++)
            memset(weir_arena_alloc(&arena, (size_t)i), i, (size_t)i);
        weir_arena_reset(&arena);
    }
    size_t held = arena.total_bytes;
    for (int i = 1; i < 2000; i++)
        weir_arena_alloc(&arena, (size_t)i);
    assert_int_equal(arena.total_bytes, held);
    assert_string_equal(weir_arena_format(&arena, "%d-%s", 7, "x"), "7-x");
    assert_string_equal(weir_arena_copy(&arena, WEIR_STR("abc")).data, "abc");
    weir_arena_drop(&arena);
}

static void varints_round_trip_and_bad_ones_are_noticed(void **state)
{
    (void)state;
    static const int64_t values[] = {0, 1, -1, 63, 64, -64, -65, 1 << 20, INT64_MAX, INT64_MIN};
    struct weir_buffer b = {0};
    for (size_t i = 0; i < sizeof values / sizeof *values; i++)
        weir_buffer_zigzag(&b, values[i]);
    weir_buffer_be32(&b, 0x01020304);
    weir_buffer_be64(&b, 0x0102030405060708);
    struct weir_cursor c = {b.data, b.data + b.bytes, false};
    for (size_t i = 0; i < sizeof values / sizeof *values; i++)
        assert_int_equal(weir_cursor_zigzag(&c), values[i]);
    assert_int_equal(weir_cursor_be32(&c), 0x01020304);
    assert_true(weir_cursor_be64(&c) == 0x0102030405060708);
    assert_false(c.bad);
    assert_int_equal(weir_cursor_byte(&c), 0);
    assert_true(c.bad);
    static const uint8_t endless[12] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
    c = (struct weir_cursor){endless, endless + 12, false};
    weir_cursor_varint(&c);
    assert_true(c.bad);
    c = (struct weir_cursor){endless, endless + 12, false};
    assert_int_equal(weir_cursor_take(&c, UINT64_MAX).bytes, 0);
    assert_true(c.bad);
    weir_buffer_drop(&b);
}

static void crc32c_is_castagnolis(void **state)
{
    (void)state;
    assert_int_equal(weir_crc32c(0, "123456789", 9), 0xe3069283); // RFC 3720, B.4
    uint8_t zeros[32] = {0};
    assert_int_equal(weir_crc32c(0, zeros, 32), 0x8a9136aa);
    assert_int_equal(weir_crc32c(weir_crc32c(0, "12345", 5), "6789", 4), 0xe3069283);
}

// Expected values are those of Kafka's own unit test for Utils.murmur2.
static void murmur2_is_kafkas(void **state)
{
    (void)state;
    assert_int_equal(weir_murmur2("21", 2), -973932308);
    assert_int_equal(weir_murmur2("foobar", 6), -790332482);
    assert_int_equal(weir_murmur2("a-little-bit-long-string", 24), -985981536);
    assert_int_equal(weir_murmur2("a-little-bit-longer-string", 26), -1486304829);
    assert_int_equal(weir_murmur2("lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", 48), -58897971);
    assert_int_equal(weir_murmur2("abc", 3), 479470107);
    assert_in_range(weir_kafka_partition("foobar", 6, 3), 0, 2);
}

static void hashes_depend_on_every_byte(void **state)
{
    (void)state;
    uint8_t data[70] = {0};
    for (size_t bytes = 1; bytes <= sizeof data; bytes++) {
        uint64_t plain = weir_hash64(data, bytes, 1);
        assert_true(plain != weir_hash64(data, bytes - 1, 1));
        assert_true(plain != weir_hash64(data, bytes, 2));
        for (size_t i = 0; i < bytes; i++) {
            data[i] = 1;
            assert_true(plain != weir_hash64(data, bytes, 1));
            data[i] = 0;
        }
    }
}

static void uuids_round_trip_and_others_are_refused(void **state)
{
    (void)state;
    uint8_t id[16];
    char text[37];
    assert_int_equal(weir_uuid_parse(WEIR_STR("0B9E6F1a-2C3d-4e5f-8091-a2b3c4d5e6f7"), id), 0);
    weir_uuid_format(id, text);
    assert_string_equal(text, "0b9e6f1a-2c3d-4e5f-8091-a2b3c4d5e6f7");
    assert_false(weir_uuid_valid(WEIR_STR("0b9e6f1a-2c3d-4e5f-8091-a2b3c4d5e6fg")));
    assert_false(weir_uuid_valid(WEIR_STR("0b9e6f1a-2c3d-4e5f-8091-a2b3c4d5e6f")));
    assert_false(weir_uuid_valid(WEIR_STR("0b9e6f1a+2c3d-4e5f-8091-a2b3c4d5e6f7")));
    assert_false(weir_uuid_valid(WEIR_STR("")));
    for (int at = 0; at < 36; at++) // each position takes its own characters only
        for (int c = 0; c < 256; c++) {
            text[at] = (char)c;
            bool dash = at == 8 || at == 13 || at == 18 || at == 23;
            bool fits = dash ? c == '-' : (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
            assert_int_equal(weir_uuid_valid((struct weir_str){text, 36}), fits);
            text[at] = dash ? '-' : '7';
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(errors_keep_their_cause_when_wrapped),
        cmocka_unit_test(an_arena_reuses_its_blocks),
        cmocka_unit_test(varints_round_trip_and_bad_ones_are_noticed),
        cmocka_unit_test(crc32c_is_castagnolis),
        cmocka_unit_test(murmur2_is_kafkas),
        cmocka_unit_test(hashes_depend_on_every_byte),
        cmocka_unit_test(uuids_round_trip_and_others_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
