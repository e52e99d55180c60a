// SPDX-License-Identifier: Apache-2.0
// The ring as its operators know it. Each node is asked for its own virtual tables (Cassandra 4.0 and later: system_views) and its share of the size
// estimates; figures are summed over nodes, so that each copy of a row counts. How many SSTables there are no query tells.
#include "base/memory.h"
#include "store/cassandra/inside.h"
#include <stdio.h>

enum { NODE_TIMEOUT_MS = 2000, CELLS_MAX = 8 };

struct tally { // of a table, over the nodes
    double read_s, write_s, partitions;
    bool clustered, measured;
};

struct gathering {
    struct cassandra_store *store;
    char keyspace[CASSANDRA_NAME_BYTES];
    struct weir_arena *arena;
    struct weir_store_stats *stats;
    struct tally *tallies; // by table
    size_t compaction_capacity;
    struct weir_store_compaction *compactions;
    const char *node;
};

// ---- asking; what a node does not have, or does not answer in time, is left out

static void each_row(struct gathering *g, const char *text, uint32_t columns, void (*visit)(struct gathering *g, const struct cql_cell *cells))
{
    weir_cleanup(weir_buffer_drop) struct weir_buffer values = {0};
    struct cql_result *result;
    struct cql_rows rows;
    struct cql_cell cells[CELLS_MAX];
    struct weir_error ignored;
    if (strchr(text, '?'))
        cql_bind_text(&values, weir_str_of(g->keyspace));
    struct cql_request request = {.kind = CQL_QUERY,
                                  .text = text,
                                  .values = weir_buffer_view(&values),
                                  .value_count = values.bytes > 0,
                                  .consistency = CQL_ONE,
                                  .idempotent = true,
                                  .timeout_ms = NODE_TIMEOUT_MS,
                                  .patience_ms = NODE_TIMEOUT_MS,
                                  .node = g->node};
    if (cql_run(g->store->session, &request, &result, &ignored) < 0)
        return;
    cql_rows_begin(result, &rows);
    while (cql_result_columns(result) == columns && cql_rows_next(&rows, cells) > 0)
        visit(g, cells);
    cql_result_free(result);
}

// The table of a row that begins with keyspace and table; SIZE_MAX: none of ours.
static size_t table_of(const struct gathering *g, const struct cql_cell *cells)
{
    for (uint32_t t = 0; weir_str_is(cells[0].bytes, g->keyspace) && t < g->stats->table_count; t++)
        if (weir_str_is(cells[1].bytes, g->stats->tables[t].name))
            return t;
    return SIZE_MAX;
}

static int64_t integer(const struct cql_cell *cell)
{
    int64_t value;
    return !cell->null && cql_cell_bigint(cell->bytes, &value) ? value : 0;
}

static double number(const struct cql_cell *cell)
{
    double value;
    return !cell->null && cql_cell_double(cell->bytes, &value) ? value : 0;
}

static void add(int64_t *sum, int64_t value)
{
    *sum = (*sum < 0 ? 0 : *sum) + value;
}

// ---- what is asked

static void take_disk_usage(struct gathering *g, const struct cql_cell *cells)
{
    size_t t = table_of(g, cells);
    if (t != SIZE_MAX)
        add(&g->stats->tables[t].bytes, integer(&cells[2]) << 20);
}

static void take_reads(struct gathering *g, const struct cql_cell *cells)
{
    size_t t = table_of(g, cells);
    if (t == SIZE_MAX)
        return;
    add(&g->stats->tables[t].reads, integer(&cells[2]));
    g->tallies[t].read_s += number(&cells[3]) * (double)integer(&cells[2]);
}

static void take_writes(struct gathering *g, const struct cql_cell *cells)
{
    size_t t = table_of(g, cells);
    if (t == SIZE_MAX)
        return;
    add(&g->stats->tables[t].writes, integer(&cells[2]));
    g->tallies[t].write_s += number(&cells[3]) * (double)integer(&cells[2]);
}

static void take_estimate(struct gathering *g, const struct cql_cell *cells)
{
    size_t t = table_of(g, cells);
    if (t == SIZE_MAX)
        return;
    g->tallies[t].partitions += (double)integer(&cells[2]);
    g->tallies[t].measured = true;
}

static void take_task(struct gathering *g, const struct cql_cell *cells)
{
    size_t t = table_of(g, cells);
    if (t == SIZE_MAX)
        return;
    add(&g->stats->tables[t].compactions_pending, 1);
    weir_grow(&g->compactions, &g->compaction_capacity, g->stats->compaction_count + 1u, sizeof *g->compactions);
    g->compactions[g->stats->compaction_count++] = (struct weir_store_compaction){.table = g->stats->tables[t].name,
                                                                                  .kind = weir_arena_copy(g->arena, cells[2].bytes).data,
                                                                                  .node = g->node,
                                                                                  .done_bytes = integer(&cells[3]),
                                                                                  .total_bytes = integer(&cells[4])};
}

static void ask_node(struct gathering *g)
{
    each_row(g, "SELECT keyspace_name, table_name, mebibytes FROM system_views.disk_usage", 3, take_disk_usage);
    // Cassandra 5.0 scales these columns as nanoseconds where they are microseconds: what is called ms is seconds.
    each_row(g, "SELECT keyspace_name, table_name, count, p50th_ms FROM system_views.local_read_latency", 4, take_reads);
    each_row(g, "SELECT keyspace_name, table_name, count, p50th_ms FROM system_views.local_write_latency", 4, take_writes);
    each_row(g, "SELECT keyspace_name, table_name, partitions_count FROM system.size_estimates WHERE keyspace_name = ?", 3, take_estimate);
    each_row(g, "SELECT keyspace_name, table_name, kind, progress, total FROM system_views.sstable_tasks WHERE keyspace_name = ?", 5, take_task);
}

