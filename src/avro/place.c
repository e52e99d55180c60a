// SPDX-License-Identifier: Apache-2.0
#include "avro/place.h"

#include "base/number.h"

enum { WAYS_MAX = 10000 }; // unions inside unions: so many ways are enough

// ---- paths

static bool name_char(char c, bool first)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || (!first && c >= '0' && c <= '9');
}

static uint32_t take_name(struct weir_str path, uint32_t at, struct weir_avro_step *ret)
{
    uint32_t from = at;
    while (at < path.bytes && name_char(path.data[at], at == from))
        at++;
    *ret = (struct weir_avro_step){{path.data + from, at - from}, -1};
    return at > from ? at : 0;
}

static uint32_t take_index(struct weir_str path, uint32_t at, struct weir_avro_step *ret)
{
    uint32_t from = ++at;
    while (at < path.bytes && path.data[at] >= '0' && path.data[at] <= '9')
        at++;
    *ret = (struct weir_avro_step){{"", 0}, 0};
    bool number = at > from && at - from < 10 && weir_parse_i64((struct weir_str){path.data + from, at - from}, &ret->index) == 0;
    return number && at < path.bytes && path.data[at] == ']' ? at + 1 : 0;
}

int weir_avro_steps(struct weir_str path, struct weir_avro_step ret[WEIR_AVRO_STEPS_MAX])
{
    int count = 1;
    uint32_t at = take_name(path, 0, &ret[0]);
    while (at && at < path.bytes) {
        if (count == WEIR_AVRO_STEPS_MAX)
            return -1;
        if (path.data[at] == '[')
            at = take_index(path, at, &ret[count++]);
        else
            at = path.data[at] == '.' ? take_name(path, at + 1, &ret[count++]) : 0;
    }
    return at ? count : -1;
}

// ---- types

bool weir_avro_scalar(const struct weir_avro_schema *schema, enum weir_type *ret)
{
    static const int types[] = {
        [WEIR_AVRO_NULL] = -1,          [WEIR_AVRO_BOOLEAN] = WEIR_BOOLEAN, [WEIR_AVRO_INT] = WEIR_INT,      [WEIR_AVRO_LONG] = WEIR_LONG,
        [WEIR_AVRO_FLOAT] = WEIR_FLOAT, [WEIR_AVRO_DOUBLE] = WEIR_DOUBLE,   [WEIR_AVRO_BYTES] = WEIR_STRING, [WEIR_AVRO_STRING] = WEIR_STRING,
        [WEIR_AVRO_RECORD] = -1,        [WEIR_AVRO_ENUM] = WEIR_STRING,     [WEIR_AVRO_ARRAY] = -1,          [WEIR_AVRO_MAP] = -1,
        [WEIR_AVRO_UNION] = -1,         [WEIR_AVRO_FIXED] = WEIR_STRING,
    };
    int type = schema->logical == WEIR_AVRO_DATE ? WEIR_LONG : schema->logical == WEIR_AVRO_DECIMAL ? WEIR_DOUBLE : types[schema->kind];
    if (type >= 0)
        *ret = (enum weir_type)type;
    return type >= 0;
}

struct search {
    const struct weir_avro_step *steps;
    int step_count, flags;
    int ways_left;
    bool found, optional, raw;
    enum weir_type type;
    const char *kind; // that is no scalar
};

static void look(struct search *s, const struct weir_avro_schema *schema, int step);

static bool is_raw(const struct weir_avro_schema *schema)
{
    return (schema->kind == WEIR_AVRO_BYTES || schema->kind == WEIR_AVRO_FIXED) && schema->logical == WEIR_AVRO_PLAIN;
}

static bool is_number(enum weir_type type)
{
    return type == WEIR_INT || type == WEIR_LONG || type == WEIR_FLOAT || type == WEIR_DOUBLE;
}

static enum weir_type widest(enum weir_type a, enum weir_type b)
{
    if (a == b)
        return a;
    if (!is_number(a) || !is_number(b))
        return WEIR_STRING;
    bool whole = weir_kind_of(a) == WEIR_I64 && weir_kind_of(b) == WEIR_I64;
    return whole ? WEIR_LONG : WEIR_DOUBLE;
}

static void arrive(struct search *s, const struct weir_avro_schema *schema)
{
    enum weir_type type;
    bool scalar = weir_avro_scalar(schema, &type), raw = is_raw(schema) && !(s->flags & WEIR_AVRO_RAW);
    if (!scalar || raw) {
        s->optional = true;
        s->raw |= raw;
        s->kind = schema->kind == WEIR_AVRO_NULL && s->kind ? s->kind : weir_avro_kind_name(schema->kind);
    } else {
        s->type = s->found ? widest(s->type, type) : type;
        s->found = true;
    }
}

static void look_into(struct search *s, const struct weir_avro_schema *schema, int step)
{
    const struct weir_avro_step *next = &s->steps[step];
    if (schema->kind == WEIR_AVRO_RECORD && next->index < 0)
        for (uint32_t i = 0; i < schema->field_count; i++)
            if (weir_str_is(next->name, schema->fields[i].name)) {
                look(s, schema->fields[i].schema, step + 1);
                return;
            }
    s->optional = true; // not there, or not always
    if ((schema->kind == WEIR_AVRO_ARRAY && next->index >= 0) || (schema->kind == WEIR_AVRO_MAP && next->index < 0))
        look(s, schema->items, step + 1);
}

static void look(struct search *s, const struct weir_avro_schema *schema, int step)
{
    if (s->ways_left-- <= 0)
        return;
    if (schema->kind == WEIR_AVRO_UNION)
        for (uint32_t i = 0; i < schema->branch_count; i++)
            look(s, schema->branches[i], step);
    else if (step == s->step_count)
        arrive(s, schema);
    else
        look_into(s, schema, step);
}

int weir_avro_place(const struct weir_avro_schema *schema, const struct weir_avro_step *steps, int step_count, int flags, enum weir_type *ret,
                    bool *ret_optional, const char **ret_kind)
{
    struct search s = {.steps = steps, .step_count = step_count, .flags = flags, .ways_left = WAYS_MAX};
    look(&s, schema, 0);
    *ret_kind = s.ways_left <= 0 ? "tangled" : s.kind;
    if (!s.found || s.raw || s.ways_left <= 0)
        return -1;
    *ret = s.type;
    *ret_optional = s.optional;
    return 0;
}
