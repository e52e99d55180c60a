// SPDX-License-Identifier: Apache-2.0
// Whether a schema may follow a subject's versions by its level, worked out here from what the registry holds, so that it can be said in words.
#pragma once
#include "avro/compatibility.h"
#include "registry/registry.h"

struct weir_follow {
    enum weir_level level;
    int32_t version; // that is compared with
    bool fits;
    uint32_t finding_count;
    const struct weir_avro_finding *findings; // why not
};

// Calls on_version for each version that the level asks about, newest first, until one does not fit; for none where the subject has none or its level is
// NONE. *ret is whether the schema may follow. What is no schema fails with WEIR_BAD_DATA.
int weir_registry_follows(struct weir_registry *r, const char *subject, const char *schema,
                          void (*on_version)(void *context, const struct weir_follow *f), void *context, bool *ret, struct weir_error *err);
