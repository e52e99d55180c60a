// SPDX-License-Identifier: Apache-2.0
#include "feed/simulated.h"

#include "base/number.h"
#include "base/time.h"
#include "base/uuid.h"
#include <math.h>
#include <stdio.h>

struct subject { // which event, and whom it is about
    const struct weir_plan *plan;
    uint64_t number;
    uint64_t who; // the device, from 0; without sets the event's number
};

// A well-mixed function of three numbers; the finalizer is Stafford's variant 13, as in splitmix64.
static uint64_t mix(uint64_t z)
{
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
    z = (z ^ z >> 27) * 0x94d049bb133111eb;
    return z ^ z >> 31;
}

static uint64_t random_at(uint64_t seed, uint64_t number, uint64_t field)
{
    return mix(mix(mix(seed + 0x9e3779b97f4a7c15) + number * 0xd1b54a32d192ed03) + (field + 1) * 0x8cb92ba72f3d8dd7);
}

// [0, 1)
static double unit_of(uint64_t random)
{
    return (double)(random >> 11) * 0x1p-53;
}

static uint64_t below(uint64_t random, uint64_t limit)
{
    return (uint64_t)((unsigned __int128)random * limit >> 64);
}

void simulated_uuid(uint64_t seed, uint64_t member, char out[37])
{
    uint8_t id[16];
    for (int half = 0; half < 2; half++) {
        uint64_t random = random_at(seed, member, UINT64_MAX - 2 - (unsigned)half);
        for (int i = 0; i < 8; i++)
            id[half * 8 + i] = (uint8_t)(random >> (8 * i));
    }
    id[6] = (id[6] & 0x0f) | 0x40;
    id[8] = (id[8] & 0x3f) | 0x80;
    weir_uuid_format(id, out);
}

static struct weir_str text_of(const char *pattern, uint64_t n, struct weir_arena *arena)
{
    char digits[24];
    size_t digit_bytes = weir_format_i64((int64_t)n, digits), bytes = strlen(pattern), holes = 0;
    for (const char *hole = pattern; (hole = strstr(hole, "{n}")); hole += 3)
        holes++;
    char *text = weir_arena_alloc(arena, bytes + holes * digit_bytes + 1), *out = text;
    for (const char *at = pattern; *at;) {
        if (strncmp(at, "{n}", 3) == 0) {
            memcpy(out, digits, digit_bytes);
            out += digit_bytes;
            at += 3;
        } else {
            *out++ = *at++;
        }
    }
    return (struct weir_str){text, (uint32_t)(out - text)};
}

static double rounded(double value, int digits)
{
    static const double powers[] = {1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15};
    return digits < 0 || digits > 15 ? value : nearbyint(value * powers[digits]) / powers[digits];
}

static void uniform_value(const struct weir_sim_field *sim, enum weir_type type, uint64_t random, struct weir_value *ret)
{
    if (ret->kind == WEIR_I64) {
        int64_t low = (int64_t)ceil(sim->low), high = (int64_t)floor(sim->high);
        ret->i64 = high < low ? low : low + (int64_t)below(random, (uint64_t)(high - low) + 1);
        return;
    }
    double value = rounded(sim->low + unit_of(random) * (sim->high - sim->low), sim->digits);
    ret->f64 = type == WEIR_FLOAT ? (double)(float)value : value;
}

// A time in the unit of the event's time where the field is that, else in milliseconds.
static void time_value(const struct weir_plan *plan, uint32_t field, int64_t ms, struct weir_arena *arena, struct weir_value *ret)
{
    enum weir_time_unit unit = field == plan->event.time_field ? plan->event.time_unit : WEIR_UNIT_MS;
    if (ret->kind == WEIR_STRS) {
        char *text = weir_arena_alloc(arena, 32);
        weir_iso8601_format(ms, text);
        ret->str = weir_str_of(text);
    } else if (ret->kind == WEIR_F64) {
        ret->f64 = unit == WEIR_UNIT_S ? (double)ms / 1000 : unit == WEIR_UNIT_US ? (double)ms * 1000 : (double)ms;
    } else {
        ret->i64 = unit == WEIR_UNIT_S ? weir_floor_div(ms, 1000) : unit == WEIR_UNIT_US ? ms * 1000 : ms;
    }
}

static void fill(const struct subject *s, uint32_t field, const struct simulated_clock *clock, struct weir_arena *arena, struct weir_value *ret)
{
    const struct weir_feed_spec *feed = &s->plan->feed;
    const struct weir_sim_field *sim = &feed->sim[field];
    enum weir_type type = s->plan->event.fields[field].type;
    *ret = (struct weir_value){.kind = weir_kind_of(type)};
    switch (sim->kind) {
    case WEIR_SIM_UUID: {
        char *text = weir_arena_alloc(arena, 37);
        simulated_uuid(feed->seed, s->who % (uint64_t)sim->members, text);
        ret->str = (struct weir_str){text, 36};
        break;
    }
    case WEIR_SIM_TEXT:
        ret->str = text_of(sim->text, (sim->members ? s->who % (uint64_t)sim->members : s->who) + 1, arena);
        break;
    case WEIR_SIM_NOW:
        time_value(s->plan, field, clock->now_ms, arena, ret);
        break;
    case WEIR_SIM_CLOCK:
        time_value(s->plan, field, clock->clock_ms, arena, ret);
        break;
    case WEIR_SIM_UNIFORM:
        uniform_value(sim, type, random_at(feed->seed, s->number, field), ret);
        break;
    case WEIR_SIM_ONE_OF:
        ret->str = sim->choices[below(random_at(feed->seed, s->who, field), sim->choice_count)];
        break;
    case WEIR_SIM_CONSTANT:
        *ret = sim->constant;
        break;
    case WEIR_SIM_NULL:
        ret->null = true;
        break;
    }
}

uint64_t simulated_devices(const struct weir_plan *plan)
{
    uint64_t devices = 0;
    for (uint32_t f = 0; f < plan->event.field_count; f++) {
        uint64_t members = (uint64_t)plan->feed.sim[f].members;
        devices = members > devices ? members : devices;
    }
    return devices;
}

void simulated_event(const struct weir_plan *plan, uint64_t number, const struct simulated_clock *clock, struct weir_arena *arena,
                     struct weir_value *values)
{
    uint64_t devices = simulated_devices(plan);
    struct subject subject = {plan, number, devices ? number % devices : number};
    if (plan->feed.only_device)
        subject.who = plan->feed.only_device - 1;
    for (uint32_t f = 0; f < plan->event.field_count; f++)
        fill(&subject, f, clock, arena, &values[f]);
}
