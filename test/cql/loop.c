// SPDX-License-Identifier: Apache-2.0
// Sockets: one thread, level-triggered epoll. Memory BIOs stand between TLS and the socket, so that all sending is done in one place.
#include "inside.h"
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

enum { EVENTS = 64, READ_BYTES = 64 << 10 };

void fake_loop_wake(struct fake_ring *r)
{
    uint64_t one = 1;
    weir_assert(write(r->wake.fd, &one, sizeof one) == sizeof one);
}

void fake_watch(struct fake_ring *r, struct fake_source *s, bool on)
{
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = s};
    if (s->fd >= 0)
        epoll_ctl(r->epoll, on ? EPOLL_CTL_ADD : EPOLL_CTL_DEL, s->fd, &event);
}

// ---- closing

static void abort_on_close(int fd)
{
    struct linger now = {.l_onoff = 1, .l_linger = 0};
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
}

void fake_conn_close(struct fake_ring *r, struct fake_conn *c, bool reset)
{
    if (c->dead)
        return;
    if (reset)
        abort_on_close(c->source.fd);
    close(c->source.fd);
    c->source.fd = -1;
    c->dead = true;
    r->nodes[c->source.node].stats.open--;
}

static void conn_free(struct fake_conn *c)
{
    SSL_free(c->tls);
    cql_decoder_drop(&c->decoder);
    weir_buffer_drop(&c->envelopes);
    weir_buffer_drop(&c->plain);
    weir_buffer_drop(&c->out);
    free(c);
}

static void reap(struct fake_ring *r)
{
    for (struct fake_conn **at = &r->conns; *at;) {
        struct fake_conn *c = *at;
        if (!c->dead) {
            at = &c->next;
            continue;
        }
        *at = c->next;
        conn_free(c);
    }
}

// ---- writing

static void take_from_tls(struct fake_conn *c)
{
    BIO *records = SSL_get_wbio(c->tls);
    for (size_t pending; (pending = BIO_ctrl_pending(records)) > 0;)
        c->out.bytes += (size_t)BIO_read(records, weir_buffer_reserve(&c->out, pending), (int)pending);
}

static void frame_out(struct fake_conn *c)
{
    if (!c->tls) {
        weir_buffer_add(&c->out, c->plain.data, c->plain.bytes);
        c->plain.bytes = 0;
        return;
    }
    if (c->plain.bytes && SSL_is_init_finished(c->tls) && SSL_write(c->tls, c->plain.data, (int)c->plain.bytes) > 0)
        c->plain.bytes = 0;
    take_from_tls(c);
}

static void want_write(struct fake_ring *r, struct fake_conn *c, bool on)
{
    struct epoll_event event = {.events = EPOLLIN | (on ? EPOLLOUT : 0), .data.ptr = &c->source};
    if (c->writing != on && !c->half_open && !r->nodes[c->source.node].frozen)
        epoll_ctl(r->epoll, EPOLL_CTL_MOD, c->source.fd, &event);
    c->writing = on;
}

