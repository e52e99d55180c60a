// SPDX-License-Identifier: Apache-2.0
// One device in place of a simulated fleet: fields that are fixed.
#include "base/hash.h"
#include "base/suggest.h"
#include "base/uuid.h"
#include "feed/cell.h"
#include "feed/feed.h"
#include "feed/simulated.h"

#define DEVICES_SEARCHED_MAX 100000

static int unknown_field(const struct weir_plan *plan, struct weir_str name, struct weir_error *err)
{
    weir_cleanup(weir_arena_drop) struct weir_arena arena = {0};
    const struct weir_event_spec *event = &plan->event;
    const char **names = weir_arena_alloc(&arena, (event->field_count + 1) * sizeof *names);
    char near[160];
    for (uint32_t f = 0; f < event->field_count; f++)
        names[f] = event->fields[f].name;
    bool found = weir_suggest_text(name, names, event->field_count, near, sizeof near);
    return weir_fail(err, WEIR_USAGE, WEIR_STOP, "the events of pipeline '%s' have no field '%.*s'%s%s", plan->pipeline,
                     (int)(name.bytes < 60 ? name.bytes : 60), name.data, found ? "; " : "", found ? near : "");
}

static int find_field(const struct weir_plan *plan, struct weir_str name, uint32_t *ret, struct weir_error *err)
{
    for (uint32_t f = 0; f < plan->event.field_count; f++) {
        if (weir_str_is(name, plan->event.fields[f].name)) {
            *ret = f;
            return 0;
        }
    }
    return unknown_field(plan, name, err);
}

static int read_value(const struct weir_field *field, struct weir_str text, struct weir_value *ret, struct weir_error *err)
{
    const struct cell_shape shape = {.type = field->type};
    const char *wrong = NULL;
    if (cell_value(&shape, text, ret, &wrong) == 0) {
        if (ret->null && !field->optional)
            wrong = "is empty, and the field is not optional";
        else if (!ret->null && field->is_uuid && !weir_uuid_valid(ret->str))
            wrong = "is no uuid";
    }
    return wrong ? weir_fail(err, WEIR_USAGE, WEIR_STOP, "'%.*s' for field '%s' %s", (int)(text.bytes < 60 ? text.bytes : 60), text.data, field->name,
                             wrong)
                 : 0;
}

// The number of the device that has this key, from 1.
static uint64_t device_of(const struct weir_plan *plan, const struct weir_value *key)
{
    weir_cleanup(weir_arena_drop) struct weir_arena arena = {0};
    const struct simulated_clock clock = {0};
    uint64_t devices = simulated_devices(plan);
    struct weir_value *values = weir_arena_alloc(&arena, (plan->event.field_count + 1) * sizeof *values);
    weir_cleanup(weir_arena_drop) struct weir_arena scratch = {0};
    if (key->kind != WEIR_STRS)
        return devices ? weir_hash64(&key->i64, sizeof key->i64, 0) % devices + 1 : 1;
    for (uint64_t n = 0; n < devices && n < DEVICES_SEARCHED_MAX; n++) {
        weir_arena_reset(&scratch);
        simulated_event(plan, n, &clock, &scratch, values);
        if (weir_str_eq(values[plan->event.key_field].str, key->str))
            return n + 1;
    }
    return devices ? weir_hash64(key->str.data, key->str.bytes, 0) % devices + 1 : 1;
}

int weir_feed_fix(struct weir_plan *plan, struct weir_str field, struct weir_str value, struct weir_error *err)
{
    uint32_t at = 0;
    struct weir_value fixed = {0};
    if (plan->feed.kind != WEIR_FEED_SIMULATE)
        return weir_fail(err, WEIR_USAGE, WEIR_STOP, "the feed of pipeline '%s' is no simulation: its events cannot be given values", plan->pipeline);
    struct weir_str kept = weir_arena_copy(&plan->arena, value);
    if (find_field(plan, field, &at, err) < 0 || read_value(&plan->event.fields[at], kept, &fixed, err) < 0)
        return -1;
    if (at == plan->event.key_field)
        plan->feed.only_device = device_of(plan, &fixed);
    plan->feed.sim[at] = (struct weir_sim_field){.kind = fixed.null ? WEIR_SIM_NULL : WEIR_SIM_CONSTANT, .digits = -1, .constant = fixed};
    return 0;
}
