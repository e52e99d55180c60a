// SPDX-License-Identifier: Apache-2.0
#include "spec/plan.h"
#include "base/memory.h"
#include "spec/reading.h"
#include <stdlib.h>
#include <unistd.h>

enum { TOP_PIPELINE, TOP_LOG, TOP_REGISTRY, TOP_STORE, TOP_DATA, TOP_TIMEZONE, TOP_TOPIC, TOP_EVENT, TOP_FEED, TOP_QUERIES, TOP_HTTP, TOP_KEYS };

static const char *const top_keys[TOP_KEYS] = {
    [TOP_PIPELINE] = "pipeline", [TOP_LOG] = "log",           [TOP_REGISTRY] = "registry", [TOP_STORE] = "store",
    [TOP_DATA] = "data",         [TOP_TIMEZONE] = "timezone", [TOP_TOPIC] = "topic",       [TOP_EVENT] = "event",
    [TOP_FEED] = "feed",         [TOP_QUERIES] = "queries",   [TOP_HTTP] = "http",
};

static void read_pipeline_name(struct reading *r, const struct node *node)
{
    const char *name = node ? spec_read_text(r, node, "'pipeline'") : NULL;
    r->plan->pipeline = "";
    if (name && !spec_is_engine_name(node->text))
        spec_mistake(r, node->at, NULL, "'%s' is no pipeline name: letters, digits, '.', '_' and '-', at most 100", node->raw.data);
    else if (name)
        r->plan->pipeline = name;
}

// "Europe/Rome": parts of letters, digits, '_', '-' and '+', so that no other file can be meant.
static bool is_zone_name(struct weir_str text)
{
    for (uint32_t i = 0; i < text.bytes; i++) {
        char c = text.data[i];
        bool letter = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-' || c == '+';
        if (!letter && (c != '/' || i == 0 || text.data[i - 1] == '/'))
            return false;
    }
    return text.bytes > 0 && text.bytes < 64;
}

static void read_timezone(struct reading *r, const struct node *node)
{
    const char *name = node ? spec_read_text(r, node, "'timezone'") : NULL;
    r->plan->timezone = "UTC";
    if (!name || strcmp(name, "UTC") == 0)
        return;
    struct weir_error unknown;
    if (is_zone_name(node->text) && weir_zone_open(name, &r->plan->zone, &unknown) == 0)
        r->plan->timezone = name;
    else
        spec_mistake(r, node->at, "for instance: UTC, Europe/Rome", "unknown time zone '%s'", node->raw.data);
}

static void check_required(struct reading *r, const struct node *root, const struct node *const *at)
{
    static const int required[] = {TOP_PIPELINE, TOP_TOPIC, TOP_EVENT, TOP_QUERIES};
    for (size_t i = 0; i < sizeof required / sizeof *required; i++) {
        if (!at[required[i]] && !yaml_tree_get(root, top_keys[required[i]]))
            spec_mistake(r, root->at, NULL, "a pipeline file needs '%s'", top_keys[required[i]]);
    }
}

static void read_plan(struct reading *r, struct node *root)
{
    const struct node *at[TOP_KEYS] = {0};
    spec_resolve_references(r, root);
    if (!spec_read_keys(r, root, "a pipeline file", top_keys, TOP_KEYS, at))
        return;
    check_required(r, root, at);
    read_pipeline_name(r, at[TOP_PIPELINE]);
    spec_read_engines(r, at[TOP_LOG], at[TOP_REGISTRY], at[TOP_STORE], at[TOP_DATA]);
    read_timezone(r, at[TOP_TIMEZONE]);
    spec_read_topic(r, at[TOP_TOPIC]);
    spec_read_event(r, at[TOP_EVENT]);
    spec_read_feed(r, at[TOP_FEED]);
    if (r->time_known && r->plan->event.time_field >= r->plan->event.field_count && r->plan->feed.kind != WEIR_FEED_NONE)
        spec_mistake(r, spec_place_of_name(at[TOP_FEED]), NULL, "a feed fills fields of the event itself, but its time is a part of one");
    spec_read_queries(r, at[TOP_QUERIES]);
    spec_read_http(r, at[TOP_HTTP]);
}

