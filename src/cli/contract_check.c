// SPDX-License-Identifier: Apache-2.0
#include "avro/compatibility.h"
#include "base/memory.h"
#include "cli/contract.h"
#include <stdlib.h>

struct older {
    int32_t version;
    char *schema;
};

struct versions {
    struct older *items;
    size_t count, capacity;
};

static int keep(void *context, const struct weir_subject_version *v)
{
    struct versions *all = context;
    weir_grow(&all->items, &all->capacity, all->count + 1, sizeof *all->items);
    all->items[all->count++] = (struct older){v->version, weir_strdup(v->schema)};
    return 0;
}

static void drop(struct versions *all)
{
    for (size_t i = 0; i < all->count; i++)
        free(all->items[i].schema);
    free(all->items);
}

static void tell(void *context, const struct weir_avro_finding *f)
{
    FILE *out = context;
    fprintf(out, "  %s\n    %s at %s\n", f->text, f->type, f->location);
}

static bool is_transitive(enum weir_level level)
{
    return level == WEIR_LEVEL_BACKWARD_TRANSITIVE || level == WEIR_LEVEL_FORWARD_TRANSITIVE || level == WEIR_LEVEL_FULL_TRANSITIVE;
}

static int check_one(FILE *findings, enum weir_level level, const char *newer, const char *older, bool *ret, struct weir_error *err)
{
    bool reads = true, is_read = true;
    bool forward = level == WEIR_LEVEL_FORWARD || level == WEIR_LEVEL_FORWARD_TRANSITIVE;
    bool backward = level == WEIR_LEVEL_BACKWARD || level == WEIR_LEVEL_BACKWARD_TRANSITIVE;
    if (!forward && weir_avro_compare(newer, older, "new", "old", tell, findings, &reads, err) < 0)
        return -1;
    if (!backward && weir_avro_compare(older, newer, "old", "new", tell, findings, &is_read, err) < 0)
        return -1;
    *ret = reads && is_read;
    return 0;
}

static int check_all(FILE *out, const struct versions *all, enum weir_level level, const char *subject, const char *schema, bool *ret,
                     struct weir_error *err)
{
    *ret = true;
    for (size_t i = all->count; i-- > 0;) {
        weir_cleanup(weir_freep) char *findings = NULL;
        size_t bytes;
        bool fits;
        FILE *text = open_memstream(&findings, &bytes);
        weir_assert(text);
        int rc = check_one(text, level, schema, all->items[i].schema, &fits, err);
        fclose(text);
        if (rc < 0)
            return -1;
        fprintf(out, "%s: %s version %d at level %s%s\n%s", subject, fits ? "may follow" : "may not follow", all->items[i].version,
                weir_level_name(level), fits ? "" : ":", findings);
        *ret = *ret && fits;
        if (!is_transitive(level))
            break;
    }
    return 0;
}

// A schema that is none is said first, without a look at others.
static int check_itself(const char *schema, struct weir_error *err)
{
    bool same;
    return weir_avro_compare(schema, schema, "new", "new", tell, NULL, &same, err);
}

int contract_check(FILE *out, struct weir_registry *r, const char *subject, const char *schema, bool *ret, struct weir_error *err)
{
    struct versions all = {0};
    enum weir_level level;
    if (check_itself(schema, err) < 0)
        return -1;
    int rc = weir_registry_level(r, subject, &level, err);
    if (rc == 0)
        rc = weir_registry_versions(r, subject, keep, &all, err);
    *ret = true;
    if (rc == 0 && (all.count == 0 || level == WEIR_LEVEL_NONE))
        fprintf(out, "%s: %s\n", subject, all.count ? "anything may follow at level NONE" : "has no version yet: the schema may be its first");
    else if (rc == 0)
        rc = check_all(out, &all, level, subject, schema, ret, err);
    drop(&all);
    return rc;
}
