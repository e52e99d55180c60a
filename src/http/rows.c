// SPDX-License-Identifier: Apache-2.0
// GET /api/v1/tables/{table}/rows: rows by key, else all, bounded, a page at a time.
#include "base/hash.h"
#include "base/memory.h"
#include "format/cell.h"
#include "http/inside.h"

enum { FROM, TO, LIMIT, PAGE, PIPELINE, RESERVED };
static const char *const reserved[RESERVED] = {"from", "to", "limit", "page", "pipeline"};

struct rows {
    struct http_request *request;
    const struct weir_plan *plan;
    const struct weir_query_spec *query;
    const struct weir_table *table;
    struct weir_scan scan;
    uint64_t fingerprint;
    struct weir_value *after; // key of the last row of the page before; NULL: this is the first
    uint32_t left;
    struct weir_buffer *out;
    struct weir_buffer next; // where this page ends, once it is full
    bool more;               // there is at least one row behind it
};

static const char *key_name(const struct weir_table *t, uint32_t index)
{
    return t->columns[weir_table_key(t, index)].name;
}

// ---- what is asked for

static int check_params(struct rows *q)
{
    const char *names[RESERVED + HTTP_PARAMS_MAX];
    uint32_t count = 0;
    for (uint32_t i = 0; i < weir_table_key_count(q->table) && count < HTTP_PARAMS_MAX; i++)
        names[count++] = key_name(q->table, i);
    for (uint32_t i = 0; i < RESERVED; i++)
        names[count++] = reserved[i];
    return http_check_params(q->request, names, count);
}

static int bad_value(struct rows *q, const char *param, struct weir_str text, const char *wanted)
{
    http_problem(q->request, 400, "'%s' is %s, not '%.*s'", param, wanted, (int)(text.bytes < 80 ? text.bytes : 80), text.data);
    return -1;
}

// Key columns are given from the left without a gap: the partition key whole, then clustering columns.
static int parse_key(struct rows *q)
{
    struct http_request *r = q->request;
    const struct weir_table *t = q->table;
    struct weir_value *key = weir_arena_zalloc(&r->arena, weir_table_key_count(t) * sizeof *key);
    uint32_t given = 0;
    for (uint32_t i = 0; i < weir_table_key_count(t); i++) {
        const struct weir_str *text = http_param(r, key_name(t, i));
        const struct weir_table_column *column = &t->columns[weir_table_key(t, i)];
        if (!text)
            continue;
        if (given < i) {
            http_problem(r, 400, "'%s' needs '%s' too, which is before it in the key", column->name, key_name(t, given));
            return -1;
        }
        if (weir_cell_parse(column, *text, &r->arena, &key[given++]) < 0)
            return bad_value(q, column->name, *text, weir_cql_type_name(column->type));
    }
    if (given > 0 && given < t->partition_count) {
        http_problem(r, 400, "'%s' is missing: the partition key is given whole or not at all", key_name(t, given));
        return -1;
    }
    q->scan.key = key;
    q->scan.key_count = given;
    return 0;
}

static int parse_bound(struct rows *q, int which, bool *ret_given, struct weir_value *ret)
{
    const struct weir_str *text = http_param(q->request, reserved[which]);
    if (!text)
        return 0;
    if (!q->table->windowed && q->table->clustering_count == 0) {
        http_problem(q->request, 400, "table '%s' has neither windows nor a clustering column that '%s' could bound", q->table->name,
                     reserved[which]);
        return -1;
    }
    if (weir_bound_parse(q->plan, q->query, *text, &q->request->arena, ret) < 0)
        return bad_value(q, reserved[which], *text, "a time (ISO 8601 or epoch) or a value of the first clustering column");
    *ret_given = true;
    return 0;
}

// A page is of the table and the parameters that it came from.
static uint64_t fingerprint_of(const struct rows *q)
{
    const struct http_request *r = q->request;
    uint64_t hash = weir_hash64(q->table->name, strlen(q->table->name), weir_hash64(q->plan->pipeline, strlen(q->plan->pipeline), 0));
    for (uint32_t i = 0; i < weir_table_key_count(q->table) + 2; i++) {
        const char *name = i < 2 ? reserved[i] : key_name(q->table, i - 2);
        const struct weir_str *text = http_param(r, name);
        hash = text ? weir_hash64(text->data, text->bytes, hash + i) : weir_hash64(&i, sizeof i, hash);
    }
    return hash;
}

// Lets the scan begin near the page's first row where the table's order allows it.
static void narrow(struct rows *q)
{
    struct weir_scan *s = &q->scan;
    const struct weir_table *t = q->table;
    if (t->windowed || t->clustering_count == 0 || s->key_count != t->partition_count)
        return;
    const struct weir_value *first = &q->after[t->partition_count];
    if (t->clustering[0].descending) {
        s->to = *first;
        s->bound_to = true;
    } else {
        s->from = *first;
        s->bound_from = true;
    }
}

static int parse_page(struct rows *q)
{
    struct http_request *r = q->request;
    const struct weir_str *page = http_param(r, "page");
    q->fingerprint = fingerprint_of(q);
    if (!page)
        return 0;
    q->after = weir_arena_zalloc(&r->arena, weir_table_key_count(q->table) * sizeof *q->after);
    if (http_cursor_parse(*page, q->fingerprint, q->table, &r->arena, q->after) < 0) {
        http_problem(r, 400, "'page' is the 'next' of an answer to the same query; this one is not");
        return -1;
    }
    narrow(q);
    return 0;
}

static int parse(struct rows *q)
{
    if (check_params(q) < 0 || http_limit(q->request, HTTP_ROWS_DEFAULT, HTTP_ROWS_MAX, &q->left) < 0 || parse_key(q) < 0)
        return -1;
    if (parse_bound(q, FROM, &q->scan.bound_from, &q->scan.from) < 0 || parse_bound(q, TO, &q->scan.bound_to, &q->scan.to) < 0)
        return -1;
    return parse_page(q);
}

// ---- rows

static int add_row(void *context, const struct weir_value *values)
{
    struct rows *q = context;
    if (q->after && http_key_compare(q->table, values, q->after) <= 0)
        return 0;
    q->after = NULL;
    if (q->next.bytes) {
        q->more = true;
        return 1;
    }
    if (q->out->data[q->out->bytes - 1] != '[')
        weir_buffer_byte(q->out, ',');
    http_row(q->out, q->table, values);
    if (--q->left == 0 || q->out->bytes > HTTP_ANSWER_BYTES_MAX)
        http_cursor_add(&q->next, q->fingerprint, q->table, values);
    return 0;
}

void http_rows(struct http_request *r)
{
    uint32_t pipeline, query;
    if (http_find_table(r, r->args[0], &pipeline, &query) < 0)
        return;
    const struct weir_plan *plan = weir_engine_plan(r->http->engine, pipeline);
    struct rows q = {.request = r, .plan = plan, .query = &plan->queries[query], .table = &plan->queries[query].table};
    q.scan.table = q.table;
    if (parse(&q) < 0)
        return;
    struct weir_error err;
    q.out = http_json(r);
    weir_buffer_format(q.out, "{\"rows\":[");
    int rc = weir_engine_scan(r->http->engine, pipeline, &q.scan, add_row, &q, &err);
    weir_buffer_format(q.out, "],\"next\":");
    if (q.more)
        http_quote(q.out, weir_buffer_view(&q.next));
    else
        weir_buffer_format(q.out, "null");
    weir_buffer_byte(q.out, '}');
    weir_buffer_drop(&q.next);
    if (rc < 0)
        http_problem_of(r, &err);
}
