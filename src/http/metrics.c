// SPDX-License-Identifier: Apache-2.0
// GET /metrics: Prometheus' text format, version 0.0.4, from a table of what is measured.
#include "base/memory.h"
#include "http/exposition.h"
#include "http/inside.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

// ---- what the server counts itself

static const int codes[] = {200, 202, 304, 400, 401, 403, 404, 405, 413, 415, 421, 422, 500, 503};
static const int64_t bounds_us[] = {100, 250, 500, 1000, 2500, 5000, 10000, 25000, 50000, 100000, 250000, 1000000, 5000000};

enum { CODES = sizeof codes / sizeof *codes, BOUNDS = sizeof bounds_us / sizeof *bounds_us };

struct route_counts {
    atomic_ullong answers[CODES];
    atomic_ullong durations[BOUNDS + 1]; // the last: longer than all bounds
    atomic_ullong sum_us;
};

struct http_counts {
    uint32_t count;
    struct route_counts routes[];
};

struct http_counts *http_counts_new(void)
{
    struct http_counts *c = weir_zalloc(1, sizeof *c + http_route_count() * sizeof c->routes[0]);
    c->count = http_route_count();
    return c;
}

void http_counts_free(struct http_counts *c)
{
    free(c);
}

void http_count(struct http_counts *c, const struct http_route *route, int status, int64_t us)
{
    struct route_counts *counts = &c->routes[http_route_number(route)];
    size_t code = 0, bound = 0;
    while (code < CODES && codes[code] != status)
        code++;
    while (bound < BOUNDS && us > bounds_us[bound])
        bound++;
    if (code == CODES)
        return; // cut before there was an answer
    atomic_fetch_add_explicit(&counts->answers[code], 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&counts->durations[bound], 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&counts->sum_us, (unsigned long long)us, memory_order_relaxed);
}

// ---- the table

enum scope { OF_PROCESS, OF_PIPELINE, OF_TABLE, OF_REASON, OF_OUTCOME, OF_PARTITION };
enum outcome { FOLDED, LATE, FILTERED, OUTCOMES };
static const char *const outcome_names[OUTCOMES] = {"folded", "late", "filtered"};

struct sample { // what a value is taken from
    struct weir_http *http;
    const struct weir_pipeline_status *status;
    uint32_t i; // table, reason or partition
    enum outcome outcome;
};

struct metric {
    const char *name, *type, *help;
    enum scope scope;
    double (*value)(const struct sample *s); // NaN: there is none
};

#define VALUE(name, expression)                                                                                                                      \
    static double name(const struct sample *s)                                                                                                       \
    {                                                                                                                                                \
        return (double)(expression);                                                                                                                 \
    }

VALUE(records, s->status->records)
VALUE(events, s->status->events)
VALUE(rows, s->status->rows[s->i])
VALUE(dead, s->status->dead[s->i])
VALUE(owned, s->status->partitions[s->i].owned)
VALUE(open_windows, s->status->open_windows)
VALUE(open_groups, s->status->open_groups)
VALUE(keys, s->status->keys)
VALUE(state_bytes, s->status->state_bytes)
VALUE(commits, s->status->commits)
VALUE(lost, s->status->lost)
VALUE(feed_events, s->status->feed_events)
VALUE(feed_rejects, s->status->feed_rejects)
VALUE(streams, http_streams_open(s->http->streams))

static double query_events(const struct sample *s)
{
    const struct weir_query_counts *c = &s->status->queries[s->i];
    return (double)(s->outcome == FOLDED ? c->folded : s->outcome == LATE ? c->late : c->filtered);
}

static double lag(const struct sample *s)
{
    const struct weir_partition_status *p = &s->status->partitions[s->i];
    return p->owned ? (double)(p->end_offset - p->next_offset) : NAN; // another process knows it
}

static double ready(const struct sample *s)
{
    weir_cleanup(weir_buffer_drop) struct weir_buffer reasons = {0};
    return weir_engine_ready(s->http->engine, &reasons);
}

