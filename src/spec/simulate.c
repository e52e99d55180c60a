// SPDX-License-Identifier: Apache-2.0
// feed: simulate — each field of the event gets something that makes its values, and that must fit its type.
#include "base/number.h"
#include "spec/reading.h"
#include <math.h>

#define MEMBERS_MAX 100000000

static bool is_floating(enum weir_type type)
{
    return type == WEIR_FLOAT || type == WEIR_DOUBLE;
}

static bool is_numeric(enum weir_type type)
{
    return is_floating(type) || type == WEIR_INT || type == WEIR_LONG;
}

static bool fits(struct reading *r, const struct node *node, const char *what, bool ok, const char *wanted, const struct weir_field *field)
{
    if (!ok)
        spec_mistake(r, spec_place_of_name(node), NULL, "%s gives %s, but field '%s' is %s", what, wanted, field->name, weir_type_name(field->type));
    return ok;
}

static bool fits_time(struct reading *r, const struct node *node, const char *what, const struct weir_field *field)
{
    bool is_time = r->time_known && field == &r->plan->event.fields[r->plan->event.time_field];
    return fits(r, node, what, is_time || field->type == WEIR_LONG, "a time", field);
}

static void read_uuid(struct reading *r, const struct node *node, const struct weir_field *field, struct weir_sim_field *sim)
{
    if (fits(r, node, "'uuid'", field->type == WEIR_STRING, "text", field) && spec_read_integer(r, node, "'uuid'", 1, MEMBERS_MAX, &sim->members))
        sim->kind = WEIR_SIM_UUID;
}

static void read_pattern(struct reading *r, const struct node *node, const struct node *members, const struct weir_field *field,
                         struct weir_sim_field *sim)
{
    if (!fits(r, node, "'text'", field->type == WEIR_STRING, "text", field) || !spec_is_text(r, node, "'text'"))
        return;
    for (const char *at = node->text.data; (at = strchr(at, '{')); at++) {
        if (strncmp(at, "{n}", 3) != 0) {
            spec_mistake(r, node->at, NULL, "a text knows one placeholder, {n}: the number of the device, from 1");
            return;
        }
    }
    if (members && !spec_read_integer(r, members, "'members'", 1, MEMBERS_MAX, &sim->members))
        return;
    sim->kind = WEIR_SIM_TEXT;
    sim->text = node->text.data;
}

static void read_clock(struct reading *r, const struct node *node, const struct weir_field *field, struct weir_sim_field *sim)
{
    if (fits_time(r, node, "'clock'", field) && spec_is_text(r, node, "'clock'") && spec_read_factor(r, node, node->text, &sim->clock_factor))
        sim->kind = WEIR_SIM_CLOCK;
}

static void read_uniform(struct reading *r, const struct node *node, const struct node *digits, const struct weir_field *field,
                         struct weir_sim_field *sim)
{
    bool integral = !is_floating(field->type);
    if (!fits(r, node, "'uniform'", is_numeric(field->type), "numbers", field) || !spec_is_list(r, node, "'uniform'"))
        return;
    if (node->count != 2) {
        spec_mistake(r, node->at, NULL, "'uniform' takes two numbers: [lowest, highest]");
        return;
    }
    int64_t decimals = integral ? 0 : -1;
    if (digits && !spec_read_integer(r, digits, "'digits'", 0, integral ? 0 : 15, &decimals))
        return;
    double low, high;
    if (!spec_read_number(r, node->items[0], "the lowest value", &low) || !spec_read_number(r, node->items[1], "the highest value", &high))
        return;
    double limit = field->type == WEIR_INT ? 2147483647.0 : field->type == WEIR_LONG ? 9007199254740992.0 : INFINITY;
    if (low > high || fabs(low) > limit || fabs(high) > limit) {
        spec_mistake(r, node->at, NULL, low > high ? "the lowest value is above the highest" : "this is out of the range of field '%s'", field->name);
        return;
    }
    *sim = (struct weir_sim_field){.kind = WEIR_SIM_UNIFORM, .low = low, .high = high, .digits = (int)decimals};
}

