// SPDX-License-Identifier: Apache-2.0
// Who asks, and whether they may: bearer tokens (RFC 6750), known by their hash or as JWTs.
#include "base/memory.h"
#include "http/inside.h"
#include <openssl/crypto.h>
#include <openssl/sha.h>
#include <stdlib.h>

enum { TOKEN_BYTES_MAX = 16 << 10 };

struct http_auth {
    const struct weir_http_spec *spec;
    uint8_t (*hashes)[SHA256_DIGEST_LENGTH]; // by token
    struct http_keys *keys;                  // NULL: no JWTs
};

static int digit_of(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static int parse_hash(const char *hex, uint8_t ret[SHA256_DIGEST_LENGTH])
{
    if (strlen(hex) != 2 * SHA256_DIGEST_LENGTH)
        return -1;
    for (size_t i = 0; i < SHA256_DIGEST_LENGTH; i++) {
        int high = digit_of(hex[2 * i]), low = digit_of(hex[2 * i + 1]);
        if (high < 0 || low < 0)
            return -1;
        ret[i] = (uint8_t)(high << 4 | low);
    }
    return 0;
}

int http_auth_new(const struct weir_http_spec *spec, struct http_auth **ret, struct weir_error *err)
{
    if (!spec || (spec->token_count == 0 && !spec->jwt_keys))
        return 0;
    struct http_auth *a = weir_zalloc(1, sizeof *a);
    a->spec = spec;
    a->hashes = weir_zalloc(spec->token_count + 1, sizeof *a->hashes);
    int rc = 0;
    for (uint32_t i = 0; i < spec->token_count && rc == 0; i++)
        if (parse_hash(spec->tokens[i].sha256, a->hashes[i]) < 0)
            rc = weir_fail(err, WEIR_BAD_CONFIG, WEIR_STOP, "the hash of token '%s' is not 64 hex digits", spec->tokens[i].name);
    if (rc == 0 && spec->jwt_keys)
        rc = http_keys_open(spec->jwt_keys, &a->keys, err);
    if (rc < 0)
        http_auth_free(a);
    else
        *ret = a;
    return rc;
}

void http_auth_free(struct http_auth *a)
{
    if (!a)
        return;
    http_keys_free(a->keys);
    free(a->hashes);
    free(a);
}

static enum http_role role_of(const char *name)
{
    if (!name)
        return HTTP_ANYONE;
    return strcmp(name, "operator") == 0 ? HTTP_OPERATOR : strcmp(name, "reader") == 0 ? HTTP_READER : HTTP_ANYONE;
}

// Looks at every token, so that time says nothing about which one was near.
static const struct weir_http_token *find_token(const struct http_auth *a, struct weir_str token)
{
    uint8_t hash[SHA256_DIGEST_LENGTH];
    const struct weir_http_token *found = NULL;
    SHA256((const unsigned char *)token.data, token.bytes, hash);
    for (uint32_t i = 0; i < a->spec->token_count; i++)
        if (CRYPTO_memcmp(hash, a->hashes[i], sizeof hash) == 0)
            found = &a->spec->tokens[i];
    return found;
}

static int unauthorized(struct http_request *r, const char *challenge, const char *why)
{
    http_problem(r, 401, "%s", why);
    http_header(r, MHD_HTTP_HEADER_WWW_AUTHENTICATE, challenge);
    return -1;
}

// The bearer token of the Authorization header; zero bytes if there is none.
static struct weir_str bearer(struct http_request *r)
{
    const char *header = MHD_lookup_connection_value(r->connection, MHD_HEADER_KIND, MHD_HTTP_HEADER_AUTHORIZATION);
    if (!header || strncasecmp(header, "Bearer ", 7) != 0)
        return (struct weir_str){0};
    header += 7 + strspn(header + 7, " ");
    size_t bytes = strcspn(header, " \t");
    return bytes <= TOKEN_BYTES_MAX ? (struct weir_str){header, (uint32_t)bytes} : (struct weir_str){0};
}

// Sets the role and the name of who asks; -1: r->reply says why it is nobody.
static int identify(struct http_request *r, enum http_role *ret)
{
    static const char invalid[] = "Bearer realm=\"weir\", error=\"invalid_token\"";
    struct http_auth *a = r->http->auth;
    struct weir_str token = bearer(r);
    if (token.bytes == 0)
        return unauthorized(r, "Bearer realm=\"weir\"", "send a token: 'Authorization: Bearer …'");
    const struct weir_http_token *known = find_token(a, token);
    struct http_claims claims = {0};
    const char *why = "the token is none that is known here";
    if (!known && (!a->keys || http_jwt_verify(a->keys, a->spec, token, &r->arena, &claims, &why) < 0))
        return unauthorized(r, invalid, why);
    *ret = role_of(known ? known->role : claims.role);
    r->who = known ? known->name : claims.subject;
    return 0;
}

// Without authentication anyone on this machine may ask, but no page of another site by a name that it points here.
static bool is_own_host(struct http_request *r)
{
    static const char *const names[] = {"localhost", "127.0.0.1", "[::1]"};
    const char *host = MHD_lookup_connection_value(r->connection, MHD_HEADER_KIND, MHD_HTTP_HEADER_HOST);
    if (!host || strncmp(host, "127.", 4) == 0)
        return !host || host[strspn(host, "0123456789.:")] == 0;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        size_t bytes = strlen(names[i]);
        if (strncasecmp(host, names[i], bytes) == 0 && (host[bytes] == 0 || host[bytes] == ':'))
            return true;
    }
    return false;
}

int http_authorize(struct http_request *r, enum http_role role)
{
    if (role == HTTP_ANYONE)
        return 0;
    if (!r->http->auth && is_own_host(r))
        return 0;
    if (!r->http->auth) {
        http_problem(r, 421, "without authentication this is for this machine alone: use %s", r->http->url);
        return -1;
    }
    enum http_role has = HTTP_ANYONE;
    if (identify(r, &has) < 0)
        return -1;
    if (has >= role)
        return 0;
    http_problem(r, 403, "this needs the role '%s'", role == HTTP_OPERATOR ? "operator" : "reader");
    return -1;
}
