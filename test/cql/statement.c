// SPDX-License-Identifier: Apache-2.0
#include "base/hash.h"
#include "inside.h"
#include <ctype.h>
#include <stdlib.h>
#include <strings.h>

struct weir_str fake_text_after(struct weir_str text, const char *part)
{
    uint32_t bytes = (uint32_t)strlen(part);
    for (uint32_t at = 0; at + bytes <= text.bytes; at++) {
        if (strncasecmp(text.data + at, part, bytes) == 0)
            return (struct weir_str){text.data + at + bytes, text.bytes - at - bytes};
    }
    return (struct weir_str){0};
}

bool fake_text_starts(struct weir_str text, const char *verb)
{
    uint32_t bytes = (uint32_t)strlen(verb);
    return text.bytes >= bytes && strncasecmp(text.data, verb, bytes) == 0;
}

static bool in_word(char c)
{
    return isalnum((unsigned char)c) || c == '_' || c == '.' || c == '*';
}

struct weir_str fake_text_word(struct weir_str text)
{
    while (text.bytes && !in_word(*text.data))
        text = (struct weir_str){text.data + 1, text.bytes - 1};
    uint32_t bytes = 0;
    while (bytes < text.bytes && in_word(text.data[bytes]))
        bytes++;
    return (struct weir_str){text.data, bytes};
}

static struct weir_str behind(struct weir_str text, struct weir_str word)
{
    const char *end = text.data + text.bytes, *at = word.data + word.bytes;
    return (struct weir_str){at, (uint32_t)(end - at)};
}

uint32_t fake_select_columns(struct weir_str text, struct weir_str *ret_names)
{
    struct weir_str from = fake_text_after(text, " FROM ");
    struct weir_str list = {text.data + 6, from.data ? (uint32_t)(from.data - 6 - (text.data + 6)) : 0};
    uint32_t count = 0;
    for (struct weir_str word = fake_text_word(list); word.bytes && count < FAKE_COLUMNS_MAX; word = fake_text_word(list)) {
        if (!weir_str_is(word, "JSON") && !weir_str_is(word, "DISTINCT"))
            ret_names[count++] = word;
        list = behind(list, word);
    }
    return count;
}

// ---- prepared ones

static void insert_markers(struct fake_statement *s, struct weir_str columns)
{
    const char *end = memchr(columns.data, ')', columns.bytes);
    columns.bytes = end ? (uint32_t)(end - columns.data) : 0;
    for (uint32_t i = 0; i < s->marker_count; i++) {
        s->markers[i] = fake_text_word(columns);
        columns = behind(columns, s->markers[i]);
    }
}

// The name before "= ?"; what stands before other markers (LIMIT ?) is taken for a name too.
static void compared_markers(struct fake_statement *s, struct weir_str text)
{
    uint32_t marker = 0;
    struct weir_str last = {"", 0};
    for (uint32_t at = 0; at < text.bytes; at++) {
        if (text.data[at] == '?' && marker < s->marker_count) {
            s->markers[marker++] = last;
        } else if (in_word(text.data[at]) && (at == 0 || !in_word(text.data[at - 1]))) {
            last = fake_text_word((struct weir_str){text.data + at, text.bytes - at});
        }
    }
}

static struct fake_statement *statement_make(struct weir_str text)
{
    struct fake_statement *s = weir_zalloc(1, sizeof *s);
    s->text = weir_format("%.*s", (int)text.bytes, text.data);
    struct weir_str own = weir_str_of(s->text);
    uint64_t id[2] = {weir_hash64(text.data, text.bytes, 1), weir_hash64(text.data, text.bytes, 2)};
    memcpy(s->id, id, sizeof s->id);
    for (uint32_t at = 0; at < own.bytes; at++)
        s->marker_count += own.data[at] == '?' && s->marker_count < FAKE_MARKERS_MAX;
    struct weir_str columns = fake_text_after(own, "(");
    if (fake_text_starts(own, "INSERT") && columns.data)
        insert_markers(s, columns);
    else
        compared_markers(s, own);
    return s;
}

struct fake_statement *fake_statement_find(struct fake_ring *r, struct weir_str id)
{
    for (size_t i = 0; i < r->statement_count; i++) {
        if (weir_str_eq(id, (struct weir_str){(const char *)r->statements[i]->id, 16}))
            return r->statements[i];
    }
    return NULL;
}

struct fake_statement *fake_statement_of(struct fake_ring *r, struct weir_str text)
{
    for (size_t i = 0; i < r->statement_count; i++) {
        if (weir_str_is(text, r->statements[i]->text))
            return r->statements[i];
    }
    weir_grow(&r->statements, &r->statement_capacity, r->statement_count + 1, sizeof *r->statements);
    return r->statements[r->statement_count++] = statement_make(text);
}

void fake_statements_drop(struct fake_ring *r)
{
    for (size_t i = 0; i < r->statement_count; i++) {
        free(r->statements[i]->text);
        free(r->statements[i]);
    }
    free(r->statements);
}
