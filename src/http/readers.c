// SPDX-License-Identifier: Apache-2.0
// The readers' paths of the metrics pipeline: hours of a day, days of a month, months of a year, of one device or group, from the tables
// {hourly|daily|monthly}_metric_event_by_{id|group} of whichever pipeline has them.
#include "base/memory.h"
#include "base/number.h"
#include "base/time.h"
#include "format/cell.h"
#include "http/inside.h"
#include <stdio.h>
#include <stdlib.h>

enum { YEAR, MONTH, DAY, HOUR, AVG, MIN, MAX, MEDIAN, COLUMNS };
static const char *const column_names[COLUMNS] = {"year", "month", "day", "hour", "avg", "min", "max", "median"};

enum { ROWS_MAX = 10000 }; // of sliding windows; calendar ones are at most 31

struct span { // of one unit, inside a date of the units before it
    const char *table;
    int unit; // MONTH, DAY or HOUR
    int64_t date[HOUR + 1];
    int64_t from, to;
};

struct row {
    struct weir_value values[COLUMNS];
};

struct reading {
    const struct weir_table *table;
    uint32_t pipeline;
    uint32_t columns[COLUMNS]; // of the table
    const struct span *span;
    struct row *rows;
    size_t count, capacity;
    bool any; // the key has a row
};

// ---- the path's numbers

static int parse_number(struct http_request *r, const char *what, struct weir_str text, int64_t least, int64_t most, int64_t *ret)
{
    if (weir_parse_i64(text, ret) < 0 || text.bytes == 0 || text.data[0] == '+') {
        http_problem(r, 400, "the %s '%.40s' is no number", what, text.data);
        return -1;
    }
    if (*ret >= least && *ret <= most)
        return 0;
    http_problem(r, 422, "there is no %s %lld", what, (long long)*ret);
    return -1;
}

static bool is_date(const int64_t date[HOUR + 1])
{
    struct weir_civil c = {.year = date[YEAR], .month = (int)date[MONTH], .day = (int)date[DAY]};
    return weir_civil_valid(&c);
}

// args: by, key, year, then what is above the unit, then from and to.
static int parse_span(struct http_request *r, struct span *s)
{
    static const int64_t least[] = {1, 1, 1, 0}, most[] = {9999, 12, 31, 23};
    const struct weir_str *arg = &r->args[2];
    for (int unit = YEAR; unit < s->unit; unit++)
        if (parse_number(r, column_names[unit], *arg++, least[unit], most[unit], &s->date[unit]) < 0)
            return -1;
    if (parse_number(r, column_names[s->unit], arg[0], least[s->unit], most[s->unit], &s->from) < 0 ||
        parse_number(r, column_names[s->unit], arg[1], least[s->unit], most[s->unit], &s->to) < 0)
        return -1;
    if (s->from > s->to) {
        http_problem(r, 422, "the range goes backwards: %lld to %lld", (long long)s->from, (long long)s->to);
        return -1;
    }
    int64_t last[HOUR + 1] = {s->date[YEAR], s->unit == MONTH ? s->to : s->date[MONTH], s->unit == DAY ? s->to : s->unit == HOUR ? s->date[DAY] : 1};
    if (is_date(last))
        return 0;
    http_problem(r, 422, "there is no %lld-%02lld-%02lld", (long long)last[YEAR], (long long)last[MONTH], (long long)last[DAY]);
    return -1;
}

// ---- the table

static bool find_columns(const struct weir_table *t, uint32_t ret[COLUMNS])
{
    for (int i = 0; i < COLUMNS; i++) {
        uint32_t c = 0;
        while (c < t->column_count && strcmp(t->columns[c].name, column_names[i]) != 0)
            c++;
        enum weir_kind kind = c < t->column_count ? weir_cql_kind(t->columns[c].type) : WEIR_STRS;
        if (kind == WEIR_STRS || (i <= HOUR && kind != WEIR_I64))
            return false;
        ret[i] = c;
    }
    return true;
}

static bool has_reader_key(const struct weir_table *t, const char *by, const uint32_t columns[COLUMNS], int unit)
{
    bool fits = t->partition_count == 1 && strcmp(t->columns[t->partition[0]].name, by) == 0 && t->clustering_count > (uint32_t)unit;
    for (int i = 0; i <= unit && fits; i++)
        fits = t->clustering[i].column == columns[i];
    return fits;
}

static int find_table(struct http_request *r, const char *by, struct reading *d)
{
    char name[80];
    snprintf(name, sizeof name, "%s_metric_event_by_%s", d->span->table, by);
    for (uint32_t p = 0; p < weir_engine_pipelines(r->http->engine); p++) {
        const struct weir_query_spec *q = weir_plan_query(weir_engine_plan(r->http->engine, p), name);
        if (!q || !find_columns(&q->table, d->columns) || !has_reader_key(&q->table, by, d->columns, d->span->unit))
            continue;
        d->table = &q->table;
        d->pipeline = p;
        return 0;
    }
    http_problem(r, 404, "no pipeline here has a table '%s' of year, month, day, hour, avg, min, max and median", name);
    return -1;
}

