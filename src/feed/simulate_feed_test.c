// SPDX-License-Identifier: Apache-2.0
#include "feed/feed_testing.h"

#include "base/uuid.h"
#include "feed/simulated.h"
#include <math.h>

#define EVENT                                                                                                                                        \
    "{format: json, fields: {id: string, name: string, time: long, warmth: float, value: double, n: int, place: optional string, no: optional "      \
    "long}, "                                                                                                                                        \
    "key: id, time: time}"
#define FIELDS                                                                                                                                       \
    "id: {uuid: 10}, name: {text: 'sensor-{n}'}, warmth: {uniform: [15, 35]}, value: {uniform: [10, 100], digits: 2}, "                              \
    "n: {uniform: [1, 6]}, place: {one_of: [Roma, Milano, Torino]}"
#define NOW   "{simulate: {rate: 1000 per second, seed: 7, fields: {time: now, " FIELDS "}}}"
#define CLOCK "{simulate: {rate: 1000 per second, seed: 7, fields: {time: {clock: 360x}, " FIELDS "}}}"

enum { ID, NAME, TIME, WARMTH, VALUE, N, PLACE, NO, FIELD_COUNT };

static void events_depend_on_seed_and_number_alone(void **state)
{
    (void)state;
    struct weir_plan *plan = plan_of(EVENT, NOW);
    struct weir_arena arena = {0}, other = {0};
    const struct simulated_clock clock = {1000, 2000};
    struct weir_value a[FIELD_COUNT], b[FIELD_COUNT], member[FIELD_COUNT];
    for (uint64_t i = 0; i < 500; i++) {
        simulated_event(plan, i, &clock, &arena, a);
        simulated_event(plan, 499 - i, &clock, &other, member); // in between, another
        simulated_event(plan, i, &clock, &other, b);
        simulated_event(plan, i % 10, &clock, &other, member);
        for (int f = 0; f < FIELD_COUNT; f++)
            assert_true(a[f].null ? b[f].null : a[f].kind == WEIR_STRS ? weir_str_eq(a[f].str, b[f].str) : a[f].i64 == b[f].i64);
        assert_true(weir_str_eq(a[ID].str, member[ID].str) && weir_str_eq(a[NAME].str, member[NAME].str));
        assert_true(weir_str_eq(a[PLACE].str, member[PLACE].str)); // a device does not move
        char name[32];
        snprintf(name, sizeof name, "sensor-%d", (int)(i % 10) + 1);
        assert_true(weir_str_is(a[NAME].str, name));
        assert_true(weir_uuid_valid(a[ID].str) && a[ID].str.data[14] == '4' && strchr("89ab", a[ID].str.data[19]));
        assert_true(a[WARMTH].f64 >= 15 && a[WARMTH].f64 <= 35 && a[WARMTH].f64 == (double)(float)a[WARMTH].f64);
        assert_true(a[VALUE].f64 >= 10 && a[VALUE].f64 <= 100 && a[VALUE].f64 == nearbyint(a[VALUE].f64 * 100) / 100);
        assert_true(a[N].i64 >= 1 && a[N].i64 <= 6);
        assert_int_equal(a[TIME].i64, 1000);
        assert_true(a[NO].null);
    }
    weir_arena_drop(&arena);
    weir_arena_drop(&other);
    weir_plan_free(plan);
}

