// SPDX-License-Identifier: Apache-2.0
#include "base/arena.h"

#include "base/memory.h"
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct weir_arena_block {
    struct weir_arena_block *next;
    size_t capacity;
    _Alignas(16) unsigned char data[];
};

enum { FIRST_BLOCK_BYTES = 4096, BLOCK_BYTES_MAX = 1 << 20 };

static struct weir_arena_block *block_new(struct weir_arena *arena, size_t bytes)
{
    size_t capacity = arena->current ? arena->current->capacity * 2 : FIRST_BLOCK_BYTES;
    if (capacity > BLOCK_BYTES_MAX)
        capacity = BLOCK_BYTES_MAX;
    if (capacity < bytes)
        capacity = bytes;
    struct weir_arena_block *block = weir_alloc(sizeof *block + capacity);
    block->capacity = capacity;
    arena->total_bytes += sizeof *block + capacity;
    return block;
}

// Moves on to a block with room: the next one that is kept from before a reset, or a new one put between.
static void next_block(struct weir_arena *arena, size_t bytes)
{
    struct weir_arena_block **link = arena->current ? &arena->current->next : &arena->first;
    if (!*link || (*link)->capacity < bytes) {
        struct weir_arena_block *block = block_new(arena, bytes);
        block->next = *link;
        *link = block;
    }
    arena->current = *link;
    arena->used = 0;
}

void *weir_arena_alloc(struct weir_arena *arena, size_t bytes)
{
    bytes = (bytes + 15) & ~(size_t)15;
    if (!arena->current || arena->current->capacity - arena->used < bytes)
        next_block(arena, bytes);
    void *memory = arena->current->data + arena->used;
    arena->used += bytes;
    return memory;
}

void *weir_arena_zalloc(struct weir_arena *arena, size_t bytes)
{
    return memset(weir_arena_alloc(arena, bytes), 0, bytes);
}

struct weir_str weir_arena_copy(struct weir_arena *arena, struct weir_str text)
{
    char *copy = weir_arena_alloc(arena, (size_t)text.bytes + 1);
    if (text.bytes)
        memcpy(copy, text.data, text.bytes);
    copy[text.bytes] = 0;
    return (struct weir_str){copy, text.bytes};
}

char *weir_arena_format(struct weir_arena *arena, const char *format, ...)
{
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    int bytes = vsnprintf(NULL, 0, format, args);
    char *text = weir_arena_alloc(arena, (size_t)bytes + 1);
    vsnprintf(text, (size_t)bytes + 1, format, again);
    va_end(again);
    va_end(args);
    return text;
}

void weir_arena_reset(struct weir_arena *arena)
{
    arena->current = arena->first;
    arena->used = 0;
}

void weir_arena_drop(struct weir_arena *arena)
{
    while (arena->first) {
        struct weir_arena_block *next = arena->first->next;
        free(arena->first);
        arena->first = next;
    }
    *arena = (struct weir_arena){0};
}
