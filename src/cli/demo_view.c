// SPDX-License-Identifier: Apache-2.0
#include "cli/demo_view.h"
#include "base/time.h"
#include "cli/cell.h"
#include "cli/term.h"
#include "format/cell.h"

enum { SCREEN_LINES_ABOVE = 15, ROWS_MAX = 20 };

void demo_view_sample(struct demo_view *v, double now_s, uint64_t events)
{
    progress_rate_update(&v->rate, now_s, events);
    if (v->rate_count == DEMO_RATES)
        memmove(v->rates, v->rates + 1, sizeof(v->rates) - sizeof(v->rates[0]));
    else
        v->rate_count++;
    v->rates[v->rate_count - 1] = v->rate.per_s;
}

static int64_t column_ms(int64_t value, int unit)
{
    return unit == WEIR_UNIT_S ? value * 1000 : unit == WEIR_UNIT_US ? weir_floor_div(value, 1000) : value;
}

static const char *style(const struct demo_view *v, const char *sequence)
{
    return v->color ? sequence : "";
}

static void watermark_text(const struct weir_pipeline_status *status, char out[32])
{
    int64_t ms;
    snprintf(out, 32, "–");
    if (progress_watermark(status, &ms))
        weir_iso8601_format(weir_floor_div(ms, 1000) * 1000, out);
}

static void print_heading(FILE *out, const struct demo_view *v, const struct weir_pipeline_status *status)
{
    char elapsed[16], rate[16], spark[DEMO_RATES * 4], watermark[32];
    term_clock(status->seconds, elapsed, sizeof(elapsed));
    term_quantity(v->rate.per_s, rate, sizeof(rate));
    term_sparkline(v->rates, v->rate_count, spark, sizeof(spark));
    watermark_text(status, watermark);
    fprintf(out, "%s weir demo %s  %s  running for %s\n\n", style(v, TERM_BOLD TERM_CYAN), style(v, TERM_PLAIN), status->plan->pipeline, elapsed);
    fprintf(out, " simulated sensors → Avro → topic %s → hourly windows → tables; the clock runs %d times as fast\n", status->plan->topic.name,
            v->clock_factor);
    fprintf(out, " the same as a page: %s%s%s\n\n", style(v, TERM_BOLD), v->url, style(v, TERM_PLAIN));
    fprintf(out, " events/s    %s%5s%s  %s%s%s\n", style(v, TERM_BOLD), rate, style(v, TERM_PLAIN), style(v, TERM_GREEN), spark,
            style(v, TERM_PLAIN));
    fprintf(out, " watermark   %s%s%s   what is older is late\n", style(v, TERM_BOLD), watermark, style(v, TERM_PLAIN));
}

static void print_count(FILE *out, const struct demo_view *v, const char *what, uint64_t count)
{
    char number[32];
    term_number(count, number, sizeof(number));
    fprintf(out, "%s %s%s%s", what, style(v, TERM_BOLD), number, style(v, TERM_PLAIN));
}

static void print_stages(FILE *out, const struct demo_view *v, const struct weir_pipeline_status *status)
{
    print_count(out, v, " stages      fed", status->feed_events);
    print_count(out, v, " → read", status->records);
    print_count(out, v, " → decoded", status->events);
    fprintf(out, "\n rows        ");
    for (uint32_t q = 0; q < status->plan->query_count; q++) {
        fprintf(out, "%s", q ? "   " : "");
        print_count(out, v, status->plan->queries[q].table.name, status->rows[q]);
    }
    fprintf(out, "\n dead        ");
    for (int r = 0; r < WEIR_REASONS; r++) {
        fprintf(out, "%s", r ? "   " : "");
        print_count(out, v, weir_reason_name((enum weir_reason)r), status->dead[r]);
    }
    fprintf(out, "\n");
}

