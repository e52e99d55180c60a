// SPDX-License-Identifier: Apache-2.0
// The daemon's callbacks, in the order in which a connection meets them:
//
//   on_connection (begins) → on_uri → on_request … → on_completed → on_uri → … → on_connection (ends)
//
// on_request comes first with the headers, then with each piece of the body, then once more: that is when the route answers, or the pool does (pool.c)
// and on_request comes again. A request that is
// refused by its headers is still read, to a bound, because a client that is cut while it sends does not see the answer.
#include "base/memory.h"
#include "base/number.h"
#include "base/time.h"
#include "http/inside.h"
#include "registry/contracts.h"
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { THREADS = 4, TICK_MS = 250, LAST_ANSWERS_MS = 2000 };

#define SECONDS(s) ((int64_t)(s)*1000000)

void http_say(const struct weir_http *h, const char *format, ...)
{
    if (!h->options.log)
        return;
    char line[1024];
    va_list args;
    va_start(args, format);
    vsnprintf(line, sizeof line, format, args);
    va_end(args);
    for (char *c = line; *c; c++)
        if ((unsigned char)*c < 0x20 || *c == 0x7f)
            *c = '?';
    h->options.log(h->options.log_context, line);
}

static void daemon_says(void *context, const char *format, va_list args)
{
    char line[500];
    vsnprintf(line, sizeof line, format, args);
    http_say(context, "http: %s", line);
}

// ---- connections, and how long they may take

static void cut_after(struct MHD_Connection *connection, int64_t us)
{
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    struct http_connection *c = info ? info->socket_context : NULL;
    if (c)
        atomic_store(&c->until_us, us == INT64_MAX ? us : weir_monotonic_us() + us);
}

static void link_connection(struct weir_http *h, struct http_connection *c)
{
    pthread_mutex_lock(&h->lock);
    c->next = h->connections;
    if (c->next)
        c->next->previous = c;
    h->connections = c;
    pthread_mutex_unlock(&h->lock);
}

static void unlink_connection(struct weir_http *h, struct http_connection *c)
{
    pthread_mutex_lock(&h->lock);
    *(c->previous ? &c->previous->next : &h->connections) = c->next;
    if (c->next)
        c->next->previous = c->previous;
    pthread_mutex_unlock(&h->lock);
}

static void on_connection(void *context, struct MHD_Connection *connection, void **connection_context, enum MHD_ConnectionNotificationCode what)
{
    struct weir_http *h = context;
    struct http_connection *c = *connection_context;
    if (what == MHD_CONNECTION_NOTIFY_STARTED) {
        c = *connection_context = weir_zalloc(1, sizeof *c);
        c->fd = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;
        c->until_us = weir_monotonic_us() + SECONDS(HTTP_REQUEST_S);
        link_connection(h, c);
    } else if (c) {
        unlink_connection(h, c);
        free(c);
        *connection_context = NULL;
    }
}

// The daemon sees the end of a connection whose socket is shut down, and closes it.
static void cut_slow(struct weir_http *h, int64_t now_us)
{
    pthread_mutex_lock(&h->lock);
    for (struct http_connection *c = h->connections; c; c = c->next)
        if (atomic_load(&c->until_us) < now_us) {
            shutdown(c->fd, SHUT_RDWR);
            atomic_store(&c->until_us, INT64_MAX);
        }
    pthread_mutex_unlock(&h->lock);
}

static void *keep(void *context)
{
    struct weir_http *h = context;
    pthread_mutex_lock(&h->lock);
    while (!h->ending) {
        struct timespec at;
        clock_gettime(CLOCK_MONOTONIC, &at);
        at.tv_nsec += TICK_MS * 1000000L;
        at.tv_sec += at.tv_nsec / 1000000000;
        at.tv_nsec %= 1000000000;
        pthread_cond_timedwait(&h->wake, &h->lock, &at);
        bool ending = h->ending;
        pthread_mutex_unlock(&h->lock);
        if (!ending) {
            int64_t now_us = weir_monotonic_us();
            cut_slow(h, now_us);
            if (h->streams)
                http_streams_tick(h->streams, now_us);
        }
        pthread_mutex_lock(&h->lock);
    }
    pthread_mutex_unlock(&h->lock);
    return NULL;
}

