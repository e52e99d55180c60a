// SPDX-License-Identifier: Apache-2.0
// feed: file — which column fills which field.
#include "spec/reading.h"

static bool ends_with(struct weir_str text, const char *end)
{
    size_t bytes = strlen(end);
    return text.bytes > bytes && memcmp(text.data + text.bytes - bytes, end, bytes) == 0;
}

static bool format_of_name(struct weir_str name, enum weir_file_format *ret)
{
    if (ends_with(name, ".gz"))
        name.bytes -= 3;
    else if (ends_with(name, ".zst"))
        name.bytes -= 4;
    bool lines = ends_with(name, ".jsonl") || ends_with(name, ".ndjson");
    *ret = lines ? WEIR_FILE_JSONL : WEIR_FILE_CSV;
    return lines || ends_with(name, ".csv");
}

static void read_format(struct reading *r, const struct node *format, const struct node *path)
{
    static const char *const names[] = {[WEIR_FILE_CSV] = "csv", [WEIR_FILE_JSONL] = "jsonl"};
    int chosen = format ? spec_read_choice(r, format, "format", names, 2) : -1;
    if (chosen >= 0)
        r->plan->feed.file_format = (enum weir_file_format)chosen;
    else if (!format && path && path->kind == NODE_SCALAR && !format_of_name(path->text, &r->plan->feed.file_format))
        spec_mistake(r, path->at, NULL, "the format cannot be told from this name: add 'format: csv' or 'format: jsonl'");
}

static void read_delimiter(struct reading *r, const struct node *node)
{
    if (!spec_is_text(r, node, "'delimiter'"))
        return;
    char c = node->text.data[0];
    if (node->text.bytes != 1 || c == '"' || c == '\n' || c == '\r' || (c & 0x80))
        spec_mistake(r, node->at, NULL, "'delimiter' must be one character, and neither a quote nor a line break");
    else
        r->plan->feed.delimiter = c;
}

static void read_pace(struct reading *r, const struct node *node)
{
    if (!spec_is_text(r, node, "'pace'"))
        return;
    if (weir_str_is(node->text, "max"))
        r->plan->feed.pace = 0;
    else if (weir_str_is(node->text, "realtime"))
        r->plan->feed.pace = 1;
    else if (node->text.bytes && node->text.data[0] >= '0' && node->text.data[0] <= '9')
        spec_read_factor(r, node, node->text, &r->plan->feed.pace);
    else {
        static const char *const names[] = {"max", "realtime", "60x"};
        spec_read_choice(r, node, "pace", names, 3);
    }
}

static void read_time_format(struct reading *r, const struct node *node)
{
    static const char *const names[] = {"iso8601", "epoch_ms"};
    const struct weir_event_spec *event = &r->plan->event;
    r->plan->feed.iso8601_time = spec_read_choice(r, node, "time_format", names, 2) == 0;
    if (r->plan->feed.iso8601_time && r->time_known && event->time_unit != WEIR_UNIT_MS)
        spec_mistake(r, node->at, NULL, "times read with 'time_format' become epoch ms, but the event's time is declared in another unit");
}

static void read_columns(struct reading *r, const struct node *node)
{
    if (!spec_is_map(r, node, "'fields'"))
        return;
    spec_check_duplicates(r, node);
    for (uint32_t i = 0; i < node->count; i++) {
        int64_t field = spec_read_field(r, node->keys[i], "'fields'");
        const char *column = spec_read_text(r, node->items[i], "a column's name");
        if (field >= 0 && column)
            r->plan->feed.columns[field] = column;
    }
}

static const struct node *mapping_of(const struct node *fields, const char *name)
{
    return fields ? yaml_tree_get(fields, name) : NULL;
}

