// SPDX-License-Identifier: Apache-2.0
// The text of a pipeline file by lines and columns. Both count from 1, columns in characters, as libyaml's marks do.
#pragma once
#include "base/arena.h"

struct place {
    int line; // 0: not in the file (a flag, an environment variable)
    int column;
    int width; // characters to underline
};

struct source {
    const char *path;
    struct weir_str text;
    size_t line_count;
    uint32_t *line_starts; // byte offsets
};

void source_init(struct source *s, const char *path, struct weir_str text, struct weir_arena *arena);
struct weir_str source_line(const struct source *s, int line);                 // without its break; empty outside the text
uint32_t source_offset(const struct source *s, int line, int column);          // in bytes; clipped to the line
struct place source_place(const struct source *s, uint32_t from, uint32_t to); // of bytes [from, to); the width ends with the line

// Bytes of the character that starts at text.data[at]; at least 1, at most what is left.
uint32_t source_char_bytes(struct weir_str text, uint32_t at);
