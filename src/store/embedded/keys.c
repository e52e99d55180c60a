// SPDX-License-Identifier: Apache-2.0
// The partition keys of a table: from one to the next by seeking, whatever is in between.
#include "base/memory.h"
#include "store/embedded/inside.h"
#include "store/key.h"

enum { TABLE_ID_BYTES = 4 };

static int take_key(const struct weir_table *table, struct weir_str block_key, struct weir_arena *arena, struct weir_value *values, size_t *ret_bytes)
{
    struct weir_cursor c = {(const uint8_t *)block_key.data + TABLE_ID_BYTES, (const uint8_t *)block_key.data + block_key.bytes,
                            block_key.bytes < TABLE_ID_BYTES};
    for (uint32_t i = 0; i < table->partition_count && !c.bad; i++)
        values[i] = store_key_take(&c, table->columns[table->partition[i]].type, false, arena);
    *ret_bytes = (size_t)(c.at - (const uint8_t *)block_key.data);
    return c.bad ? -1 : 0;
}

static int walk_keys(struct weir_walk *walk, const struct weir_table *table, uint64_t limit,
                     int (*visit)(void *context, const struct weir_value *values), void *context, struct weir_error *err)
{
    weir_cleanup(weir_arena_drop) struct weir_arena arena = {0};
    weir_cleanup(weir_buffer_drop) struct weir_buffer next = {0};
    weir_cleanup(weir_freep) struct weir_value *values = weir_zalloc(table->partition_count, sizeof *values);
    for (uint64_t given = 0; weir_walk_valid(walk) && (limit == 0 || given < limit); given++) {
        struct weir_str key = weir_walk_key(walk);
        size_t bytes;
        weir_arena_reset(&arena);
        if (take_key(table, key, &arena, values, &bytes) < 0)
            return weir_fail(err, WEIR_IO, WEIR_STOP, "a key of table %s is damaged", table->name);
        next.bytes = 0;
        weir_buffer_add(&next, key.data, bytes);
        if (visit(context, values) != 0)
            return 0;
        store_key_successor(&next);
        weir_walk_seek(walk, weir_buffer_view(&next));
    }
    return weir_walk_error(walk, err);
}

int embedded_keys(struct weir_store *store, const char *keyspace, const struct weir_table *table, struct weir_str prefix, uint64_t limit,
                  int (*visit)(void *context, const struct weir_value *values), void *context, struct weir_error *err)
{
    struct embedded_store *s = embedded_store_of(store);
    uint32_t id;
    if (store_table_id(s, keyspace, table, &id, err) < 0)
        return -1;
    weir_cleanup(weir_buffer_drop) struct weir_buffer from = {0}, end = {0};
    weir_buffer_be32(&from, id);
    if (prefix.bytes && table->columns[table->partition[0]].type == WEIR_CQL_TEXT) {
        struct weir_value text = {.kind = WEIR_STRS, .str = prefix};
        store_key_add(&from, WEIR_CQL_TEXT, false, &text);
        from.bytes -= 2; // without the terminator: what begins with it
    }
    weir_buffer_add(&end, from.data, from.bytes);
    store_key_successor(&end);
    struct weir_walk *walk = weir_walk_new(s->db, WEIR_TABLES, weir_buffer_view(&from), weir_buffer_view(&end));
    int result = walk_keys(walk, table, limit, visit, context, err);
    weir_walk_free(walk);
    return result;
}
