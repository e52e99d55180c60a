// SPDX-License-Identifier: Apache-2.0
// How a table is kept: consistency, compaction, ttl, partition_by.
#include "spec/query.h"

#define TTL_MS_MAX (INT64_C(630720000) * 1000) // twenty years, as in Cassandra

static void read_consistency(struct query_reading *q)
{
    static const char *const levels[] = {"ANY", "ONE", "TWO", "THREE", "QUORUM", "ALL", "LOCAL_ONE", "LOCAL_QUORUM", "EACH_QUORUM"};
    const struct node *node = q->at[QUERY_CONSISTENCY];
    int level = node ? spec_read_choice(q->r, node, "consistency level", levels, sizeof levels / sizeof *levels) : -1;
    q->query->table.consistency = level < 0 ? "LOCAL_QUORUM" : levels[level];
}

static void read_compaction(struct query_reading *q)
{
    static const char *const classes[] = {"SizeTieredCompactionStrategy", "LeveledCompactionStrategy", "TimeWindowCompactionStrategy",
                                          "UnifiedCompactionStrategy"};
    struct weir_table *table = &q->query->table;
    const struct node *node = q->at[QUERY_COMPACTION];
    if (!node || !spec_is_map(q->r, node, "'compaction'"))
        return;
    spec_check_duplicates(q->r, node);
    const struct node *class = yaml_tree_get(node, "class");
    if (class)
        spec_read_choice(q->r, class, "compaction class", classes, sizeof classes / sizeof *classes);
    else
        spec_mistake(q->r, spec_place_of_name(node), NULL, "'compaction' needs a 'class'");
    table->compaction = weir_arena_zalloc(q->r->arena, (node->count + 1) * sizeof *table->compaction);
    for (uint32_t i = 0; i < node->count; i++) {
        const char *value = spec_read_text(q->r, node->items[i], "an option");
        if (!spec_is_identifier(node->keys[i]->text))
            spec_mistake(q->r, node->keys[i]->at, NULL, "'%s' is no option of compaction", node->keys[i]->text.data);
        else if (value)
            table->compaction[table->compaction_count++] = (struct weir_option){node->keys[i]->text.data, value};
    }
}

static void read_ttl(struct query_reading *q)
{
    const struct node *node = q->at[QUERY_TTL];
    int64_t ms;
    if (!node || !spec_read_duration(q->r, node, "'ttl'", 1000, &ms))
        return;
    if (ms > TTL_MS_MAX)
        spec_mistake(q->r, node->at, NULL, "'ttl' is at most 20 years");
    else
        q->query->table.ttl_ms = ms;
}

static void read_partition_by(struct query_reading *q)
{
    static const char *const units[] = {"hour", "day", "week", "month", "year"};
    const struct node *node = q->at[QUERY_PARTITION_BY];
    if (!node)
        return;
    int unit = spec_read_choice(q->r, node, "partition_by", units, sizeof units / sizeof *units);
    if (unit >= 0)
        q->query->table.partition_by = units[unit];
    if (q->query->grouped && !q->at[QUERY_WINDOW])
        spec_mistake(q->r, spec_place_of_name(node), NULL, "'partition_by' needs a time: this query has no 'window'");
}

static enum weir_time_part part_of_event(const struct weir_event_spec *event, const struct weir_expr *e)
{
    static const enum weir_time_part parts[] = {[WEIR_UNIT_MS] = WEIR_PART_MS, [WEIR_UNIT_S] = WEIR_PART_S, [WEIR_UNIT_US] = WEIR_PART_US};
    if (e->op == WEIR_OP_EVENT_TIME)
        return WEIR_PART_MS;
    bool is_time = e->op == WEIR_OP_FIELD && e->index == event->time_field && event->time_unit != WEIR_UNIT_ISO8601;
    return is_time ? parts[event->time_unit] : WEIR_PART_NONE;
}

static enum weir_time_part part_of(const struct weir_query_spec *query, const struct weir_event_spec *event, const struct weir_expr *e)
{
    static const enum weir_time_part parts[WEIR_OP_COUNT_] = {
        [WEIR_OP_EPOCH_S] = WEIR_PART_S,   [WEIR_OP_EPOCH_MS] = WEIR_PART_MS, [WEIR_OP_YEAR] = WEIR_PART_YEAR,
        [WEIR_OP_MONTH] = WEIR_PART_MONTH, [WEIR_OP_DAY] = WEIR_PART_DAY,     [WEIR_OP_HOUR] = WEIR_PART_HOUR,
    };
    enum weir_op time = query->window.kind == WEIR_WINDOW_NONE ? WEIR_OP_EVENT_TIME : WEIR_OP_WINDOW_START;
    if (!e || (query->grouped && query->window.kind == WEIR_WINDOW_NONE))
        return WEIR_PART_NONE;
    if (e->op == time)
        return WEIR_PART_MS;
    if (e->arg_count == 1 && e->args[0]->op == time)
        return parts[e->op];
    return query->grouped ? WEIR_PART_NONE : part_of_event(event, e);
}

static void find_time_parts(struct query_reading *q)
{
    struct weir_table *table = &q->query->table;
    table->zone = q->r->plan->zone;
    table->time_parts = weir_arena_zalloc(q->r->arena, (table->column_count + 1) * sizeof *table->time_parts);
    for (uint32_t c = 0; c < table->column_count; c++)
        table->time_parts[c] = part_of(q->query, &q->r->plan->event, q->query->columns[c]);
}

// A partition's rows lie in the order of its time buckets only if time comes first among the clustering columns.
static void check_bucket(struct query_reading *q)
{
    const struct weir_table *table = &q->query->table;
    if (!table->partition_by || !q->columns_known || !table->partition_count)
        return;
    enum weir_time_part part = table->clustering_count ? table->time_parts[table->clustering[0].column] : WEIR_PART_NONE;
    if (part == WEIR_PART_NONE || part > WEIR_PART_YEAR)
        spec_mistake(q->r, spec_place_of_name(q->at[QUERY_PARTITION_BY]), NULL,
                     "'partition_by' needs a time first among the clustering columns: the event's time, or one made of window_start");
}

void spec_read_table_options(struct query_reading *q)
{
    read_consistency(q);
    read_compaction(q);
    read_ttl(q);
    find_time_parts(q);
    read_partition_by(q);
    check_bucket(q);
}
