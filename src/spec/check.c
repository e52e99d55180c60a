// SPDX-License-Identifier: Apache-2.0
#include "spec/check.h"
#include "spec/functions.h"

bool spec_is_number_type(enum weir_type type)
{
    return type == WEIR_INT || type == WEIR_LONG || type == WEIR_FLOAT || type == WEIR_DOUBLE;
}

struct place spec_check_place(const struct scope *s, const struct syntax *syntax)
{
    return yaml_tree_place(s->r->source, s->node, syntax->offset, syntax->bytes);
}

struct weir_expr *spec_check_new(struct scope *s, const struct syntax *syntax, enum weir_op op, enum weir_type type, bool nullable)
{
    struct weir_expr *e = weir_arena_zalloc(s->r->arena, sizeof *e);
    struct place at = spec_check_place(s, syntax);
    *e = (struct weir_expr){.op = op, .type = type, .nullable = nullable, .line = at.line, .column = at.column};
    return e;
}

bool weir_expr_same(const struct weir_expr *a, const struct weir_expr *b)
{
    if (!a || !b)
        return a == b;
    if (a->op != b->op || a->type != b->type || a->arg_count != b->arg_count)
        return false;
    for (uint32_t i = 0; i < a->arg_count; i++) {
        if (!weir_expr_same(a->args[i], b->args[i]))
            return false;
    }
    if (a->op == WEIR_OP_TEXT)
        return weir_str_eq(a->text, b->text);
    if (a->op == WEIR_OP_NUMBER && a->type == WEIR_DOUBLE)
        return memcmp(&a->f64, &b->f64, sizeof a->f64) == 0;
    if (a->op == WEIR_OP_NUMBER || a->op == WEIR_OP_BOOL)
        return a->i64 == b->i64;
    bool indexed = a->op == WEIR_OP_FIELD || a->op == WEIR_OP_GROUP || a->op == WEIR_OP_AGGREGATE;
    return !indexed || a->index == b->index;
}

// ---- names

static bool is_time_field(const struct scope *s, uint32_t field)
{
    return s->r->time_known && field == s->r->plan->event.time_field;
}

static struct weir_expr *check_field_per_row(struct scope *s, const struct syntax *syntax, uint32_t at, bool want_time)
{
    const struct weir_field *field = &s->r->plan->event.fields[at];
    for (uint32_t i = 0; i < s->query->group_count; i++) {
        if (s->query->group_by[i] != at)
            continue;
        if (want_time && is_time_field(s, at) && s->r->plan->event.time_unit != WEIR_UNIT_MS) {
            spec_mistake(s->r, spec_check_place(s, syntax), NULL, "'%s' is grouped by as it is, not in epoch ms: use min(%s)", field->name,
                         field->name);
            return NULL;
        }
        struct weir_expr *e = spec_check_new(s, syntax, WEIR_OP_GROUP, field->type, field->optional);
        e->index = i;
        return e;
    }
    if (s->groups_known)
        spec_mistake(s->r, spec_check_place(s, syntax), NULL, "'%s' is not in group_by; use first(%s), last(%s), min(%s)…", field->name, field->name,
                     field->name, field->name);
    return NULL;
}

static struct weir_expr *check_field(struct scope *s, const struct syntax *syntax, uint32_t at, bool want_time)
{
    struct weir_field *field = &s->r->plan->event.fields[at];
    field->used = true;
    if (s->per_row)
        return check_field_per_row(s, syntax, at, want_time);
    if (want_time && is_time_field(s, at))
        return spec_check_new(s, syntax, WEIR_OP_EVENT_TIME, WEIR_TIMESTAMP, false);
    struct weir_expr *e = spec_check_new(s, syntax, WEIR_OP_FIELD, field->type, field->optional);
    e->index = at;
    return e;
}

static struct weir_expr *check_window_bound(struct scope *s, const struct syntax *syntax, enum weir_op op)
{
    if (s->query->window.kind != WEIR_WINDOW_NONE && s->per_row)
        return spec_check_new(s, syntax, op, WEIR_TIMESTAMP, false);
    const char *why = s->query->window.kind == WEIR_WINDOW_NONE ? "this query has no 'window'" : "it belongs to a row, not to an event";
    spec_mistake(s->r, spec_check_place(s, syntax), NULL, "'%.*s' cannot stand here: %s", (int)syntax->text.bytes, syntax->text.data, why);
    return NULL;
}

