// SPDX-License-Identifier: Apache-2.0
// queries: from events to the rows of a table.
#include "spec/query.h"
#include "spec/built.h"

#define QUERIES_MAX 256

static const char *const query_keys[QUERY_KEYS] = {
    [QUERY_TABLE] = "table",
    [QUERY_WINDOW] = "window",
    [QUERY_GROUP_BY] = "group_by",
    [QUERY_LATENESS] = "lateness",
    [QUERY_AMEND] = "amend",
    [QUERY_IDLE] = "idle",
    [QUERY_EMIT] = "emit",
    [QUERY_EVERY] = "every",
    [QUERY_WHERE] = "where",
    [QUERY_QUANTILES] = "quantiles",
    [QUERY_COLUMNS] = "columns",
    [QUERY_KEY] = "key",
    [QUERY_CONSISTENCY] = "consistency",
    [QUERY_COMPACTION] = "compaction",
    [QUERY_TTL] = "ttl",
    [QUERY_PARTITION_BY] = "partition_by",
};

static void read_table_name(struct query_reading *q)
{
    struct reading *r = q->r;
    const struct node *node = q->at[QUERY_TABLE];
    q->query->table.name = "";
    if (!node) {
        spec_mistake(r, q->node->at, NULL, "a query needs a 'table'");
        return;
    }
    const char *name = spec_read_text(r, node, "'table'");
    if (!name)
        return;
    if (!spec_is_table_name(node->text))
        spec_mistake(r, node->at, NULL, "'%s' is no table name: lower-case letters, digits and '_', not a digit first, at most %d", node->raw.data,
                     NAME_BYTES_MAX);
    for (uint32_t i = 0; i < r->plan->query_count; i++) {
        if (strcmp(r->plan->queries[i].table.name, name) == 0) {
            spec_mistake(r, node->at, NULL, "table '%s' is filled twice, first by the query on line %d", name, r->plan->queries[i].line);
            break;
        }
    }
    q->query->table.name = name;
}

static void read_group_by(struct query_reading *q)
{
    struct weir_query_spec *query = q->query;
    const struct node *node = q->at[QUERY_GROUP_BY];
    query->grouped = query->table.upserts = node != NULL;
    q->scope.per_row = query->grouped;
    q->scope.groups_known = query->grouped && spec_is_list(q->r, node, "'group_by'");
    if (!q->scope.groups_known)
        return;
    if (!node->count)
        spec_mistake(q->r, node->at, NULL, "'group_by' needs at least one field");
    query->group_by = weir_arena_zalloc(q->r->arena, (node->count + 1) * sizeof *query->group_by);
    for (uint32_t i = 0; i < node->count; i++) {
        int64_t field = spec_read_field(q->r, node->items[i], "'group_by'");
        q->scope.groups_known &= field >= 0;
        for (uint32_t j = 0; j < query->group_count && field >= 0; j++) {
            if (query->group_by[j] == field) {
                spec_mistake(q->r, node->items[i]->at, NULL, "'%s' is given twice", node->items[i]->raw.data);
                field = -1;
            }
        }
        if (field < 0)
            continue;
        q->r->plan->event.fields[field].used = true;
        query->group_by[query->group_count++] = (uint32_t)field;
    }
    q->scope.groups_known &= node->count > 0;
}

// What a key is about must be there.
static void check_place_of_keys(struct query_reading *q)
{
    static const enum query_key of_windows[] = {QUERY_LATENESS, QUERY_IDLE, QUERY_AMEND};
    static const enum query_key of_groups[] = {QUERY_WINDOW, QUERY_EMIT, QUERY_EVERY, QUERY_QUANTILES};
    for (size_t i = 0; i < sizeof of_windows / sizeof *of_windows; i++) {
        const struct node *node = q->at[of_windows[i]];
        if (node && !q->at[QUERY_WINDOW])
            spec_mistake(q->r, spec_place_of_name(node), NULL, "'%s' needs a 'window'", query_keys[of_windows[i]]);
    }
    for (size_t i = 0; i < sizeof of_groups / sizeof *of_groups; i++) {
        const struct node *node = q->at[of_groups[i]];
        if (node && !q->query->grouped)
            spec_mistake(q->r, spec_place_of_name(node), NULL, "'%s' needs a 'group_by'", query_keys[of_groups[i]]);
    }
}

