// SPDX-License-Identifier: Apache-2.0
// Events that come from outside, as JSON, into a pipeline's topic: checked against the event's fields, encoded as the topic's events are, appended durably.
// Nothing of a request is appended unless all of it is good.
#include "base/memory.h"
#include "base/number.h"
#include "base/time.h"
#include "engine/pipeline.h"
#include "format/json_scan.h"
#include <stdio.h>
#include <stdlib.h>

struct letter { // an encoded event, as places in the door's buffers
    size_t key_at, value_at;
    uint32_t key_bytes, value_bytes;
};

struct door {
    struct pipeline *pipeline;
    pthread_mutex_t lock; // one request at a time
    struct json_scan *scan;
    struct weir_value *values;
    struct weir_encoder *encoder;
    struct weir_producer *producer;
    struct weir_buffer keys, encoded;
    struct letter *letters;
    size_t count, capacity;
    struct weir_arena arena;
};

struct door *door_new(struct pipeline *p)
{
    struct door *d = weir_zalloc(1, sizeof *d);
    d->pipeline = p;
    pthread_mutex_init(&d->lock, NULL);
    return d;
}

void door_free(struct door *d)
{
    if (!d)
        return;
    json_scan_free(d->scan);
    weir_encoder_free(d->encoder);
    weir_producer_close(d->producer);
    weir_buffer_drop(&d->keys);
    weir_buffer_drop(&d->encoded);
    weir_arena_drop(&d->arena);
    free(d->values);
    free(d->letters);
    pthread_mutex_destroy(&d->lock);
    free(d);
}

// At the first request: most pipelines never get one.
static int open_door(struct door *d, struct weir_error *err)
{
    const struct weir_plan *plan = d->pipeline->plan;
    if (!d->scan) {
        weir_cleanup(weir_freep) struct json_want *wants = weir_zalloc(plan->event.field_count, sizeof *wants);
        for (uint32_t i = 0; i < plan->event.field_count; i++)
            wants[i] = (struct json_want){plan->event.fields[i].name, plan->event.fields[i].type, plan->event.fields[i].optional};
        d->scan = json_scan_new(wants, plan->event.field_count);
        d->values = weir_zalloc(plan->event.field_count, sizeof *d->values);
    }
    if (!d->encoder && weir_encoder_new(plan, d->pipeline->registry, &d->encoder, err) < 0)
        return -1;
    return d->producer ? 0 : weir_producer_open(d->pipeline->log, plan->topic.name, NULL, &d->producer, err);
}

static void add_key(struct door *d, const struct weir_value *key)
{
    char number[32];
    if (key->kind == WEIR_STRS)
        weir_buffer_add(&d->keys, key->str.data, key->str.bytes);
    else
        weir_buffer_add(&d->keys, number, weir_format_i64(key->i64, number));
}

static int take_event(struct door *d, struct weir_str text, struct weir_error *err)
{
    char why[200];
    if (json_scan_object(d->scan, text, &d->arena, d->values, why, sizeof why) < 0)
        return weir_fail(err, WEIR_BAD_DATA, WEIR_DEAD_LETTER, "event %zu: %s", d->count + 1, why);
    struct letter letter = {.key_at = d->keys.bytes, .value_at = d->encoded.bytes};
    if (weir_encode(d->encoder, d->values, &d->encoded, err) < 0)
        return weir_wrap(err, "event %zu", d->count + 1);
    add_key(d, &d->values[d->pipeline->plan->event.key_field]);
    letter.key_bytes = (uint32_t)(d->keys.bytes - letter.key_at);
    letter.value_bytes = (uint32_t)(d->encoded.bytes - letter.value_at);
    weir_grow(&d->letters, &d->capacity, d->count + 1, sizeof *d->letters);
    d->letters[d->count++] = letter;
    return 0;
}

static int no_json(const struct json_text *t, const char *why, struct weir_error *err)
{
    return weir_fail(err, WEIR_USAGE, WEIR_DEAD_LETTER, "the body is no JSON: %s (at byte %zu)", why, (size_t)(t->at - t->start) + 1);
}

// One value of the body, wherever it stands.
static int take_value(struct door *d, struct json_text *t, struct weir_error *err)
{
    const char *start = t->at, *wrong = json_text_skip(t, 1);
    return wrong ? no_json(t, wrong, err) : take_event(d, (struct weir_str){start, (uint32_t)(t->at - start)}, err);
}

static int take_array(struct door *d, struct json_text *t, struct weir_error *err)
{
    t->at++;
    json_text_space(t);
    bool more = t->at == t->end || *t->at != ']';
    while (more) {
        if (take_value(d, t, err) < 0)
            return -1;
        json_text_space(t);
        more = t->at < t->end && *t->at == ',';
        if (!more && (t->at == t->end || *t->at != ']'))
            return no_json(t, "expected ',' or ']'", err);
        t->at += more;
        json_text_space(t);
    }
    t->at++;
    return 0;
}

static int take_body(struct door *d, struct weir_str json, struct weir_error *err)
{
    struct json_text t = {json.data, json.data, json.data + json.bytes};
    json_text_space(&t);
    bool array = t.at < t.end && *t.at == '[';
    if ((array ? take_array(d, &t, err) : take_value(d, &t, err)) < 0)
        return -1;
    json_text_space(&t);
    return t.at == t.end ? 0 : no_json(&t, "something stands behind its end", err);
}

static int append(struct door *d, struct weir_error *err)
{
    int64_t now_ms = weir_now_ms();
    for (size_t i = 0; i < d->count; i++) {
        const struct letter *l = &d->letters[i];
        struct weir_str key = {(const char *)d->keys.data + l->key_at, l->key_bytes},
                        value = {(const char *)d->encoded.data + l->value_at, l->value_bytes};
        weir_producer_add(d->producer, now_ms, key, false, value);
    }
    return d->count ? weir_producer_flush(d->producer, (struct weir_str){"", 0}, err) : 0;
}

int door_post(struct door *d, struct weir_str json, uint64_t *ret_count, struct weir_error *err)
{
    pthread_mutex_lock(&d->lock);
    d->count = d->keys.bytes = d->encoded.bytes = 0;
    weir_arena_reset(&d->arena);
    int result = open_door(d, err) < 0 || take_body(d, json, err) < 0 || append(d, err) < 0 ? -1 : 0;
    if (result == 0)
        *ret_count = d->count;
    pthread_mutex_unlock(&d->lock);
    return result;
}
