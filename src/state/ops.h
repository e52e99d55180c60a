// SPDX-License-Identifier: Apache-2.0
// What a kind of state does; contracts are state.h's.
#pragma once
#include "state/state.h"

struct state_ops {
    void (*close)(struct weir_state *s);
    int (*epoch)(struct weir_state *s, int32_t partition, const struct weir_commit *commit, int64_t *ret_epoch_us, bool *ret_new,
                 struct weir_error *err);
    int (*load)(struct weir_state *s, int32_t partition,
                int (*visit)(void *context, struct weir_str key, struct weir_str page, struct weir_error *err), void *context,
                struct weir_error *err);
    void (*put)(struct weir_state *s, const struct weir_commit *commit, int32_t partition, struct weir_str key, struct weir_str page);
    void (*remove)(struct weir_state *s, const struct weir_commit *commit, int32_t partition, struct weir_str key);
    int (*reset)(struct weir_state *s, struct weir_error *err);
};

struct weir_state { // first member of each kind's own
    const struct state_ops *ops;
};

int64_t state_now_us(void); // the wall clock, for new epochs
