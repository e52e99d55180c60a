// SPDX-License-Identifier: Apache-2.0
// A scripted stand-in for a Cassandra ring: nodes on loopback addresses that speak the native protocol v4 and v5, remember what was written to them
// and misbehave as a test tells them. One thread serves a ring; every function may be called from the test's thread at any time.
//
//   happy path  fake_ring_open → fake_hosts → (a client connects, writes) → fake_row, fake_stats → fake_ring_close
//   faults      fake_rule_add says what happens to the n-th request of a kind; fake_node_* stops, moves, freezes whole nodes
//   time        nothing waits for a clock: what is held is answered when the test releases it
//
// All tables are one: a row is the bound values of an INSERT (partition key, clustering key, value; more are dropped). SELECT … WHERE with one bound
// value gives the rows of a partition key, without WHERE all of them, paged; columns are k, c and v, whose types are text, bigint and text. The system's
// tables that drivers read (local, peers, peers_v2, system_schema.keyspaces) give whatever columns are asked for, all other tables nothing. CREATE,
// ALTER and DROP answer with the schema change, what else there is with VOID.
#pragma once
#include "cql/wire.h"

struct fake_ring;
enum { FAKE_ANY = -1, FAKE_NODES_MAX = 16, FAKE_TOKENS_MAX = 32 };

struct fake_options {                 // zeros are defaults
    uint32_t nodes;                   // 1
    uint32_t tokens;                  // of each node: 8
    uint32_t replication;             // of keyspace ks, SimpleStrategy: min(3, nodes); at most 3
    uint32_t datacenters;             // dc1 …, nodes dealt in turn: 1
    int version_max;                  // 5
    bool v5_beta;                     // v5 is refused without the beta flag, as by Cassandra 3.11
    bool no_compression;              // else LZ4 is offered
    bool no_peers_v2;                 // that table is unknown, as in Cassandra 3
    const char *username, *password;  // NULL: nobody has to log in
    bool fast;                        // EXECUTE and BATCH are answered with VOID and not looked at: for measuring clients
    const char *cert_file, *key_file; // PEM; NULL: no TLS
};

// Aborts where the machine does not allow it: tests have nothing to go on with.
struct fake_ring *fake_ring_open(const struct fake_options *options);
void fake_ring_close(struct fake_ring *r); // takes NULL
uint16_t fake_port(const struct fake_ring *r);
const char *fake_address(struct fake_ring *r, uint32_t node); // "127.0.1.3"; valid until the node moves
const char *fake_host_id(struct fake_ring *r, uint32_t node);

// ---- faults

enum fake_what {
    FAKE_ERROR,          // is answered with `error`
    FAKE_UNPREPARED,     // is told that its statement is not prepared, and the node forgets it
    FAKE_HOLD,           // the answer waits for fake_release
    FAKE_SILENCE,        // no answer ever comes
    FAKE_CLOSE,          // the connection ends
    FAKE_RESET,          // the connection is reset
    FAKE_HALF_OPEN,      // nothing is read from the connection from now on, nothing written
    FAKE_BAD_CRC,        // a bit of the answer's last byte is flipped (v5: the payload's CRC)
    FAKE_BAD_HEADER,     // a bit of the first bytes is flipped (v5: the segment's header; v4: the version)
    FAKE_BAD_LENGTH,     // the envelope says it is 2^31 - 1 bytes long
    FAKE_BAD_OPCODE,     // the envelope has an opcode that does not exist
    FAKE_BAD_BODY,       // the body is cut in half, the lengths around it agree
    FAKE_TRUNCATED,      // half of the answer's bytes, then the connection ends
    FAKE_TWICE,          // is answered two times
    FAKE_STRANGE_STREAM, // an answer for a stream nobody asked on comes first
    FAKE_WARNING,        // the answer carries a warning
};

