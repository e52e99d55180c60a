// SPDX-License-Identifier: Apache-2.0
#include "spec/functions.h"

static const struct function {
    const char *name;
    enum weir_op op;
    uint32_t low, high; // number of arguments
} functions[] = {
    {"if", WEIR_OP_IF, 3, 3},           {"coalesce", WEIR_OP_COALESCE, 2, 64}, {"abs", WEIR_OP_ABS, 1, 1},   {"round", WEIR_OP_ROUND, 1, 2},
    {"epoch_s", WEIR_OP_EPOCH_S, 1, 1}, {"epoch_ms", WEIR_OP_EPOCH_MS, 1, 1},  {"year", WEIR_OP_YEAR, 1, 1}, {"month", WEIR_OP_MONTH, 1, 1},
    {"day", WEIR_OP_DAY, 1, 1},         {"hour", WEIR_OP_HOUR, 1, 1},
};
#define FUNCTIONS (sizeof functions / sizeof *functions)

static const struct aggregate {
    const char *name;
    uint32_t low, high;
    bool numbers_only;
} aggregates[WEIR_AGG_KINDS] = {
    [WEIR_AGG_COUNT_ALL] = {"count", 0, 1, false}, [WEIR_AGG_COUNT] = {"count", 0, 1, false},      [WEIR_AGG_SUM] = {"sum", 1, 1, true},
    [WEIR_AGG_AVG] = {"avg", 1, 1, true},          [WEIR_AGG_MIN] = {"min", 1, 1, false},          [WEIR_AGG_MAX] = {"max", 1, 1, false},
    [WEIR_AGG_MEDIAN] = {"median", 1, 1, true},    [WEIR_AGG_QUANTILE] = {"quantile", 2, 2, true}, [WEIR_AGG_STDDEV] = {"stddev", 1, 1, true},
    [WEIR_AGG_FIRST] = {"first", 1, 1, false},     [WEIR_AGG_LAST] = {"last", 1, 1, false},        [WEIR_AGG_DISTINCT] = {"distinct", 1, 1, false},
};

static const struct {
    const char *foreign, *ours;
} synonyms[] = {
    {"mean", "avg"},
    {"average", "avg"},
    {"minimum", "min"},
    {"maximum", "max"},
    {"std", "stddev"},
    {"stdev", "stddev"},
    {"total", "sum"},
    {"percentile", "quantile"},
    {"nvl", "coalesce"},
    {"ifnull", "coalesce"},
    {"iff", "if"},
    {"case", "if"},
    {"count_distinct", "distinct"},
    {"uniq", "distinct"},
    {"n", "count"},
};

const char *spec_function_name(enum weir_op op)
{
    for (size_t i = 0; i < FUNCTIONS; i++) {
        if (functions[i].op == op)
            return functions[i].name;
    }
    return NULL;
}

const char *spec_aggregate_name(enum weir_agg kind)
{
    return aggregates[kind].name;
}

static const char *suggest_function(struct scope *s, struct weir_str name)
{
    for (size_t i = 0; i < sizeof synonyms / sizeof *synonyms; i++) {
        if (weir_str_is(name, synonyms[i].foreign))
            return weir_arena_format(s->r->arena, "did you mean '%s'?", synonyms[i].ours);
    }
    const char *names[FUNCTIONS + WEIR_AGG_KINDS];
    for (size_t i = 0; i < FUNCTIONS; i++)
        names[i] = functions[i].name;
    for (size_t i = 0; i < WEIR_AGG_KINDS; i++)
        names[FUNCTIONS + i] = i == WEIR_AGG_COUNT_ALL ? NULL : aggregates[i].name;
    return spec_did_you_mean(s->r, name, names, FUNCTIONS + WEIR_AGG_KINDS);
}

