// SPDX-License-Identifier: Apache-2.0
// Allocation that cannot fail: running out of memory ends the process with a message. Sizes that come from outside are checked before they get here.
#pragma once
#include <stddef.h>

void *weir_alloc(size_t bytes);                // uninitialised
void *weir_zalloc(size_t count, size_t bytes); // zeroed; count * bytes is checked for overflow
void *weir_realloc(void *old, size_t bytes);
char *weir_strdup(const char *text);
char *weir_format(const char *format, ...) __attribute__((format(printf, 1, 2))); // caller frees
void weir_freep(void *pointer_to_pointer);                                        // for weir_cleanup: frees what the variable points to

// Grows *array (of items of `bytes` each) so that `needed` items fit; doubles, keeps contents. *capacity counts items.
void weir_grow(void *array, size_t *capacity, size_t needed, size_t bytes);
