// SPDX-License-Identifier: Apache-2.0
#include "base/number.h"
#include "cli/cell.h"
#include "cli/printer.h"
#include "cli/session.h"
#include "cli/verb/verbs.h"

// ---- what --from and --to mean

static int parse_bound(const struct session *s, const struct weir_query_spec *query, const char *text, struct weir_arena *arena,
                       struct weir_value *ret, struct weir_error *err)
{
    const struct weir_table *table = &query->table;
    if (!table->windowed && table->clustering_count == 0)
        return weir_fail(err, WEIR_USAGE, WEIR_STOP, "table '%s' has no clustering column that --from and --to could bound", table->name);
    if (weir_bound_parse(s->plan, query, weir_str_of(text), arena, ret) == 0)
        return 0;
    if (table->windowed || weir_column_unit(s->plan, query, table->clustering[0].column) >= 0)
        return weir_fail(err, WEIR_USAGE, WEIR_STOP, "'%.80s' is no time; write 2026-01-31T12:00:00Z or an epoch", text);
    return cell_parse(&table->columns[table->clustering[0].column], text, arena, ret, err);
}

static int make_scan(const struct session *s, const struct weir_query_spec *query, const struct cli_args *args, struct weir_arena *arena,
                     struct weir_scan *ret, struct weir_error *err)
{
    const struct weir_table *table = &query->table;
    struct weir_scan scan = {.table = table, .key_count = args->keys.count, .limit = args->limit};
    if (args->keys.count > weir_table_key_count(table))
        return weir_fail(err, WEIR_USAGE, WEIR_STOP, "table '%s' has %u key columns, not %u", table->name, weir_table_key_count(table),
                         args->keys.count);
    struct weir_value *key = weir_arena_zalloc(arena, (args->keys.count + 1) * sizeof(*key));
    for (uint32_t i = 0; i < args->keys.count; i++) {
        if (cell_parse(&table->columns[weir_table_key(table, i)], args->keys.items[i], arena, &key[i], err) < 0)
            return weir_wrap(err, "--key");
    }
    scan.key = key;
    scan.bound_from = args->from;
    scan.bound_to = args->to;
    if (args->from && parse_bound(s, query, args->from, arena, &scan.from, err) < 0)
        return weir_wrap(err, "--from");
    if (args->to && parse_bound(s, query, args->to, arena, &scan.to, err) < 0)
        return weir_wrap(err, "--to");
    *ret = scan;
    return 0;
}

// ---- rows

struct output {
    struct printer *printer;
    const struct weir_table *table;
    struct printer_cell *cells;
    char (*texts)[WEIR_CELL_BYTES];
};

static int print_values(void *context, const struct weir_value *values)
{
    struct output *o = context;
    for (uint32_t c = 0; c < o->table->column_count; c++)
        o->cells[c] = cell_of(o->table->columns[c].type, &values[c], o->texts[c]);
    printer_row(o->printer, o->cells);
    return printer_broken(o->printer);
}

static int print_rows(struct session *s, const struct weir_scan *scan, enum cli_format format, struct weir_arena *arena, struct weir_error *err)
{
    const struct weir_table *table = scan->table;
    struct printer_column *columns = weir_arena_zalloc(arena, table->column_count * sizeof(*columns));
    for (uint32_t c = 0; c < table->column_count; c++)
        columns[c] = (struct printer_column){table->columns[c].name, cell_kind(table->columns[c].type)};
    struct output o = {
        .table = table,
        .cells = weir_arena_zalloc(arena, table->column_count * sizeof(struct printer_cell)),
        .texts = weir_arena_zalloc(arena, table->column_count * (size_t)WEIR_CELL_BYTES),
        .printer = printer_open(stdout, format, columns, table->column_count),
    };
    int status = weir_store_scan(s->store, s->plan->keyspace, scan, print_values, &o, err);
    printer_close(o.printer);
    return status;
}

static int unknown_table(const struct weir_plan *plan, const char *table, struct weir_error *err)
{
    const char *names[64];
    uint32_t count = 0;
    for (; count < plan->query_count && count < 64; count++)
        names[count] = plan->queries[count].table.name;
    return cli_unknown(err, "table", table, names, count);
}

static int query_table(struct session *s, const struct cli_args *args, struct weir_error *err)
{
    weir_cleanup(weir_arena_drop) struct weir_arena arena = {0};
    struct weir_scan scan;
    if (session_plan(s, args, args->operands.items[0], err) < 0)
        return -1;
    const struct weir_query_spec *query = weir_plan_query(s->plan, args->operands.items[1]);
    if (!query)
        return unknown_table(s->plan, args->operands.items[1], err);
    if (make_scan(s, query, args, &arena, &scan, err) < 0)
        return -1;
    session_begin(s, args, WEIR_READER);
    if (session_store(s, err) < 0)
        return -1;
    return print_rows(s, &scan, args->format, &arena, err);
}

static int query(const struct cli_args *args)
{
    struct weir_error err;
    weir_cleanup(session_close) struct session s = {0};
    return query_table(&s, args, &err) < 0 ? cli_report(&err) : WEIR_OK;
}

const struct cli_verb verb_query = {
    .name = "query",
    .summary = "print rows of a table, also while a run goes on",
    .operands = "FILE TABLE",
    .operands_min = 2,
    .operands_max = 2,
    .details =
        "Rows come in the order of the partition key, clustering order within. --from and --to bound the first clustering column or, in tables of\n"
        "windows, the window's start: ISO 8601 (no zone: UTC), or an epoch in seconds or milliseconds; both bounds are inclusive.",
    .examples = (const char *const[]){"weir query pipelines/iot-analytics.yaml hourly_aggregates --limit 20",
                                      "weir query dust.yaml hourly --key 15092 --from 2017-10-07 --to 2017-10-08T12:00",
                                      "weir query dust.yaml readings --format json | head", NULL},
    .options =
        (const struct cli_option[]){{"key", CLI_LIST, CLI_AT(keys), "V", "a key column's value, in the key's order; repeat it for the next column"},
                                    {"from", CLI_TEXT, CLI_AT(from), "T", "rows from this time or value on"},
                                    {"to", CLI_TEXT, CLI_AT(to), "T", "rows up to this time or value"},
                                    CLI_OPTION_LIMIT,
                                    CLI_OPTION_FORMAT,
                                    CLI_OPTIONS_WHERE,
                                    {0}},
    .run = query,
};
