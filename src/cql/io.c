// SPDX-License-Identifier: Apache-2.0
// Bytes in and out of a socket, through TLS where there is one; addresses.
#include "cql/inside.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <unistd.h>

static socklen_t address_bytes(const struct sockaddr_storage *a)
{
    return a->ss_family == AF_INET ? sizeof(struct sockaddr_in) : sizeof(struct sockaddr_in6);
}

void cql_address_text(const struct sockaddr_storage *address, char out[46])
{
    const void *from = address->ss_family == AF_INET ? (const void *)&((const struct sockaddr_in *)address)->sin_addr
                                                     : (const void *)&((const struct sockaddr_in6 *)address)->sin6_addr;
    if (!inet_ntop(address->ss_family, from, out, 46))
        snprintf(out, 46, "?");
}

static uint16_t address_port(const struct sockaddr_storage *a)
{
    return ntohs(a->ss_family == AF_INET ? ((const struct sockaddr_in *)a)->sin_port : ((const struct sockaddr_in6 *)a)->sin6_port);
}

void cql_connection_name(const struct sockaddr_storage *address, char *out, size_t bytes)
{
    char text[46];
    cql_address_text(address, text);
    snprintf(out, bytes, strchr(text, ':') ? "[%s]:%u" : "%s:%u", text, address_port(address));
}

bool cql_address_equal(const struct sockaddr_storage *a, const struct sockaddr_storage *b)
{
    char one[64], other[64];
    cql_connection_name(a, one, sizeof one);
    cql_connection_name(b, other, sizeof other);
    return strcmp(one, other) == 0;
}

int cql_address_parse(const char *text, uint16_t port, struct sockaddr_storage *ret)
{
    struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = htons(port)};
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
    memset(ret, 0, sizeof *ret);
    if (inet_pton(AF_INET, text, &v4.sin_addr) == 1)
        memcpy(ret, &v4, sizeof v4);
    else if (inet_pton(AF_INET6, text, &v6.sin6_addr) == 1)
        memcpy(ret, &v6, sizeof v6);
    else
        return -1;
    return 0;
}

int cql_io_connect(const struct sockaddr_storage *address, int *ret_fd, struct weir_error *err, const char *peer)
{
    int fd = socket(address->ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return weir_fail(err, WEIR_UNAVAILABLE, WEIR_RETRY, "%s: %s", peer, strerror(errno));
    int on = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (connect(fd, (const struct sockaddr *)address, address_bytes(address)) < 0 && errno != EINPROGRESS) {
        int why = errno;
        close(fd);
        return weir_fail(err, WEIR_UNAVAILABLE, WEIR_RETRY, "%s: %s", peer, strerror(why));
    }
    *ret_fd = fd;
    return 0;
}

int cql_io_connected(struct connection *c, struct weir_error *err)
{
    int why = 0;
    socklen_t bytes = sizeof why;
    if (getsockopt(c->fd, SOL_SOCKET, SO_ERROR, &why, &bytes) < 0)
        why = errno;
    return why ? weir_fail(err, WEIR_UNAVAILABLE, WEIR_RETRY, "%s: %s", c->peer, strerror(why)) : 0;
}

static long io_failed(struct connection *c, struct weir_error *err)
{
    if (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR)
        return 0;
    return weir_fail(err, WEIR_UNAVAILABLE, WEIR_RETRY, "%s: %s", c->peer, strerror(errno));
}

long cql_io_read(struct connection *c, void *into, size_t bytes, struct weir_error *err)
{
    if (c->tls) {
        ERR_clear_error();
        int n = SSL_read(c->tls, into, (int)bytes);
        return n > 0 ? n : cql_tls_failed(c, n, err);
    }
    ssize_t n = recv(c->fd, into, bytes, 0);
    if (n == 0)
        return weir_fail(err, WEIR_UNAVAILABLE, WEIR_RETRY, "%s: the node closed the connection", c->peer);
    return n < 0 ? io_failed(c, err) : n;
}

long cql_io_write(struct connection *c, const void *from, size_t bytes, struct weir_error *err)
{
    if (c->tls) {
        ERR_clear_error();
        int n = SSL_write(c->tls, from, (int)(bytes < 1 << 20 ? bytes : 1 << 20));
        return n > 0 ? n : cql_tls_failed(c, n, err);
    }
    ssize_t n = send(c->fd, from, bytes, MSG_NOSIGNAL);
    return n < 0 ? io_failed(c, err) : n;
}
