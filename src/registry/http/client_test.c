// SPDX-License-Identifier: Apache-2.0
// The client against a small server of the test's own: what is asked, how often, and what happens while nobody answers.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/memory.h"
#include "base/time.h"
#include "registry/registry.h"
#include <arpa/inet.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/socket.h>
#include <unistd.h>

#define RECORD "{\\\"type\\\":\\\"record\\\",\\\"name\\\":\\\"t.R\\\",\\\"fields\\\":[{\\\"name\\\":\\\"p\\\",\\\"type\\\":\\\"P\\\"}]}"

// What the server says of each path; the first that the request's target starts with.
static const struct answer {
    const char *path;
    int status;
    const char *body;
} answers[] = {
    {"/base/schemas/ids/999", 404, "{\"error_code\":40403,\"message\":\"Schema 999 not found\"}"},
    {"/base/schemas/ids/8 ", 404, "<html>nothing here</html>"},
    {"/base/schemas/ids/9 ", 200, "{\"schema\":\"syntax = 1\",\"schemaType\":\"PROTOBUF\"}"},
    {"/base/schemas/ids/7 ", 200, "{\"schema\":\"" RECORD "\",\"references\":[{\"name\":\"t.P\",\"subject\":\"p\",\"version\":3}]}"},
    {"/base/subjects/p/versions/3 ", 200,
     "{\"subject\":\"p\",\"version\":3,\"id\":3,\"schema\":\"{\\\"type\\\":\\\"enum\\\",\\\"name\\\":\\\"P\\\",\\\"namespace\\\":\\\"t\\\","
     "\\\"symbols\\\":[\\\"A\\\"]}\"}"},
    {"/base/schemas/ids/", 200, "{\"schema\":\"\\\"long\\\"\"}"},
    {"/base/subjects/a%2Fb-value/versions ", 200, "{\"id\":12}"},
    {"/base/subjects/refused/versions ", 409, "{\"error_code\":409,\"message\":\"incompatible: field b\"}"},
    {"/base/subjects ", 200, "[\"p\"]"},
    {"/base/subjects/p/versions ", 200, "[3]"},
    {"/base/config/p?defaultToGlobal=true ", 200, "{\"compatibilityLevel\":\"FULL\"}"},
    {"/base/", 200, "[]"},
};

static const struct answer nothing = {"", 404, ""};

struct server {
    int fd;
    int port;
    pthread_t thread;
    atomic_int requests;   // for schemas by id
    atomic_int authorized; // with the credentials of the tests
};

static const struct answer *answer_to(const char *request)
{
    const char *target = strchr(request, ' ') + 1;
    for (size_t i = 0; i < sizeof answers / sizeof *answers; i++)
        if (strncmp(target, answers[i].path, strlen(answers[i].path)) == 0)
            return &answers[i];
    return &nothing;
}

static void serve_one(struct server *s, int fd)
{
    char request[4096], head[200];
    size_t bytes = 0;
    for (ssize_t got; bytes < sizeof request - 1 && (got = read(fd, request + bytes, sizeof request - 1 - bytes)) > 0;) {
        bytes += (size_t)got;
        request[bytes] = 0;
        if (strstr(request, "\r\n\r\n"))
            break;
    }
    if (bytes) {
        const struct answer *a = answer_to(request);
        atomic_fetch_add(&s->requests, strstr(a->path, "/ids/") != NULL);
        atomic_fetch_add(&s->authorized, strstr(request, "Authorization: Basic dTpwdw==") || strstr(request, "Authorization: Bearer tok"));
        int n = snprintf(head, sizeof head, "HTTP/1.1 %d X\r\nContent-Length: %zu\r\nConnection: close\r\n\r\n", a->status, strlen(a->body));
        if (write(fd, head, (size_t)n) < 0 || write(fd, a->body, strlen(a->body)) < 0)
            perror("write");
    }
    shutdown(fd, SHUT_WR);
    while (read(fd, request, sizeof request) > 0)
        ;
    close(fd);
}

