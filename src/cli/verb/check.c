// SPDX-License-Identifier: Apache-2.0
#include "base/time.h"
#include "cli/session.h"
#include "cli/term.h"
#include "cli/verb/verbs.h"

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
        printf("session %s", size);
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
    if (query->emit_update) {
        weir_duration_format(query->every_ms, duration, sizeof(duration));
        printf(", updated every %s", duration);
    } else {
        printf(", written when closed");
    }
    if (query->spans_partitions)
        printf("; groups span partitions");
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
}

static void print_plan(const struct weir_plan *plan)
{
    bool color = term_color(stdout);
    printf("%s: %sok%s\n", plan->file, color ? TERM_GREEN : "", color ? TERM_PLAIN : "");
    printf("  pipeline %s: topic %s, %d partition%s, %s events of %u fields, key %s, time %s\n", plan->pipeline, plan->topic.name,
           plan->topic.partitions, plan->topic.partitions == 1 ? "" : "s", plan->event.format == WEIR_FORMAT_AVRO ? "avro" : "json",
           plan->event.field_count, plan->event.fields[plan->event.key_field].name, plan->event.fields[plan->event.time_field].name);
    for (uint32_t q = 0; q < plan->query_count; q++)
        print_query(plan, &plan->queries[q]);
}

static int check(const struct cli_args *args)
{
    int code = WEIR_OK;
    for (uint32_t i = 0; i < args->operands.count; i++) {
        struct weir_error err;
        weir_cleanup(session_close) struct session s = {0};
        if (session_plan(&s, args, args->operands.items[i], &err) == 0) {
            print_plan(s.plan);
            continue;
        }
        int failed = cli_report(&err);
        code = code == WEIR_OK ? failed : code;
    }
    return code;
}

const struct cli_verb verb_check = {
    .name = "check",
    .summary = "read, resolve and type-check pipeline files; connects nowhere",
    .operands = "FILE…",
    .operands_min = 1,
    .operands_max = UINT32_MAX,
    .details = "Prints every mistake with its line and column and exits 78, or says what each query does.",
    .examples = (const char *const[]){"weir check pipelines/*.yaml", NULL},
    .options = (const struct cli_option[]){CLI_OPTIONS_WHERE, {0}},
    .run = check,
};