// For eyes, not for reading back: moments as such whatever unit the column keeps them in, two decimals, the start of a uuid.
static struct printer_cell shown_cell(const struct weir_plan *plan, const struct weir_query_spec *query, uint32_t column,
                                      const struct weir_value *value, char text[WEIR_CELL_BYTES])
{
    enum weir_cql_type type = query->table.columns[column].type;
    int unit = weir_column_unit(plan, query, column);
    if (value->null || (unit < 0 && type != WEIR_CQL_UUID && value->kind != WEIR_F64))
        return cell_of(type, value, text);
    if (unit >= 0) {
        struct weir_civil t = weir_civil_of(column_ms(value->i64, unit));
        snprintf(text, WEIR_CELL_BYTES, "%04d-%02d-%02d %02d:%02d", (int)t.year, t.month, t.day, t.hour, t.minute);
    } else if (type == WEIR_CQL_UUID) {
        snprintf(text, WEIR_CELL_BYTES, "%.8s…", value->str.bytes >= 8 ? value->str.data : "?");
    } else {
        snprintf(text, WEIR_CELL_BYTES, "%.2f", value->f64);
    }
    return (struct printer_cell){.text = weir_str_of(text)};
}

static void print_recent(FILE *out, const struct demo_view *v, const struct weir_pipeline_status *status, struct weir_value **recent,
                         uint32_t recent_count, int rows)
{
    const struct weir_query_spec *query = weir_plan_query(status->plan, v->query);
    if (recent_count == 0) {
        fprintf(out, " %sthe first hour closes in a few seconds%s\n", style(v, TERM_DIM), style(v, TERM_PLAIN));
        return;
    }
    struct printer_column columns[32];
    uint32_t count = query->table.column_count < 32 ? query->table.column_count : 32;
    for (uint32_t c = 0; c < count; c++) {
        bool moment = weir_column_unit(status->plan, query, c) >= 0;
        columns[c] = (struct printer_column){query->table.columns[c].name, moment ? PRINTER_TEXT : cell_kind(query->table.columns[c].type)};
    }
    struct printer *p = printer_open(out, CLI_FORMAT_TABLE, columns, count);
    for (uint32_t i = 0; i < recent_count && (int)i < rows; i++) {
        struct printer_cell cells[32];
        char texts[32][WEIR_CELL_BYTES];
        for (uint32_t c = 0; c < count; c++)
            cells[c] = shown_cell(status->plan, query, c, &recent[i][c], texts[c]);
        printer_row(p, cells);
    }
    printer_close(p);
}

void demo_view_screen(FILE *out, const struct demo_view *v, const struct weir_pipeline_status *status, struct weir_value **recent,
                      uint32_t recent_count, int rows)
{
    print_heading(out, v, status);
    print_stages(out, v, status);
    fprintf(out, "\n %snewest rows of %s%s\n", style(v, TERM_BOLD), v->query, style(v, TERM_PLAIN));
    int room = rows - SCREEN_LINES_ABOVE - 2;
    print_recent(out, v, status, recent, recent_count, room > ROWS_MAX ? ROWS_MAX : room);
    fprintf(out, "\n %s^C ends it; everything is kept in %s%s\n", style(v, TERM_DIM), v->data_dir, style(v, TERM_PLAIN));
}

void demo_view_line(FILE *out, const struct demo_view *v, const struct weir_pipeline_status *status)
{
    char elapsed[16], rate[16], watermark[32];
    uint64_t dead = 0;
    term_clock(status->seconds, elapsed, sizeof(elapsed));
    term_quantity(v->rate.per_s, rate, sizeof(rate));
    watermark_text(status, watermark);
    for (int r = 0; r < WEIR_REASONS; r++)
        dead += status->dead[r];
    fprintf(out, "%s  %llu events  %s/s  watermark %s ", elapsed, (unsigned long long)status->events, rate, watermark);
    for (uint32_t q = 0; q < status->plan->query_count; q++)
        fprintf(out, " %s %llu", status->plan->queries[q].table.name, (unsigned long long)status->rows[q]);
    fprintf(out, "  dead %llu\n", (unsigned long long)dead);
}
