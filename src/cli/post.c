// SPDX-License-Identifier: Apache-2.0
#include "cli/post.h"
#include "base/buffer.h"
#include "base/memory.h"
#include <curl/curl.h>
#include <jansson.h>
#include <stdlib.h>

enum { CONNECT_MS = 5000, ANSWER_MS = 30000, ANSWER_BYTES_MAX = 64 << 10 };

struct post {
    CURL *curl;
    struct curl_slist *headers;
    char *base, *url;
    struct weir_buffer answer;
    char why[CURL_ERROR_SIZE];
};

// What is beyond the limit is of no use: the transfer goes on without it.
static size_t take_answer(char *data, size_t size, size_t count, void *context)
{
    struct post *p = context;
    size_t bytes = size * count, room = ANSWER_BYTES_MAX - p->answer.bytes;
    weir_buffer_add(&p->answer, data, bytes < room ? bytes : room);
    return bytes;
}

static void add_header(struct post *p, const char *line)
{
    struct curl_slist *more = curl_slist_append(p->headers, line);
    weir_assert(more);
    p->headers = more;
}

struct post *post_open(const char *url, const char *topic, const char *token)
{
    struct post *p = weir_zalloc(1, sizeof *p);
    p->curl = curl_easy_init();
    weir_assert(p->curl);
    size_t slash = strlen(url);
    slash -= slash > 0 && url[slash - 1] == '/';
    p->base = weir_format("%.*s", (int)slash, url);
    p->url = weir_format("%s/api/v1/topics/%s/records", p->base, topic); // a topic's name needs no escapes
    add_header(p, "Content-Type: application/json");
    add_header(p, "Expect:");
    if (token) {
        weir_cleanup(weir_freep) char *line = weir_format("Authorization: Bearer %s", token);
        add_header(p, line);
    }
    curl_easy_setopt(p->curl, CURLOPT_URL, p->url);
    curl_easy_setopt(p->curl, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(p->curl, CURLOPT_PROXY, "");
    curl_easy_setopt(p->curl, CURLOPT_HTTPHEADER, p->headers);
    curl_easy_setopt(p->curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(p->curl, CURLOPT_CONNECTTIMEOUT_MS, (long)CONNECT_MS);
    curl_easy_setopt(p->curl, CURLOPT_TIMEOUT_MS, (long)ANSWER_MS);
    curl_easy_setopt(p->curl, CURLOPT_WRITEFUNCTION, take_answer);
    curl_easy_setopt(p->curl, CURLOPT_WRITEDATA, p);
    curl_easy_setopt(p->curl, CURLOPT_ERRORBUFFER, p->why);
    return p;
}

void post_close(struct post *p)
{
    if (!p)
        return;
    curl_easy_cleanup(p->curl);
    curl_slist_free_all(p->headers);
    weir_buffer_drop(&p->answer);
    free(p->base);
    free(p->url);
    free(p);
}

// ---- answers

static int refused(struct post *p, long status, struct weir_error *err)
{
    json_t *problem = json_loadb((const char *)p->answer.data, p->answer.bytes, 0, NULL);
    const char *detail = json_string_value(json_object_get(problem, "detail")), *title = json_string_value(json_object_get(problem, "title"));
    const char *said = detail ? detail : title ? title : "it does not say why";
    if (status == 401 || status == 403)
        weir_fail(err, WEIR_BAD_CONFIG, WEIR_STOP, "%s wants a token of an operator: give it with --token or WEIR_TOKEN (%s)", p->base, said);
    else if (status == 404)
        weir_fail(err, WEIR_UNAVAILABLE, WEIR_STOP, "%s takes no such events: %s", p->base, said);
    else if (status < 500)
        weir_fail(err, WEIR_BAD_DATA, WEIR_STOP, "%s refuses the events: %s", p->base, said);
    else
        weir_fail(err, WEIR_UNAVAILABLE, WEIR_RETRY, "%s failed (%ld): %s", p->base, status, said);
    json_decref(problem);
    return -1;
}

int post_send(struct post *p, struct weir_str json, struct weir_error *err)
{
    long status = 0;
    p->answer.bytes = 0;
    p->why[0] = '\0';
    curl_easy_setopt(p->curl, CURLOPT_POSTFIELDS, json.data);
    curl_easy_setopt(p->curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)json.bytes);
    CURLcode done = curl_easy_perform(p->curl);
    if (done != CURLE_OK)
        return weir_fail(err, WEIR_UNAVAILABLE, WEIR_RETRY, "%s does not answer: %s", p->base, p->why[0] ? p->why : curl_easy_strerror(done));
    curl_easy_getinfo(p->curl, CURLINFO_RESPONSE_CODE, &status);
    return status >= 200 && status < 300 ? 0 : refused(p, status, err);
}
