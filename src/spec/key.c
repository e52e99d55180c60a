// SPDX-License-Identifier: Apache-2.0
// key: [[partition column…], clustering column [asc|desc]…], and whether it tells rows apart.
#include "spec/query.h"

static const char *suggest_column(struct query_reading *q, struct weir_str name)
{
    const struct weir_table *table = &q->query->table;
    if (spec_enough_mistakes(q->r))
        return NULL;
    const char **names = weir_arena_alloc(q->r->arena, (table->column_count + 1) * sizeof *names);
    for (uint32_t i = 0; i < table->column_count; i++)
        names[i] = table->columns[i].name;
    return spec_did_you_mean(q->r, name, names, table->column_count);
}

static int64_t find_column(const struct weir_table *table, struct weir_str name)
{
    for (uint32_t i = 0; i < table->column_count; i++) {
        if (weir_str_is(name, table->columns[i].name))
            return i;
    }
    return -1;
}

static void check_not_null(struct query_reading *q, struct place at, uint32_t column)
{
    const struct weir_expr *e = q->query->columns[column];
    const char *name = q->query->table.columns[column].name;
    if (!e || !e->nullable)
        return;
    if (e->op == WEIR_OP_GROUP)
        spec_mistake(q->r, at, NULL, "key column '%s' may be null, for the query groups by an optional field: make it a required one", name);
    else if (e->op == WEIR_OP_FIELD)
        spec_mistake(q->r, at, NULL, "key column '%s' may be null, for the event's field is optional: give it a value with coalesce(…)", name);
    else
        spec_mistake(q->r, at, NULL, "key column '%s' may be null: give it a value with coalesce(…, 0)", name);
}

// The column named by the first word of a scalar; what follows it goes to *ret_order.
static int64_t read_key_column(struct query_reading *q, const struct node *node, struct weir_str *ret_order)
{
    if (!spec_read_text(q->r, node, "a key column"))
        return -1;
    struct weir_str text = node->text, name = {text.data, (uint32_t)strcspn(text.data, " ")};
    uint32_t skip = name.bytes + (uint32_t)strspn(text.data + name.bytes, " ");
    *ret_order = (struct weir_str){text.data + skip, text.bytes - skip};
    struct place at = yaml_tree_place(q->r->source, node, 0, name.bytes);
    int64_t column = find_column(&q->query->table, name);
    const char *shown = weir_arena_copy(q->r->arena, name).data;
    if (column < 0) {
        if (q->columns_known)
            spec_mistake(q->r, at, suggest_column(q, name), "the key names '%s', which is no column of the table", shown);
        return -1;
    }
    if (weir_table_is_key(&q->query->table, (uint32_t)column)) {
        spec_mistake(q->r, at, NULL, "'%s' is in the key twice", shown);
        return -1;
    }
    check_not_null(q, at, (uint32_t)column);
    return column;
}

static bool read_partition_column(struct query_reading *q, const struct node *node)
{
    struct weir_table *table = &q->query->table;
    struct weir_str order;
    int64_t column = read_key_column(q, node, &order);
    if (column < 0)
        return false;
    if (order.bytes)
        spec_mistake(q->r, yaml_tree_place(q->r->source, node, (uint32_t)(order.data - node->text.data), order.bytes), NULL,
                     "partition columns have no order");
    table->partition[table->partition_count++] = (uint32_t)column;
    return true;
}

static bool read_clustering_column(struct query_reading *q, const struct node *node)
{
    static const char *const orders[] = {"asc", "desc"};
    struct weir_table *table = &q->query->table;
    struct weir_str order;
    int64_t column = read_key_column(q, node, &order);
    if (column < 0)
        return false;
    bool descending = weir_str_is(order, "desc");
    if (order.bytes && !descending && !weir_str_is(order, "asc"))
        spec_mistake(q->r, yaml_tree_place(q->r->source, node, (uint32_t)(order.data - node->text.data), order.bytes),
                     spec_did_you_mean(q->r, order, orders, 2), "a clustering column is ordered asc or desc");
    table->clustering[table->clustering_count++] = (struct weir_clustering){.column = (uint32_t)column, .descending = descending};
    return true;
}

static bool read_partition(struct query_reading *q, const struct node *node)
{
    struct weir_table *table = &q->query->table;
    bool list = node->kind == NODE_LIST, ok = true;
    table->partition = weir_arena_zalloc(q->r->arena, (node->count + 1) * sizeof *table->partition);
    if (!list)
        return read_partition_column(q, node);
    for (uint32_t i = 0; i < node->count; i++)
        ok &= read_partition_column(q, node->items[i]);
    if (!node->count)
        spec_mistake(q->r, node->at, NULL, "the partition key needs at least one column");
    return ok && node->count;
}

static bool read_key_lists(struct query_reading *q, const struct node *node)
{
    struct weir_table *table = &q->query->table;
    if (node->kind == NODE_SCALAR)
        return read_partition(q, node);
    if (!spec_is_list(q->r, node, "'key'"))
        return false;
    if (!node->count) {
        spec_mistake(q->r, node->at, NULL, "a key is [[partition column…], clustering column…], with at least one partition column");
        return false;
    }
    bool ok = read_partition(q, node->items[0]);
    table->clustering = weir_arena_zalloc(q->r->arena, node->count * sizeof *table->clustering);
    for (uint32_t i = 1; i < node->count; i++)
        ok &= read_clustering_column(q, node->items[i]);
    return ok;
}

// ---- rows of different groups or windows must not overwrite each other

static bool mentions_window(const struct weir_expr *e)
{
    if (!e)
        return true;
    if (e->op == WEIR_OP_WINDOW_START || e->op == WEIR_OP_WINDOW_END)
        return true;
    for (uint32_t i = 0; i < e->arg_count; i++) {
        if (mentions_window(e->args[i]))
            return true;
    }
    return false;
}

static bool key_has(const struct query_reading *q, bool (*matches)(const struct weir_expr *e, uint32_t group), uint32_t group)
{
    for (uint32_t i = 0; i < q->query->table.column_count; i++) {
        if (weir_table_is_key(&q->query->table, i) && matches(q->query->columns[i], group))
            return true;
    }
    return false;
}

static bool is_group(const struct weir_expr *e, uint32_t group)
{
    return !e || (e->op == WEIR_OP_GROUP && e->index == group);
}

static bool is_of_window(const struct weir_expr *e, uint32_t group)
{
    (void)group;
    return mentions_window(e);
}

static void check_distinct_rows(struct query_reading *q, const struct node *node)
{
    const struct weir_query_spec *query = q->query;
    for (uint32_t i = 0; i < query->group_count; i++) {
        if (!key_has(q, is_group, i))
            spec_mistake(q->r, node->at, NULL,
                         "the key misses a column of '%s', by which the query groups: rows of different groups would overwrite each other",
                         q->r->plan->event.fields[query->group_by[i]].name);
    }
    if (query->window.kind != WEIR_WINDOW_NONE && !key_has(q, is_of_window, 0))
        spec_mistake(q->r, node->at, NULL, "the key misses a column of 'window_start': rows of different windows would overwrite each other");
}

void spec_read_key(struct query_reading *q)
{
    const struct node *node = q->at[QUERY_KEY];
    if (!node) {
        spec_mistake(q->r, q->node->at, NULL, "%s needs a 'key': [[partition column…], clustering column…]", q->title);
        return;
    }
    if (read_key_lists(q, node) && q->query->grouped && q->scope.groups_known && q->columns_known)
        check_distinct_rows(q, node);
}
