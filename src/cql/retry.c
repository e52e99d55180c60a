// SPDX-License-Identifier: Apache-2.0
#include "cql/retry.h"

static const struct {
    int32_t code;
    struct cql_verdict verdict;
} verdicts[] = {
    {CQL_ERROR_UNAVAILABLE, {CQL_NEXT_NODE, CQL_CAUSE_UNAVAILABLE, false}},
    {CQL_ERROR_IS_BOOTSTRAPPING, {CQL_NEXT_NODE, CQL_CAUSE_UNAVAILABLE, false}},
    {CQL_ERROR_OVERLOADED, {CQL_BACK_OFF, CQL_CAUSE_OVERLOADED, true}},
    {CQL_ERROR_WRITE_TIMEOUT, {CQL_RESEND, CQL_CAUSE_TIMEOUT, true}},
    {CQL_ERROR_READ_TIMEOUT, {CQL_RESEND, CQL_CAUSE_TIMEOUT, true}},
    {CQL_ERROR_CAS_WRITE_UNKNOWN, {CQL_RESEND, CQL_CAUSE_TIMEOUT, true}},
    {CQL_ERROR_READ_FAILURE, {CQL_RESEND, CQL_CAUSE_UNAVAILABLE, false}},
    {CQL_ERROR_WRITE_FAILURE, {CQL_RESEND, CQL_CAUSE_UNAVAILABLE, false}},
    {CQL_ERROR_CDC_WRITE_FAILURE, {CQL_RESEND, CQL_CAUSE_UNAVAILABLE, false}},
    {CQL_ERROR_TRUNCATE, {CQL_RESEND, CQL_CAUSE_UNAVAILABLE, false}},
    {CQL_ERROR_SERVER, {CQL_RESEND, CQL_CAUSE_UNAVAILABLE, false}},
    {CQL_ERROR_UNPREPARED, {CQL_REPREPARE, CQL_CAUSE_NOT_SENT, false}},
    {CQL_ERROR_PROTOCOL, {CQL_GIVE_UP, CQL_CAUSE_REFUSED, false}},
    {CQL_ERROR_BAD_CREDENTIALS, {CQL_GIVE_UP, CQL_CAUSE_REFUSED, false}},
    {CQL_ERROR_FUNCTION_FAILURE, {CQL_GIVE_UP, CQL_CAUSE_REFUSED, false}},
    {CQL_ERROR_SYNTAX, {CQL_GIVE_UP, CQL_CAUSE_REFUSED, false}},
    {CQL_ERROR_UNAUTHORIZED, {CQL_GIVE_UP, CQL_CAUSE_REFUSED, false}},
    {CQL_ERROR_INVALID, {CQL_GIVE_UP, CQL_CAUSE_REFUSED, false}},
    {CQL_ERROR_CONFIG, {CQL_GIVE_UP, CQL_CAUSE_REFUSED, false}},
    {CQL_ERROR_ALREADY_EXISTS, {CQL_GIVE_UP, CQL_CAUSE_REFUSED, false}},
};

struct cql_verdict cql_judge(const struct cql_failure *failure)
{
    for (size_t i = 0; i < sizeof verdicts / sizeof *verdicts; i++)
        if (verdicts[i].code == failure->code)
            return verdicts[i].verdict;
    return (struct cql_verdict){CQL_RESEND, CQL_CAUSE_UNAVAILABLE, false}; // a code of a server younger than this: anything may have happened
}
