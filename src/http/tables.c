// SPDX-License-Identifier: Apache-2.0
// Tables, what they look like, and the partition keys in them.
#include "base/time.h"
#include "http/inside.h"
#include <stdio.h>

// ---- finding

int http_find_pipeline(struct http_request *r, uint32_t *ret)
{
    struct weir_engine *e = r->http->engine;
    const struct weir_str *name = http_param(r, "pipeline");
    uint32_t count = weir_engine_pipelines(e);
    *ret = count;
    for (uint32_t p = 0; p < count && name; p++)
        if (weir_str_is(*name, weir_engine_plan(e, p)->pipeline))
            *ret = p;
    if (!name || *ret < count)
        return 0;
    http_problem(r, 404, "no pipeline '%.100s' runs here", name->data);
    return -1;
}

static uint32_t query_of(const struct weir_plan *plan, struct weir_str table)
{
    uint32_t q = 0;
    while (q < plan->query_count && !weir_str_is(table, plan->queries[q].table.name))
        q++;
    return q;
}

int http_find_table(struct http_request *r, struct weir_str name, uint32_t *ret_pipeline, uint32_t *ret_query)
{
    struct weir_engine *e = r->http->engine;
    uint32_t only, count = weir_engine_pipelines(e), found = 0;
    if (http_find_pipeline(r, &only) < 0)
        return -1;
    for (uint32_t p = 0; p < count; p++) {
        const struct weir_plan *plan = weir_engine_plan(e, p);
        uint32_t q = query_of(plan, name);
        if (q == plan->query_count || (only < count && only != p))
            continue;
        *ret_pipeline = p;
        *ret_query = q;
        found++;
    }
    if (found == 1)
        return 0;
    if (found == 0)
        http_problem(r, 404, "there is no table '%.100s'; /api/v1/tables lists them", name.data);
    else
        http_problem(r, 400, "%u pipelines have a table '%.100s': choose with 'pipeline'", found, name.data);
    return -1;
}

// ---- describing

static void add_window(struct weir_buffer *b, const struct weir_window_spec *w)
{
    static const char *const calendars[] = {"hour", "day", "week", "month", "year"};
    char size[40], slide[40];
    weir_duration_format(w->size_ms, size, sizeof size);
    weir_duration_format(w->slide_ms, slide, sizeof slide);
    switch (w->kind) {
    case WEIR_WINDOW_NONE:
        weir_buffer_format(b, "null");
        break;
    case WEIR_WINDOW_TUMBLING:
        weir_buffer_format(b, "\"tumbling %s\"", size);
        break;
    case WEIR_WINDOW_SLIDING:
        weir_buffer_format(b, "\"sliding %s every %s\"", size, slide);
        break;
    case WEIR_WINDOW_CALENDAR:
        weir_buffer_format(b, "\"calendar %s\"", calendars[w->calendar]);
        break;
    case WEIR_WINDOW_SESSION:
        weir_buffer_format(b, "\"session %s\"", size);
        break;
    }
}

static void add_columns(struct weir_buffer *b, const struct weir_table *t)
{
    weir_buffer_format(b, "\"columns\":[");
    for (uint32_t c = 0; c < t->column_count; c++) {
        weir_buffer_format(b, c ? ",{\"name\":" : "{\"name\":");
        http_quote(b, weir_str_of(t->columns[c].name));
        weir_buffer_format(b, ",\"type\":\"%s\"}", weir_cql_type_name(t->columns[c].type));
    }
    weir_buffer_format(b, "],\"key\":{\"partition\":[");
    for (uint32_t i = 0; i < t->partition_count; i++) {
        weir_buffer_format(b, i ? "," : "");
        http_quote(b, weir_str_of(t->columns[t->partition[i]].name));
    }
    weir_buffer_format(b, "],\"clustering\":[");
    for (uint32_t i = 0; i < t->clustering_count; i++) {
        weir_buffer_format(b, i ? ",{\"name\":" : "{\"name\":");
        http_quote(b, weir_str_of(t->columns[t->clustering[i].column].name));
        weir_buffer_format(b, ",\"order\":\"%s\"}", t->clustering[i].descending ? "desc" : "asc");
    }
    weir_buffer_format(b, "]}");
}

