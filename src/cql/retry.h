// SPDX-License-Identifier: Apache-2.0
// What an error means for the request that met it. Pure.
#pragma once
#include "cql/cql.h"
#include "cql/message.h"

enum cql_remedy {
    CQL_NEXT_NODE, // nothing was executed: another node, at once
    CQL_BACK_OFF,  // nothing was executed, and the node wants less: another node, later
    CQL_RESEND,    // the outcome is unknown: the same bytes to another replica where the request is idempotent, else a failure
    CQL_REPREPARE, // the node has forgotten the statement
    CQL_GIVE_UP,   // it will never be taken
};

struct cql_verdict {
    enum cql_remedy remedy;
    enum cql_cause cause;
    bool shrinks; // the node's window
};

struct cql_verdict cql_judge(const struct cql_failure *failure);
