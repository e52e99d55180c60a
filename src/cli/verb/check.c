// SPDX-License-Identifier: Apache-2.0
#include "base/time.h"
#include "cli/session.h"
#include "cli/term.h"
#include "cli/verb/verbs.h"
#include "engine/row_contracts.h"
#include "registry/follow.h"

static const char *time_zone(const struct weir_plan *plan)
{
    return plan->timezone ? plan->timezone : "UTC";
}

static void print_window(const struct weir_plan *plan, const struct weir_window_spec *window)
{
    static const char *const calendar[] = {"hour", "day", "week", "month", "year"};
    char size[40], slide[40];
    weir_duration_format(window->size_ms, size, sizeof(size));
    weir_duration_format(window->slide_ms, slide, sizeof(slide));
    switch (window->kind) {
    case WEIR_WINDOW_NONE:
        printf("for ever");
        break;
    case WEIR_WINDOW_TUMBLING:
        printf("tumbling %s", size);
        break;
    case WEIR_WINDOW_SLIDING:
        printf("sliding %s every %s", size, slide);
        break;
    case WEIR_WINDOW_CALENDAR:
        printf("calendar %s in %s", calendar[window->calendar], time_zone(plan));
        break;
    case WEIR_WINDOW_SESSION:
        printf("session with gaps of %s", size);
        break;
    }
}

static void print_grouping(const struct weir_plan *plan, const struct weir_query_spec *query)
{
    if (!query->grouped) {
        printf("every event is a row");
        return;
    }
    print_window(plan, &query->window);
    printf(" by ");
    for (uint32_t i = 0; i < query->group_count; i++)
        printf("%s%s", i ? ", " : "", plan->event.fields[query->group_by[i]].name);
    char duration[40];
    if (query->window.kind != WEIR_WINDOW_NONE) {
        weir_duration_format(query->lateness_ms, duration, sizeof(duration));
        printf(", lateness %s", duration);
    }
    if (query->amend_ms) {
        weir_duration_format(query->amend_ms, duration, sizeof(duration));
        printf(", amended for %s", duration);
    }
    if (query->emit_update) {
        weir_duration_format(query->every_ms, duration, sizeof(duration));
        printf(", updated every %s", duration);
    } else {
        printf(", written when closed");
    }
    if (query->spans_partitions)
        printf("; merged across partitions");
}

static void print_key(const struct weir_table *table)
{
    printf("    key ((");
    for (uint32_t i = 0; i < table->partition_count; i++)
        printf("%s%s", i ? ", " : "", table->columns[table->partition[i]].name);
    printf(")");
    for (uint32_t i = 0; i < table->clustering_count; i++)
        printf(", %s%s", table->columns[table->clustering[i].column].name, table->clustering[i].descending ? " desc" : "");
    printf(")\n");
}

static bool is_quantile(const struct weir_aggregate *aggregate)
{
    return aggregate->kind == WEIR_AGG_MEDIAN || aggregate->kind == WEIR_AGG_QUANTILE;
}

// What each open group of the query costs beside its sums and counts.
static void print_memory(const struct weir_query_spec *query)
{
    const char *each = query->window.kind == WEIR_WINDOW_NONE ? "group" : "group of each open window";
    uint32_t quantiles = 0, distinct = 0;
    for (uint32_t a = 0; a < query->aggregate_count; a++) {
        quantiles += is_quantile(&query->aggregates[a]);
        distinct += query->aggregates[a].kind == WEIR_AGG_DISTINCT;
    }
    if (quantiles && query->exact_quantiles)
        printf("    exact quantiles keep every value: 8 bytes a value in memory, up to 32 MiB for each %s\n", each);
    else if (quantiles)
        printf("    quantiles within 1 %%: 1 to 40 kB for each %s\n", each);
    if (distinct)
        printf("    distinct is exact up to 768 values, an estimate within about 1 %% beyond: up to 16 kB for each %s\n", each);
}

static bool uses_zone(const struct weir_expr *e)
{
    bool found = e && e->op >= WEIR_OP_YEAR && e->op <= WEIR_OP_HOUR;
    for (uint32_t i = 0; e && i < e->arg_count && !found; i++)
        found = uses_zone(e->args[i]);
    return found;
}

// A calendar window says its zone itself.
static void print_zone(const struct weir_plan *plan, const struct weir_query_spec *query)
{
    bool used = uses_zone(query->where);
    for (uint32_t c = 0; c < query->table.column_count && !used; c++)
        used = uses_zone(query->columns[c]);
    for (uint32_t a = 0; a < query->aggregate_count && !used; a++)
        used = uses_zone(query->aggregates[a].arg);
    if (used && query->window.kind != WEIR_WINDOW_CALENDAR)
        printf("    years, months, days and hours in %s\n", time_zone(plan));
}

static void print_query(const struct weir_plan *plan, const struct weir_query_spec *query)
{
    const struct weir_table *table = &query->table;
    printf("  %s: ", table->name);
    print_grouping(plan, query);
    printf("\n    columns");
    for (uint32_t c = 0; c < table->column_count; c++)
        printf("%s %s %s", c ? "," : "", table->columns[c].name, weir_cql_type_name(table->columns[c].type));
    printf("\n");
    print_key(table);
    print_memory(query);
    print_zone(plan, query);
}

