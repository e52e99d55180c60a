// SPDX-License-Identifier: Apache-2.0
// A client for Apache Cassandra: one session a cluster, shared by all threads. Requests go to a replica of the row they are about, over one
// connection a node and I/O thread; answers come back by callback. Depends on base/ and the C library, OpenSSL and LZ4 only.
//
//   happy path  cql_session_open → cql_prepare → cql_submit (any thread) … done() in the I/O thread
//   a node goes its requests go to other replicas by the class of the error; connections are tried again for ever, ever more slowly (≤ 60 s)
//   a node moves hosts are known by host_id; an address that changes is followed
//
// Nothing is sent twice with another timestamp: a request's bytes are made once.
#pragma once
#include "base/arena.h"
#include "cql/wire.h"

struct cql_session;
struct cql_prepared; // belongs to the session, valid as long as it
struct cql_result;

struct cql_tls {
    bool on;
    const char *ca_file;              // PEM; NULL: the system's
    const char *cert_file, *key_file; // of the client; NULL: none
    bool insecure;                    // neither chain nor name is looked at; said in a warning
    const char *server_name;          // what certificates must name; NULL: the address that is connected to
};

struct cql_options { // zeros are defaults
    uint32_t host_count;
    const char *const *hosts; // names or addresses, tried in order, all their addresses
    uint16_t port;            // 9042
    const char *local_dc;     // NULL: that of the first node that answers
    const char *username, *password;
    struct cql_tls tls;
    int version_max;                              // CQL_V5
    bool no_compression;                          // else LZ4 where the server has it
    uint32_t io_threads;                          // 1
    uint32_t connect_timeout_ms;                  // 5000
    uint32_t request_timeout_ms;                  // 12000: longer than the server's own; then the answer is unknown and the stream stays taken
    uint32_t open_timeout_ms;                     // 10000: how long cql_session_open tries
    uint32_t in_flight_requests;                  // 1024, over the session; the adaptive window stays below
    size_t in_flight_bytes;                       // 32 MiB
    uint32_t window_max;                          // 256: requests in flight to a node, at most
    void (*log)(void *context, const char *line); // what an operator wants to know: nodes up and down, warnings. NULL: silence
    void *log_context;
};

// Fails with WEIR_UNAVAILABLE, naming the addresses and why each failed; a login or certificate that is refused fails at once (WEIR_BAD_CONFIG).
int cql_session_open(const struct cql_options *options, struct cql_session **ret, struct weir_error *err);
// What is in flight is answered with WEIR_UNAVAILABLE first. No callback comes after it returns. Takes NULL.
void cql_session_close(struct cql_session *s);

// ---- statements

// Prepares on one node now and on others when they are first asked; again where a node has forgotten it (UNPREPARED), once for all who wait.
// The same text gives the same statement. Blocking; not for the I/O thread.
int cql_prepare(struct cql_session *s, const char *text, const struct cql_prepared **ret, struct weir_error *err);
uint32_t cql_prepared_values(const struct cql_prepared *p); // bind markers

enum cql_kind { CQL_QUERY, CQL_EXECUTE, CQL_BATCH }; // a batch is UNLOGGED, of one prepared statement, all rows of one partition

struct cql_request {
    enum cql_kind kind;
    const char *text;                    // CQL_QUERY
    const struct cql_prepared *prepared; // the others
    uint32_t rows;                       // CQL_BATCH: how many
    struct weir_str values;              // bound values (cql_bind_*) of the row, of a batch's rows one after another; copied
    uint32_t value_count;                // CQL_QUERY: how many; the others know
    enum cql_consistency consistency;
    bool has_token; // where the row lives; else any node
    int64_t token;
    const char *keyspace; // whose replication the token is looked up in
    bool has_timestamp;   // default write timestamp
    int64_t timestamp_us;
    bool idempotent;              // may be sent again after an unknown outcome. Writes with timestamps and reads are
    int32_t page_rows;            // 0: 5000
    struct weir_str paging_state; // empty: from the start
    uint32_t timeout_ms;          // of one attempt; 0: the session's
    uint32_t patience_ms;         // of the whole, waiting and further attempts included. 0: 30 s; UINT32_MAX: until the session closes
    const char *node;             // cql_node.address of the one node to ask; NULL: the session chooses
};