static const char *folder_of(struct weir_arena *arena, const char *path)
{
    const char *slash = strrchr(path, '/');
    if (!slash)
        return "";
    size_t bytes = slash == path ? 1 : (size_t)(slash - path);
    return weir_arena_copy(arena, (struct weir_str){path, (uint32_t)bytes}).data;
}

static void read_text_into(struct weir_plan *plan, struct weir_str text, const struct weir_overrides *overrides, struct diag_list *diags)
{
    struct source *source = weir_arena_zalloc(&plan->arena, sizeof *source);
    struct node *root;
    struct place at;
    struct weir_error syntax;
    if (text.bytes >= 3 && memcmp(text.data, "\xEF\xBB\xBF", 3) == 0)
        text = (struct weir_str){text.data + 3, text.bytes - 3};
    if (text.bytes > YAML_TEXT_BYTES_MAX)
        text.bytes = YAML_TEXT_BYTES_MAX + 1;
    source_init(source, plan->file, text, &plan->arena);
    diags->source = source;
    diags->arena = &plan->arena;
    struct reading r = {.plan = plan, .arena = &plan->arena, .diags = diags, .source = source, .overrides = overrides};
    r.folder = folder_of(&plan->arena, plan->file);
    if (yaml_tree_parse(source, &plan->arena, &root, &at, &syntax) < 0)
        spec_mistake(&r, at, NULL, "%s", syntax.text);
    else
        read_plan(&r, root);
}

int weir_plan_parse(const char *path, struct weir_str text, const struct weir_overrides *overrides, FILE *diagnostics, bool color,
                    struct weir_plan **ret_plan, struct weir_error *err)
{
    struct weir_plan *plan = weir_zalloc(1, sizeof *plan);
    weir_cleanup(diag_drop) struct diag_list diags = {0};
    plan->file = weir_arena_copy(&plan->arena, weir_str_of(path)).data;
    read_text_into(plan, text, overrides, &diags);
    if (!diags.total) {
        *ret_plan = plan;
        return 0;
    }
    if (diagnostics)
        diag_print(&diags, diagnostics, color);
    size_t mistakes = diags.total;
    weir_plan_free(plan);
    return weir_fail(err, WEIR_BAD_CONFIG, WEIR_STOP, "%s: %zu mistake%s", path, mistakes, mistakes == 1 ? "" : "s");
}

int weir_plan_load(const char *path, const struct weir_overrides *overrides, FILE *diagnostics, bool color, struct weir_plan **ret_plan,
                   struct weir_error *err)
{
    weir_cleanup(weir_arena_drop) struct weir_arena arena = {0};
    struct weir_str text;
    if (!spec_read_file(&arena, path, YAML_TEXT_BYTES_MAX, &text, err))
        return -1;
    return weir_plan_parse(path, text, overrides, diagnostics, color, ret_plan, err);
}

void weir_plan_free(struct weir_plan *plan)
{
    if (!plan)
        return;
    struct weir_arena arena = plan->arena;
    weir_zone_close(plan->zone);
    free(plan);
    weir_arena_drop(&arena);
}

bool weir_plan_spans(const struct weir_plan *plan)
{
    for (uint32_t i = 0; i < plan->query_count; i++)
        if (plan->queries[i].spans_partitions)
            return true;
    return false;
}

struct weir_query_spec *weir_plan_query(const struct weir_plan *plan, const char *table)
{
    for (uint32_t i = 0; i < plan->query_count; i++) {
        if (strcmp(plan->queries[i].table.name, table) == 0)
            return &plan->queries[i];
    }
    return NULL;
}
