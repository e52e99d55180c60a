// SPDX-License-Identifier: Apache-2.0
#include "avro/schema.h"
#include "base/buffer.h"
#include "base/memory.h"
#include "cli/contract.h"
#include <stdlib.h>

enum { DEPTH_MAX = 32 };

struct diff {
    FILE *out;
    uint32_t count;
    uint32_t depth;
};

static void type_text(struct weir_buffer *b, const struct weir_avro_schema *s, uint32_t depth)
{
    if (s->kind == WEIR_AVRO_UNION && depth < DEPTH_MAX) {
        weir_buffer_byte(b, '[');
        for (uint32_t i = 0; i < s->branch_count; i++) {
            weir_buffer_format(b, "%s", i ? ", " : "");
            type_text(b, s->branches[i], depth + 1);
        }
        weir_buffer_byte(b, ']');
    } else if ((s->kind == WEIR_AVRO_ARRAY || s->kind == WEIR_AVRO_MAP) && depth < DEPTH_MAX) {
        weir_buffer_format(b, "%s of ", weir_avro_kind_name(s->kind));
        type_text(b, s->items, depth + 1);
    } else {
        weir_buffer_format(b, "%s", s->name ? s->name : weir_avro_kind_name(s->kind));
        if (s->logical_type)
            weir_buffer_format(b, " (%s)", s->logical_type);
    }
}

static void field_text(struct weir_buffer *b, const struct weir_avro_field *f)
{
    type_text(b, f->schema, 0);
    if (f->default_value) {
        char *value = json_dumps(f->default_value, JSON_COMPACT | JSON_ENCODE_ANY);
        weir_buffer_format(b, " = %s", value ? value : "?");
        free(value);
    }
    weir_buffer_byte(b, 0);
}

static const struct weir_avro_field *find(const struct weir_avro_schema *record, const char *name)
{
    for (uint32_t i = 0; i < record->field_count; i++)
        if (strcmp(record->fields[i].name, name) == 0)
            return &record->fields[i];
    return NULL;
}

static void say(struct diff *d, char sign, const char *path, const struct weir_avro_field *f, const struct weir_avro_field *was)
{
    weir_cleanup(weir_buffer_drop) struct weir_buffer now = {0}, before = {0};
    field_text(&now, f);
    if (was)
        field_text(&before, was);
    if (was && strcmp((const char *)now.data, (const char *)before.data) == 0)
        return;
    d->count++;
    if (was)
        fprintf(d->out, "%c field %s%s: %s → %s\n", sign, path, f->name, (const char *)before.data, (const char *)now.data);
    else
        fprintf(d->out, "%c field %s%s: %s\n", sign, path, f->name, (const char *)now.data);
}

static void diff_records(struct diff *d, const char *path, const struct weir_avro_schema *older, const struct weir_avro_schema *newer)
{
    for (uint32_t i = 0; i < older->field_count; i++)
        if (!find(newer, older->fields[i].name))
            say(d, '-', path, &older->fields[i], NULL);
    for (uint32_t i = 0; i < newer->field_count; i++) {
        const struct weir_avro_field *f = &newer->fields[i], *was = find(older, f->name);
        say(d, was ? '~' : '+', path, f, was);
        if (!was || f->schema->kind != WEIR_AVRO_RECORD || was->schema->kind != WEIR_AVRO_RECORD || d->depth >= DEPTH_MAX || was->schema == older)
            continue;
        weir_cleanup(weir_freep) char *inner = weir_format("%s%s.", path, f->name);
        d->depth++;
        diff_records(d, inner, was->schema, f->schema);
        d->depth--;
    }
}

static void diff_names(struct diff *d, const struct weir_avro_schema *older, const struct weir_avro_schema *newer)
{
    weir_cleanup(weir_buffer_drop) struct weir_buffer before = {0}, now = {0};
    type_text(&before, older, 0);
    type_text(&now, newer, 0);
    weir_buffer_byte(&before, 0);
    weir_buffer_byte(&now, 0);
    if (strcmp((const char *)before.data, (const char *)now.data) == 0)
        return;
    d->count++;
    fprintf(d->out, "~ type: %s → %s\n", (const char *)before.data, (const char *)now.data);
}

int contract_diff(FILE *out, const char *older, const char *newer, uint32_t *ret, struct weir_error *err)
{
    weir_cleanup(weir_arena_drop) struct weir_arena arena = {0};
    const struct weir_avro_schema *a, *b;
    json_t *older_json = NULL, *newer_json = NULL;
    struct diff d = {.out = out};
    int rc = weir_avro_parse(weir_str_of(older), &arena, &a, &older_json, err);
    if (rc == 0)
        rc = weir_avro_parse(weir_str_of(newer), &arena, &b, &newer_json, err);
    if (rc == 0) {
        diff_names(&d, a, b);
        if (a->kind == WEIR_AVRO_RECORD && b->kind == WEIR_AVRO_RECORD)
            diff_records(&d, "", a, b);
        *ret = d.count;
    }
    json_decref(older_json);
    json_decref(newer_json);
    return rc;
}
