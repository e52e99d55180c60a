// SPDX-License-Identifier: Apache-2.0
// The tables of a keyspace by name; RocksDB does not tell them apart any further.
#include "base/memory.h"
#include "store/embedded/inside.h"

static const struct weir_store_table unknown = {
    .sstables = -1, .bytes = -1, .rows = -1, .reads = -1, .writes = -1, .read_latency_us = -1, .write_latency_us = -1, .compactions_pending = -1};

static void add_table(struct weir_store_stats *stats, size_t *capacity, struct weir_str name, struct weir_arena *arena)
{
    weir_grow(&stats->tables, capacity, stats->table_count + 1u, sizeof *stats->tables);
    stats->tables[stats->table_count] = unknown;
    stats->tables[stats->table_count++].name = weir_arena_copy(arena, name).data;
}

static struct weir_store_table *move_into(struct weir_arena *arena, struct weir_store_table *tables, uint32_t count)
{
    struct weir_store_table *moved = weir_arena_alloc(arena, count * sizeof *moved + 1);
    if (count)
        memcpy(moved, tables, count * sizeof *moved);
    return moved;
}

int embedded_stats(struct weir_store *store, const char *keyspace, struct weir_arena *arena, struct weir_store_stats *ret, struct weir_error *err)
{
    weir_cleanup(weir_buffer_drop) struct weir_buffer from = {0}, to = {0};
    struct weir_store_stats stats = {.kind = "embedded", .where = weir_embedded_folder(embedded_store_of(store)->db)};
    size_t capacity = 0;
    weir_buffer_format(&from, "table/%s.", keyspace);
    weir_buffer_format(&to, "table/%s/", keyspace); // '/' comes right behind '.'
    struct weir_walk *walk = weir_walk_new(embedded_store_of(store)->db, WEIR_META, weir_buffer_view(&from), weir_buffer_view(&to));
    for (; weir_walk_valid(walk); weir_walk_next(walk)) {
        struct weir_str key = weir_walk_key(walk);
        add_table(&stats, &capacity, (struct weir_str){key.data + from.bytes, key.bytes - (uint32_t)from.bytes}, arena);
    }
    int rc = weir_walk_error(walk, err);
    weir_walk_free(walk);
    weir_cleanup(weir_freep) struct weir_store_table *tables = stats.tables;
    stats.tables = move_into(arena, tables, stats.table_count);
    if (rc == 0)
        *ret = stats;
    return rc;
}
