// SPDX-License-Identifier: Apache-2.0
// What a kind of registry does; contracts are registry.h's.
#pragma once
#include "registry/registry.h"

struct registry_ops {
    void (*close)(struct weir_registry *r);
    bool (*healthy)(struct weir_registry *r, struct weir_buffer *reasons);
    int (*enroll)(struct weir_registry *r, const char *subject, const char *schema, int32_t *ret_id, struct weir_error *err);
    int (*schema)(struct weir_registry *r, int32_t id, struct weir_arena *arena, const char **ret_schema, struct weir_error *err);
    int (*versions)(struct weir_registry *r, const char *subject, int (*visit)(void *context, const struct weir_subject_version *v), void *context,
                    struct weir_error *err); // subject NULL: of all
    int (*level)(struct weir_registry *r, const char *subject, enum weir_level *ret, struct weir_error *err);
};

struct weir_registry { // first member of each kind's own
    const struct registry_ops *ops;
};