static bool check_count(struct scope *s, const struct syntax *call, uint32_t low, uint32_t high)
{
    if (call->count >= low && call->count <= high)
        return true;
    const char *name = weir_arena_copy(s->r->arena, call->text).data;
    if (low == high)
        spec_mistake(s->r, spec_check_place(s, call), NULL, "'%s' takes %u argument%s, not %u", name, low, low == 1 ? "" : "s", call->count);
    else
        spec_mistake(s->r, spec_check_place(s, call), NULL, "'%s' takes %u to %u arguments, not %u", name, low, high, call->count);
    return false;
}

// ---- functions

// The type that two values of a choice share; false if there is none.
static bool common_type(enum weir_type a, enum weir_type b, enum weir_type *ret)
{
    bool a_long = a == WEIR_LONG || a == WEIR_INT, b_long = b == WEIR_LONG || b == WEIR_INT;
    if (a == b)
        *ret = a;
    else if (a_long && b_long)
        *ret = WEIR_LONG;
    else if (spec_is_number_type(a) && spec_is_number_type(b))
        *ret = WEIR_DOUBLE;
    else if ((a == WEIR_TIMESTAMP && b_long) || (a_long && b == WEIR_TIMESTAMP))
        *ret = WEIR_TIMESTAMP;
    else
        return false;
    return true;
}

// Gives the choices e->args[from…] one type; a null takes the others'.
static bool unify(struct scope *s, const struct syntax *call, struct weir_expr *e, uint32_t from)
{
    const struct syntax *arg = call->first;
    bool typed = false;
    for (uint32_t i = 0; i < e->arg_count; i++, arg = arg->next) {
        if (i < from || e->args[i]->op == WEIR_OP_NULL)
            continue;
        enum weir_type type = e->type;
        if (typed && !common_type(e->type, e->args[i]->type, &type)) {
            spec_mistake(s->r, spec_check_place(s, arg), NULL, "this is %s, but the values before it are %s", weir_type_name(e->args[i]->type),
                         weir_type_name(e->type));
            return false;
        }
        e->type = typed ? type : e->args[i]->type;
        typed = true;
    }
    for (uint32_t i = from; i < e->arg_count; i++) {
        if (e->args[i]->op == WEIR_OP_NULL)
            e->args[i]->type = e->type;
    }
    return true;
}

static struct weir_expr *type_if(struct scope *s, const struct syntax *call, struct weir_expr *e)
{
    if (e->args[0]->op == WEIR_OP_NULL)
        e->args[0]->type = WEIR_BOOLEAN;
    if (e->args[0]->type != WEIR_BOOLEAN) {
        spec_mistake(s->r, spec_check_place(s, call->first), NULL, "'if' needs a condition, but this is %s", weir_type_name(e->args[0]->type));
        return NULL;
    }
    if (!unify(s, call, e, 1))
        return NULL;
    e->nullable = e->args[1]->nullable || e->args[2]->nullable;
    return e;
}

static struct weir_expr *type_coalesce(struct scope *s, const struct syntax *call, struct weir_expr *e)
{
    if (!unify(s, call, e, 0))
        return NULL;
    e->nullable = true;
    for (uint32_t i = 0; i < e->arg_count; i++)
        e->nullable &= e->args[i]->nullable;
    return e;
}

static struct weir_expr *type_abs(struct scope *s, const struct syntax *call, struct weir_expr *e)
{
    const struct weir_expr *arg = e->args[0];
    if (!spec_check_number_arg(s, call->first, arg, "'abs'"))
        return NULL;
    e->type = weir_kind_of(arg->type) == WEIR_I64 ? WEIR_LONG : WEIR_DOUBLE;
    e->nullable = arg->nullable || (e->type == WEIR_LONG && arg->type != WEIR_INT);
    return e;
}

static struct weir_expr *type_round(struct scope *s, const struct syntax *call, struct weir_expr *e)
{
    if (!spec_check_number_arg(s, call->first, e->args[0], "'round'"))
        return NULL;
    if (e->arg_count == 1) {
        e->args[1] = spec_check_new(s, call, WEIR_OP_NUMBER, WEIR_LONG, false);
        e->arg_count = 2;
    }
    const struct weir_expr *digits = e->args[1];
    if (digits->op != WEIR_OP_NUMBER || digits->type != WEIR_LONG || digits->i64 < 0 || digits->i64 > 15) {
        spec_mistake(s->r, spec_check_place(s, call->first->next), NULL, "the digits of 'round' must be a whole number from 0 to 15");
        return NULL;
    }
    e->type = WEIR_DOUBLE;
    e->nullable = e->args[0]->nullable;
    return e;
}

