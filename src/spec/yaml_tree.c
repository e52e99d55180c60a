// SPDX-License-Identifier: Apache-2.0
#include "spec/yaml_tree.h"
#include <yaml.h>

struct builder {
    yaml_parser_t parser;
    const struct source *source;
    struct weir_arena *arena;
    struct place *at;
    struct weir_error *err;
};

static struct place place_of(yaml_mark_t start, yaml_mark_t end)
{
    int width = end.line == start.line && end.column > start.column ? (int)(end.column - start.column) : 1;
    return (struct place){(int)start.line + 1, (int)start.column + 1, width};
}

static int refuse(struct builder *b, struct place at, const char *text)
{
    *b->at = at;
    return weir_fail(b->err, WEIR_BAD_CONFIG, WEIR_STOP, "%s", text);
}

static int refuse_syntax(struct builder *b)
{
    yaml_parser_t *p = &b->parser;
    const char *problem = p->problem ? p->problem : "this is no YAML";
    if (p->error == YAML_READER_ERROR)
        return refuse(b, source_place(b->source, (uint32_t)p->problem_offset, (uint32_t)p->problem_offset), problem);
    struct place at = place_of(p->problem_mark, p->problem_mark);
    *b->at = at;
    if (p->context && p->context_mark.line != p->problem_mark.line)
        return weir_fail(b->err, WEIR_BAD_CONFIG, WEIR_STOP, "%s, %s from line %zu", problem, p->context, p->context_mark.line + 1);
    return weir_fail(b->err, WEIR_BAD_CONFIG, WEIR_STOP, "%s%s%s", problem, p->context ? ", " : "", p->context ? p->context : "");
}

static int next_event(struct builder *b, yaml_event_t *event)
{
    return yaml_parser_parse(&b->parser, event) ? 0 : refuse_syntax(b);
}

static int build_node(struct builder *b, yaml_event_t *event, int depth, struct node **ret);

static int build_scalar(struct builder *b, const yaml_event_t *event, struct node *node)
{
    const char *value = (const char *)event->data.scalar.value;
    size_t bytes = event->data.scalar.length;
    if (bytes && memchr(value, 0, bytes))
        return refuse(b, node->at, "a text must not hold a NUL character");
    node->kind = NODE_SCALAR;
    node->text = node->raw = weir_arena_copy(b->arena, (struct weir_str){value, (uint32_t)bytes});
    node->plain = event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
    if (event->start_mark.line != event->end_mark.line)
        node->at = source_place(b->source, source_offset(b->source, node->at.line, node->at.column), b->source->text.bytes);
    return 0;
}

static int make_room(struct builder *b, struct node *node, uint32_t *capacity)
{
    if (node->count == YAML_ENTRIES_MAX)
        return refuse(b, node->at, "there are too many entries in here");
    if (node->count < *capacity)
        return 0;
    uint32_t more = *capacity ? *capacity * 2 : 8;
    struct node **keys = weir_arena_alloc(b->arena, more * sizeof *keys), **items = weir_arena_alloc(b->arena, more * sizeof *items);
    if (node->count) {
        memcpy(keys, node->keys, node->count * sizeof *keys);
        memcpy(items, node->items, node->count * sizeof *items);
    }
    node->keys = keys;
    node->items = items;
    *capacity = more;
    return 0;
}

static int build_key(struct builder *b, yaml_event_t *event, int depth, struct node **ret_key)
{
    struct place at = place_of(event->start_mark, event->end_mark);
    if (event->type != YAML_SCALAR_EVENT) {
        yaml_event_delete(event);
        return refuse(b, at, "a key must be a plain name");
    }
    return build_node(b, event, depth, ret_key);
}

// Reads one entry, whose first event is `event`, which it consumes.
static int build_entry(struct builder *b, yaml_event_t *event, int depth, struct node *node)
{
    struct node *key = NULL, *item = NULL;
    yaml_event_t value = *event;
    if (node->kind == NODE_MAP) {
        if (build_key(b, event, depth, &key) < 0 || next_event(b, &value) < 0)
            return -1;
    }
    if (build_node(b, &value, depth, &item) < 0)
        return -1;
    item->name = key;
    node->keys[node->count] = key;
    node->items[node->count++] = item;
    return 0;
}

static int build_collection(struct builder *b, yaml_event_type_t end, int depth, struct node *node)
{
    uint32_t capacity = 0;
    for (;;) {
        yaml_event_t event;
        if (next_event(b, &event) < 0)
            return -1;
        if (event.type == end) {
            yaml_event_delete(&event);
            return 0;
        }
        if (make_room(b, node, &capacity) < 0) {
            yaml_event_delete(&event);
            return -1;
        }
        if (build_entry(b, &event, depth, node) < 0)
            return -1;
    }
}

