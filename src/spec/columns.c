// SPDX-License-Identifier: Apache-2.0
// columns: NAME: TYPE [= EXPRESSION], and where:
#include "spec/lexer.h"
#include "spec/query.h"

#define COLUMNS_MAX 1000

static const char *suggest_type(struct reading *r, struct weir_str name)
{
    static const struct {
        const char *foreign, *ours;
    } synonyms[] = {{"string", "text"}, {"varchar", "text"}, {"long", "bigint"}, {"integer", "int"}, {"bool", "boolean"}, {"real", "float"}};
    for (size_t i = 0; i < sizeof synonyms / sizeof *synonyms; i++) {
        if (weir_str_is(name, synonyms[i].foreign))
            return weir_arena_format(r->arena, "did you mean '%s'?", synonyms[i].ours);
    }
    const char *names[WEIR_CQL_TYPE_COUNT];
    for (int i = 0; i < WEIR_CQL_TYPE_COUNT; i++)
        names[i] = weir_cql_type_name((enum weir_cql_type)i);
    const char *hint = spec_did_you_mean(r, name, names, WEIR_CQL_TYPE_COUNT);
    return hint ? hint : "one of: text, uuid, boolean, int, bigint, float, double, timestamp";
}

// Whether an int column holds every value of it. Integers of expressions are long; counts are taken to fit.
static bool fits_int(const struct weir_query_spec *q, const struct weir_expr *e)
{
    if (e->type == WEIR_INT)
        return true;
    if (e->op == WEIR_OP_NUMBER)
        return e->type == WEIR_LONG && e->i64 >= INT32_MIN && e->i64 <= INT32_MAX;
    if (e->op == WEIR_OP_AGGREGATE) {
        enum weir_agg kind = q->aggregates[e->index].kind;
        return kind == WEIR_AGG_COUNT_ALL || kind == WEIR_AGG_COUNT || kind == WEIR_AGG_DISTINCT;
    }
    if (e->op != WEIR_OP_IF && e->op != WEIR_OP_COALESCE)
        return e->op == WEIR_OP_NULL;
    for (uint32_t i = e->op == WEIR_OP_IF; i < e->arg_count; i++) {
        if (!fits_int(q, e->args[i]))
            return false;
    }
    return true;
}

static bool fits_column(const struct weir_query_spec *q, enum weir_cql_type column, const struct weir_expr *e)
{
    if (e->op == WEIR_OP_NULL)
        return true;
    switch (column) {
    case WEIR_CQL_TEXT:
        return e->type == WEIR_STRING;
    case WEIR_CQL_UUID:
        return e->type == WEIR_STRING && (e->op == WEIR_OP_FIELD || e->op == WEIR_OP_GROUP);
    case WEIR_CQL_BOOLEAN:
        return e->type == WEIR_BOOLEAN;
    case WEIR_CQL_INT:
        return fits_int(q, e);
    case WEIR_CQL_BIGINT:
        return e->type == WEIR_INT || e->type == WEIR_LONG || e->type == WEIR_TIMESTAMP;
    case WEIR_CQL_FLOAT:
    case WEIR_CQL_DOUBLE:
        return spec_is_number_type(e->type);
    default:
        return e->type == WEIR_TIMESTAMP || e->type == WEIR_LONG;
    }
}

static const char *remedy(enum weir_cql_type column, const struct weir_expr *e)
{
    if (column == WEIR_CQL_UUID && e->type == WEIR_STRING)
        return ": a uuid comes straight from a field of the event";
    if (column == WEIR_CQL_INT && e->type == WEIR_LONG)
        return ", which may be too large: use bigint";
    if (column == WEIR_CQL_INT && (e->type == WEIR_DOUBLE || e->type == WEIR_FLOAT))
        return ": use double";
    return "";
}

static void check_fit(struct scope *s, const char *name, enum weir_cql_type type, const struct syntax *syntax, struct weir_expr *e)
{
    struct weir_event_spec *event = &s->r->plan->event;
    if (!fits_column(s->query, type, e)) {
        spec_mistake(s->r, yaml_tree_place(s->r->source, s->node, syntax->offset, syntax->bytes), NULL, "column '%s' is %s, but this is %s%s", name,
                     weir_cql_type_name(type), weir_type_name(e->type), remedy(type, e));
        return;
    }
    if (e->op == WEIR_OP_NULL)
        e->type = weir_cql_kind(type) == WEIR_STRS ? WEIR_STRING : weir_cql_kind(type) == WEIR_F64 ? WEIR_DOUBLE : WEIR_LONG;
    if (type == WEIR_CQL_UUID && e->op != WEIR_OP_NULL)
        event->fields[e->op == WEIR_OP_FIELD ? e->index : s->query->group_by[e->index]].is_uuid = true;
}

