// SPDX-License-Identifier: Apache-2.0
#include "cli/contract.h"
#include "registry/follow.h"

struct saying {
    FILE *out;
    const char *subject;
    bool any;
};

static void say_version(void *context, const struct weir_follow *f)
{
    struct saying *s = context;
    s->any = true;
    fprintf(s->out, "%s: %s version %d at level %s%s\n", s->subject, f->fits ? "may follow" : "may not follow", f->version, weir_level_name(f->level),
            f->fits ? "" : ":");
    for (uint32_t i = 0; i < f->finding_count; i++)
        fprintf(s->out, "  %s\n    %s at %s\n", f->findings[i].text, f->findings[i].type, f->findings[i].location);
}

int contract_check(FILE *out, struct weir_registry *r, const char *subject, const char *schema, bool *ret, struct weir_error *err)
{
    struct saying s = {out, subject, false};
    if (weir_registry_follows(r, subject, schema, say_version, &s, ret, err) < 0)
        return -1;
    if (!s.any)
        fprintf(out, "%s: the schema may follow: there is no version yet, or the level is NONE\n", subject);
    return 0;
}
