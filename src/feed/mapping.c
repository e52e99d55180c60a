// SPDX-License-Identifier: Apache-2.0
#include "feed/mapping.h"

#include "base/memory.h"
#include "base/suggest.h"
#include "base/time.h"
#include "feed/cell.h"
#include "format/json_scan.h"
#include <stdio.h>
#include <stdlib.h>

static bool is_unpivot_field(const struct weir_feed_spec *feed, uint32_t field)
{
    return feed->unpivot_count && (field == feed->unpivot_name || field == feed->unpivot_value);
}

static void mapping_init(struct mapping *m, const struct weir_plan *plan)
{
    m->plan = plan;
    m->values = weir_zalloc(plan->event.field_count, sizeof *m->values);
    m->unpivoted = weir_zalloc(plan->feed.unpivot_count, sizeof *m->unpivoted);
    for (uint32_t f = 0; f < plan->event.field_count; f++)
        m->values[f] = (struct weir_value){.null = true, .kind = weir_kind_of(plan->event.fields[f].type)};
}

void mapping_free(struct mapping *m)
{
    if (!m)
        return;
    free(m->values);
    free(m->unpivoted);
    m->free(m);
}

int mapping_read(struct mapping *m, const struct csv_row *row)
{
    m->why[0] = 0;
    return m->read(m, row);
}

uint32_t mapping_give(struct mapping *m, const struct csv_row *row, int64_t timestamp_ms, const struct weir_feed_sink *sink)
{
    const struct weir_feed_spec *feed = &m->plan->feed;
    uint32_t given = 0;
    if (feed->unpivot_count == 0) {
        sink->event(sink->context, timestamp_ms, row->line, m->values);
        return 1;
    }
    for (uint32_t i = 0; i < feed->unpivot_count; i++) {
        if (m->unpivoted[i].null)
            continue;
        m->values[feed->unpivot_name] = (struct weir_value){.kind = WEIR_STRS, .str = weir_str_of(feed->unpivot_columns[i])};
        m->values[feed->unpivot_value] = m->unpivoted[i];
        sink->event(sink->context, timestamp_ms, row->line, m->values);
        given++;
    }
    return given;
}

bool mapping_time(const struct mapping *m, int64_t *ret_ms)
{
    const struct weir_event_spec *event = &m->plan->event;
    const struct weir_value *value = &m->values[event->time_field];
    if (value->null)
        return false;
    if (value->kind == WEIR_STRS)
        return weir_iso8601_parse(value->str, ret_ms) == 0;
    double time = value->kind == WEIR_I64 ? (double)value->i64 : value->f64;
    double ms = event->time_unit == WEIR_UNIT_S ? time * 1000 : event->time_unit == WEIR_UNIT_US ? time / 1000 : time;
    if (!(ms > -8.64e15 && ms < 8.64e15))
        return false;
    *ret_ms = (int64_t)ms;
    return true;
}

// ---- cells under a header

struct cell_want {
    uint32_t cell;
    uint32_t to; // event field, or unpivot column
    struct cell_shape shape;
    bool optional;
    const char *column;
};

struct cells {
    struct mapping base;
    uint32_t header_count;
    uint32_t field_count, unpivot_count;
    struct cell_want *fields, *unpivot;
};

// Bytes of a text that a message shows: few, and whole characters.
static int shown_bytes(struct weir_str text)
{
    uint32_t shown = text.bytes < 48 ? text.bytes : 48;
    while (shown && shown < text.bytes && (text.data[shown] & 0xc0) == 0x80)
        shown--;
    return (int)shown;
}

static void misfit(struct mapping *m, const struct cell_want *want, struct weir_str cell, const char *wrong)
{
    if (m->why[0])
        return;
    if (!json_text_utf8(cell))
        snprintf(m->why, sizeof m->why, "column %s: the text is not UTF-8", want->column);
    else
        snprintf(m->why, sizeof m->why, "column %s: '%.*s' %s", want->column, shown_bytes(cell), cell.data, wrong);
}