static struct weir_expr *type_time_part(struct scope *s, const struct syntax *call, struct weir_expr *e)
{
    const struct weir_expr *arg = e->args[0];
    if (arg->type != WEIR_TIMESTAMP && arg->type != WEIR_LONG) {
        spec_mistake(s->r, spec_check_place(s, call->first), NULL, "'%s' needs a time (or a long of epoch ms), but this is %s",
                     spec_function_name(e->op), weir_type_name(arg->type));
        return NULL;
    }
    bool civil = e->op != WEIR_OP_EPOCH_S && e->op != WEIR_OP_EPOCH_MS;
    e->type = civil ? WEIR_INT : WEIR_LONG;
    e->nullable = arg->nullable;
    return e;
}

static struct weir_expr *check_function(struct scope *s, const struct syntax *call, const struct function *f, bool want_time)
{
    bool choice = f->op == WEIR_OP_IF || f->op == WEIR_OP_COALESCE;
    bool of_time = f->op >= WEIR_OP_EPOCH_S && f->op <= WEIR_OP_HOUR;
    struct weir_expr *e = spec_check_new(s, call, f->op, WEIR_LONG, false);
    if (!check_count(s, call, f->low, f->high) || !spec_check_args(s, call, of_time || (choice && want_time), e))
        return NULL;
    switch (f->op) {
    case WEIR_OP_IF:
        return type_if(s, call, e);
    case WEIR_OP_COALESCE:
        return type_coalesce(s, call, e);
    case WEIR_OP_ABS:
        return type_abs(s, call, e);
    case WEIR_OP_ROUND:
        return type_round(s, call, e);
    default:
        return type_time_part(s, call, e);
    }
}

// ---- aggregates

static uint32_t keep_aggregate(struct scope *s, const struct weir_aggregate *wanted)
{
    struct weir_query_spec *q = s->query;
    for (uint32_t i = 0; i < q->aggregate_count; i++) {
        const struct weir_aggregate *have = &q->aggregates[i];
        if (have->kind == wanted->kind && have->quantile == wanted->quantile && weir_expr_same(have->arg, wanted->arg))
            return i;
    }
    if (q->aggregate_count == s->aggregate_capacity) {
        uint32_t capacity = s->aggregate_capacity ? s->aggregate_capacity * 2 : 8;
        struct weir_aggregate *more = weir_arena_alloc(s->r->arena, capacity * sizeof *more);
        if (q->aggregate_count)
            memcpy(more, q->aggregates, q->aggregate_count * sizeof *more);
        q->aggregates = more;
        s->aggregate_capacity = capacity;
    }
    q->aggregates[q->aggregate_count] = *wanted;
    return q->aggregate_count++;
}

static bool check_quantile(struct scope *s, const struct syntax *call, struct weir_aggregate *aggregate)
{
    aggregate->quantile = 0.5;
    if (aggregate->kind == WEIR_AGG_MEDIAN)
        return true;
    const struct syntax *at = call->first->next;
    aggregate->quantile = at->kind == SYNTAX_DECIMAL ? at->f64 : at->kind == SYNTAX_INTEGER ? (double)at->i64 : -1;
    if (aggregate->quantile >= 0 && aggregate->quantile <= 1)
        return true;
    spec_mistake(s->r, spec_check_place(s, at), NULL, "'quantile' needs a number from 0 to 1: quantile(x, 0.99)");
    return false;
}

