// SPDX-License-Identifier: Apache-2.0
// From the request line to a route and its arguments. The target is taken as it was sent, so that an escaped slash stays inside its segment.
#include "base/number.h"
#include "base/suggest.h"
#include "format/json_text.h"
#include "http/inside.h"

enum { SEGMENTS_MAX = 20 };

static int hex_of(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    char lower = (char)(c | 0x20);
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

// The byte that *at stands for, and moves on; -1 if it is none.
static int take_byte(const char **at, const char *end, bool plus)
{
    char c = *(*at)++;
    if (c == '+' && plus)
        return ' ';
    if (c != '%')
        return (unsigned char)c;
    if (end - *at < 2)
        return -1;
    int high = hex_of((*at)[0]), low = hex_of((*at)[1]);
    *at += 2;
    return high < 0 || low < 0 ? -1 : high << 4 | low;
}

bool http_decode(struct weir_str text, bool plus, struct weir_arena *arena, struct weir_str *ret)
{
    char *out = weir_arena_alloc(arena, text.bytes + 1);
    uint32_t bytes = 0;
    for (const char *at = text.data, *end = text.data + text.bytes; at < end; bytes++) {
        int byte = take_byte(&at, end, plus);
        if (byte <= 0)
            return false;
        out[bytes] = (char)byte;
    }
    out[bytes] = 0;
    *ret = (struct weir_str){out, bytes};
    return json_text_utf8(*ret);
}

// The text up to the first `separator`; *rest goes on after it.
static struct weir_str cut(struct weir_str *rest, char separator)
{
    const char *found = rest->bytes ? memchr(rest->data, separator, rest->bytes) : NULL;
    struct weir_str head = {rest->data, found ? (uint32_t)(found - rest->data) : rest->bytes};
    uint32_t passed = found ? head.bytes + 1 : head.bytes;
    *rest = (struct weir_str){rest->data + passed, rest->bytes - passed};
    return head;
}

static int parse_query(struct http_request *r, struct weir_str query)
{
    while (query.bytes) {
        struct weir_str value = cut(&query, '&'), name = cut(&value, '=');
        if (name.bytes == 0 && value.bytes == 0)
            continue;
        if (r->param_count == HTTP_PARAMS_MAX) {
            http_problem(r, 400, "more than %d parameters", HTTP_PARAMS_MAX);
            return -1;
        }
        struct http_param *p = &r->params[r->param_count++];
        if (!http_decode(name, true, &r->arena, &p->name) || !http_decode(value, true, &r->arena, &p->value)) {
            http_problem(r, 400, "the query is not percent-encoded UTF-8 text, or holds a NUL");
            return -1;
        }
    }
    return 0;
}

// "/" is one empty segment, "/a/" are two.
static int parse_path(struct http_request *r, struct weir_str path)
{
    struct weir_str segments[SEGMENTS_MAX];
    uint32_t count = 0;
    for (bool more = true; more;) {
        more = path.bytes && memchr(path.data, '/', path.bytes);
        if (count == SEGMENTS_MAX) {
            http_problem(r, 404, "nothing is found that deep");
            return -1;
        }
        if (!http_decode(cut(&path, '/'), false, &r->arena, &segments[count++])) {
            http_problem(r, 400, "the path is not percent-encoded UTF-8 text, or holds a NUL");
            return -1;
        }
    }
    r->route = http_route_find(r, segments, count);
    return r->route ? 0 : -1;
}

int http_request_parse(struct http_request *r)
{
    struct weir_str query = weir_str_of(r->uri), path = cut(&query, '?');
    if (path.bytes == 0 || path.data[0] != '/') {
        http_problem(r, 400, "the request's target is no path");
        return -1;
    }
    path = (struct weir_str){path.data + 1, path.bytes - 1};
    return parse_path(r, path) < 0 ? -1 : parse_query(r, query);
}

// ---- parameters

const struct weir_str *http_param(const struct http_request *r, const char *name)
{
    for (uint32_t i = 0; i < r->param_count; i++)
        if (weir_str_is(r->params[i].name, name))
            return &r->params[i].value;
    return NULL;
}

static bool is_among(struct weir_str name, const char *const *names, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        if (weir_str_is(name, names[i]))
            return true;
    return false;
}

static bool is_given_before(const struct http_request *r, uint32_t number)
{
    for (uint32_t i = 0; i < number; i++)
        if (weir_str_eq(r->params[i].name, r->params[number].name))
            return true;
    return false;
}

int http_check_params(struct http_request *r, const char *const *names, uint32_t count)
{
    char near[200] = "";
    for (uint32_t i = 0; i < r->param_count; i++) {
        struct weir_str name = r->params[i].name;
        int shown = (int)(name.bytes < 60 ? name.bytes : 60);
        if (!is_among(name, names, count)) {
            bool found = weir_suggest_text(name, names, count, near, sizeof near);
            http_problem(r, 400, "unknown parameter '%.*s'%s%s", shown, name.data, found ? ": " : "", near);
            return -1;
        }
        if (is_given_before(r, i)) {
            http_problem(r, 400, "parameter '%.*s' is given twice", shown, name.data);
            return -1;
        }
    }
    return 0;
}

int http_limit(struct http_request *r, uint32_t usual, uint32_t most, uint32_t *ret)
{
    const struct weir_str *text = http_param(r, "limit");
    int64_t limit = usual;
    if (text && (weir_parse_i64(*text, &limit) < 0 || limit < 1 || limit > most)) {
        http_problem(r, 400, "'limit' is a number from 1 to %u", most);
        return -1;
    }
    *ret = (uint32_t)limit;
    return 0;
}
