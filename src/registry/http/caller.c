// SPDX-License-Identifier: Apache-2.0
#include "registry/http/caller.h"

#include "base/memory.h"
#include "base/suggest.h"
#include "base/time.h"
#include <curl/curl.h>
#include <pthread.h>
#include <stdlib.h>
#include <strings.h>
#include <time.h>

enum {
    ADDRESSES_MAX = 16,
    IDLE_MAX = 8,
    CONNECT_MS = 3000,
    TOTAL_MS = 10000,
    START_MS = 10000,
    START_PAUSE_MS = 200,
    PAUSE_MS = 100, // doubled with each failure
    PAUSE_MS_MAX = 5000,
    REDIRECTS_MAX = 5,
    HOPELESS = -1, // in place of a status
};

enum setting { USER_INFO, CREDENTIALS_SOURCE, TOKEN, CA, CERTIFICATE, KEY, KEY_PASSWORD, ON_UNAVAILABLE, SETTINGS };

static const char *const setting_names[SETTINGS] = {
    [USER_INFO] = "basic.auth.user.info",
    [CREDENTIALS_SOURCE] = "basic.auth.credentials.source",
    [TOKEN] = "bearer.auth.token",
    [CA] = "ssl.ca.location",
    [CERTIFICATE] = "ssl.certificate.location",
    [KEY] = "ssl.key.location",
    [KEY_PASSWORD] = "ssl.key.password",
    [ON_UNAVAILABLE] = "on_unavailable",
};

struct address {
    char *url;       // without credentials and without a slash at its end
    char *user_info; // user:password, or NULL
};

struct caller {
    struct address addresses[ADDRESSES_MAX];
    uint32_t address_count;
    char *settings[SETTINGS];
    pthread_mutex_t lock; // guards what follows
    CURL *idle[IDLE_MAX];
    uint32_t idle_count;
    uint32_t current;                // the address that answered last
    int64_t away_until_us, pause_ms; // pause 0: it answered last time
    char why[sizeof((struct weir_error *)0)->text];
};

// ---- addresses and options

static char *decode(const char *text, size_t bytes)
{
    char *decoded = curl_easy_unescape(NULL, text, (int)bytes, NULL);
    char *copy = decoded ? weir_strdup(decoded) : NULL;
    curl_free(decoded);
    return copy;
}

static int add_address(struct caller *c, const char *scheme, const char *text, size_t bytes, struct weir_error *err)
{
    const char *slash = memchr(text, '/', bytes);
    size_t host_bytes = slash ? (size_t)(slash - text) : bytes;
    const char *at = memrchr(text, '@', host_bytes);
    struct address *a = &c->addresses[c->address_count];
    if (c->address_count == ADDRESSES_MAX)
        return weir_fail(err, WEIR_BAD_CONFIG, WEIR_STOP, "more than %d addresses of a registry", ADDRESSES_MAX);
    if (at) {
        a->user_info = decode(text, (size_t)(at - text));
        bytes -= (size_t)(at + 1 - text);
        text = at + 1;
    }
    while (bytes && text[bytes - 1] == '/')
        bytes--;
    if (bytes == 0)
        return weir_fail(err, WEIR_BAD_CONFIG, WEIR_STOP, "the registry's address has no host: write http://host:port");
    a->url = weir_format("%s%.*s", scheme, (int)bytes, text);
    c->address_count++;
    return 0;
}

// Those after the first may leave out the scheme.
static int add_addresses(struct caller *c, const char *url, struct weir_error *err)
{
    const char *scheme = NULL;
    for (const char *next = url; next;) {
        const char *text = next, *comma = strchr(text, ',');
        next = comma ? comma + 1 : NULL;
        static const char *const schemes[] = {"http://", "https://"};
        for (int i = 0; i < 2; i++)
            if (strncasecmp(text, schemes[i], strlen(schemes[i])) == 0) {
                scheme = schemes[i];
                text += strlen(scheme);
                break;
            }
        if (!scheme)
            return weir_fail(err, WEIR_BAD_CONFIG, WEIR_STOP, "the registry's address starts with neither http:// nor https://");
        if (add_address(c, scheme, text, comma && comma > text ? (size_t)(comma - text) : strcspn(text, ","), err) < 0)
            return -1;
    }
    return 0;
}