// ---- tables

static void take_table(struct gathering *g, const struct cql_cell *cells)
{
    struct weir_store_stats *stats = g->stats;
    struct weir_store_table *tables = weir_arena_alloc(g->arena, (stats->table_count + 1) * sizeof *tables);
    if (stats->table_count)
        memcpy(tables, stats->tables, stats->table_count * sizeof *tables);
    tables[stats->table_count++] = (struct weir_store_table){.name = weir_arena_copy(g->arena, cells[1].bytes).data,
                                                             .sstables = -1,
                                                             .bytes = -1,
                                                             .rows = -1,
                                                             .reads = -1,
                                                             .writes = -1,
                                                             .read_latency_us = -1,
                                                             .write_latency_us = -1,
                                                             .compactions_pending = 0};
    stats->tables = tables;
}

static void take_kind(struct gathering *g, const struct cql_cell *cells)
{
    size_t t = table_of(g, cells);
    if (t != SIZE_MAX && weir_str_is(cells[2].bytes, "clustering"))
        g->tallies[t].clustered = true;
}

static void find_tables(struct gathering *g)
{
    each_row(g, "SELECT keyspace_name, table_name FROM system_schema.tables WHERE keyspace_name = ?", 2, take_table);
    g->tallies = weir_arena_zalloc(g->arena, (g->stats->table_count + 1) * sizeof *g->tallies);
    each_row(g, "SELECT keyspace_name, table_name, kind FROM system_schema.columns WHERE keyspace_name = ?", 3, take_kind);
}

static void finish_tables(struct gathering *g)
{
    for (uint32_t t = 0; t < g->stats->table_count; t++) {
        struct weir_store_table *table = &g->stats->tables[t];
        const struct tally *tally = &g->tallies[t];
        if (table->reads > 0)
            table->read_latency_us = tally->read_s * 1e6 / (double)table->reads;
        if (table->writes > 0)
            table->write_latency_us = tally->write_s * 1e6 / (double)table->writes;
        if (tally->measured && !tally->clustered) // a partition is a row
            table->rows = (int64_t)tally->partitions;
    }
}

// ---- nodes

static struct weir_store_node *take_nodes(const struct cql_node *nodes, uint32_t count, struct weir_arena *arena)
{
    struct weir_store_node *taken = weir_arena_alloc(arena, count * sizeof *taken + 1);
    for (uint32_t i = 0; i < count; i++) {
        const struct cql_node *n = &nodes[i];
        taken[i] = (struct weir_store_node){.address = n->address,
                                            .host_id = n->host_id,
                                            .datacenter = n->datacenter,
                                            .rack = n->rack,
                                            .release = n->release,
                                            .trouble = n->up           ? NULL
                                                       : n->trouble[0] ? n->trouble
                                                                       : "not connected",
                                            .tokens = n->tokens,
                                            .in_flight = n->in_flight,
                                            .window = n->window,
                                            .ownership = n->ownership,
                                            .requests = n->requests,
                                            .errors = n->errors,
                                            .timeouts = n->timeouts,
                                            .overloaded = n->overloaded,
                                            .latency_us = n->latency_us};
    }
    return taken;
}

static void count_own(struct cassandra_store *s, struct weir_store_stats *stats)
{
    struct cql_counters session = cql_session_counters(s->session);
    stats->rows_sent = atomic_load(&s->counters.rows);
    stats->batches = atomic_load(&s->counters.batches);
    stats->refused = atomic_load(&s->counters.refused);
    stats->retries = session.retries + atomic_load(&s->counters.retries);
    stats->requests = session.requests;
    stats->rows_per_batch = stats->batches ? (double)stats->rows_sent / (double)stats->batches : 0;
}

int cassandra_stats(struct weir_store *store, const char *keyspace, struct weir_arena *arena, struct weir_store_stats *ret, struct weir_error *err)
{
    struct cassandra_store *s = cassandra_store_of(store);
    struct weir_store_stats stats = {.kind = "cassandra"};
    struct gathering g = {.store = s, .arena = arena, .stats = &stats};
    struct cql_node *nodes;
    (void)err;
    cassandra_keyspace_name(keyspace, g.keyspace);
    stats.where = weir_arena_copy(arena, weir_str_of(g.keyspace)).data;
    stats.node_count = cql_session_nodes(s->session, arena, &nodes);
    stats.nodes = take_nodes(nodes, stats.node_count, arena);
    find_tables(&g);
    for (uint32_t i = 0; i < stats.node_count; i++) {
        g.node = nodes[i].address;
        if (nodes[i].up)
            ask_node(&g);
    }
    finish_tables(&g);
    count_own(s, &stats);
    stats.compactions = weir_arena_alloc(arena, stats.compaction_count * sizeof *stats.compactions + 1);
    if (stats.compaction_count)
        memcpy(stats.compactions, g.compactions, stats.compaction_count * sizeof *stats.compactions);
    weir_freep(&g.compactions);
    *ret = stats;
    return 0;
}
