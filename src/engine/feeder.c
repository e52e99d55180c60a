// SPDX-License-Identifier: Apache-2.0
// Fills the topic from the pipeline's feed: values become records, and every append carries the feed's position, so that after a crash the feed goes on
// exactly behind the last event that is in the log.
//
//   position kept with the topic: version u8 | events varint | rejects varint | the feed's own position
#include "base/fault.h"
#include "base/memory.h"
#include "base/number.h"
#include "base/time.h"
#include "engine/pipeline.h"
#include <errno.h>
#include <poll.h>
#include <unistd.h>

enum { VERSION = 1, STEP_EVENTS = 1024, FLUSH_BYTES = 1 << 20, FLUSH_LINGER_US = 25000, LAST_FLUSH_US = 5000000, JOIN_STEP_MS = 2 };

static struct weir_str key_text(const struct weir_value *key, char buffer[32])
{
    if (key->kind == WEIR_STRS)
        return key->str;
    size_t bytes = key->kind == WEIR_I64 ? weir_format_i64(key->i64, buffer) : weir_format_f64(key->f64, buffer);
    return (struct weir_str){buffer, (uint32_t)bytes};
}

static void take_reject(void *context, int64_t line, struct weir_str raw, const char *text)
{
    struct feeder *f = context;
    struct weir_dead_letter letter = {
        .reason = WEIR_MALFORMED,
        .topic = f->pipeline->plan->topic.name,
        .partition = -1,
        .offset = line,
        .text = text,
        .timestamp_ms = weir_now_ms(),
        .value = raw,
        .null_key = true,
    };
    weir_producer_dead(f->producer, f->pipeline->dead, &letter);
    f->last_reject_line = line;
    f->new_rejects++;
}

static void take_event(void *context, int64_t timestamp_ms, int64_t line, const struct weir_value *values)
{
    struct feeder *f = context;
    struct weir_error err;
    f->encoded.bytes = 0;
    if (weir_encode(f->encoder, values, &f->encoded, &err) < 0) {
        if (line != f->last_reject_line) // of the events that one line unpivots into, the first that fails speaks for it
            take_reject(f, line, (struct weir_str){"", 0}, err.text);
        return;
    }
    const struct weir_value *key = &values[f->pipeline->plan->event.key_field];
    char buffer[32];
    weir_producer_add(f->producer, timestamp_ms, key->null ? (struct weir_str){"", 0} : key_text(key, buffer), key->null,
                      weir_buffer_view(&f->encoded));
    f->new_events++;
    f->given++;
}

// ---- position

static int read_position(struct feeder *f, struct weir_str stored, struct weir_str *ret_feed, struct weir_error *err)
{
    *ret_feed = (struct weir_str){"", 0};
    if (stored.bytes == 0)
        return 0;
    struct weir_cursor c = {(const uint8_t *)stored.data, (const uint8_t *)stored.data + stored.bytes, false};
    bool known = weir_cursor_byte(&c) == VERSION;
    f->events = weir_cursor_varint(&c);
    f->rejects = weir_cursor_varint(&c);
    if (!known || c.bad)
        return weir_fail(err, WEIR_IO, WEIR_STOP, "the feed's position cannot be read: it has another shape than this version of weir writes");
    *ret_feed = (struct weir_str){(const char *)c.at, (uint32_t)(c.end - c.at)};
    return 0;
}

static void publish(struct feeder *f)
{
    struct weir_feed_progress progress = weir_feed_progress(f->feed);
    pthread_mutex_lock(&f->lock);
    f->seen_events = f->events;
    f->seen_rejects = f->rejects;
    f->seen_done = progress.done;
    f->seen_total = progress.total;
    pthread_mutex_unlock(&f->lock);
}

static int flush(struct feeder *f, struct weir_error *err)
{
    if (f->new_events == 0 && f->new_rejects == 0)
        return 0;
    f->position.bytes = 0;
    weir_buffer_byte(&f->position, VERSION);
    weir_buffer_varint(&f->position, f->events + f->new_events);
    weir_buffer_varint(&f->position, f->rejects + f->new_rejects);
    weir_feed_position(f->feed, &f->position);
    weir_fault("feed.flush.before");
    if (weir_producer_flush(f->producer, weir_buffer_view(&f->position), err) < 0)
        return -1;
    weir_fault("feed.flush.after");
    f->events += f->new_events;
    f->rejects += f->new_rejects;
    f->new_events = f->new_rejects = 0;
    f->oldest_us = 0;
    publish(f);
    return 0;
}

// ---- the thread

