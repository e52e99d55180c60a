// SPDX-License-Identifier: Apache-2.0
// The public keys that tokens are signed with: from a file (a JWKS, RFC 7517, or keys and certificates in PEM), or from a URL that gives a JWKS. The
// latter is fetched when it is first needed, again after ten minutes, and where a key is unknown, but at most once a minute.
#include "base/memory.h"
#include "base/time.h"
#include "http/inside.h"
#include <curl/curl.h>
#include <errno.h>
#include <jansson.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <stdlib.h>

enum { KEYS_MAX = 64, FILE_BYTES_MAX = 1 << 20, FETCH_S = 5, RSA_BITS_MIN = 2048 };

#define STALE_US ((int64_t)600 * 1000000)
#define PAUSE_US ((int64_t)60 * 1000000)

struct key {
    char *id; // NULL: it has none
    bool elliptic;
    EVP_PKEY *pkey;
};

struct set {
    uint32_t count;
    struct key keys[KEYS_MAX];
};

struct http_keys {
    char *url; // NULL: from a file, for good
    pthread_mutex_t lock;
    struct set set;
    bool fetching;
    int64_t tried_us, fetched_us; // 0: never
};

static void set_drop(struct set *set)
{
    for (uint32_t i = 0; i < set->count; i++) {
        free(set->keys[i].id);
        EVP_PKEY_free(set->keys[i].pkey);
    }
    set->count = 0;
}

// Takes the key over if it is of a kind that is used: RSA of a size that can be trusted, or P-256.
static void set_add(struct set *set, EVP_PKEY *pkey, const char *id)
{
    bool rsa = pkey && EVP_PKEY_is_a(pkey, "RSA") && EVP_PKEY_get_bits(pkey) >= RSA_BITS_MIN;
    char group[40] = "";
    bool elliptic = pkey && EVP_PKEY_is_a(pkey, "EC") && EVP_PKEY_get_group_name(pkey, group, sizeof group, NULL) == 1 &&
                    (strcmp(group, "prime256v1") == 0 || strcmp(group, "P-256") == 0);
    if ((!rsa && !elliptic) || set->count == KEYS_MAX) {
        EVP_PKEY_free(pkey);
        return;
    }
    set->keys[set->count++] = (struct key){id ? weir_strdup(id) : NULL, elliptic, pkey};
}

// ---- JWKS

static EVP_PKEY *make_key(const char *type, OSSL_PARAM_BLD *build)
{
    EVP_PKEY *pkey = NULL;
    OSSL_PARAM *params = OSSL_PARAM_BLD_to_param(build);
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);
    if (!params || !ctx || EVP_PKEY_fromdata_init(ctx) != 1 || EVP_PKEY_fromdata(ctx, &pkey, EVP_PKEY_PUBLIC_KEY, params) != 1)
        pkey = NULL;
    EVP_PKEY_CTX_free(ctx);
    OSSL_PARAM_free(params);
    return pkey;
}

static int member(const json_t *jwk, const char *name, struct weir_buffer *out)
{
    const char *text = json_string_value(json_object_get(jwk, name));
    return text && http_base64_parse(weir_str_of(text), out) == 0 && out->bytes > 0 ? 0 : -1;
}

static EVP_PKEY *rsa_key(const json_t *jwk)
{
    weir_cleanup(weir_buffer_drop) struct weir_buffer n = {0}, e = {0};
    if (member(jwk, "n", &n) < 0 || member(jwk, "e", &e) < 0 || n.bytes > 1024 || e.bytes > 8)
        return NULL;
    BIGNUM *modulus = BN_bin2bn(n.data, (int)n.bytes, NULL), *exponent = BN_bin2bn(e.data, (int)e.bytes, NULL);
    OSSL_PARAM_BLD *build = OSSL_PARAM_BLD_new();
    EVP_PKEY *pkey = NULL;
    if (build && OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_N, modulus) && OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_E, exponent))
        pkey = make_key("RSA", build);
    OSSL_PARAM_BLD_free(build);
    BN_free(modulus);
    BN_free(exponent);
    return pkey;
}

