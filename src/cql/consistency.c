// SPDX-License-Identifier: Apache-2.0
#include "cql/wire.h"
#include <strings.h>

static const char *const names[] = {
    [CQL_ANY] = "ANY",
    [CQL_ONE] = "ONE",
    [CQL_TWO] = "TWO",
    [CQL_THREE] = "THREE",
    [CQL_QUORUM] = "QUORUM",
    [CQL_ALL] = "ALL",
    [CQL_LOCAL_QUORUM] = "LOCAL_QUORUM",
    [CQL_EACH_QUORUM] = "EACH_QUORUM",
    [CQL_SERIAL] = "SERIAL",
    [CQL_LOCAL_SERIAL] = "LOCAL_SERIAL",
    [CQL_LOCAL_ONE] = "LOCAL_ONE",
};
enum { LEVELS = sizeof names / sizeof *names };

const char *cql_consistency_name(enum cql_consistency c)
{
    return (unsigned)c < LEVELS ? names[c] : "unknown";
}

int cql_consistency_parse(struct weir_str name, enum cql_consistency *ret)
{
    for (unsigned i = 0; i < LEVELS; i++) {
        if (name.bytes == strlen(names[i]) && strncasecmp(name.data, names[i], name.bytes) == 0) {
            *ret = (enum cql_consistency)i;
            return 0;
        }
    }
    return -1;
}