static void read_one_of(struct reading *r, const struct node *node, const struct weir_field *field, struct weir_sim_field *sim)
{
    if (!fits(r, node, "'one_of'", field->type == WEIR_STRING, "text", field) || !spec_is_list(r, node, "'one_of'"))
        return;
    if (!node->count)
        spec_mistake(r, node->at, NULL, "'one_of' needs at least one value");
    sim->choices = weir_arena_zalloc(r->arena, (node->count + 1) * sizeof *sim->choices);
    for (uint32_t i = 0; i < node->count; i++) {
        if (spec_is_text(r, node->items[i], "a value"))
            sim->choices[sim->choice_count++] = node->items[i]->text;
    }
    if (sim->choice_count)
        sim->kind = WEIR_SIM_ONE_OF;
}

static bool parse_constant(const struct node *node, enum weir_type type, struct weir_value *value)
{
    struct weir_str text = node->text;
    value->kind = weir_kind_of(type);
    switch (type) {
    case WEIR_STRING:
        value->str = text;
        return true;
    case WEIR_BOOLEAN:
        value->i64 = weir_str_is(text, "true");
        return value->i64 || weir_str_is(text, "false");
    case WEIR_INT:
    case WEIR_LONG:
        return weir_parse_i64(text, &value->i64) == 0 && (type == WEIR_LONG || (value->i64 >= INT32_MIN && value->i64 <= INT32_MAX));
    default:
        return weir_parse_f64(text, &value->f64) == 0;
    }
}

static void read_constant(struct reading *r, const struct node *node, const struct weir_field *field, struct weir_sim_field *sim)
{
    if (spec_is_null(node)) {
        if (!field->optional)
            spec_mistake(r, node->at, NULL, "field '%s' is not optional: it cannot be null", field->name);
        return;
    }
    struct weir_value value = {0};
    if (parse_constant(node, field->type, &value))
        *sim = (struct weir_sim_field){.kind = WEIR_SIM_CONSTANT, .digits = -1, .constant = value};
    else
        spec_mistake(r, node->at, NULL, "'%s' does not fit field '%s', which is %s", node->raw.data, field->name, weir_type_name(field->type));
}

static void read_generator(struct reading *r, const struct node *node, const struct weir_field *field, struct weir_sim_field *sim)
{
    enum { UUID, TEXT, CLOCK, UNIFORM, ONE_OF, DIGITS, MEMBERS, COUNT };
    static const char *const names[] = {"uuid", "text", "clock", "uniform", "one_of", "digits", "members"};
    const struct node *at[COUNT] = {0};
    if (!spec_read_keys(r, node, weir_arena_format(r->arena, "simulated field '%s'", field->name), names, COUNT, at))
        return;
    int given = !!at[UUID] + !!at[TEXT] + !!at[CLOCK] + !!at[UNIFORM] + !!at[ONE_OF];
    if (given > 1 || (!given && !node->count))
        spec_mistake(r, node->at, NULL, "give one of uuid, text, clock, uniform, one_of");
    if (at[DIGITS] && !at[UNIFORM])
        spec_mistake(r, spec_place_of_name(at[DIGITS]), NULL, "'digits' goes with 'uniform'");
    if (at[MEMBERS] && !at[TEXT])
        spec_mistake(r, spec_place_of_name(at[MEMBERS]), NULL, "'members' goes with 'text'; uuid: %s says it already", at[MEMBERS]->raw.data);
    if (given != 1)
        return;
    if (at[UUID])
        read_uuid(r, at[UUID], field, sim);
    else if (at[TEXT])
        read_pattern(r, at[TEXT], at[MEMBERS], field, sim);
    else if (at[CLOCK])
        read_clock(r, at[CLOCK], field, sim);
    else if (at[UNIFORM])
        read_uniform(r, at[UNIFORM], at[DIGITS], field, sim);
    else
        read_one_of(r, at[ONE_OF], field, sim);
}

