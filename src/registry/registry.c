// SPDX-License-Identifier: Apache-2.0
#include "registry/ops.h"

#include <strings.h>

void weir_registry_close(struct weir_registry *r)
{
    if (r)
        r->ops->close(r);
}

bool weir_registry_healthy(struct weir_registry *r, struct weir_buffer *reasons)
{
    return r->ops->healthy(r, reasons);
}

int weir_registry_register(struct weir_registry *r, const char *subject, const char *schema, int32_t *ret_id, struct weir_error *err)
{
    return r->ops->enroll(r, subject, schema, ret_id, err);
}

int weir_registry_schema(struct weir_registry *r, int32_t id, struct weir_arena *arena, const char **ret_schema, struct weir_error *err)
{
    return r->ops->schema(r, id, arena, ret_schema, err);
}

int weir_registry_list(struct weir_registry *r, int (*visit)(void *context, const struct weir_subject_version *v), void *context,
                       struct weir_error *err)
{
    return r->ops->versions(r, NULL, visit, context, err);
}

int weir_registry_versions(struct weir_registry *r, const char *subject, int (*visit)(void *context, const struct weir_subject_version *v),
                           void *context, struct weir_error *err)
{
    return r->ops->versions(r, subject, visit, context, err);
}

int weir_registry_level(struct weir_registry *r, const char *subject, enum weir_level *ret, struct weir_error *err)
{
    return r->ops->level(r, subject, ret, err);
}

// ---- levels

static const char *const level_names[WEIR_LEVELS] = {
    [WEIR_LEVEL_NONE] = "NONE",
    [WEIR_LEVEL_BACKWARD] = "BACKWARD",
    [WEIR_LEVEL_BACKWARD_TRANSITIVE] = "BACKWARD_TRANSITIVE",
    [WEIR_LEVEL_FORWARD] = "FORWARD",
    [WEIR_LEVEL_FORWARD_TRANSITIVE] = "FORWARD_TRANSITIVE",
    [WEIR_LEVEL_FULL] = "FULL",
    [WEIR_LEVEL_FULL_TRANSITIVE] = "FULL_TRANSITIVE",
};

const char *weir_level_name(enum weir_level level)
{
    return level_names[level];
}

int weir_level_parse(struct weir_str name, enum weir_level *ret)
{
    for (int i = 0; i < WEIR_LEVELS; i++)
        if (name.bytes == strlen(level_names[i]) && strncasecmp(name.data, level_names[i], name.bytes) == 0) {
            *ret = (enum weir_level)i;
            return 0;
        }
    return -1;
}