struct fake_rule {    // zeros, apart from `node` and `opcode`: the next matching request and all after it
    int node;         // FAKE_ANY
    int opcode;       // FAKE_ANY
    const char *text; // what the statement holds; NULL: anything
    uint32_t skip;    // so many matching requests pass before
    uint32_t times;   // so many are hit; 0: all
    uint32_t chance;  // of 1000, seeded; 0: always
    enum fake_what what;
    int32_t error; // FAKE_ERROR: a code of §9
    bool executed; // the write takes effect nevertheless (always so where an answer follows that is no error)
};

uint32_t fake_rule_add(struct fake_ring *r, const struct fake_rule *rule); // gives its number; the first rule that matches counts
uint64_t fake_rule_hits(struct fake_ring *r, uint32_t rule);
void fake_rules_clear(struct fake_ring *r);
void fake_seed(struct fake_ring *r, uint64_t seed);
uint64_t fake_held(struct fake_ring *r);                    // answers that wait
void fake_release(struct fake_ring *r, bool newest_first);  // what is held, in either order
void fake_chop(struct fake_ring *r, uint32_t bytes);        // every send is at most so long; 0: no limit
void fake_capacity(struct fake_ring *r, uint32_t requests); // of what comes in one read, more than so many are Overloaded; 0: no limit

// ---- nodes

void fake_node_stop(struct fake_ring *r, uint32_t node);                      // as if killed: connections are reset, the port refuses
void fake_node_start(struct fake_ring *r, uint32_t node);                     // again; prepared statements are forgotten
void fake_node_move(struct fake_ring *r, uint32_t node, const char *address); // restarts at another address
void fake_node_renew(struct fake_ring *r, uint32_t node);                     // restarts as another host: same address, new host id
void fake_node_freeze(struct fake_ring *r, uint32_t node, bool frozen);       // as if stopped by a signal: the kernel accepts, nobody answers
void fake_node_leave(struct fake_ring *r, uint32_t node, bool gone);          // out of the ring: no peer, no tokens
void fake_node_disagree(struct fake_ring *r, uint32_t node, bool on);         // has another schema version
void fake_node_forget(struct fake_ring *r, uint32_t node);                    // its prepared statements
void fake_alter(struct fake_ring *r);                    // SELECTs have another column: the metadata of prepared statements changes
void fake_version(struct fake_ring *r, int version_max); // for connections to come

// To every connection that has registered: "STATUS_CHANGE" or "TOPOLOGY_CHANGE" with what ("UP", "NEW_NODE") about a node.
void fake_event(struct fake_ring *r, const char *type, const char *change, uint32_t node);

// ---- what was seen

struct fake_row {
    int64_t timestamp_us;
    uint32_t writes, timestamps; // how many times it was written, under how many different timestamps
    char value[64];              // the third bound value, without its length
    uint32_t value_bytes;
};
// `key`: the first two values as cql_bind_* have them.
bool fake_row(struct fake_ring *r, struct weir_str key, struct fake_row *ret);

struct fake_stats { // since the ring was opened, or of one node
    uint64_t accepted, open, requests, queries, prepares, executes, batches, options, registers, auths;
    uint64_t rows, misrouted;     // writes that came; those of them at a node that is no replica
    uint64_t untimed;             // without a timestamp
    uint64_t garbage;             // what could not be understood
    uint64_t streams_busy;        // requests on a stream whose answer was still owed
    uint64_t owed_max;            // requests of one connection that waited for their answers at the same time
    uint64_t v4, v5, lz4, throws; // connections by what STARTUP chose; with THROW_ON_OVERLOAD
    uint64_t events;
};
struct fake_stats fake_stats(struct fake_ring *r, int node); // FAKE_ANY: of all
uint64_t fake_row_count(struct fake_ring *r);
uint64_t fake_rows_doubled(struct fake_ring *r); // written under more than one timestamp
// Indexes of the replicas of a token in keyspace ks, the primary first.
uint32_t fake_replicas(struct fake_ring *r, int64_t token, uint32_t *ret_nodes);