static double watermark(const struct sample *s)
{
    int64_t high_ms = s->status->partitions[s->i].high_ms;
    return high_ms == INT64_MIN ? NAN : (double)high_ms / 1000;
}

static double resident_bytes(const struct sample *s)
{
    (void)s;
    long long size, resident;
    FILE *file = fopen("/proc/self/statm", "re");
    int read = file ? fscanf(file, "%lld %lld", &size, &resident) : 0;
    if (file)
        fclose(file);
    return read == 2 ? (double)resident * (double)sysconf(_SC_PAGESIZE) : NAN;
}

static double cpu_seconds(const struct sample *s)
{
    struct rusage used;
    (void)s;
    getrusage(RUSAGE_SELF, &used);
    return (double)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) + (double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e6;
}

static const struct metric metrics[] = {
    {"weir_records_total", "counter", "Records read from the topic.", OF_PIPELINE, records},
    {"weir_events_total", "counter", "Records that were decoded into events.", OF_PIPELINE, events},
    {"weir_rows_total", "counter", "Rows written to a table.", OF_TABLE, rows},
    {"weir_dead_letters_total", "counter", "Events put aside, by reason.", OF_REASON, dead},
    {"weir_query_events_total", "counter", "What became of the events that a query got.", OF_OUTCOME, query_events},
    {"weir_watermark_seconds", "gauge", "Highest event time of a partition; each query's watermark trails it by its lateness.", OF_PARTITION,
     watermark},
    {"weir_lag_records", "gauge", "Records of a partition that are still to be read.", OF_PARTITION, lag},
    {"weir_partition_owned", "gauge", "1: this process reads the partition.", OF_PARTITION, owned},
    {"weir_open_windows", "gauge", "Windows that are not closed yet.", OF_PIPELINE, open_windows},
    {"weir_open_groups", "gauge", "Groups of open windows, and of queries without windows.", OF_PIPELINE, open_groups},
    {"weir_keys", "gauge", "Group keys that are held.", OF_PIPELINE, keys},
    {"weir_state_bytes", "gauge", "Memory of windows and groups.", OF_PIPELINE, state_bytes},
    {"weir_commits_total", "counter", "Commits of this process.", OF_PIPELINE, commits},
    {"weir_lost_records_total", "counter", "Records that retention took before they were read.", OF_PIPELINE, lost},
    {"weir_feed_events_total", "counter", "Events that the feed put into the topic.", OF_PIPELINE, feed_events},
    {"weir_feed_rejects_total", "counter", "Rows of the feed that are no events.", OF_PIPELINE, feed_rejects},
    {"weir_ready", "gauge", "1: every pipeline runs as it should; /readyz says why not.", OF_PROCESS, ready},
    {"weir_http_streams", "gauge", "Open streams of server-sent events.", OF_PROCESS, streams},
    {"process_resident_memory_bytes", "gauge", "Resident memory.", OF_PROCESS, resident_bytes},
    {"process_cpu_seconds_total", "counter", "User and system CPU time.", OF_PROCESS, cpu_seconds},
};

// ---- writing

static void add_sample(struct weir_buffer *b, const struct metric *m, const struct sample *s)
{
    double value = m->value(s);
    if (isnan(value))
        return;
    weir_buffer_format(b, "%s", m->name);
    if (m->scope != OF_PROCESS) {
        weir_buffer_byte(b, '{');
        exposition_label(b, "pipeline", s->status->plan->pipeline);
        if (m->scope == OF_TABLE || m->scope == OF_OUTCOME)
            exposition_label(b, "table", s->status->plan->queries[s->i].table.name);
        if (m->scope == OF_OUTCOME)
            exposition_label(b, "outcome", outcome_names[s->outcome]);
        if (m->scope == OF_REASON)
            exposition_label(b, "reason", weir_reason_name((enum weir_reason)s->i));
        if (m->scope == OF_PARTITION)
            exposition_number_label(b, "partition", s->i);
        weir_buffer_byte(b, '}');
    }
    exposition_value(b, value);
}

