// SPDX-License-Identifier: Apache-2.0
// Opening and closing a session; submitting.
#include "cql/inside.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { LINE_BYTES = 700 };

void cql_session_say(struct cql_session *s, const char *format, ...)
{
    char line[LINE_BYTES];
    va_list args;
    if (!s->options.log)
        return;
    va_start(args, format);
    vsnprintf(line, sizeof line, format, args);
    va_end(args);
    s->options.log(s->options.log_context, line);
}

void cql_session_opening(struct cql_session *s, bool refused, const struct weir_error *why)
{
    pthread_mutex_lock(&s->lock);
    if (s->state == SESSION_OPENING) {
        size_t used = strlen(s->trouble.text);
        if (refused)
            s->trouble = *why;
        else if (!strstr(s->trouble.text, why->text))
            snprintf(s->trouble.text + used, sizeof s->trouble.text - used, "%s%s", used ? "; " : "", why->text);
        if (refused)
            s->state = SESSION_REFUSED;
        pthread_cond_broadcast(&s->changed);
    }
    pthread_mutex_unlock(&s->lock);
}

// ---- options

static char *copied(const char *text)
{
    return text ? weir_strdup(text) : NULL;
}

static uint32_t or_else(uint32_t value, uint32_t standard)
{
    return value ? value : standard;
}

static void options_copy(const struct cql_options *from, struct cql_options *to)
{
    *to = *from;
    char **hosts = weir_zalloc(from->host_count, sizeof(char *));
    for (uint32_t i = 0; i < from->host_count; i++)
        hosts[i] = weir_strdup(from->hosts[i]);
    to->hosts = (const char *const *)hosts;
    to->port = (uint16_t)or_else(from->port, 9042);
    to->local_dc = copied(from->local_dc);
    to->username = copied(from->username);
    to->password = copied(from->password);
    to->tls.ca_file = copied(from->tls.ca_file);
    to->tls.cert_file = copied(from->tls.cert_file);
    to->tls.key_file = copied(from->tls.key_file);
    to->tls.server_name = copied(from->tls.server_name);
    to->version_max = from->version_max ? from->version_max : CQL_V5;
    to->io_threads = or_else(from->io_threads, 1);
    to->connect_timeout_ms = or_else(from->connect_timeout_ms, 5000);
    to->request_timeout_ms = or_else(from->request_timeout_ms, 12000);
    to->open_timeout_ms = or_else(from->open_timeout_ms, 10000);
    to->in_flight_requests = or_else(from->in_flight_requests, 1024);
    to->in_flight_bytes = from->in_flight_bytes ? from->in_flight_bytes : (size_t)32 << 20;
    to->window_max = or_else(from->window_max, 256);
}

static void options_drop(struct cql_options *o)
{
    for (uint32_t i = 0; i < o->host_count; i++)
        free((char *)o->hosts[i]);
    free((void *)o->hosts);
    free((char *)o->local_dc);
    free((char *)o->username);
    free((char *)o->password);
    free((char *)o->tls.ca_file);
    free((char *)o->tls.cert_file);
    free((char *)o->tls.key_file);
    free((char *)o->tls.server_name);
}

static int options_check(const struct cql_options *o, struct weir_error *err)
{
    enum { THREADS_MAX = 64, WINDOW_MAX = 8192 };
    if (o->host_count == 0)
        return weir_fail(err, WEIR_BAD_CONFIG, WEIR_STOP, "no Cassandra host is given");
    if (o->version_max && o->version_max != CQL_V4 && o->version_max != CQL_V5)
        return weir_fail(err, WEIR_BAD_CONFIG, WEIR_STOP, "the protocol's version is 4 or 5, not %d", o->version_max);
    if (o->io_threads > THREADS_MAX)
        return weir_fail(err, WEIR_BAD_CONFIG, WEIR_STOP, "%u I/O threads are too many, at most %d", o->io_threads, THREADS_MAX);
    if (o->window_max > WINDOW_MAX)
        return weir_fail(err, WEIR_BAD_CONFIG, WEIR_STOP, "a window of %u requests a node is too large, at most %d", o->window_max, WINDOW_MAX);
    if (o->local_dc && strlen(o->local_dc) >= 64)
        return weir_fail(err, WEIR_BAD_CONFIG, WEIR_STOP, "the local data centre's name is too long");
    return 0;
}

// ---- names

static int resolve(const char *host, uint16_t port, struct sockaddr_storage **list, size_t *count, size_t *capacity, struct weir_error *err)
{
    struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM}, *found;
    char service[8];
    snprintf(service, sizeof service, "%u", port);
    int why = getaddrinfo(host, service, &hints, &found);
    if (why)
        return weir_fail(err, WEIR_UNAVAILABLE, WEIR_RETRY, "%s: %s", host, why == EAI_SYSTEM ? strerror(errno) : gai_strerror(why));
    for (const struct addrinfo *a = found; a; a = a->ai_next)
        if (a->ai_family == AF_INET || a->ai_family == AF_INET6) {
            weir_grow(list, capacity, *count + 1, sizeof **list);
            memset(&(*list)[*count], 0, sizeof **list);
            memcpy(&(*list)[(*count)++], a->ai_addr, a->ai_addrlen);
        }
    freeaddrinfo(found);
    return 0;
}

bool cql_control_addresses(struct cql_session *s, struct sockaddr_storage **ret, size_t *ret_count, struct weir_error *err)
{
    size_t capacity = 0;
    for (uint32_t i = 0; i < s->options.host_count; i++) {
        struct weir_error why;
        if (resolve(s->options.hosts[i], s->options.port, ret, ret_count, &capacity, &why) < 0)
            *err = why;
    }
    return *ret_count > 0;
}

