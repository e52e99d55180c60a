// SPDX-License-Identifier: Apache-2.0
// What the tests of feeds share: plans from text, files to read, and what a feed gives as lines of text.
#pragma once
#include "base/memory.h"
#include "base/number.h"
#include "base/time.h"
#include "feed/feed.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>
#include <stdio.h>
#include <unistd.h>

static inline struct weir_plan *plan_of(const char *event, const char *feed)
{
    struct weir_plan *plan = NULL;
    struct weir_error err;
    char *mistakes = NULL;
    size_t mistakes_bytes;
    FILE *diagnostics = open_memstream(&mistakes, &mistakes_bytes);
    char *text = weir_format("pipeline: test\nlog: embedded\nstore: embedded\ntopic: {name: test}\nevent: %s\nfeed: %s\n"
                             "queries: [{table: t, columns: {id: text, time: bigint}, key: [[id], time]}]\n",
                             event, feed);
    int parsed = weir_plan_parse("test.yaml", weir_str_of(text), NULL, diagnostics, false, &plan, &err);
    fclose(diagnostics);
    if (parsed < 0)
        fail_msg("%s\n%s", err.text, mistakes);
    free(mistakes);
    free(text);
    return plan;
}

struct heard { // what a feed has given, a line each
    const struct weir_plan *plan;
    struct weir_buffer text;
    uint64_t events, rejects;
    int64_t last_reject_line, last_timestamp_ms;
    bool counting; // no text
};

static inline void add_value(struct weir_buffer *out, const struct weir_value *value)
{
    char number[32];
    if (value->null)
        weir_buffer_add(out, "null", 4);
    else if (value->kind == WEIR_STRS)
        weir_buffer_add(out, value->str.data, value->str.bytes);
    else
        weir_buffer_add(out, number, value->kind == WEIR_I64 ? weir_format_i64(value->i64, number) : weir_format_f64(value->f64, number));
}

static inline void hear_event(void *context, int64_t timestamp_ms, int64_t line, const struct weir_value *values)
{
    struct heard *h = context;
    h->events++;
    h->last_timestamp_ms = timestamp_ms;
    if (h->counting)
        return;
    weir_buffer_format(&h->text, "%lld:", (long long)line);
    for (uint32_t f = 0; f < h->plan->event.field_count; f++) {
        weir_buffer_byte(&h->text, ' ');
        add_value(&h->text, &values[f]);
    }
    weir_buffer_byte(&h->text, '\n');
}

static inline void hear_reject(void *context, int64_t line, struct weir_str raw, const char *text)
{
    struct heard *h = context;
    h->rejects++;
    h->last_reject_line = line;
    if (!h->counting)
        weir_buffer_format(&h->text, "%lld! %s [%.*s]\n", (long long)line, text, (int)(raw.bytes < 40 ? raw.bytes : 40), raw.data);
}

static inline struct weir_feed *feed_at(const struct weir_plan *plan, struct weir_str position)
{
    struct weir_feed *feed = NULL;
    struct weir_error err;
    if (weir_feed_open(plan, position, &feed, &err) < 0)
        fail_msg("%s", err.text);
    return feed;
}

// Reads to the end, `step` events at a time. 0, or -1 with err.
static inline int hear_all(struct weir_feed *feed, uint32_t step, struct heard *h, struct weir_error *err)
{
    const struct weir_feed_sink sink = {h, hear_event, hear_reject};
    for (struct weir_feed_step did = {0}; !did.end;)
        if (weir_feed_next(feed, step, &sink, &did, err) < 0)
            return -1;
    return 0;
}

static inline const char *heard_text(struct heard *h)
{
    weir_buffer_byte(&h->text, 0);
    h->text.bytes--;
    return (const char *)h->text.data;
}