// Why a request failed, beside the error's text and fate (WEIR_RETRY: the trouble may pass; WEIR_DEAD_LETTER: the server will never take it).
enum cql_cause {
    CQL_CAUSE_NONE,
    CQL_CAUSE_NOT_SENT,
    CQL_CAUSE_OVERLOADED,
    CQL_CAUSE_UNAVAILABLE,
    CQL_CAUSE_TIMEOUT,
    CQL_CAUSE_REFUSED,
    CQL_CAUSE_CLOSED
};

struct cql_answer {
    const struct cql_result *result; // NULL: failed, or no rows. Valid during the callback only
    enum cql_cause cause;
    const struct weir_error *error; // NULL: good
    uint32_t attempts;
    int64_t latency_us; // of the last attempt
};
typedef void (*cql_done)(void *context, const struct cql_answer *answer); // in an I/O thread: be brief, never block; may submit

// Sends it as soon as the windows allow; retries by class inside. `done` is called exactly once. Never blocks: what does not fit waits in the
// session, and cql_session_room says how much.
void cql_submit(struct cql_session *s, const struct cql_request *request, cql_done done, void *context);
// How many bytes of requests may be submitted now without piling up beyond in_flight_bytes; 0: wait for answers.
size_t cql_session_room(struct cql_session *s);
// How many requests the nodes' windows would take at once; 0: what is submitted now waits, so that rows may as well gather into larger batches.
uint32_t cql_session_idle(struct cql_session *s);

// The same, waiting for the answer; the result is the caller's to free. Not for the I/O thread.
int cql_run(struct cql_session *s, const struct cql_request *request, struct cql_result **ret, struct weir_error *err);
// A statement without values, at LOCAL_ONE; DDL waits until the nodes agree on the schema.
int cql_run_text(struct cql_session *s, const char *text, struct cql_result **ret, struct weir_error *err);
// Waits so long (0: 90 s), then fails with WEIR_UNAVAILABLE, naming two nodes that differ.
int cql_await_schema(struct cql_session *s, uint32_t patience_ms, struct weir_error *err);

// ---- results

void cql_result_free(struct cql_result *r); // takes NULL
uint32_t cql_result_columns(const struct cql_result *r);
struct weir_str cql_result_column_name(const struct cql_result *r, uint32_t column);
enum cql_type cql_result_column_type(const struct cql_result *r, uint32_t column);
uint32_t cql_result_rows(const struct cql_result *r);
struct weir_str cql_result_paging_state(const struct cql_result *r); // empty: this was the last page
struct cql_cell {
    bool null;
    struct weir_str bytes;
};
struct cql_rows {
    const struct cql_result *result;
    struct weir_cursor cursor;
    uint32_t left;
};
void cql_rows_begin(const struct cql_result *r, struct cql_rows *ret);
// 1: a row, `cells` (as many as columns) filled, views into the result; 0: the end; -1: damaged.
int cql_rows_next(struct cql_rows *rows, struct cql_cell *cells);

// ---- the ring, as the session sees it

struct cql_node {
    char host_id[37], address[46], datacenter[64], rack[64], release[32];
    bool up;                    // has a connection
    uint32_t tokens;            // vnodes
    double ownership;           // share of the ring by tokens, 0 to 1
    uint32_t in_flight, window; // requests; the adaptive limit
    uint64_t requests, errors, timeouts, overloaded, reconnects;
    int64_t latency_us; // smoothed
    char trouble[160];  // why it is down; empty: it is not
};
uint32_t cql_session_nodes(struct cql_session *s, struct weir_arena *arena, struct cql_node **ret);
// The addresses of the replicas of a token, first the primary; for tests and tools.
uint32_t cql_session_replicas(struct cql_session *s, const char *keyspace, int64_t token, uint32_t max, char (*ret_addresses)[46]);

struct cql_counters { // since the session was opened
    uint64_t requests, rows, bytes_sent, bytes_received, retries, reprepared, warnings, orphans, failures;
};
struct cql_counters cql_session_counters(struct cql_session *s);
enum cql_version cql_session_version(const struct cql_session *s);
