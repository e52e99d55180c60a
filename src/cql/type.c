// SPDX-License-Identifier: Apache-2.0
#include "cql/wire.h"

enum { NESTING_MAX = 32 };

static const char *const names[] = {
    [CQL_CUSTOM] = "custom",       [CQL_ASCII] = "ascii",     [CQL_BIGINT] = "bigint", [CQL_BLOB] = "blob",         [CQL_BOOLEAN] = "boolean",
    [CQL_COUNTER] = "counter",     [CQL_DECIMAL] = "decimal", [CQL_DOUBLE] = "double", [CQL_FLOAT] = "float",       [CQL_INT] = "int",
    [CQL_TIMESTAMP] = "timestamp", [CQL_UUID] = "uuid",       [CQL_VARCHAR] = "text",  [CQL_VARINT] = "varint",     [CQL_TIMEUUID] = "timeuuid",
    [CQL_INET] = "inet",           [CQL_DATE] = "date",       [CQL_TIME] = "time",     [CQL_SMALLINT] = "smallint", [CQL_TINYINT] = "tinyint",
    [CQL_DURATION] = "duration",   [CQL_LIST] = "list",       [CQL_MAP] = "map",       [CQL_SET] = "set",           [CQL_UDT] = "udt",
    [CQL_TUPLE] = "tuple",
};

static bool known(unsigned type)
{
    return type < sizeof names / sizeof *names && names[type];
}

const char *cql_type_name(enum cql_type type)
{
    return known(type) ? names[type] : "unknown";
}

static enum cql_type take_nested(struct weir_cursor *c, unsigned depth);

static void pass_types(struct weir_cursor *c, unsigned count, bool named, unsigned depth)
{
    for (unsigned i = 0; i < count && !c->bad; i++) {
        if (named)
            cql_take_string(c);
        take_nested(c, depth + 1);
    }
}

static void pass_parameters(struct weir_cursor *c, enum cql_type type, unsigned depth)
{
    switch (type) {
    case CQL_CUSTOM: // the class
        cql_take_string(c);
        break;
    case CQL_LIST:
    case CQL_SET:
        pass_types(c, 1, false, depth);
        break;
    case CQL_MAP:
        pass_types(c, 2, false, depth);
        break;
    case CQL_UDT:
        cql_take_string(c); // keyspace
        cql_take_string(c); // name
        pass_types(c, cql_take_short(c), true, depth);
        break;
    case CQL_TUPLE:
        pass_types(c, cql_take_short(c), false, depth);
        break;
    default:
        break;
    }
}

static enum cql_type take_nested(struct weir_cursor *c, unsigned depth)
{
    unsigned type = cql_take_short(c);
    if (c->bad || depth > NESTING_MAX || !known(type)) {
        c->bad = true;
        c->at = c->end;
        return CQL_CUSTOM;
    }
    pass_parameters(c, (enum cql_type)type, depth);
    return (enum cql_type)type;
}

enum cql_type cql_take_type(struct weir_cursor *c)
{
    return take_nested(c, 0);
}