static void read_sim_field(struct reading *r, const struct node *node, const struct weir_field *field, struct weir_sim_field *sim)
{
    if (node->kind == NODE_MAP)
        read_generator(r, node, field, sim);
    else if (!spec_is_text(r, node, "a simulated field"))
        return;
    else if (node->plain && weir_str_is(node->text, "now")) {
        if (fits_time(r, node, "'now'", field))
            sim->kind = WEIR_SIM_NOW;
    } else
        read_constant(r, node, field, sim);
}

static void read_sim_fields(struct reading *r, const struct node *node)
{
    struct weir_event_spec *event = &r->plan->event;
    if (!spec_is_map(r, node, "'fields'"))
        return;
    spec_check_duplicates(r, node);
    bool *given = weir_arena_zalloc(r->arena, event->field_count + 1);
    for (uint32_t i = 0; i < node->count; i++) {
        int64_t at = spec_read_field(r, node->keys[i], "'fields'");
        if (at < 0)
            continue;
        given[at] = true;
        read_sim_field(r, node->items[i], &event->fields[at], &r->plan->feed.sim[at]);
    }
    for (uint32_t i = 0; r->event_known && i < event->field_count; i++) {
        if (!given[i] && !event->fields[i].optional)
            spec_mistake(r, spec_place_of_name(node), NULL, "field '%s' is missing: it is not optional", event->fields[i].name);
    }
}

int weir_rate_parse(struct weir_str text, double *ret_per_s)
{
    static const struct {
        const char *text;
        double seconds;
    } units[] = {{" per second", 1}, {" per minute", 60}, {" per hour", 3600}, {"", 1}};
    for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
        uint32_t bytes = (uint32_t)strlen(units[i].text);
        double value;
        if (text.bytes > bytes && memcmp(text.data + text.bytes - bytes, units[i].text, bytes) == 0 &&
            weir_parse_f64((struct weir_str){text.data, text.bytes - bytes}, &value) == 0 && value > 0 && value <= 1e9) {
            *ret_per_s = value / units[i].seconds;
            return 0;
        }
    }
    return -1;
}

static void read_rate(struct reading *r, const struct node *node, double *ret)
{
    if (spec_is_text(r, node, "'rate'") && weir_rate_parse(node->text, ret) < 0)
        spec_mistake(r, node->at, "for instance: 100 per second, 6 per minute", "'%s' is no rate", node->raw.data);
}

void spec_read_simulate(struct reading *r, const struct node *node)
{
    enum { RATE, SEED, FIELDS, COUNT };
    static const char *const names[] = {"rate", "seed", "fields"};
    const struct node *at[COUNT] = {0};
    struct weir_feed_spec *feed = &r->plan->feed;
    if (!spec_read_keys(r, node, "'simulate'", names, COUNT, at))
        return;
    feed->kind = WEIR_FEED_SIMULATE;
    feed->rate_per_s = 1;
    feed->seed = 1;
    feed->sim = weir_arena_zalloc(r->arena, (r->plan->event.field_count + 1) * sizeof *feed->sim);
    for (uint32_t i = 0; i < r->plan->event.field_count; i++)
        feed->sim[i] = (struct weir_sim_field){.kind = WEIR_SIM_NULL, .digits = -1};
    int64_t seed;
    if (at[RATE])
        read_rate(r, at[RATE], &feed->rate_per_s);
    if (at[SEED] && spec_read_integer(r, at[SEED], "'seed'", 0, INT64_MAX, &seed))
        feed->seed = (uint64_t)seed;
    if (at[FIELDS])
        read_sim_fields(r, at[FIELDS]);
    if (!at[RATE] || !at[FIELDS])
        spec_mistake(r, spec_place_of_name(node), NULL, "'simulate' needs 'rate' and 'fields'");
}
