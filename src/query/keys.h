// SPDX-License-Identifier: Apache-2.0
// Group keys as dense numbers: a key is hashed once an event and gets the same id as long as some window holds it. Ids index the accumulators; they are
// given out from 0 and reused after their last window closed, so that arrays indexed by them stay as small as the number of live keys.
#pragma once
#include "base/buffer.h"
#include "base/value.h"
#include "spec/plan.h"

enum { KEYS_PER_PAGE = 64, KEY_INLINE_BYTES = 48 };

struct key { // one cache line
    uint64_t hash;
    uint32_t bytes;
    uint32_t refs; // windows that hold an accumulator of it
    union {
        char data[KEY_INLINE_BYTES];
        char *heap; // where bytes > KEY_INLINE_BYTES
    };
};

struct key_slot { // of the open-addressing table
    uint32_t tag; // high half of the hash
    uint32_t id1; // id + 1; 0: empty
};

struct keys {
    const struct weir_plan *plan;
    uint32_t field_count;
    const uint32_t *fields; // event fields that make the key, in order
    uint64_t identity;      // names them in checkpoints

    struct key_slot *slots;
    uint32_t slot_mask;
    struct key *keys;  // by id
    uint32_t capacity; // of keys; a multiple of KEYS_PER_PAGE
    uint32_t used;     // ids given out up to here; some may be free again
    uint32_t live;
    uint32_t *free_ids;
    size_t free_count, free_capacity;
    uint8_t *page_flags; // by id / KEYS_PER_PAGE
    uint32_t *fresh;     // ids made since the last keys_sweep: those without a window yet are taken back there
    size_t fresh_count, fresh_capacity;
    struct weir_buffer packed; // keys of more than one column, while a batch is interned
};

enum { KEYS_PAGE_DIRTY = 1, KEYS_PAGE_SAVED = 2 };

void keys_open(struct keys *k, const struct weir_plan *plan, const uint32_t *fields, uint32_t field_count);
void keys_close(struct keys *k);

// ids[i] for every row of the batch. Ids stay valid until keys_sweep, and beyond it while they are referenced.
void keys_intern(struct keys *k, const struct weir_batch *batch, uint32_t *ids);
uint32_t keys_find(struct keys *k, struct weir_str key); // of one key as key_view gives it; a new id where there is none
static inline void keys_ref(struct keys *k, uint32_t id)
{
    k->keys[id].refs++;
}
void keys_unref(struct keys *k, uint32_t id);
void keys_sweep(struct keys *k);

// The values of the key's columns, column by column, for `count` ids; views into the keys themselves.
void keys_columns(const struct keys *k, const uint32_t *ids, uint32_t count, struct weir_arena *arena, struct weir_column *ret);

static inline struct weir_str key_view(const struct key *key)
{
    return (struct weir_str){key->bytes <= KEY_INLINE_BYTES ? key->data : key->heap, key->bytes};
}

// Checkpoints: the page of 64 ids, and back (an id then has no references yet). restore gives -1 for bytes that are no such page.
void keys_save_page(const struct keys *k, uint32_t page, struct weir_buffer *out);
int keys_restore_page(struct keys *k, uint32_t page, struct weir_str bytes);
void keys_restore_done(struct keys *k); // after the last page: finds the free ids
