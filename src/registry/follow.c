// SPDX-License-Identifier: Apache-2.0
#include "registry/follow.h"

#include "base/memory.h"
#include <stdlib.h>

enum { FINDINGS_MAX = 100 };

struct older {
    int32_t version;
    const char *schema;
};

struct following {
    struct weir_arena arena;
    const char *schema;
    enum weir_level level;
    struct older *older;
    size_t count, capacity;
    struct weir_avro_finding findings[FINDINGS_MAX];
    uint32_t finding_count;
};

static const char *kept(struct following *f, const char *text)
{
    return weir_arena_copy(&f->arena, weir_str_of(text)).data;
}

static int keep_version(void *context, const struct weir_subject_version *v)
{
    struct following *f = context;
    weir_grow(&f->older, &f->capacity, f->count + 1, sizeof *f->older);
    f->older[f->count++] = (struct older){v->version, kept(f, v->schema)};
    return 0;
}

static void keep_finding(void *context, const struct weir_avro_finding *found)
{
    struct following *f = context;
    if (f->finding_count < FINDINGS_MAX)
        f->findings[f->finding_count++] = (struct weir_avro_finding){kept(f, found->type), kept(f, found->location), kept(f, found->text)};
}

// ---- what a level asks

static bool asks_all(enum weir_level level)
{
    return level == WEIR_LEVEL_BACKWARD_TRANSITIVE || level == WEIR_LEVEL_FORWARD_TRANSITIVE || level == WEIR_LEVEL_FULL_TRANSITIVE;
}

static bool asks_backward(enum weir_level level)
{
    return level != WEIR_LEVEL_NONE && level != WEIR_LEVEL_FORWARD && level != WEIR_LEVEL_FORWARD_TRANSITIVE;
}

static bool asks_forward(enum weir_level level)
{
    return level != WEIR_LEVEL_NONE && level != WEIR_LEVEL_BACKWARD && level != WEIR_LEVEL_BACKWARD_TRANSITIVE;
}

static int compare(struct following *f, const struct older *older, bool *ret, struct weir_error *err)
{
    bool reads = true, is_read = true;
    f->finding_count = 0;
    if (asks_backward(f->level) && weir_avro_compare(f->schema, older->schema, "new", "old", keep_finding, f, &reads, err) < 0)
        return weir_wrap(err, "version %d", older->version);
    if (asks_forward(f->level) && weir_avro_compare(older->schema, f->schema, "old", "new", keep_finding, f, &is_read, err) < 0)
        return weir_wrap(err, "version %d", older->version);
    *ret = reads && is_read;
    return 0;
}

static int compare_all(struct following *f, void (*on_version)(void *context, const struct weir_follow *f), void *context, bool *ret,
                       struct weir_error *err)
{
    bool fits = true;
    for (size_t i = f->count; f->level != WEIR_LEVEL_NONE && fits && i-- > 0;) {
        if (compare(f, &f->older[i], &fits, err) < 0)
            return -1;
        const struct weir_follow of = {f->level, f->older[i].version, fits, f->finding_count, f->findings};
        on_version(context, &of);
        if (!asks_all(f->level))
            break;
    }
    *ret = fits;
    return 0;
}

// A schema that is none is said first, without a look at others.
static int check_itself(struct following *f, struct weir_error *err)
{
    bool same;
    return weir_avro_compare(f->schema, f->schema, "new", "new", keep_finding, f, &same, err);
}

int weir_registry_follows(struct weir_registry *r, const char *subject, const char *schema,
                          void (*on_version)(void *context, const struct weir_follow *f), void *context, bool *ret, struct weir_error *err)
{
    struct following *f = weir_zalloc(1, sizeof *f);
    f->schema = schema;
    int rc = check_itself(f, err);
    if (rc == 0)
        rc = weir_registry_level(r, subject, &f->level, err);
    if (rc == 0)
        rc = weir_registry_versions(r, subject, keep_version, f, err);
    if (rc == 0)
        rc = compare_all(f, on_version, context, ret, err);
    weir_arena_drop(&f->arena);
    free(f->older);
    free(f);
    return rc;
}
