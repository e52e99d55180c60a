// SPDX-License-Identifier: Apache-2.0
// Mistakes found in a pipeline file, kept until all are known and printed in the order of the file.
#pragma once
#include "spec/source.h"
#include <stdarg.h>
#include <stdio.h>

#define DIAG_KEPT_MAX 200 // more are counted only

struct diag {
    struct place at;
    const char *origin; // printed in place of file:line:column where at.line is 0
    const char *message;
    const char *hint; // after the caret; NULL: none
    size_t sequence;
};

struct diag_list {
    const struct source *source;
    struct weir_arena *arena;
    struct diag *items;
    size_t count, capacity;
    size_t total; // including those beyond DIAG_KEPT_MAX
};

// `origin` is used where at.line is 0. origin and hint must live as long as the list; the message is copied to the arena.
void diag_add(struct diag_list *d, struct place at, const char *origin, const char *hint, const char *format, va_list arguments);
void diag_print(struct diag_list *d, FILE *out, bool color); // sorts by position
void diag_drop(struct diag_list *d);
