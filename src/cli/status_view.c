// SPDX-License-Identifier: Apache-2.0
#include "cli/status_view.h"
#include "base/memory.h"
#include "base/time.h"
#include "cli/store_view.h"
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
        if (!json_is_true(json_object_get(partition, "owned")))
            continue; // another process knows
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

// Which are ours: partitions of a consumer group come and go.
static void print_partitions(FILE *out, const json_t *pipeline)
{
    size_t i, owned = 0;
    json_t *partition;
    const json_t *all = json_object_get(pipeline, "partitions");
    if (!json_is_true(json_object_get(pipeline, "shared")))
        return;
    print_label(out, "partitions", "");
    json_array_foreach((json_t *)all, i, partition)
    {
        if (!json_is_true(json_object_get(partition, "owned")))
            continue;
        fprintf(out, "%s%llu (lag %llu)", owned++ ? ", " : "", (unsigned long long)i, (unsigned long long)count_of(partition, "lag"));
    }
    fprintf(out, "%s of %zu\n", owned ? "" : "none", json_array_size(all));
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
    print_partitions(out, pipeline);
    print_counts(out, "rows", json_object_get(pipeline, "rows"));
    print_counts(out, "late", json_object_get(pipeline, "late"));
    print_counts(out, "dead letters", json_object_get(pipeline, "dead"));
    print_counts(out, "state", json_object_get(pipeline, "state"));
}

static void print_reasons(FILE *out, const json_t *reasons, bool color)
{
    size_t i;
    json_t *reason;
    if (json_array_size(reasons) > 0)
        fprintf(out, "\n%snot ready%s\n", color ? TERM_BOLD : "", color ? TERM_PLAIN : "");
    json_array_foreach((json_t *)reasons, i, reason) fprintf(out, "  %s\n", json_string_value(reason));
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
        store_print(out, json_object_get(pipeline, "store"));
    }
    const char *url = json_string_value(json_object_get(now, "http"));
    print_reasons(out, json_object_get(now, "reasons"), color);
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
