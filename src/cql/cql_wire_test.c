// SPDX-License-Identifier: Apache-2.0
// Values, types, cells, checksums and tokens against bytes that are known from the specification and from servers.
#include "cql/wire.h"
#include <float.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

static void assert_bytes(struct weir_buffer *b, const char *expected, size_t bytes)
{
    assert_int_equal(b->bytes, bytes);
    assert_memory_equal(b->data, expected, bytes);
    b->bytes = 0;
}
#define ASSERT_BYTES(buffer, literal) assert_bytes(buffer, literal, sizeof(literal) - 1)

static void primitives(void **state)
{
    (void)state;
    weir_cleanup(weir_buffer_drop) struct weir_buffer b = {0};
    cql_put_short(&b, 0x1234);
    cql_put_int(&b, -2);
    cql_put_long(&b, INT64_MIN + 1);
    ASSERT_BYTES(&b, "\x12\x34\xff\xff\xff\xfe\x80\0\0\0\0\0\0\x01");
    cql_put_string(&b, WEIR_STR("ab"));
    cql_put_long_string(&b, WEIR_STR("c"));
    cql_put_bytes(&b, WEIR_STR(""));
    cql_put_short_bytes(&b, WEIR_STR("d"));
    ASSERT_BYTES(&b, "\0\x02"
                     "ab\0\0\0\x01"
                     "c\0\0\0\0\0\x01"
                     "d");
    static const char *const pairs[][2] = {{"K", "v"}, {"L", ""}};
    cql_put_string_map(&b, 2, pairs);
    ASSERT_BYTES(&b, "\0\x02\0\x01K\0\x01v\0\x01L\0\0");
}

static void primitives_are_taken_as_they_were_put(void **state)
{
    (void)state;
    weir_cleanup(weir_buffer_drop) struct weir_buffer b = {0};
    cql_put_short(&b, 65535);
    cql_put_int(&b, -7);
    cql_put_long(&b, 1234567890123456789);
    cql_put_string(&b, WEIR_STR("name"));
    cql_put_long_string(&b, WEIR_STR("text"));
    cql_put_bytes(&b, WEIR_STR("value"));
    cql_bind_null(&b);
    cql_put_short_bytes(&b, WEIR_STR("id"));
    struct weir_cursor c = cql_cursor(weir_buffer_view(&b));
    struct weir_str s;
    assert_int_equal(cql_take_short(&c), 65535);
    assert_int_equal(cql_take_int(&c), -7);
    assert_true(cql_take_long(&c) == 1234567890123456789);
    assert_true(weir_str_is(cql_take_string(&c), "name"));
    assert_true(weir_str_is(cql_take_long_string(&c), "text"));
    assert_true(cql_take_bytes(&c, &s) && weir_str_is(s, "value"));
    assert_false(cql_take_bytes(&c, &s));
    assert_true(weir_str_is(cql_take_short_bytes(&c), "id"));
    assert_true(!c.bad && c.at == c.end);
}

static void lengths_beyond_what_is_left_are_refused(void **state)
{
    (void)state;
    struct weir_str s;
    struct weir_cursor c = cql_cursor(WEIR_STR("\0\x03"
                                               "ab"));
    assert_int_equal(cql_take_string(&c).bytes, 0);
    assert_true(c.bad);
    c = cql_cursor(WEIR_STR("\x7f\xff\xff\xff"
                            "ab"));
    assert_false(cql_take_bytes(&c, &s));
    assert_true(c.bad);
    c = cql_cursor(WEIR_STR("\xff\xff\xff\xff"
                            "ab"));
    assert_int_equal(cql_take_long_string(&c).bytes, 0);
    assert_true(c.bad);
    c = cql_cursor(WEIR_STR("\xff\xff\xff\xff"
                            "ab"));
    assert_false(cql_take_bytes(&c, &s));
    assert_false(c.bad); // null
    assert_int_equal(cql_take_short(&c), 0x6162);
    assert_int_equal(cql_take_short(&c), 0);
    assert_true(c.bad);
}

