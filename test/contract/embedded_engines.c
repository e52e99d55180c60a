// SPDX-License-Identifier: Apache-2.0
// Dead letters and schemas of the embedded engines, and the folder they live in: kept over a restart, in order, each pipeline's apart.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/buffer.h"
#include "embedded/db.h"
#include "folder.h"
#include "log/dead.h"
#include "registry/registry.h"

struct world {
    struct folder folder;
    struct weir_embedded *db;
    struct weir_txn *txn;
};

static void open_all(struct world *w)
{
    struct weir_error err;
    assert_int_equal(weir_embedded_open(w->folder.path, WEIR_OWNER, &w->db, &err), 0);
    w->txn = weir_txn_new(w->db);
}

static void close_all(struct world *w)
{
    weir_txn_free(w->txn);
    weir_embedded_close(w->db);
}

static void reopen(struct world *w)
{
    close_all(w);
    open_all(w);
}

static void commit(struct world *w)
{
    struct weir_error err;
    assert_int_equal(weir_txn_commit(w->txn, true, &err), 0);
    assert_true(weir_txn_bytes(w->txn) < 20); // empty but for its own header
}

static int set_up(void **state)
{
    static struct world w;
    w = (struct world){.folder = folder_make()};
    open_all(&w);
    *state = &w;
    return 0;
}

static int tear_down(void **state)
{
    struct world *w = *state;
    close_all(w);
    folder_remove(&w->folder);
    return 0;
}

// ---- dead letters

static int list_letter(void *context, const struct weir_dead_letter *l)
{
    weir_buffer_format(context, "%s/%d/%lld/%s ", weir_reason_name(l->reason), l->partition, (long long)l->offset, l->query ? l->query : "-");
    return 0;
}

static int check_letter(void *context, const struct weir_dead_letter *l)
{
    const struct weir_dead_letter *want = context;
    assert_string_equal(l->topic, want->topic);
    assert_string_equal(l->text, want->text);
    assert_int_equal(l->schema_id, want->schema_id);
    assert_int_equal(l->timestamp_ms, want->timestamp_ms);
    assert_int_equal(l->null_key, want->null_key);
    assert_true(weir_str_eq(l->key, want->key) && weir_str_eq(l->value, want->value));
    return 1;
}

static void expect_letters(struct weir_dead *d, int reason, const char *want)
{
    struct weir_error err;
    struct weir_buffer list = {0};
    weir_buffer_format(&list, "%s", "");
    assert_int_equal(weir_dead_scan(d, reason, list_letter, &list, &err), 0);
    weir_buffer_byte(&list, 0);
    assert_string_equal((const char *)list.data, want);
    weir_buffer_drop(&list);
}

static void test_dead_letters(void **state)
{
    struct world *w = *state;
    struct weir_error err;
    struct weir_dead *d;
    assert_int_equal(weir_dead_embedded(w->db, "pipe", &d, &err), 0);
    struct weir_dead_letter letter = {.reason = WEIR_LATE,
                                      .topic = "events",
                                      .partition = 2,
                                      .offset = 1ll << 40,
                                      .query = "hourly",
                                      .text = "two hours late",
                                      .schema_id = 7,
                                      .timestamp_ms = -5,
                                      .key = WEIR_STR("k"),
                                      .value = {"a\0b", 3}};
    struct weir_dead_letter feeds = {.reason = WEIR_MALFORMED, .topic = "events", .partition = -1, .offset = 12, .text = "no", .null_key = true};
    weir_dead_put(d, &(struct weir_commit){.embedded = w->txn}, &feeds);
    weir_dead_put(d, &(struct weir_commit){.embedded = w->txn}, &letter);
    weir_dead_put(d, &(struct weir_commit){.embedded = w->txn}, &letter); // replaces itself
    letter.offset = 3;
    weir_dead_put(d, &(struct weir_commit){.embedded = w->txn}, &letter);
    letter.query = "daily";
    weir_dead_put(d, &(struct weir_commit){.embedded = w->txn}, &letter);
    commit(w);
    expect_letters(d, -1, "late/2/3/daily late/2/3/hourly late/2/1099511627776/hourly malformed/-1/12/- ");
    expect_letters(d, WEIR_MALFORMED, "malformed/-1/12/- ");
    expect_letters(d, WEIR_FUTURE, "");
    assert_int_equal(weir_dead_scan(d, WEIR_LATE, check_letter, &letter, &err), 0);
    weir_dead_delete(d, &(struct weir_commit){.embedded = w->txn}, &letter);
    commit(w);
    expect_letters(d, WEIR_LATE, "late/2/3/hourly late/2/1099511627776/hourly ");
    weir_dead_close(d);
}

static int check_length(void *context, const struct weir_dead_letter *l)
{
    *(uint32_t *)context = l->value.bytes;
    return 0;
}

static void test_large_letter_is_cut(void **state)
{
    struct world *w = *state;
    struct weir_error err;
    struct weir_dead *d;
    uint32_t bytes = 0;
    char *value = calloc(1, 3 << 20);
    struct weir_dead_letter letter = {.reason = WEIR_FUTURE, .topic = "t", .text = "", .value = {value, 3 << 20}};
    assert_int_equal(weir_dead_embedded(w->db, "pipe", &d, &err), 0);
    weir_dead_put(d, &(struct weir_commit){.embedded = w->txn}, &letter);
    commit(w);
    assert_int_equal(weir_dead_scan(d, WEIR_FUTURE, check_length, &bytes, &err), 0);
    assert_int_equal(bytes, 1 << 20);
    weir_dead_close(d);
    free(value);
}