static int set_option(struct caller *c, const struct weir_option *option, struct weir_error *err)
{
    char near[200] = "";
    for (int i = 0; i < SETTINGS; i++)
        if (strcmp(option->name, setting_names[i]) == 0) {
            free(c->settings[i]);
            c->settings[i] = weir_strdup(option->value);
            return 0;
        }
    bool found = weir_suggest_text(weir_str_of(option->name), setting_names, SETTINGS, near, sizeof near);
    return weir_fail(err, WEIR_BAD_CONFIG, WEIR_STOP, "the registry has no option '%.80s'%s%s", option->name, found ? ": " : "", near);
}

static int check_options(const struct caller *c, struct weir_error *err)
{
    const char *wait = c->settings[ON_UNAVAILABLE];
    if (wait && strcmp(wait, "wait") != 0 && strcmp(wait, "dead_letter") != 0)
        return weir_fail(err, WEIR_BAD_CONFIG, WEIR_STOP, "the registry's option on_unavailable is 'wait' or 'dead_letter', not '%.80s'", wait);
    if (c->settings[USER_INFO] && c->settings[TOKEN])
        return weir_fail(err, WEIR_BAD_CONFIG, WEIR_STOP, "the registry's options give both %s and %s", setting_names[USER_INFO],
                         setting_names[TOKEN]);
    if (c->settings[USER_INFO] && !strchr(c->settings[USER_INFO], ':'))
        return weir_fail(err, WEIR_BAD_CONFIG, WEIR_STOP, "the registry's option %s is user:password", setting_names[USER_INFO]);
    return 0;
}

bool caller_waits(const struct caller *c)
{
    return !c->settings[ON_UNAVAILABLE] || strcmp(c->settings[ON_UNAVAILABLE], "wait") == 0;
}

static pthread_once_t curl_once = PTHREAD_ONCE_INIT;

static void start_curl(void)
{
    curl_global_init(CURL_GLOBAL_DEFAULT);
}

int caller_new(const char *url, uint32_t option_count, const struct weir_option *options, struct caller **ret, struct weir_error *err)
{
    pthread_once(&curl_once, start_curl);
    struct caller *c = weir_zalloc(1, sizeof *c);
    pthread_mutex_init(&c->lock, NULL);
    int rc = add_addresses(c, url, err);
    for (uint32_t i = 0; rc == 0 && i < option_count; i++)
        rc = set_option(c, &options[i], err);
    if (rc == 0)
        rc = check_options(c, err);
    if (rc < 0) {
        caller_free(c);
        return -1;
    }
    *ret = c;
    return 0;
}

void caller_free(struct caller *c)
{
    if (!c)
        return;
    for (uint32_t i = 0; i < c->idle_count; i++)
        curl_easy_cleanup(c->idle[i]);
    for (uint32_t i = 0; i < ADDRESSES_MAX; i++) {
        free(c->addresses[i].url);
        free(c->addresses[i].user_info);
    }
    for (int i = 0; i < SETTINGS; i++)
        free(c->settings[i]);
    pthread_mutex_destroy(&c->lock);
    free(c);
}

// ---- one request

struct exchange {
    struct weir_buffer body;
    bool too_large;
    bool hopeless; // trying again will not help: certificates, redirects
    char message[CURL_ERROR_SIZE];
};

static size_t receive(char *data, size_t size, size_t count, void *context)
{
    struct exchange *x = context;
    if (x->body.bytes + size * count > CALLER_BODY_BYTES_MAX) {
        x->too_large = true;
        return 0;
    }
    weir_buffer_add(&x->body, data, size * count);
    return size * count;
}

static bool is_hopeless(CURLcode code)
{
    return code == CURLE_PEER_FAILED_VERIFICATION || code == CURLE_SSL_CACERT_BADFILE || code == CURLE_SSL_CERTPROBLEM ||
           code == CURLE_TOO_MANY_REDIRECTS || code == CURLE_UNSUPPORTED_PROTOCOL;
}

static CURL *take_handle(struct caller *c)
{
    pthread_mutex_lock(&c->lock);
    CURL *curl = c->idle_count ? c->idle[--c->idle_count] : NULL;
    pthread_mutex_unlock(&c->lock);
    if (!curl)
        weir_assert(curl = curl_easy_init());
    return curl;
}

