// SPDX-License-Identifier: Apache-2.0
#include "cli/hand_over.h"
#include "base/memory.h"
#include "base/time.h"
#include "cli/post.h"
#include "cli/status_view.h"
#include "cli/summary.h"
#include "feed/feed.h"
#include "format/format.h"
#include <poll.h>
#include <signal.h>
#include <stdlib.h>

enum { BATCH_EVENTS = 500, BATCH_BYTES = 256 << 10, LINGER_US = 100000, NAP_MS = 50 };

struct giving {
    const struct weir_plan *plan;
    struct weir_plan as_json; // whatever the topic's format: the other process encodes
    struct weir_feed *feed;
    struct weir_encoder *encoder;
    struct post *post;
    struct weir_buffer body;
    uint32_t batched; // events in the body
    int64_t batch_us; // when the first of them came
    uint64_t given, rejected;
};

static volatile sig_atomic_t stopped_by; // signal handlers have no context

static void stop(int number)
{
    stopped_by = number;
}

static void catch_signals(bool on)
{
    struct sigaction action = {.sa_handler = on ? stop : SIG_DFL, .sa_flags = on ? (int)SA_RESETHAND : 0};
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
}

// ---- events into batches

static void take_reject(void *context, int64_t line, struct weir_str raw, const char *text)
{
    struct giving *g = context;
    (void)raw;
    if (g->rejected++ < 5)
        fprintf(stderr, "weir: event %lld is left out: %s\n", (long long)line, text);
}

static void take_event(void *context, int64_t timestamp_ms, int64_t line, const struct weir_value *values)
{
    struct giving *g = context;
    struct weir_error err;
    (void)timestamp_ms; // the log that takes it says when
    size_t before = g->body.bytes;
    weir_buffer_byte(&g->body, g->batched ? ',' : '[');
    if (weir_encode(g->encoder, values, &g->body, &err) < 0) {
        g->body.bytes = before;
        take_reject(g, line, WEIR_STR(""), err.text);
        return;
    }
    if (g->batched++ == 0)
        g->batch_us = weir_monotonic_us();
}

static int flush(struct giving *g, struct weir_error *err)
{
    if (!g->batched)
        return 0;
    weir_buffer_byte(&g->body, ']');
    if (post_send(g->post, weir_buffer_view(&g->body), err) < 0)
        return -1;
    g->given += g->batched;
    g->batched = 0;
    g->body.bytes = 0;
    return 0;
}

// Until more is due, the batch has lingered, or time is up; a signal ends it early.
static void wait_until(int64_t until_us)
{
    int64_t left_us = until_us - weir_monotonic_us();
    if (left_us > 0)
        poll(NULL, 0, left_us < 1000000 ? (int)((left_us + 999) / 1000) : 1000);
}