// ---- requests

static void *on_uri(void *context, const char *uri, struct MHD_Connection *connection)
{
    struct weir_http *h = context;
    struct http_request *r = weir_zalloc(1, sizeof *r);
    r->http = h;
    r->connection = connection;
    r->uri = weir_strdup(uri);
    r->method = "";
    r->started_us = weir_monotonic_us();
    atomic_fetch_add(&h->under_way, 1);
    return r;
}

static const char *header_of(const struct http_request *r, const char *name)
{
    return MHD_lookup_connection_value(r->connection, MHD_HEADER_KIND, name);
}

static bool is_type(const char *given, const char *type)
{
    size_t bytes = strlen(type);
    return strncasecmp(given, type, bytes) == 0 && (given[bytes] == 0 || given[bytes] == ';' || given[bytes] == ' ');
}

static bool is_taken(const struct http_site *site, const char *given)
{
    for (const char *const *type = site->body_types; given && *type; type++)
        if (is_type(given, *type))
            return true;
    return false;
}

static bool has_body(const struct http_request *r)
{
    return strcmp(r->route->method, "POST") == 0 || strcmp(r->route->method, "PUT") == 0;
}

static uint64_t announced_bytes(const struct http_request *r)
{
    const char *text = header_of(r, MHD_HTTP_HEADER_CONTENT_LENGTH);
    int64_t bytes;
    return text && weir_parse_i64(weir_str_of(text), &bytes) == 0 && bytes > 0 ? (uint64_t)bytes : 0;
}

static void too_large(struct http_request *r)
{
    http_problem(r, 413, "a body has at most %llu bytes", (unsigned long long)r->http->body_bytes_max);
}

// What can be said of a request by its headers alone; a reply's status is set where it is refused.
static void judge(struct http_request *r)
{
    if (http_request_parse(r) < 0 || http_authorize(r, r->route->role) < 0 || !has_body(r))
        return;
    if (!is_taken(r->http->site, header_of(r, MHD_HTTP_HEADER_CONTENT_TYPE)))
        http_problem(r, 415, "send JSON, with 'Content-Type: %s'", r->http->site->body_types[0]);
    else if (announced_bytes(r) > r->http->body_bytes_max)
        too_large(r);
}

static enum MHD_Result begin(struct http_request *r, const char *method)
{
    r->begun = true;
    r->method = weir_arena_copy(&r->arena, weir_str_of(method)).data;
    cut_after(r->connection, SECONDS(HTTP_REQUEST_S));
    judge(r);
    bool waits = header_of(r, MHD_HTTP_HEADER_EXPECT) != NULL;
    if (r->reply.status && (waits || announced_bytes(r) > HTTP_DISCARD_BYTES_MAX))
        return http_send(r);
    return MHD_YES;
}

static enum MHD_Result take_body(struct http_request *r, const char *data, size_t bytes)
{
    r->body_bytes += bytes;
    bool keeps = !r->reply.status && r->body_bytes <= r->http->body_bytes_max && has_body(r);
    if (keeps)
        weir_buffer_add(&r->body, data, bytes);
    else if (!r->reply.status && r->body_bytes > r->http->body_bytes_max)
        too_large(r);
    return r->body_bytes <= r->http->body_bytes_max + HTTP_DISCARD_BYTES_MAX ? MHD_YES : MHD_NO;
}

