// SPDX-License-Identifier: Apache-2.0
// window: tumbling D · sliding D every D · calendar UNIT · session D
#include "base/time.h"
#include "spec/query.h"

static const char *const kinds[] = {"tumbling", "sliding", "calendar", "session"};
static const char *const units[] = {
    [WEIR_CAL_HOUR] = "hour", [WEIR_CAL_DAY] = "day", [WEIR_CAL_WEEK] = "week", [WEIR_CAL_MONTH] = "month", [WEIR_CAL_YEAR] = "year"};
#define SLIDES_MAX    10000
#define WINDOW_MS_MAX (INT64_C(20) * 366 * 24 * 3600 * 1000)

struct words {
    struct query_reading *q;
    const struct node *node;
    uint32_t at; // of the text
};

static struct weir_str next_word(struct words *w)
{
    struct weir_str text = w->node->text;
    while (w->at < text.bytes && text.data[w->at] == ' ')
        w->at++;
    uint32_t from = w->at;
    while (w->at < text.bytes && text.data[w->at] != ' ')
        w->at++;
    return (struct weir_str){text.data + from, w->at - from};
}

static struct place place_of(const struct words *w, struct weir_str part)
{
    return yaml_tree_place(w->q->r->source, w->node, (uint32_t)(part.data - w->node->text.data), part.bytes);
}

static bool take_duration(struct words *w, struct weir_str part, int64_t *ret_ms)
{
    while (part.bytes && part.data[0] == ' ')
        part = (struct weir_str){part.data + 1, part.bytes - 1};
    while (part.bytes && part.data[part.bytes - 1] == ' ')
        part.bytes--;
    int64_t ms;
    const char *shown = weir_arena_copy(w->q->r->arena, part).data;
    if (weir_duration_parse(part, &ms) < 0)
        spec_mistake(w->q->r, place_of(w, part), "a duration is a number and a unit: 10 seconds, 1 hour, 7 days", "'%s' is no duration for a window",
                     shown);
    else if (ms < 1 || ms > WINDOW_MS_MAX)
        spec_mistake(w->q->r, place_of(w, part), NULL, "a window lasts from 1 ms to 20 years, not %s", shown);
    else {
        *ret_ms = ms;
        return true;
    }
    return false;
}

static struct weir_str rest_of(const struct words *w)
{
    return (struct weir_str){w->node->text.data + w->at, w->node->text.bytes - w->at};
}

// Windows share slices of one slide each: a window is a whole number of them.
static void check_slide(struct words *w, struct weir_str slide, const struct weir_window_spec *window)
{
    if (window->slide_ms > window->size_ms)
        spec_mistake(w->q->r, place_of(w, slide), NULL, "a window must not slide further than it is long, else events fall between two");
    else if (window->size_ms % window->slide_ms != 0)
        spec_mistake(w->q->r, place_of(w, slide), NULL, "a sliding window's length must be a multiple of how far it slides");
    else if (window->size_ms / window->slide_ms > SLIDES_MAX)
        spec_mistake(w->q->r, place_of(w, slide), NULL, "an event would be in %lld windows at once; at most %d are allowed: slide further",
                     (long long)(window->size_ms / window->slide_ms), SLIDES_MAX);
}

static void read_sliding(struct words *w, struct weir_window_spec *window)
{
    struct weir_str rest = rest_of(w);
    const char *every = strstr(rest.data, " every ");
    window->kind = WEIR_WINDOW_SLIDING;
    if (!every) {
        spec_mistake(w->q->r, w->node->at, NULL, "a sliding window says how far it slides: sliding 1 hour every 5 minutes");
        return;
    }
    struct weir_str size = {rest.data, (uint32_t)(every - rest.data)};
    struct weir_str slide = {every + 7, rest.bytes - size.bytes - 7};
    bool ok = take_duration(w, size, &window->size_ms);
    if (take_duration(w, slide, &window->slide_ms) && ok)
        check_slide(w, slide, window);
}

static void read_calendar(struct words *w, struct weir_window_spec *window)
{
    struct weir_str unit = next_word(w), extra = next_word(w);
    window->kind = WEIR_WINDOW_CALENDAR;
    for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
        if (weir_str_is(unit, units[i]) && !extra.bytes) {
            window->calendar = (enum weir_calendar)i;
            return;
        }
    }
    const char *hint = spec_did_you_mean(w->q->r, unit, units, sizeof units / sizeof *units);
    spec_mistake(w->q->r, place_of(w, extra.bytes ? extra : unit), hint, "a calendar window is 'calendar' and one of hour, day, week, month, year");
}

static void read_kind(struct words *w, struct weir_window_spec *window)
{
    struct reading *r = w->q->r;
    struct weir_str kind = next_word(w);
    if (weir_str_is(kind, "tumbling")) {
        window->kind = WEIR_WINDOW_TUMBLING;
        take_duration(w, rest_of(w), &window->size_ms);
    } else if (weir_str_is(kind, "sliding")) {
        read_sliding(w, window);
    } else if (weir_str_is(kind, "calendar")) {
        read_calendar(w, window);
    } else if (weir_str_is(kind, "session")) {
        window->kind = WEIR_WINDOW_SESSION;
        take_duration(w, rest_of(w), &window->size_ms);
    } else {
        const char *hint = spec_did_you_mean(r, kind, kinds, sizeof kinds / sizeof *kinds);
        spec_mistake(r, place_of(w, kind), hint ? hint : "one of: tumbling, sliding, calendar, session", "unknown window '%s'",
                     weir_arena_copy(r->arena, kind).data);
    }
}

void spec_read_window(struct query_reading *q)
{
    const struct node *node = q->at[QUERY_WINDOW];
    struct weir_window_spec *window = &q->query->window;
    q->query->table.windowed = node != NULL;
    if (!node)
        return;
    // A window that cannot be read is still one: what refers to it is no mistake of its own.
    *window = (struct weir_window_spec){.kind = WEIR_WINDOW_TUMBLING, .size_ms = 3600 * 1000};
    struct words w = {q, node, 0};
    if (spec_read_text(q->r, node, "'window'"))
        read_kind(&w, window);
}
