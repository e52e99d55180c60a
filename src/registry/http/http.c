// SPDX-License-Identifier: Apache-2.0
// A registry elsewhere. What an id stands for never changes, so that texts are kept for ever; what is not known is remembered for a while only.
#include "registry/http/caller.h"
#include "registry/inline.h"
#include "registry/ops.h"

#include "base/memory.h"
#include "base/time.h"
#include <pthread.h>
#include <stdlib.h>

enum { UNKNOWN_MAX = 1024, UNKNOWN_MS = 30000, UNKNOWN_MS_MAX = 30 * 60000 };
enum { NOT_PERMITTED = 42205 }; // of Confluent's API: the mode forbids it

struct known {
    int32_t id;
    char *schema;
};

struct unknown {
    int32_t id; // 0: free
    int64_t until_us, pause_ms;
};

struct http_registry {
    struct weir_registry registry;
    struct caller *caller;
    pthread_mutex_t lock; // guards what follows
    pthread_cond_t answered;
    struct known *known; // in order of ids
    size_t known_count, known_capacity;
    int32_t *asked; // ids that some thread asks for
    size_t asked_count, asked_capacity;
    struct unknown unknown[UNKNOWN_MAX];
};

static struct http_registry *self_of(struct weir_registry *r)
{
    return (struct http_registry *)r;
}

// ---- answers

// What an answer that is no success says.
static int refusal(int status, const json_t *json, enum weir_fate fate, const char *what, struct weir_error *err)
{
    const char *message = json_string_value(json_object_get(json, "message"));
    int code = (int)json_integer_value(json_object_get(json, "error_code"));
    if (status == 401 || status == 403)
        return weir_fail(err, WEIR_BAD_CONFIG, WEIR_STOP, "%s: it does not let us (HTTP %d): give it credentials that may write", what, status);
    if (status == 405 || status == 501 || code == NOT_PERMITTED)
        return weir_fail(err, WEIR_BAD_CONFIG, WEIR_STOP, "%s: it is for reading only (HTTP %d)", what, status);
    if (!code)
        return weir_fail(err, WEIR_UNAVAILABLE, WEIR_RETRY, "%s: HTTP %d, but not as a schema registry answers: is its address right?", what, status);
    return weir_fail(err, WEIR_BAD_DATA, fate, "%s: %.300s (%d)", what, message ? message : "refused", code);
}

// 1: *ret_json is the answer, the caller's; 0: there is no such thing (404); -1.
static int get(struct http_registry *h, const char *path, const char *what, json_t **ret_json, struct weir_error *err)
{
    json_t *json = NULL;
    int status = caller_send(h->caller, path, NULL, &json, err);
    if (status < 0)
        return -1;
    if (status >= 200 && status < 300 && json) {
        *ret_json = json;
        return 1;
    }
    int rc = status == 404 && json_object_get(json, "error_code") ? 0 : refusal(status, json, WEIR_STOP, what, err);
    json_decref(json);
    return rc;
}

static int no_schema(const char *what, struct weir_error *err)
{
    return weir_fail(err, WEIR_BAD_DATA, WEIR_DEAD_LETTER, "%s: the registry's answer holds no schema", what);
}

// ---- references

static int fetch_version(void *context, const char *subject, int32_t version, struct weir_arena *arena, const char **ret_text,
                         json_t **ret_references, struct weir_error *err)
{
    weir_cleanup(weir_buffer_drop) struct weir_buffer path = {0};
    json_t *json = NULL;
    weir_buffer_format(&path, "/subjects/");
    caller_escape(&path, subject);
    weir_buffer_format(&path, "/versions/%d%c", version, 0);
    int got = get(context, (const char *)path.data, subject, &json, err);
    if (got <= 0)
        return got < 0 ? -1 : weir_fail(err, WEIR_BAD_DATA, WEIR_DEAD_LETTER, "the registry has no version %d of '%.80s'", version, subject);
    const char *text = json_string_value(json_object_get(json, "schema"));
    if (text) {
        *ret_text = weir_arena_copy(arena, weir_str_of(text)).data;
        *ret_references = json_incref(json_object_get(json, "references"));
    }
    json_decref(json);
    return text ? 0 : no_schema(subject, err);
}

