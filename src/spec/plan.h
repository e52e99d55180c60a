// SPDX-License-Identifier: Apache-2.0
// A pipeline file, read, resolved and type-checked. Immutable after weir_plan_load; shared by all threads. All memory is the plan's own.
#pragma once
#include "base/error.h"
#include "base/table.h"
#include "base/zone.h"
#include "spec/expr.h"
#include <stdio.h>

struct weir_url { // where an engine is: "embedded", or an address not understood here any further
    const char *text;
    bool embedded;
    uint32_t option_count;
    struct weir_option *options; // of the long form
};

struct weir_topic_spec {
    const char *name;
    int32_t partitions;   // default 1
    int32_t replication;  // default 1
    int64_t retention_ms; // 0: for ever
};

enum weir_event_format { WEIR_FORMAT_AVRO, WEIR_FORMAT_JSON };
enum weir_time_unit { WEIR_UNIT_MS, WEIR_UNIT_S, WEIR_UNIT_US, WEIR_UNIT_ISO8601 };

struct weir_field {
    const char *name;
    enum weir_type type; // as declared; never WEIR_TIMESTAMP
    bool optional;       // may be null or absent
    bool used;           // some query, the key or the time needs it decoded
    bool is_uuid;        // some column stores it as uuid: text that is none makes the event malformed
};

struct weir_event_spec {
    enum weir_event_format format;
    const char *schema_path; // avro; NULL for json
    const char *schema_text; // avro: the reader schema as in its file
    const char *record_name; // avro: full name
    uint32_t field_count;
    uint32_t nested_count;     // avro: of paths into the record that expressions use (avro/place.h). They follow the fields, and no feed fills them
    struct weir_field *fields; // avro: the top-level fields of the record in its order (of types that a weir_type holds; others are left out)
    uint32_t key_field;        // the message key
    uint32_t time_field;
    enum weir_time_unit time_unit;
    int64_t max_ahead_ms; // -1: not checked
    // dedupe (parsed and checked; 0 fields: none)
    uint32_t dedupe_count;
    uint32_t *dedupe_fields;
    int64_t dedupe_within_ms;
};

// What a simulated field does; every value is a function of (seed, event number).
enum weir_sim { WEIR_SIM_UUID, WEIR_SIM_TEXT, WEIR_SIM_NOW, WEIR_SIM_CLOCK, WEIR_SIM_UNIFORM, WEIR_SIM_ONE_OF, WEIR_SIM_CONSTANT, WEIR_SIM_NULL };

struct weir_sim_field {
    enum weir_sim kind;
    int64_t members;     // UUID, TEXT: size of the field's own fixed set; 0: it has none
    const char *text;    // TEXT: pattern; {n} is the number in the set, from 1 (without one of its own: the device's)
    double low, high;    // UNIFORM
    int digits;          // UNIFORM: decimals kept (half-even), -1: all; `uniform: [10, 100], digits: 2`
    double clock_factor; // CLOCK: event seconds per real second
    uint32_t choice_count;
    struct weir_str *choices;   // ONE_OF
    struct weir_value constant; // CONSTANT
};

enum weir_feed_kind { WEIR_FEED_NONE, WEIR_FEED_SIMULATE, WEIR_FEED_FILE, WEIR_FEED_HTTP };
enum weir_file_format { WEIR_FILE_CSV, WEIR_FILE_JSONL };

struct weir_feed_spec {
    enum weir_feed_kind kind;
    // simulate
    double rate_per_s;
    uint64_t seed;
    struct weir_sim_field *sim; // by event field
    uint64_t only_device;       // this one alone speaks, from 1; 0: all
    // file
    const char *path; // resolved against the pipeline file's folder
    enum weir_file_format file_format;
    char delimiter;
    double pace;            // 0: as fast as possible, else event seconds per real second (1 = realtime)
    bool iso8601_time;      // the time column is ISO 8601 text
    const char **columns;   // by event field: the column it is read from; NULL where unpivot fills it
    uint32_t unpivot_count; // columns that each make an event
    const char **unpivot_columns;
    uint32_t unpivot_name, unpivot_value; // event fields that get the column's name and its value
};