static const char *what_is_refused(const yaml_event_t *event)
{
    const yaml_char_t *anchor = NULL, *tag = NULL;
    switch (event->type) {
    case YAML_SCALAR_EVENT:
        anchor = event->data.scalar.anchor;
        tag = event->data.scalar.tag;
        break;
    case YAML_SEQUENCE_START_EVENT:
        anchor = event->data.sequence_start.anchor;
        tag = event->data.sequence_start.tag;
        break;
    case YAML_MAPPING_START_EVENT:
        anchor = event->data.mapping_start.anchor;
        tag = event->data.mapping_start.tag;
        break;
    default:
        return "anchors and aliases are not supported: write the value out";
    }
    return anchor ? "anchors and aliases are not supported: write the value out" : tag ? "tags are not supported" : NULL;
}

// Consumes `event`.
static int build_node(struct builder *b, yaml_event_t *event, int depth, struct node **ret)
{
    struct node *node = weir_arena_zalloc(b->arena, sizeof *node);
    yaml_event_type_t type = event->type;
    node->at = place_of(event->start_mark, event->end_mark);
    const char *refused = what_is_refused(event);
    int failed = refused ? refuse(b, node->at, refused) : type == YAML_SCALAR_EVENT ? build_scalar(b, event, node) : 0;
    yaml_event_delete(event);
    if (failed < 0)
        return -1;
    *ret = node;
    if (type == YAML_SCALAR_EVENT)
        return 0;
    if (depth == YAML_DEPTH_MAX)
        return refuse(b, node->at, "this is nested too deep");
    node->kind = type == YAML_MAPPING_START_EVENT ? NODE_MAP : NODE_LIST;
    return build_collection(b, type == YAML_MAPPING_START_EVENT ? YAML_MAPPING_END_EVENT : YAML_SEQUENCE_END_EVENT, depth + 1, node);
}

static int expect(struct builder *b, yaml_event_type_t type, const char *otherwise)
{
    yaml_event_t event;
    if (next_event(b, &event) < 0)
        return -1;
    struct place at = place_of(event.start_mark, event.end_mark);
    bool ok = event.type == type;
    yaml_event_delete(&event);
    return ok ? 0 : refuse(b, at, otherwise);
}

static int build_document(struct builder *b, struct node **ret_root)
{
    yaml_event_t event;
    if (expect(b, YAML_STREAM_START_EVENT, "this is no YAML") < 0 || expect(b, YAML_DOCUMENT_START_EVENT, "the file is empty") < 0 ||
        next_event(b, &event) < 0 || build_node(b, &event, 0, ret_root) < 0)
        return -1;
    if (expect(b, YAML_DOCUMENT_END_EVENT, "the document goes on after its end") < 0)
        return -1;
    return expect(b, YAML_STREAM_END_EVENT, "a file holds one pipeline: a second document starts here");
}

int yaml_tree_parse(const struct source *source, struct weir_arena *arena, struct node **ret_root, struct place *ret_at, struct weir_error *err)
{
    struct builder b = {.source = source, .arena = arena, .at = ret_at, .err = err};
    if (source->text.bytes > YAML_TEXT_BYTES_MAX)
        return refuse(&b, (struct place){1, 1, 1}, "a pipeline file holds at most 1 MiB");
    if (!yaml_parser_initialize(&b.parser))
        return refuse(&b, (struct place){1, 1, 1}, "out of memory");
    yaml_parser_set_encoding(&b.parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&b.parser, (const unsigned char *)source->text.data, source->text.bytes);
    struct node *root;
    int failed = build_document(&b, &root);
    yaml_parser_delete(&b.parser);
    if (failed < 0)
        return -1;
    *ret_root = root;
    return 0;
}

const struct node *yaml_tree_get(const struct node *map, const char *key)
{
    for (uint32_t i = 0; map->kind == NODE_MAP && i < map->count; i++) {
        if (weir_str_is(map->keys[i]->text, key))
            return map->items[i];
    }
    return NULL;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

// The byte of the file where the value's byte `offset` stands. Source and value are walked side by side: what stands in the source only (indentation,
// quotes, backslashes, block indicators) is passed over; a folded line break is one blank of the value.
static uint32_t follow(const struct source *source, uint32_t at, struct weir_str value, uint32_t offset)
{
    struct weir_str text = source->text;
    for (uint32_t i = 0; i < offset; i++) {
        while (at < text.bytes && text.data[at] != value.data[i] && !(is_blank(value.data[i]) && is_blank(text.data[at])))
            at++;
        if (at < text.bytes)
            at++;
    }
    while (offset < value.bytes && at < text.bytes && text.data[at] != value.data[offset])
        at++;
    return at;
}

struct place yaml_tree_place(const struct source *source, const struct node *scalar, uint32_t offset, uint32_t bytes)
{
    if (!weir_str_eq(scalar->raw, scalar->text))
        return scalar->at;
    uint32_t start = source_offset(source, scalar->at.line, scalar->at.column);
    if (!scalar->plain && start < source->text.bytes)
        start++;
    uint32_t from = follow(source, start, scalar->text, offset);
    if (from >= source->text.bytes)
        return scalar->at;
    return source_place(source, from, bytes ? follow(source, from, (struct weir_str){scalar->text.data + offset, bytes}, bytes) : from);
}
