// SPDX-License-Identifier: Apache-2.0
// What the server is made of; shared by its files only.
//
//   server    libmicrohttpd's daemon and its threads; one more thread, the keeper, feeds the streams and cuts slow connections
//   request   from the request line to the end of its answer; belongs to one of the daemon's threads at a time
//   route     a pattern of the path, its method, who may ask, and the function that answers
//   reply     status, type, body: what a route's function fills
#pragma once
#include "base/arena.h"
#include "base/buffer.h"
#include "http/http.h"
#include "http/page.h"
#include <microhttpd.h>
#include <pthread.h>
#include <stdatomic.h>

enum {
    HTTP_CONNECTIONS_MAX = 256,
    HTTP_HEADER_BYTES_MAX = 32 << 10, // of a connection: request line, headers and what the daemon itself needs
    HTTP_BODY_BYTES_MAX = 1 << 20,    // unless the pipeline file says otherwise
    HTTP_DISCARD_BYTES_MAX = 8 << 20, // of a body that is refused, read all the same so that the answer is seen
    HTTP_IDLE_S = 15,
    HTTP_REQUEST_S = 30, // for a whole request to arrive
    HTTP_ANSWER_S = 60,  // for its answer to be taken
    HTTP_ANSWER_BYTES_MAX = 8 << 20,
    HTTP_ROWS_DEFAULT = 100,
    HTTP_ROWS_MAX = 10000,
    HTTP_ARGS_MAX = 8,
    HTTP_PARAMS_MAX = 64,
    HTTP_HEADERS_MAX = 4,
};

enum http_role { HTTP_ANYONE, HTTP_READER, HTTP_OPERATOR }; // each may what those before it may

struct http_param {
    struct weir_str name, value; // decoded, UTF-8, no NUL bytes
};

struct http_header {
    const char *name, *value;
};

struct http_reply {
    int status;              // 0: nothing yet
    const char *type;        // static
    struct weir_buffer body; // the request's
    struct weir_str fixed;   // a body that outlives the server, in place of the other
    struct http_header headers[HTTP_HEADERS_MAX];
    uint32_t header_count;
    struct MHD_Response *response; // made by the route itself, in place of all but the status
};

struct http_request {
    struct weir_http *http;
    struct MHD_Connection *connection;
    const struct http_route *route; // NULL: none
    const char *method;
    char *uri; // as it was sent
    struct weir_str args[HTTP_ARGS_MAX];
    struct http_param params[HTTP_PARAMS_MAX];
    uint32_t param_count;
    const char *who; // the token's name or the JWT's subject, for the access log
    struct weir_buffer body;
    uint64_t body_bytes; // that came, kept or not
    int64_t started_us;
    bool begun;                // headers were looked at
    bool waiting;              // the pool has it, or had it
    struct http_request *next; // in the pool
    struct http_reply reply;
    struct weir_arena arena;
};

struct http_route {
    const char *name;    // in metrics
    const char *pattern; // "/api/v1/tables/{table}/rows": each {…} is one segment, in args
    const char *method;  // GET (which allows HEAD), POST, PUT or DELETE
    enum http_role role;
    void (*answer)(struct http_request *r);
};

// What a server serves: the API with its page, or the embedded registry.
struct http_site {
    const struct http_route *routes;
    uint32_t route_count;
    uint16_t port;                 // unless another is given
    const char *const *body_types; // ends with NULL; the first is the one to be named
    uint64_t body_bytes_max;
    // Fills the reply with a refusal in the site's own shape; NULL: application/problem+json.
    void (*refuse)(struct http_request *r, int status, const char *text);
};
extern const struct http_site http_api, http_registry;

struct http_connection { // what the keeper watches
    struct http_connection *previous, *next;
    int fd;
    _Atomic int64_t until_us; // when it is cut
};

struct http_auth;
struct http_streams;
struct http_counts;
struct http_contracts;
struct http_pool;

struct weir_http {
    const struct http_site *site;
    struct weir_engine *engine;       // of the API
    struct weir_contracts *contracts; // of the registry
    struct weir_http_options options;
    uint64_t body_bytes_max;
    char *url;
    bool loopback;
    int fd;
    struct MHD_Daemon *daemon;
    struct http_auth *auth; // NULL: anyone may ask, on loopback
    struct http_streams *streams;
    struct http_counts *counts;
    struct http_pool *pool;       // NULL: every engine is embedded, nothing waits
    struct http_contracts *shown; // what pipelines agree on with others
    char (*etags)[20];            // by page file
    atomic_uint under_way;        // requests
    pthread_mutex_t lock;         // connections, ending
    pthread_cond_t wake;
    struct http_connection *connections;
    bool ending;
    pthread_t keeper;
};

// server.c
void http_say(const struct weir_http *h, const char *format, ...) __attribute__((format(printf, 2, 3)));

// listen.c: *ret_url is the caller's
int http_listen(const char *listen, uint16_t port, int *ret_fd, char **ret_url, bool *ret_loopback, struct weir_error *err);

// route.c
const struct http_route *http_route_find(struct http_request *r, const struct weir_str *segments, uint32_t count); // NULL: r->reply says why
bool http_route_waits(const struct http_route *route); // for engines that may be elsewhere
uint32_t http_route_count(void);                       // of the API; the last: none of them
const char *http_route_name(uint32_t number);
uint32_t http_route_number(const struct http_route *route); // of NULL: that of "none"