static void text_alone_makes_devices_and_groups(void **state)
{
    (void)state;
    static const char fields[] =
        "{simulate: {rate: 10, seed: 3, fields: {time: now, id: {text: 'device-{n}', members: 30}, name: {text: 'group-{n}', "
        "members: 6}, warmth: 1, value: 2, n: 3, place: {one_of: [THERM, HEARTRATE, FUEL]}}}}";
    struct weir_plan *plan = plan_of(EVENT, fields);
    struct weir_arena arena = {0};
    const struct simulated_clock clock = {0};
    struct weir_value a[FIELD_COUNT], first[FIELD_COUNT];
    int types = 0;
    assert_int_equal(simulated_devices(plan), 30);
    for (uint64_t i = 0; i < 90; i++) {
        char id[32], group[32];
        simulated_event(plan, i, &clock, &arena, a);
        simulated_event(plan, i % 30, &clock, &arena, first);
        snprintf(id, sizeof id, "device-%d", (int)(i % 30) + 1);
        snprintf(group, sizeof group, "group-%d", (int)(i % 6) + 1);
        assert_true(weir_str_is(a[ID].str, id) && weir_str_is(a[NAME].str, group));
        assert_true(weir_str_eq(a[PLACE].str, first[PLACE].str));
        types |= a[PLACE].str.data[0] == 'T' ? 1 : a[PLACE].str.data[0] == 'H' ? 2 : 4;
    }
    assert_int_equal(types, 7);
    plan->feed.only_device = 9;
    for (uint64_t i = 0; i < 40; i++) {
        simulated_event(plan, i, &clock, &arena, a);
        assert_true(weir_str_is(a[ID].str, "device-9") && weir_str_is(a[NAME].str, "group-3"));
    }
    weir_arena_drop(&arena);
    weir_plan_free(plan);
}

static void decimals_are_rounded_half_to_even(void **state)
{
    (void)state;
    struct weir_plan *plan = plan_of(EVENT, NOW);
    struct weir_arena arena = {0};
    const struct simulated_clock clock = {0};
    struct weir_value values[FIELD_COUNT];
    struct weir_sim_field *sim = &plan->feed.sim[VALUE];
    static const struct {
        double exact, rounded; // all of them exact in binary
    } cases[] = {{10.5, 10}, {11.5, 12}, {12.5, 12}, {-0.5, 0}, {99.5, 100}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        sim->low = sim->high = cases[i].exact;
        sim->digits = 0;
        simulated_event(plan, i, &clock, &arena, values);
        assert_true(values[VALUE].f64 == cases[i].rounded);
    }
    weir_arena_drop(&arena);
    weir_plan_free(plan);
}

static void values_are_spread_evenly(void **state)
{
    (void)state;
    struct weir_plan *plan = plan_of(EVENT, NOW);
    struct weir_arena arena = {0};
    const struct simulated_clock clock = {0};
    struct weir_value values[FIELD_COUNT];
    int faces[7] = {0};
    double sum = 0;
    for (uint64_t i = 0; i < 60000; i++) {
        weir_arena_reset(&arena);
        simulated_event(plan, i, &clock, &arena, values);
        faces[values[N].i64]++;
        sum += values[WARMTH].f64;
    }
    for (int face = 1; face <= 6; face++)
        assert_in_range(faces[face], 9500, 10500);
    assert_true(fabs(sum / 60000 - 25) < 0.1);
    weir_arena_drop(&arena);
    weir_plan_free(plan);
}

static void the_set_is_of_different_devices(void **state)
{
    (void)state;
    char ids[100][37], other[37];
    for (uint64_t n = 0; n < 100; n++) {
        simulated_uuid(1, n, ids[n]);
        simulated_uuid(2, n, other);
        assert_string_not_equal(ids[n], other);
        for (uint64_t m = 0; m < n; m++)
            assert_string_not_equal(ids[n], ids[m]);
    }
}

// What one step gives, at once.
static struct weir_feed_step hear_step(struct weir_feed *feed, uint32_t most, struct heard *h)
{
    const struct weir_feed_sink sink = {h, hear_event, hear_reject};
    struct weir_feed_step did;
    struct weir_error err;
    assert_int_equal(weir_feed_next(feed, most, &sink, &did, &err), 0);
    return did;
}

// Until `events` have been heard; the clock is the real one, the rate high.
static void hear_events(struct weir_feed *feed, uint64_t events, struct heard *h)
{
    while (h->events < events)
        hear_step(feed, (uint32_t)(events - h->events), h);
}

