// SPDX-License-Identifier: Apache-2.0
// The embedded store through the stores' suite.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "embedded/embedded.h"
#include "folder.h"
#include "store_suite.h"

struct embedded_store {
    struct folder folder;
    struct weir_embedded *db;
    struct weir_txn *txn;
};

static void open_all(struct store_subject *s)
{
    struct embedded_store *e = s->context;
    struct weir_error err;
    assert_int_equal(weir_embedded_open(e->folder.path, WEIR_OWNER, &e->db, &err), 0);
    assert_int_equal(weir_store_embedded(e->db, &s->store, &err), 0);
    assert_int_equal(weir_writer_new(s->store, SUITE_KEYSPACE, &s->writer, &err), 0);
    e->txn = weir_txn_new(e->db);
}

static void close_all(struct store_subject *s)
{
    struct embedded_store *e = s->context;
    weir_writer_free(s->writer);
    weir_store_close(s->store);
    weir_txn_free(e->txn);
    weir_embedded_close(e->db);
}

static void commit(struct store_subject *s)
{
    struct embedded_store *e = s->context;
    struct weir_error err;
    assert_int_equal(weir_writer_flush(s->writer, e->txn, &err), 0);
    assert_int_equal(weir_txn_commit(e->txn, false, &err), 0);
}

static void reopen(struct store_subject *s)
{
    close_all(s);
    open_all(s);
}

static int set_up(void **state)
{
    static struct embedded_store e;
    static struct store_subject s;
    e = (struct embedded_store){.folder = folder_make()};
    s = (struct store_subject){.commit = commit, .reopen = reopen, .context = &e};
    open_all(&s);
    *state = &s;
    return 0;
}

static int tear_down(void **state)
{
    struct store_subject *s = *state;
    struct embedded_store *e = s->context;
    close_all(s);
    folder_remove(&e->folder);
    return 0;
}

static void test_random_tables(void **state)
{
    for (uint64_t seed = 1; seed <= 40; seed++)
        suite_random_table(*state, seed);
}

static void test_another_shape(void **state)
{
    suite_refuses_another_shape(*state);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_random_tables, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_another_shape, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