// request.c
int http_request_parse(struct http_request *r);                                    // path and query of r->uri; -1: r->reply says why
const struct weir_str *http_param(const struct http_request *r, const char *name); // NULL: not given
// Refuses parameters that are not among `names`, and such that are given twice. -1: r->reply says why.
int http_check_params(struct http_request *r, const char *const *names, uint32_t count);
int http_limit(struct http_request *r, uint32_t usual, uint32_t most, uint32_t *ret); // the parameter `limit`
bool http_decode(struct weir_str text, bool plus, struct weir_arena *arena, struct weir_str *ret);

// reply.c
void http_problem(struct http_request *r, int status, const char *format, ...) __attribute__((format(printf, 3, 4)));
void http_problem_of(struct http_request *r, const struct weir_error *err);    // the status that goes with an error of the engine
struct weir_buffer *http_json(struct http_request *r);                         // 200 and JSON: where to write it
void http_header(struct http_request *r, const char *name, const char *value); // both outlive the request
enum MHD_Result http_send(struct http_request *r);

// value.c
void http_quote(struct weir_buffer *b, struct weir_str text);                                    // as a JSON string; what is no UTF-8 as \u00XX
void http_value(struct weir_buffer *b, enum weir_cql_type type, const struct weir_value *value); // as JSON
void http_row(struct weir_buffer *b, const struct weir_table *table, const struct weir_value *values);

// auth.c
int http_auth_new(const struct weir_http_spec *spec, struct http_auth **ret, struct weir_error *err); // NULL where spec configures nothing
void http_auth_free(struct http_auth *a);
int http_authorize(struct http_request *r, enum http_role role); // -1: r->reply says why

// jwt.c: JSON web tokens (RFC 7519), signed as RS256 or ES256 by a key of `keys`
struct http_keys;
int http_keys_open(const char *where, struct http_keys **ret, struct weir_error *err); // a file (JWKS or PEM), read at once, or a JWKS by URL
void http_keys_free(struct http_keys *k);
struct http_claims {
    const char *subject, *role; // in `arena`; NULL: none. The highest role that the claim names
};
// 0, or -1 and why not as static text.
int http_jwt_verify(struct http_keys *k, const struct weir_http_spec *spec, struct weir_str token, struct weir_arena *arena, struct http_claims *ret,
                    const char **ret_why);

// keys.c: public keys by id
struct evp_pkey_st *http_keys_find(struct http_keys *k, const char *kid, bool elliptic); // caller frees; NULL: there is none. kid may be NULL

// base64.c: RFC 4648, section 5, without padding
void http_base64_add(struct weir_buffer *out, struct weir_str bytes);
int http_base64_parse(struct weir_str text, struct weir_buffer *out);

// cursor.c: where a page of rows ended, as an opaque text
void http_cursor_add(struct weir_buffer *out, uint64_t fingerprint, const struct weir_table *table, const struct weir_value *values);
// Values of the key columns in their order; -1 if it is no cursor of this table and fingerprint.
int http_cursor_parse(struct weir_str text, uint64_t fingerprint, const struct weir_table *table, struct weir_arena *arena, struct weir_value *ret);
// Orders a row against a key as scans do.
int http_key_compare(const struct weir_table *table, const struct weir_value *row, const struct weir_value *key);

// stream.c
struct http_streams *http_streams_new(struct weir_http *h);
void http_streams_tick(struct http_streams *s, int64_t now_us); // by the keeper, a few times a second
void http_streams_end(struct http_streams *s);                  // tells each that it is over and waits shortly
void http_streams_free(struct http_streams *s);
uint32_t http_streams_open(struct http_streams *s);

// metrics.c
struct http_counts *http_counts_new(void);
void http_counts_free(struct http_counts *c);
void http_count(struct http_counts *c, const struct http_route *route, int status, int64_t us);

// pool.c
struct http_pool *http_pool_new(void);
void http_pool_answer(struct http_pool *p, struct http_request *r); // by the daemon's thread that has it
void http_pool_free(struct http_pool *p);                           // what was not begun is refused; waits for the rest; takes NULL

// store_metrics.c
void http_store_metrics(struct weir_buffer *b, struct weir_engine *e);

// contracts.c
struct http_contracts *http_contracts_new(void);
void http_contracts_free(struct http_contracts *c); // takes NULL

// what routes answer with
void http_live(struct http_request *r);
void http_ready(struct http_request *r);
void http_metrics(struct http_request *r);
void http_status(struct http_request *r);
void http_contracts(struct http_request *r);
void http_tables(struct http_request *r);
void http_keys(struct http_request *r);
void http_rows(struct http_request *r);
void http_stream(struct http_request *r);
void http_dead(struct http_request *r);
void http_post(struct http_request *r);
void http_hours(struct http_request *r);
void http_days(struct http_request *r);
void http_months(struct http_request *r);
bool http_page(struct http_request *r, const char *path); // false: there is no such file

// page.c
char (*http_etags_new(void))[20]; // by page file; caller frees

// tables.c: the table that the path and ?pipeline= name; -1: r->reply says why
int http_find_table(struct http_request *r, struct weir_str name, uint32_t *ret_pipeline, uint32_t *ret_query);
int http_find_pipeline(struct http_request *r, uint32_t *ret); // by ?pipeline=; pipelines' number where it is not given