static void binds(void **state)
{
    (void)state;
    weir_cleanup(weir_buffer_drop) struct weir_buffer b = {0};
    cql_bind_null(&b);
    cql_bind_unset(&b);
    ASSERT_BYTES(&b, "\xff\xff\xff\xff\xff\xff\xff\xfe");
    cql_bind_boolean(&b, true);
    cql_bind_boolean(&b, false);
    ASSERT_BYTES(&b, "\0\0\0\x01\x01\0\0\0\x01\0");
    cql_bind_int(&b, INT32_MIN);
    ASSERT_BYTES(&b, "\0\0\0\x04\x80\0\0\0");
    cql_bind_bigint(&b, -1);
    ASSERT_BYTES(&b, "\0\0\0\x08\xff\xff\xff\xff\xff\xff\xff\xff");
    cql_bind_float(&b, -2.5f);
    ASSERT_BYTES(&b, "\0\0\0\x04\xc0\x20\0\0");
    cql_bind_double(&b, 1.0);
    ASSERT_BYTES(&b, "\0\0\0\x08\x3f\xf0\0\0\0\0\0\0");
    cql_bind_text(&b, WEIR_STR(""));
    cql_bind_text(&b, WEIR_STR("Genova"));
    ASSERT_BYTES(&b, "\0\0\0\0\0\0\0\x06Genova");
}

static void uuids(void **state)
{
    (void)state;
    weir_cleanup(weir_buffer_drop) struct weir_buffer b = {0};
    assert_int_equal(cql_bind_uuid(&b, WEIR_STR("00112233-4455-6677-8899-aAbBcCdDeEfF")), 0);
    ASSERT_BYTES(&b, "\0\0\0\x10\x00\x11\x22\x33\x44\x55\x66\x77\x88\x99\xaa\xbb\xcc\xdd\xee\xff");
    assert_int_equal(cql_bind_uuid(&b, WEIR_STR("00112233-4455-6677-8899-aabbccddeefg")), -1);
    assert_int_equal(cql_bind_uuid(&b, WEIR_STR("00112233-4455-6677-8899-aabbccddeef")), -1);
    assert_int_equal(cql_bind_uuid(&b, WEIR_STR("")), -1);
    assert_int_equal(b.bytes, 0);
}

static void cells(void **state)
{
    (void)state;
    bool yes;
    int32_t i32;
    int64_t i64;
    float f;
    double d;
    char uuid[37], address[46];
    assert_true(cql_cell_boolean(WEIR_STR("\x01"), &yes) && yes);
    assert_true(cql_cell_int(WEIR_STR("\xff\xff\xff\xfe"), &i32) && i32 == -2);
    assert_true(cql_cell_bigint(WEIR_STR("\0\0\0\x01\0\0\0\0"), &i64) && i64 == 1ll << 32);
    assert_true(cql_cell_float(WEIR_STR("\xc0\x20\0\0"), &f) && f == -2.5f);
    assert_true(cql_cell_double(WEIR_STR("\x3f\xf0\0\0\0\0\0\0"), &d) && d == 1.0);
    assert_true(cql_cell_uuid(WEIR_STR("\x00\x11\x22\x33\x44\x55\x66\x77\x88\x99\xaa\xbb\xcc\xdd\xee\xff"), uuid));
    assert_string_equal(uuid, "00112233-4455-6677-8899-aabbccddeeff");
    assert_true(cql_cell_inet(WEIR_STR("\x7f\0\0\x02"), address));
    assert_string_equal(address, "127.0.0.2");
    assert_true(cql_cell_inet(WEIR_STR("\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x01"), address));
    assert_string_equal(address, "::1");
}

