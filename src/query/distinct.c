// SPDX-License-Identifier: Apache-2.0
#include "query/distinct.h"

#include "base/memory.h"
#include <math.h>
#include <stdlib.h>

enum { INDEX_BITS = 14, REGISTERS = 1 << INDEX_BITS, RANK_MAX = 64 - INDEX_BITS + 1, FIRST_SLOTS = 8 };

static struct blob *blob_zeroed(uint32_t bytes)
{
    struct blob *b = weir_zalloc(1, sizeof *b + bytes);
    b->bytes = b->capacity = bytes;
    return b;
}

bool distinct_is_estimate(const struct blob *set)
{
    return set && set->bytes == REGISTERS;
}

bool distinct_valid(struct weir_str bytes)
{
    if ((bytes.bytes & (bytes.bytes - 1)) != 0 || (bytes.bytes != 0 && bytes.bytes < 8 * FIRST_SLOTS) || bytes.bytes > REGISTERS)
        return false;
    uint32_t slots = bytes.bytes / 8, taken = 0;
    for (uint32_t slot = 0; slot < slots; slot++)
        taken += memcmp(bytes.data + slot * 8, &(uint64_t){0}, 8) != 0;
    return bytes.bytes == REGISTERS || taken * 4 <= slots * 3; // a full table would be searched for ever
}

static void register_add(struct blob *sketch, uint64_t hash)
{
    uint64_t rest = hash << INDEX_BITS;
    uint8_t rank = rest ? (uint8_t)(__builtin_clzll(rest) + 1) : RANK_MAX;
    uint8_t *reg = (uint8_t *)&sketch->data[hash >> (64 - INDEX_BITS)];
    if (*reg < rank)
        *reg = rank;
}

static uint64_t slot_at(const struct blob *set, uint32_t slot)
{
    uint64_t hash;
    memcpy(&hash, set->data + slot * 8, 8);
    return hash;
}

// The slot that holds the hash, or the empty one where it belongs.
static uint32_t slot_find(const struct blob *set, uint64_t hash)
{
    uint32_t mask = set->bytes / 8 - 1, slot = (uint32_t)hash & mask;
    for (uint64_t held; (held = slot_at(set, slot)) != 0 && held != hash;)
        slot = (slot + 1) & mask;
    return slot;
}

static uint32_t slots_taken(const struct blob *set)
{
    uint32_t taken = 0;
    for (uint32_t slot = 0; slot < set->bytes / 8; slot++)
        taken += slot_at(set, slot) != 0;
    return taken;
}

// The full table becomes one of twice the size, or the sketch.
static void grow(struct blob **set, uint32_t taken)
{
    bool sketch = taken > DISTINCT_EXACT;
    struct blob *old = *set, *grown = blob_zeroed(sketch ? REGISTERS : old->bytes * 2);
    for (uint32_t slot = 0; slot < old->bytes / 8; slot++) {
        uint64_t hash = slot_at(old, slot);
        if (hash && sketch)
            register_add(grown, hash);
        else if (hash)
            memcpy(grown->data + slot_find(grown, hash) * 8, &hash, 8);
    }
    free(old);
    *set = grown;
}

void distinct_add(struct blob **set, uint64_t hash)
{
    hash |= !hash;
    if (!*set)
        *set = blob_zeroed(8 * FIRST_SLOTS);
    if (distinct_is_estimate(*set)) {
        register_add(*set, hash);
        return;
    }
    uint32_t slot = slot_find(*set, hash);
    if (slot_at(*set, slot))
        return;
    memcpy((*set)->data + slot * 8, &hash, 8);
    uint32_t slots = (*set)->bytes / 8, taken = slots_taken(*set);
    if (taken * 4 > slots * 3)
        grow(set, taken);
}

// Both are estimates.
static void registers_merge(struct blob *into, const struct blob *from)
{
    uint8_t *a = (uint8_t *)into->data;
    const uint8_t *b = (const uint8_t *)from->data;
    for (uint32_t i = 0; i < REGISTERS; i++)
        a[i] = b[i] > a[i] ? b[i] : a[i];
}

static void hashes_add(struct blob **into, const struct blob *exact)
{
    for (uint32_t slot = 0; exact && slot < exact->bytes / 8; slot++)
        if (slot_at(exact, slot))
            distinct_add(into, slot_at(exact, slot));
}

void distinct_merge(struct blob **into, const struct blob *from)
{
    if (!distinct_is_estimate(from)) {
        hashes_add(into, from);
        return;
    }
    if (distinct_is_estimate(*into)) {
        registers_merge(*into, from);
        return;
    }
    struct blob *exact = *into;
    *into = NULL;
    blob_set(into, blob_view(from));
    hashes_add(into, exact);
    blob_drop(&exact);
}

static double sigma(double x)
{
    if (x == 1)
        return INFINITY;
    double y = 1, z = x, before;
    do {
        x *= x;
        before = z;
        z += x * y;
        y += y;
    } while (z != before);
    return z;
}

static double tau(double x)
{
    if (x == 0 || x == 1)
        return 0;
    double y = 1, z = 1 - x, before;
    do {
        x = sqrt(x);
        before = z;
        y *= 0.5;
        z -= (1 - x) * (1 - x) * y;
    } while (z != before);
    return z / 3;
}

static int64_t estimate(const struct blob *sketch)
{
    uint32_t counts[RANK_MAX + 1] = {0};
    for (uint32_t i = 0; i < REGISTERS; i++)
        counts[(uint8_t)sketch->data[i] <= RANK_MAX ? (uint8_t)sketch->data[i] : RANK_MAX]++;
    double z = REGISTERS * tau(1 - (double)counts[RANK_MAX] / REGISTERS);
    for (int rank = RANK_MAX - 1; rank >= 1; rank--)
        z = 0.5 * (z + counts[rank]);
    z += REGISTERS * sigma((double)counts[0] / REGISTERS);
    return (int64_t)llround(REGISTERS / (2 * M_LN2) * REGISTERS / z);
}

int64_t distinct_count(const struct blob *set)
{
    if (!set)
        return 0;
    return distinct_is_estimate(set) ? estimate(set) : slots_taken(set);
}