static void give_handle(struct caller *c, CURL *curl)
{
    curl_easy_reset(curl); // keeps its connections
    pthread_mutex_lock(&c->lock);
    bool kept = c->idle_count < IDLE_MAX;
    if (kept)
        c->idle[c->idle_count++] = curl;
    pthread_mutex_unlock(&c->lock);
    if (!kept)
        curl_easy_cleanup(curl);
}

static void set_identity(const struct caller *c, const struct address *a, CURL *curl)
{
    const char *user_info = a->user_info ? a->user_info : c->settings[USER_INFO];
    if (user_info) {
        curl_easy_setopt(curl, CURLOPT_USERPWD, user_info);
        curl_easy_setopt(curl, CURLOPT_HTTPAUTH, CURLAUTH_BASIC);
    } else if (c->settings[TOKEN]) {
        curl_easy_setopt(curl, CURLOPT_XOAUTH2_BEARER, c->settings[TOKEN]);
        curl_easy_setopt(curl, CURLOPT_HTTPAUTH, CURLAUTH_BEARER);
    }
    static const struct {
        enum setting setting;
        CURLoption option;
    } files[] = {{CA, CURLOPT_CAINFO}, {CERTIFICATE, CURLOPT_SSLCERT}, {KEY, CURLOPT_SSLKEY}, {KEY_PASSWORD, CURLOPT_KEYPASSWD}};
    for (size_t i = 0; i < sizeof files / sizeof *files; i++)
        if (c->settings[files[i].setting])
            curl_easy_setopt(curl, files[i].option, c->settings[files[i].setting]);
}

static void set_limits(CURL *curl)
{
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, (long)CONNECT_MS);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)TOTAL_MS);
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(curl, CURLOPT_REDIR_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 1L);
    curl_easy_setopt(curl, CURLOPT_MAXREDIRS, (long)REDIRECTS_MAX);
    curl_easy_setopt(curl, CURLOPT_POSTREDIR, (long)CURL_REDIR_POST_ALL);
}

// The status, or 0 and why there is none.
static int ask(struct caller *c, const struct address *a, const char *path, const char *body, struct exchange *x)
{
    CURL *curl = take_handle(c);
    weir_cleanup(weir_freep) char *url = weir_format("%s%s", a->url, path);
    struct curl_slist *headers = curl_slist_append(NULL, "Accept: application/vnd.schemaregistry.v1+json, application/json");
    *x = (struct exchange){0};
    set_limits(curl);
    set_identity(c, a, curl);
    curl_easy_setopt(curl, CURLOPT_URL, url);
    curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, x->message);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, receive);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, x);
    if (body) {
        headers = curl_slist_append(headers, "Content-Type: application/vnd.schemaregistry.v1+json");
        headers = curl_slist_append(headers, "Expect:");
        curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)strlen(body));
        curl_easy_setopt(curl, CURLOPT_POSTFIELDS, body);
    }
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
    CURLcode code = curl_easy_perform(curl);
    long status = 0;
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    x->hopeless = is_hopeless(code);
    if (x->too_large)
        snprintf(x->message, sizeof x->message, "its answer is larger than %d MiB", CALLER_BODY_BYTES_MAX >> 20);
    else if (code != CURLE_OK && !x->message[0])
        snprintf(x->message, sizeof x->message, "%s", curl_easy_strerror(code));
    give_handle(c, curl);
    curl_slist_free_all(headers);
    return code == CURLE_OK ? (int)status : 0;
}

// A registry that refuses to be written to, or cannot be, may well be read.
static bool is_trouble(int status, bool writes)
{
    bool refuses = status == 401 || status == 403;
    return status < 200 || (refuses && !writes) || status == 408 || status == 429 || (status >= 500 && status != 501);
}

static void say_trouble(struct weir_error *err, const struct address *a, int status, const struct exchange *x)
{
    if (status == 401 || status == 403)
        weir_fail(err, WEIR_UNAVAILABLE, WEIR_RETRY, "the registry at %.200s does not let us in (HTTP %d): give it credentials", a->url, status);
    else if (status)
        weir_fail(err, WEIR_UNAVAILABLE, WEIR_RETRY, "the registry at %.200s is in trouble: HTTP %d", a->url, status);
    else
        weir_fail(err, WEIR_UNAVAILABLE, WEIR_RETRY, "the registry at %.200s does not answer: %.180s", a->url, x->message);
}

