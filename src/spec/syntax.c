// SPDX-License-Identifier: Apache-2.0
#include "spec/syntax.h"
#include "base/number.h"
#include "spec/lexer.h"
#include <math.h>

enum level { LEVEL_OR, LEVEL_AND, LEVEL_NOT, LEVEL_COMPARE, LEVEL_ADD, LEVEL_MULTIPLY, LEVEL_UNARY };

static const struct {
    const char *text;
    enum level level;
    enum weir_op op;
} operators[] = {
    {"or", LEVEL_OR, WEIR_OP_OR},     {"and", LEVEL_AND, WEIR_OP_AND},   {"==", LEVEL_COMPARE, WEIR_OP_EQ},  {"!=", LEVEL_COMPARE, WEIR_OP_NE},
    {"<", LEVEL_COMPARE, WEIR_OP_LT}, {"<=", LEVEL_COMPARE, WEIR_OP_LE}, {">", LEVEL_COMPARE, WEIR_OP_GT},   {">=", LEVEL_COMPARE, WEIR_OP_GE},
    {"+", LEVEL_ADD, WEIR_OP_ADD},    {"-", LEVEL_ADD, WEIR_OP_SUB},     {"*", LEVEL_MULTIPLY, WEIR_OP_MUL}, {"/", LEVEL_MULTIPLY, WEIR_OP_DIV},
};

struct parser {
    struct reading *r;
    const struct node *node;
    struct token token; // the next one
    int nesting;        // parentheses, signs and nots that are open
};

static struct syntax *parse_level(struct parser *p, enum level level);

static void advance(struct parser *p)
{
    p->token = lexer_next(p->node->text, p->token.offset + p->token.bytes);
}

static struct syntax *fail_at(struct parser *p, const struct token *token, const char *hint, const char *message)
{
    spec_mistake(p->r, yaml_tree_place(p->r->source, p->node, token->offset, token->bytes), hint, "%s", message);
    return NULL;
}

// What stands here is not what should: `wanted` says what should.
static struct syntax *fail_here(struct parser *p, const char *wanted)
{
    const struct token *token = &p->token;
    if (token->kind == TOKEN_WRONG)
        return fail_at(p, token, token->hint, token->message);
    if (token->kind == TOKEN_END)
        return fail_at(p, token, NULL, weir_arena_format(p->r->arena, "the expression ends where %s should be", wanted));
    struct weir_str shown = token->text;
    if (shown.bytes > 100)
        shown.bytes = 100;
    return fail_at(p, token, NULL, weir_arena_format(p->r->arena, "'%.*s' stands where %s should be", (int)shown.bytes, shown.data, wanted));
}

static bool at_sign(const struct parser *p, const char *sign)
{
    return p->token.kind == TOKEN_SIGN && weir_str_is(p->token.text, sign);
}

static bool at_word(const struct parser *p, const char *word)
{
    return p->token.kind == TOKEN_NAME && weir_str_is(p->token.text, word);
}

static struct syntax *make_syntax(struct parser *p, enum syntax_kind kind, const struct token *token)
{
    struct syntax *s = weir_arena_zalloc(p->r->arena, sizeof *s);
    *s = (struct syntax){.kind = kind, .text = token->text, .offset = token->offset, .bytes = token->bytes, .depth = 1};
    return s;
}

// Appends an operand; NULL if the tree gets too deep.
static struct syntax *add_operand(struct parser *p, struct syntax *s, struct syntax *operand)
{
    struct syntax **end = &s->first;
    while (*end)
        end = &(*end)->next;
    *end = operand;
    s->count++;
    if (operand->depth >= s->depth)
        s->depth = operand->depth + 1;
    if (s->depth <= SYNTAX_DEPTH_MAX)
        return s;
    struct token at = {.offset = s->offset, .bytes = s->bytes};
    return fail_at(p, &at, NULL, "this expression is nested too deep");
}

static struct syntax *make_operator(struct parser *p, enum weir_op op, const struct token *token, struct syntax *left, struct syntax *right)
{
    struct syntax *s = make_syntax(p, SYNTAX_OPERATOR, token);
    s->op = op;
    if (!add_operand(p, s, left))
        return NULL;
    return right ? add_operand(p, s, right) : s;
}

static struct syntax *parse_number(struct parser *p)
{
    struct token token = p->token;
    struct syntax *s = make_syntax(p, token.kind == TOKEN_INTEGER ? SYNTAX_INTEGER : SYNTAX_DECIMAL, &token);
    bool ok = token.kind == TOKEN_INTEGER ? weir_parse_i64(token.text, &s->i64) == 0 : weir_parse_f64(token.text, &s->f64) == 0 && isfinite(s->f64);
    if (!ok)
        return fail_at(p, &token, NULL, "this number is out of range");
    advance(p);
    return s;
}

