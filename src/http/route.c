// SPDX-License-Identifier: Apache-2.0
// What is where, and who may ask for it.
#include "http/inside.h"

#define READERS "/api/v1/metrics/{by}/{key}/year/{year}/month/"

static void answer_file(struct http_request *r);

static const struct http_route routes[] = {
    {"livez", "/livez", "GET", HTTP_ANYONE, http_live},
    {"readyz", "/readyz", "GET", HTTP_ANYONE, http_ready},
    {"metrics", "/metrics", "GET", HTTP_READER, http_metrics},
    {"status", "/api/v1/status", "GET", HTTP_READER, http_status},
    {"contracts", "/api/v1/contracts", "GET", HTTP_READER, http_contracts},
    {"tables", "/api/v1/tables", "GET", HTTP_READER, http_tables},
    {"rows", "/api/v1/tables/{table}/rows", "GET", HTTP_READER, http_rows},
    {"keys", "/api/v1/tables/{table}/keys", "GET", HTTP_READER, http_keys},
    {"stream", "/api/v1/stream", "GET", HTTP_READER, http_stream},
    {"dead", "/api/v1/dead", "GET", HTTP_READER, http_dead},
    {"records", "/api/v1/topics/{topic}/records", "POST", HTTP_OPERATOR, http_post},
    {"hours", READERS "{month}/day/{day}/hour/{from}/{to}", "GET", HTTP_READER, http_hours},
    {"days", READERS "{month}/day/{from}/{to}", "GET", HTTP_READER, http_days},
    {"months", READERS "{from}/{to}", "GET", HTTP_READER, http_months},
    {"page", "/{file}", "GET", HTTP_ANYONE, answer_file},
    {"none", NULL, NULL, HTTP_ANYONE, NULL},
};

enum { ROUTES = sizeof routes / sizeof *routes - 1 };

static const char *const body_types[] = {"application/json", NULL};
const struct http_site http_api = {
    .routes = routes, .route_count = ROUTES, .port = 8080, .body_types = body_types, .body_bytes_max = HTTP_BODY_BYTES_MAX};

static void answer_file(struct http_request *r)
{
    if (!http_page(r, weir_arena_format(&r->arena, "/%s", r->args[0].data)))
        http_problem(r, 404, "there is nothing at '/%.100s'; /docs lists what there is", r->args[0].data);
}

// Whether the segments are of the pattern; fills r->args.
static bool matches(struct http_request *r, const char *pattern, const struct weir_str *segments, uint32_t count)
{
    uint32_t args = 0, i = 0;
    for (const char *at = pattern; *at; i++) {
        const char *end = strchrnul(++at, '/');
        if (i == count)
            return false;
        if (*at == '{')
            r->args[args++] = segments[i];
        else if (!weir_str_eq(segments[i], (struct weir_str){at, (uint32_t)(end - at)}))
            return false;
        at = end;
    }
    return i == count;
}

static bool allows(const struct http_route *route, const char *method)
{
    return strcmp(route->method, method) == 0 || (strcmp(route->method, "GET") == 0 && strcmp(method, "HEAD") == 0);
}

const struct http_route *http_route_find(struct http_request *r, const struct weir_str *segments, uint32_t count)
{
    const struct http_site *site = r->http->site;
    weir_cleanup(weir_buffer_drop) struct weir_buffer allow = {0};
    for (uint32_t i = 0; i < site->route_count; i++) {
        const struct http_route *route = &site->routes[i];
        if (!matches(r, route->pattern, segments, count))
            continue;
        if (allows(route, r->method))
            return route;
        const char *methods = strcmp(route->method, "GET") == 0 ? "GET, HEAD" : route->method;
        if (!allow.bytes || !memmem(allow.data, allow.bytes, methods, strlen(methods))) // several patterns may match one path
            weir_buffer_format(&allow, "%s%s", allow.bytes ? ", " : "", methods);
    }
    if (allow.bytes == 0) {
        http_problem(r, 404, "there is nothing at this path%s", site == &http_api ? "; /docs lists what there is" : "");
        return NULL;
    }
    const char *list = weir_arena_copy(&r->arena, weir_buffer_view(&allow)).data;
    http_problem(r, 405, "%.20s is not for this path: %s", r->method, list);
    http_header(r, MHD_HTTP_HEADER_ALLOW, list);
    return NULL;
}

bool http_route_waits(const struct http_route *route)
{
    static void (*const waiting[])(struct http_request * r) = {http_contracts, http_rows,  http_keys, http_dead,
                                                               http_post,      http_hours, http_days, http_months};
    for (size_t i = 0; i < sizeof waiting / sizeof *waiting; i++)
        if (route->answer == waiting[i])
            return true;
    return false;
}

uint32_t http_route_count(void)
{
    return ROUTES + 1;
}

const char *http_route_name(uint32_t number)
{
    return routes[number].name;
}

uint32_t http_route_number(const struct http_route *route)
{
    return route ? (uint32_t)(route - routes) : ROUTES;
}
