// SPDX-License-Identifier: Apache-2.0
// A YAML document as a small tree that knows where everything stands. Bounded: 1 MiB of text, YAML_DEPTH_MAX levels, YAML_ENTRIES_MAX entries a
// collection; one document; no anchors, aliases or tags, so that nothing can expand.
#pragma once
#include "base/arena.h"
#include "base/error.h"
#include "spec/source.h"

#define YAML_TEXT_BYTES_MAX (1u << 20)
#define YAML_DEPTH_MAX      16
#define YAML_ENTRIES_MAX    2000

enum node_kind { NODE_SCALAR, NODE_LIST, NODE_MAP };

struct node {
    enum node_kind kind;
    struct place at;
    const struct node *name; // the key this is the value of; NULL in lists and at the root
    // scalar
    struct weir_str text; // NUL-terminated, without NUL inside; references (secret.h) resolved
    struct weir_str raw;  // as written, for messages: `text` may hold a secret
    bool plain;           // neither quoted nor a block
    bool unread;          // a reference failed, which has been reported: `text` is as written and means nothing
    // list: items; map: keys[i] → items[i], duplicates included
    uint32_t count;
    struct node **keys, **items;
};

// Nodes live in `arena`. On failure *ret_at is where the mistake is, and err->text says what it is.
int yaml_tree_parse(const struct source *source, struct weir_arena *arena, struct node **ret_root, struct place *ret_at, struct weir_error *err);

// The first value under a key of a map, or NULL.
const struct node *yaml_tree_get(const struct node *map, const char *key);

// Where `bytes` bytes of a scalar's value, from `offset`, stand in the file: quotes, escapes and folded lines are followed.
struct place yaml_tree_place(const struct source *source, const struct node *scalar, uint32_t offset, uint32_t bytes);
