// SPDX-License-Identifier: Apache-2.0
// Avro schemas that refer to others: the types that they name are written out where they are first used, so that the text stands for itself.
#pragma once
#include "base/arena.h"
#include "base/error.h"
#include <jansson.h>

// Gives the text of a subject's version and its own references (a JSON array of {name, subject, version}, or NULL; the caller's), in `arena`.
struct inline_source {
    int (*fetch)(void *context, const char *subject, int32_t version, struct weir_arena *arena, const char **ret_text, json_t **ret_references,
                 struct weir_error *err);
    void *context;
};

// `schema` itself where it refers to nothing. What is too deep or refers to too many fails with WEIR_BAD_DATA.
int inline_references(const char *schema, const json_t *references, const struct inline_source *source, struct weir_arena *arena, const char **ret,
                      struct weir_error *err);