// ---- its rows

static int take_row(void *context, const struct weir_value *values)
{
    struct reading *d = context;
    int64_t at = values[d->columns[d->span->unit]].i64;
    d->any = true;
    if (at < d->span->from || at > d->span->to)
        return 0;
    weir_grow(&d->rows, &d->capacity, d->count + 1, sizeof *d->rows);
    for (int i = 0; i < COLUMNS; i++)
        d->rows[d->count].values[i] = values[d->columns[i]];
    return ++d->count == ROWS_MAX;
}

static int see_row(void *context, const struct weir_value *values)
{
    (void)values;
    ((struct reading *)context)->any = true;
    return 1;
}

static int read_rows(struct http_request *r, struct reading *d, const struct weir_value *key)
{
    struct weir_error err;
    struct weir_value prefix[1 + HOUR] = {*key};
    for (int i = 0; i < d->span->unit; i++)
        prefix[1 + i] = (struct weir_value){.kind = WEIR_I64, .i64 = d->span->date[i]};
    struct weir_scan scan = {.table = d->table, .key = prefix, .key_count = 1 + (uint32_t)d->span->unit};
    struct weir_scan any = {.table = d->table, .key = prefix, .key_count = 1, .limit = 1};
    int rc = weir_engine_scan(r->http->engine, d->pipeline, &scan, take_row, d, &err);
    if (rc == 0 && !d->any)
        rc = weir_engine_scan(r->http->engine, d->pipeline, &any, see_row, d, &err);
    if (rc < 0)
        http_problem_of(r, &err);
    return rc;
}

static int ascending(const void *a, const void *b)
{
    const struct row *x = a, *y = b;
    for (int i = YEAR; i <= HOUR; i++)
        if (x->values[i].i64 != y->values[i].i64)
            return x->values[i].i64 < y->values[i].i64 ? -1 : 1;
    return 0;
}

#define TEXT(literal)                                                                                                                                \
    {                                                                                                                                                \
        literal, sizeof(literal) - 1                                                                                                                 \
    }

static void write_rows(struct http_request *r, struct reading *d)
{
    static const struct weir_str before[COLUMNS] = {
        [YEAR] = TEXT("{\"year\":"), [MONTH] = TEXT(",\"month\":"), [DAY] = TEXT(",\"day\":"), [HOUR] = TEXT(",\"hour\":"),
        [AVG] = TEXT(",\"avg\":"),   [MIN] = TEXT(",\"min\":"),     [MAX] = TEXT(",\"max\":"), [MEDIAN] = TEXT(",\"median\":"),
    };
    struct weir_buffer *b = http_json(r);
    if (d->count > 1)
        qsort(d->rows, d->count, sizeof *d->rows, ascending);
    weir_buffer_byte(b, '[');
    for (size_t i = 0; i < d->count; i++) {
        if (i)
            weir_buffer_byte(b, ',');
        for (int c = 0; c < COLUMNS; c++) {
            weir_buffer_add(b, before[c].data, before[c].bytes);
            http_value(b, d->table->columns[d->columns[c]].type, &d->rows[i].values[c]);
        }
        weir_buffer_byte(b, '}');
    }
    weir_buffer_byte(b, ']');
}

static void reading_drop(struct reading *d)
{
    free(d->rows);
}

static void read_span(struct http_request *r, struct span *s)
{
    const char *by = r->args[0].data;
    weir_cleanup(reading_drop) struct reading d = {.span = s};
    struct weir_value key;
    if (http_check_params(r, NULL, 0) < 0)
        return;
    if (!weir_str_is(r->args[0], "id") && !weir_str_is(r->args[0], "group")) {
        http_problem(r, 404, "metrics are kept by 'id' and by 'group', not by '%.40s'", by);
        return;
    }
    if (parse_span(r, s) < 0 || find_table(r, by, &d) < 0)
        return;
    bool is_key = weir_cell_parse(&d.table->columns[d.table->partition[0]], r->args[1], &r->arena, &key) == 0;
    if (is_key && read_rows(r, &d, &key) < 0)
        return;
    if (d.any)
        write_rows(r, &d);
    else
        http_problem(r, 404, "nothing is known of %s '%.100s'", by, r->args[1].data);
}

void http_hours(struct http_request *r)
{
    read_span(r, &(struct span){.table = "hourly", .unit = HOUR});
}

void http_days(struct http_request *r)
{
    read_span(r, &(struct span){.table = "daily", .unit = DAY});
}

void http_months(struct http_request *r)
{
    read_span(r, &(struct span){.table = "monthly", .unit = MONTH});
}