static void read_emit(struct query_reading *q)
{
    static const char *const names[] = {"final", "update"};
    const struct node *node = q->at[QUERY_EMIT];
    bool windowed = q->at[QUERY_WINDOW] != NULL;
    q->query->emit_update = q->query->grouped && !windowed;
    int choice = node ? spec_read_choice(q->r, node, "emit", names, 2) : -1;
    if (choice == 0 && q->query->grouped && !windowed)
        spec_mistake(q->r, node->at, NULL, "without a 'window' no row is ever final: use 'emit: update'");
    else if (choice >= 0)
        q->query->emit_update = choice == 1;
}

static void read_timing(struct query_reading *q)
{
    struct weir_query_spec *query = q->query;
    static const char *const quantiles[] = {"exact", "approximate"};
    query->idle_ms = 60 * 1000;
    query->every_ms = 1000;
    read_emit(q);
    if (q->at[QUERY_LATENESS])
        spec_read_duration(q->r, q->at[QUERY_LATENESS], "'lateness'", 0, &query->lateness_ms);
    if (q->at[QUERY_IDLE])
        spec_read_duration(q->r, q->at[QUERY_IDLE], "'idle'", 1, &query->idle_ms);
    if (q->at[QUERY_EVERY])
        spec_read_duration(q->r, q->at[QUERY_EVERY], "'every'", 1, &query->every_ms);
    if (q->at[QUERY_QUANTILES])
        query->exact_quantiles = spec_read_choice(q->r, q->at[QUERY_QUANTILES], "quantiles", quantiles, 2) == 0;
    if (q->at[QUERY_AMEND])
        spec_read_duration(q->r, q->at[QUERY_AMEND], "'amend'", 1, &query->amend_ms);
}

static void decide_spanning(struct query_reading *q)
{
    struct weir_query_spec *query = q->query;
    struct reading *r = q->r;
    if (!query->grouped || !q->scope.groups_known || !r->key_known || r->plan->topic.partitions < 2)
        return;
    for (uint32_t i = 0; i < query->group_count; i++) {
        if (query->group_by[i] == r->plan->event.key_field)
            return;
    }
    query->spans_partitions = true;
    if (query->window.kind == WEIR_WINDOW_SESSION)
        spec_require_built(r, BUILT_SESSIONS_ACROSS, spec_place_of_name(q->at[QUERY_WINDOW]), NULL, "");
}

static void read_query(struct reading *r, const struct node *node, struct weir_query_spec *query)
{
    struct query_reading q = {.r = r, .node = node, .query = query};
    const struct node *name = yaml_tree_get(node, "table");
    bool named = name && name->kind == NODE_SCALAR && name->text.bytes;
    q.title = named ? weir_arena_format(r->arena, "query '%s'", name->raw.data) : "this query";
    query->table.name = "";
    query->line = node->at.line;
    if (!spec_read_keys(r, node, q.title, query_keys, QUERY_KEYS, q.at))
        return;
    q.scope = (struct scope){.r = r, .query = query};
    read_table_name(&q);
    spec_read_window(&q);
    read_group_by(&q);
    check_place_of_keys(&q);
    read_timing(&q);
    spec_read_columns_and_where(&q);
    spec_read_key(&q);
    spec_read_table_options(&q);
    decide_spanning(&q);
}

void spec_read_queries(struct reading *r, const struct node *node)
{
    struct weir_plan *plan = r->plan;
    if (!node || !spec_is_list(r, node, "'queries'"))
        return;
    if (!node->count || node->count > QUERIES_MAX) {
        spec_mistake(r, node->at, NULL, "'queries' holds 1 to %d queries, not %u", QUERIES_MAX, node->count);
        return;
    }
    plan->queries = weir_arena_zalloc(r->arena, node->count * sizeof *plan->queries);
    for (uint32_t i = 0; i < node->count && !spec_enough_mistakes(r); i++) {
        read_query(r, node->items[i], &plan->queries[i]);
        plan->query_count++;
    }
}
