// SPDX-License-Identifier: Apache-2.0
// A pipeline file being read into a plan. Readers report mistakes and go on: what could not be read is left at its default, and `false`, NULL or -1
// tells the caller that a mistake has been reported, so that one mistake is said once.
#pragma once
#include "spec/diag.h"
#include "spec/plan.h"
#include "spec/yaml_tree.h"

struct weir_avro_schema;

struct reading {
    struct weir_plan *plan;
    struct weir_arena *arena; // the plan's
    struct diag_list *diags;
    const struct source *source;
    const char *folder; // of the file; relative paths start here
    const struct weir_overrides *overrides;
    uint32_t unusable_count;
    const char **unusable;                 // names and types, in turn, of the schema's fields that no weir_type holds
    const struct weir_avro_schema *record; // of Avro events, its defaults aside; NULL: none
    bool event_known;                      // the event's fields are all known: names that are none of them are mistakes
    bool key_known, time_known;
};

#define NAME_BYTES_MAX 48 // of tables and columns, as in Cassandra

// ---- mistakes

void spec_mistake(struct reading *r, struct place at, const char *hint, const char *format, ...) __attribute__((format(printf, 4, 5)));
void spec_mistake_outside(struct reading *r, const char *origin, const char *format, ...) __attribute__((format(printf, 3, 4)));
bool spec_enough_mistakes(const struct reading *r); // no more are kept: what only finds more of them may stop
// "did you mean …?" in the plan's arena, or NULL.
const char *spec_did_you_mean(struct reading *r, struct weir_str name, const char *const *candidates, size_t count);

// ---- maps

// Finds the value of each known key: ret[i] for names[i], NULL where it is not given. Reports what is no map, unknown and duplicate keys, and keys
// without a value. `what` ends the message: "unknown key 'x' in {what}".
bool spec_read_keys(struct reading *r, const struct node *node, const char *what, const char *const *names, size_t count, const struct node **ret);
// The same; `otherwise` is the hint for unknown keys that are near to no known one.
bool spec_read_keys_or(struct reading *r, const struct node *node, const char *what, const char *otherwise, const char *const *names, size_t count,
                       const struct node **ret);
bool spec_check_duplicates(struct reading *r, const struct node *map); // false if there are any
struct place spec_place_of_name(const struct node *value);             // of the key a value stands under; of the value where there is none

// ---- values

bool spec_is_null(const struct node *node); // an empty plain scalar, ~ or null
bool spec_is_text(struct reading *r, const struct node *node, const char *what);
bool spec_is_list(struct reading *r, const struct node *node, const char *what);
bool spec_is_map(struct reading *r, const struct node *node, const char *what);
const char *spec_read_text(struct reading *r, const struct node *node, const char *what);
bool spec_read_integer(struct reading *r, const struct node *node, const char *what, int64_t low, int64_t high, int64_t *ret);
bool spec_read_number(struct reading *r, const struct node *node, const char *what, double *ret); // finite
bool spec_read_duration(struct reading *r, const struct node *node, const char *what, int64_t low_ms, int64_t *ret_ms);
bool spec_read_factor(struct reading *r, const struct node *node, struct weir_str text, double *ret); // "60x"
int spec_read_choice(struct reading *r, const struct node *node, const char *what, const char *const *names, size_t count);
int spec_read_path(struct reading *r, const struct node *node, const char *what, const char **ret); // resolved against the file's folder
const char *spec_resolve_path(struct reading *r, const char *path);

bool spec_is_identifier(struct weir_str text);  // [A-Za-z_][A-Za-z0-9_]*
bool spec_is_table_name(struct weir_str text);  // [a-z_][a-z0-9_]*, at most NAME_BYTES_MAX
bool spec_is_engine_name(struct weir_str text); // [A-Za-z0-9._-]+, at most 100: topics, pipelines

// An event field by name, -1 after a mistake.
int64_t spec_read_field(struct reading *r, const struct node *node, const char *what);
int64_t spec_find_field(struct reading *r, struct weir_str name);  // a path into the record becomes a field when it is first found
int64_t spec_find_nested(struct reading *r, struct weir_str path); // nested.c
// "{what}the event has no field …", or why the one of that name cannot be used.
void spec_mistake_nested(struct reading *r, struct place at, const char *what, struct weir_str path); // nested.c
void spec_mistake_field(struct reading *r, struct place at, const char *hint, const char *what, struct weir_str name);
const char *spec_suggest_field(struct reading *r, struct weir_str name);

// Text of a regular file of at most `bytes_max` bytes, in the arena; NULL with err filled.
const char *spec_read_file(struct weir_arena *arena, const char *path, size_t bytes_max, struct weir_str *ret, struct weir_error *err);

// ---- the parts of a file, in the order in which they are read

void spec_resolve_references(struct reading *r, struct node *root); // secret.c
void spec_read_engines(struct reading *r, const struct node *log, const struct node *registry, const struct node *store,
                       const struct node *data);                      // engines.c
void spec_read_topic(struct reading *r, const struct node *node);     // engines.c
void spec_read_event(struct reading *r, const struct node *node);     // event.c
void spec_read_feed(struct reading *r, const struct node *node);      // feed.c
void spec_read_simulate(struct reading *r, const struct node *node);  // simulate.c
void spec_read_file_feed(struct reading *r, const struct node *node); // file_feed.c
void spec_read_queries(struct reading *r, const struct node *node);   // query.c
void spec_read_http(struct reading *r, const struct node *node);      // http.c
