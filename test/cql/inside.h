// SPDX-License-Identifier: Apache-2.0
// The fake ring's insides. Everything here happens under the ring's lock; connections are freed by the ring's thread only.
#pragma once
#include "base/memory.h"
#include "cql/message.h"
#include "fake.h"
#include <openssl/ssl.h>
#include <pthread.h>

enum fake_source_kind { FAKE_WAKE, FAKE_LISTENER, FAKE_CONN };
struct fake_source { // what epoll's events point to
    enum fake_source_kind kind;
    uint32_t node;
    int fd; // -1: closed
};

enum { FAKE_STREAMS = 32768, FAKE_MARKERS_MAX = 16 };

struct fake_statement {
    uint8_t id[16];
    char *text;
    uint32_t marker_count;
    struct weir_str markers[FAKE_MARKERS_MAX]; // column names, in text
    uint32_t nodes;                            // that know it: a bit each
};

struct fake_conn {
    struct fake_source source;
    uint64_t serial;
    struct cql_decoder decoder;
    struct weir_buffer envelopes;  // answers, not yet in segments
    struct weir_buffer plain, out; // framed; what goes to the socket (the same bytes, or TLS records)
    size_t sent;                   // of out
    enum cql_version version;
    bool lz4, segmented, registered, authenticated, half_open, closing, dead, writing, reading;
    uint8_t owed[FAKE_STREAMS / 8];
    uint32_t owed_count, in_read;
    SSL *tls;
    struct fake_conn *next;
};

struct fake_node {
    struct fake_source listener;
    char address[16], host_id[37];
    uint8_t host_uuid[16];
    uint32_t datacenter, rack, token_count;
    int64_t tokens[FAKE_TOKENS_MAX];
    bool frozen, gone, disagrees;
    struct fake_stats stats;
};

struct fake_rule_state {
    struct fake_rule rule;
    uint64_t seen, hits;
};

struct fake_answer { // held
    struct fake_answer *next;
    uint64_t conn;
    bool framed;
    struct weir_buffer envelope;
};

struct fake_cells {
    struct weir_str key, value; // key: the first two bound values with their lengths, owned
    int64_t timestamp_us, timestamps[4];
    uint32_t writes, timestamp_count;
};

struct fake_rows {
    struct fake_cells *rows;
    size_t count, capacity;
    uint32_t *slots; // row + 1; 0: free
    size_t slot_count;
};

struct fake_ring {
    struct fake_options options;
    pthread_t thread;
    pthread_mutex_t lock;
    int epoll;
    struct fake_source wake;
    bool stopping;
    uint16_t port;
    uint32_t node_count, chop, capacity, altered, generation;
    uint64_t serial, random;
    struct fake_node nodes[FAKE_NODES_MAX];
    struct fake_conn *conns;
    struct fake_rule_state *rules;
    size_t rule_count, rule_capacity;
    struct fake_answer *held; // newest first
    struct fake_statement **statements;
    size_t statement_count, statement_capacity;
    struct fake_rows rows;
    SSL_CTX *tls;
};

// ---- loop.c: sockets

void fake_loop_start(struct fake_ring *r); // epoll, so that nodes can listen
void fake_loop_run(struct fake_ring *r);   // the thread
void fake_loop_stop(struct fake_ring *r);
void fake_loop_wake(struct fake_ring *r);
void fake_listen(struct fake_ring *r, uint32_t node);
void fake_watch(struct fake_ring *r, struct fake_source *s, bool on);
void fake_conn_close(struct fake_ring *r, struct fake_conn *c, bool reset);
void fake_conn_flush(struct fake_ring *r, struct fake_conn *c);

// ---- statement.c: what statements say

struct fake_request {
    const struct cql_header *header;
    enum cql_version version;
    struct cql_asked asked;
    struct weir_str text;             // of the statement; empty: none
    struct fake_statement *statement; // EXECUTE and BATCH; NULL: unknown
};
struct fake_statement *fake_statement_of(struct fake_ring *r, struct weir_str text); // made where it is new
struct fake_statement *fake_statement_find(struct fake_ring *r, struct weir_str id); // NULL: none
void fake_statements_drop(struct fake_ring *r);
struct weir_str fake_text_after(struct weir_str text, const char *part); // whatever the case; NULL data: it is not there
bool fake_text_starts(struct weir_str text, const char *verb);
struct weir_str fake_text_word(struct weir_str text); // the first: letters, digits, _ . and *
enum { FAKE_COLUMNS_MAX = 32 };
uint32_t fake_select_columns(struct weir_str text, struct weir_str *ret_names); // as SELECT has them; "*" is one

// ---- serve.c: what a node does with a request; answer.c: how it answers

void fake_serve(struct fake_ring *r, struct fake_conn *c, const struct cql_header *header, struct weir_str body);
const struct fake_rule *fake_rule_find(struct fake_ring *r, uint32_t node, const struct fake_request *q);
// Sends an answer as the rule has it; NULL: as it should be.
void fake_answer(struct fake_ring *r, struct fake_conn *c, const struct fake_request *q, enum cql_opcode opcode, struct weir_str body,
                 const struct fake_rule *rule);
void fake_answer_error(struct fake_ring *r, struct fake_conn *c, const struct fake_request *q, int32_t code, const struct fake_rule *rule);
void fake_frame(struct fake_conn *c);
void fake_send(struct fake_ring *r, struct fake_conn *c, struct weir_str envelope);
void fake_put_error(struct weir_buffer *b, int32_t code, const struct fake_request *q);
void fake_put_inet(struct weir_buffer *b, const char *address); // one byte of length, the address
uint64_t fake_random(struct fake_ring *r);

// ---- rows.c and system.c: what is in the tables

void fake_rows_write(struct fake_rows *rows, struct weir_str values, uint32_t count, int64_t timestamp_us); // the values of one row
const struct fake_cells *fake_rows_find(const struct fake_rows *rows, struct weir_str key);
void fake_rows_drop(struct fake_rows *rows);
void fake_put_select(struct fake_ring *r, const struct fake_request *q, struct weir_buffer *b);
void fake_put_system(struct fake_ring *r, uint32_t node, const struct fake_request *q, struct weir_buffer *b);
void fake_put_columns(struct weir_buffer *b, const char *keyspace, const char *table, const struct weir_str *names, uint32_t count);
void fake_result_id(const struct fake_ring *r, uint8_t ret[16]); // of what SELECTs give now
