// SPDX-License-Identifier: Apache-2.0
#include "avro/parse.h"

// Lists and maps can be empty; records are what was found so far.
static bool ends(const struct weir_avro_schema *schema)
{
    if (schema->kind == WEIR_AVRO_RECORD)
        return schema->finite;
    if (schema->kind != WEIR_AVRO_UNION)
        return true;
    for (uint32_t i = 0; i < schema->branch_count; i++)
        if (ends(schema->branches[i]))
            return true;
    return false;
}

static bool fields_end(const struct weir_avro_schema *record)
{
    for (uint32_t i = 0; i < record->field_count; i++)
        if (!ends(record->fields[i].schema))
            return false;
    return true;
}

// One pass marks what follows from the marks so far. Inner types are defined after outer ones: backwards is the short way.
static bool mark(struct parse *p)
{
    bool changed = false;
    for (size_t i = p->name_count; i-- > 0;) {
        struct weir_avro_schema *schema = (struct weir_avro_schema *)p->names[i]; // the parser's own until it is done
        if (schema->kind == WEIR_AVRO_RECORD && !schema->finite && fields_end(schema))
            changed = schema->finite = true;
    }
    return changed;
}

int finite_check(struct parse *p)
{
    while (mark(p))
        ;
    for (size_t i = 0; i < p->name_count; i++)
        if (p->names[i]->kind == WEIR_AVRO_RECORD && !p->names[i]->finite)
            return parse_fail(p, "record '%s' holds itself without end: make the way back to it a union with null", p->names[i]->name);
    return 0;
}
