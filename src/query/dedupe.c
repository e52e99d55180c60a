// SPDX-License-Identifier: Apache-2.0
//   page 'D' | number u64: (a u64 | b u64 | time_ms i64)…
#include "query/dedupe.h"

#include "base/error.h"
#include "base/hash.h"
#include "base/memory.h"
#include <stdlib.h>

enum { FIRST_SLOTS = 1024, PAGE_KEYS = 32768, KEY_BYTES = 24 };

_Static_assert(sizeof(struct seen) == KEY_BYTES, "pages hold the keys as they are");

void dedupe_open(struct dedupe *d, const struct weir_event_spec *event)
{
    *d = (struct dedupe){.event = event, .mask = FIRST_SLOTS - 1};
    d->slots = weir_zalloc(FIRST_SLOTS, sizeof *d->slots);
}

void dedupe_close(struct dedupe *d)
{
    free(d->slots);
    free(d->fresh);
    free(d->pages);
}

static uint64_t hash_value(const struct weir_column *column, uint32_t row, uint64_t seed)
{
    if (weir_column_is_null(column, row))
        return weir_hash64("", 0, ~seed);
    if (column->kind == WEIR_STRS)
        return weir_hash64(column->str[row].data, column->str[row].bytes, seed);
    return weir_hash64(&column->i64[row], 8, seed); // the bits of a double too
}

static struct seen key_of(const struct dedupe *d, const struct weir_batch *batch, uint32_t row)
{
    struct seen key = {.a = 1, .b = 2, .time_ms = batch->time_ms[row]};
    for (uint32_t i = 0; i < d->event->dedupe_count; i++) {
        const struct weir_column *column = &batch->columns[d->event->dedupe_fields[i]];
        key.a = hash_value(column, row, key.a);
        key.b = hash_value(column, row, key.b);
    }
    key.a |= !key.a;
    return key;
}

static bool forgotten(const struct dedupe *d, int64_t time_ms, int64_t high_ms)
{
    int64_t until;
    return high_ms != INT64_MIN && !__builtin_add_overflow(time_ms, d->event->dedupe_within_ms, &until) && until <= high_ms;
}

static struct seen *slot_of(struct seen *slots, uint64_t mask, const struct seen *key)
{
    uint64_t at = key->a & mask;
    while (slots[at].a && (slots[at].a != key->a || slots[at].b != key->b))
        at = (at + 1) & mask;
    return &slots[at];
}

// Leaves what is forgotten behind, and doubles the table if it is still half full then.
static void make_room(struct dedupe *d, int64_t high_ms)
{
    uint64_t live = 0;
    for (uint64_t i = 0; i <= d->mask; i++)
        live += d->slots[i].a && !forgotten(d, d->slots[i].time_ms, high_ms);
    uint64_t mask = live * 2 > d->mask ? d->mask * 2 + 1 : d->mask;
    struct seen *slots = weir_zalloc(mask + 1, sizeof *slots);
    for (uint64_t i = 0; i <= d->mask; i++)
        if (d->slots[i].a && !forgotten(d, d->slots[i].time_ms, high_ms))
            *slot_of(slots, mask, &d->slots[i]) = d->slots[i];
    free(d->slots);
    d->slots = slots;
    d->mask = mask;
    d->count = live;
}

static void put_key(struct dedupe *d, struct seen *slot, const struct seen *key, int64_t high_ms)
{
    d->count += slot->a == 0;
    *slot = *key;
    if (d->count * 4 > d->mask * 3)
        make_room(d, high_ms);
}

// Whether the key is new; it is remembered then.
static bool remember(struct dedupe *d, const struct seen *key, int64_t high_ms)
{
    struct seen *slot = slot_of(d->slots, d->mask, key);
    if (slot->a && !forgotten(d, slot->time_ms, high_ms))
        return false;
    put_key(d, slot, key, high_ms);
    return true;
}

uint32_t dedupe_select(struct dedupe *d, const struct weir_batch *batch, const int64_t *high_before, uint32_t *ret_rows)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < batch->rows; i++) {
        struct seen key = key_of(d, batch, i);
        if (!remember(d, &key, high_before[i]))
            continue;
        weir_grow(&d->fresh, &d->fresh_capacity, d->fresh_count + 1, sizeof *d->fresh);
        d->fresh[d->fresh_count++] = key;
        ret_rows[kept++] = i;
    }
    return kept;
}

// ---- checkpoints

static struct weir_str page_key(uint64_t number, uint8_t bytes[9])
{
    uint64_t big = __builtin_bswap64(number);
    bytes[0] = 'D';
    memcpy(bytes + 1, &big, 8);
    return (struct weir_str){(const char *)bytes, 9};
}

static void add_page(struct dedupe *d, uint64_t number, const struct seen *keys, size_t count)
{
    struct seen_page page = {number, INT64_MIN};
    for (size_t i = 0; i < count; i++)
        page.latest_ms = keys[i].time_ms > page.latest_ms ? keys[i].time_ms : page.latest_ms;
    weir_grow(&d->pages, &d->page_capacity, d->page_count + 1, sizeof *d->pages);
    d->pages[d->page_count++] = page;
}

void dedupe_save(struct dedupe *d, int64_t high_ms, void (*put)(void *context, struct weir_str key, struct weir_str page), void *context)
{
    uint8_t key[9];
    size_t kept = 0;
    for (size_t i = 0; i < d->page_count; i++) {
        if (forgotten(d, d->pages[i].latest_ms, high_ms))
            put(context, page_key(d->pages[i].number, key), (struct weir_str){"", 0});
        else
            d->pages[kept++] = d->pages[i];
    }
    d->page_count = kept;
    for (size_t from = 0; from < d->fresh_count; from += PAGE_KEYS) {
        size_t count = d->fresh_count - from < PAGE_KEYS ? d->fresh_count - from : PAGE_KEYS;
        put(context, page_key(d->next_page, key), (struct weir_str){(const char *)(d->fresh + from), (uint32_t)(count * KEY_BYTES)});
        add_page(d, d->next_page++, d->fresh + from, count);
    }
    d->fresh_count = 0;
}

int dedupe_restore(struct dedupe *d, uint64_t number, struct weir_str page)
{
    size_t count = page.bytes / KEY_BYTES;
    if (page.bytes % KEY_BYTES != 0 || count > PAGE_KEYS)
        return -1;
    weir_cleanup(weir_freep) struct seen *keys = weir_alloc(page.bytes);
    memcpy(keys, page.data, page.bytes);
    for (size_t i = 0; i < count; i++) {
        if (!keys[i].a)
            return -1;
        put_key(d, slot_of(d->slots, d->mask, &keys[i]), &keys[i], INT64_MIN);
    }
    add_page(d, number, keys, count);
    if (number >= d->next_page)
        d->next_page = number + 1;
    return 0;
}
