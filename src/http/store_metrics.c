// SPDX-License-Identifier: Apache-2.0
// The part of GET /metrics that is about stores: what weir_engine_store last said of each pipeline's, nodes and tables included. The embedded store has
// no nodes. Counters are those of the process's connections to the store, which pipelines on one ring share.
#include "http/exposition.h"
#include "http/inside.h"
#include <math.h>

enum scope { OF_STORE, OF_NODE, OF_TABLE };

struct sample { // what a value is taken from
    const struct weir_store_stats *stats;
    uint32_t i; // node or table
};

struct metric {
    const char *name, *type, *help;
    enum scope scope;
    double (*value)(const struct sample *s); // NaN: there is none
};

static double known(int64_t value)
{
    return value < 0 ? NAN : (double)value;
}

static double known_us(double us)
{
    return us < 0 ? NAN : us / 1e6;
}

#define VALUE(name, expression)                                                                                                                      \
    static double name(const struct sample *s)                                                                                                       \
    {                                                                                                                                                \
        return (double)(expression);                                                                                                                 \
    }
#define NODE(member)  s->stats->nodes[s->i].member
#define TABLE(member) s->stats->tables[s->i].member

VALUE(rows_sent, s->stats->rows_sent)
VALUE(requests, s->stats->requests)
VALUE(retries, s->stats->retries)
VALUE(refused, s->stats->refused)
VALUE(batches, s->stats->batches)
VALUE(up, !NODE(trouble))
VALUE(ownership, NODE(ownership))
VALUE(in_flight, NODE(in_flight))
VALUE(window, NODE(window))
VALUE(latency, known_us((double)NODE(latency_us)))
VALUE(node_requests, NODE(requests))
VALUE(errors, NODE(errors))
VALUE(timeouts, NODE(timeouts))
VALUE(overloaded, NODE(overloaded))
VALUE(sstables, known(TABLE(sstables)))
VALUE(bytes, known(TABLE(bytes)))
VALUE(rows, known(TABLE(rows)))
VALUE(reads, known(TABLE(reads)))
VALUE(writes, known(TABLE(writes)))
VALUE(read_latency, known_us(TABLE(read_latency_us)))
VALUE(write_latency, known_us(TABLE(write_latency_us)))
VALUE(compactions, known(TABLE(compactions_pending)))

static const struct metric metrics[] = {
    {"weir_store_rows_sent_total", "counter", "Rows sent to the store.", OF_STORE, rows_sent},
    {"weir_store_requests_total", "counter", "Requests to the store.", OF_STORE, requests},
    {"weir_store_retries_total", "counter", "Requests that were sent again.", OF_STORE, retries},
    {"weir_store_refused_total", "counter", "Rows that the store will never take.", OF_STORE, refused},
    {"weir_store_batches_total", "counter", "Batches of rows of one partition.", OF_STORE, batches},
    {"weir_store_node_up", "gauge", "1: the node answers.", OF_NODE, up},
    {"weir_store_node_ownership_ratio", "gauge", "Share of the ring's tokens that the node owns.", OF_NODE, ownership},
    {"weir_store_node_in_flight", "gauge", "Requests that the node has not answered yet.", OF_NODE, in_flight},
    {"weir_store_node_window", "gauge", "How many requests may be in flight to the node.", OF_NODE, window},
    {"weir_store_node_latency_seconds", "gauge", "How long the node takes to answer, smoothed.", OF_NODE, latency},
    {"weir_store_node_requests_total", "counter", "Requests to the node.", OF_NODE, node_requests},
    {"weir_store_node_errors_total", "counter", "Requests that the node answered with an error.", OF_NODE, errors},
    {"weir_store_node_timeouts_total", "counter", "Requests that the node did not answer in time.", OF_NODE, timeouts},
    {"weir_store_node_overloaded_total", "counter", "Requests that the node turned away for being overloaded.", OF_NODE, overloaded},
    {"weir_table_sstables", "gauge", "SSTables of the table, all nodes together.", OF_TABLE, sstables},
    {"weir_table_bytes", "gauge", "Bytes of the table on disk.", OF_TABLE, bytes},
    {"weir_table_rows", "gauge", "Rows of the table, as the store estimates them.", OF_TABLE, rows},
    {"weir_table_reads_total", "counter", "Reads of the table that the nodes served.", OF_TABLE, reads},
    {"weir_table_writes_total", "counter", "Writes to the table that the nodes took.", OF_TABLE, writes},
    {"weir_table_read_latency_seconds", "gauge", "How long the nodes take to read from the table.", OF_TABLE, read_latency},
    {"weir_table_write_latency_seconds", "gauge", "How long the nodes take to write to the table.", OF_TABLE, write_latency},
    {"weir_table_compactions_pending", "gauge", "Compactions of the table that wait.", OF_TABLE, compactions},
};

// ---- writing

struct writing {
    struct weir_buffer *out;
    const struct metric *metric;
    const char *pipeline;
};

static void add_sample(const struct writing *w, const struct sample *s)
{
    const struct metric *m = w->metric;
    double value = m->value(s);
    if (isnan(value))
        return;
    weir_buffer_format(w->out, "%s{", m->name);
    exposition_label(w->out, "pipeline", w->pipeline);
    if (m->scope == OF_NODE)
        exposition_label(w->out, "address", s->stats->nodes[s->i].address);
    if (m->scope == OF_TABLE)
        exposition_label(w->out, "table", s->stats->tables[s->i].name);
    weir_buffer_byte(w->out, '}');
    exposition_value(w->out, value);
}

static void add_samples(void *context, const struct weir_store_stats *stats)
{
    const struct writing *w = context;
    const uint32_t counts[] = {[OF_STORE] = 1, [OF_NODE] = stats->node_count, [OF_TABLE] = stats->table_count};
    struct sample s = {.stats = stats};
    for (; s.i < counts[w->metric->scope]; s.i++)
        add_sample(w, &s);
}

static void add_metric(struct weir_buffer *b, const struct metric *m, struct weir_engine *e)
{
    size_t from = b->bytes;
    exposition_head(b, m->name, m->type, m->help);
    size_t head_end = b->bytes;
    for (uint32_t p = 0; p < weir_engine_pipelines(e); p++) {
        struct writing w = {b, m, weir_engine_plan(e, p)->pipeline};
        weir_engine_store(e, p, add_samples, &w);
    }
    if (b->bytes == head_end)
        b->bytes = from; // no store knows it
}

void http_store_metrics(struct weir_buffer *b, struct weir_engine *e)
{
    for (size_t i = 0; i < sizeof metrics / sizeof *metrics; i++)
        add_metric(b, &metrics[i], e);
}
