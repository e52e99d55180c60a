// SPDX-License-Identifier: Apache-2.0
// The embedded store: tables beside log and state in the one RocksDB, written in the task's commit.
#include "base/memory.h"
#include "store/embedded/inside.h"
#include <stdlib.h>

static void close_store(struct weir_store *store)
{
    struct embedded_store *s = embedded_store_of(store);
    pthread_mutex_destroy(&s->mutex);
    free(s);
}

static bool is_healthy(struct weir_store *s, struct weir_buffer *reasons)
{
    (void)s, (void)reasons;
    return true;
}

static void on_progress(struct weir_store *s, void (*wake)(void *context), void *context)
{
    (void)s, (void)wake, (void)context; // nothing is ever waited for
}

int weir_store_embedded(struct weir_embedded *db, struct weir_store **ret, struct weir_error *err)
{
    static const struct store_ops ops = {
        .close = close_store,
        .create = embedded_create,
        .healthy = is_healthy,
        .writer_new = embedded_writer_new,
        .on_progress = on_progress,
        .scan = embedded_scan,
        .keys = embedded_keys,
        .stats = embedded_stats,
    };
    (void)err;
    struct embedded_store *s = weir_zalloc(1, sizeof *s);
    s->base.ops = &ops;
    s->db = db;
    pthread_mutex_init(&s->mutex, NULL);
    *ret = &s->base;
    return 0;
}