static void cells_of_another_length_are_refused(void **state)
{
    (void)state;
    union {
        bool yes;
        int32_t i32;
        int64_t i64;
        float f;
        double d;
        char text[46];
    } out;
    static const char zeros[20];
    for (uint32_t bytes = 0; bytes <= sizeof zeros; bytes++) {
        struct weir_str cell = {zeros, bytes};
        assert_int_equal(cql_cell_boolean(cell, &out.yes), bytes == 1);
        assert_int_equal(cql_cell_int(cell, &out.i32), bytes == 4);
        assert_int_equal(cql_cell_float(cell, &out.f), bytes == 4);
        assert_int_equal(cql_cell_bigint(cell, &out.i64), bytes == 8);
        assert_int_equal(cql_cell_double(cell, &out.d), bytes == 8);
        assert_int_equal(cql_cell_uuid(cell, out.text), bytes == 16);
        assert_int_equal(cql_cell_inet(cell, out.text), bytes == 4 || bytes == 16);
    }
}

static void lists(void **state)
{
    (void)state;
    struct weir_cursor c;
    struct weir_str s;
    int32_t count;
    assert_true(cql_cell_list(WEIR_STR("\0\0\0\x02\0\0\0\x01"
                                       "a\0\0\0\x02"
                                       "bc"),
                              &c, &count));
    assert_int_equal(count, 2);
    assert_true(cql_take_bytes(&c, &s) && weir_str_is(s, "a"));
    assert_true(cql_take_bytes(&c, &s) && weir_str_is(s, "bc"));
    assert_true(cql_cell_list(WEIR_STR("\0\0\0\0"), &c, &count) && count == 0);
    assert_false(cql_cell_list(WEIR_STR(""), &c, &count));
    assert_false(cql_cell_list(WEIR_STR("\xff\xff\xff\xff"), &c, &count));
    assert_false(cql_cell_list(WEIR_STR("\x7f\xff\xff\xff\0\0\0\0"), &c, &count));
}

static enum cql_type taken(struct weir_str bytes, bool *ret_good)
{
    struct weir_cursor c = cql_cursor(bytes);
    enum cql_type type = cql_take_type(&c);
    *ret_good = !c.bad && c.at == c.end;
    return type;
}

static void types(void **state)
{
    (void)state;
    bool good;
    assert_int_equal(taken(WEIR_STR("\0\x0d"), &good), CQL_VARCHAR);
    assert_true(good);
    assert_int_equal(taken(WEIR_STR("\0\x22\0\x0d"), &good), CQL_SET);
    assert_true(good);
    assert_int_equal(taken(WEIR_STR("\0\x21\0\x0d\0\x20\0\x09"), &good), CQL_MAP); // map<text, list<int>>
    assert_true(good);
    assert_int_equal(taken(WEIR_STR("\0\x31\0\x02\0\x07\0\x08"), &good), CQL_TUPLE);
    assert_true(good);
    assert_int_equal(taken(WEIR_STR("\0\x30\0\x02ks\0\x01t\0\x02\0\x01x\0\x09\0\x01y\0\x20\0\x0c"), &good), CQL_UDT);
    assert_true(good);
    assert_int_equal(taken(WEIR_STR("\0\0\0\x03"
                                    "a.b"),
                           &good),
                     CQL_CUSTOM);
    assert_true(good);
    assert_string_equal(cql_type_name(CQL_VARCHAR), "text");
    assert_string_equal(cql_type_name(CQL_TIMEUUID), "timeuuid");
    assert_string_equal(cql_type_name((enum cql_type)0x0a), "unknown");
    assert_string_equal(cql_type_name((enum cql_type)0x7777), "unknown");
}