// ---- open and close

static struct cql_session *session_make(const struct cql_options *options)
{
    struct cql_session *s = weir_zalloc(1, sizeof *s);
    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_mutex_init(&s->lock, NULL);
    pthread_mutex_init(&s->pool_lock, NULL);
    pthread_cond_init(&s->changed, &monotonic);
    pthread_condattr_destroy(&monotonic);
    options_copy(options, &s->options);
    if (options->local_dc)
        snprintf(s->local_dc, sizeof s->local_dc, "%s", options->local_dc);
    atomic_init(&s->version, s->options.version_max);
    s->loops = weir_zalloc(s->options.io_threads, sizeof *s->loops);
    for (uint32_t i = 0; i < s->options.io_threads; i++)
        s->loops[i].session = s;
    return s;
}

static int session_start(struct cql_session *s, struct weir_error *err)
{
    if (s->options.tls.on && cql_tls_context(&s->options.tls, &s->tls, err) < 0)
        return -1;
    if (s->options.tls.on && s->options.tls.insecure)
        cql_session_say(s, "Cassandra's certificates are not verified: anyone may pose as a node");
    s->loops[0].control = cql_control_make(&s->loops[0]);
    for (uint32_t i = 0; i < s->options.io_threads; i++)
        if (cql_loop_start(&s->loops[i], err) < 0)
            return -1;
    return 0;
}

struct timespec cql_deadline_in_ms(uint32_t ms)
{
    struct timespec at;
    clock_gettime(CLOCK_MONOTONIC, &at);
    at.tv_sec += ms / 1000;
    at.tv_nsec += (long)(ms % 1000) * 1000000;
    if (at.tv_nsec >= 1000000000) {
        at.tv_sec++;
        at.tv_nsec -= 1000000000;
    }
    return at;
}

static int session_wait(struct cql_session *s, struct weir_error *err)
{
    struct timespec deadline = cql_deadline_in_ms(s->options.open_timeout_ms);
    pthread_mutex_lock(&s->lock);
    while (s->state == SESSION_OPENING && pthread_cond_timedwait(&s->changed, &s->lock, &deadline) != ETIMEDOUT)
        ;
    bool open = s->state == SESSION_OPEN;
    if (s->state == SESSION_REFUSED)
        *err = s->trouble;
    else if (!open)
        weir_fail(err, WEIR_UNAVAILABLE, WEIR_RETRY, "Cassandra cannot be reached: %s", s->trouble.text[0] ? s->trouble.text : "no answer");
    pthread_mutex_unlock(&s->lock);
    return open ? 0 : -1;
}

int cql_session_open(const struct cql_options *options, struct cql_session **ret, struct weir_error *err)
{
    if (options_check(options, err) < 0)
        return -1;
    struct cql_session *s = session_make(options);
    if (session_start(s, err) < 0 || session_wait(s, err) < 0) {
        cql_session_close(s);
        return -1;
    }
    *ret = s;
    return 0;
}

static void session_free(struct cql_session *s)
{
    struct call *call;
    while ((call = cql_calls_pop(&s->pool))) {
        weir_buffer_drop(&call->bytes);
        free(call);
    }
    cql_statements_drop(s);
    cql_topology_release(s->topology);
    for (size_t i = 0; i < s->host_count; i++)
        free(s->hosts[i]);
    free(s->hosts);
    free(s->loops);
    SSL_CTX_free(s->tls);
    options_drop(&s->options);
    pthread_cond_destroy(&s->changed);
    pthread_mutex_destroy(&s->lock);
    pthread_mutex_destroy(&s->pool_lock);
    free(s);
}

void cql_session_close(struct cql_session *s)
{
    if (!s)
        return;
    atomic_store(&s->stopping, true);
    for (uint32_t i = 0; i < s->options.io_threads; i++)
        cql_loop_stop(&s->loops[i]);
    for (bool more = true; more;) { // what one loop's callbacks gave to another that had ended
        more = false;
        for (uint32_t i = 0; i < s->options.io_threads; i++)
            more |= cql_loop_end(&s->loops[i]);
    }
    for (uint32_t i = 0; i < s->options.io_threads; i++)
        cql_loop_drop(&s->loops[i]);
    session_free(s);
}

// ---- submitting

void cql_submit(struct cql_session *s, const struct cql_request *request, cql_done done, void *context)
{
    cql_session_submit(s, cql_call_make(s, request, done, context));
}

void cql_session_submit(struct cql_session *s, struct call *call)
{
    COUNT(s->requests);
    COUNT(s->calls_waiting);
    ADD(s->bytes_waiting, call->charged);
    uint32_t loop = s->options.io_threads > 1 ? COUNT(s->next_loop) % s->options.io_threads : 0;
    cql_loop_submit(&s->loops[loop], call);
}

size_t cql_session_room(struct cql_session *s)
{
    unsigned long long waiting = LOAD(s->bytes_waiting);
    return waiting < s->options.in_flight_bytes ? s->options.in_flight_bytes - waiting : 0;
}

uint32_t cql_session_idle(struct cql_session *s)
{
    uint32_t windows = LOAD(s->windows), waiting = LOAD(s->calls_waiting);
    if (windows > s->options.in_flight_requests)
        windows = s->options.in_flight_requests;
    return waiting < windows ? windows - waiting : 0;
}
