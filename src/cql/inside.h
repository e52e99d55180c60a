// SPDX-License-Identifier: Apache-2.0
// What the files of the session share. The way of a request:
//
//   submitter  cql_submit: call_make encodes it once ─► loop's inbox (lock-free) ─► eventfd, where the loop sleeps
//   I/O thread loop_turn: inbox ─► route (a node's waiting list) ─► pump, as the node's window allows: stream id, staged bytes ─► one send for many
//              answer ─► outcome: done(), or another try: at once on another node, later (delayed list), or behind a PREPARE (parked)
//
// A loop owns its nodes and connections: one thread, no locks. What threads share: the topology (immutable snapshots, counted), hosts (fields under
// session.lock, figures atomic), statements (immutable but for the metadata id), the pool of calls.
#pragma once
#include "base/memory.h"
#include "base/time.h"
#include "cql/cql.h"
#include "cql/message.h"
#include "cql/replicas.h"
#include "cql/retry.h"
#include "cql/window.h"
#include <netdb.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/socket.h>
#include <time.h>

struct call;
struct connection;
struct loop;
struct node;

enum { KEYSPACE_BYTES = 49, TICK_US = 50 * 1000, RECONNECT_MIN_US = 100 * 1000, RECONNECT_MAX_US = 60 * 1000 * 1000 };
enum { HEARTBEAT_US = 15 * 1000 * 1000, STALL_US = 1000 * 1000, DEBOUNCE_US = 1000 * 1000 };
#define FOREVER_US INT64_MAX

// ---- lists of calls, first in first out

struct calls {
    struct call *first, *last;
    uint32_t count;
};
void cql_calls_push(struct calls *list, struct call *call);
struct call *cql_calls_pop(struct calls *list); // NULL: empty

// ---- a request on its way

// An internal request's answer; `header` NULL: none came, `lost` says why. The call is the connection's again afterwards.
typedef void (*call_raw)(struct call *call, struct connection *c, const struct cql_header *header, struct weir_str body,
                         const struct weir_error *lost);

struct call {
    struct call *next;
    struct weir_buffer bytes; // the envelope, made once; its stream is set each time it is sent
    uint32_t charged;         // what it takes of in_flight_bytes
    call_raw raw;             // internal: pinned to a connection, never tried again
    cql_done done;
    void *context;
    const struct cql_prepared *prepared;
    struct host *only; // the node that must be asked; NULL: any
    uint32_t rows;
    bool idempotent, has_token;
    int64_t token;
    char keyspace[KEYSPACE_BYTES];
    int64_t give_up_us, timeout_us; // the whole, an attempt
    int64_t sent_us, due_us;        // of this attempt; when a delayed one is tried again
    uint64_t wire_start;            // where its bytes begin among all bytes of the connection
    uint32_t attempts, round, reprepared;
    struct node *avoid; // where it went wrong last
    enum cql_cause cause;
    struct weir_error *error; // the last one; NULL: none yet
};

struct call *cql_call_take(struct cql_session *s);            // empty, from the pool
void cql_call_give(struct cql_session *s, struct call *call); // into it
struct call *cql_call_make(struct cql_session *s, const struct cql_request *r, cql_done done, void *context);
struct call *cql_call_prepare(struct cql_session *s, const char *text);
struct call *cql_call_internal(struct cql_session *s, struct connection *c, enum cql_opcode opcode, call_raw raw, void *context, size_t *ret_start);
void cql_call_internal_end(struct call *call, size_t start);
void cql_call_note(struct call *call, enum cql_cause cause, const struct weir_error *why); // keeps why it went wrong

// ---- statements

struct cql_prepared {
    struct cql_prepared *next;
    uint32_t index; // in connections' lists of what their node knows
    char *text;
    struct weir_str id;
    uint32_t value_count;
    pthread_mutex_t lock; // of what follows
    uint8_t metadata_id[64];
    uint8_t metadata_id_bytes;
};

// ---- the cluster