static struct syntax *parse_text(struct parser *p)
{
    struct syntax *s = make_syntax(p, SYNTAX_TEXT, &p->token);
    char *out = weir_arena_alloc(p->r->arena, p->token.bytes);
    uint32_t bytes = 0;
    for (uint32_t i = 1; i + 1 < p->token.bytes; i++) {
        out[bytes++] = p->token.text.data[i];
        if (p->token.text.data[i] == '\'')
            i++;
    }
    s->text = (struct weir_str){out, bytes};
    advance(p);
    return s;
}

static struct syntax *parse_arguments(struct parser *p, struct syntax *call)
{
    advance(p);
    if (at_sign(p, ")")) {
        advance(p);
        return call;
    }
    for (;;) {
        struct syntax *argument = parse_level(p, LEVEL_OR);
        if (!argument || !add_operand(p, call, argument))
            return NULL;
        if (at_sign(p, ")")) {
            advance(p);
            return call;
        }
        if (!at_sign(p, ","))
            return fail_here(p, "',' or ')'");
        if (call->count == 64)
            return fail_here(p, "the last argument");
        advance(p);
    }
}

static struct syntax *parse_name(struct parser *p)
{
    struct syntax *s = make_syntax(p, SYNTAX_NAME, &p->token);
    if (at_word(p, "and") || at_word(p, "or") || at_word(p, "not"))
        return fail_here(p, "a value");
    advance(p);
    if (!at_sign(p, "("))
        return s;
    s->kind = SYNTAX_CALL;
    return parse_arguments(p, s);
}

static struct syntax *parse_primary(struct parser *p)
{
    switch (p->token.kind) {
    case TOKEN_INTEGER:
    case TOKEN_DECIMAL:
        return parse_number(p);
    case TOKEN_TEXT:
        return parse_text(p);
    case TOKEN_NAME:
        return parse_name(p);
    default:
        break;
    }
    if (!at_sign(p, "("))
        return fail_here(p, "a value");
    advance(p);
    struct syntax *s = parse_level(p, LEVEL_OR);
    if (s && !at_sign(p, ")"))
        return fail_here(p, "an operator or ')'");
    advance(p);
    return s;
}

static struct syntax *parse_prefix(struct parser *p, enum weir_op op, enum level level)
{
    struct token token = p->token;
    advance(p);
    struct syntax *operand = parse_level(p, level);
    return operand ? make_operator(p, op, &token, operand, NULL) : NULL;
}

static bool at_operator(const struct parser *p, enum level level, enum weir_op *ret)
{
    for (size_t i = 0; i < sizeof operators / sizeof *operators; i++) {
        if (operators[i].level == level && (at_sign(p, operators[i].text) || at_word(p, operators[i].text))) {
            *ret = operators[i].op;
            return true;
        }
    }
    return false;
}

static struct syntax *parse_binary(struct parser *p, enum level level)
{
    struct syntax *left = parse_level(p, level + 1);
    enum weir_op op;
    while (left && at_operator(p, level, &op)) {
        struct token token = p->token;
        advance(p);
        struct syntax *right = parse_level(p, level + 1);
        left = right ? make_operator(p, op, &token, left, right) : NULL;
    }
    return left;
}

static struct syntax *parse_level(struct parser *p, enum level level)
{
    if (level != LEVEL_OR && level != LEVEL_NOT && level != LEVEL_UNARY)
        return parse_binary(p, level);
    if (p->nesting == SYNTAX_DEPTH_MAX)
        return fail_at(p, &p->token, NULL, "this expression is nested too deep");
    p->nesting++;
    struct syntax *s;
    if (level == LEVEL_OR)
        s = parse_binary(p, level);
    else if (level == LEVEL_NOT)
        s = at_word(p, "not") ? parse_prefix(p, WEIR_OP_NOT, LEVEL_NOT) : parse_level(p, LEVEL_COMPARE);
    else
        s = at_sign(p, "-") ? parse_prefix(p, WEIR_OP_NEG, LEVEL_UNARY) : parse_primary(p);
    p->nesting--;
    return s;
}

struct syntax *syntax_parse(struct reading *r, const struct node *node, uint32_t from)
{
    struct parser p = {.r = r, .node = node, .token = lexer_next(node->text, from)};
    struct syntax *s = parse_level(&p, LEVEL_OR);
    if (s && p.token.kind != TOKEN_END)
        return fail_here(&p, "an operator or the end");
    return s;
}