// Waits until the feed has more, or the engine stops.
static void wait_until(const struct weir_engine *e, int64_t until_us)
{
    int64_t left_us = until_us - weir_monotonic_us();
    struct pollfd stop = {.fd = e->wake_fd, .events = POLLIN};
    if (left_us > 0)
        poll(&stop, 1, (int)((left_us + 999) / 1000));
}

// The events before the trouble are good.
static int keep_what_came(struct feeder *f)
{
    struct weir_error ignored; // the trouble itself is what is told
    flush(f, &ignored);
    return -1;
}

// An append is full, or its first event has waited long enough for others to come along.
static bool flush_due(struct feeder *f, const struct weir_feed_step *step)
{
    int64_t now_us = weir_monotonic_us();
    bool any = f->new_events || f->new_rejects;
    if (!any || !f->oldest_us)
        f->oldest_us = any ? now_us : 0;
    return any && (step->end || weir_producer_bytes(f->producer) >= FLUSH_BYTES || now_us - f->oldest_us >= FLUSH_LINGER_US);
}

static int feed_all(struct feeder *f, struct weir_error *err)
{
    struct weir_engine *e = f->pipeline->engine;
    const struct weir_feed_sink sink = {f, take_event, take_reject};
    uint64_t limit = e->options.feed_limit ? e->options.feed_limit : UINT64_MAX;
    while (!atomic_load(&e->stopping) && f->given < limit) {
        struct weir_feed_step step = {0};
        uint64_t room = limit - f->given;
        if (weir_feed_next(f->feed, room < STEP_EVENTS ? (uint32_t)room : STEP_EVENTS, &sink, &step, err) < 0)
            return keep_what_came(f);
        if (flush_due(f, &step) && flush(f, err) < 0)
            return -1;
        if (step.end)
            break;
        bool waiting = f->oldest_us && f->oldest_us + FLUSH_LINGER_US < step.wait_until_us;
        wait_until(e, waiting ? f->oldest_us + FLUSH_LINGER_US : step.wait_until_us);
    }
    return flush(f, err);
}

static void *feeder_main(void *context)
{
    struct feeder *f = context;
    struct weir_error err;
    if (feed_all(f, &err) < 0) {
        bool taken_over = err.code == WEIR_FAILED;                                                 // by a process that was started later
        if (err.fate == WEIR_RETRY && (taken_over || atomic_load(&f->pipeline->engine->stopping))) // a file feed gives it again
            engine_say(f->pipeline->engine, "%s: %s", f->pipeline->plan->pipeline, err.text);
        else
            engine_fail(f->pipeline->engine, &err);
    }
    atomic_store(&f->ended, true);
    engine_feed_ended(f->pipeline->engine);
    return NULL;
}

int feeder_open(struct feeder *f, struct pipeline *p, struct weir_error *err)
{
    *f = (struct feeder){.pipeline = p};
    pthread_mutex_init(&f->lock, NULL);
    bool none = p->plan->feed.kind == WEIR_FEED_NONE || p->plan->feed.kind == WEIR_FEED_HTTP;
    struct weir_str position;
    if (weir_producer_open(p->log, p->plan->topic.name, p->plan->pipeline, &f->producer, err) < 0 ||
        read_position(f, weir_producer_position(f->producer), &position, err) < 0)
        return -1;
    f->seen_events = f->events;
    f->seen_rejects = f->rejects;
    if (none || p->engine->options.no_feed) {
        atomic_store(&f->ended, true);
        return 0;
    }
    if (weir_feed_open(p->plan, position, &f->feed, err) < 0 || weir_encoder_new(p->plan, p->registry, &f->encoder, err) < 0)
        return -1;
    publish(f);
    return 0;
}

void feeder_start(struct feeder *f)
{
    if (f->feed)
        f->started = pthread_create(&f->thread, NULL, feeder_main, f) == 0;
    weir_assert(f->started || !f->feed);
}

// The engine is stopping: what was read of the feed is to be appended still, unless the log is away.
void feeder_join(struct feeder *f)
{
    if (!f->started)
        return;
    int64_t until_us = weir_monotonic_us() + LAST_FLUSH_US;
    while (!atomic_load(&f->ended) && weir_monotonic_us() < until_us)
        poll(NULL, 0, JOIN_STEP_MS);
    weir_producer_stop(f->producer);
    pthread_join(f->thread, NULL);
    f->started = false;
}

void feeder_close(struct feeder *f)
{
    if (!f->pipeline)
        return;
    weir_producer_close(f->producer);
    weir_feed_close(f->feed);
    weir_encoder_free(f->encoder);
    weir_buffer_drop(&f->encoded);
    weir_buffer_drop(&f->position);
    pthread_mutex_destroy(&f->lock);
}
