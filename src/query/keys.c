// SPDX-License-Identifier: Apache-2.0
#include "query/keys.h"

#include "base/error.h"
#include "base/hash.h"
#include "base/memory.h"
#include <stdlib.h>

enum { FIRST_SLOTS = 256, INTERN_CHUNK = 256 };

static const uint64_t hash_seed = 0x77656972;

void keys_open(struct keys *k, const struct weir_plan *plan, const uint32_t *fields, uint32_t field_count)
{
    *k = (struct keys){.plan = plan, .fields = fields, .field_count = field_count};
    for (uint32_t c = 0; c < field_count; c++) {
        const struct weir_field *field = &plan->event.fields[fields[c]];
        k->identity = weir_hash64(field->name, strlen(field->name), k->identity + (uint64_t)field->type + 1);
    }
    k->slot_mask = FIRST_SLOTS - 1;
    k->slots = weir_zalloc(FIRST_SLOTS, sizeof *k->slots);
}

static void key_drop(struct key *key)
{
    if (key->bytes > KEY_INLINE_BYTES)
        free(key->heap);
    key->bytes = 0;
}

void keys_close(struct keys *k)
{
    for (uint32_t id = 0; id < k->used; id++)
        key_drop(&k->keys[id]);
    free(k->slots);
    free(k->keys);
    free(k->free_ids);
    free(k->page_flags);
    free(k->fresh);
    weir_buffer_drop(&k->packed);
}

// ---- the table

static struct key_slot slot_of(uint64_t hash, uint32_t id)
{
    return (struct key_slot){(uint32_t)(hash >> 32), id + 1};
}

static void slot_put(struct keys *k, uint64_t hash, uint32_t id)
{
    uint32_t at = (uint32_t)hash & k->slot_mask;
    while (k->slots[at].id1)
        at = (at + 1) & k->slot_mask;
    k->slots[at] = slot_of(hash, id);
}

static void grow_slots(struct keys *k)
{
    free(k->slots);
    k->slot_mask = k->slot_mask * 2 + 1;
    k->slots = weir_zalloc((size_t)k->slot_mask + 1, sizeof *k->slots);
    for (uint32_t id = 0; id < k->used; id++)
        if (k->keys[id].hash)
            slot_put(k, k->keys[id].hash, id);
}

// Takes an id out; those behind it move up so that no gap ends their search (Knuth, TAOCP vol. 3, 6.4, algorithm R).
static void slot_remove(struct keys *k, uint64_t hash, uint32_t id)
{
    uint32_t at = (uint32_t)hash & k->slot_mask;
    while (k->slots[at].id1 != id + 1)
        at = (at + 1) & k->slot_mask;
    for (uint32_t next = at;;) {
        next = (next + 1) & k->slot_mask;
        if (!k->slots[next].id1)
            break;
        uint32_t home = (uint32_t)k->keys[k->slots[next].id1 - 1].hash & k->slot_mask;
        if (((next - home) & k->slot_mask) >= ((next - at) & k->slot_mask)) {
            k->slots[at] = k->slots[next];
            at = next;
        }
    }
    k->slots[at] = (struct key_slot){0};
}

// ---- ids

static void make_room(struct keys *k, uint32_t id)
{
    if (id < k->capacity)
        return;
    uint32_t grown = k->capacity ? k->capacity * 2 : 256;
    while (grown <= id)
        grown *= 2;
    struct key *keys = aligned_alloc(64, grown * sizeof *keys);
    weir_assert(keys);
    if (k->capacity)
        memcpy(keys, k->keys, k->capacity * sizeof *keys);
    memset(keys + k->capacity, 0, (grown - k->capacity) * sizeof *keys);
    free(k->keys);
    k->keys = keys;
    k->page_flags = weir_realloc(k->page_flags, grown / KEYS_PER_PAGE);
    memset(k->page_flags + k->capacity / KEYS_PER_PAGE, 0, (grown - k->capacity) / KEYS_PER_PAGE);
    k->capacity = grown;
}

static void key_set(struct keys *k, uint32_t id, uint64_t hash, struct weir_str bytes)
{
    struct key *key = &k->keys[id];
    *key = (struct key){.hash = hash, .bytes = bytes.bytes};
    char *to = key->data;
    if (bytes.bytes > KEY_INLINE_BYTES)
        to = key->heap = weir_alloc(bytes.bytes);
    if (bytes.bytes)
        memcpy(to, bytes.data, bytes.bytes);
    k->live++;
    if ((uint64_t)k->live * 2 > k->slot_mask)
        grow_slots(k);
    else
        slot_put(k, hash, id);
    weir_grow(&k->fresh, &k->fresh_capacity, k->fresh_count + 1, sizeof *k->fresh);
    k->fresh[k->fresh_count++] = id;
}

