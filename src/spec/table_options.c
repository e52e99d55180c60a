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

void spec_read_table_options(struct query_reading *q)
{
    read_consistency(q);
    read_compaction(q);
    read_ttl(q);
    read_partition_by(q);
}
