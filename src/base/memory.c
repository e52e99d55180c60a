// SPDX-License-Identifier: Apache-2.0
#include "base/memory.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void *checked(void *memory, size_t bytes)
{
    if (!memory && bytes) {
        fprintf(stderr, "weir: out of memory (%zu bytes wanted)\n", bytes);
        abort();
    }
    return memory;
}

void *weir_alloc(size_t bytes)
{
    return checked(malloc(bytes ? bytes : 1), bytes);
}

void *weir_zalloc(size_t count, size_t bytes)
{
    return checked(calloc(count ? count : 1, bytes ? bytes : 1), count * bytes + 1);
}

void *weir_realloc(void *old, size_t bytes)
{
    return checked(realloc(old, bytes ? bytes : 1), bytes);
}

char *weir_strdup(const char *text)
{
    size_t bytes = strlen(text) + 1;
    return memcpy(weir_alloc(bytes), text, bytes);
}

char *weir_format(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    char *text = NULL;
    int bytes = vasprintf(&text, format, args);
    va_end(args);
    return checked(bytes < 0 ? NULL : text, 1);
}

void weir_freep(void *pointer_to_pointer)
{
    void *memory;
    memcpy(&memory, pointer_to_pointer, sizeof memory);
    free(memory);
}

void weir_grow(void *array, size_t *capacity, size_t needed, size_t bytes)
{
    if (needed <= *capacity)
        return;
    size_t grown = *capacity ? *capacity * 2 : 8;
    if (grown < needed)
        grown = needed;
    void *memory;
    memcpy(&memory, array, sizeof memory);
    memory = weir_realloc(memory, grown * bytes);
    memcpy(array, &memory, sizeof memory);
    *capacity = grown;
}