struct host { // a node of the cluster; lives as long as the session
    uint8_t id[16];
    struct sockaddr_storage address; // this and the texts: under session.lock
    struct cql_node info;            // its figures are made when asked for
    bool gone;
    atomic_uint ready; // connections
    atomic_uint in_flight, window;
    atomic_ullong requests, errors, timeouts, overloaded, reconnects;
    atomic_llong latency_us;
    atomic_ullong nudge; // counts UP events: a loop that sees it change connects at once
};

struct keyspace {
    char name[KEYSPACE_BYTES];
    struct cql_replication replication;
    struct cql_replicas replicas; // made when first asked for, under the topology's lock
    atomic_bool made;
};

struct topology { // immutable once published, keyspaces' replicas aside
    atomic_uint users;
    uint32_t host_count;
    struct host **hosts;
    struct sockaddr_storage *addresses; // of the hosts when it was made
    struct cql_place *places;
    bool *local; // in the local data centre
    struct cql_vnode *vnodes;
    uint32_t vnode_count;
    struct keyspace *keyspaces;
    uint32_t keyspace_count;
    pthread_mutex_t lock;
    struct weir_arena memory; // names
};

struct topology *cql_topology_use(struct cql_session *s); // the newest, counted; NULL: none yet
void cql_topology_release(struct topology *t);            // takes NULL
void cql_topology_publish(struct cql_session *s, struct topology *t);
// The replicas of a token as places in t->hosts; 0: not known.
uint32_t cql_topology_replicas(struct topology *t, const char *keyspace, int64_t token, const uint32_t **ret);

// Builds a topology from the rows of system.local, system.peers_v2 (or peers) and system_schema.keyspaces.
struct topology_rows {
    struct cql_result *local, *peers, *keyspaces;
    struct sockaddr_storage asked; // the address that answered: that of the local node
    uint16_t port;                 // of peers that do not say
};
int cql_topology_build(struct cql_session *s, const struct topology_rows *rows, struct topology **ret, struct weir_error *err);

// ---- connections

enum phase { PHASE_CONNECT, PHASE_TLS, PHASE_HANDSHAKE, PHASE_READY, PHASE_DEAD };
enum trouble { TROUBLE_NETWORK, TROUBLE_PROTOCOL, TROUBLE_REFUSED }; // REFUSED: login or certificate; trying again will not help soon

struct connection_owner { // how its owner hears of it; each in the loop's thread
    void (*ready)(struct connection *c);
    void (*closed)(struct connection *c, enum trouble trouble, const struct weir_error *why); // once; its calls have been dealt with
    void (*event)(struct connection *c, const struct cql_event *event);                       // NULL: none are asked for
};

struct preparation { // a PREPARE under way and who waits for it
    struct preparation *next;
    const struct cql_prepared *statement;
    struct calls parked;
};

struct connection {
    struct connection *next; // all of a loop
    struct loop *loop;
    const struct connection_owner *ops;
    void *owner;
    int fd;
    SSL *tls;
    enum phase phase;
    char peer[64]; // address:port
    struct sockaddr_storage address;
    enum cql_version version;
    bool lz4, framed; // behind STARTUP
    bool draining;    // takes nothing new; closed when all is answered
    bool wants_write, dirty, probing;
    struct connection *next_dirty;
    int64_t deadline_us; // of the way to PHASE_READY
    int64_t heard_us;    // when bytes came last, or were first waited for again
    int64_t wrote_us;
    struct cql_decoder in;
    struct weir_buffer staged, out; // whole envelopes; bytes for the socket
    size_t out_sent;
    uint64_t wire_queued, wire_sent; // bytes since the beginning
    struct call **slots;             // by stream id; ORPHAN: given up, its answer may still come
    int16_t *free_ids;
    uint32_t slot_count, free_count, in_flight, orphans, parked;
    uint8_t *knows; // by statement index: prepared here
    size_t knows_capacity;
    struct preparation *preparations;
};

struct connection *cql_connection_open(struct loop *l, const struct sockaddr_storage *address, enum cql_version version, uint32_t slots,
                                       const struct connection_owner *ops, void *owner);
