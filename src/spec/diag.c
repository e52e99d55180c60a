// SPDX-License-Identifier: Apache-2.0
#include "spec/diag.h"
#include "base/memory.h"
#include <stdlib.h>

#define LINE_CHARS_MAX 160 // longer lines are shown around the mistake
#define CHARS_BEFORE   60
#define MESSAGE_BYTES  512

struct palette {
    const char *strong, *error, *caret, *off;
};

static const struct palette plain = {"", "", "", ""};
static const struct palette colored = {"\033[1m", "\033[1;31m", "\033[1;32m", "\033[0m"};

static bool known(const struct diag_list *d, struct place at, const char *message)
{
    for (size_t i = 0; i < d->count; i++) {
        const struct diag *other = &d->items[i];
        if (other->at.line == at.line && other->at.column == at.column && strcmp(other->message, message) == 0)
            return true;
    }
    return false;
}

void diag_add(struct diag_list *d, struct place at, const char *origin, const char *hint, const char *format, va_list arguments)
{
    char message[MESSAGE_BYTES];
    vsnprintf(message, sizeof message, format, arguments);
    if (known(d, at, message))
        return;
    d->total++;
    if (d->count == DIAG_KEPT_MAX)
        return;
    weir_grow(&d->items, &d->capacity, d->count + 1, sizeof *d->items);
    const char *kept = weir_arena_copy(d->arena, weir_str_of(message)).data;
    d->items[d->count] = (struct diag){.at = at, .origin = origin, .message = kept, .hint = hint, .sequence = d->count};
    d->count++;
}

static int by_position(const void *left, const void *right)
{
    const struct diag *a = left, *b = right;
    if (a->at.line != b->at.line)
        return a->at.line < b->at.line ? -1 : 1;
    if (a->at.column != b->at.column)
        return a->at.column < b->at.column ? -1 : 1;
    return a->sequence < b->sequence ? -1 : 1;
}

// Nothing of the file may steer the terminal.
static void put_char(FILE *out, struct weir_str text, uint32_t at, uint32_t bytes)
{
    unsigned char c = (unsigned char)text.data[at];
    if (c == 0x7F || (c < 0x20 && c != '\t') || (c >= 0x80 && (bytes == 1 || (c == 0xC2 && (unsigned char)text.data[at + 1] < 0xA0))))
        fputc('?', out);
    else
        fwrite(text.data + at, 1, bytes, out);
}

static void put_text(FILE *out, const char *text)
{
    struct weir_str all = weir_str_of(text);
    for (uint32_t at = 0, bytes; at < all.bytes; at += bytes) {
        bytes = source_char_bytes(all, at);
        put_char(out, all, at, bytes);
    }
}

struct excerpt {
    int first, last; // characters shown, from 1
};

static struct excerpt choose_excerpt(int chars, int column)
{
    if (chars <= LINE_CHARS_MAX)
        return (struct excerpt){1, chars};
    int first = column > CHARS_BEFORE ? column - CHARS_BEFORE : 1;
    int last = first + LINE_CHARS_MAX - 1;
    return (struct excerpt){first, last < chars ? last : chars};
}

static int count_chars(struct weir_str line)
{
    int chars = 0;
    for (uint32_t at = 0; at < line.bytes; at += source_char_bytes(line, at))
        chars++;
    return chars;
}

// Prints the characters of the excerpt; or, as padding, blanks (tabs stay tabs) for those before `column`.
static void put_excerpt(FILE *out, struct weir_str line, struct excerpt shown, int padding_to)
{
    int at_char = 1;
    for (uint32_t at = 0, bytes; at < line.bytes; at += bytes, at_char++) {
        bytes = source_char_bytes(line, at);
        if (at_char < shown.first || at_char > shown.last)
            continue;
        if (!padding_to)
            put_char(out, line, at, bytes);
        else if (at_char < padding_to)
            fputc(line.data[at] == '\t' ? '\t' : ' ', out);
    }
}

static void put_caret(FILE *out, const struct diag *item, struct excerpt shown, const struct palette *p)
{
    int width = item->at.width;
    if (item->at.column + width - 1 > shown.last)
        width = shown.last - item->at.column + 1;
    fprintf(out, "%s^", p->caret);
    for (int i = 1; i < width; i++)
        fputc('~', out);
    if (item->hint) {
        fputc(' ', out);
        put_text(out, item->hint);
    }
    fprintf(out, "%s\n", p->off);
}

static void put_source(const struct diag_list *d, const struct diag *item, FILE *out, const struct palette *p)
{
    struct weir_str line = source_line(d->source, item->at.line);
    int chars = count_chars(line);
    struct excerpt shown = choose_excerpt(chars, item->at.column);
    const char *before = shown.first > 1 ? "…" : "", *after = shown.last < chars ? "…" : "";
    int margin = fprintf(out, "%4d | ", item->at.line);
    fputs(before, out);
    put_excerpt(out, line, shown, 0);
    fprintf(out, "%s\n%*s", after, margin + (*before != '\0'), "");
    put_excerpt(out, line, shown, item->at.column);
    put_caret(out, item, shown, p);
}

static void put_item(const struct diag_list *d, const struct diag *item, FILE *out, const struct palette *p)
{
    if (item->at.line > 0)
        fprintf(out, "%s%s:%d:%d:%s ", p->strong, d->source->path, item->at.line, item->at.column, p->off);
    else
        fprintf(out, "%s%s:%s ", p->strong, item->origin ? item->origin : d->source->path, p->off);
    fprintf(out, "%serror:%s ", p->error, p->off);
    put_text(out, item->message);
    fputc('\n', out);
    if (item->at.line > 0)
        put_source(d, item, out, p);
    else if (item->hint)
        fprintf(out, "     | %s\n", item->hint);
}

void diag_print(struct diag_list *d, FILE *out, bool color)
{
    if (d->count)
        qsort(d->items, d->count, sizeof *d->items, by_position);
    for (size_t i = 0; i < d->count; i++)
        put_item(d, &d->items[i], out, color ? &colored : &plain);
    if (d->total > d->count)
        fprintf(out, "%s: and more mistakes: these are the first %zu\n", d->source->path, d->count);
}

void diag_drop(struct diag_list *d)
{
    free(d->items);
    d->items = NULL;
    d->count = d->capacity = 0;
}
