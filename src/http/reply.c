// SPDX-License-Identifier: Apache-2.0
// Answers: JSON, problems (RFC 9457), and their way out.
#include "base/memory.h"
#include "http/inside.h"
#include <stdio.h>
#include <stdlib.h>

static const struct status {
    int code;
    const char *title;
} statuses[] = {
    {400, "Bad request"},
    {401, "Authentication needed"},
    {403, "Not allowed"},
    {404, "Not found"},
    {405, "Method not allowed"},
    {413, "Body too large"},
    {415, "Wrong content type"},
    {421, "Wrong host"},
    {422, "Not acceptable as it is"},
    {500, "Internal error"},
    {503, "Not available now"},
};

static const char *title_of(int code)
{
    for (size_t i = 0; i < sizeof statuses / sizeof *statuses; i++)
        if (statuses[i].code == code)
            return statuses[i].title;
    return "Error";
}

void http_problem(struct http_request *r, int status, const char *format, ...)
{
    char detail[700];
    va_list args;
    va_start(args, format);
    vsnprintf(detail, sizeof detail, format, args);
    va_end(args);
    if (r->http->site->refuse) {
        r->http->site->refuse(r, status, detail);
        return;
    }
    struct weir_buffer *b = &r->reply.body;
    b->bytes = 0;
    weir_buffer_format(b, "{\"type\":\"about:blank\",\"title\":\"%s\",\"status\":%d,\"detail\":", title_of(status), status);
    http_quote(b, weir_str_of(detail));
    weir_buffer_byte(b, '}');
    r->reply.status = status;
    r->reply.type = "application/problem+json";
    r->reply.fixed = (struct weir_str){0};
}

void http_problem_of(struct http_request *r, const struct weir_error *err)
{
    static const struct {
        enum weir_code code;
        int status;
    } codes[] = {{WEIR_USAGE, 400}, {WEIR_BAD_DATA, 422}, {WEIR_NO_INPUT, 404}, {WEIR_UNAVAILABLE, 503}};
    int status = 500;
    for (size_t i = 0; i < sizeof codes / sizeof *codes; i++)
        if (codes[i].code == err->code)
            status = codes[i].status;
    http_problem(r, status, "%s", err->text);
    if (status == 500)
        http_say(r->http, "http: %s %s: %s", r->method, r->uri, err->text);
}

struct weir_buffer *http_json(struct http_request *r)
{
    r->reply.status = 200;
    r->reply.type = "application/json";
    r->reply.body.bytes = 0;
    return &r->reply.body;
}

void http_header(struct http_request *r, const char *name, const char *value)
{
    weir_assert(r->reply.header_count < HTTP_HEADERS_MAX);
    r->reply.headers[r->reply.header_count++] = (struct http_header){name, value};
}

// ---- sending

static bool has_header(const struct http_reply *reply, const char *name)
{
    for (uint32_t i = 0; i < reply->header_count; i++)
        if (strcmp(reply->headers[i].name, name) == 0)
            return true;
    return false;
}

static struct MHD_Response *make_response(struct http_reply *reply)
{
    struct MHD_Response *response;
    if (reply->fixed.data) {
        response = MHD_create_response_from_buffer(reply->fixed.bytes, (void *)(uintptr_t)reply->fixed.data, MHD_RESPMEM_PERSISTENT);
    } else {
        response = MHD_create_response_from_buffer(reply->body.bytes, reply->body.data, MHD_RESPMEM_MUST_FREE);
        if (response)
            reply->body = (struct weir_buffer){0}; // the response's now
    }
    if (response && reply->type)
        MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, reply->type);
    return response;
}

enum MHD_Result http_send(struct http_request *r)
{
    struct http_reply *reply = &r->reply;
    struct MHD_Response *response = reply->response ? reply->response : make_response(reply);
    if (!response)
        return MHD_NO;
    MHD_add_response_header(response, "X-Content-Type-Options", "nosniff");
    if (!has_header(reply, MHD_HTTP_HEADER_CACHE_CONTROL))
        MHD_add_response_header(response, MHD_HTTP_HEADER_CACHE_CONTROL, "no-store");
    for (uint32_t i = 0; i < reply->header_count; i++)
        MHD_add_response_header(response, reply->headers[i].name, reply->headers[i].value);
    enum MHD_Result queued = MHD_queue_response(r->connection, (unsigned)reply->status, response);
    MHD_destroy_response(response);
    reply->response = NULL;
    return queued;
}