static bool read_unpivot_field(struct reading *r, const struct node *node, const struct node *fields, bool text, uint32_t *ret)
{
    int64_t at = spec_read_field(r, node, "'unpivot'");
    if (at < 0)
        return false;
    const struct weir_field *field = &r->plan->event.fields[at];
    if (text && field->type != WEIR_STRING)
        spec_mistake(r, node->at, NULL, "field '%s' gets the name of a column: it must be a string, not %s", field->name,
                     weir_type_name(field->type));
    if (mapping_of(fields, field->name))
        spec_mistake(r, mapping_of(fields, field->name)->name->at, NULL, "field '%s' is filled by 'unpivot'", field->name);
    r->plan->feed.columns[at] = NULL;
    *ret = (uint32_t)at;
    return true;
}

static void read_unpivot_columns(struct reading *r, const struct node *node)
{
    struct weir_feed_spec *feed = &r->plan->feed;
    if (!spec_is_list(r, node, "'columns'"))
        return;
    if (!node->count)
        spec_mistake(r, node->at, NULL, "'columns' needs at least one column");
    feed->unpivot_columns = weir_arena_zalloc(r->arena, (node->count + 1) * sizeof *feed->unpivot_columns);
    for (uint32_t i = 0; i < node->count; i++) {
        const char *name = spec_read_text(r, node->items[i], "a column's name");
        for (uint32_t j = 0; name && j < feed->unpivot_count; j++) {
            if (strcmp(name, feed->unpivot_columns[j]) == 0) {
                spec_mistake(r, node->items[i]->at, NULL, "column '%s' is given twice", node->items[i]->raw.data);
                name = NULL;
            }
        }
        if (name)
            feed->unpivot_columns[feed->unpivot_count++] = name;
    }
}

static void read_unpivot(struct reading *r, const struct node *node, const struct node *fields)
{
    enum { COLUMNS, NAME, VALUE, COUNT };
    static const char *const names[] = {"columns", "name", "value"};
    const struct node *at[COUNT] = {0};
    struct weir_feed_spec *feed = &r->plan->feed;
    if (!spec_read_keys(r, node, "'unpivot'", names, COUNT, at))
        return;
    if (!at[COLUMNS] || !at[NAME] || !at[VALUE]) {
        spec_mistake(r, spec_place_of_name(node), NULL, "'unpivot' needs 'columns', 'name' and 'value'");
        return;
    }
    read_unpivot_columns(r, at[COLUMNS]);
    bool named = read_unpivot_field(r, at[NAME], fields, true, &feed->unpivot_name);
    if (read_unpivot_field(r, at[VALUE], fields, false, &feed->unpivot_value) && named && feed->unpivot_name == feed->unpivot_value)
        spec_mistake(r, at[VALUE]->at, NULL, "'name' and 'value' must be different fields");
}

void spec_read_file_feed(struct reading *r, const struct node *node)
{
    enum { PATH, FORMAT, DELIMITER, PACE, TIME_FORMAT, FIELDS, UNPIVOT, COUNT };
    static const char *const names[] = {"path", "format", "delimiter", "pace", "time_format", "fields", "unpivot"};
    const struct node *at[COUNT] = {0};
    struct weir_feed_spec *feed = &r->plan->feed;
    if (!spec_read_keys(r, node, "'file'", names, COUNT, at))
        return;
    feed->kind = WEIR_FEED_FILE;
    feed->delimiter = ',';
    feed->columns = weir_arena_zalloc(r->arena, (r->plan->event.field_count + 1) * sizeof *feed->columns);
    for (uint32_t i = 0; i < r->plan->event.field_count; i++)
        feed->columns[i] = r->plan->event.fields[i].name;
    if (at[PATH])
        spec_read_path(r, at[PATH], "'path'", &feed->path);
    else
        spec_mistake(r, spec_place_of_name(node), NULL, "'file' needs a 'path'");
    read_format(r, at[FORMAT], at[PATH]);
    if (at[DELIMITER])
        read_delimiter(r, at[DELIMITER]);
    if (at[PACE])
        read_pace(r, at[PACE]);
    if (at[TIME_FORMAT])
        read_time_format(r, at[TIME_FORMAT]);
    if (at[FIELDS])
        read_columns(r, at[FIELDS]);
    if (at[UNPIVOT])
        read_unpivot(r, at[UNPIVOT], at[FIELDS]);
}