static uint32_t key_add(struct keys *k, uint64_t hash, struct weir_str bytes)
{
    uint32_t id = k->free_count ? k->free_ids[--k->free_count] : k->used++;
    make_room(k, id);
    key_set(k, id, hash, bytes);
    k->page_flags[id / KEYS_PER_PAGE] |= KEYS_PAGE_DIRTY;
    return id;
}

static void key_remove(struct keys *k, uint32_t id)
{
    struct key *key = &k->keys[id];
    slot_remove(k, key->hash, id);
    key_drop(key);
    key->hash = 0;
    k->live--;
    k->page_flags[id / KEYS_PER_PAGE] |= KEYS_PAGE_DIRTY;
    weir_grow(&k->free_ids, &k->free_capacity, k->free_count + 1, sizeof *k->free_ids);
    k->free_ids[k->free_count++] = id;
}

void keys_unref(struct keys *k, uint32_t id)
{
    if (--k->keys[id].refs == 0)
        key_remove(k, id);
}

void keys_sweep(struct keys *k)
{
    for (size_t i = 0; i < k->fresh_count; i++)
        if (k->keys[k->fresh[i]].refs == 0 && k->keys[k->fresh[i]].hash)
            key_remove(k, k->fresh[i]);
    k->fresh_count = 0;
}

// ---- interning

// A key of one required text is that text; any other is its columns one behind the other, each fixed or with its length, optional ones with a flag.
static bool is_plain(const struct keys *k)
{
    const struct weir_field *field = &k->plan->event.fields[k->fields[0]];
    return k->field_count == 1 && field->type == WEIR_STRING && !field->optional;
}

static void pack_value(struct weir_buffer *out, const struct weir_column *column, uint32_t row, bool optional)
{
    bool null = weir_column_is_null(column, row);
    if (optional)
        weir_buffer_byte(out, !null);
    if (null)
        return;
    if (column->kind == WEIR_STRS) {
        weir_buffer_varint(out, column->str[row].bytes);
        weir_buffer_add(out, column->str[row].data, column->str[row].bytes);
    } else {
        weir_buffer_add(out, &column->i64[row], 8);
    }
}

// The keys of rows [from, from + count), as views; packed ones lie in k->packed, which keeps its place while they are in use.
static void key_views(struct keys *k, const struct weir_batch *batch, uint32_t from, uint32_t count, struct weir_str *ret)
{
    if (is_plain(k)) {
        memcpy(ret, batch->columns[k->fields[0]].str + from, count * sizeof *ret);
        return;
    }
    k->packed.bytes = 0;
    uint32_t starts[INTERN_CHUNK + 1];
    for (uint32_t j = 0; j < count; j++) {
        starts[j] = (uint32_t)k->packed.bytes;
        for (uint32_t c = 0; c < k->field_count; c++)
            pack_value(&k->packed, &batch->columns[k->fields[c]], from + j, k->plan->event.fields[k->fields[c]].optional);
    }
    starts[count] = (uint32_t)k->packed.bytes;
    for (uint32_t j = 0; j < count; j++)
        ret[j] = (struct weir_str){(const char *)k->packed.data + starts[j], starts[j + 1] - starts[j]};
}

static uint32_t find_or_add(struct keys *k, uint64_t hash, struct weir_str bytes)
{
    uint32_t tag = (uint32_t)(hash >> 32);
    for (uint32_t at = (uint32_t)hash & k->slot_mask; k->slots[at].id1; at = (at + 1) & k->slot_mask) {
        uint32_t id = k->slots[at].id1 - 1;
        if (k->slots[at].tag == tag && weir_str_eq(key_view(&k->keys[id]), bytes))
            return id;
    }
    return key_add(k, hash, bytes);
}

// Three passes, so that the cache misses of many keys overlap: hash, look at the table, compare with the key itself.
static void intern_chunk(struct keys *k, const struct weir_batch *batch, uint32_t from, uint32_t count, uint32_t *ids)
{
    struct weir_str views[INTERN_CHUNK];
    uint64_t hashes[INTERN_CHUNK];
    uint32_t guesses[INTERN_CHUNK];
    key_views(k, batch, from, count, views);
    for (uint32_t j = 0; j < count; j++) {
        hashes[j] = weir_hash64(views[j].data, views[j].bytes, hash_seed) | 1; // never 0: that marks a free id
        __builtin_prefetch(&k->slots[(uint32_t)hashes[j] & k->slot_mask]);
    }
    for (uint32_t j = 0; j < count; j++) {
        uint32_t at = (uint32_t)hashes[j] & k->slot_mask, tag = (uint32_t)(hashes[j] >> 32);
        while (k->slots[at].id1 && k->slots[at].tag != tag)
            at = (at + 1) & k->slot_mask;
        guesses[j] = k->slots[at].id1;
        if (guesses[j])
            __builtin_prefetch(&k->keys[guesses[j] - 1]);
    }
    for (uint32_t j = 0; j < count; j++) {
        const struct key *key = guesses[j] ? &k->keys[guesses[j] - 1] : NULL;
        bool same = key && key->hash == hashes[j] && weir_str_eq(key_view(key), views[j]);
        ids[j] = same ? guesses[j] - 1 : find_or_add(k, hashes[j], views[j]);
    }
}