static enum MHD_Result on_request(void *context, struct MHD_Connection *connection, const char *url, const char *method, const char *version,
                                  const char *data, size_t *bytes, void **request)
{
    (void)context, (void)connection, (void)url, (void)version;
    struct http_request *r = *request;
    if (!r->begun)
        return begin(r, method);
    if (*bytes) {
        size_t taken = *bytes;
        *bytes = 0;
        return take_body(r, data, taken);
    }
    cut_after(r->connection, SECONDS(HTTP_ANSWER_S));
    if (!r->reply.status && r->http->pool && !r->waiting && http_route_waits(r->route)) {
        r->waiting = true;
        http_pool_answer(r->http->pool, r);
        return MHD_YES; // and once more when it is answered
    }
    if (!r->reply.status)
        r->route->answer(r);
    if (r->reply.response)
        cut_after(r->connection, INT64_MAX); // streams have limits of their own
    return http_send(r);
}

static void on_completed(void *context, struct MHD_Connection *connection, void **request, enum MHD_RequestTerminationCode why)
{
    struct weir_http *h = context;
    struct http_request *r = *request;
    (void)why;
    if (!r)
        return;
    int64_t us = weir_monotonic_us() - r->started_us;
    if (r->begun) {
        if (h->counts)
            http_count(h->counts, r->route, r->reply.status, us);
        if (h->options.access_log)
            http_say(h, "http: %s %s %d %lld us %s", r->method, r->uri, r->reply.status, (long long)us, r->who ? r->who : "-");
    }
    cut_after(connection, SECONDS(HTTP_IDLE_S + HTTP_REQUEST_S)); // the next one begins within the first and arrives within the second
    weir_buffer_drop(&r->body);
    weir_buffer_drop(&r->reply.body);
    weir_arena_drop(&r->arena);
    free(r->uri);
    free(r);
    *request = NULL;
    atomic_fetch_sub(&h->under_way, 1);
}

// ---- start and stop

static bool has_authentication(const struct weir_http_spec *spec)
{
    return spec && (spec->token_count > 0 || spec->jwt_keys);
}

static int open_all(struct weir_http *h, struct weir_error *err)
{
    const struct weir_http_spec *spec = h->options.spec;
    bool api = h->site == &http_api;
    const char *listen = h->options.listen ? h->options.listen : spec && api ? spec->listen : NULL;
    h->body_bytes_max = spec && spec->body_bytes_max && api ? spec->body_bytes_max : h->site->body_bytes_max;
    if (http_auth_new(spec, &h->auth, err) < 0 || http_listen(listen, h->site->port, &h->fd, &h->url, &h->loopback, err) < 0)
        return -1;
    if (!h->loopback && !has_authentication(spec))
        return weir_fail(err, WEIR_BAD_CONFIG, WEIR_STOP,
                         "others can reach %s: give 'http' tokens or a jwt in the pipeline file, or listen on 127.0.0.1", listen);
    return 0;
}

static struct MHD_Daemon *start_daemon(struct weir_http *h)
{
    unsigned flags = MHD_USE_EPOLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ERROR_LOG;
    return MHD_start_daemon(flags, 0, NULL, NULL, on_request, h, MHD_OPTION_EXTERNAL_LOGGER, daemon_says, h, MHD_OPTION_LISTEN_SOCKET, h->fd,
                            MHD_OPTION_THREAD_POOL_SIZE, (unsigned)THREADS, MHD_OPTION_CONNECTION_LIMIT, (unsigned)HTTP_CONNECTIONS_MAX,
                            MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)HTTP_HEADER_BYTES_MAX, MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)HTTP_IDLE_S,
                            MHD_OPTION_STRICT_FOR_CLIENT, 1, MHD_OPTION_URI_LOG_CALLBACK, on_uri, h, MHD_OPTION_NOTIFY_COMPLETED, on_completed, h,
                            MHD_OPTION_NOTIFY_CONNECTION, on_connection, h, MHD_OPTION_END);
}

