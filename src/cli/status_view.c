// SPDX-License-Identifier: Apache-2.0
#include "cli/status_view.h"
#include "base/memory.h"
#include "base/time.h"
#include "cli/term.h"
#include "engine/engine.h"
#include <stdlib.h>
#include <string.h>

int status_read(const char *data_dir, json_t **ret, struct weir_error *err)
{
    json_t *all = json_array();
    unsigned slot = 0;
    char *text;
    while (weir_status_read(data_dir, &slot, &text, err) == 0) {
        json_t *one = json_loads(text, 0, NULL);
        free(text);
        if (one)
            json_array_append_new(all, one);
    }
    if (json_array_size(all) == 0) {
        json_decref(all);
        return -1; // the last answer says it
    }
    *ret = all;
    return 0;
}

static uint64_t count_of(const json_t *object, const char *name)
{
    return (uint64_t)json_integer_value(json_object_get(object, name));
}

static double rate_of(const json_t *now, const json_t *before, const json_t *pipeline, const json_t *pipeline_before)
{
    double passed_ms = (double)count_of(now, "updated_ms") - (double)count_of(before, "updated_ms");
    uint64_t records = count_of(pipeline, "records"), records_before = count_of(pipeline_before, "records");
    return passed_ms > 0 && records >= records_before ? (double)(records - records_before) * 1000 / passed_ms : 0;
}

static void print_label(FILE *out, const char *label, const char *text)
{
    fprintf(out, "  %-13s %s", label, text);
}

static void print_records(FILE *out, const json_t *pipeline, bool rated, double rate)
{
    char records[32], per_s[32], text[128];
    uint64_t lag = 0;
    int64_t high_ms = INT64_MAX;
    size_t i;
    json_t *partition;
    json_array_foreach(json_object_get(pipeline, "partitions"), i, partition)
    {
        lag += count_of(partition, "lag");
        const json_t *high = json_object_get(partition, "high_ms");
        if (json_is_integer(high) && json_integer_value(high) < high_ms)
            high_ms = json_integer_value(high);
    }
    term_number(count_of(pipeline, "records"), records, sizeof(records));
    term_quantity(rate, per_s, sizeof(per_s));
    snprintf(text, sizeof(text), "%s%s%s%s   lag %llu\n", records, rated ? "   " : "", rated ? per_s : "", rated ? "/s" : "",
             (unsigned long long)lag);
    print_label(out, "records", text);
    char time[32] = "–";
    if (high_ms != INT64_MAX)
        weir_iso8601_format(high_ms, time);
    print_label(out, "event time", time);
    fputc('\n', out);
}

static void print_counts(FILE *out, const char *label, const json_t *counts)
{
    const char *name;
    json_t *count;
    print_label(out, label, "");
    json_object_foreach((json_t *)counts, name, count)
    {
        char number[32];
        term_number((uint64_t)json_integer_value(count), number, sizeof(number));
        fprintf(out, "%s %s   ", name, number);
    }
    fputc('\n', out);
}

static void print_pipeline(FILE *out, const json_t *pipeline, bool rated, double rate, bool color)
{
    const char *name = json_string_value(json_object_get(pipeline, "pipeline"));
    char elapsed[32];
    term_clock(json_real_value(json_object_get(pipeline, "seconds")), elapsed, sizeof(elapsed));
    fprintf(out, "%s%s%s  running for %s\n", color ? TERM_BOLD : "", name ? name : "?", color ? TERM_PLAIN : "", elapsed);
    print_records(out, pipeline, rated, rate);
    print_counts(out, "rows", json_object_get(pipeline, "rows"));
    print_counts(out, "late", json_object_get(pipeline, "late"));
    print_counts(out, "dead letters", json_object_get(pipeline, "dead"));
    print_counts(out, "state", json_object_get(pipeline, "state"));
}

// The store, as `nodetool status` has it.
static void print_nodes(FILE *out, const json_t *store)
{
    size_t i;
    json_t *node;
    json_array_foreach(json_object_get(store, "nodes"), i, node)
    {
        const char *trouble = json_string_value(json_object_get(node, "trouble"));
        char text[400];
        snprintf(text, sizeof text, "%s %-15s owns %4.1f%%  %3llu tokens  %4llu of %llu in flight  %6.1f ms  %llu errors%s%.200s",
                 json_is_true(json_object_get(node, "up")) ? "UN" : "DN", json_string_value(json_object_get(node, "address")),
                 json_number_value(json_object_get(node, "ownership")) * 100, (unsigned long long)count_of(node, "tokens"),
                 (unsigned long long)count_of(node, "in_flight"), (unsigned long long)count_of(node, "window"),
                 json_number_value(json_object_get(node, "latency_ms")), (unsigned long long)count_of(node, "errors"), trouble ? "  " : "",
                 trouble ? trouble : "");
        print_label(out, i ? "" : "ring", text);
        fputc('\n', out);
    }
}

static void print_count_or_dash(FILE *out, const char *name, const json_t *count)
{
    char number[32] = "–";
    if (json_is_integer(count))
        term_number((uint64_t)json_integer_value(count), number, sizeof(number));
    fprintf(out, "  %s %s", number, name);
}

static void print_tables(FILE *out, const json_t *store)
{
    size_t i;
    json_t *table;
    json_array_foreach(json_object_get(store, "tables"), i, table)
    {
        print_label(out, i ? "" : "tables", json_string_value(json_object_get(table, "table")));
        print_count_or_dash(out, "SSTables", json_object_get(table, "sstables"));
        print_count_or_dash(out, "rows", json_object_get(table, "rows"));
        print_count_or_dash(out, "reads", json_object_get(table, "reads"));
        print_count_or_dash(out, "writes", json_object_get(table, "writes"));
        print_count_or_dash(out, "compactions pending", json_object_get(table, "compactions_pending"));
        fputc('\n', out);
    }
}

static void print_process(FILE *out, const json_t *now, const json_t *before, bool color)
{
    size_t i;
    json_t *pipeline;
    bool rated = before && count_of(before, "updated_ms") < count_of(now, "updated_ms");
    json_array_foreach(json_object_get(now, "pipelines"), i, pipeline)
    {
        double rate = rated ? rate_of(now, before, pipeline, json_array_get(json_object_get(before, "pipelines"), i)) : 0;
        fputs(i ? "\n" : "", out);
        print_pipeline(out, pipeline, rated, rate, color);
        print_nodes(out, json_object_get(pipeline, "store"));
        print_tables(out, json_object_get(pipeline, "store"));
    }
    const char *url = json_string_value(json_object_get(now, "http"));
    const char *reasons = json_string_value(json_object_get(now, "reasons"));
    if (reasons && *reasons)
        fprintf(out, "\n%snot ready%s\n%s", color ? TERM_BOLD : "", color ? TERM_PLAIN : "", reasons);
    fprintf(out, "\nprocess %llu%s%s\n", (unsigned long long)count_of(now, "pid"), url ? ", dashboard " : "", url ? url : "");
}

static const json_t *same_process(const json_t *all, const json_t *process)
{
    size_t i;
    json_t *one;
    json_array_foreach(all, i, one) if (count_of(one, "pid") == count_of(process, "pid")) return one;
    return NULL;
}

void status_print(FILE *out, const json_t *now, const json_t *before, bool color)
{
    size_t i;
    json_t *process;
    json_array_foreach(now, i, process)
    {
        fputs(i ? "\n" : "", out);
        print_process(out, process, before ? same_process(before, process) : NULL, color);
    }
}
