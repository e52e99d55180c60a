// SPDX-License-Identifier: Apache-2.0
// The address that is listened on.
#include "base/memory.h"
#include "base/number.h"
#include "http/inside.h"
#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <stdlib.h>
#include <unistd.h>

#define DEFAULT_HOST "127.0.0.1"
enum { PORTS_TRIED = 100, BACKLOG = 512 };

struct address {
    struct sockaddr_storage at;
    socklen_t bytes;
};

static int split(const char *listen, char **ret_host, uint16_t *ret_port, struct weir_error *err)
{
    const char *colon = strrchr(listen, ':');
    int64_t port;
    if (!colon || colon == listen || weir_parse_i64(weir_str_of(colon + 1), &port) < 0 || port < 0 || port > 65535)
        return weir_fail(err, WEIR_BAD_CONFIG, WEIR_STOP, "'%.80s' is no address to listen on: write 127.0.0.1:8080 or [::1]:8080", listen);
    bool v6 = listen[0] == '[' && colon[-1] == ']';
    *ret_host = weir_format("%.*s", (int)(colon - listen) - 2 * v6, listen + v6);
    *ret_port = (uint16_t)port;
    return 0;
}

static int resolve(const char *host, struct address *ret, struct weir_error *err)
{
    struct addrinfo hints = {.ai_flags = AI_PASSIVE, .ai_socktype = SOCK_STREAM}, *found;
    int failed = getaddrinfo(host, "0", &hints, &found);
    if (failed)
        return weir_fail(err, WEIR_BAD_CONFIG, WEIR_STOP, "cannot listen on '%.80s': %s", host, gai_strerror(failed));
    memcpy(&ret->at, found->ai_addr, found->ai_addrlen);
    ret->bytes = found->ai_addrlen;
    freeaddrinfo(found);
    return 0;
}

static in_port_t *port_of(struct address *a)
{
    return a->at.ss_family == AF_INET6 ? &((struct sockaddr_in6 *)&a->at)->sin6_port : &((struct sockaddr_in *)&a->at)->sin_port;
}

static bool is_loopback(const struct address *a)
{
    if (a->at.ss_family == AF_INET6) {
        const struct in6_addr *ip = &((const struct sockaddr_in6 *)&a->at)->sin6_addr;
        return IN6_IS_ADDR_LOOPBACK(ip) || (IN6_IS_ADDR_V4MAPPED(ip) && ip->s6_addr[12] == 127);
    }
    return ntohl(((const struct sockaddr_in *)&a->at)->sin_addr.s_addr) >> 24 == 127;
}

static bool is_any(const struct address *a)
{
    if (a->at.ss_family == AF_INET6)
        return IN6_IS_ADDR_UNSPECIFIED(&((const struct sockaddr_in6 *)&a->at)->sin6_addr);
    return ((const struct sockaddr_in *)&a->at)->sin_addr.s_addr == htonl(INADDR_ANY);
}

// A socket that listens; -1 with errno.
static int open_socket(const struct address *a)
{
    int fd = socket(a->at.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), on = 1;
    if (fd < 0)
        return -1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bind(fd, (const struct sockaddr *)&a->at, a->bytes) == 0 && listen(fd, BACKLOG) == 0)
        return fd;
    int failed = errno;
    close(fd);
    errno = failed;
    return -1;
}

static int open_port(struct address *a, uint16_t port, uint32_t tries)
{
    int fd = -1;
    for (uint32_t i = 0; i < tries && fd < 0; i++) {
        *port_of(a) = htons((uint16_t)(port + i));
        fd = open_socket(a);
        if (fd < 0 && errno != EADDRINUSE)
            break;
    }
    return fd;
}

// Where this machine reaches the server: any address is its own.
static char *url_of(int fd)
{
    struct address a = {.bytes = sizeof a.at};
    char host[INET6_ADDRSTRLEN + 1];
    weir_assert(getsockname(fd, (struct sockaddr *)&a.at, &a.bytes) == 0);
    int port = ntohs(*port_of(&a));
    if (is_any(&a))
        return weir_format("http://127.0.0.1:%d", port);
    bool v6 = a.at.ss_family == AF_INET6;
    const void *ip = v6 ? (const void *)&((struct sockaddr_in6 *)&a.at)->sin6_addr : &((struct sockaddr_in *)&a.at)->sin_addr;
    weir_assert(inet_ntop(a.at.ss_family, ip, host, sizeof host));
    return weir_format(v6 ? "http://[%s]:%d" : "http://%s:%d", host, port);
}

int http_listen(const char *listen, uint16_t port, int *ret_fd, char **ret_url, bool *ret_loopback, struct weir_error *err)
{
    weir_cleanup(weir_freep) char *host = NULL;
    struct address a = {0};
    if (listen ? split(listen, &host, &port, err) < 0 : !(host = weir_strdup(DEFAULT_HOST)))
        return -1;
    if (resolve(host, &a, err) < 0)
        return -1;
    int fd = open_port(&a, port, listen ? 1 : PORTS_TRIED);
    if (fd < 0)
        return weir_fail(err, WEIR_UNAVAILABLE, WEIR_STOP, "cannot listen on %s:%d: %s", host, port,
                         errno == EADDRINUSE ? "another program does; port 0 picks a free one" : strerror(errno));
    *ret_fd = fd;
    *ret_url = url_of(fd);
    *ret_loopback = is_loopback(&a);
    return 0;
}