// ---- schemas

static int list_version(void *context, const struct weir_subject_version *v)
{
    weir_buffer_format(context, "%s/%d=%d ", v->subject, v->version, v->id);
    return 0;
}

static void expect_versions(struct weir_registry *r, const char *want)
{
    struct weir_error err;
    struct weir_buffer list = {0};
    assert_int_equal(weir_registry_list(r, list_version, &list, &err), 0);
    weir_buffer_byte(&list, 0);
    assert_string_equal((const char *)list.data, want);
    weir_buffer_drop(&list);
}

static int32_t registered(struct weir_registry *r, const char *subject, const char *schema)
{
    struct weir_error err;
    int32_t id = 0;
    if (weir_registry_register(r, subject, schema, &id, &err) < 0)
        fail_msg("%s", err.text);
    return id;
}

static void test_registry(void **state)
{
    static const char one[] = "{\"type\":\"record\",\"name\":\"a\",\"fields\":[]}",
                      two[] = "{\"type\":\"record\",\"name\":\"a\",\"fields\":[{\"name\":\"x\",\"type\":\"int\",\"default\":0}]}";
    struct world *w = *state;
    struct weir_error err;
    struct weir_registry *r, *reader;
    struct weir_arena arena = {0};
    const char *schema;
    int32_t id;
    assert_int_equal(weir_registry_embedded(w->db, &r, &err), 0);
    assert_int_equal(registered(r, "b-value", one), 1);
    assert_int_equal(registered(r, "b-value", two), 2);
    assert_int_equal(registered(r, "b-value", one), 1); // no new version
    assert_int_equal(registered(r, "a-value", two), 2); // the same id everywhere
    assert_true(weir_registry_register(r, "a-value", "{\"type\":\"no such type\"}", &id, &err) < 0);
    assert_int_equal(err.code, WEIR_BAD_DATA);
    assert_true(weir_registry_register(r, "a-value", "\"string\"", &id, &err) < 0); // cannot read what is there
    assert_non_null(strstr(err.text, "incompatible"));
    for (int again = 0; again < 2; again++) {
        expect_versions(r, "a-value/1=2 b-value/1=1 b-value/2=2 ");
        assert_int_equal(weir_registry_schema(r, 1, &arena, &schema, &err), 0);
        assert_string_equal(schema, one);
        assert_true(weir_registry_schema(r, 3, &arena, &schema, &err) < 0);
        assert_int_equal(err.code, WEIR_BAD_DATA);
        assert_int_equal(err.fate, WEIR_DEAD_LETTER);
        weir_registry_close(r);
        reopen(w);
        assert_int_equal(weir_registry_embedded(w->db, &r, &err), 0);
    }
    struct weir_embedded *beside;
    assert_int_equal(weir_embedded_open(w->folder.path, WEIR_READER, &beside, &err), 0);
    assert_int_equal(weir_registry_embedded(beside, &reader, &err), 0);
    assert_int_equal(registered(r, "c-value", "\"long\""), 3);
    assert_true(weir_registry_schema(reader, 3, &arena, &schema, &err) < 0);
    assert_int_equal(weir_embedded_refresh(beside, &err), 0);
    assert_int_equal(weir_registry_schema(reader, 3, &arena, &schema, &err), 0);
    assert_string_equal(schema, "\"long\"");
    weir_registry_close(reader);
    weir_embedded_close(beside);
    weir_registry_close(r);
    weir_arena_drop(&arena);
}

// ---- the folder

static void test_newer_format_is_refused(void **state)
{
    struct world *w = *state;
    struct weir_error err;
    struct weir_embedded *db;
    weir_txn_put(w->txn, WEIR_META, WEIR_STR("format"), WEIR_STR("\x02"));
    commit(w);
    assert_true(weir_embedded_open(w->folder.path, WEIR_READER, &db, &err) < 0);
    assert_int_equal(err.code, WEIR_BAD_CONFIG);
    assert_non_null(strstr(err.text, "format 2"));
}

static void test_numbers(void **state)
{
    struct world *w = *state;
    struct weir_error err;
    uint64_t number;
    weir_txn_put(w->txn, WEIR_META, WEIR_STR("four"), (struct weir_str){"\0\0\1\2", 4});
    weir_txn_put(w->txn, WEIR_META, WEIR_STR("eight"), (struct weir_str){"\1\0\0\0\0\0\0\3", 8});
    commit(w);
    assert_int_equal(weir_embedded_get_number(w->db, WEIR_STR("four"), 4, 7, &number, &err), 0);
    assert_int_equal(number, 0x102);
    assert_int_equal(weir_embedded_get_number(w->db, WEIR_STR("eight"), 8, 7, &number, &err), 0);
    assert_int_equal(number, 0x100000000000003);
    assert_int_equal(weir_embedded_get_number(w->db, WEIR_STR("none"), 8, 7, &number, &err), 0);
    assert_int_equal(number, 7);
    assert_true(weir_embedded_get_number(w->db, WEIR_STR("four"), 8, 7, &number, &err) < 0);
    assert_int_equal(err.code, WEIR_IO);
    assert_non_null(strstr(err.text, "four is damaged"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_dead_letters, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_large_letter_is_cut, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_registry, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_newer_format_is_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_numbers, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
