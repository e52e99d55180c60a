// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "log/record.h"
#include <stdlib.h>

// Made in Python with struct and a bitwise CRC-32C from Kafka's description of the format: four records from offset 0x0102030405 on.
static const char golden_hex[] = "0000000102030405000000a60000000002daaa43d00000000000030000018bcfe568000000018bcfe6eea0ffffffffffffff"
                                 "ffffffffffffff0000000418000000026b0a68656c6c6f000e00f403020100009c0100cf0f04008c01000102030405060708"
                                 "090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f202122232425262728292a2b2c2d2e2f303132333435363738393a"
                                 "3b3c3d3e3f404142434445001e00c09a0c060a6b65792d3404c3a800";
enum { GOLDEN_BYTES = (sizeof golden_hex - 1) / 2 };
static const int64_t golden_offset = 0x0102030405, golden_timestamp_ms = 1700000000000;

static void golden(uint8_t *out)
{
    for (size_t i = 0; i < GOLDEN_BYTES; i++) {
        char digits[3] = {golden_hex[2 * i], golden_hex[2 * i + 1], 0};
        out[i] = (uint8_t)strtol(digits, NULL, 16);
    }
}

static struct weir_str counting_bytes(void)
{
    static char bytes[70];
    for (int i = 0; i < 70; i++)
        bytes[i] = (char)i;
    return (struct weir_str){bytes, sizeof bytes};
}

static void test_writes_kafkas_bytes(void **state)
{
    (void)state;
    uint8_t want[GOLDEN_BYTES];
    struct weir_batch_writer w = {0};
    golden(want);
    for (int again = 0; again < 2; again++) {
        weir_batch_writer_begin(&w);
        weir_batch_writer_add(&w, golden_timestamp_ms, WEIR_STR("k"), false, WEIR_STR("hello"), false);
        weir_batch_writer_add(&w, golden_timestamp_ms + 250, WEIR_STR(""), true, WEIR_STR(""), false);
        weir_batch_writer_add(&w, golden_timestamp_ms - 1000, WEIR_STR(""), false, counting_bytes(), false);
        weir_batch_writer_add(&w, golden_timestamp_ms + 100000, WEIR_STR("key-4"), false, WEIR_STR("\xc3\xa8"), false);
        weir_batch_writer_end(&w);
        weir_batch_set_base_offset(w.bytes.data, golden_offset);
        assert_int_equal(w.bytes.bytes, GOLDEN_BYTES);
        assert_memory_equal(w.bytes.data, want, GOLDEN_BYTES);
    }
    weir_batch_writer_drop(&w);
}

static void test_reads_kafkas_bytes(void **state)
{
    (void)state;
    uint8_t bytes[GOLDEN_BYTES + 5] = {0};
    struct weir_batch_info info;
    struct weir_error err;
    golden(bytes);
    struct weir_str view = {(const char *)bytes, sizeof bytes}; // more may follow a batch
    assert_int_equal(weir_batch_verify(view, &info, &err), 0);
    assert_int_equal(info.base_offset, golden_offset);
    assert_int_equal(info.last_offset, golden_offset + 3);
    assert_int_equal(info.max_timestamp_ms, golden_timestamp_ms + 100000);
    assert_int_equal(info.count, 4);
    assert_int_equal(info.total_bytes, GOLDEN_BYTES);
    struct weir_batch_walk walk;
    struct weir_record r;
    weir_batch_walk_begin(&walk, view);
    assert_int_equal(weir_batch_walk_next(&walk, &r), 1);
    assert_true(r.offset == golden_offset && r.timestamp_ms == golden_timestamp_ms);
    assert_true(weir_str_is(r.key, "k") && weir_str_is(r.value, "hello") && !r.null_key && !r.null_value);
    assert_int_equal(weir_batch_walk_next(&walk, &r), 1);
    assert_true(r.null_key && !r.null_value && r.value.bytes == 0 && r.timestamp_ms == golden_timestamp_ms + 250);
    assert_int_equal(weir_batch_walk_next(&walk, &r), 1);
    assert_true(!r.null_key && r.key.bytes == 0 && weir_str_eq(r.value, counting_bytes()));
    assert_int_equal(weir_batch_walk_next(&walk, &r), 1);
    assert_true(r.offset == golden_offset + 3 && weir_str_is(r.value, "\xc3\xa8"));
    assert_int_equal(weir_batch_walk_next(&walk, &r), 0);
}

static void test_refuses_every_cut(void **state)
{
    (void)state;
    uint8_t bytes[GOLDEN_BYTES];
    golden(bytes);
    for (uint32_t cut = 0; cut < GOLDEN_BYTES; cut++) {
        struct weir_batch_info info;
        struct weir_error err;
        assert_true(weir_batch_verify((struct weir_str){(const char *)bytes, cut}, &info, &err) < 0);
        assert_int_equal(err.code, WEIR_BAD_DATA);
    }
}

static void test_refuses_every_flip(void **state)
{
    (void)state;
    enum { BEFORE_LENGTH = 8, LEADER_EPOCH = 12, AFTER_EPOCH = 16 };
    uint8_t bytes[GOLDEN_BYTES];
    golden(bytes);
    for (uint32_t bit = 8 * BEFORE_LENGTH; bit < 8 * GOLDEN_BYTES; bit++) {
        struct weir_batch_info info;
        struct weir_error err;
        bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
        bool outside_crc = bit / 8 >= LEADER_EPOCH && bit / 8 < AFTER_EPOCH; // a broker may change it
        assert_int_equal(weir_batch_verify((struct weir_str){(const char *)bytes, GOLDEN_BYTES}, &info, &err) == 0, outside_crc);
        bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_writes_kafkas_bytes),
        cmocka_unit_test(test_reads_kafkas_bytes),
        cmocka_unit_test(test_refuses_every_cut),
        cmocka_unit_test(test_refuses_every_flip),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
