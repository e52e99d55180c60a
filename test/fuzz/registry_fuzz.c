// SPDX-License-Identifier: Apache-2.0
// The embedded registry's REST surface: a request as text, its line (`POST /subjects/s/versions`) and then its body, answered as the server would. What
// is registered stays for the requests that follow; now and then it starts from nothing.
#include "base/error.h"
#include "base/memory.h"
#include "http/inside.h"
#include "registry/contracts.h"
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { REQUESTS_EACH = 2000, LINE_BYTES_MAX = 4000 };

static char folder[64];
static struct weir_embedded *db;
static struct weir_registry *registry;
static uint32_t requests;

static int remove_one(const char *path, const struct stat *status, int kind, struct FTW *ftw)
{
    (void)status, (void)kind, (void)ftw;
    return remove(path);
}

static void close_all(void)
{
    weir_registry_close(registry);
    weir_embedded_close(db);
    weir_assert(nftw(folder, remove_one, 8, FTW_DEPTH | FTW_PHYS) == 0);
    registry = NULL;
    db = NULL;
}

// In memory where there is a file system for it: nothing here is to survive.
static void open_all(void)
{
    struct weir_error err;
    snprintf(folder, sizeof folder, "%s/weir-registry-fuzz-XXXXXX", access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
    weir_assert(mkdtemp(folder));
    if (weir_embedded_open(folder, WEIR_OWNER, &db, &err) < 0 || weir_registry_embedded(db, &registry, &err) < 0) {
        fprintf(stderr, "%s\n", err.text);
        abort();
    }
}

static void start_over(void)
{
    bool first = !registry;
    if (!first)
        close_all();
    open_all();
    if (first)
        atexit(close_all); // behind what the store has set up for its own end
}

// Every answer is JSON; a refusal has a code of its own, which begins with the status, and says why.
static void check_reply(const struct http_request *r)
{
    struct weir_str text = r->reply.fixed.data ? r->reply.fixed : weir_buffer_view(&r->reply.body);
    json_t *json = json_loadb(text.data, text.bytes, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
    weir_assert(r->reply.status >= 200 && r->reply.status < 500);
    if (r->reply.status >= 400) {
        json_int_t code = json_integer_value(json_object_get(json, "error_code"));
        weir_assert(code == r->reply.status || code / 100 == r->reply.status);
        weir_assert(json_string_length(json_object_get(json, "message")) > 0);
    }
    json_decref(json);
}

static void answer(struct weir_http *http, const char *method, const char *target, struct weir_str body)
{
    struct http_request *r = weir_zalloc(1, sizeof *r);
    r->http = http;
    r->method = method;
    r->uri = weir_strdup(target);
    weir_buffer_add(&r->body, body.data, body.bytes);
    if (http_request_parse(r) == 0)
        r->route->answer(r);
    check_reply(r);
    weir_buffer_drop(&r->body);
    weir_buffer_drop(&r->reply.body);
    weir_arena_drop(&r->arena);
    free(r->uri);
    free(r);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const methods[] = {"GET", "POST", "PUT", "DELETE"};
    const uint8_t *end = memchr(data, '\n', size);
    size_t line_bytes = end ? (size_t)(end - data) : size;
    char line[LINE_BYTES_MAX + 1];
    if (requests++ % REQUESTS_EACH == 0)
        start_over();
    if (line_bytes > LINE_BYTES_MAX)
        return 0;
    memcpy(line, data, line_bytes);
    line[line_bytes] = 0;
    char *target = strchr(line, ' ');
    if (!target)
        return 0;
    *target++ = 0;
    struct weir_http http = {.site = &http_registry, .contracts = weir_contracts_of(registry)};
    struct weir_str body = end ? (struct weir_str){(const char *)end + 1, (uint32_t)(size - line_bytes - 1)} : (struct weir_str){"", 0};
    for (size_t i = 0; i < sizeof methods / sizeof *methods; i++)
        if (strcmp(line, methods[i]) == 0)
            answer(&http, methods[i], target, body);
    return 0;
}
