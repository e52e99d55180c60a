// SPDX-License-Identifier: Apache-2.0
// GET /api/v1/dead: how many letters there are by reason, and some of them.
#include "format/json_text.h"
#include "http/inside.h"

enum { LETTERS_MAX = 1000, SHOWN_BYTES_MAX = 4096 };

struct letters {
    struct weir_buffer *out;
    const char *pipeline;
    uint32_t left; // of this reason
    uint32_t given;
};

// Text as it is, other bytes in hexadecimal; long ones cut.
static void add_bytes(struct weir_buffer *b, struct weir_str bytes)
{
    if (bytes.bytes > SHOWN_BYTES_MAX) {
        bytes.bytes = SHOWN_BYTES_MAX;
        while (bytes.bytes > SHOWN_BYTES_MAX - 4 && ((uint8_t)bytes.data[bytes.bytes] & 0xc0) == 0x80)
            bytes.bytes--; // not inside a character
    }
    if (json_text_quote(bytes, false, b) == 0)
        return;
    weir_buffer_format(b, "\"0x");
    for (uint32_t i = 0; i < bytes.bytes; i++)
        weir_buffer_format(b, "%02x", (uint8_t)bytes.data[i]);
    weir_buffer_byte(b, '"');
}

static void add_text(struct weir_buffer *b, const char *name, const char *text)
{
    weir_buffer_format(b, ",\"%s\":", name);
    if (text)
        http_quote(b, weir_str_of(text));
    else
        weir_buffer_format(b, "null");
}

static int add_letter(void *context, const struct weir_dead_letter *letter)
{
    struct letters *l = context;
    struct weir_buffer *b = l->out;
    weir_buffer_format(b, "%s{\"reason\":\"%s\"", l->given++ ? "," : "", weir_reason_name(letter->reason));
    add_text(b, "pipeline", l->pipeline);
    add_text(b, "topic", letter->topic);
    weir_buffer_format(b, ",\"partition\":%d,\"offset\":%lld", letter->partition, (long long)letter->offset);
    add_text(b, "query", letter->query);
    add_text(b, "text", letter->text);
    weir_buffer_format(b, ",\"schema_id\":%d,\"timestamp_ms\":%lld,\"key\":", letter->schema_id, (long long)letter->timestamp_ms);
    if (letter->null_key)
        weir_buffer_format(b, "null");
    else
        add_bytes(b, letter->key);
    weir_buffer_format(b, ",\"value\":");
    add_bytes(b, letter->value);
    weir_buffer_format(b, ",\"value_bytes\":%u}", letter->value.bytes);
    return --l->left == 0 || b->bytes > HTTP_ANSWER_BYTES_MAX;
}

static void add_counts(struct http_request *r, struct weir_buffer *b, uint32_t only, int reason)
{
    uint64_t counts[WEIR_REASONS] = {0};
    uint32_t pipelines = weir_engine_pipelines(r->http->engine);
    for (uint32_t p = 0; p < pipelines; p++) {
        struct weir_pipeline_status status;
        if (only < pipelines && only != p)
            continue;
        weir_engine_status(r->http->engine, p, &r->arena, &status);
        for (int i = 0; i < WEIR_REASONS; i++)
            counts[i] += status.dead[i];
    }
    bool first = true;
    weir_buffer_format(b, "{\"counts\":{");
    for (int i = 0; i < WEIR_REASONS; i++) {
        if (reason >= 0 && reason != i)
            continue;
        weir_buffer_format(b, "%s\"%s\":%llu", first ? "" : ",", weir_reason_name((enum weir_reason)i), (unsigned long long)counts[i]);
        first = false;
    }
    weir_buffer_format(b, "},\"letters\":[");
}

static int add_reason(struct http_request *r, struct letters *l, uint32_t pipeline, int reason, uint32_t share)
{
    struct weir_error err;
    l->left = share;
    l->pipeline = weir_engine_plan(r->http->engine, pipeline)->pipeline;
    if (share == 0 || l->out->bytes > HTTP_ANSWER_BYTES_MAX || weir_engine_dead_scan(r->http->engine, pipeline, reason, add_letter, l, &err) == 0)
        return 0;
    http_problem_of(r, &err);
    return -1;
}

static int parse_reason(struct http_request *r, int *ret)
{
    const struct weir_str *name = http_param(r, "reason");
    enum weir_reason reason;
    *ret = -1;
    if (!name)
        return 0;
    if (weir_reason_parse(*name, &reason) < 0) {
        http_problem(r, 400, "'reason' is late, malformed, future or unknown_schema, not '%.40s'", name->data);
        return -1;
    }
    *ret = (int)reason;
    return 0;
}

// Without a reason each of them gets its share, so that one does not hide the others.
void http_dead(struct http_request *r)
{
    static const char *const params[] = {"pipeline", "reason", "limit"};
    uint32_t only, limit, pipelines = weir_engine_pipelines(r->http->engine);
    int reason;
    if (http_check_params(r, params, 3) < 0 || parse_reason(r, &reason) < 0 || http_find_pipeline(r, &only) < 0 ||
        http_limit(r, HTTP_ROWS_DEFAULT, LETTERS_MAX, &limit) < 0)
        return;
    struct letters l = {.out = http_json(r)};
    add_counts(r, l.out, only, reason);
    uint32_t groups = (reason < 0 ? WEIR_REASONS : 1) * (only < pipelines ? 1 : pipelines), share = (limit + groups - 1) / groups;
    for (uint32_t p = 0; p < pipelines; p++)
        for (int i = 0; i < WEIR_REASONS && (only == pipelines || only == p); i++)
            if ((reason < 0 || reason == i) && add_reason(r, &l, p, i, share < limit - l.given ? share : limit - l.given) < 0)
                return;
    weir_buffer_format(l.out, "]}");
}
