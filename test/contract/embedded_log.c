// SPDX-License-Identifier: Apache-2.0
// The embedded log through the logs' suite, and what a reader in another process sees.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "dead_suite.h"
#include "embedded/embedded.h"
#include "folder.h"
#include "log_suite.h"

struct embedded_log {
    struct folder folder;
    struct weir_embedded *db;
};

static void open_all(struct log_subject *s)
{
    struct embedded_log *e = s->context;
    struct weir_error err;
    log_suite_ok(weir_embedded_open(e->folder.path, WEIR_OWNER, &e->db, &err), &err);
    log_suite_ok(weir_log_embedded(e->db, &s->log, &err), &err);
    log_suite_ok(weir_dead_embedded(e->db, "suite", &s->dead, &err), &err);
}

static void close_all(struct log_subject *s)
{
    struct embedded_log *e = s->context;
    weir_dead_close(s->dead);
    weir_log_close(s->log);
    weir_embedded_close(e->db);
}

static void reopen(struct log_subject *s)
{
    close_all(s);
    open_all(s);
}

static int set_up(void **state)
{
    static struct embedded_log e;
    static struct log_subject s;
    e = (struct embedded_log){.folder = folder_make()};
    s = (struct log_subject){.refuses_deleted = true, .reopen = reopen, .context = &e};
    open_all(&s);
    *state = &s;
    return 0;
}

static int tear_down(void **state)
{
    struct log_subject *s = *state;
    struct embedded_log *e = s->context;
    close_all(s);
    folder_remove(&e->folder);
    return 0;
}

// A second opening of the folder sees what was committed, blob files or not, and what comes later after a refresh.
static void test_reader_beside_owner(void **state)
{
    struct log_subject *s = *state;
    struct embedded_log *e = s->context;
    struct weir_error err;
    log_suite_topic(s, "both", 1, 0);
    struct weir_producer *p = log_suite_producer(s, "both", NULL);
    struct weir_embedded *db;
    struct log_subject beside = {0};
    for (uint32_t n = 0; n < 100; n++)
        log_suite_add(p, n, 4000);
    log_suite_flush(p, "");
    log_suite_ok(weir_embedded_open(e->folder.path, WEIR_READER, &db, &err), &err);
    log_suite_ok(weir_log_embedded(db, &beside.log, &err), &err);
    assert_int_equal(log_suite_read_all(&beside, "both", 0, 1, 0, 1 << 20).records, 100);
    for (uint32_t n = 100; n < 30000; n++) { // enough for memtables to be written out
        log_suite_add(p, n, 4000);
        if (n % 100 == 0)
            log_suite_flush(p, "");
    }
    log_suite_flush(p, "");
    assert_int_equal(log_suite_read_all(&beside, "both", 0, 1, 0, 1 << 20).records, 100);
    log_suite_ok(weir_embedded_refresh(db, &err), &err);
    assert_int_equal(log_suite_read_all(&beside, "both", 0, 1, 0, 1 << 20).records, 30000);
    log_suite_topic(s, "later", 1, 0);
    log_suite_ok(weir_embedded_refresh(db, &err), &err);
    assert_int_equal(log_suite_read_all(&beside, "later", 0, 1, 0, 1 << 20).records, 0);
    weir_log_close(beside.log);
    weir_embedded_close(db);
    weir_producer_close(p);
}

static void test_one_owner(void **state)
{
    struct log_subject *s = *state;
    struct embedded_log *e = s->context;
    struct weir_error err;
    struct weir_embedded *db;
    char pid[32];
    assert_true(weir_embedded_open(e->folder.path, WEIR_OWNER, &db, &err) < 0);
    assert_int_equal(err.code, WEIR_UNAVAILABLE);
    snprintf(pid, sizeof pid, "process %ld", (long)getpid());
    assert_non_null(strstr(err.text, pid));
}

static void test_no_folder(void **state)
{
    (void)state;
    struct weir_error err;
    struct weir_embedded *db;
    assert_true(weir_embedded_open("/nonexistent/folder", WEIR_READER, &db, &err) < 0);
    assert_int_equal(err.code, WEIR_NO_INPUT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        LOG_SUITE(set_up, tear_down),
        LOG_SUITE_TOPICS(set_up, tear_down),
        DEAD_SUITE(set_up, tear_down),
        cmocka_unit_test_setup_teardown(log_suite_expires, set_up, tear_down),
        cmocka_unit_test_setup_teardown(dead_suite_cuts_what_is_long, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_reader_beside_owner, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_one_owner, set_up, tear_down),
        cmocka_unit_test(test_no_folder),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
