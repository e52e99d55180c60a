// SPDX-License-Identifier: Apache-2.0
// Canonical text of expressions: one form for one tree, parentheses only where the tree needs them; and fingerprints, which are made of it.
#include "base/buffer.h"
#include "base/hash.h"
#include "base/number.h"
#include "spec/functions.h"

struct printer {
    const struct weir_plan *plan;
    const struct weir_query_spec *query;
    struct weir_buffer *out;
};

static const struct {
    const char *text;
    int level;
} signs[WEIR_OP_COUNT_] = {
    [WEIR_OP_OR] = {"or", 1}, [WEIR_OP_AND] = {"and", 2}, [WEIR_OP_NOT] = {"not ", 3}, [WEIR_OP_EQ] = {"==", 4}, [WEIR_OP_NE] = {"!=", 4},
    [WEIR_OP_LT] = {"<", 4},  [WEIR_OP_LE] = {"<=", 4},   [WEIR_OP_GT] = {">", 4},     [WEIR_OP_GE] = {">=", 4}, [WEIR_OP_ADD] = {"+", 5},
    [WEIR_OP_SUB] = {"-", 5}, [WEIR_OP_MUL] = {"*", 6},   [WEIR_OP_DIV] = {"/", 6},    [WEIR_OP_NEG] = {"-", 7},
};

static void print(struct printer *p, const struct weir_expr *e, int level);

static void put(struct printer *p, const char *text)
{
    weir_buffer_add(p->out, text, strlen(text));
}

static void print_number(struct printer *p, const struct weir_expr *e)
{
    char text[32];
    size_t bytes = e->type == WEIR_DOUBLE ? weir_format_f64(e->f64, text) : weir_format_i64(e->i64, text);
    weir_buffer_add(p->out, text, bytes);
    if (e->type == WEIR_DOUBLE && !memchr(text, '.', bytes) && !memchr(text, 'e', bytes))
        put(p, ".0");
}

static void print_text(struct printer *p, struct weir_str text)
{
    weir_buffer_byte(p->out, '\'');
    for (uint32_t i = 0; i < text.bytes; i++) {
        weir_buffer_byte(p->out, (uint8_t)text.data[i]);
        if (text.data[i] == '\'')
            weir_buffer_byte(p->out, '\'');
    }
    weir_buffer_byte(p->out, '\'');
}

static void print_aggregate(struct printer *p, const struct weir_aggregate *a)
{
    weir_buffer_format(p->out, "%s(", spec_aggregate_name(a->kind));
    if (a->arg)
        print(p, a->arg, 0);
    if (a->kind == WEIR_AGG_QUANTILE) {
        char text[32];
        size_t bytes = weir_format_f64(a->quantile, text);
        put(p, ", ");
        weir_buffer_add(p->out, text, bytes);
    }
    put(p, ")");
}

static void print_call(struct printer *p, const struct weir_expr *e)
{
    weir_buffer_format(p->out, "%s(", spec_function_name(e->op));
    for (uint32_t i = 0; i < e->arg_count; i++) {
        put(p, i ? ", " : "");
        print(p, e->args[i], 0);
    }
    put(p, ")");
}

static void print_operator(struct printer *p, const struct weir_expr *e, int level)
{
    int own = signs[e->op].level;
    if (own < level)
        put(p, "(");
    if (e->arg_count == 1) {
        put(p, signs[e->op].text);
        print(p, e->args[0], e->op == WEIR_OP_NEG ? own + 1 : own);
    } else {
        print(p, e->args[0], own);
        weir_buffer_format(p->out, " %s ", signs[e->op].text);
        print(p, e->args[1], own + 1);
    }
    if (own < level)
        put(p, ")");
}

static void print(struct printer *p, const struct weir_expr *e, int level)
{
    const struct weir_field *fields = p->plan->event.fields;
    switch (e->op) {
    case WEIR_OP_NUMBER:
        print_number(p, e);
        break;
    case WEIR_OP_TEXT:
        print_text(p, e->text);
        break;
    case WEIR_OP_BOOL:
        put(p, e->i64 ? "true" : "false");
        break;
    case WEIR_OP_NULL:
        put(p, "null");
        break;
    case WEIR_OP_FIELD:
        put(p, fields[e->index].name);
        break;
    case WEIR_OP_EVENT_TIME:
        put(p, fields[p->plan->event.time_field].name);
        break;
    case WEIR_OP_GROUP:
        put(p, fields[p->query->group_by[e->index]].name);
        break;
    case WEIR_OP_WINDOW_START:
        put(p, "window_start");
        break;
    case WEIR_OP_WINDOW_END:
        put(p, "window_end");
        break;
    case WEIR_OP_AGGREGATE:
        print_aggregate(p, &p->query->aggregates[e->index]);
        break;
    default:
        if (signs[e->op].text)
            print_operator(p, e, level);
        else
            print_call(p, e);
    }
}

void weir_expr_print(const struct weir_plan *plan, const struct weir_query_spec *query, const struct weir_expr *e, struct weir_buffer *out)
{
    print(&(struct printer){plan, query, out}, e, 0);
}

void weir_aggregate_print(const struct weir_plan *plan, const struct weir_query_spec *query, uint32_t aggregate, struct weir_buffer *out)
{
    print_aggregate(&(struct printer){plan, query, out}, &query->aggregates[aggregate]);
}

uint64_t weir_query_fingerprint(const struct weir_plan *plan, const struct weir_query_spec *query)
{
    weir_cleanup(weir_buffer_drop) struct weir_buffer text = {0};
    struct printer p = {plan, query, &text};
    const struct weir_window_spec *w = &query->window;
    weir_buffer_format(&text, "window %d %lld %lld %d %s\n", w->kind, (long long)w->size_ms, (long long)w->slide_ms, w->calendar,
                       w->kind == WEIR_WINDOW_CALENDAR ? plan->timezone : "");
    weir_buffer_format(&text, "time %s %d\ngrouped %d", plan->event.fields[plan->event.time_field].name, plan->event.time_unit, query->grouped);
    for (uint32_t i = 0; i < query->group_count; i++) {
        const struct weir_field *field = &plan->event.fields[query->group_by[i]];
        weir_buffer_format(&text, " %s:%s", field->name, weir_type_name(field->type));
    }
    put(&p, "\nwhere ");
    if (query->where)
        print(&p, query->where, 0);
    weir_buffer_format(&text, "\nquantiles %d%s\n", query->exact_quantiles, query->spans_partitions ? " spanning" : "");
    for (uint32_t i = 0; i < query->aggregate_count; i++) {
        const struct weir_aggregate *a = &query->aggregates[i];
        print_aggregate(&p, a);
        weir_buffer_format(&text, ":%s:%s\n", a->arg ? weir_type_name(a->arg->type) : "", weir_type_name(a->type));
    }
    return weir_hash64(text.data, text.bytes, 0);
}