void cql_connection_close(struct connection *c, enum trouble trouble, const struct weir_error *why);
void cql_connection_free(struct connection *c); // when nobody can be using it: at the end of a turn
void cql_connection_drain(struct connection *c);
void cql_connection_happened(struct connection *c, uint32_t events);
void cql_connection_tick(struct connection *c);
bool cql_connection_can_send(const struct connection *c);
void cql_connection_send(struct connection *c, struct call *call); // takes it; a slot must be free
void cql_connection_flush(struct connection *c);
void cql_connection_name(const struct sockaddr_storage *address, char *out, size_t bytes); // 127.0.0.1:9042
void cql_address_text(const struct sockaddr_storage *address, char out[46]);
bool cql_address_equal(const struct sockaddr_storage *a, const struct sockaddr_storage *b);
int cql_address_parse(const char *text, uint16_t port, struct sockaddr_storage *ret);

void cql_handshake_begin(struct connection *c);                   // OPTIONS, STARTUP, AUTH_RESPONSE; then PHASE_READY and ops->ready
void cql_statement_send(struct connection *c, struct call *call); // behind a PREPARE where the node does not know the statement
void cql_statement_forgotten(struct connection *c, struct call *call);
void cql_statement_update(const struct cql_prepared *p, struct weir_str metadata_id); // what its result's columns are, has changed
void cql_statements_lost(struct connection *c, const struct weir_error *why);

// Bytes in and out, through TLS where there is one: > 0 bytes, 0 would block, -1 closed or broken (*err says).
int cql_io_connect(const struct sockaddr_storage *address, int *ret_fd, struct weir_error *err, const char *peer);
int cql_io_connected(struct connection *c, struct weir_error *err);
long cql_io_read(struct connection *c, void *into, size_t bytes, struct weir_error *err);
long cql_io_write(struct connection *c, const void *from, size_t bytes, struct weir_error *err);

int cql_tls_context(const struct cql_tls *tls, SSL_CTX **ret, struct weir_error *err);
int cql_tls_begin(struct connection *c, struct weir_error *err);
int cql_tls_shake(struct connection *c, struct weir_error *err);               // 1: done, 0: more bytes are needed, -1
long cql_tls_failed(struct connection *c, int result, struct weir_error *err); // 0: would block

// ---- outcomes (outcome.c)

void cql_outcome_answer(struct connection *c, struct call *call, const struct cql_header *header, struct weir_str body);
void cql_outcome_lost(struct connection *c, struct call *call, bool sent, const struct weir_error *why);
void cql_outcome_timeout(struct connection *c, struct call *call);
void cql_call_finish(struct loop *l, struct call *call, const struct cql_answer *answer);
void cql_call_fail(struct loop *l, struct call *call, enum cql_cause cause, const struct weir_error *why); // adds what went wrong before
void cql_call_again(struct loop *l, struct call *call, bool later);                                        // another try, if there is time for it

// ---- nodes: a loop's side of a host

struct node {
    struct loop *loop;
    struct host *host;
    struct sockaddr_storage address;
    bool local, leaving;
    struct connection *connection; // the current one, perhaps not ready; NULL: none
    uint32_t links;                // connections that know this node: the current one and those that are drained
    bool ready, stalled;
    struct cql_window window;
    uint32_t window_told, window_counted; // host.window and session.windows hold these of it
    struct calls waiting;
    int64_t connect_us; // when to try next
    uint32_t tries;
    uint64_t nudge_seen;
    int64_t nudged_us;
};

void cql_node_connect(struct node *n);
void cql_node_tick(struct node *n);
void cql_node_pump(struct node *n);
uint32_t cql_node_load(const struct node *n);            // requests it has and will have
void cql_node_counts(struct node *n, int change);        // requests in flight or parked
void cql_node_trouble(struct node *n, const char *text); // for the operator; "": none
void cql_node_tell_window(struct node *n);
void cql_node_leave(struct node *n); // gives its requests to others and drains its connection; freed when that is closed
void cql_node_move(struct node *n, const struct sockaddr_storage *address);
void cql_node_free(struct node *n);
void cql_node_scatter(struct node *n); // what waits for it goes to other nodes, where there are any