static int64_t earlier(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static int give_all(struct giving *g, uint64_t limit, int64_t end_us, struct weir_error *err)
{
    const struct weir_feed_sink sink = {g, take_event, take_reject};
    struct weir_feed_step step = {0};
    while (!stopped_by && !step.end && g->given + g->batched < limit && weir_monotonic_us() < end_us) {
        uint64_t room = limit - g->given - g->batched, batch = BATCH_EVENTS - g->batched;
        if (weir_feed_next(g->feed, (uint32_t)(room < batch ? room : batch), &sink, &step, err) < 0)
            return -1;
        int64_t linger_us = g->batched ? g->batch_us + LINGER_US : INT64_MAX;
        if (g->batched >= BATCH_EVENTS || g->body.bytes >= BATCH_BYTES || weir_monotonic_us() >= linger_us) {
            if (flush(g, err) < 0)
                return -1;
        } else if (!step.end) {
            wait_until(earlier(earlier(step.wait_until_us, linger_us), end_us));
        }
    }
    return flush(g, err);
}

// ---- the other process

bool hand_over_possible(const struct weir_plan *plan, int wait_ms, json_t **ret_status)
{
    int64_t deadline_us = weir_monotonic_us() + wait_ms * INT64_C(1000);
    for (;;) {
        struct weir_error nobody;
        json_t *all;
        if (status_read(plan->data_dir, &all, &nobody) == 0) {
            *ret_status = json_incref(json_array_get(all, 0));
            json_decref(all);
            return true;
        }
        if (weir_monotonic_us() >= deadline_us)
            return false;
        poll(NULL, 0, NAP_MS);
    }
}

static bool runs_pipeline(const struct weir_plan *plan, const json_t *status)
{
    size_t i;
    json_t *pipeline;
    json_array_foreach(json_object_get(status, "pipelines"), i, pipeline)
    {
        const char *name = json_string_value(json_object_get(pipeline, "pipeline")), *topic = json_string_value(json_object_get(pipeline, "topic"));
        if (name && topic && strcmp(name, plan->pipeline) == 0 && strcmp(topic, plan->topic.name) == 0)
            return true;
    }
    return false;
}

static int find_server(const struct weir_plan *plan, const json_t *status, const char **ret_url, struct weir_error *err)
{
    long long pid = json_integer_value(json_object_get(status, "pid"));
    const char *url = json_string_value(json_object_get(status, "http"));
    if (!runs_pipeline(plan, status))
        return weir_fail(err, WEIR_UNAVAILABLE, WEIR_STOP, "process %lld, which holds %s, does not run pipeline '%s' with topic '%s'", pid,
                         plan->data_dir, plan->pipeline, plan->topic.name);
    if (!url)
        return weir_fail(err, WEIR_UNAVAILABLE, WEIR_STOP, "process %lld holds the log in %s and has no HTTP server to take events; stop it first",
                         pid, plan->data_dir);
    if (plan->feed.kind == WEIR_FEED_FILE)
        return weir_fail(err, WEIR_UNAVAILABLE, WEIR_STOP,
                         "a file's place is kept in the log, which process %lld holds in %s: let that one read the file, or stop it first", pid,
                         plan->data_dir);
    *ret_url = url;
    return 0;
}

static int open_giving(struct giving *g, const struct weir_plan *plan, const char *url, const struct cli_args *args, struct weir_error *err)
{
    const char *variable = getenv("WEIR_TOKEN"), *token = args->token ? args->token : variable && *variable ? variable : NULL;
    g->plan = plan;
    g->as_json = *plan;
    g->as_json.event.format = WEIR_FORMAT_JSON;
    if (weir_feed_open(plan, WEIR_STR(""), &g->feed, err) < 0)
        return -1;
    if (weir_encoder_new(&g->as_json, NULL, &g->encoder, err) < 0)
        return -1;
    g->post = post_open(url, plan->topic.name, token);
    return 0;
}

static void close_giving(struct giving *g)
{
    weir_feed_close(g->feed);
    weir_encoder_free(g->encoder);
    post_close(g->post);
    weir_buffer_drop(&g->body);
}

static void print_summary(const struct giving *g, enum cli_format format, double seconds)
{
    weir_cleanup(weir_freep) uint64_t *rows = weir_zalloc(g->plan->query_count, sizeof *rows);
    struct weir_pipeline_status summary = {.plan = g->plan, .records = g->given, .feed_events = g->given, .rows = rows, .seconds = seconds};
    summary.dead[WEIR_MALFORMED] = g->rejected;
    if (format == CLI_FORMAT_JSON)
        summary_json(stdout, &summary);
    else
        summary_text(stdout, &summary, true);
    fflush(stdout);
}

int hand_over(const struct weir_plan *plan, const struct cli_args *args, const json_t *status)
{
    weir_cleanup(close_giving) struct giving g = {0};
    struct weir_error err;
    const char *url = NULL;
    int64_t start_us = weir_monotonic_us();
    if (find_server(plan, status, &url, &err) < 0 || open_giving(&g, plan, url, args, &err) < 0)
        return cli_report(&err);
    fprintf(stderr, "%s: events into topic %s, through %s\n", plan->pipeline, plan->topic.name, url);
    stopped_by = 0;
    catch_signals(true);
    int done = give_all(&g, args->limit ? args->limit : UINT64_MAX, args->for_ms ? start_us + args->for_ms * 1000 : INT64_MAX, &err);
    catch_signals(false);
    print_summary(&g, args->format, (double)(weir_monotonic_us() - start_us) / 1e6);
    if (done < 0)
        return cli_report(&err);
    return stopped_by == SIGINT ? CLI_EXIT_INTERRUPTED : WEIR_OK;
}