static int read_field_cell(struct mapping *m, const struct cell_want *want, struct weir_str cell)
{
    const char *wrong;
    struct weir_value *value = &m->values[want->to];
    if (cell_value(&want->shape, cell, value, &wrong) < 0) {
        misfit(m, want, cell, wrong);
        return -1;
    }
    if (value->null && !want->optional) {
        snprintf(m->why, sizeof m->why, "column %s: empty, but field %s is required", want->column, m->plan->event.fields[want->to].name);
        return -1;
    }
    return 0;
}

static int read_cells(struct mapping *m, const struct csv_row *row)
{
    const struct cells *c = (const struct cells *)m;
    const char *wrong;
    if (row->count != c->header_count) {
        snprintf(m->why, sizeof m->why, "%u cell%s, but the header has %u", row->count, row->count == 1 ? "" : "s", c->header_count);
        return -1;
    }
    for (uint32_t i = 0; i < c->field_count; i++)
        if (read_field_cell(m, &c->fields[i], row->cells[c->fields[i].cell]) < 0)
            return -1;
    for (uint32_t i = 0; i < c->unpivot_count; i++) {
        const struct cell_want *want = &c->unpivot[i];
        if (cell_value(&want->shape, row->cells[want->cell], &m->unpivoted[want->to], &wrong) == 0)
            continue;
        m->unpivoted[want->to].null = true;
        misfit(m, want, row->cells[want->cell], wrong);
    }
    return 0;
}

static void free_cells(struct mapping *m)
{
    struct cells *c = (struct cells *)m;
    free(c->fields);
    free(c->unpivot);
    free(c);
}

static int no_column(const struct weir_plan *plan, const struct csv_row *header, const char *column, struct weir_error *err)
{
    weir_cleanup(weir_arena_drop) struct weir_arena arena = {0};
    const char **names = weir_arena_alloc(&arena, (header->count + 1) * sizeof *names);
    char hint[256];
    for (uint32_t i = 0; i < header->count; i++)
        names[i] = weir_arena_copy(&arena, header->cells[i]).data;
    bool near = weir_suggest_text(weir_str_of(column), names, header->count, hint, sizeof hint);
    return weir_fail(err, WEIR_BAD_DATA, WEIR_STOP, "%s: the header has no column '%s'%s%s", plan->feed.path, column, near ? "; " : "", hint);
}

// Finds a column in the header: 1, 0 if it is not there, -1 if it is there twice.
static int find_column(const struct csv_row *header, const char *column, uint32_t *ret)
{
    int found = 0;
    for (uint32_t i = 0; i < header->count; i++)
        if (weir_str_is(header->cells[i], column) && !found++)
            *ret = i;
    return found > 1 ? -1 : found;
}

static int place_column(const struct weir_plan *plan, const struct csv_row *header, struct cell_want *want, struct weir_error *err)
{
    int found = find_column(header, want->column, &want->cell);
    if (found < 0)
        return weir_fail(err, WEIR_BAD_DATA, WEIR_STOP, "%s: the header has column '%s' twice", plan->feed.path, want->column);
    return found ? 0 : no_column(plan, header, want->column, err);
}

static int place_fields(struct cells *c, const struct csv_row *header, struct weir_error *err)
{
    const struct weir_plan *plan = c->base.plan;
    c->fields = weir_zalloc(plan->event.field_count, sizeof *c->fields);
    for (uint32_t f = 0; f < plan->event.field_count; f++) {
        const struct weir_field *field = &plan->event.fields[f];
        const char *column = plan->feed.columns[f];
        bool iso8601 = plan->feed.iso8601_time && f == plan->event.time_field, named = column != field->name;
        uint32_t ignored;
        if (!column || is_unpivot_field(&plan->feed, f) || (field->optional && !named && find_column(header, column, &ignored) == 0))
            continue;
        struct cell_want *want = &c->fields[c->field_count++];
        *want = (struct cell_want){.to = f, .shape = {field->type, iso8601}, .optional = field->optional, .column = column};
        if (place_column(plan, header, want, err) < 0)
            return -1;
    }
    return 0;
}

