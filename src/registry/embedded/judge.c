// SPDX-License-Identifier: Apache-2.0
// Which older versions a level asks about, in which direction, and what is said of those that do not fit.
#include "avro/compatibility.h"
#include "registry/embedded/inside.h"
#include <stdlib.h>

struct judging {
    struct weir_arena *arena;
    const char **messages;
    uint32_t count;
    const struct weir_contract *older;
    bool backward;
};

enum { MESSAGES_MAX = 64 };

static void say(struct judging *j, const char *text)
{
    if (j->count < MESSAGES_MAX)
        j->messages[j->count++] = text;
}

static void on_finding(void *context, const struct weir_avro_finding *f)
{
    struct judging *j = context;
    say(j, weir_arena_format(j->arena, "{errorType:'%s', description:'%s', additionalInfo:'%s'}", f->type, f->text, f->location));
}

static bool reads_all(enum weir_level level)
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

static int judge_one(struct judging *j, enum weir_level level, const char *newer, struct weir_error *why)
{
    bool fits = true, forward_fits = true;
    if (asks_backward(level)) {
        j->backward = true;
        if (weir_avro_compare(newer, j->older->schema, "new", "old", on_finding, j, &fits, why) < 0)
            return -1;
    }
    if (asks_forward(level)) {
        j->backward = false;
        if (weir_avro_compare(j->older->schema, newer, "old", "new", on_finding, j, &forward_fits, why) < 0)
            return -1;
    }
    return fits && forward_fits ? 0 : 1;
}

int contracts_judge(struct weir_arena *arena, struct weir_contracts_error *err, enum weir_level level, const struct identity *newer,
                    const struct weir_contract *older, uint32_t count, struct weir_verdict *ret)
{
    struct judging j = {.arena = arena, .messages = weir_arena_alloc(arena, MESSAGES_MAX * sizeof *j.messages)};
    struct weir_error why;
    *ret = (struct weir_verdict){.compatible = true, .messages = j.messages};
    if (level == WEIR_LEVEL_NONE || count == 0)
        return 0;
    for (uint32_t i = count; ret->compatible && i-- > 0;) {
        j.older = &older[i];
        if (j.older->type != newer->type) {
            ret->compatible = false;
            say(&j, weir_arena_format(arena, "{errorType:'SCHEMA_TYPE_MISMATCH', description:'the new schema is %s, the old one %s'}",
                                      weir_schema_type_name(newer->type), weir_schema_type_name(j.older->type)));
        } else if (newer->type != WEIR_SCHEMA_AVRO) {
            if (strcmp(newer->text, j.older->schema) != 0)
                return contracts_fail(arena, err, BAD_SCHEMA,
                                      "compatibility of %s schemas cannot be checked here: set the subject's level to NONE to go without",
                                      weir_schema_type_name(newer->type));
        } else {
            int found = judge_one(&j, level, newer->whole, &why);
            if (found < 0)
                return contracts_fail(arena, err, BAD_SCHEMA, "version %d: %s", j.older->version, why.text);
            ret->compatible = found == 0;
        }
        if (!ret->compatible) {
            say(&j, weir_arena_format(arena, "{oldSchemaVersion: %d}", j.older->version));
            say(&j, weir_arena_format(arena, "{oldSchema: '%.600s'}", j.older->schema));
            say(&j, weir_arena_format(arena, "{compatibility: '%s'}", weir_level_name(level)));
        }
        if (!reads_all(level))
            break;
    }
    ret->message_count = j.count;
    return 0;
}
