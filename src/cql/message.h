// SPDX-License-Identifier: Apache-2.0
// Bodies of the native protocol's messages (§4): requests are written and parsed, responses parsed. Both ends' structs are views: into the body, or
// into an arena of the caller's. Parsers fail with WEIR_BAD_DATA where a body is cut off, or says what cannot be; counts are checked against the
// bytes that are left before memory is taken.
#pragma once
#include "base/arena.h"
#include "cql/wire.h"

// ---- requests

struct cql_startup { // STARTUP's options; the protocol's version and CQL's (3.0.0) go without saying
    bool lz4;
    bool throw_on_overload; // OVERLOADED is answered when the server has too much in flight; else it stops reading
    struct weir_str driver_name, driver_version;
};
enum { CQL_TOPOLOGY_CHANGE = 1, CQL_STATUS_CHANGE = 2, CQL_SCHEMA_CHANGE = 4 }; // kinds of events, as a set

struct cql_parameters { // of QUERY, EXECUTE and BATCH (§4.1.4, §4.1.7); zeros leave things out, consistency is ANY
    enum cql_consistency consistency;
    bool has_timestamp, has_serial;
    enum cql_consistency serial; // of a conditional statement
    int64_t timestamp_us;
    bool skip_metadata;           // the client has the columns
    int32_t page_rows;            // 0: all
    struct weir_str paging_state; // empty: none
    uint16_t value_count;         // not of BATCH, whose rows have them
    struct weir_str values;       // as cql_bind_* leave them
    struct weir_str keyspace;     // v5; empty: the connection's
};

// The body is appended; cql_envelope_begin comes before, cql_envelope_end after. OPTIONS has no body.
void cql_put_startup(struct weir_buffer *b, const struct cql_startup *startup);
void cql_put_auth_response(struct weir_buffer *b, struct weir_str username, struct weir_str password); // SASL PLAIN
void cql_put_register(struct weir_buffer *b, unsigned events);
void cql_put_query(struct weir_buffer *b, enum cql_version version, struct weir_str text, const struct cql_parameters *p);
void cql_put_prepare(struct weir_buffer *b, enum cql_version version, struct weir_str text);
// `metadata_id` is that of the result's columns (v5; v4 leaves it out).
void cql_put_execute(struct weir_buffer *b, enum cql_version version, struct weir_str id, struct weir_str metadata_id,
                     const struct cql_parameters *p);
// An UNLOGGED batch of one prepared statement: p->values holds `rows` rows of p->value_count values, one after another (asserted).
void cql_put_batch(struct weir_buffer *b, enum cql_version version, struct weir_str id, uint16_t rows, const struct cql_parameters *p);

enum cql_batch_type { CQL_LOGGED = 0, CQL_UNLOGGED = 1, CQL_COUNTER_BATCH = 2 };

struct cql_asked { // a request as a server reads it
    enum cql_opcode opcode;
    struct cql_startup startup;
    struct weir_str compression; // of STARTUP, as it was given; empty: none
    struct weir_str token;       // AUTH_RESPONSE
    unsigned events;             // REGISTER
    struct weir_str text;        // QUERY, PREPARE
    struct weir_str id;          // EXECUTE
    struct weir_str metadata_id; // EXECUTE, v5
    struct cql_parameters parameters;
    enum cql_batch_type batch_type;
    uint16_t rows; // BATCH: how many statements; cql_asked_row gives them
    struct weir_cursor batch;
};
struct cql_asked_row {        // one statement of a batch
    struct weir_str text, id; // one of them is empty
    uint16_t value_count;
    struct weir_str values;
};
int cql_request_parse(const struct cql_header *header, struct weir_str body, struct cql_asked *ret, struct weir_error *err);
bool cql_asked_row(struct cql_asked *asked, struct cql_asked_row *ret); // false: there are no more
// Takes one value of those bound; false: null or unset.
bool cql_take_value(struct weir_cursor *values, struct weir_str *ret);

// ---- what comes before a response's body, by the header's flags: tracing id, warnings, custom payload

struct cql_response {
    uint16_t warning_count;
    struct weir_cursor warnings; // cql_take_string each
    struct weir_cursor body;     // what the functions below take
};
int cql_response_open(const struct cql_header *header, struct weir_str body, struct cql_response *ret, struct weir_error *err);

// ---- ERROR (§4.2.1, §8)