// ---- going away and coming back

static bool is_away(struct caller *c, struct weir_error *err)
{
    pthread_mutex_lock(&c->lock);
    bool away = weir_monotonic_us() < c->away_until_us;
    if (away)
        weir_fail(err, WEIR_UNAVAILABLE, WEIR_RETRY, "%s", c->why);
    pthread_mutex_unlock(&c->lock);
    return away;
}

static void note_failure(struct caller *c, const struct weir_error *err)
{
    pthread_mutex_lock(&c->lock);
    c->pause_ms = c->pause_ms ? c->pause_ms * 2 : PAUSE_MS;
    if (c->pause_ms > PAUSE_MS_MAX)
        c->pause_ms = PAUSE_MS_MAX;
    c->away_until_us = weir_monotonic_us() + c->pause_ms * 1000;
    snprintf(c->why, sizeof c->why, "%s", err->text);
    pthread_mutex_unlock(&c->lock);
}

static void note_answer(struct caller *c, uint32_t address)
{
    pthread_mutex_lock(&c->lock);
    c->pause_ms = c->away_until_us = 0;
    c->current = address;
    pthread_mutex_unlock(&c->lock);
}

bool caller_healthy(struct caller *c, struct weir_buffer *reasons)
{
    pthread_mutex_lock(&c->lock);
    bool healthy = c->pause_ms == 0;
    if (!healthy)
        weir_buffer_format(reasons, "%s\n", c->why);
    pthread_mutex_unlock(&c->lock);
    return healthy;
}

static uint32_t first_address(struct caller *c)
{
    pthread_mutex_lock(&c->lock);
    uint32_t first = c->current;
    pthread_mutex_unlock(&c->lock);
    return first;
}

static int try_all(struct caller *c, const char *path, const char *body, json_t **ret_json, int *ret_trouble, struct weir_error *err)
{
    uint32_t first = first_address(c);
    for (uint32_t i = 0; i < c->address_count; i++) {
        uint32_t number = (first + i) % c->address_count;
        struct exchange x;
        int status = ask(c, &c->addresses[number], path, body, &x);
        if (is_trouble(status, body != NULL)) {
            say_trouble(err, &c->addresses[number], status, &x);
            *ret_trouble = x.hopeless ? HOPELESS : status;
            weir_buffer_drop(&x.body);
            continue;
        }
        note_answer(c, number);
        *ret_json = x.body.bytes ? json_loadb((const char *)x.body.data, x.body.bytes, JSON_DECODE_ANY, NULL) : NULL;
        weir_buffer_drop(&x.body);
        return status;
    }
    note_failure(c, err);
    return -1;
}

int caller_send(struct caller *c, const char *path, const char *body, json_t **ret_json, struct weir_error *err)
{
    int trouble;
    return is_away(c, err) ? -1 : try_all(c, path, body, ret_json, &trouble, err);
}

int caller_connect(struct caller *c, struct weir_error *err)
{
    int64_t until_us = weir_monotonic_us() + START_MS * 1000;
    for (;;) {
        json_t *json = NULL;
        int trouble = 0;
        if (try_all(c, "/schemas/types", NULL, &json, &trouble, err) >= 0) {
            json_decref(json);
            return 0;
        }
        if (trouble == 401 || trouble == 403 || trouble == HOPELESS) {
            err->code = WEIR_BAD_CONFIG;
            err->fate = WEIR_STOP;
            return -1;
        }
        if (weir_monotonic_us() >= until_us)
            return -1;
        struct timespec pause = {.tv_nsec = START_PAUSE_MS * 1000000L};
        clock_nanosleep(CLOCK_MONOTONIC, 0, &pause, NULL);
    }
}

void caller_escape(struct weir_buffer *out, const char *text)
{
    for (; *text; text++) {
        unsigned char c = (unsigned char)*text;
        bool plain = (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') || (c && strchr("-._~", c));
        if (plain)
            weir_buffer_byte(out, c);
        else
            weir_buffer_format(out, "%%%02X", c);
    }
}
