// SPDX-License-Identifier: Apache-2.0
#include "store/ops.h"

void weir_store_close(struct weir_store *s)
{
    if (s)
        s->ops->close(s);
}

int weir_store_create(struct weir_store *s, const char *keyspace, const struct weir_table *table, struct weir_error *err)
{
    return s->ops->create(s, keyspace, table, err);
}

bool weir_store_healthy(struct weir_store *s, struct weir_buffer *reasons)
{
    return s->ops->healthy(s, reasons);
}

void weir_store_on_progress(struct weir_store *s, void (*wake)(void *context), void *context)
{
    s->ops->on_progress(s, wake, context);
}

int weir_store_scan(struct weir_store *s, const char *keyspace, const struct weir_scan *scan,
                    int (*visit)(void *context, const struct weir_value *values), void *context, struct weir_error *err)
{
    return store_check_scan(scan, err) < 0 ? -1 : s->ops->scan(s, keyspace, scan, visit, context, err);
}

int weir_store_keys(struct weir_store *s, const char *keyspace, const struct weir_table *table, struct weir_str prefix, uint64_t limit,
                    int (*visit)(void *context, const struct weir_value *values), void *context, struct weir_error *err)
{
    return s->ops->keys(s, keyspace, table, prefix, limit, visit, context, err);
}

int weir_store_stats(struct weir_store *s, const char *keyspace, struct weir_arena *arena, struct weir_store_stats *ret, struct weir_error *err)
{
    return s->ops->stats(s, keyspace, arena, ret, err);
}

// ---- writers

int weir_writer_new(struct weir_store *s, const char *keyspace, struct weir_writer **ret, struct weir_error *err)
{
    return s->ops->writer_new(s, keyspace, ret, err);
}

void weir_writer_free(struct weir_writer *w)
{
    if (w)
        w->ops->free(w);
}

int weir_writer_add(struct weir_writer *w, const struct weir_rows *rows, struct weir_error *err)
{
    return rows->count ? w->ops->add(w, rows, err) : 0;
}

size_t weir_writer_bytes(const struct weir_writer *w)
{
    return w->ops->bytes(w);
}

bool weir_writer_full(struct weir_writer *w)
{
    return w->ops->full(w);
}

int weir_writer_flush(struct weir_writer *w, const struct weir_commit *commit, uint64_t *ret_ticket, struct weir_error *err)
{
    return w->ops->flush(w, commit, ret_ticket, err);
}

bool weir_writer_acked(struct weir_writer *w, uint64_t ticket)
{
    return ticket == 0 || w->ops->acked(w, ticket);
}

bool weir_writer_refused(struct weir_writer *w, struct weir_refused_row *ret)
{
    return w->ops->refused(w, ret);
}

// ---- what every scan must keep to

int store_check_scan(const struct weir_scan *scan, struct weir_error *err)
{
    const struct weir_table *table = scan->table;
    if (scan->key_count > 0 && scan->key_count < table->partition_count)
        return weir_fail(err, WEIR_USAGE, WEIR_STOP, "table %s: give all %u columns of the partition key, or none", table->name,
                         table->partition_count);
    if (scan->key_count > weir_table_key_count(table))
        return weir_fail(err, WEIR_USAGE, WEIR_STOP, "table %s has only %u key columns", table->name, weir_table_key_count(table));
    if ((scan->bound_from || scan->bound_to) && !table->windowed && table->clustering_count == 0)
        return weir_fail(err, WEIR_BAD_DATA, WEIR_STOP, "table %s has no clustering column that could be bounded", table->name);
    return 0;
}