static void the_rate_is_kept(void **state)
{
    (void)state;
    struct weir_plan *plan = plan_of(EVENT, "{simulate: {rate: 6 per minute, seed: 7, fields: {time: now, " FIELDS "}}}");
    struct weir_feed *feed = feed_at(plan, WEIR_STR(""));
    struct heard h = {.plan = plan, .counting = true};
    int64_t before_us = weir_monotonic_us(), before_ms = weir_now_ms();
    struct weir_feed_step did = hear_step(feed, 100, &h);
    assert_int_equal(h.events, 1); // the first is due at once, the next in 10 s
    assert_false(did.end);
    assert_true(did.wait_until_us > before_us + 9000000 && did.wait_until_us <= weir_monotonic_us() + 10000000);
    assert_true(h.last_timestamp_ms >= before_ms - 1000 && h.last_timestamp_ms <= weir_now_ms());
    hear_step(feed, 100, &h);
    assert_int_equal(h.events, 1);
    weir_feed_close(feed);
    weir_plan_free(plan);
}

static void positions_resume_exactly(void **state)
{
    (void)state;
    struct weir_plan *plan = plan_of(EVENT, CLOCK);
    struct heard whole = {.plan = plan}, pieces = {.plan = plan};
    struct weir_buffer position = {0};
    struct weir_feed *feed = feed_at(plan, WEIR_STR(""));
    weir_feed_position(feed, &position); // where the clock's start is
    hear_events(feed, 40, &whole);
    weir_feed_close(feed);
    while (pieces.events < 40) {
        feed = feed_at(plan, weir_buffer_view(&position));
        hear_events(feed, pieces.events + 1, &pieces);
        position.bytes = 0;
        weir_feed_position(feed, &position);
        assert_int_equal(weir_feed_progress(feed).events, pieces.events);
        weir_feed_close(feed);
    }
    assert_string_equal(heard_text(&pieces), heard_text(&whole));
    assert_true(pieces.last_timestamp_ms == whole.last_timestamp_ms);
    weir_buffer_drop(&position);
    weir_buffer_drop(&whole.text);
    weir_buffer_drop(&pieces.text);
    weir_plan_free(plan);
}

static void the_fast_clock_starts_on_the_hour_and_never_jumps(void **state)
{
    (void)state;
    struct weir_plan *plan = plan_of(EVENT, CLOCK);
    struct heard h = {.plan = plan, .counting = true};
    struct weir_feed *feed = feed_at(plan, WEIR_STR(""));
    struct weir_buffer position = {0};
    hear_events(feed, 1, &h);
    assert_int_equal(h.last_timestamp_ms % 3600000, 0);
    int64_t start_ms = h.last_timestamp_ms;
    hear_events(feed, 11, &h);
    assert_int_equal(h.last_timestamp_ms, start_ms + 3600); // 10 / 1000 s × 360
    weir_feed_position(feed, &position);
    weir_feed_close(feed);
    for (uint32_t f = 0; f < plan->event.field_count; f++)
        plan->feed.sim[f].clock_factor *= 10;
    feed = feed_at(plan, weir_buffer_view(&position));
    hear_events(feed, 12, &h);
    assert_int_equal(h.last_timestamp_ms, start_ms + 3960);
    hear_events(feed, 13, &h);
    assert_int_equal(h.last_timestamp_ms, start_ms + 3960 + 3600);
    weir_feed_close(feed);
    weir_buffer_drop(&position);
    weir_plan_free(plan);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(events_depend_on_seed_and_number_alone),
        cmocka_unit_test(text_alone_makes_devices_and_groups),
        cmocka_unit_test(decimals_are_rounded_half_to_even),
        cmocka_unit_test(values_are_spread_evenly),
        cmocka_unit_test(the_set_is_of_different_devices),
        cmocka_unit_test(the_rate_is_kept),
        cmocka_unit_test(positions_resume_exactly),
        cmocka_unit_test(the_fast_clock_starts_on_the_hour_and_never_jumps),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