// The text of an answer that holds a schema, whole.
static int whole_text(struct http_registry *h, const json_t *json, const char *what, struct weir_arena *arena, const char **ret,
                      struct weir_error *err)
{
    const char *text = json_string_value(json_object_get(json, "schema")), *type = json_string_value(json_object_get(json, "schemaType"));
    if (!text)
        return no_schema(what, err);
    if (type && strcmp(type, "AVRO") != 0)
        return weir_fail(err, WEIR_BAD_DATA, WEIR_DEAD_LETTER, "%s is of type %.20s, not Avro", what, type);
    const struct inline_source source = {fetch_version, h};
    const char *whole;
    if (inline_references(text, json_object_get(json, "references"), &source, arena, &whole, err) < 0)
        return weir_wrap(err, "%s", what);
    *ret = weir_arena_copy(arena, weir_str_of(whole)).data;
    return 0;
}

// ---- ids

static size_t known_position(const struct http_registry *h, int32_t id)
{
    size_t low = 0, high = h->known_count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (h->known[middle].id < id)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static const char *find_known(const struct http_registry *h, int32_t id)
{
    size_t at = known_position(h, id);
    return at < h->known_count && h->known[at].id == id ? h->known[at].schema : NULL;
}

static void remember_known(struct http_registry *h, int32_t id, const char *schema)
{
    size_t at = known_position(h, id);
    weir_grow(&h->known, &h->known_capacity, h->known_count + 1, sizeof *h->known);
    memmove(h->known + at + 1, h->known + at, (h->known_count - at) * sizeof *h->known);
    h->known[at] = (struct known){id, weir_strdup(schema)};
    h->known_count++;
}

static struct unknown *find_unknown(struct http_registry *h, int32_t id)
{
    for (int i = 0; i < UNKNOWN_MAX; i++)
        if (h->unknown[i].id == id)
            return &h->unknown[i];
    return NULL;
}

static struct unknown *oldest_unknown(struct http_registry *h)
{
    struct unknown *oldest = &h->unknown[0];
    for (int i = 1; i < UNKNOWN_MAX; i++)
        if (h->unknown[i].until_us < oldest->until_us)
            oldest = &h->unknown[i];
    return oldest;
}

static void remember_unknown(struct http_registry *h, int32_t id)
{
    struct unknown *u = find_unknown(h, id);
    int64_t pause_ms = u ? u->pause_ms * 2 : UNKNOWN_MS;
    if (!u)
        u = oldest_unknown(h);
    if (pause_ms > UNKNOWN_MS_MAX)
        pause_ms = UNKNOWN_MS_MAX;
    *u = (struct unknown){id, weir_monotonic_us() + pause_ms * 1000, pause_ms};
}

static void forget_unknown(struct http_registry *h, int32_t id)
{
    struct unknown *u = find_unknown(h, id);
    if (u)
        *u = (struct unknown){0};
}

static bool is_asked(const struct http_registry *h, int32_t id)
{
    for (size_t i = 0; i < h->asked_count; i++)
        if (h->asked[i] == id)
            return true;
    return false;
}

static void begin_asking(struct http_registry *h, int32_t id)
{
    weir_grow(&h->asked, &h->asked_capacity, h->asked_count + 1, sizeof *h->asked);
    h->asked[h->asked_count++] = id;
}

static void end_asking(struct http_registry *h, int32_t id)
{
    for (size_t i = 0; i < h->asked_count; i++)
        if (h->asked[i] == id)
            h->asked[i] = h->asked[--h->asked_count];
    pthread_cond_broadcast(&h->answered);
}

static int unknown_id(int32_t id, struct weir_error *err)
{
    return weir_fail(err, WEIR_BAD_DATA, WEIR_DEAD_LETTER, "the registry has no schema %d", id);
}

// 1: *ret is its text, 0: there is none, -1.
static int fetch_id(struct http_registry *h, int32_t id, struct weir_arena *arena, const char **ret, struct weir_error *err)
{
    char path[40], what[40];
    json_t *json = NULL;
    snprintf(path, sizeof path, "/schemas/ids/%d", id);
    snprintf(what, sizeof what, "schema %d", id);
    int got = get(h, path, what, &json, err);
    if (got == 1 && whole_text(h, json, what, arena, ret, err) < 0)
        got = -1;
    json_decref(json);
    return got;
}

// Asks, with the lock held before and after.
static int ask_for(struct http_registry *h, int32_t id, struct weir_arena *arena, const char **ret, struct weir_error *err)
{
    const char *text;
    begin_asking(h, id);
    pthread_mutex_unlock(&h->lock);
    int got = fetch_id(h, id, arena, &text, err);
    pthread_mutex_lock(&h->lock);
    end_asking(h, id);
    if (got == 1) {
        forget_unknown(h, id);
        remember_known(h, id, text);
        *ret = text;
        return 0;
    }
    if (got == 0)
        return remember_unknown(h, id), unknown_id(id, err);
    if (err->fate == WEIR_DEAD_LETTER)
        remember_unknown(h, id); // an answer that is of no use
    return -1;
}

static int schema_locked(struct http_registry *h, int32_t id, struct weir_arena *arena, const char **ret, struct weir_error *err)
{
    for (;;) {
        const char *text = find_known(h, id);
        if (text) {
            *ret = weir_arena_copy(arena, weir_str_of(text)).data;
            return 0;
        }
        const struct unknown *u = find_unknown(h, id);
        if (u && weir_monotonic_us() < u->until_us)
            return unknown_id(id, err);
        if (!is_asked(h, id))
            return ask_for(h, id, arena, ret, err);
        pthread_cond_wait(&h->answered, &h->lock);
    }
}

static int http_schema(struct weir_registry *r, int32_t id, struct weir_arena *arena, const char **ret_schema, struct weir_error *err)
{
    struct http_registry *h = self_of(r);
    if (id <= 0)
        return unknown_id(id, err);
    pthread_mutex_lock(&h->lock);
    int rc = schema_locked(h, id, arena, ret_schema, err);
    pthread_mutex_unlock(&h->lock);
    if (rc < 0 && err->fate == WEIR_RETRY && !caller_waits(h->caller))
        err->fate = WEIR_DEAD_LETTER;
    return rc;
}

// ---- subjects

// 409 is what a schema gets that may not follow; and, from Apicurio, what the second of two gets who make a subject at the same moment: that one is told
// the id when it asks again.
static int send_schema(struct http_registry *h, const char *path, const char *text, json_t **ret, struct weir_error *err)
{
    enum { CONFLICT = 409 };
    int status = caller_send(h->caller, path, text, ret, err);
    if (status != CONFLICT)
        return status;
    json_decref(*ret);
    return caller_send(h->caller, path, text, ret, err);
}

static int http_enroll(struct weir_registry *r, const char *subject, const char *schema, int32_t *ret_id, struct weir_error *err)
{
    struct http_registry *h = self_of(r);
    weir_cleanup(weir_buffer_drop) struct weir_buffer path = {0};
    json_t *body = json_pack("{s:s}", "schema", schema), *json = NULL;
    char *text = body ? json_dumps(body, JSON_COMPACT) : NULL;
    json_decref(body);
    if (!text)
        return weir_fail(err, WEIR_BAD_DATA, WEIR_STOP, "the schema of '%.80s' is no UTF-8", subject);
    weir_buffer_format(&path, "/subjects/");
    caller_escape(&path, subject);
    weir_buffer_format(&path, "/versions%c", 0);
    int status = send_schema(h, (const char *)path.data, text, &json, err);
    free(text);
    if (status < 0)
        return -1;
    int64_t id = json_integer_value(json_object_get(json, "id"));
    bool good = status < 300 && id > 0 && id <= INT32_MAX;
    weir_cleanup(weir_freep) char *what = weir_format("the registry does not take the schema of '%.80s'", subject);
    int rc = good ? 0 : refusal(status, json, WEIR_STOP, what, err);
    json_decref(json);
    if (good)
        *ret_id = (int32_t)id;
    return rc;
}

struct walk {
    struct http_registry *h;
    int (*visit)(void *context, const struct weir_subject_version *v);
    void *context;
    bool ended;
};

static int walk_version(struct walk *w, const char *subject, int32_t version, struct weir_error *err)
{
    weir_cleanup(weir_arena_drop) struct weir_arena arena = {0};
    weir_cleanup(weir_buffer_drop) struct weir_buffer path = {0};
    json_t *json = NULL;
    weir_buffer_format(&path, "/subjects/");
    caller_escape(&path, subject);
    weir_buffer_format(&path, "/versions/%d%c", version, 0);
    int got = get(w->h, (const char *)path.data, subject, &json, err);
    if (got <= 0)
        return got; // gone since
    struct weir_subject_version v = {.subject = subject, .version = version, .id = (int32_t)json_integer_value(json_object_get(json, "id"))};
    const char *type = json_string_value(json_object_get(json, "schemaType"));
    int rc = 0;
    if (type && strcmp(type, "AVRO") != 0)
        v.schema = weir_arena_copy(&arena, weir_str_of(json_string_value(json_object_get(json, "schema")))).data;
    else
        rc = whole_text(w->h, json, subject, &arena, &v.schema, err);
    json_decref(json);
    if (rc == 0)
        w->ended = w->visit(w->context, &v) != 0;
    return rc;
}

static int walk_subject(struct walk *w, const char *subject, struct weir_error *err)
{
    weir_cleanup(weir_buffer_drop) struct weir_buffer path = {0};
    json_t *versions = NULL;
    weir_buffer_format(&path, "/subjects/");
    caller_escape(&path, subject);
    weir_buffer_format(&path, "/versions%c", 0);
    int rc = get(w->h, (const char *)path.data, subject, &versions, err);
    if (rc <= 0)
        return rc;
    rc = 0;
    for (size_t i = 0; rc == 0 && !w->ended && i < json_array_size(versions); i++)
        rc = walk_version(w, subject, (int32_t)json_integer_value(json_array_get(versions, i)), err);
    json_decref(versions);
    return rc;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static int http_versions(struct weir_registry *r, const char *subject, int (*visit)(void *context, const struct weir_subject_version *v),
                         void *context, struct weir_error *err)
{
    struct walk w = {self_of(r), visit, context, false};
    if (subject)
        return walk_subject(&w, subject, err);
    json_t *subjects = NULL;
    int got = get(w.h, "/subjects", "the registry's subjects", &subjects, err);
    if (got <= 0)
        return got;
    size_t count = json_array_size(subjects), named = 0;
    weir_cleanup(weir_freep) const char **names = weir_zalloc(count + 1, sizeof *names);
    for (size_t i = 0; i < count; i++)
        if (json_is_string(json_array_get(subjects, i)))
            names[named++] = json_string_value(json_array_get(subjects, i));
    qsort(names, named, sizeof *names, by_name);
    int rc = 0;
    for (size_t i = 0; rc == 0 && !w.ended && i < named; i++)
        rc = walk_subject(&w, names[i], err);
    json_decref(subjects);
    return rc;
}

static int http_level(struct weir_registry *r, const char *subject, enum weir_level *ret, struct weir_error *err)
{
    weir_cleanup(weir_buffer_drop) struct weir_buffer path = {0};
    json_t *json = NULL;
    weir_buffer_format(&path, "/config/");
    caller_escape(&path, subject);
    weir_buffer_format(&path, "?defaultToGlobal=true%c", 0);
    int got = get(self_of(r), (const char *)path.data, "the compatibility level", &json, err);
    if (got == 0)
        got = get(self_of(r), "/config", "the compatibility level", &json, err);
    const char *name = json_string_value(json_object_get(json, "compatibilityLevel"));
    int rc = got < 0 ? -1 : name ? weir_level_parse(weir_str_of(name), ret) : -1;
    if (got >= 0 && rc < 0)
        weir_fail(err, WEIR_BAD_DATA, WEIR_STOP, "the registry names no compatibility level that there is");
    json_decref(json);
    return rc;
}

// ---- open and close

static bool http_healthy(struct weir_registry *r, struct weir_buffer *reasons)
{
    return caller_healthy(self_of(r)->caller, reasons);
}

static void http_close(struct weir_registry *r)
{
    struct http_registry *h = self_of(r);
    for (size_t i = 0; i < h->known_count; i++)
        free(h->known[i].schema);
    free(h->known);
    free(h->asked);
    caller_free(h->caller);
    pthread_cond_destroy(&h->answered);
    pthread_mutex_destroy(&h->lock);
    free(h);
}

static const struct registry_ops ops = {http_close, http_healthy, http_enroll, http_schema, http_versions, http_level};

int weir_registry_http(const char *url, uint32_t option_count, const struct weir_option *options, struct weir_registry **ret, struct weir_error *err)
{
    struct caller *caller;
    if (caller_new(url, option_count, options, &caller, err) < 0)
        return -1;
    if (caller_connect(caller, err) < 0) {
        caller_free(caller);
        return -1;
    }
    struct http_registry *h = weir_zalloc(1, sizeof *h);
    h->registry.ops = &ops;
    h->caller = caller;
    pthread_mutex_init(&h->lock, NULL);
    pthread_cond_init(&h->answered, NULL);
    *ret = &h->registry;
    return 0;
}
