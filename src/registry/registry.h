// SPDX-License-Identifier: Apache-2.0
// Schemas by id, in subjects with versions, as the Confluent Schema Registry keeps them. Thread-safe. Two kinds stand behind it: the embedded one, of which
// registry/contracts.h shows everything, and any other over HTTP.
#pragma once
#include "base/arena.h"
#include "base/buffer.h"
#include "base/error.h"
#include "base/table.h"
#include "embedded/embedded.h"

struct weir_registry;

int weir_registry_embedded(struct weir_embedded *db, struct weir_registry **ret, struct weir_error *err);
// Any Confluent-compatible registry: http(s)://[user:password@]host:port[/path], several separated by commas are tried in turn. Options:
// basic.auth.user.info, bearer.auth.token, ssl.ca.location, ssl.certificate.location, ssl.key.location, ssl.key.password, and on_unavailable.
// One that does not answer within ten seconds fails with WEIR_UNAVAILABLE and its addresses, one that refuses the credentials with WEIR_BAD_CONFIG.
//
// Ids are cached for ever; one id is asked for by one thread at a time; an unknown one is asked again after 30 seconds, then after twice as long each
// time. A registry that goes away fails with WEIR_UNAVAILABLE and WEIR_RETRY, at once while it is known to be away; with on_unavailable=dead_letter
// weir_registry_schema fails with WEIR_DEAD_LETTER instead. An id that it does not know fails with WEIR_BAD_DATA and WEIR_DEAD_LETTER.
int weir_registry_http(const char *url, uint32_t option_count, const struct weir_option *options, struct weir_registry **ret, struct weir_error *err);
bool weir_registry_healthy(struct weir_registry *r, struct weir_buffer *reasons); // as weir_store_healthy
void weir_registry_close(struct weir_registry *r);                                // takes NULL

// Registers schema text under a subject and gives its id (> 0). The same text keeps its id, in every subject; a text that is already the
// subject's gets no new version. One that may not follow the subject's versions fails with WEIR_BAD_DATA and says why. Durable when it returns.
int weir_registry_register(struct weir_registry *r, const char *subject, const char *schema, int32_t *ret_id, struct weir_error *err);

// The schema text of an id, copied into `arena`; types of schemas that it refers to are written out in it. An unknown id fails with WEIR_BAD_DATA and
// WEIR_DEAD_LETTER.
int weir_registry_schema(struct weir_registry *r, int32_t id, struct weir_arena *arena, const char **ret_schema, struct weir_error *err);

// Calls visit for each version of each subject, in order; a non-zero answer ends the walk. Nothing in visit may call the registry.
struct weir_subject_version {
    const char *subject;
    int32_t version, id;
    const char *schema;
};
int weir_registry_list(struct weir_registry *r, int (*visit)(void *context, const struct weir_subject_version *v), void *context,
                       struct weir_error *err);
// The same of one subject; one that does not exist has no versions.
int weir_registry_versions(struct weir_registry *r, const char *subject, int (*visit)(void *context, const struct weir_subject_version *v),
                           void *context, struct weir_error *err);

// What a schema must be able to do to follow those before it: read their data (backward), be read by them (forward), both (full); of the last version,
// or of all (transitive).
enum weir_level {
    WEIR_LEVEL_NONE,
    WEIR_LEVEL_BACKWARD,
    WEIR_LEVEL_BACKWARD_TRANSITIVE,
    WEIR_LEVEL_FORWARD,
    WEIR_LEVEL_FORWARD_TRANSITIVE,
    WEIR_LEVEL_FULL,
    WEIR_LEVEL_FULL_TRANSITIVE,
    WEIR_LEVELS
};
const char *weir_level_name(enum weir_level level);
int weir_level_parse(struct weir_str name, enum weir_level *ret); // letter case aside; -1 if it is none
int weir_registry_level(struct weir_registry *r, const char *subject, enum weir_level *ret, struct weir_error *err);
