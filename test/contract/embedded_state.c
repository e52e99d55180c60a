// SPDX-License-Identifier: Apache-2.0
// State in the embedded database.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "embedded/db.h"
#include "folder.h"
#include "state_suite.h"

struct home {
    struct folder folder;
    struct weir_embedded *db;
};

static void open_all(struct state_subject *s)
{
    struct home *h = s->context;
    state_suite_ok(weir_embedded_open(h->folder.path, WEIR_OWNER, &h->db, &state_suite_err));
    state_suite_ok(weir_state_embedded(h->db, "pipe", &s->state, &state_suite_err));
    state_suite_ok(weir_state_embedded(h->db, "pipe2", &s->other, &state_suite_err));
    s->commit.embedded = weir_txn_new(h->db);
}

static void close_all(struct state_subject *s)
{
    weir_txn_free(s->commit.embedded);
    weir_state_close(s->state);
    weir_state_close(s->other);
    weir_embedded_close(((struct home *)s->context)->db);
}

static void reopen(struct state_subject *s)
{
    close_all(s);
    open_all(s);
}

static void apply(struct state_subject *s)
{
    state_suite_ok(weir_txn_commit(s->commit.embedded, true, &state_suite_err));
}

static void drop(struct state_subject *s)
{
    weir_txn_clear(s->commit.embedded);
}

static int set_up(void **state)
{
    static struct home h;
    static struct state_subject s;
    h = (struct home){.folder = folder_make()};
    s = (struct state_subject){.apply = apply, .drop = drop, .reopen = reopen, .context = &h};
    open_all(&s);
    *state = &s;
    return 0;
}

static int tear_down(void **state)
{
    struct state_subject *s = *state;
    close_all(s);
    folder_remove(&((struct home *)s->context)->folder);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {STATE_SUITE(set_up, tear_down)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
