// SPDX-License-Identifier: Apache-2.0
// What a kind of store does; contracts are store.h's.
#pragma once
#include "store/store.h"

struct store_ops {
    void (*close)(struct weir_store *s);
    int (*create)(struct weir_store *s, const char *keyspace, const struct weir_table *table, struct weir_error *err);
    bool (*healthy)(struct weir_store *s, struct weir_buffer *reasons);
    int (*writer_new)(struct weir_store *s, const char *keyspace, struct weir_writer **ret, struct weir_error *err);
    void (*on_progress)(struct weir_store *s, void (*wake)(void *context), void *context);
    int (*scan)(struct weir_store *s, const char *keyspace, const struct weir_scan *scan,
                int (*visit)(void *context, const struct weir_value *values), void *context, struct weir_error *err);
    int (*keys)(struct weir_store *s, const char *keyspace, const struct weir_table *table, struct weir_str prefix, uint64_t limit,
                int (*visit)(void *context, const struct weir_value *values), void *context, struct weir_error *err);
    int (*stats)(struct weir_store *s, const char *keyspace, struct weir_arena *arena, struct weir_store_stats *ret, struct weir_error *err);
};

struct weir_store { // first member of each kind's own
    const struct store_ops *ops;
};

struct writer_ops {
    void (*free)(struct weir_writer *w);
    int (*add)(struct weir_writer *w, const struct weir_rows *rows, struct weir_error *err);
    size_t (*bytes)(const struct weir_writer *w);
    bool (*full)(struct weir_writer *w);
    int (*flush)(struct weir_writer *w, const struct weir_commit *commit, uint64_t *ret_ticket, struct weir_error *err);
    bool (*acked)(struct weir_writer *w, uint64_t ticket);
    bool (*refused)(struct weir_writer *w, struct weir_refused_row *ret);
};

struct weir_writer {
    const struct writer_ops *ops;
};

// Whether a scan's keys and bounds make sense for its table; the same for every store.
int store_check_scan(const struct weir_scan *scan, struct weir_error *err);
