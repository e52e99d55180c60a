// SPDX-License-Identifier: Apache-2.0
// Memory that is freed all at once. An arena keeps its blocks over a reset, so that in steady state the hot path allocates nothing.
// Not thread-safe: an arena belongs to one thread at a time.
#pragma once
#include "base/str.h"
#include <stddef.h>

struct weir_arena_block;

struct weir_arena {
    struct weir_arena_block *first, *current; // zero is a valid, empty arena
    size_t used;                              // bytes handed out of *current
    size_t total_bytes;                       // memory held, for accounting
};

void *weir_arena_alloc(struct weir_arena *arena, size_t bytes);                  // 16-byte aligned, uninitialised
void *weir_arena_zalloc(struct weir_arena *arena, size_t bytes);                 // zeroed
struct weir_str weir_arena_copy(struct weir_arena *arena, struct weir_str text); // NUL-terminated copy
char *weir_arena_format(struct weir_arena *arena, const char *format, ...) __attribute__((format(printf, 2, 3)));
void weir_arena_reset(struct weir_arena *arena); // all handed-out memory is void; blocks are kept
void weir_arena_drop(struct weir_arena *arena);  // frees the blocks; the arena is empty and usable again
