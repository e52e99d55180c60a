// SPDX-License-Identifier: Apache-2.0
// Schemas by id, in subjects with versions, as the Confluent Schema Registry keeps them. Thread-safe.
#pragma once
#include "base/arena.h"
#include "base/buffer.h"
#include "base/error.h"
#include "base/table.h"
#include "embedded/embedded.h"

struct weir_registry;

int weir_registry_embedded(struct weir_embedded *db, struct weir_registry **ret, struct weir_error *err);
// Any Confluent-compatible registry: http(s)://[user:password@]host:port[/path], options basic.auth.user.info, bearer.auth.token, ssl.ca.location,
// ssl.certificate.location, ssl.key.location. Ids are cached for ever, unknown ids asked once a while (with back-off). A registry that does not answer
// fails with WEIR_UNAVAILABLE and WEIR_RETRY; an id that it does not know with WEIR_BAD_DATA and WEIR_DEAD_LETTER.
int weir_registry_http(const char *url, uint32_t option_count, const struct weir_option *options, struct weir_registry **ret, struct weir_error *err);
bool weir_registry_healthy(struct weir_registry *r, struct weir_buffer *reasons); // as weir_store_healthy
void weir_registry_close(struct weir_registry *r);

// Registers schema text under a subject and gives its id (> 0). The same text keeps its id, in every subject; a text that is already the
// subject's gets no new version. Durable when it returns.
int weir_registry_register(struct weir_registry *r, const char *subject, const char *schema, int32_t *ret_id, struct weir_error *err);

// The schema text of an id, copied into `arena`. An unknown id fails with WEIR_BAD_DATA and WEIR_DEAD_LETTER.
int weir_registry_schema(struct weir_registry *r, int32_t id, struct weir_arena *arena, const char **ret_schema, struct weir_error *err);

// Calls visit for each version of each subject, in order; a non-zero answer ends the walk.
struct weir_subject_version {
    const char *subject;
    int32_t version, id;
    const char *schema;
};
int weir_registry_list(struct weir_registry *r, int (*visit)(void *context, const struct weir_subject_version *v), void *context,
                       struct weir_error *err);
