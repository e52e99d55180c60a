// SPDX-License-Identifier: Apache-2.0
// feed: simulate — devices that do not exist, at a given rate.
//
//   position: next event varint | first event of the clock's course varint | its time zigzag | rate f64 | factor f64
//
// The faster clock runs on a straight line from the hour in which the feed began: event i is at start + i / rate × factor. Where a later run has another
// rate or factor, a new line starts where the old one had come to, so that time never jumps.
#include "base/memory.h"
#include "base/time.h"
#include "feed/kind.h"
#include "feed/simulated.h"
#include <stdlib.h>

enum { HOUR_MS = 3600000 };

static const double CATCH_UP_S = 1; // what was missed in a longer pause is not made up for

struct course { // of the faster clock
    uint64_t from;
    int64_t from_ms;
    double rate_per_s, factor;
};

struct simulate_feed {
    struct weir_feed base;
    const struct weir_plan *plan;
    bool has_clock;
    struct course course;
    uint64_t next;
    uint64_t paced_from; // event that was due at paced_us
    int64_t paced_us;
    struct weir_arena arena;
    struct weir_value *values;
};

static int64_t course_ms(const struct course *c, uint64_t event)
{
    double ahead_ms = (double)(event - c->from) / c->rate_per_s * c->factor * 1000;
    return ahead_ms < 4e15 ? c->from_ms + (int64_t)ahead_ms : INT64_MAX / 1000;
}

// ---- pace

static int64_t due_us(const struct simulate_feed *f, uint64_t event)
{
    double ahead_us = (double)(event - f->paced_from) * 1e6 / f->plan->feed.rate_per_s;
    return ahead_us < 4e18 ? f->paced_us + (int64_t)ahead_us : INT64_MAX;
}

static void keep_pace(struct simulate_feed *f, int64_t now_us)
{
    int64_t earliest_us = now_us - (int64_t)(CATCH_UP_S * 1e6);
    if (due_us(f, f->next) < earliest_us) {
        f->paced_from = f->next;
        f->paced_us = earliest_us;
    }
}

// ---- the feed

static void give(struct simulate_feed *f, int64_t wall_ms, const struct weir_feed_sink *sink)
{
    struct simulated_clock clock = {wall_ms, f->has_clock ? course_ms(&f->course, f->next) : wall_ms};
    weir_arena_reset(&f->arena);
    simulated_event(f->plan, f->next, &clock, &f->arena, f->values);
    f->next++;
    sink->event(sink->context, clock.clock_ms, (int64_t)f->next, f->values);
}

static int simulate_next(struct weir_feed *feed, uint32_t max_events, const struct weir_feed_sink *sink, struct weir_feed_step *ret,
                         struct weir_error *err)
{
    struct simulate_feed *f = (struct simulate_feed *)feed;
    const int64_t now_us = weir_monotonic_us(), now_ms = weir_now_ms();
    (void)err;
    *ret = (struct weir_feed_step){0};
    keep_pace(f, now_us);
    for (uint32_t given = 0; given < max_events; given++) {
        int64_t due = due_us(f, f->next);
        if (due > now_us) {
            ret->wait_until_us = due;
            return 0;
        }
        give(f, now_ms - (now_us - due) / 1000, sink);
    }
    return 0;
}

static void simulate_position(const struct weir_feed *feed, struct weir_buffer *out)
{
    const struct simulate_feed *f = (const struct simulate_feed *)feed;
    uint64_t rate, factor;
    memcpy(&rate, &f->course.rate_per_s, sizeof rate);
    memcpy(&factor, &f->course.factor, sizeof factor);
    weir_buffer_varint(out, f->next);
    weir_buffer_varint(out, f->course.from);
    weir_buffer_zigzag(out, f->course.from_ms);
    weir_buffer_be64(out, rate);
    weir_buffer_be64(out, factor);
}

static struct weir_feed_progress simulate_progress(const struct weir_feed *feed)
{
    return (struct weir_feed_progress){.events = ((const struct simulate_feed *)feed)->next};
}

static void simulate_close(struct weir_feed *feed)
{
    struct simulate_feed *f = (struct simulate_feed *)feed;
    weir_arena_drop(&f->arena);
    free(f->values);
    free(f);
}

static double cursor_f64(struct weir_cursor *c)
{
    uint64_t bits = weir_cursor_be64(c);
    double value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

// Takes up the course of the position, or starts another where rate or factor are no longer the same.
static int resume(struct simulate_feed *f, struct weir_cursor *position, struct weir_error *err)
{
    struct course then;
    uint64_t next = weir_cursor_varint(position);
    then.from = weir_cursor_varint(position);
    then.from_ms = weir_cursor_zigzag(position);
    then.rate_per_s = cursor_f64(position);
    then.factor = cursor_f64(position);
    if (position->bad || then.from > next || !(then.rate_per_s > 0) || !(then.factor >= 0) || then.from_ms < -(1ll << 60) || then.from_ms > 1ll << 60)
        return feed_bad_position(err);
    f->next = next;
    if (then.rate_per_s == f->course.rate_per_s && then.factor == f->course.factor) {
        f->course = then;
    } else {
        f->course.from = next;
        f->course.from_ms = course_ms(&then, next);
    }
    return 0;
}

int feed_simulate_open(const struct weir_plan *plan, struct weir_cursor *position, struct weir_feed **ret, struct weir_error *err)
{
    static const struct feed_ops ops = {WEIR_FEED_SIMULATE, simulate_next, simulate_position, simulate_progress, simulate_close};
    struct simulate_feed *f = weir_zalloc(1, sizeof *f);
    f->base.ops = &ops;
    f->plan = plan;
    f->values = weir_zalloc(plan->event.field_count, sizeof *f->values);
    f->course = (struct course){0, weir_floor_div(weir_now_ms(), HOUR_MS) * HOUR_MS, plan->feed.rate_per_s, 1};
    for (uint32_t i = 0; i < plan->event.field_count; i++)
        if (plan->feed.sim[i].kind == WEIR_SIM_CLOCK) {
            f->has_clock = true;
            f->course.factor = plan->feed.sim[i].clock_factor;
        }
    if (position && resume(f, position, err) < 0) {
        simulate_close(&f->base);
        return -1;
    }
    f->paced_from = f->next;
    f->paced_us = weir_monotonic_us();
    *ret = &f->base;
    return 0;
}