static void types_that_make_no_sense_are_refused(void **state)
{
    (void)state;
    bool good;
    taken(WEIR_STR(""), &good);
    assert_false(good);
    taken(WEIR_STR("\0\x0a"), &good); // of version 2
    assert_false(good);
    taken(WEIR_STR("\0\x20"), &good);
    assert_false(good);
    taken(WEIR_STR("\0\x31\xff\xff\0\x09"), &good);
    assert_false(good);
    char deep[2 * 40];
    for (size_t i = 0; i < sizeof deep; i += 2)
        memcpy(deep + i, "\0\x20", 2);
    memcpy(deep + sizeof deep - 2, "\0\x09", 2);
    taken((struct weir_str){deep, sizeof deep}, &good);
    assert_false(good);
    memcpy(deep + 60, "\0\x09", 2);
    taken((struct weir_str){deep, 62}, &good);
    assert_true(good);
}

static void consistencies(void **state)
{
    (void)state;
    enum cql_consistency c;
    for (int i = CQL_ANY; i <= CQL_LOCAL_ONE; i++) {
        assert_int_equal(cql_consistency_parse(weir_str_of(cql_consistency_name((enum cql_consistency)i)), &c), 0);
        assert_int_equal(c, i);
    }
    assert_int_equal(cql_consistency_parse(WEIR_STR("local_quorum"), &c), 0);
    assert_int_equal(c, CQL_LOCAL_QUORUM);
    assert_int_equal(cql_consistency_parse(WEIR_STR("QUORU"), &c), -1);
    assert_int_equal(cql_consistency_parse(WEIR_STR(""), &c), -1);
    assert_string_equal(cql_consistency_name((enum cql_consistency)99), "unknown");
}

// Bit by bit, as the specification words it.
static uint32_t crc32_by_bits(const uint8_t *at, size_t bytes)
{
    static const uint8_t first[] = {0xfa, 0x2d, 0x55, 0xca};
    uint32_t crc = ~0u;
    for (size_t i = 0; i < sizeof first + bytes; i++) {
        crc ^= i < sizeof first ? first[i] : at[i - sizeof first];
        for (int bit = 0; bit < 8; bit++)
            crc = crc >> 1 ^ (crc & 1 ? 0xedb88320 : 0);
    }
    return ~crc;
}

static void checksums(void **state)
{
    (void)state;
    assert_int_equal(cql_crc24((const uint8_t[]){0x5d, 0x00, 0x02}, 3), 0x6e52c5); // c5 52 6e on the wire
    uint8_t bytes[700];
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (uint8_t)(i * 37 + (i >> 3));
    for (uint32_t n = 0; n < sizeof bytes; n++)
        assert_int_equal(cql_crc32((struct weir_str){(const char *)bytes, n}), crc32_by_bits(bytes, n));
}

static void tokens(void **state)
{
    (void)state;
    assert_true(cql_token(WEIR_STR("test")) == -6017608668500074083);
    assert_true(cql_token(WEIR_STR("kremówki")) == 4354931215268080151);
    assert_true(cql_token(WEIR_STR("")) == INT64_MIN);
    // The hash of this is INT64_MIN: Murmur3 run backwards.
    assert_true(cql_token(WEIR_STR("\x66\x95\xe3\xc7\xba\x3f\x08\x63\x54\xc5\x2c\x5b\xc5\x1e\x53\xc3")) == INT64_MAX);
    weir_cleanup(weir_buffer_drop) struct weir_buffer key = {0};
    cql_key_component(&key, WEIR_STR("g1"));
    cql_key_component(&key, WEIR_STR(""));
    ASSERT_BYTES(&key, "\0\x02g1\0\0\0\0");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(primitives),
        cmocka_unit_test(primitives_are_taken_as_they_were_put),
        cmocka_unit_test(lengths_beyond_what_is_left_are_refused),
        cmocka_unit_test(binds),
        cmocka_unit_test(uuids),
        cmocka_unit_test(cells),
        cmocka_unit_test(cells_of_another_length_are_refused),
        cmocka_unit_test(lists),
        cmocka_unit_test(types),
        cmocka_unit_test(types_that_make_no_sense_are_refused),
        cmocka_unit_test(consistencies),
        cmocka_unit_test(checksums),
        cmocka_unit_test(tokens),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