static void add_table(struct weir_buffer *b, const struct weir_plan *plan, const struct weir_query_spec *q)
{
    weir_buffer_format(b, "{\"pipeline\":");
    http_quote(b, weir_str_of(plan->pipeline));
    weir_buffer_format(b, ",\"table\":");
    http_quote(b, weir_str_of(q->table.name));
    weir_buffer_byte(b, ',');
    add_columns(b, &q->table);
    weir_buffer_format(b, ",\"windowed\":%s,\"window\":", q->table.windowed ? "true" : "false");
    add_window(b, &q->window);
    weir_buffer_format(b, ",\"group_by\":[");
    for (uint32_t i = 0; i < q->group_count; i++) {
        weir_buffer_format(b, i ? "," : "");
        http_quote(b, weir_str_of(plan->event.fields[q->group_by[i]].name));
    }
    weir_buffer_format(b, "]}");
}

void http_tables(struct http_request *r)
{
    static const char *const params[] = {"pipeline"};
    uint32_t only, count = weir_engine_pipelines(r->http->engine);
    if (http_check_params(r, params, 1) < 0 || http_find_pipeline(r, &only) < 0)
        return;
    struct weir_buffer *b = http_json(r);
    weir_buffer_byte(b, '[');
    for (uint32_t p = 0; p < count; p++) {
        const struct weir_plan *plan = weir_engine_plan(r->http->engine, p);
        for (uint32_t q = 0; q < plan->query_count && (only == count || only == p); q++) {
            if (b->bytes > 1)
                weir_buffer_byte(b, ',');
            add_table(b, plan, &plan->queries[q]);
        }
    }
    weir_buffer_byte(b, ']');
}

// ---- keys

struct keys {
    const struct weir_table *table;
    struct weir_str prefix;
    struct weir_buffer *out, text;
    uint32_t left;
};

// The first column as text begins with the prefix; text columns were chosen by the store already.
static bool begins(struct keys *k, const struct weir_value *value)
{
    enum weir_cql_type type = k->table->columns[k->table->partition[0]].type;
    if (type == WEIR_CQL_TEXT || k->prefix.bytes == 0)
        return true;
    k->text.bytes = 0;
    http_value(&k->text, type, value);
    bool quoted = k->text.bytes && k->text.data[0] == '"';
    size_t bytes = k->text.bytes - quoted;
    return bytes >= k->prefix.bytes && strncasecmp((const char *)k->text.data + quoted, k->prefix.data, k->prefix.bytes) == 0;
}

static int add_key(void *context, const struct weir_value *values)
{
    struct keys *k = context;
    if (!begins(k, &values[0]))
        return 0;
    weir_buffer_format(k->out, k->out->data[k->out->bytes - 1] == '[' ? "" : ",");
    for (uint32_t i = 0; i < k->table->partition_count; i++) {
        const struct weir_table_column *column = &k->table->columns[k->table->partition[i]];
        weir_buffer_byte(k->out, i ? ',' : '{');
        http_quote(k->out, weir_str_of(column->name));
        weir_buffer_byte(k->out, ':');
        http_value(k->out, column->type, &values[i]);
    }
    weir_buffer_byte(k->out, '}');
    return --k->left == 0 || k->out->bytes > HTTP_ANSWER_BYTES_MAX;
}

void http_keys(struct http_request *r)
{
    static const char *const params[] = {"prefix", "limit", "pipeline"};
    uint32_t pipeline, query, limit;
    if (http_check_params(r, params, 3) < 0 || http_find_table(r, r->args[0], &pipeline, &query) < 0 ||
        http_limit(r, HTTP_ROWS_DEFAULT, HTTP_ROWS_MAX, &limit) < 0)
        return;
    const struct weir_str *prefix = http_param(r, "prefix");
    struct keys k = {.table = &weir_engine_plan(r->http->engine, pipeline)->queries[query].table, .out = http_json(r), .left = limit};
    k.prefix = prefix ? *prefix : WEIR_STR("");
    struct weir_error err;
    weir_buffer_format(k.out, "{\"keys\":[");
    int rc = weir_engine_keys(r->http->engine, pipeline, query, k.prefix, 0, add_key, &k, &err);
    weir_buffer_format(k.out, "]}");
    weir_buffer_drop(&k.text);
    if (rc < 0)
        http_problem_of(r, &err);
}
