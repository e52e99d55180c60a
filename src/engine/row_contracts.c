// SPDX-License-Identifier: Apache-2.0
#include "engine/row_contracts.h"

#include "base/memory.h"
#include "registry/follow.h"
#include "spec/contract.h"
#include <stdio.h>

enum { REASON_BYTES = 200 };

static void put_schema(const struct weir_plan *plan, const struct weir_query_spec *query, struct weir_buffer *out)
{
    weir_contract_rows(out, plan, query);
    weir_buffer_byte(out, 0);
}

// ---- whether it may follow

struct refusal {
    enum weir_level level;
    int32_t version;
    uint32_t count;
    char first[REASON_BYTES]; // of what is in the way
};

static void on_version(void *context, const struct weir_follow *f)
{
    struct refusal *r = context;
    if (f->fits)
        return;
    r->level = f->level;
    r->version = f->version;
    r->count = f->finding_count;
    if (f->finding_count)
        snprintf(r->first, sizeof r->first, "%s", f->findings[0].text);
}

static int refuse(const struct weir_plan *plan, const struct weir_query_spec *query, const char *subject, const struct refusal *r,
                  struct weir_error *err)
{
    char more[40] = "";
    if (r->count > 1)
        snprintf(more, sizeof more, " (and %u more)", r->count - 1);
    weir_fail(
        err, WEIR_BAD_CONFIG, WEIR_STOP,
        "%.60s:%d: the columns of %.110s may not follow its version %d at level %s: %s%s; give the table a new name, or its subject the level NONE",
        plan->file, query->line, subject, r->version, weir_level_name(r->level), r->first, more);
    return 0;
}

static int check_one(struct weir_registry *registry, const struct weir_plan *plan, const struct weir_query_spec *query, struct weir_error *err)
{
    weir_cleanup(weir_freep) char *subject = weir_contract_rows_subject(plan, query);
    weir_cleanup(weir_buffer_drop) struct weir_buffer schema = {0};
    struct refusal r = {0};
    bool fits;
    put_schema(plan, query, &schema);
    if (weir_registry_follows(registry, subject, (const char *)schema.data, on_version, &r, &fits, err) < 0)
        return weir_wrap(err, "subject %s", subject);
    return fits ? 1 : refuse(plan, query, subject, &r, err);
}

int weir_row_contracts_check(struct weir_registry *r, const struct weir_plan *plan, struct weir_error *err)
{
    int fits = 1;
    for (uint32_t q = 0; fits == 1 && q < plan->query_count; q++)
        if (plan->queries[q].grouped)
            fits = check_one(r, plan, &plan->queries[q], err);
    return fits;
}

// ---- registering

static int register_one(struct weir_registry *registry, const struct weir_plan *plan, const struct weir_query_spec *query, struct weir_error *err)
{
    weir_cleanup(weir_freep) char *subject = weir_contract_rows_subject(plan, query);
    weir_cleanup(weir_buffer_drop) struct weir_buffer schema = {0};
    int32_t id;
    put_schema(plan, query, &schema);
    return weir_registry_register(registry, subject, (const char *)schema.data, &id, err);
}

int weir_row_contracts_register(struct weir_registry *r, const struct weir_plan *plan, struct weir_error *err)
{
    for (uint32_t q = 0; q < plan->query_count; q++)
        if (plan->queries[q].grouped && register_one(r, plan, &plan->queries[q], err) < 0)
            return -1;
    return 0;
}