static const char *suggest_name(struct scope *s, struct weir_str name)
{
    const struct weir_event_spec *event = &s->r->plan->event;
    if (spec_enough_mistakes(s->r))
        return NULL;
    const char **names = weir_arena_alloc(s->r->arena, (event->field_count + 2) * sizeof *names);
    for (uint32_t i = 0; i < event->field_count; i++)
        names[i] = event->fields[i].name;
    bool windowed = s->query->window.kind != WEIR_WINDOW_NONE && s->per_row;
    names[event->field_count] = windowed ? "window_start" : NULL;
    names[event->field_count + 1] = windowed ? "window_end" : NULL;
    return spec_did_you_mean(s->r, name, names, event->field_count + 2);
}

static struct weir_expr *check_name(struct scope *s, const struct syntax *syntax, bool want_time)
{
    struct weir_str name = syntax->text;
    if (weir_str_is(name, "null"))
        return spec_check_new(s, syntax, WEIR_OP_NULL, WEIR_LONG, true);
    if (weir_str_is(name, "true") || weir_str_is(name, "false")) {
        struct weir_expr *e = spec_check_new(s, syntax, WEIR_OP_BOOL, WEIR_BOOLEAN, false);
        e->i64 = weir_str_is(name, "true");
        return e;
    }
    if (weir_str_is(name, "window_start"))
        return check_window_bound(s, syntax, WEIR_OP_WINDOW_START);
    if (weir_str_is(name, "window_end"))
        return check_window_bound(s, syntax, WEIR_OP_WINDOW_END);
    int64_t at = spec_find_field(s->r, name);
    if (at >= 0)
        return check_field(s, syntax, (uint32_t)at, want_time);
    if (s->r->event_known)
        spec_mistake_field(s->r, spec_check_place(s, syntax), suggest_name(s, name), "", name);
    return NULL;
}

// ---- operators

bool spec_check_args(struct scope *s, const struct syntax *syntax, bool want_time, struct weir_expr *e)
{
    bool ok = true;
    e->args = weir_arena_zalloc(s->r->arena, (syntax->count + 1) * sizeof *e->args);
    for (const struct syntax *arg = syntax->first; arg; arg = arg->next) {
        struct weir_expr *checked = spec_enough_mistakes(s->r) ? NULL : spec_check_expr(s, arg, want_time);
        ok &= checked != NULL;
        e->args[e->arg_count++] = checked;
    }
    return ok;
}

bool spec_check_number_arg(struct scope *s, const struct syntax *arg, const struct weir_expr *e, const char *what)
{
    if (spec_is_number_type(e->type) || (e->type == WEIR_TIMESTAMP && e->op != WEIR_OP_NULL))
        return true;
    spec_mistake(s->r, spec_check_place(s, arg), NULL, "%s needs a number, but this is %s", what, weir_type_name(e->type));
    return false;
}

static bool is_integral(enum weir_type type)
{
    return type == WEIR_INT || type == WEIR_LONG || type == WEIR_TIMESTAMP;
}

// Whether `long op long` stays far from overflow: both sides are within 32 bits.
static bool is_small(const struct weir_expr *e)
{
    return e->type == WEIR_INT || (e->op == WEIR_OP_NUMBER && e->type == WEIR_LONG && e->i64 >= INT32_MIN && e->i64 <= INT32_MAX);
}

static bool is_nonzero(const struct weir_expr *e)
{
    return e->op == WEIR_OP_NUMBER && (e->type == WEIR_DOUBLE ? e->f64 != 0 : e->i64 != 0);
}

static struct weir_expr *type_arithmetic(struct scope *s, const struct syntax *syntax, struct weir_expr *e)
{
    const struct weir_expr *left = e->args[0], *right = e->args[1];
    const char *what = weir_arena_format(s->r->arena, "'%.*s'", (int)syntax->text.bytes, syntax->text.data);
    if (!spec_check_number_arg(s, syntax->first, left, what) || !spec_check_number_arg(s, syntax->first->next, right, what))
        return NULL;
    bool integral = is_integral(left->type) && is_integral(right->type) && e->op != WEIR_OP_DIV;
    e->type = integral ? WEIR_LONG : WEIR_DOUBLE;
    e->nullable =
        left->nullable || right->nullable || (integral && !(is_small(left) && is_small(right))) || (e->op == WEIR_OP_DIV && !is_nonzero(right));
    return e;
}