static bool check_aggregate_type(struct scope *s, const struct syntax *call, struct weir_aggregate *aggregate)
{
    const char *name = aggregates[aggregate->kind].name;
    enum weir_type type = aggregate->arg->type;
    bool number = spec_is_number_type(type), counts = aggregate->kind == WEIR_AGG_COUNT || aggregate->kind == WEIR_AGG_DISTINCT;
    if (aggregates[aggregate->kind].numbers_only && !number) {
        spec_mistake(s->r, spec_check_place(s, call->first), NULL, "'%s' needs a number, but this is %s", name, weir_type_name(type));
        return false;
    }
    if ((aggregate->kind == WEIR_AGG_MIN || aggregate->kind == WEIR_AGG_MAX) && type == WEIR_BOOLEAN) {
        spec_mistake(s->r, spec_check_place(s, call->first), NULL, "'%s' needs values with an order, but this is boolean", name);
        return false;
    }
    bool integral = type == WEIR_INT || type == WEIR_LONG;
    if (counts)
        aggregate->type = WEIR_LONG;
    else if (aggregate->kind == WEIR_AGG_SUM)
        aggregate->type = integral ? WEIR_LONG : WEIR_DOUBLE;
    else
        aggregate->type = aggregates[aggregate->kind].numbers_only ? WEIR_DOUBLE : type;
    return true;
}

// Whether a row always has a value: a group has at least one event, but nulls and NaN are skipped, and a sum may overflow.
static bool aggregate_nullable(const struct weir_aggregate *a)
{
    if (a->kind == WEIR_AGG_COUNT_ALL || a->kind == WEIR_AGG_COUNT || a->kind == WEIR_AGG_DISTINCT)
        return false;
    bool picks = a->kind == WEIR_AGG_MIN || a->kind == WEIR_AGG_MAX || a->kind == WEIR_AGG_FIRST || a->kind == WEIR_AGG_LAST;
    return !picks || a->arg->nullable || weir_kind_of(a->arg->type) == WEIR_F64;
}

static bool check_aggregate_arg(struct scope *s, const struct syntax *call, bool want_time, struct weir_aggregate *aggregate)
{
    struct scope inside = *s;
    inside.per_row = false;
    inside.no_aggregates = "an aggregate cannot stand inside another";
    bool picks = !aggregates[aggregate->kind].numbers_only;
    aggregate->arg = spec_check_expr(&inside, call->first, want_time && picks);
    return aggregate->arg && check_aggregate_type(s, call, aggregate);
}

static struct weir_expr *check_aggregate(struct scope *s, const struct syntax *call, enum weir_agg kind, bool want_time)
{
    struct weir_aggregate aggregate = {.kind = kind, .type = WEIR_LONG};
    if (s->no_aggregates) {
        spec_mistake(s->r, spec_check_place(s, call), NULL, "'%s' is an aggregate: %s", aggregates[kind].name, s->no_aggregates);
        return NULL;
    }
    if (!check_count(s, call, aggregates[kind].low, aggregates[kind].high))
        return NULL;
    if (call->count && kind == WEIR_AGG_COUNT_ALL)
        aggregate.kind = WEIR_AGG_COUNT;
    bool ok = !call->count || check_aggregate_arg(s, call, want_time, &aggregate);
    if (kind == WEIR_AGG_MEDIAN || kind == WEIR_AGG_QUANTILE)
        ok &= check_quantile(s, call, &aggregate);
    if (!ok)
        return NULL;
    struct weir_expr *e = spec_check_new(s, call, WEIR_OP_AGGREGATE, aggregate.type, aggregate_nullable(&aggregate));
    e->index = keep_aggregate(s, &aggregate);
    return e;
}

struct weir_expr *spec_check_call(struct scope *s, const struct syntax *call, bool want_time)
{
    for (size_t i = 0; i < FUNCTIONS; i++) {
        if (weir_str_is(call->text, functions[i].name))
            return check_function(s, call, &functions[i], want_time);
    }
    for (size_t i = 0; i < WEIR_AGG_KINDS; i++) {
        if (weir_str_is(call->text, aggregates[i].name))
            return check_aggregate(s, call, (enum weir_agg)i, want_time);
    }
    spec_mistake(s->r, spec_check_place(s, call), suggest_function(s, call->text), "unknown function '%.*s'", (int)call->text.bytes, call->text.data);
    return NULL;
}