enum cql_error_code {
    CQL_ERROR_SERVER = 0x0000,
    CQL_ERROR_PROTOCOL = 0x000a,
    CQL_ERROR_BAD_CREDENTIALS = 0x0100,
    CQL_ERROR_UNAVAILABLE = 0x1000,
    CQL_ERROR_OVERLOADED = 0x1001,
    CQL_ERROR_IS_BOOTSTRAPPING = 0x1002,
    CQL_ERROR_TRUNCATE = 0x1003,
    CQL_ERROR_WRITE_TIMEOUT = 0x1100,
    CQL_ERROR_READ_TIMEOUT = 0x1200,
    CQL_ERROR_READ_FAILURE = 0x1300,
    CQL_ERROR_FUNCTION_FAILURE = 0x1400,
    CQL_ERROR_WRITE_FAILURE = 0x1500,
    CQL_ERROR_CDC_WRITE_FAILURE = 0x1600,
    CQL_ERROR_CAS_WRITE_UNKNOWN = 0x1700,
    CQL_ERROR_SYNTAX = 0x2000,
    CQL_ERROR_UNAUTHORIZED = 0x2100,
    CQL_ERROR_INVALID = 0x2200,
    CQL_ERROR_CONFIG = 0x2300,
    CQL_ERROR_ALREADY_EXISTS = 0x2400,
    CQL_ERROR_UNPREPARED = 0x2500,
};
const char *cql_error_name(int32_t code); // "write timeout"; "error" of codes unknown here

struct cql_failure { // fields that the code does not have are zero
    int32_t code;
    struct weir_str text;
    enum cql_consistency consistency; // UNAVAILABLE, timeouts, failures, CAS_WRITE_UNKNOWN
    int32_t required;                 // replicas that had to answer
    int32_t received;                 // that did; UNAVAILABLE: that are alive
    int32_t failures;                 // that answered with an error
    bool data_present;                // READ_TIMEOUT, READ_FAILURE: the data itself had come
    struct weir_str write_type;       // WRITE_TIMEOUT, WRITE_FAILURE: SIMPLE, BATCH, UNLOGGED_BATCH, COUNTER, BATCH_LOG, CAS, VIEW, CDC
    struct weir_str keyspace, name;   // ALREADY_EXISTS (name empty: the keyspace does), FUNCTION_FAILURE
    struct weir_str statement_id;     // UNPREPARED
};
int cql_failure_parse(struct weir_cursor body, enum cql_version version, struct cql_failure *ret, struct weir_error *err);
// One line for people: the code's name, the counts where there are any, the server's text.
void cql_failure_format(const struct cql_failure *f, char *out, size_t bytes);

// ---- SUPPORTED, AUTHENTICATE, AUTH_CHALLENGE, AUTH_SUCCESS, EVENT

bool cql_supported_has(struct weir_cursor body, const char *option, const char *value); // such as "COMPRESSION", "lz4"
int cql_authenticate_parse(struct weir_cursor body, struct weir_str *ret_class, struct weir_error *err);

struct cql_change {         // EVENT of kind SCHEMA_CHANGE, and RESULT of that kind
    struct weir_str change; // CREATED, UPDATED, DROPPED
    struct weir_str target; // KEYSPACE, TABLE, TYPE, FUNCTION, AGGREGATE
    struct weir_str keyspace, name;
};
void cql_take_change(struct weir_cursor *c, struct cql_change *ret); // as EVENT and RESULT have it behind their kind
struct cql_event {
    unsigned kind;          // CQL_TOPOLOGY_CHANGE, …; 0: one that is unknown here
    struct weir_str change; // NEW_NODE, REMOVED_NODE, MOVED_NODE; UP, DOWN
    char address[46];
    int32_t port;
    struct cql_change schema;
};
int cql_event_parse(struct weir_cursor body, struct cql_event *ret, struct weir_error *err);

// ---- RESULT (§4.2.5)

enum cql_result_kind { CQL_RESULT_VOID = 1, CQL_RESULT_ROWS = 2, CQL_RESULT_KEYSPACE = 3, CQL_RESULT_PREPARED = 4, CQL_RESULT_SCHEMA = 5 };

struct cql_column {
    struct weir_str keyspace, table, name;
    enum cql_type type;
};
struct cql_metadata {
    uint32_t count;
    const struct cql_column *columns; // NULL: left out (skip_metadata)
    struct weir_str paging_state;     // empty: the last page
    struct weir_str new_id;           // v5: the columns have changed and are these; empty: they have not
    uint32_t key_count;               // of bound values: which of them are the partition key, in its order; 0: not all of it is bound
    const uint16_t *key_values;
};

struct cql_result { // what cql.h hands out
    enum cql_result_kind kind;
    struct cql_metadata metadata; // of ROWS; of PREPARED: the result's
    uint32_t rows;
    struct weir_str cells; // of all rows
    struct weir_str keyspace;
    struct weir_str id, metadata_id; // PREPARED; the latter v5
    struct cql_metadata values;      // PREPARED: the bind markers
    struct cql_change change;
    struct weir_arena memory; // of a result that cql_result_keep made
};

// Views into the body; columns go into `arena`. `known` has the columns of a statement that was executed with skip_metadata, NULL: none.
// ROWS without columns from either side are an error, and so is a row that does not fit what is there.
int cql_result_parse(struct weir_cursor body, enum cql_version version, const struct cql_metadata *known, struct weir_arena *arena,
                     struct cql_result *ret, struct weir_error *err);
struct cql_result *cql_result_keep(const struct cql_result *r);                                // a copy that owns its memory; cql_result_free
struct cql_metadata cql_metadata_keep(const struct cql_metadata *m, struct weir_arena *arena); // a copy in an arena
