// SPDX-License-Identifier: Apache-2.0
// JSON web tokens in compact form (RFC 7515, 7519): header.claims.signature. RS256 and ES256 only: an algorithm is taken from the key that fits, never
// on the token's word alone, so that neither `none` nor a public key used as an HMAC secret gets anywhere.
#include "base/memory.h"
#include "base/time.h"
#include "http/inside.h"
#include <jansson.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <stdlib.h>

enum { LEEWAY_S = 60, ES256_HALF_BYTES = 32 };

struct parts {
    struct weir_str header, claims, signature, is_signed; // is_signed: the first two with their dot
};

static int split(struct weir_str token, struct parts *ret)
{
    const char *end = token.data + token.bytes, *one = memchr(token.data, '.', token.bytes);
    const char *two = one ? memchr(one + 1, '.', (size_t)(end - one - 1)) : NULL;
    if (!two || memchr(two + 1, '.', (size_t)(end - two - 1)))
        return -1;
    *ret = (struct parts){
        .header = {token.data, (uint32_t)(one - token.data)},
        .claims = {one + 1, (uint32_t)(two - one - 1)},
        .signature = {two + 1, (uint32_t)(end - two - 1)},
        .is_signed = {token.data, (uint32_t)(two - token.data)},
    };
    return 0;
}

static json_t *parse_part(struct weir_str part)
{
    weir_cleanup(weir_buffer_drop) struct weir_buffer text = {0};
    if (http_base64_parse(part, &text) < 0 || text.bytes == 0)
        return NULL;
    json_t *json = json_loadb((const char *)text.data, text.bytes, JSON_REJECT_DUPLICATES, NULL);
    if (json_is_object(json))
        return json;
    json_decref(json);
    return NULL;
}

// ---- the signature

// r ‖ s, as JWS has it (RFC 7518, 3.4), in the DER that OpenSSL takes.
static int to_der(const struct weir_buffer *raw, struct weir_buffer *der)
{
    if (raw->bytes != 2 * ES256_HALF_BYTES)
        return -1;
    ECDSA_SIG *sig = ECDSA_SIG_new();
    BIGNUM *r = BN_bin2bn(raw->data, ES256_HALF_BYTES, NULL), *s = BN_bin2bn(raw->data + ES256_HALF_BYTES, ES256_HALF_BYTES, NULL);
    weir_assert(sig && r && s && ECDSA_SIG_set0(sig, r, s) == 1);
    int bytes = i2d_ECDSA_SIG(sig, NULL);
    if (bytes > 0) {
        unsigned char *at = weir_buffer_reserve(der, (size_t)bytes);
        der->bytes += (size_t)i2d_ECDSA_SIG(sig, &at);
    }
    ECDSA_SIG_free(sig);
    return bytes > 0 ? 0 : -1;
}

static bool is_good(EVP_PKEY *key, struct weir_str text, const struct weir_buffer *signature)
{
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    bool good = ctx && EVP_DigestVerifyInit(ctx, NULL, EVP_sha256(), NULL, key) == 1 && // RSA: PKCS #1 v1.5, as RS256 wants
                EVP_DigestVerify(ctx, signature->data, signature->bytes, (const unsigned char *)text.data, text.bytes) == 1;
    EVP_MD_CTX_free(ctx);
    return good;
}

static const char *check_signature(struct http_keys *k, const struct parts *parts, const json_t *header)
{
    const char *alg = json_string_value(json_object_get(header, "alg")), *kid = json_string_value(json_object_get(header, "kid"));
    bool elliptic = alg && strcmp(alg, "ES256") == 0;
    if (!alg || (!elliptic && strcmp(alg, "RS256") != 0))
        return "the token is not signed as RS256 or ES256";
    if (json_object_get(header, "crit"))
        return "the token demands an extension that is unknown here";
    weir_cleanup(weir_buffer_drop) struct weir_buffer raw = {0}, der = {0};
    if (http_base64_parse(parts->signature, &raw) < 0 || (elliptic && to_der(&raw, &der) < 0))
        return "the token's signature is damaged";
    EVP_PKEY *key = http_keys_find(k, kid, elliptic);
    if (!key)
        return "the token is signed by a key that is unknown here";
    bool good = is_good(key, parts->is_signed, elliptic ? &der : &raw);
    EVP_PKEY_free(key);
    return good ? NULL : "the token's signature is wrong";
}

// ---- the claims

static bool names(const json_t *claim, const char *text)
{
    size_t i;
    const json_t *one;
    if (json_is_string(claim))
        return strcmp(json_string_value(claim), text) == 0;
    json_array_foreach(claim, i, one) if (json_is_string(one) && strcmp(json_string_value(one), text) == 0) return true;
    return false;
}

static const char *check_claims(const struct weir_http_spec *spec, const json_t *claims)
{
    double now_s = (double)weir_now_ms() / 1000;
    const json_t *exp = json_object_get(claims, "exp"), *nbf = json_object_get(claims, "nbf");
    if (!json_is_number(exp))
        return "the token has no expiry";
    if (json_number_value(exp) + LEEWAY_S <= now_s)
        return "the token has expired";
    if (nbf && (!json_is_number(nbf) || json_number_value(nbf) - LEEWAY_S > now_s))
        return "the token is not valid yet";
    const json_t *iss = json_object_get(claims, "iss");
    if (!spec->jwt_issuer || !json_is_string(iss) || strcmp(json_string_value(iss), spec->jwt_issuer) != 0)
        return "the token is from another issuer";
    if (!spec->jwt_audience || !names(json_object_get(claims, "aud"), spec->jwt_audience))
        return "the token is for another audience";
    return NULL;
}

static void take_claims(const struct weir_http_spec *spec, const json_t *claims, struct weir_arena *arena, struct http_claims *ret)
{
    const json_t *role = json_object_get(claims, spec->jwt_role_claim ? spec->jwt_role_claim : "role");
    const char *subject = json_string_value(json_object_get(claims, "sub"));
    ret->role = names(role, "operator") ? "operator" : names(role, "reader") ? "reader" : NULL;
    ret->subject = subject ? weir_arena_copy(arena, weir_str_of(subject)).data : NULL;
}

int http_jwt_verify(struct http_keys *k, const struct weir_http_spec *spec, struct weir_str token, struct weir_arena *arena, struct http_claims *ret,
                    const char **ret_why)
{
    struct parts parts;
    if (split(token, &parts) < 0)
        return -1; // no JWT at all: what is said already stays
    json_t *header = parse_part(parts.header), *claims = header ? parse_part(parts.claims) : NULL;
    const char *why = claims ? check_signature(k, &parts, header) : "the token is damaged";
    if (!why)
        why = check_claims(spec, claims);
    if (!why)
        take_claims(spec, claims, arena, ret);
    else
        *ret_why = why;
    json_decref(header);
    json_decref(claims);
    return why ? -1 : 0;
}