static int place_unpivot(struct cells *c, const struct csv_row *header, struct weir_error *err)
{
    const struct weir_feed_spec *feed = &c->base.plan->feed;
    c->unpivot = weir_zalloc(feed->unpivot_count, sizeof *c->unpivot);
    for (uint32_t i = 0; i < feed->unpivot_count; i++) {
        struct cell_want *want = &c->unpivot[c->unpivot_count++];
        enum weir_type type = c->base.plan->event.fields[feed->unpivot_value].type;
        *want = (struct cell_want){.to = i, .shape = {type, false}, .optional = true, .column = feed->unpivot_columns[i]};
        if (place_column(c->base.plan, header, want, err) < 0)
            return -1;
    }
    return 0;
}

int mapping_of_cells(const struct weir_plan *plan, const struct csv_row *header, struct mapping **ret, struct weir_error *err)
{
    struct cells *c = weir_zalloc(1, sizeof *c);
    c->base.read = read_cells;
    c->base.free = free_cells;
    c->header_count = header->count;
    mapping_init(&c->base, plan);
    if (place_fields(c, header, err) < 0 || place_unpivot(c, header, err) < 0) {
        mapping_free(&c->base);
        return -1;
    }
    *ret = &c->base;
    return 0;
}

// ---- members of an object

struct members {
    struct mapping base;
    struct json_scan *scan;
    uint32_t field_count;
    uint32_t *fields; // by want; those of the unpivot columns follow
    bool iso8601;
    uint32_t iso8601_want;
    struct weir_value *found; // by want
    struct weir_arena arena;
};

static int read_members(struct mapping *m, const struct csv_row *row)
{
    struct members *o = (struct members *)m;
    const char *wrong;
    weir_arena_reset(&o->arena);
    if (json_scan_object(o->scan, row->raw, &o->arena, o->found, m->why, sizeof m->why) < 0)
        return -1;
    for (uint32_t i = 0; i < o->field_count; i++)
        m->values[o->fields[i]] = o->found[i];
    for (uint32_t i = 0; i < m->plan->feed.unpivot_count; i++)
        m->unpivoted[i] = o->found[o->field_count + i];
    if (!o->iso8601 || o->found[o->iso8601_want].null)
        return 0;
    const struct weir_field *time = &m->plan->event.fields[m->plan->event.time_field];
    struct weir_str text = o->found[o->iso8601_want].str;
    if (cell_value(&(struct cell_shape){time->type, true}, text, &m->values[m->plan->event.time_field], &wrong) == 0 && text.bytes)
        return 0;
    snprintf(m->why, sizeof m->why, "%s: '%.*s' is not an ISO 8601 time", m->plan->feed.columns[m->plan->event.time_field], shown_bytes(text),
             text.data);
    return -1;
}

static void free_members(struct mapping *m)
{
    struct members *o = (struct members *)m;
    json_scan_free(o->scan);
    weir_arena_drop(&o->arena);
    free(o->fields);
    free(o->found);
    free(o);
}

struct mapping *mapping_of_members(const struct weir_plan *plan)
{
    struct members *o = weir_zalloc(1, sizeof *o);
    const struct weir_feed_spec *feed = &plan->feed;
    uint32_t most = plan->event.field_count + feed->unpivot_count, count = 0;
    weir_cleanup(weir_freep) struct json_want *wants = weir_zalloc(most, sizeof *wants);
    o->base.read = read_members;
    o->base.free = free_members;
    o->fields = weir_zalloc(plan->event.field_count, sizeof *o->fields);
    o->found = weir_zalloc(most, sizeof *o->found);
    mapping_init(&o->base, plan);
    for (uint32_t f = 0; f < plan->event.field_count; f++) {
        const struct weir_field *field = &plan->event.fields[f];
        bool iso8601 = feed->iso8601_time && f == plan->event.time_field;
        if (!feed->columns[f] || is_unpivot_field(feed, f))
            continue;
        if (iso8601) {
            o->iso8601 = true;
            o->iso8601_want = count;
        }
        o->fields[count] = f;
        wants[count++] = (struct json_want){feed->columns[f], iso8601 ? WEIR_STRING : field->type, field->optional};
    }
    o->field_count = count;
    for (uint32_t i = 0; i < feed->unpivot_count; i++)
        wants[count++] = (struct json_want){feed->unpivot_columns[i], plan->event.fields[feed->unpivot_value].type, true};
    o->scan = json_scan_new(wants, count);
    return &o->base;
}