static int start_threads(struct weir_http *h, struct weir_error *err)
{
    sigset_t all, old; // signals go to the program's own threads
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &old);
    h->daemon = start_daemon(h);
    if (h->daemon)
        weir_assert(pthread_create(&h->keeper, NULL, keep, h) == 0);
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    return h->daemon ? 0 : weir_fail(err, WEIR_FAILED, WEIR_STOP, "the HTTP server does not start");
}

static void drop(struct weir_http *h)
{
    if (h->streams)
        http_streams_free(h->streams);
    http_counts_free(h->counts);
    http_contracts_free(h->shown);
    http_pool_free(h->pool);
    http_auth_free(h->auth);
    if (h->fd >= 0)
        close(h->fd);
    pthread_mutex_destroy(&h->lock);
    pthread_cond_destroy(&h->wake);
    free(h->etags);
    free(h->url);
    free(h);
}

static bool has_remote_engines(const struct weir_engine *e)
{
    for (uint32_t p = 0; p < weir_engine_pipelines(e); p++) {
        const struct weir_plan *plan = weir_engine_plan(e, p);
        if (!plan->log.embedded || !plan->store.embedded || !plan->registry.embedded)
            return true;
    }
    return false;
}

static struct weir_http *new_server(const struct http_site *site, const struct weir_http_options *o)
{
    struct weir_http *h = weir_zalloc(1, sizeof *h);
    h->site = site;
    h->options = *o;
    h->fd = -1;
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_mutex_init(&h->lock, NULL);
    pthread_cond_init(&h->wake, &attributes);
    pthread_condattr_destroy(&attributes);
    return h;
}

static int start(struct weir_http *h, struct weir_http **ret, struct weir_error *err)
{
    int rc = open_all(h, err);
    if (rc == 0 && h->engine)
        weir_engine_set_url(h->engine, h->url); // before anyone can ask for it
    if (rc == 0)
        rc = start_threads(h, err);
    if (rc < 0) {
        drop(h);
        return -1;
    }
    *ret = h;
    return 0;
}

int weir_http_start(struct weir_engine *e, const struct weir_http_options *o, struct weir_http **ret, struct weir_error *err)
{
    struct weir_http *h = new_server(&http_api, o);
    h->engine = e;
    h->streams = http_streams_new(h);
    h->counts = http_counts_new();
    h->shown = http_contracts_new();
    h->pool = has_remote_engines(e) ? http_pool_new() : NULL;
    h->etags = http_etags_new();
    return start(h, ret, err);
}

int weir_http_start_registry(struct weir_registry *registry, const struct weir_http_options *o, struct weir_http **ret, struct weir_error *err)
{
    struct weir_http *h = new_server(&http_registry, o);
    h->contracts = weir_contracts_of(registry);
    weir_assert(h->contracts);
    return start(h, ret, err);
}

const char *weir_http_url(const struct weir_http *h)
{
    return h->url;
}

static void await_answers(struct weir_http *h)
{
    int64_t until_us = weir_monotonic_us() + LAST_ANSWERS_MS * 1000;
    while (atomic_load(&h->under_way) > 0 && weir_monotonic_us() < until_us) {
        struct timespec pause = {.tv_nsec = 2000000};
        clock_nanosleep(CLOCK_MONOTONIC, 0, &pause, NULL);
    }
}

void weir_http_stop(struct weir_http *h)
{
    if (!h)
        return;
    pthread_mutex_lock(&h->lock);
    h->ending = true;
    pthread_cond_signal(&h->wake);
    pthread_mutex_unlock(&h->lock);
    pthread_join(h->keeper, NULL);
    int fd = MHD_quiesce_daemon(h->daemon);
    if (h->streams)
        http_streams_end(h->streams);
    http_pool_free(h->pool); // no connection may be suspended when the daemon stops
    h->pool = NULL;
    await_answers(h);
    MHD_stop_daemon(h->daemon);
    if (fd != h->fd && fd >= 0)
        close(fd);
    drop(h);
}
