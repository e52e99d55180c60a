// SPDX-License-Identifier: Apache-2.0
// Alive, ready, status, and events that are posted.
#include "base/memory.h"
#include "http/inside.h"
#include <stdlib.h>

void http_live(struct http_request *r)
{
    weir_buffer_format(http_json(r), "{\"status\":\"alive\"}");
}

static void add_reasons(struct weir_buffer *b, struct weir_str lines)
{
    bool first = true;
    while (lines.bytes) {
        const char *end = memchr(lines.data, '\n', lines.bytes);
        uint32_t bytes = end ? (uint32_t)(end - lines.data) : lines.bytes;
        weir_buffer_format(b, first ? "" : ",");
        http_quote(b, (struct weir_str){lines.data, bytes});
        bytes += end != NULL;
        lines = (struct weir_str){lines.data + bytes, lines.bytes - bytes};
        first = false;
    }
}

void http_ready(struct http_request *r)
{
    weir_cleanup(weir_buffer_drop) struct weir_buffer reasons = {0};
    if (weir_engine_ready(r->http->engine, &reasons)) {
        weir_buffer_format(http_json(r), "{\"status\":\"ready\"}");
        return;
    }
    http_problem(r, 503, "not ready");
    struct weir_buffer *b = &r->reply.body;
    b->bytes--; // the closing brace
    weir_buffer_format(b, ",\"reasons\":[");
    add_reasons(b, weir_buffer_view(&reasons));
    weir_buffer_format(b, "]}");
    http_header(r, MHD_HTTP_HEADER_RETRY_AFTER, "1");
}

void http_status(struct http_request *r)
{
    weir_cleanup(weir_freep) char *json = weir_engine_status_json(r->http->engine);
    if (http_check_params(r, NULL, 0) == 0)
        weir_buffer_add(http_json(r), json, strlen(json));
}

void http_post(struct http_request *r)
{
    struct weir_error err;
    uint64_t count;
    if (http_check_params(r, NULL, 0) < 0)
        return;
    if (weir_engine_post(r->http->engine, r->args[0].data, weir_buffer_view(&r->body), &count, &err) < 0) {
        http_problem_of(r, &err);
        return;
    }
    weir_buffer_format(http_json(r), "{\"accepted\":%llu}", (unsigned long long)count);
    r->reply.status = 202;
}
