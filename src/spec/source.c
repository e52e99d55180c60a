// SPDX-License-Identifier: Apache-2.0
#include "spec/source.h"

// Bytes of the line break at `at`, 0 if there is none: LF, CR LF, CR, and the three of Unicode that YAML 1.1 knows (NEL, LS, PS).
static uint32_t break_bytes(struct weir_str text, uint32_t at)
{
    const unsigned char *c = (const unsigned char *)text.data + at;
    uint32_t left = text.bytes - at;
    if (left && c[0] == '\n')
        return 1;
    if (left && c[0] == '\r')
        return left > 1 && c[1] == '\n' ? 2 : 1;
    if (left > 1 && c[0] == 0xC2 && c[1] == 0x85)
        return 2;
    return left > 2 && c[0] == 0xE2 && c[1] == 0x80 && (c[2] == 0xA8 || c[2] == 0xA9) ? 3 : 0;
}

uint32_t source_char_bytes(struct weir_str text, uint32_t at)
{
    unsigned char first = (unsigned char)text.data[at];
    uint32_t bytes = first < 0xC0 ? 1 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
    return bytes < text.bytes - at ? bytes : text.bytes - at;
}

static size_t walk_lines(struct weir_str text, uint32_t *starts)
{
    size_t count = 1;
    if (starts)
        starts[0] = 0;
    for (uint32_t at = 0; at < text.bytes;) {
        uint32_t bytes = break_bytes(text, at);
        at += bytes ? bytes : 1;
        if (bytes && starts)
            starts[count] = at;
        count += bytes > 0;
    }
    return count;
}

void source_init(struct source *s, const char *path, struct weir_str text, struct weir_arena *arena)
{
    s->path = path;
    s->text = text;
    s->line_count = walk_lines(text, NULL);
    s->line_starts = weir_arena_alloc(arena, s->line_count * sizeof *s->line_starts);
    walk_lines(text, s->line_starts);
}

struct weir_str source_line(const struct source *s, int line)
{
    if (line < 1 || (size_t)line > s->line_count)
        return (struct weir_str){"", 0};
    uint32_t from = s->line_starts[line - 1], to = from;
    while (to < s->text.bytes && !break_bytes(s->text, to))
        to++;
    return (struct weir_str){s->text.data + from, to - from};
}

uint32_t source_offset(const struct source *s, int line, int column)
{
    if (line < 1 || (size_t)line > s->line_count)
        return s->text.bytes;
    struct weir_str text = source_line(s, line);
    uint32_t at = 0;
    for (int i = 1; i < column && at < text.bytes; i++)
        at += source_char_bytes(text, at);
    return s->line_starts[line - 1] + at;
}

static int characters(struct weir_str text, uint32_t from, uint32_t to)
{
    int count = 0;
    for (uint32_t at = from; at < to; at += source_char_bytes(text, at))
        count++;
    return count;
}

struct place source_place(const struct source *s, uint32_t from, uint32_t to)
{
    size_t low = 0, high = s->line_count;
    while (high - low > 1) {
        size_t middle = (low + high) / 2;
        if (s->line_starts[middle] <= from)
            low = middle;
        else
            high = middle;
    }
    struct weir_str line = source_line(s, (int)low + 1);
    uint32_t start = from - s->line_starts[low], end = to > from ? to - s->line_starts[low] : start;
    if (start > line.bytes)
        start = line.bytes;
    if (end > line.bytes)
        end = line.bytes;
    int width = characters(line, start, end);
    return (struct place){(int)low + 1, characters(line, 0, start) + 1, width > 0 ? width : 1};
}