void cql_route_call(struct loop *l, struct call *call); // into a node's waiting list, or the delayed one
void cql_route_update(struct loop *l);                  // nodes as the newest topology has them

// ---- I/O threads

struct loop {
    struct cql_session *session;
    pthread_t thread;
    bool started;
    int epoll, wake;
    int64_t now_us, tick_us;
    _Atomic(struct call *) inbox; // newest first
    atomic_bool sleeping;
    struct calls delayed;  // not ready to be tried yet
    struct calls finished; // to be given back to the pool
    struct connection *connections, *dirty, *dead;
    struct topology *topology;
    uint64_t topology_seen;
    struct node **nodes; // of topology->hosts, in that order
    uint32_t node_count;
    struct node **leaving; // not in the topology any more
    size_t leaving_count, leaving_capacity;
    uint32_t in_flight;
    uint64_t random;
    struct weir_arena arena; // of one answer
    struct control *control; // loop 0's
};

int cql_loop_start(struct loop *l, struct weir_error *err);
void cql_loop_stop(struct loop *l);                      // joins it
bool cql_loop_end(struct loop *l);                       // fails all requests; true: callbacks submitted more meanwhile
void cql_loop_drop(struct loop *l);                      // when all are stopped
void cql_loop_submit(struct loop *l, struct call *call); // any thread
void cql_loop_wake(struct loop *l);
void cql_loop_delay(struct loop *l, struct call *call, int64_t due_us);
uint64_t cql_loop_random(struct loop *l);            // below nobody's notice: jitter and ties
int64_t cql_loop_jitter(struct loop *l, int64_t us); // from half of it to all

// ---- the control connection

struct control *cql_control_make(struct loop *l);
void cql_control_tick(struct control *k);
void cql_control_drop(struct control *k);
bool cql_control_settled(const struct control *k); // connected, and nothing under way
bool cql_control_addresses(struct cql_session *s, struct sockaddr_storage **ret, size_t *ret_count,
                           struct weir_error *err); // of the contact points; may block

// ---- the session

struct cql_session {
    struct cql_options options; // own copies
    SSL_CTX *tls;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    enum { SESSION_OPENING, SESSION_OPEN, SESSION_REFUSED } state; // this and what follows under lock
    struct weir_error trouble;                                     // of opening
    struct topology *topology;
    struct host **hosts;
    size_t host_count, host_capacity;
    char local_dc[64];
    struct cql_prepared *statements;
    uint32_t statement_count;
    char control_address[46];
    struct calls pool;
    size_t pool_bytes;
    pthread_mutex_t pool_lock;
    atomic_int version;
    atomic_uint topology_count; // publications
    atomic_bool stopping;
    atomic_bool refresh; // asked for by a DDL
    atomic_uint next_loop;
    struct loop *loops;
    atomic_ullong bytes_waiting; // requests submitted and not answered
    atomic_uint calls_waiting, windows;
    atomic_ullong requests, rows, bytes_sent, bytes_received, retries, reprepared, warnings, orphans, failures;
};

void cql_session_say(struct cql_session *s, const char *format, ...) __attribute__((format(printf, 2, 3)));
void cql_session_submit(struct cql_session *s, struct call *call);
struct timespec cql_deadline_in_ms(uint32_t ms); // for pthread_cond_timedwait on `changed`
void cql_statements_drop(struct cql_session *s);
int cql_call_run(struct cql_session *s, struct call *call, struct cql_result **ret, struct weir_error *err); // waits for the answer
void cql_session_opening(struct cql_session *s, bool refused, const struct weir_error *why);                 // why it is not open yet

#define COUNT(counter)  atomic_fetch_add_explicit(&(counter), 1, memory_order_relaxed)
#define ADD(counter, n) atomic_fetch_add_explicit(&(counter), (n), memory_order_relaxed)
#define SUB(counter, n) atomic_fetch_sub_explicit(&(counter), (n), memory_order_relaxed)
#define LOAD(counter)   atomic_load_explicit(&(counter), memory_order_relaxed)
