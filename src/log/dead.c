// SPDX-License-Identifier: Apache-2.0
#include "log/dead.h"

#include "log/ops.h"

static const char *const reason_names[WEIR_REASONS] = {"late", "malformed", "future", "unknown_schema", "refused"};

const char *weir_reason_name(enum weir_reason reason)
{
    weir_assert(reason < WEIR_REASONS);
    return reason_names[reason];
}

int weir_reason_parse(struct weir_str name, enum weir_reason *ret)
{
    for (int i = 0; i < WEIR_REASONS; i++) {
        if (!weir_str_is(name, reason_names[i]))
            continue;
        *ret = (enum weir_reason)i;
        return 0;
    }
    return -1;
}

void weir_dead_close(struct weir_dead *d)
{
    if (d)
        d->ops->close(d);
}

void weir_dead_put(struct weir_dead *d, const struct weir_commit *commit, const struct weir_dead_letter *letter)
{
    d->ops->put(d, commit, letter);
}

void weir_dead_delete(struct weir_dead *d, const struct weir_commit *commit, const struct weir_dead_letter *letter)
{
    d->ops->remove(d, commit, letter);
}

int weir_dead_scan(struct weir_dead *d, int reason, int (*visit)(void *context, const struct weir_dead_letter *letter), void *context,
                   struct weir_error *err)
{
    return d->ops->scan(d, reason, visit, context, err);
}