void keys_intern(struct keys *k, const struct weir_batch *batch, uint32_t *ids)
{
    for (uint32_t from = 0; from < batch->rows; from += INTERN_CHUNK) {
        uint32_t left = batch->rows - from;
        intern_chunk(k, batch, from, left < INTERN_CHUNK ? left : INTERN_CHUNK, ids + from);
    }
}

uint32_t keys_find(struct keys *k, struct weir_str key)
{
    return find_or_add(k, weir_hash64(key.data, key.bytes, hash_seed) | 1, key);
}

// ---- back to columns

static void unpack_value(struct weir_cursor *c, struct weir_column *column, uint32_t row, bool optional)
{
    bool null = optional && !weir_cursor_byte(c);
    if (column->valid)
        column->valid[row] = !null;
    if (column->kind == WEIR_STRS)
        column->str[row] = null ? (struct weir_str){"", 0} : weir_cursor_take(c, weir_cursor_varint(c));
    else if (null)
        column->i64[row] = 0;
    else
        memcpy(&column->i64[row], weir_cursor_take(c, 8).data, 8);
}

void keys_columns(const struct keys *k, const uint32_t *ids, uint32_t count, struct weir_arena *arena, struct weir_column *ret)
{
    for (uint32_t c = 0; c < k->field_count; c++) {
        const struct weir_field *field = &k->plan->event.fields[k->fields[c]];
        ret[c].kind = weir_kind_of(field->type);
        ret[c].data = weir_arena_alloc(arena, count * (ret[c].kind == WEIR_STRS ? sizeof(struct weir_str) : 8));
        ret[c].valid = field->optional ? weir_arena_alloc(arena, count) : NULL;
    }
    bool plain = is_plain(k);
    for (uint32_t j = 0; j < count; j++) {
        struct weir_str view = key_view(&k->keys[ids[j]]);
        struct weir_cursor cursor = {(const uint8_t *)view.data, (const uint8_t *)view.data + view.bytes, false};
        if (plain)
            ret[0].str[j] = view;
        else
            for (uint32_t c = 0; c < k->field_count; c++)
                unpack_value(&cursor, &ret[c], j, k->plan->event.fields[k->fields[c]].optional);
        weir_assert(!cursor.bad);
    }
}

// ---- checkpoints: (index in the page + 1, length, bytes)… then 0

void keys_save_page(const struct keys *k, uint32_t page, struct weir_buffer *out)
{
    for (uint32_t i = 0; i < KEYS_PER_PAGE; i++) {
        uint32_t id = page * KEYS_PER_PAGE + i;
        if (id >= k->used || !k->keys[id].hash)
            continue;
        struct weir_str view = key_view(&k->keys[id]);
        weir_buffer_byte(out, (uint8_t)(i + 1));
        weir_buffer_varint(out, view.bytes);
        weir_buffer_add(out, view.data, view.bytes);
    }
    if (out->bytes)
        weir_buffer_byte(out, 0);
}

int keys_restore_page(struct keys *k, uint32_t page, struct weir_str bytes)
{
    struct weir_cursor c = {(const uint8_t *)bytes.data, (const uint8_t *)bytes.data + bytes.bytes, false};
    if (page >= UINT32_MAX / KEYS_PER_PAGE - 1)
        return -1;
    for (uint8_t index; (index = weir_cursor_byte(&c)) != 0;) {
        struct weir_str view = weir_cursor_take(&c, weir_cursor_varint(&c));
        uint32_t id = page * KEYS_PER_PAGE + index - 1u;
        if (c.bad || index > KEYS_PER_PAGE)
            return -1;
        make_room(k, id);
        if (id >= k->used)
            k->used = id + 1;
        if (k->keys[id].hash)
            return -1;
        key_set(k, id, weir_hash64(view.data, view.bytes, hash_seed) | 1, view);
    }
    if (c.bad || c.at != c.end || page >= k->capacity / KEYS_PER_PAGE)
        return -1;
    k->page_flags[page] = KEYS_PAGE_SAVED;
    return 0;
}

void keys_restore_done(struct keys *k)
{
    for (uint32_t id = k->used; id-- > 0;)
        if (!k->keys[id].hash) {
            weir_grow(&k->free_ids, &k->free_capacity, k->free_count + 1, sizeof *k->free_ids);
            k->free_ids[k->free_count++] = id;
        }
    keys_sweep(k);
}