static struct weir_expr *type_negation(struct scope *s, const struct syntax *syntax, struct weir_expr *e)
{
    struct weir_expr *arg = e->args[0];
    if (!spec_check_number_arg(s, syntax->first, arg, "'-'"))
        return NULL;
    if (arg->op == WEIR_OP_NUMBER) {
        if (arg->type == WEIR_DOUBLE)
            arg->f64 = -arg->f64;
        else
            arg->i64 = -arg->i64;
        return arg;
    }
    e->type = is_integral(arg->type) ? WEIR_LONG : WEIR_DOUBLE;
    e->nullable = arg->nullable || (e->type == WEIR_LONG && !is_small(arg));
    return e;
}

static bool comparable(enum weir_op op, enum weir_type a, enum weir_type b)
{
    bool numbers = (spec_is_number_type(a) || a == WEIR_TIMESTAMP) && (spec_is_number_type(b) || b == WEIR_TIMESTAMP);
    return numbers || (a == b && (a == WEIR_STRING || op == WEIR_OP_EQ || op == WEIR_OP_NE));
}

static struct weir_expr *type_comparison(struct scope *s, const struct syntax *syntax, struct weir_expr *e)
{
    const struct weir_expr *left = e->args[0], *right = e->args[1];
    e->type = WEIR_BOOLEAN;
    e->nullable = left->nullable || right->nullable;
    if (left->op == WEIR_OP_NULL || right->op == WEIR_OP_NULL)
        spec_mistake(s->r, spec_check_place(s, syntax), NULL, "a comparison with null is never true; coalesce(x, …) gives null a value");
    else if (!comparable(e->op, left->type, right->type))
        spec_mistake(s->r, spec_check_place(s, syntax), NULL, "%s cannot be compared with %s by '%.*s'", weir_type_name(left->type),
                     weir_type_name(right->type), (int)syntax->text.bytes, syntax->text.data);
    else
        return e;
    return NULL;
}

static struct weir_expr *type_logic(struct scope *s, const struct syntax *syntax, struct weir_expr *e)
{
    bool ok = true;
    const struct syntax *arg = syntax->first;
    for (uint32_t i = 0; i < e->arg_count; i++, arg = arg->next) {
        e->nullable |= e->args[i]->nullable;
        if (e->args[i]->op == WEIR_OP_NULL)
            e->args[i]->type = WEIR_BOOLEAN;
        if (e->args[i]->type == WEIR_BOOLEAN)
            continue;
        spec_mistake(s->r, spec_check_place(s, arg), NULL, "'%.*s' needs true or false, but this is %s", (int)syntax->text.bytes, syntax->text.data,
                     weir_type_name(e->args[i]->type));
        ok = false;
    }
    e->type = WEIR_BOOLEAN;
    return ok ? e : NULL;
}

static struct weir_expr *check_operator(struct scope *s, const struct syntax *syntax)
{
    struct weir_expr *e = spec_check_new(s, syntax, syntax->op, WEIR_LONG, false);
    if (!spec_check_args(s, syntax, false, e))
        return NULL;
    if (syntax->op == WEIR_OP_NEG)
        return type_negation(s, syntax, e);
    if (syntax->op <= WEIR_OP_DIV)
        return type_arithmetic(s, syntax, e);
    return syntax->op <= WEIR_OP_GE ? type_comparison(s, syntax, e) : type_logic(s, syntax, e);
}

struct weir_expr *spec_check_expr(struct scope *s, const struct syntax *syntax, bool want_time)
{
    struct weir_expr *e;
    switch (syntax->kind) {
    case SYNTAX_NAME:
        return check_name(s, syntax, want_time);
    case SYNTAX_INTEGER:
        e = spec_check_new(s, syntax, WEIR_OP_NUMBER, WEIR_LONG, false);
        e->i64 = syntax->i64;
        return e;
    case SYNTAX_DECIMAL:
        e = spec_check_new(s, syntax, WEIR_OP_NUMBER, WEIR_DOUBLE, false);
        e->f64 = syntax->f64;
        return e;
    case SYNTAX_TEXT:
        e = spec_check_new(s, syntax, WEIR_OP_TEXT, WEIR_STRING, false);
        e->text = syntax->text;
        return e;
    case SYNTAX_CALL:
        return spec_check_call(s, syntax, want_time);
    default:
        return check_operator(s, syntax);
    }
}