static EVP_PKEY *elliptic_key(const json_t *jwk)
{
    enum { COORDINATE_BYTES = 32, UNCOMPRESSED = 4 };
    weir_cleanup(weir_buffer_drop) struct weir_buffer point = {0}, y = {0};
    const char *curve = json_string_value(json_object_get(jwk, "crv"));
    weir_buffer_byte(&point, UNCOMPRESSED);
    if (!curve || strcmp(curve, "P-256") != 0 || member(jwk, "x", &point) < 0 || member(jwk, "y", &y) < 0)
        return NULL;
    if (point.bytes != 1 + COORDINATE_BYTES || y.bytes != COORDINATE_BYTES)
        return NULL;
    weir_buffer_add(&point, y.data, y.bytes);
    OSSL_PARAM_BLD *build = OSSL_PARAM_BLD_new();
    EVP_PKEY *pkey = NULL;
    if (build && OSSL_PARAM_BLD_push_utf8_string(build, OSSL_PKEY_PARAM_GROUP_NAME, "prime256v1", 0) &&
        OSSL_PARAM_BLD_push_octet_string(build, OSSL_PKEY_PARAM_PUB_KEY, point.data, point.bytes))
        pkey = make_key("EC", build);
    OSSL_PARAM_BLD_free(build);
    return pkey;
}

static void parse_jwks(struct weir_str text, struct set *set)
{
    json_t *root = json_loadb(text.data, text.bytes, 0, NULL);
    size_t i;
    const json_t *jwk;
    json_array_foreach(json_object_get(root, "keys"), i, jwk)
    {
        const char *type = json_string_value(json_object_get(jwk, "kty")), *use = json_string_value(json_object_get(jwk, "use"));
        if (!type || (use && strcmp(use, "sig") != 0))
            continue;
        EVP_PKEY *pkey = strcmp(type, "RSA") == 0 ? rsa_key(jwk) : strcmp(type, "EC") == 0 ? elliptic_key(jwk) : NULL;
        set_add(set, pkey, json_string_value(json_object_get(jwk, "kid")));
    }
    json_decref(root);
}

// ---- PEM

static EVP_PKEY *pem_key(const char *name, const unsigned char *der, long bytes)
{
    if (strcmp(name, PEM_STRING_PUBLIC) == 0)
        return d2i_PUBKEY(NULL, &der, bytes);
    if (strcmp(name, PEM_STRING_X509) != 0)
        return NULL;
    X509 *certificate = d2i_X509(NULL, &der, bytes);
    EVP_PKEY *pkey = certificate ? X509_get_pubkey(certificate) : NULL;
    X509_free(certificate);
    return pkey;
}

static void parse_pem(struct weir_str text, struct set *set)
{
    BIO *bio = BIO_new_mem_buf(text.data, (int)text.bytes);
    char *name, *header;
    unsigned char *der;
    long bytes;
    weir_assert(bio);
    while (PEM_read_bio(bio, &name, &header, &der, &bytes) == 1) {
        set_add(set, pem_key(name, der, bytes), NULL);
        OPENSSL_free(name);
        OPENSSL_free(header);
        OPENSSL_free(der);
    }
    BIO_free(bio);
}

static int read_file(const char *path, struct weir_buffer *out, struct weir_error *err)
{
    FILE *file = fopen(path, "re");
    if (!file)
        return weir_fail(err, WEIR_BAD_CONFIG, WEIR_STOP, "the keys of tokens, %s: %s", path, strerror(errno));
    out->bytes = fread(weir_buffer_reserve(out, FILE_BYTES_MAX), 1, FILE_BYTES_MAX, file);
    fclose(file);
    return 0;
}

