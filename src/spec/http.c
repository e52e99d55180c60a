// SPDX-License-Identifier: Apache-2.0
// http: where the process listens, and who may ask: tokens known by their hash, or a JWT's issuer.
#include "base/number.h"
#include "spec/reading.h"

#define TOKENS_MAX     1000
#define SHA256_DIGITS  64
#define BODY_BYTES_MAX (INT64_C(1) << 30)

static bool is_port(const char *text)
{
    int64_t port;
    return text[0] >= '0' && text[0] <= '9' && weir_parse_i64(weir_str_of(text), &port) == 0 && port <= 65535;
}

// `host:port` or `[v6]:port`; port 0 is any free one.
static bool is_listen_address(const char *text)
{
    const char *colon = strrchr(text, ':');
    if (!colon || !is_port(colon + 1))
        return false;
    struct weir_str host = {text, (uint32_t)(colon - text)};
    if (host.bytes > 2 && host.data[0] == '[' && host.data[host.bytes - 1] == ']')
        return strspn(host.data + 1, "0123456789abcdefABCDEF:.") == host.bytes - 2;
    return spec_is_engine_name(host);
}

static void read_listen(struct reading *r, const struct node *node)
{
    const char *text = spec_read_text(r, node, "'listen'");
    if (text && !is_listen_address(text))
        spec_mistake(r, node->at, "for instance: 127.0.0.1:8080, [::1]:8080, 0.0.0.0:0", "'%s' is no address to listen on", node->raw.data);
    else if (text)
        r->plan->http.listen = text;
}

static void read_body(struct reading *r, const struct node *node)
{
    static const struct {
        const char *unit;
        int64_t bytes;
    } units[] = {{" KiB", 1 << 10}, {" MiB", 1 << 20}, {" GiB", 1 << 30}, {"", 1}};
    if (!spec_is_text(r, node, "'body'"))
        return;
    struct weir_str text = node->text;
    for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
        uint32_t bytes = (uint32_t)strlen(units[i].unit);
        int64_t count;
        if (text.bytes <= bytes || memcmp(text.data + text.bytes - bytes, units[i].unit, bytes) != 0)
            continue;
        if (weir_parse_i64((struct weir_str){text.data, text.bytes - bytes}, &count) == 0 && count > 0 && count <= BODY_BYTES_MAX / units[i].bytes) {
            r->plan->http.body_bytes_max = (uint64_t)(count * units[i].bytes);
            return;
        }
    }
    spec_mistake(r, node->at, "for instance: 1048576, 512 KiB, 8 MiB", "'body' is a number of bytes up to 1 GiB, not '%s'", node->raw.data);
}

// ---- tokens

// 64 hex digits, in lower case; NULL after a mistake. What was written is not shown: it may be the token itself.
static const char *read_sha256(struct reading *r, const struct node *node)
{
    static const char upper[] = "ABCDEF";
    const char *text = spec_read_text(r, node, "'sha256'");
    if (!text)
        return NULL;
    if (node->text.bytes != SHA256_DIGITS || strspn(text, "0123456789abcdefABCDEF") != SHA256_DIGITS) {
        spec_mistake(r, node->at, "printf %s TOKEN | sha256sum", "'sha256' is the token's hash: 64 hex digits");
        return NULL;
    }
    char *digest = weir_arena_alloc(r->arena, SHA256_DIGITS + 1);
    for (size_t i = 0; i <= SHA256_DIGITS; i++)
        digest[i] = text[i] && strchr(upper, text[i]) ? (char)(text[i] - 'A' + 'a') : text[i];
    return digest;
}

static const char *read_role(struct reading *r, const struct node *node)
{
    static const char *const roles[] = {"reader", "operator"};
    int choice = spec_read_choice(r, node, "role", roles, sizeof roles / sizeof *roles);
    return choice < 0 ? NULL : roles[choice];
}

static void check_token_name(struct reading *r, const struct node *node, const char *name)
{
    for (uint32_t i = 0; i < r->plan->http.token_count; i++) {
        if (strcmp(r->plan->http.tokens[i].name, name) == 0)
            spec_mistake(r, node->at, NULL, "two tokens are named '%s'", name);
    }
}

static void read_token(struct reading *r, const struct node *node)
{
    enum { NAME, SHA256, ROLE, COUNT };
    static const char *const names[] = {"name", "sha256", "role"};
    const struct node *at[COUNT] = {0};
    if (!spec_read_keys(r, node, "a token", names, COUNT, at))
        return;
    if (!at[NAME] || !at[SHA256] || !at[ROLE]) {
        spec_mistake(r, node->at, NULL, "a token needs 'name', 'sha256' and 'role'");
        return;
    }
    struct weir_http_token token = {spec_read_text(r, at[NAME], "'name'"), read_sha256(r, at[SHA256]), read_role(r, at[ROLE])};
    if (token.name)
        check_token_name(r, at[NAME], token.name);
    if (token.name && token.sha256 && token.role)
        r->plan->http.tokens[r->plan->http.token_count++] = token;
}

static void read_tokens(struct reading *r, const struct node *node)
{
    if (!spec_is_list(r, node, "'tokens'"))
        return;
    if (node->count > TOKENS_MAX) {
        spec_mistake(r, node->at, NULL, "'tokens' holds at most %d, not %u", TOKENS_MAX, node->count);
        return;
    }
    r->plan->http.tokens = weir_arena_zalloc(r->arena, (node->count + 1) * sizeof *r->plan->http.tokens);
    for (uint32_t i = 0; i < node->count; i++)
        read_token(r, node->items[i]);
}

// ---- JWT

static bool is_url(const char *text)
{
    return strncmp(text, "http://", 7) == 0 || strncmp(text, "https://", 8) == 0;
}

static void read_jwt(struct reading *r, const struct node *node)
{
    enum { ISSUER, AUDIENCE, KEYS, ROLE_CLAIM, COUNT };
    static const char *const names[] = {"issuer", "audience", "keys", "role_claim"};
    const struct node *at[COUNT] = {0};
    struct weir_http_spec *http = &r->plan->http;
    if (!spec_read_keys(r, node, "'jwt'", names, COUNT, at))
        return;
    if (!at[ISSUER] || !at[AUDIENCE] || !at[KEYS])
        spec_mistake(r, spec_place_of_name(node), NULL, "'jwt' needs 'issuer', 'audience' and 'keys'");
    if (at[ISSUER])
        http->jwt_issuer = spec_read_text(r, at[ISSUER], "'issuer'");
    if (at[AUDIENCE])
        http->jwt_audience = spec_read_text(r, at[AUDIENCE], "'audience'");
    const char *keys = at[KEYS] ? spec_read_text(r, at[KEYS], "'keys'") : NULL;
    if (keys)
        http->jwt_keys = is_url(keys) ? keys : spec_resolve_path(r, keys);
    if (at[ROLE_CLAIM])
        http->jwt_role_claim = spec_read_text(r, at[ROLE_CLAIM], "'role_claim'");
}

void spec_read_http(struct reading *r, const struct node *node)
{
    enum { LISTEN, TOKENS, JWT, BODY, COUNT };
    static const char *const names[] = {"listen", "tokens", "jwt", "body"};
    const struct node *at[COUNT] = {0};
    r->plan->http.given = node != NULL;
    if (!node || !spec_read_keys(r, node, "'http'", names, COUNT, at))
        return;
    if (at[LISTEN])
        read_listen(r, at[LISTEN]);
    if (at[TOKENS])
        read_tokens(r, at[TOKENS]);
    if (at[JWT])
        read_jwt(r, at[JWT]);
    if (at[BODY])
        read_body(r, at[BODY]);
}
