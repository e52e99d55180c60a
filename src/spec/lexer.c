// SPDX-License-Identifier: Apache-2.0
#include "spec/lexer.h"

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static char char_at(struct weir_str text, uint32_t at)
{
    return at < text.bytes ? text.data[at] : '\0';
}

static struct token make_token(struct weir_str text, enum token_kind kind, uint32_t from, uint32_t to)
{
    return (struct token){.kind = kind, .offset = from, .bytes = to - from, .text = {text.data + from, to - from}};
}

static struct token wrong(struct weir_str text, uint32_t from, uint32_t to, const char *message, const char *hint)
{
    struct token token = make_token(text, TOKEN_WRONG, from, to);
    token.message = message;
    token.hint = hint;
    return token;
}

static struct token take_number(struct weir_str text, uint32_t from)
{
    uint32_t at = from;
    enum token_kind kind = TOKEN_INTEGER;
    while (is_digit(char_at(text, at)))
        at++;
    if (char_at(text, at) == '.') {
        kind = TOKEN_DECIMAL;
        for (at++; is_digit(char_at(text, at));)
            at++;
    }
    char e = char_at(text, at), sign = char_at(text, at + 1);
    uint32_t digits = sign == '+' || sign == '-' ? at + 2 : at + 1;
    if ((e == 'e' || e == 'E') && is_digit(char_at(text, digits))) {
        kind = TOKEN_DECIMAL;
        for (at = digits; is_digit(char_at(text, at));)
            at++;
    }
    if (!is_letter(char_at(text, at)))
        return make_token(text, kind, from, at);
    while (is_letter(char_at(text, at)) || is_digit(char_at(text, at)))
        at++;
    return wrong(text, from, at, "this is neither a number nor a name", NULL);
}

// 'it''s': a quote is written twice.
static struct token take_text(struct weir_str text, uint32_t from)
{
    uint32_t at = from + 1;
    while (at < text.bytes && (text.data[at] != '\'' || char_at(text, at + 1) == '\''))
        at += text.data[at] == '\'' ? 2 : 1;
    return at < text.bytes ? make_token(text, TOKEN_TEXT, from, at + 1) : wrong(text, from, text.bytes, "this text has no closing quote", NULL);
}

static struct token take_sign(struct weir_str text, uint32_t from)
{
    static const char *const pairs[] = {"==", "!=", "<=", ">="};
    static const struct {
        const char *text, *message, *hint;
    } foreign[] = {{"<>", "'<>' is no operator", "did you mean '!='?"}, {"&&", "'&&' is no operator", "did you mean 'and'?"},
                   {"||", "'||' is no operator", "did you mean 'or'?"}, {"=", "'=' does not compare", "did you mean '=='?"},
                   {"!", "'!' is no operator", "did you mean 'not'?"},  {"\"", "a text stands in single quotes: 'text'", NULL}};
    char c = text.data[from], next = char_at(text, from + 1);
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        if (c == pairs[i][0] && next == pairs[i][1])
            return make_token(text, TOKEN_SIGN, from, from + 2);
    }
    for (size_t i = 0; i < sizeof foreign / sizeof *foreign; i++) {
        if (c == foreign[i].text[0] && (!foreign[i].text[1] || next == foreign[i].text[1]))
            return wrong(text, from, from + (uint32_t)strlen(foreign[i].text), foreign[i].message, foreign[i].hint);
    }
    if (c && strchr("+-*/<>(),", c))
        return make_token(text, TOKEN_SIGN, from, from + 1);
    return wrong(text, from, from + source_char_bytes(text, from), "this character has no meaning in an expression", NULL);
}

static uint32_t end_of_name(struct weir_str text, uint32_t at)
{
    while (is_letter(char_at(text, at)) || is_digit(char_at(text, at)))
        at++;
    return at;
}

// Of `location.city`, `readings[0].value`: a path is one word.
static uint32_t end_of_path(struct weir_str text, uint32_t from)
{
    uint32_t at = end_of_name(text, from), next = at;
    do {
        at = next;
        if (char_at(text, at) == '.' && is_letter(char_at(text, at + 1))) {
            next = end_of_name(text, at + 1);
        } else if (char_at(text, at) == '[') {
            for (next = at + 1; is_digit(char_at(text, next));)
                next++;
            next = next > at + 1 && char_at(text, next) == ']' ? next + 1 : at;
        }
    } while (next > at);
    return at;
}

struct token lexer_next(struct weir_str text, uint32_t from)
{
    while (from < text.bytes && strchr(" \t\r\n", text.data[from]))
        from++;
    if (from >= text.bytes)
        return make_token(text, TOKEN_END, text.bytes, text.bytes);
    char c = text.data[from];
    if (is_digit(c) || (c == '.' && is_digit(char_at(text, from + 1))))
        return take_number(text, from);
    if (c == '\'')
        return take_text(text, from);
    if (!is_letter(c))
        return take_sign(text, from);
    return make_token(text, TOKEN_NAME, from, end_of_path(text, from));
}
