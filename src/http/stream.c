// SPDX-License-Identifier: Apache-2.0
// Server-sent events (WHATWG HTML, section 9.2): `status` each second, `rows` as they are written, a comment now and then that keeps proxies awake.
//
// The keeper makes each message once and puts it into the buffer of every stream; a stream whose buffer is empty is suspended and costs nothing. One
// whose client does not keep up is cut: it gets no more than its buffer holds.
#include "base/memory.h"
#include "base/time.h"
#include "http/inside.h"
#include <stdlib.h>

enum { STREAMS_MAX = 64, PENDING_BYTES_MAX = 512 << 10, ROWS_A_TICK = 50, BLOCK_BYTES = 16 << 10 };

#define STATUS_US ((int64_t)1000000)
#define BEAT_US   ((int64_t)10000000)

struct stream {
    struct stream *previous, *next;
    struct http_streams *all;
    struct MHD_Connection *connection;
    struct http_connection *watched;
    struct weir_buffer pending;
    size_t sent; // of pending
    bool suspended, cut;
};

struct http_streams {
    struct weir_http *http;
    pthread_mutex_t lock;
    struct stream *first;
    uint32_t count;
    bool ending;
    int64_t status_us, beat_us;  // when the next is due
    uint64_t **since;            // by pipeline and query: where weir_engine_recent_since goes on
    struct weir_buffer messages; // the keeper's own
    struct weir_arena arena;
};

struct http_streams *http_streams_new(struct weir_http *h)
{
    struct http_streams *s = weir_zalloc(1, sizeof *s);
    s->http = h;
    pthread_mutex_init(&s->lock, NULL);
    uint32_t pipelines = weir_engine_pipelines(h->engine);
    s->since = weir_zalloc(pipelines, sizeof *s->since);
    for (uint32_t p = 0; p < pipelines; p++)
        s->since[p] = weir_zalloc(weir_engine_plan(h->engine, p)->query_count, sizeof **s->since);
    return s;
}

void http_streams_free(struct http_streams *s)
{
    if (!s)
        return;
    for (uint32_t p = 0; p < weir_engine_pipelines(s->http->engine); p++)
        free(s->since[p]);
    free(s->since);
    weir_buffer_drop(&s->messages);
    weir_arena_drop(&s->arena);
    pthread_mutex_destroy(&s->lock);
    free(s);
}

uint32_t http_streams_open(struct http_streams *s)
{
    pthread_mutex_lock(&s->lock);
    uint32_t count = s->count;
    pthread_mutex_unlock(&s->lock);
    return count;
}

// ---- messages

// The JSON without line ends, which would end a message's line.
static void add_status(struct weir_engine *e, struct weir_buffer *b)
{
    weir_cleanup(weir_freep) char *json = weir_engine_status_json(e);
    weir_buffer_format(b, "event: status\ndata: ");
    for (const char *at = json; *at; at += strspn(at, "\n ")) {
        size_t bytes = strcspn(at, "\n");
        weir_buffer_add(b, at, bytes);
        at += bytes;
    }
    weir_buffer_format(b, "\n\n");
}

static void add_rows(struct http_streams *s, uint32_t pipeline, uint32_t query)
{
    struct weir_engine *e = s->http->engine;
    const struct weir_plan *plan = weir_engine_plan(e, pipeline);
    const struct weir_table *table = &plan->queries[query].table;
    struct weir_buffer *b = &s->messages;
    struct weir_value **rows;
    uint64_t *since = &s->since[pipeline][query];
    uint32_t count = weir_engine_recent_since(e, pipeline, query, *since, ROWS_A_TICK, &s->arena, &rows, since);
    if (count == 0)
        return;
    weir_buffer_format(b, "event: rows\ndata: {\"pipeline\":");
    http_quote(b, weir_str_of(plan->pipeline));
    weir_buffer_format(b, ",\"table\":");
    http_quote(b, weir_str_of(table->name));
    weir_buffer_format(b, ",\"rows\":[");
    for (uint32_t i = 0; i < count; i++) {
        weir_buffer_format(b, i ? "," : "");
        http_row(b, table, rows[i]);
    }
    weir_buffer_format(b, "]}\n\n");
}

static bool is_due(int64_t *at_us, int64_t period_us, int64_t now_us)
{
    if (now_us < *at_us)
        return false;
    *at_us = now_us + period_us;
    return true;
}

static void make_messages(struct http_streams *s, int64_t now_us)
{
    s->messages.bytes = 0;
    weir_arena_reset(&s->arena);
    for (uint32_t p = 0; p < weir_engine_pipelines(s->http->engine); p++)
        for (uint32_t q = 0; q < weir_engine_plan(s->http->engine, p)->query_count; q++)
            add_rows(s, p, q);
    if (is_due(&s->status_us, STATUS_US, now_us))
        add_status(s->http->engine, &s->messages);
    if (is_due(&s->beat_us, BEAT_US, now_us))
        weir_buffer_format(&s->messages, ": beat\n\n");
}

