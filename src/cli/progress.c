// SPDX-License-Identifier: Apache-2.0
#include "cli/progress.h"
#include "base/time.h"
#include "cli/term.h"
#include <math.h>
#include <stdio.h>

void progress_rate_update(struct progress_rate *r, double now_s, uint64_t count)
{
    if (!r->started) {
        *r = (struct progress_rate){.at_s = now_s, .count = count, .started = true};
        return;
    }
    double passed = now_s - r->at_s;
    if (passed <= 0)
        return;
    double newest = (double)(count - r->count) / passed, weight = r->per_s == 0 ? 1 : 1 - exp(-passed / 2);
    r->per_s += (newest - r->per_s) * weight;
    r->at_s = now_s;
    r->count = count;
}

bool progress_watermark(const struct weir_pipeline_status *status, int64_t *ret_ms)
{
    int64_t low_ms = INT64_MAX, lateness_ms = 0;
    for (int32_t i = 0; i < status->plan->topic.partitions; i++) {
        int64_t high_ms = status->partitions[i].high_ms;
        if (high_ms != INT64_MIN && high_ms < low_ms)
            low_ms = high_ms;
    }
    for (uint32_t q = 0; q < status->plan->query_count && lateness_ms == 0; q++) {
        if (status->plan->queries[q].window.kind != WEIR_WINDOW_NONE)
            lateness_ms = status->plan->queries[q].lateness_ms;
    }
    if (low_ms == INT64_MAX)
        return false;
    *ret_ms = low_ms - lateness_ms;
    return true;
}

void progress_add(struct progress *p, const struct weir_pipeline_status *status)
{
    p->seconds = status->seconds > p->seconds ? status->seconds : p->seconds;
    p->records += status->records;
    for (int r = 0; r < WEIR_REASONS; r++)
        p->dead += status->dead[r];
    for (uint32_t q = 0; q < status->plan->query_count; q++)
        p->rows += status->rows[q];
    for (int32_t i = 0; i < status->plan->topic.partitions; i++) {
        const struct weir_partition_status *partition = &status->partitions[i];
        p->lag += partition->end_offset > partition->next_offset ? (uint64_t)(partition->end_offset - partition->next_offset) : 0;
    }
    int64_t watermark_ms;
    if (progress_watermark(status, &watermark_ms) && (!p->has_watermark || watermark_ms < p->watermark_ms)) {
        p->has_watermark = true;
        p->watermark_ms = watermark_ms;
    }
    p->feed_done += status->feed_done;
    p->feed_total += status->feed_total;
    p->feed_ended |= status->feed_ended;
}

static void bar_line(const struct progress *p, int columns, char *out, size_t bytes)
{
    char bar[256], rate[16], left[32] = "–", lag[16];
    double share = (double)p->feed_done / (double)p->feed_total;
    int cells = columns >= 100 ? 40 : columns >= 70 ? 20 : 10;
    term_bar(share, cells, bar, sizeof(bar));
    term_quantity(p->records_per_s, rate, sizeof(rate));
    term_quantity((double)p->lag, lag, sizeof(lag));
    if (share > 0.001 && p->seconds > 0)
        term_clock(p->seconds * (1 - share) / share, left, sizeof(left));
    snprintf(out, bytes, "▕%s▏ %3.0f%%  %s records/s  %s left  lag %s", bar, share * 100, rate, left, lag);
}

static void rate_line(const struct progress *p, char *out, size_t bytes)
{
    char records[32], rate[16], lag[16], dead[32], watermark[32] = "–";
    term_number(p->records, records, sizeof(records));
    term_quantity(p->records_per_s, rate, sizeof(rate));
    term_quantity((double)p->lag, lag, sizeof(lag));
    term_number(p->dead, dead, sizeof(dead));
    if (p->has_watermark)
        weir_iso8601_format(weir_floor_div(p->watermark_ms, 1000) * 1000, watermark);
    snprintf(out, bytes, "%s records  %s/s  watermark %s  lag %s  dead %s", records, rate, watermark, lag, dead);
}

void progress_line(const struct progress *p, int columns, char *out, size_t bytes)
{
    if (p->feed_total > 0 && !p->feed_ended)
        bar_line(p, columns, out, bytes);
    else
        rate_line(p, out, bytes);
    out[term_fit(out, strlen(out), columns > 1 ? (size_t)columns - 1 : 0)] = '\0';
}
