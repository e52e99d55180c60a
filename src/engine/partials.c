// SPDX-License-Identifier: Apache-2.0
#include "engine/pipeline.h"
int partials_topic(struct pipeline *p, struct weir_error *err)
{
    (void)p, (void)err;
    return 0;
}
int partials_open(struct task *t, struct weir_error *err)
{
    (void)t, (void)err;
    return 0;
}
void partials_close(struct partials *x)
{
    (void)x;
}
void partials_export(struct task *t)
{
    (void)t;
}
int partials_step(struct task *t, enum merge_extent extent, struct weir_error *err)
{
    (void)t, (void)extent, (void)err;
    return 0;
}
int partials_finish(struct task *t, struct weir_error *err)
{
    (void)t, (void)err;
    return 0;
}
bool partials_due(struct task *t, int64_t now_us)
{
    (void)t, (void)now_us;
    return false;
}
void partials_silence(struct task *t, uint32_t query, bool silent)
{
    (void)t, (void)query, (void)silent;
}