// TYPE, and where the expression after '=' starts; 0 if there is none. False after a mistake that leaves nothing to go on with.
static bool read_column_type(struct reading *r, const struct node *node, int *ret_type, uint32_t *ret_expr)
{
    struct token type = lexer_next(node->text, 0), sign = lexer_next(node->text, type.offset + type.bytes);
    enum weir_cql_type known;
    if (type.kind != TOKEN_NAME) {
        spec_mistake(r, yaml_tree_place(r->source, node, type.offset, type.bytes), "NAME: TYPE, or NAME: TYPE = EXPRESSION",
                     "a column's type is missing");
        return false;
    }
    if (weir_cql_type_parse(type.text, &known) == 0)
        *ret_type = (int)known;
    else
        spec_mistake(r, yaml_tree_place(r->source, node, type.offset, type.bytes), suggest_type(r, type.text), "unknown column type '%.*s'",
                     (int)type.text.bytes, type.text.data);
    if (sign.kind == TOKEN_END)
        return true;
    if (sign.bytes != 1 || sign.text.data[0] != '=') {
        spec_mistake(r, yaml_tree_place(r->source, node, sign.offset, sign.bytes), NULL,
                     "'=' and an expression may follow a column's type, not '%.*s'", (int)sign.text.bytes, sign.text.data);
        return false;
    }
    *ret_expr = sign.offset + 1;
    return true;
}

// A column without an expression is the field of its name.
static struct weir_expr *check_column(struct query_reading *q, const struct node *node, uint32_t expr_at, int type)
{
    struct scope *s = &q->scope;
    struct syntax field = {.kind = SYNTAX_NAME, .text = node->name->text, .bytes = node->name->text.bytes, .depth = 1};
    const struct syntax *syntax = expr_at ? syntax_parse(q->r, node, expr_at) : &field;
    s->node = expr_at ? node : node->name;
    s->no_aggregates = q->query->grouped ? NULL : "it needs a 'group_by'";
    struct weir_expr *e = syntax ? spec_check_expr(s, syntax, type == WEIR_CQL_TIMESTAMP) : NULL;
    if (e && type >= 0)
        check_fit(s, node->name->text.data, (enum weir_cql_type)type, syntax, e);
    return e;
}

static void read_column(struct query_reading *q, const struct node *node)
{
    struct weir_table *table = &q->query->table;
    const struct node *key = node->name;
    if (!spec_is_table_name(key->text)) {
        spec_mistake(q->r, key->at, NULL, "'%s' is no column name: lower-case letters, digits and '_', not a digit first, at most %d", key->text.data,
                     NAME_BYTES_MAX);
        q->columns_known = false;
    }
    int type = -1;
    uint32_t expr_at = 0;
    if (spec_is_null(node))
        spec_mistake(q->r, key->at, NULL, "column '%s' has no type", key->text.data);
    else if (spec_is_text(q->r, node, "a column's type") && read_column_type(q->r, node, &type, &expr_at))
        q->query->columns[table->column_count] = check_column(q, node, expr_at, type);
    table->columns[table->column_count++] =
        (struct weir_table_column){.name = key->text.data, .type = type < 0 ? WEIR_CQL_TEXT : (enum weir_cql_type)type};
}

static void read_columns(struct query_reading *q)
{
    const struct node *node = q->at[QUERY_COLUMNS];
    struct weir_table *table = &q->query->table;
    if (!node) {
        spec_mistake(q->r, q->node->at, NULL, "%s needs 'columns'", q->title);
        return;
    }
    if (!spec_is_map(q->r, node, "'columns'"))
        return;
    spec_check_duplicates(q->r, node);
    if (!node->count || node->count > COLUMNS_MAX) {
        spec_mistake(q->r, node->at, NULL, "a table has 1 to %d columns, not %u", COLUMNS_MAX, node->count);
        return;
    }
    table->columns = weir_arena_zalloc(q->r->arena, node->count * sizeof *table->columns);
    q->query->columns = weir_arena_zalloc(q->r->arena, node->count * sizeof *q->query->columns);
    q->columns_known = true;
    for (uint32_t i = 0; i < node->count && !spec_enough_mistakes(q->r); i++)
        read_column(q, node->items[i]);
}

static void read_where(struct query_reading *q)
{
    const struct node *node = q->at[QUERY_WHERE];
    if (!node || !spec_read_text(q->r, node, "'where'"))
        return;
    struct scope s = q->scope;
    s.node = node;
    s.per_row = false;
    s.no_aggregates = "'where' looks at one event at a time";
    const struct syntax *syntax = syntax_parse(q->r, node, 0);
    struct weir_expr *e = syntax ? spec_check_expr(&s, syntax, false) : NULL;
    if (e && e->type != WEIR_BOOLEAN)
        spec_mistake(q->r, yaml_tree_place(q->r->source, node, syntax->offset, syntax->bytes), NULL, "'where' must be true or false, but this is %s",
                     weir_type_name(e->type));
    q->query->where = e;
}

void spec_read_columns_and_where(struct query_reading *q)
{
    read_where(q);
    read_columns(q);
}