// ---- handing out

static void wake(struct stream *stream)
{
    if (!stream->suspended)
        return;
    stream->suspended = false;
    MHD_resume_connection(stream->connection);
}

static void push(struct stream *stream, const struct weir_buffer *messages)
{
    struct weir_buffer *pending = &stream->pending;
    if (stream->cut || messages->bytes == 0)
        return;
    if (pending->bytes - stream->sent + messages->bytes > PENDING_BYTES_MAX) {
        stream->cut = true;
        if (stream->watched)
            atomic_store(&stream->watched->until_us, 0); // the keeper shuts it down
    } else {
        weir_buffer_add(pending, messages->data, messages->bytes);
    }
    wake(stream);
}

// From now on, where nobody has listened.
static void forget_rows(struct http_streams *s)
{
    for (uint32_t p = 0; p < weir_engine_pipelines(s->http->engine); p++)
        memset(s->since[p], 0, weir_engine_plan(s->http->engine, p)->query_count * sizeof **s->since);
}

void http_streams_tick(struct http_streams *s, int64_t now_us)
{
    if (http_streams_open(s) == 0) {
        forget_rows(s);
        return;
    }
    make_messages(s, now_us);
    pthread_mutex_lock(&s->lock);
    for (struct stream *stream = s->first; stream; stream = stream->next)
        push(stream, &s->messages);
    pthread_mutex_unlock(&s->lock);
}

void http_streams_end(struct http_streams *s)
{
    pthread_mutex_lock(&s->lock);
    s->ending = true;
    for (struct stream *stream = s->first; stream; stream = stream->next)
        wake(stream);
    pthread_mutex_unlock(&s->lock);
}

// ---- one stream; called by the daemon

static ssize_t read_stream(void *context, uint64_t position, char *out, size_t bytes_max)
{
    struct stream *stream = context;
    struct weir_buffer *pending = &stream->pending;
    (void)position;
    pthread_mutex_lock(&stream->all->lock);
    size_t left = pending->bytes - stream->sent, bytes = left < bytes_max ? left : bytes_max;
    ssize_t result = (ssize_t)bytes;
    if (stream->cut) {
        result = MHD_CONTENT_READER_END_WITH_ERROR;
    } else if (bytes) {
        memcpy(out, pending->data + stream->sent, bytes);
        stream->sent += bytes;
    } else if (stream->all->ending) {
        result = MHD_CONTENT_READER_END_OF_STREAM;
    } else {
        stream->suspended = true;
        MHD_suspend_connection(stream->connection);
    }
    if (stream->sent == pending->bytes)
        stream->sent = pending->bytes = 0;
    pthread_mutex_unlock(&stream->all->lock);
    return result;
}

static void free_stream(void *context)
{
    struct stream *stream = context;
    struct http_streams *s = stream->all;
    pthread_mutex_lock(&s->lock);
    *(stream->previous ? &stream->previous->next : &s->first) = stream->next;
    if (stream->next)
        stream->next->previous = stream->previous;
    s->count--;
    pthread_mutex_unlock(&s->lock);
    weir_buffer_drop(&stream->pending);
    free(stream);
}

static bool link_stream(struct http_streams *s, struct stream *stream)
{
    pthread_mutex_lock(&s->lock);
    bool room = s->count < STREAMS_MAX && !s->ending;
    if (room) {
        stream->next = s->first;
        if (stream->next)
            stream->next->previous = stream;
        s->first = stream;
        s->count++;
    }
    pthread_mutex_unlock(&s->lock);
    return room;
}

void http_stream(struct http_request *r)
{
    if (http_check_params(r, NULL, 0) < 0)
        return;
    struct stream *stream = weir_zalloc(1, sizeof *stream);
    stream->all = r->http->streams;
    stream->connection = r->connection;
    stream->watched = MHD_get_connection_info(r->connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT)->socket_context;
    add_status(r->http->engine, &stream->pending);
    if (!link_stream(stream->all, stream)) {
        weir_buffer_drop(&stream->pending);
        free(stream);
        http_problem(r, 503, "there are %d streams already", STREAMS_MAX);
        http_header(r, MHD_HTTP_HEADER_RETRY_AFTER, "10");
        return;
    }
    r->reply.status = 200;
    r->reply.response = MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, BLOCK_BYTES, read_stream, stream, free_stream);
    weir_assert(r->reply.response);
    MHD_add_response_header(r->reply.response, MHD_HTTP_HEADER_CONTENT_TYPE, "text/event-stream");
    http_header(r, "X-Accel-Buffering", "no");
}