enum weir_window_kind { WEIR_WINDOW_NONE, WEIR_WINDOW_TUMBLING, WEIR_WINDOW_SLIDING, WEIR_WINDOW_CALENDAR, WEIR_WINDOW_SESSION };
enum weir_calendar { WEIR_CAL_HOUR, WEIR_CAL_DAY, WEIR_CAL_WEEK, WEIR_CAL_MONTH, WEIR_CAL_YEAR };

struct weir_window_spec {
    enum weir_window_kind kind;
    int64_t size_ms;  // TUMBLING, SLIDING; SESSION: the gap
    int64_t slide_ms; // SLIDING
    enum weir_calendar calendar;
};

struct weir_query_spec {
    struct weir_table table;
    struct weir_window_spec window;
    bool grouped; // group_by present: rows are aggregates. Otherwise every event is a row
    uint32_t group_count;
    uint32_t *group_by;    // event fields
    bool spans_partitions; // the group key does not determine the partition: partials of all partitions are merged
    int64_t lateness_ms;
    int64_t amend_ms;
    int64_t idle_ms;  // default 1 minute
    bool emit_update; // false: final
    int64_t every_ms; // default 1 s
    bool exact_quantiles;
    struct weir_expr *where;    // per event; NULL: all
    struct weir_expr **columns; // by table column: per event without group_by, else per row
    uint32_t aggregate_count;   // distinct aggregates of all columns
    struct weir_aggregate *aggregates;
    int line; // where the query starts in the file
};

struct weir_http_token { // a bearer token, known by its hash only
    const char *name;
    const char *sha256; // 64 hex digits, lower case
    const char *role;   // "reader" or "operator"
};

// How the process that runs the pipeline is reached. NULL or 0: not given.
struct weir_http_spec {
    bool given;         // the file has an `http:`
    const char *listen; // host:port, [v6]:port
    uint32_t token_count;
    struct weir_http_token *tokens;
    const char *jwt_issuer, *jwt_audience;
    const char *jwt_keys;       // an http(s) URL of a JWKS, or a path resolved against the pipeline file's folder
    const char *jwt_role_claim; // the claim that holds the role
    uint64_t body_bytes_max;    // of a request
};

struct weir_plan {
    const char *file;
    const char *pipeline;
    const char *keyspace; // of its tables: the one in the URL of Cassandra, else named as the pipeline
    struct weir_url log, registry, store;
    const char *data_dir;   // where the embedded engines keep their files; default "weir-data"
    const char *timezone;   // IANA name
    struct weir_zone *zone; // of calendar windows, year(), month(), day(), hour(); NULL: UTC
    struct weir_http_spec http;
    struct weir_topic_spec topic;
    struct weir_event_spec event;
    struct weir_feed_spec feed;
    uint32_t query_count;
    struct weir_query_spec *queries;
    struct weir_arena arena;
};

struct weir_overrides { // flags; NULL: not given. Then WEIR_LOG, WEIR_REGISTRY, WEIR_STORE, WEIR_DATA, then the file
    const char *log, *registry, *store, *data_dir;
};

// Reads a pipeline file. On mistakes, prints every one of them to `diagnostics` (file:line:column, the line, a caret, a suggestion; in colour if
// `color`) and fails with WEIR_BAD_CONFIG and their number in err; a file that cannot be read fails with WEIR_NO_INPUT.
int weir_plan_load(const char *path, const struct weir_overrides *overrides, FILE *diagnostics, bool color, struct weir_plan **ret_plan,
                   struct weir_error *err);
// The same from memory, for tests and fuzzing; `path` names it in messages and relative paths are resolved against its folder.
int weir_plan_parse(const char *path, struct weir_str text, const struct weir_overrides *overrides, FILE *diagnostics, bool color,
                    struct weir_plan **ret_plan, struct weir_error *err);
void weir_plan_free(struct weir_plan *plan);

// "100 per second", "6 per minute", "5 per hour", "100". 0, or -1 if it is no rate.
int weir_rate_parse(struct weir_str text, double *ret_per_s);

// A number that changes whenever saved state of the query could not be read as the state of this one: fields, window, groups, aggregates.
uint64_t weir_query_fingerprint(const struct weir_plan *plan, const struct weir_query_spec *query);

bool weir_plan_spans(const struct weir_plan *plan);                                       // groups of any query span partitions
struct weir_query_spec *weir_plan_query(const struct weir_plan *plan, const char *table); // NULL if there is none