static uint32_t members(enum scope scope, const struct weir_plan *plan)
{
    switch (scope) {
    case OF_TABLE:
    case OF_OUTCOME:
        return plan->query_count;
    case OF_REASON:
        return WEIR_REASONS;
    case OF_PARTITION:
        return (uint32_t)plan->topic.partitions;
    case OF_PROCESS:
    case OF_PIPELINE:
        break;
    }
    return 1;
}

static void add_metric(struct weir_buffer *b, const struct metric *m, struct weir_http *h, const struct weir_pipeline_status *statuses)
{
    uint32_t pipelines = m->scope == OF_PROCESS ? 1 : weir_engine_pipelines(h->engine);
    exposition_head(b, m->name, m->type, m->help);
    for (uint32_t p = 0; p < pipelines; p++) {
        struct sample s = {.http = h, .status = &statuses[p]};
        for (s.i = 0; s.i < members(m->scope, statuses[p].plan); s.i++)
            for (s.outcome = 0; s.outcome < (m->scope == OF_OUTCOME ? OUTCOMES : 1); s.outcome++)
                add_sample(b, m, &s);
    }
}

static void add_answers(struct weir_buffer *b, struct http_counts *c)
{
    exposition_head(b, "weir_http_requests_total", "counter", "Requests that were answered.");
    for (uint32_t route = 0; route < c->count; route++)
        for (size_t i = 0; i < CODES; i++) {
            unsigned long long answers = atomic_load(&c->routes[route].answers[i]);
            if (answers)
                weir_buffer_format(b, "weir_http_requests_total{route=\"%s\",code=\"%d\"} %llu\n", http_route_name(route), codes[i], answers);
        }
}

static void add_durations(struct weir_buffer *b, struct http_counts *c)
{
    static const char name[] = "weir_http_request_duration_seconds";
    exposition_head(b, name, "histogram", "From a request's first line to the end of its answer.");
    for (uint32_t route = 0; route < c->count; route++) {
        unsigned long long sum = 0;
        size_t from = b->bytes;
        for (size_t i = 0; i <= BOUNDS; i++) {
            sum += atomic_load(&c->routes[route].durations[i]);
            weir_buffer_format(b, "%s_bucket{route=\"%s\",le=\"", name, http_route_name(route));
            if (i < BOUNDS)
                weir_buffer_format(b, "%g\"} %llu\n", (double)bounds_us[i] / 1e6, sum);
            else
                weir_buffer_format(b, "+Inf\"} %llu\n", sum);
        }
        weir_buffer_format(b, "%s_sum{route=\"%s\"} %.6f\n", name, http_route_name(route), (double)atomic_load(&c->routes[route].sum_us) / 1e6);
        weir_buffer_format(b, "%s_count{route=\"%s\"} %llu\n", name, http_route_name(route), sum);
        if (sum == 0)
            b->bytes = from;
    }
}

void http_metrics(struct http_request *r)
{
    struct weir_http *h = r->http;
    if (http_check_params(r, NULL, 0) < 0)
        return;
    uint32_t pipelines = weir_engine_pipelines(h->engine);
    struct weir_pipeline_status *statuses = weir_arena_alloc(&r->arena, pipelines * sizeof *statuses);
    for (uint32_t p = 0; p < pipelines; p++)
        weir_engine_status(h->engine, p, &r->arena, &statuses[p]);
    struct weir_buffer *b = http_json(r);
    r->reply.type = "text/plain; version=0.0.4; charset=utf-8";
    exposition_head(b, "weir_build_info", "gauge", "What this binary is.");
    weir_buffer_format(b, "weir_build_info{version=\"%s\"} 1\n", WEIR_VERSION);
    for (size_t i = 0; i < sizeof metrics / sizeof *metrics; i++)
        add_metric(b, &metrics[i], h, statuses);
    http_store_metrics(b, h->engine);
    add_answers(b, h->counts);
    add_durations(b, h->counts);
}
