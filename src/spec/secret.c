// SPDX-License-Identifier: Apache-2.0
// ${env:NAME} and ${file:PATH} in values, so that secrets stay out of pipeline files. Values only; what comes in is not looked at again.
#include "base/buffer.h"
#include "spec/reading.h"
#include <stdlib.h>

#define SECRET_BYTES_MAX 65536
#define VALUE_BYTES_MAX  262144 // of one value, its references resolved

static bool add_variable(struct reading *r, const struct node *node, const char *name, struct weir_buffer *out)
{
    const char *value = getenv(name);
    if (!value) {
        spec_mistake(r, node->at, NULL, "the environment variable '%s' is not set", name);
        return false;
    }
    weir_buffer_add(out, value, strlen(value));
    return true;
}

static bool add_file(struct reading *r, const struct node *node, const char *path, struct weir_buffer *out)
{
    struct weir_error err;
    struct weir_str text;
    if (!spec_read_file(r->arena, spec_resolve_path(r, path), SECRET_BYTES_MAX, &text, &err)) {
        spec_mistake(r, node->at, NULL, "%s", err.text);
        return false;
    }
    while (text.bytes && (text.data[text.bytes - 1] == '\n' || text.data[text.bytes - 1] == '\r'))
        text.bytes--;
    weir_buffer_add(out, text.data, text.bytes);
    return true;
}

static bool add_reference(struct reading *r, const struct node *node, struct weir_str reference, struct weir_buffer *out)
{
    const char *text = weir_arena_copy(r->arena, reference).data;
    if (strncmp(text, "env:", 4) == 0 && text[4])
        return add_variable(r, node, text + 4, out);
    if (strncmp(text, "file:", 5) == 0 && text[5])
        return add_file(r, node, text + 5, out);
    spec_mistake(r, node->at, NULL, "'${%s}' refers to nothing: use ${env:NAME} or ${file:PATH}", text);
    return false;
}

static bool resolve_scalar(struct reading *r, struct node *node)
{
    weir_cleanup(weir_buffer_drop) struct weir_buffer out = {0};
    const char *at = node->raw.data, *start;
    while ((start = strstr(at, "${"))) {
        const char *end = strchr(start, '}');
        if (!end || out.bytes > VALUE_BYTES_MAX) {
            spec_mistake(r, node->at, NULL, end ? "this value gets too long" : "a '${' without its '}'");
            return false;
        }
        weir_buffer_add(&out, at, (size_t)(start - at));
        if (!add_reference(r, node, (struct weir_str){start + 2, (uint32_t)(end - start - 2)}, &out))
            return false;
        at = end + 1;
    }
    if (at == node->raw.data)
        return true;
    weir_buffer_add(&out, at, strlen(at));
    if (out.bytes && memchr(out.data, 0, out.bytes)) {
        spec_mistake(r, node->at, NULL, "what '%s' refers to holds a NUL character", node->raw.data);
        return false;
    }
    node->text = out.bytes ? weir_arena_copy(r->arena, weir_buffer_view(&out)) : WEIR_STR("");
    return true;
}

void spec_resolve_references(struct reading *r, struct node *root)
{
    if (root->kind == NODE_SCALAR)
        root->unread = !resolve_scalar(r, root);
    for (uint32_t i = 0; i < root->count; i++)
        spec_resolve_references(r, root->items[i]);
}
