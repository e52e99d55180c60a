// SPDX-License-Identifier: Apache-2.0
#include "avro/schema.h"

#include "avro/parse.h"
#include <stdlib.h>

static json_t *load_json(struct weir_str text, struct weir_error *err)
{
    json_error_t mistake;
    if (text.bytes > PARSE_TEXT_BYTES_MAX) {
        weir_fail(err, WEIR_BAD_DATA, WEIR_STOP, "schema: longer than %d bytes", PARSE_TEXT_BYTES_MAX);
        return NULL;
    }
    json_t *json = json_loadb(text.data, text.bytes, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY | JSON_ALLOW_NUL, &mistake);
    if (!json)
        weir_fail(err, WEIR_BAD_DATA, WEIR_STOP, "schema: line %d, column %d: %s", mistake.line, mistake.column, mistake.text);
    return json;
}

static int check_defaults(struct parse *p)
{
    for (size_t i = 0; i < p->default_count; i++) {
        const struct weir_avro_field *field = p->defaults[i].field;
        if (default_fits(field->schema, field->default_value))
            continue;
        parse_enter(p, "%s", p->defaults[i].path);
        return parse_fail(p, "the default of field '%s' is not of its type", field->name);
    }
    return 0;
}

int weir_avro_parse(struct weir_str text, struct weir_arena *arena, const struct weir_avro_schema **ret, json_t **ret_json, struct weir_error *err)
{
    json_t *json = load_json(text, err);
    if (!json)
        return -1;
    struct parse p = {.arena = arena, .err = err};
    const struct weir_avro_schema *schema = parse_type(&p, json, (struct weir_str){"", 0});
    bool good = schema && finite_check(&p) == 0 && check_defaults(&p) == 0;
    free(p.names);
    free(p.defaults);
    if (!good) {
        json_decref(json);
        return -1;
    }
    *ret = schema;
    *ret_json = json;
    return 0;
}

const struct weir_avro_schema *weir_avro_nullable(const struct weir_avro_schema *schema, bool *ret_optional)
{
    *ret_optional = false;
    if (schema->kind != WEIR_AVRO_UNION)
        return schema;
    if (schema->branch_count != 2)
        return NULL;
    for (uint32_t i = 0; i < 2; i++)
        if (schema->branches[i]->kind == WEIR_AVRO_NULL) {
            *ret_optional = true;
            return schema->branches[1 - i];
        }
    return NULL;
}
