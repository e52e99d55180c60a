// SPDX-License-Identifier: Apache-2.0
// What every state must do: pages and the epoch are what was committed last, each pipeline's and each partition's apart. Include after cmocka.h.
#pragma once
#include "base/buffer.h"
#include "state/state.h"

enum { STATE_SUITE_PARTITIONS = 3 };

struct state_subject {
    struct weir_state *state, *other; // of two pipelines
    struct weir_commit commit;
    void (*apply)(struct state_subject *s); // what `commit` holds is committed
    void (*drop)(struct state_subject *s);  // or given up
    void (*reopen)(struct state_subject *s);
    void *context;
};

static struct weir_error state_suite_err;

#define state_suite_ok(call)                                                                                                                         \
    do {                                                                                                                                             \
        if ((call) < 0)                                                                                                                              \
            fail_msg("%s: %s", #call, state_suite_err.text);                                                                                         \
    } while (0)

static int state_suite_list_page(void *context, struct weir_str key, struct weir_str page, struct weir_error *err)
{
    (void)err;
    weir_buffer_format(context, "%.*s=%.*s ", (int)key.bytes, key.data, (int)page.bytes, page.data);
    return 0;
}

static void state_suite_expect(struct weir_state *s, int32_t partition, const char *want)
{
    weir_cleanup(weir_buffer_drop) struct weir_buffer list = {0};
    state_suite_ok(weir_state_load(s, partition, state_suite_list_page, &list, &state_suite_err));
    weir_buffer_byte(&list, 0);
    assert_string_equal((const char *)list.data, want);
}

// The epoch of a partition that was loaded; a new one is committed.
static int64_t state_suite_epoch(struct state_subject *s, int32_t partition)
{
    int64_t epoch_us;
    bool fresh;
    state_suite_ok(weir_state_epoch(s->state, partition, &s->commit, &epoch_us, &fresh, &state_suite_err));
    if (fresh)
        s->apply(s);
    return epoch_us;
}

static void state_suite_put(struct state_subject *s, int32_t partition, const char *key, const char *page)
{
    weir_state_put(s->state, &s->commit, partition, weir_str_of(key), weir_str_of(page));
}

static int state_suite_refuse(void *context, struct weir_str key, struct weir_str page, struct weir_error *err)
{
    (void)key, (void)page;
    ++*(int *)context;
    return weir_fail(err, WEIR_BAD_CONFIG, WEIR_STOP, "another query's");
}

static inline void state_suite_keeps_what_was_committed(void **state)
{
    struct state_subject *s = *state;
    state_suite_put(s, 0, "b", "2");
    state_suite_put(s, 0, "a", "1");
    state_suite_put(s, 0, "c", "3");
    state_suite_put(s, 1, "a", "one");
    weir_state_put(s->other, &s->commit, 0, WEIR_STR("a"), WEIR_STR("other"));
    s->apply(s);
    weir_state_delete(s->state, &s->commit, 0, WEIR_STR("b"));
    state_suite_put(s, 0, "a", "new");
    s->apply(s);
    state_suite_put(s, 0, "a", "never");
    s->drop(s);
    s->reopen(s);
    state_suite_expect(s->state, 0, "a=new c=3 ");
    state_suite_expect(s->state, 1, "a=one ");
    state_suite_expect(s->state, 2, "");
    state_suite_expect(s->other, 0, "a=other ");
    int visited = 0;
    assert_int_equal(weir_state_load(s->state, 0, state_suite_refuse, &visited, &state_suite_err), -1);
    assert_int_equal(visited, 1);
    assert_string_equal(state_suite_err.text, "another query's");
}

static inline void state_suite_keeps_its_epoch_until_a_reset(void **state)
{
    struct state_subject *s = *state;
    int64_t epochs_us[STATE_SUITE_PARTITIONS];
    for (int32_t p = 0; p < STATE_SUITE_PARTITIONS; p++) {
        state_suite_expect(s->state, p, "");
        epochs_us[p] = state_suite_epoch(s, p);
        assert_true(epochs_us[p] > 1700000000000000);
        state_suite_put(s, p, "a", "1");
    }
    s->apply(s);
    s->reopen(s);
    for (int32_t p = 0; p < STATE_SUITE_PARTITIONS; p++) {
        state_suite_expect(s->state, p, "a=1 ");
        assert_int_equal(state_suite_epoch(s, p), epochs_us[p]);
    }
    state_suite_ok(weir_state_reset(s->state, &state_suite_err));
    s->reopen(s);
    for (int32_t p = 0; p < STATE_SUITE_PARTITIONS; p++) {
        state_suite_expect(s->state, p, "");
        assert_true(state_suite_epoch(s, p) > epochs_us[p]);
    }
}

#define STATE_SUITE(set_up, tear_down)                                                                                                               \
    cmocka_unit_test_setup_teardown(state_suite_keeps_what_was_committed, set_up, tear_down),                                                        \
        cmocka_unit_test_setup_teardown(state_suite_keeps_its_epoch_until_a_reset, set_up, tear_down)