static int load_file(struct http_keys *k, const char *path, struct weir_error *err)
{
    weir_cleanup(weir_buffer_drop) struct weir_buffer text = {0};
    if (read_file(path, &text, err) < 0)
        return -1;
    struct weir_str view = weir_buffer_view(&text);
    uint32_t at = 0;
    while (at < view.bytes && strchr(" \t\r\n", view.data[at]) && view.data[at])
        at++;
    if (at < view.bytes && view.data[at] == '{')
        parse_jwks(view, &k->set);
    else
        parse_pem(view, &k->set);
    if (k->set.count > 0)
        return 0;
    return weir_fail(err, WEIR_BAD_CONFIG, WEIR_STOP, "%s holds no public key: RSA of %d bits or more, or P-256, as JWKS or PEM", path, RSA_BITS_MIN);
}

// ---- by URL

static size_t receive(char *data, size_t size, size_t count, void *context)
{
    struct weir_buffer *out = context;
    if (out->bytes + size * count > FILE_BYTES_MAX)
        return 0; // ends the transfer as failed
    weir_buffer_add(out, data, size * count);
    return size * count;
}

static bool fetch(const char *url, struct set *set)
{
    weir_cleanup(weir_buffer_drop) struct weir_buffer text = {0};
    CURL *curl = curl_easy_init();
    weir_assert(curl);
    curl_easy_setopt(curl, CURLOPT_URL, url);
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(curl, CURLOPT_TIMEOUT, (long)FETCH_S);
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_FAILONERROR, 1L);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, receive);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, &text);
    bool good = curl_easy_perform(curl) == CURLE_OK;
    curl_easy_cleanup(curl);
    if (good)
        parse_jwks(weir_buffer_view(&text), set);
    return good && set->count > 0;
}

// One thread fetches, without the lock: the others go on with the keys there are.
static void refresh(struct http_keys *k, int64_t now_us)
{
    struct set *fresh = weir_zalloc(1, sizeof *fresh);
    k->fetching = true;
    k->tried_us = now_us;
    pthread_mutex_unlock(&k->lock);
    bool good = fetch(k->url, fresh);
    pthread_mutex_lock(&k->lock);
    if (good) {
        struct set old = k->set;
        k->set = *fresh;
        *fresh = old;
        k->fetched_us = now_us;
    }
    set_drop(fresh);
    free(fresh);
    k->fetching = false;
}

int http_keys_open(const char *where, struct http_keys **ret, struct weir_error *err)
{
    struct http_keys *k = weir_zalloc(1, sizeof *k);
    pthread_mutex_init(&k->lock, NULL);
    if (strncmp(where, "http://", 7) == 0 || strncmp(where, "https://", 8) == 0) {
        curl_global_init(CURL_GLOBAL_DEFAULT);
        k->url = weir_strdup(where);
    } else if (load_file(k, where, err) < 0) {
        http_keys_free(k);
        return -1;
    }
    *ret = k;
    return 0;
}

void http_keys_free(struct http_keys *k)
{
    if (!k)
        return;
    set_drop(&k->set);
    pthread_mutex_destroy(&k->lock);
    free(k->url);
    free(k);
}

// A key without an id is for any token; a token without one takes the only key of its kind.
static EVP_PKEY *find(const struct set *set, const char *kid, bool elliptic)
{
    EVP_PKEY *found = NULL;
    uint32_t fitting = 0;
    for (uint32_t i = 0; i < set->count; i++) {
        const struct key *key = &set->keys[i];
        if (key->elliptic != elliptic)
            continue;
        if (kid && key->id && strcmp(kid, key->id) == 0)
            return key->pkey;
        if (kid && key->id)
            continue;
        found = key->pkey;
        fitting++;
    }
    return fitting == 1 ? found : NULL;
}

EVP_PKEY *http_keys_find(struct http_keys *k, const char *kid, bool elliptic)
{
    int64_t now_us = weir_monotonic_us();
    pthread_mutex_lock(&k->lock);
    EVP_PKEY *found = find(&k->set, kid, elliptic);
    bool may = k->url && !k->fetching && (k->tried_us == 0 || now_us - k->tried_us >= PAUSE_US);
    if (may && (!found || now_us - k->fetched_us >= STALE_US)) {
        refresh(k, now_us);
        found = find(&k->set, kid, elliptic);
    }
    if (found)
        EVP_PKEY_up_ref(found);
    pthread_mutex_unlock(&k->lock);
    return found;
}
