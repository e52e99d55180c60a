// SPDX-License-Identifier: Apache-2.0
#include "state/ops.h"

#include <time.h>

int64_t state_now_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    return t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

void weir_state_close(struct weir_state *s)
{
    if (s)
        s->ops->close(s);
}

int weir_state_epoch(struct weir_state *s, int32_t partition, const struct weir_commit *commit, int64_t *ret_epoch_us, bool *ret_new,
                     struct weir_error *err)
{
    return s->ops->epoch(s, partition, commit, ret_epoch_us, ret_new, err);
}

int weir_state_load(struct weir_state *s, int32_t partition,
                    int (*visit)(void *context, struct weir_str key, struct weir_str page, struct weir_error *err), void *context,
                    struct weir_error *err)
{
    return s->ops->load(s, partition, visit, context, err);
}

void weir_state_put(struct weir_state *s, const struct weir_commit *commit, int32_t partition, struct weir_str key, struct weir_str page)
{
    s->ops->put(s, commit, partition, key, page);
}

void weir_state_delete(struct weir_state *s, const struct weir_commit *commit, int32_t partition, struct weir_str key)
{
    s->ops->remove(s, commit, partition, key);
}

int weir_state_reset(struct weir_state *s, struct weir_error *err)
{
    return s->ops->reset(s, err);
}
