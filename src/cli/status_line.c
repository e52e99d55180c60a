// SPDX-License-Identifier: Apache-2.0
#include "cli/status_line.h"
#include "base/time.h"
#include "cli/term.h"

void status_line_init(struct status_line *line, bool feed_only)
{
    *line = (struct status_line){.live = term_is(stderr), .feed_only = feed_only};
    pthread_mutex_init(&line->lock, NULL);
}

static void take_off(struct status_line *line)
{
    if (line->shown)
        fputs("\r\033[K", stderr);
    line->shown = false;
}

static void put_on(struct status_line *line)
{
    fprintf(stderr, "\r%s\033[K", line->text);
    fflush(stderr);
    line->shown = true;
}

static void log_above(void *context, const char *text)
{
    struct status_line *line = context;
    pthread_mutex_lock(&line->lock);
    bool shown = line->shown;
    take_off(line);
    fprintf(stderr, "weir: %s\n", text);
    if (shown)
        put_on(line);
    pthread_mutex_unlock(&line->lock);
}

static void draw(void *context, struct weir_engine *engine)
{
    struct status_line *line = context;
    weir_cleanup(weir_arena_drop) struct weir_arena arena = {0};
    struct progress progress = {0};
    for (uint32_t i = 0; i < weir_engine_pipelines(engine); i++) {
        struct weir_pipeline_status status;
        weir_engine_status(engine, i, &arena, &status);
        if (line->feed_only)
            status.records = status.feed_events;
        progress_add(&progress, &status);
    }
    progress_rate_update(&line->rate, (double)weir_monotonic_us() / 1e6, progress.records);
    progress.records_per_s = line->rate.per_s;
    int columns, rows;
    term_size(stderr, &columns, &rows);
    pthread_mutex_lock(&line->lock);
    progress_line(&progress, columns, line->text, sizeof(line->text));
    put_on(line);
    pthread_mutex_unlock(&line->lock);
}

struct runner_view status_line_view(struct status_line *line)
{
    return (struct runner_view){.context = line, .period_ms = 250, .draw = line->live ? draw : NULL, .log = log_above};
}

void status_line_end(struct status_line *line)
{
    take_off(line);
    pthread_mutex_destroy(&line->lock);
}
