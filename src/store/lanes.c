// SPDX-License-Identifier: Apache-2.0
#include "store/lanes.h"

#include "base/hash.h"
#include "base/memory.h"
#include "store/key.h"
#include <stdlib.h>

enum { SLOTS_MIN = 256, KEY_BYTES_MAX = 64 << 10 };

struct slot {
    uint32_t hash, entry; // entry: index + 1; 0 is an empty slot
};

struct entry {
    size_t at; // in bytes
    uint32_t length, lane;
};

// Byte strings to numbers, by open addressing.
struct store_lane_map {
    struct slot *slots;
    uint32_t slot_count; // a power of two
    struct entry *entries;
    size_t entry_capacity;
    uint32_t entry_count;
    struct weir_buffer bytes;
};

static struct store_lane_map *map_new(void)
{
    struct store_lane_map *map = weir_zalloc(1, sizeof *map);
    map->slot_count = SLOTS_MIN;
    map->slots = weir_zalloc(SLOTS_MIN, sizeof *map->slots);
    return map;
}

static void map_free(struct store_lane_map *map)
{
    if (!map)
        return;
    free(map->slots);
    free(map->entries);
    weir_buffer_drop(&map->bytes);
    free(map);
}

static struct weir_str entry_key(const struct store_lane_map *map, const struct entry *entry)
{
    return (struct weir_str){(const char *)map->bytes.data + entry->at, entry->length};
}

// The slot that has the key, or the empty one where it belongs.
static struct slot *map_find(const struct store_lane_map *map, struct weir_str key, uint32_t hash)
{
    for (uint32_t i = hash;; i++) {
        struct slot *slot = &map->slots[i & (map->slot_count - 1)];
        if (slot->entry == 0)
            return slot;
        if (slot->hash == hash && weir_str_eq(entry_key(map, &map->entries[slot->entry - 1]), key))
            return slot;
    }
}

static void map_widen(struct store_lane_map *map)
{
    struct slot *old = map->slots;
    uint32_t old_count = map->slot_count;
    map->slot_count *= 2;
    map->slots = weir_zalloc(map->slot_count, sizeof *map->slots);
    for (uint32_t i = 0; i < old_count; i++) {
        if (old[i].entry == 0)
            continue;
        uint32_t at = old[i].hash;
        while (map->slots[at & (map->slot_count - 1)].entry)
            at++;
        map->slots[at & (map->slot_count - 1)] = old[i];
    }
    free(old);
}

static void map_add(struct store_lane_map *map, struct weir_str key, uint32_t hash, uint32_t lane)
{
    if (map->entry_count >= map->slot_count / 2)
        map_widen(map);
    weir_grow(&map->entries, &map->entry_capacity, map->entry_count + 1u, sizeof *map->entries);
    map->entries[map->entry_count++] = (struct entry){map->bytes.bytes, key.bytes, lane};
    weir_buffer_add(&map->bytes, key.data, key.bytes);
    *map_find(map, key, hash) = (struct slot){hash, map->entry_count};
}

// ---- lanes

void store_lanes_init(struct store_lanes *lanes)
{
    *lanes = (struct store_lanes){.raw = map_new(), .encoded = map_new()};
}

void store_lanes_drop(struct store_lanes *lanes)
{
    map_free(lanes->raw);
    map_free(lanes->encoded);
    weir_buffer_drop(&lanes->scratch);
    *lanes = (struct store_lanes){0};
}

uint32_t store_lanes_count(const struct store_lanes *lanes)
{
    return lanes->raw->entry_count;
}

struct weir_str store_lane_key(const struct store_lanes *lanes, uint32_t lane)
{
    return entry_key(lanes->encoded, &lanes->encoded->entries[lane]); // the encoded map's entries are the lanes
}

static struct weir_str raw_key(struct store_lanes *lanes, const struct weir_rows *rows, uint32_t row)
{
    const struct weir_table *table = rows->table;
    const struct weir_column *first = &rows->columns[table->partition[0]];
    if (table->partition_count == 1)
        return first->kind == WEIR_STRS ? first->str[row] : (struct weir_str){(const char *)&first->i64[row], sizeof first->i64[row]};
    lanes->scratch.bytes = 0;
    for (uint32_t i = 0; i < table->partition_count; i++) {
        const struct weir_column *column = &rows->columns[table->partition[i]];
        if (column->kind != WEIR_STRS) {
            weir_buffer_add(&lanes->scratch, &column->i64[row], sizeof column->i64[row]);
            continue;
        }
        weir_buffer_varint(&lanes->scratch, column->str[row].bytes);
        weir_buffer_add(&lanes->scratch, column->str[row].data, column->str[row].bytes);
    }
    return weir_buffer_view(&lanes->scratch);
}

static int encode_partition(const struct weir_rows *rows, uint32_t row, struct weir_buffer *out, struct weir_error *err)
{
    const struct weir_table *table = rows->table;
    for (uint32_t i = 0; i < table->partition_count; i++) {
        uint32_t column = table->partition[i];
        struct weir_value value = weir_column_get(&rows->columns[column], row);
        if (value.null || store_key_add(out, table->columns[column].type, false, &value) < 0)
            return weir_fail(err, WEIR_BAD_DATA, WEIR_DEAD_LETTER, "table %s: a value of key column %s is %s", table->name,
                             table->columns[column].name, value.null ? "null" : "no uuid");
    }
    if (out->bytes > KEY_BYTES_MAX)
        return weir_fail(err, WEIR_BAD_DATA, WEIR_DEAD_LETTER, "table %s: a key is longer than %d KiB", table->name, KEY_BYTES_MAX >> 10);
    return 0;
}

static int add_spelling(struct store_lanes *lanes, const struct weir_rows *rows, uint32_t row, struct weir_str raw, uint32_t hash, uint32_t *ret_lane,
                        struct weir_error *err)
{
    weir_cleanup(weir_buffer_drop) struct weir_buffer key = {0};
    if (encode_partition(rows, row, &key, err) < 0)
        return -1;
    struct weir_str encoded = weir_buffer_view(&key);
    uint32_t encoded_hash = (uint32_t)weir_hash64(encoded.data, encoded.bytes, 0);
    const struct slot *slot = map_find(lanes->encoded, encoded, encoded_hash);
    uint32_t lane = slot->entry ? lanes->encoded->entries[slot->entry - 1].lane : lanes->encoded->entry_count;
    if (slot->entry == 0)
        map_add(lanes->encoded, encoded, encoded_hash, lane);
    map_add(lanes->raw, raw, hash, lane);
    *ret_lane = lane;
    return 0;
}

int store_lane_of(struct store_lanes *lanes, const struct weir_rows *rows, uint32_t row, uint32_t *ret_lane, struct weir_error *err)
{
    struct weir_str raw = raw_key(lanes, rows, row);
    uint32_t hash = (uint32_t)weir_hash64(raw.data, raw.bytes, 0);
    const struct slot *slot = map_find(lanes->raw, raw, hash);
    if (slot->entry == 0)
        return add_spelling(lanes, rows, row, raw, hash, ret_lane, err);
    *ret_lane = lanes->raw->entries[slot->entry - 1].lane;
    return 0;
}