static void *serve(void *context)
{
    struct server *s = context;
    for (int fd; (fd = accept(s->fd, NULL, NULL)) >= 0;)
        serve_one(s, fd);
    return NULL;
}

static void start(struct server *s, int port)
{
    int on = 1;
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t bytes = sizeof at;
    s->fd = socket(AF_INET, SOCK_STREAM, 0);
    setsockopt(s->fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    assert_int_equal(bind(s->fd, (struct sockaddr *)&at, sizeof at), 0);
    assert_int_equal(listen(s->fd, 64), 0);
    assert_int_equal(getsockname(s->fd, (struct sockaddr *)&at, &bytes), 0);
    s->port = ntohs(at.sin_port);
    atomic_init(&s->requests, 0);
    atomic_init(&s->authorized, 0);
    pthread_create(&s->thread, NULL, serve, s);
}

static void end(struct server *s)
{
    shutdown(s->fd, SHUT_RDWR);
    pthread_join(s->thread, NULL);
    close(s->fd);
}

static struct weir_registry *opened(const struct server *s, const char *user, uint32_t count, const struct weir_option *options)
{
    struct weir_registry *r = NULL;
    struct weir_error err;
    weir_cleanup(weir_freep) char *url = weir_format("http://%s127.0.0.1:%d/base/", user, s->port);
    if (weir_registry_http(url, count, options, &r, &err) < 0)
        fail_msg("%s", err.text);
    return r;
}

struct asking {
    struct weir_registry *r;
    int failed;
};

static void *ask(void *context)
{
    struct asking *a = context;
    struct weir_arena arena = {0};
    struct weir_error err;
    const char *text;
    for (int32_t id = 41; id < 45; id++)
        a->failed += weir_registry_schema(a->r, id, &arena, &text, &err) < 0 || strcmp(text, "\"long\"") != 0;
    weir_arena_drop(&arena);
    return NULL;
}

static void an_id_is_asked_for_once(void **state)
{
    (void)state;
    struct server s;
    start(&s, 0);
    struct weir_registry *r = opened(&s, "u:pw@", 0, NULL);
    pthread_t threads[8];
    struct asking asking[8];
    for (int i = 0; i < 8; i++) {
        asking[i] = (struct asking){r, 0};
        pthread_create(&threads[i], NULL, ask, &asking[i]);
    }
    for (int i = 0; i < 8; i++) {
        pthread_join(threads[i], NULL);
        assert_int_equal(asking[i].failed, 0);
    }
    assert_int_equal(atomic_load(&s.requests), 4);
    assert_true(atomic_load(&s.authorized) >= 4);
    weir_registry_close(r);
    end(&s);
}

static void what_is_unknown_is_not_asked_again_at_once(void **state)
{
    (void)state;
    struct server s;
    struct weir_arena arena = {0};
    struct weir_error err;
    const char *text;
    start(&s, 0);
    struct weir_registry *r = opened(&s, "", 1, &(struct weir_option){"bearer.auth.token", "tok"});
    for (int i = 0; i < 5; i++) {
        assert_true(weir_registry_schema(r, 999, &arena, &text, &err) < 0);
        assert_int_equal(err.code, WEIR_BAD_DATA);
        assert_int_equal(err.fate, WEIR_DEAD_LETTER);
    }
    assert_int_equal(atomic_load(&s.requests), 1);
    assert_true(weir_registry_schema(r, 8, &arena, &text, &err) < 0); // not as a registry answers
    assert_int_equal(err.code, WEIR_UNAVAILABLE);
    assert_int_equal(err.fate, WEIR_RETRY);
    assert_true(weir_registry_schema(r, 9, &arena, &text, &err) < 0);
    assert_non_null(strstr(err.text, "PROTOBUF"));
    assert_int_equal(weir_registry_schema(r, 7, &arena, &text, &err), 0);
    assert_non_null(strstr(text, "\"symbols\":[\"A\"]")); // the other schema's type is written out
    assert_true(atomic_load(&s.authorized) > 0);
    weir_arena_drop(&arena);
    weir_registry_close(r);
    end(&s);
}

static void while_it_is_away_known_ids_go_on(void **state)
{
    (void)state;
    struct server s;
    struct weir_arena arena = {0};
    struct weir_error err;
    struct weir_buffer reasons = {0};
    const char *text;
    start(&s, 0);
    struct weir_registry *r = opened(&s, "", 0, NULL);
    struct weir_registry *hasty = opened(&s, "", 1, &(struct weir_option){"on_unavailable", "dead_letter"});
    assert_int_equal(weir_registry_schema(r, 41, &arena, &text, &err), 0);
    assert_true(weir_registry_healthy(r, &reasons));
    end(&s);
    assert_int_equal(weir_registry_schema(r, 41, &arena, &text, &err), 0);
    assert_true(weir_registry_schema(r, 42, &arena, &text, &err) < 0);
    assert_int_equal(err.code, WEIR_UNAVAILABLE);
    assert_int_equal(err.fate, WEIR_RETRY);
    assert_true(weir_registry_schema(hasty, 42, &arena, &text, &err) < 0);
    assert_int_equal(err.fate, WEIR_DEAD_LETTER);
    assert_false(weir_registry_healthy(r, &reasons));
    weir_buffer_byte(&reasons, 0);
    assert_non_null(strstr((const char *)reasons.data, "does not answer"));
    start(&s, s.port);
    int64_t until_us = weir_monotonic_us() + 20000000;
    while (weir_registry_schema(r, 42, &arena, &text, &err) < 0)
        assert_true(weir_monotonic_us() < until_us);
    assert_true(weir_registry_healthy(r, &reasons));
    weir_buffer_drop(&reasons);
    weir_arena_drop(&arena);
    weir_registry_close(r);
    weir_registry_close(hasty);
    end(&s);
}

static int count_version(void *context, const struct weir_subject_version *v)
{
    assert_string_equal(v->subject, "p");
    assert_int_equal(v->version, 3);
    ++*(int *)context;
    return 0;
}

static void subjects_are_registered_and_listed(void **state)
{
    (void)state;
    struct server s;
    struct weir_error err;
    int32_t id = 0;
    int count = 0;
    enum weir_level level;
    start(&s, 0);
    struct weir_registry *r = opened(&s, "", 0, NULL);
    assert_int_equal(weir_registry_register(r, "a/b-value", "\"long\"", &id, &err), 0);
    assert_int_equal(id, 12);
    assert_true(weir_registry_register(r, "refused", "\"long\"", &id, &err) < 0);
    assert_int_equal(err.code, WEIR_BAD_DATA);
    assert_non_null(strstr(err.text, "incompatible: field b"));
    assert_int_equal(weir_registry_list(r, count_version, &count, &err), 0);
    assert_int_equal(count, 1);
    assert_int_equal(weir_registry_level(r, "p", &level, &err), 0);
    assert_int_equal(level, WEIR_LEVEL_FULL);
    weir_registry_close(r);
    end(&s);
}

static void wrong_options_are_refused(void **state)
{
    (void)state;
    static const struct weir_option wrong[] = {{"bearer.auth.tokn", "x"}, {"on_unavailable", "panic"}, {"basic.auth.user.info", "no colon"}};
    struct weir_registry *r;
    struct weir_error err;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        assert_true(weir_registry_http("http://127.0.0.1:1", 1, &wrong[i], &r, &err) < 0);
        assert_int_equal(err.code, WEIR_BAD_CONFIG);
        assert_non_null(strstr(err.text, i == 0 ? "did you mean 'bearer.auth.token'" : wrong[i].name));
    }
    assert_true(weir_registry_http("http://u:secret@", 0, NULL, &r, &err) < 0);
    assert_null(strstr(err.text, "secret"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_id_is_asked_for_once),          cmocka_unit_test(what_is_unknown_is_not_asked_again_at_once),
        cmocka_unit_test(while_it_is_away_known_ids_go_on), cmocka_unit_test(subjects_are_registered_and_listed),
        cmocka_unit_test(wrong_options_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