void fake_conn_flush(struct fake_ring *r, struct fake_conn *c)
{
    if (c->dead || c->half_open || r->nodes[c->source.node].frozen)
        return;
    fake_frame(c);
    frame_out(c);
    while (c->sent < c->out.bytes) {
        size_t left = c->out.bytes - c->sent, bytes = r->chop && r->chop < left ? r->chop : left;
        ssize_t done = send(c->source.fd, c->out.data + c->sent, bytes, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (done < 0 && errno == EAGAIN) {
            want_write(r, c, true);
            return;
        }
        if (done < 0) {
            fake_conn_close(r, c, false);
            return;
        }
        c->sent += (size_t)done;
    }
    c->out.bytes = c->sent = 0;
    want_write(r, c, false);
    if (c->closing)
        fake_conn_close(r, c, false);
}

// ---- reading

static bool tls_take(struct fake_conn *c)
{
    for (;;) {
        uint8_t *room = cql_decoder_room(&c->decoder, READ_BYTES);
        int got = SSL_read(c->tls, room, READ_BYTES);
        if (got <= 0)
            return SSL_get_error(c->tls, got) == SSL_ERROR_WANT_READ;
        cql_decoder_came(&c->decoder, (size_t)got);
    }
}

static bool read_some(struct fake_conn *c)
{
    static _Thread_local uint8_t records[READ_BYTES];
    uint8_t *to = c->tls ? records : cql_decoder_room(&c->decoder, READ_BYTES);
    ssize_t got = recv(c->source.fd, to, READ_BYTES, MSG_DONTWAIT);
    if (got < 0 && errno == EAGAIN)
        return true;
    if (got <= 0)
        return false;
    if (!c->tls) {
        cql_decoder_came(&c->decoder, (size_t)got);
        return true;
    }
    BIO_write(SSL_get_rbio(c->tls), records, (int)got);
    return tls_take(c);
}

static void serve_read(struct fake_ring *r, struct fake_conn *c)
{
    struct cql_header header;
    struct weir_str body;
    struct weir_error err;
    int rc = 0;
    c->in_read = 0;
    c->reading = true;
    while (!c->dead && !c->half_open && !c->closing && (rc = cql_decoder_next(&c->decoder, &header, &body, &err)) > 0)
        fake_serve(r, c, &header, body);
    c->reading = false;
    if (rc < 0 && !c->dead) {
        r->nodes[c->source.node].stats.garbage++;
        fake_conn_close(r, c, false);
    }
}

static void on_conn(struct fake_ring *r, struct fake_conn *c, uint32_t events)
{
    if (c->dead || c->half_open || r->nodes[c->source.node].frozen)
        return;
    if (events & EPOLLOUT)
        fake_conn_flush(r, c);
    if (c->dead || !(events & (EPOLLIN | EPOLLHUP | EPOLLERR)))
        return;
    bool alive = read_some(c);
    serve_read(r, c);
    fake_conn_flush(r, c);
    if (!alive)
        fake_conn_close(r, c, false);
}

// ---- accepting

static SSL *tls_server(struct fake_ring *r)
{
    SSL *tls = SSL_new(r->tls);
    SSL_set_bio(tls, BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
    SSL_set_accept_state(tls);
    return tls;
}

static void on_accept(struct fake_ring *r, uint32_t node)
{
    struct fake_node *n = &r->nodes[node];
    int one = 1, fd = n->listener.fd < 0 || n->frozen ? -1 : accept4(n->listener.fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0)
        return;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    struct fake_conn *c = weir_zalloc(1, sizeof *c);
    c->source = (struct fake_source){FAKE_CONN, node, fd};
    c->serial = ++r->serial;
    cql_decoder_init(&c->decoder);
    c->tls = r->tls ? tls_server(r) : NULL;
    c->next = r->conns;
    r->conns = c;
    n->stats.accepted++;
    n->stats.open++;
    fake_watch(r, &c->source, true);
}

void fake_listen(struct fake_ring *r, uint32_t node)
{
    struct fake_node *n = &r->nodes[node];
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons(r->port)};
    socklen_t bytes = sizeof at;
    int one = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    weir_assert(fd >= 0 && inet_pton(AF_INET, n->address, &at.sin_addr) == 1);
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (bind(fd, (struct sockaddr *)&at, sizeof at) < 0 || listen(fd, 128) < 0) {
        close(fd);
        return;
    }
    getsockname(fd, (struct sockaddr *)&at, &bytes);
    r->port = ntohs(at.sin_port);
    n->listener = (struct fake_source){FAKE_LISTENER, node, fd};
    fake_watch(r, &n->listener, !n->frozen);
}

// ---- the thread

static void dispatch(struct fake_ring *r, const struct epoll_event *event)
{
    struct fake_source *s = event->data.ptr;
    uint64_t count;
    if (s->kind == FAKE_WAKE)
        weir_assert(read(s->fd, &count, sizeof count) == sizeof count);
    else if (s->kind == FAKE_LISTENER)
        on_accept(r, s->node);
    else
        on_conn(r, (struct fake_conn *)s, event->events);
}

static void *run(void *context)
{
    struct fake_ring *r = context;
    struct epoll_event events[EVENTS];
    for (bool stopping = false; !stopping;) {
        int count = epoll_wait(r->epoll, events, EVENTS, -1);
        pthread_mutex_lock(&r->lock);
        for (int i = 0; i < count; i++)
            dispatch(r, &events[i]);
        reap(r);
        stopping = r->stopping;
        pthread_mutex_unlock(&r->lock);
    }
    return NULL;
}

void fake_loop_start(struct fake_ring *r)
{
    r->epoll = epoll_create1(EPOLL_CLOEXEC);
    r->wake = (struct fake_source){FAKE_WAKE, 0, eventfd(0, EFD_CLOEXEC)};
    weir_assert(r->epoll >= 0 && r->wake.fd >= 0);
    fake_watch(r, &r->wake, true);
}

void fake_loop_run(struct fake_ring *r)
{
    weir_assert(pthread_create(&r->thread, NULL, run, r) == 0);
}

void fake_loop_stop(struct fake_ring *r)
{
    pthread_mutex_lock(&r->lock);
    r->stopping = true;
    fake_loop_wake(r);
    pthread_mutex_unlock(&r->lock);
    pthread_join(r->thread, NULL);
    for (struct fake_conn *c = r->conns; c; c = c->next)
        fake_conn_close(r, c, false);
    reap(r);
    close(r->wake.fd);
    close(r->epoll);
}
