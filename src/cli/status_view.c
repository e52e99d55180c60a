// SPDX-License-Identifier: Apache-2.0
#include "cli/status_view.h"
#include "base/memory.h"
#include "base/time.h"
#include "cli/term.h"
#include "engine/engine.h"
#include <string.h>

int status_read(const char *data_dir, json_t **ret, struct weir_error *err)
{
    weir_cleanup(weir_freep) char *text = NULL;
    if (weir_status_read(data_dir, &text, err) < 0)
        return -1;
    json_t *status = json_loads(text, 0, NULL);
    if (!status)
        return weir_fail(err, WEIR_BAD_DATA, WEIR_STOP, "status.json in '%s' is no JSON", data_dir);
    *ret = status;
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

void status_print(FILE *out, const json_t *now, const json_t *before, bool color)
{
    size_t i;
    json_t *pipeline;
    bool rated = before && count_of(before, "pid") == count_of(now, "pid") && count_of(before, "updated_ms") < count_of(now, "updated_ms");
    json_array_foreach(json_object_get(now, "pipelines"), i, pipeline)
    {
        double rate = rated ? rate_of(now, before, pipeline, json_array_get(json_object_get(before, "pipelines"), i)) : 0;
        fputs(i ? "\n" : "", out);
        print_pipeline(out, pipeline, rated, rate, color);
    }
    const char *url = json_string_value(json_object_get(now, "http"));
    fprintf(out, "\nprocess %llu%s%s\n", (unsigned long long)count_of(now, "pid"), url ? ", dashboard " : "", url ? url : "");
}