static void print_spanning(const struct weir_plan *plan)
{
    uint32_t count = 0;
    for (uint32_t q = 0; q < plan->query_count; q++) {
        if (plan->queries[q].spans_partitions)
            printf("%s %s", count++ ? "," : "  merged across partitions:", plan->queries[q].table.name);
    }
    if (count)
        printf("\n    events are spread over %d partitions by %s, which these do not group by: each partition folds its part, and the parts are "
               "merged\n",
               plan->topic.partitions, plan->event.fields[plan->event.key_field].name);
}

static void print_duplicates(const struct weir_plan *plan)
{
    const struct weir_event_spec *event = &plan->event;
    char within[40];
    if (!event->dedupe_count)
        return;
    weir_duration_format(event->dedupe_within_ms, within, sizeof(within));
    bool has_key = false;
    printf("  duplicates dropped: same");
    for (uint32_t i = 0; i < event->dedupe_count; i++) {
        printf("%s %s", i ? "," : "", event->fields[event->dedupe_fields[i]].name);
        has_key |= event->dedupe_fields[i] == event->key_field;
    }
    printf(" within %s", within);
    if (!has_key && plan->topic.partitions > 1)
        printf(", of one partition: the key %s is not among them", event->fields[event->key_field].name);
    printf("\n");
}

static void print_plan(const struct weir_plan *plan)
{
    bool color = term_color(stdout);
    printf("%s: %sok%s\n", plan->file, color ? TERM_GREEN : "", color ? TERM_PLAIN : "");
    printf("  pipeline %s: topic %s, %d partition%s, %s events of %u fields, key %s, time %s\n", plan->pipeline, plan->topic.name,
           plan->topic.partitions, plan->topic.partitions == 1 ? "" : "s", plan->event.format == WEIR_FORMAT_AVRO ? "avro" : "json",
           plan->event.field_count, plan->event.fields[plan->event.key_field].name, plan->event.fields[plan->event.time_field].name);
    print_duplicates(plan);
    for (uint32_t q = 0; q < plan->query_count; q++)
        print_query(plan, &plan->queries[q]);
    print_spanning(plan);
}

// ---- against a registry

static void keep_first(void *context, const struct weir_follow *f)
{
    if (!f->fits && f->finding_count)
        weir_buffer_format(context, "version %d at level %s: %s", f->version, weir_level_name(f->level), f->findings[0].text);
}

static int check_events(struct session *s, struct weir_error *err)
{
    weir_cleanup(weir_buffer_drop) struct weir_buffer subject = {0}, why = {0};
    bool fits = true;
    if (s->plan->event.format != WEIR_FORMAT_AVRO)
        return 0;
    weir_buffer_format(&subject, "%s-value%c", s->plan->topic.name, 0);
    if (weir_registry_follows(s->registry, (const char *)subject.data, s->plan->event.schema_text, keep_first, &why, &fits, err) < 0)
        return -1;
    return fits ? 0
                : weir_fail(err, WEIR_BAD_CONFIG, WEIR_STOP, "%s: the events' schema may not follow %s %.*s", s->plan->file,
                            (const char *)subject.data, (int)why.bytes, (const char *)why.data);
}

static int check_contracts(struct session *s, const struct cli_args *args, struct weir_error *err)
{
    session_begin(s, args, WEIR_READER);
    if (session_registry(s, err) < 0 || check_events(s, err) < 0 || weir_row_contracts_check(s->registry, s->plan, err) <= 0)
        return -1;
    printf("  contracts: events and aggregates may follow what is in %s\n", s->plan->registry.text);
    return 0;
}

static int check_file(struct session *s, const struct cli_args *args, const char *file, struct weir_error *err)
{
    if (session_plan(s, args, file, err) < 0 || weir_backends_check(s->plan, err) < 0)
        return -1;
    print_plan(s->plan);
    return args->where.registry ? check_contracts(s, args, err) : 0;
}

static int check(const struct cli_args *args)
{
    int code = WEIR_OK;
    for (uint32_t i = 0; i < args->operands.count; i++) {
        struct weir_error err;
        weir_cleanup(session_close) struct session s = {0};
        if (check_file(&s, args, args->operands.items[i], &err) == 0)
            continue;
        int failed = cli_report(&err);
        code = code == WEIR_OK ? failed : code;
    }
    return code;
}

const struct cli_verb verb_check = {
    .name = "check",
    .summary = "read, resolve and type-check pipeline files; connects nowhere but to --registry",
    .operands = "FILE…",
    .operands_min = 1,
    .operands_max = UINT32_MAX,
    .details = "Prints every mistake with its line and column and exits 78, or says what each query does. With --registry, a URL or 'embedded', also "
               "whether\n"
               "the events' schema and the columns of aggregates may follow what is registered there.",
    .examples =
        (const char *const[]){"weir check pipelines/*.yaml", "weir check pipelines/iot-analytics.yaml --registry http://127.0.0.1:8081", NULL},
    .options = (const struct cli_option[]){CLI_OPTIONS_WHERE, {0}},
    .run = check,
};
