// SPDX-License-Identifier: Apache-2.0
// Where the engines are: log, registry, store, the data folder, and the topic.
#include "spec/built.h"
#include <stdlib.h>

struct engine_kind {
    const char *key, *variable;
    const char *schemes[2];
    const char *form; // for messages
    bool path;        // the address ends in /NAME
};

static const struct engine_kind log_kind = {"log", "WEIR_LOG", {"kafka://"}, "kafka://host:port[,host:port…]", false};
static const struct engine_kind registry_kind = {"registry", "WEIR_REGISTRY", {"http://", "https://"}, "http(s)://host:port", false};
static const struct engine_kind store_kind = {"store", "WEIR_STORE", {"cassandra://"}, "cassandra://host[,host…][:port]/keyspace", true};

static const char *after_scheme(const struct engine_kind *kind, const char *text)
{
    for (size_t i = 0; i < 2 && kind->schemes[i]; i++) {
        size_t bytes = strlen(kind->schemes[i]);
        if (strncmp(text, kind->schemes[i], bytes) == 0)
            return text + bytes;
    }
    return NULL;
}

// One `host[:port]`; `end` is where it stops.
static bool is_host(const char *text, const char *end)
{
    const char *colon = memchr(text, ':', (size_t)(end - text));
    const char *host_end = colon ? colon : end;
    if (host_end == text || !spec_is_engine_name((struct weir_str){text, (uint32_t)(host_end - text)}))
        return false;
    long port = 1;
    if (colon) {
        char *stop;
        port = strtol(colon + 1, &stop, 10);
        if (stop != end || colon[1] < '0' || colon[1] > '9')
            return false;
    }
    return port >= 1 && port <= 65535;
}

// [scheme][user:password@]host[:port][/path], up to `end`.
static bool is_web_address(const struct engine_kind *kind, const char *text, const char *end)
{
    const char *at = after_scheme(kind, text);
    at = at ? at : text;
    const char *slash = memchr(at, '/', (size_t)(end - at)), *host_end = slash ? slash : end;
    const char *user_end = memrchr(at, '@', (size_t)(host_end - at));
    return is_host(user_end ? user_end + 1 : at, host_end);
}

static bool are_web_addresses(const struct engine_kind *kind, const char *text)
{
    for (const char *comma; (comma = strchr(text, ',')); text = comma + 1)
        if (!is_web_address(kind, text, comma))
            return false;
    return is_web_address(kind, text, text + strlen(text));
}

static bool is_address(const struct engine_kind *kind, const char *text)
{
    const char *at = after_scheme(kind, text);
    if (!at)
        return false;
    if (kind == &registry_kind)
        return are_web_addresses(kind, text);
    const char *slash = strchr(at, '/');
    if (kind->path && (!slash || !spec_is_table_name(weir_str_of(slash + 1))))
        return false;
    if (!kind->path && slash && slash[1])
        return false;
    const char *end = slash ? slash : at + strlen(at);
    for (const char *comma; (comma = memchr(at, ',', (size_t)(end - at))); at = comma + 1) {
        if (!is_host(at, comma))
            return false;
    }
    return is_host(at, end);
}

// Where the address came from: a node of the file, or a flag or variable by name.
struct address_source {
    const struct node *node;
    const char *origin;
    bool overridden; // only looked at for mistakes, then dropped
};

static void set_url(struct reading *r, const struct engine_kind *kind, const char *text, struct address_source from, struct weir_url *url)
{
    struct place at = from.node ? from.node->at : (struct place){0};
    const char *shown = from.node ? from.node->raw.data : text;
    bool embedded = strcmp(text, "embedded") == 0;
    if (!embedded && !is_address(kind, text)) {
        const char *const names[] = {"embedded"};
        if (from.node)
            spec_mistake(r, at, spec_did_you_mean(r, from.node->raw, names, 1), "'%s' is no %s: use 'embedded' or %s", shown, kind->key, kind->form);
        else
            spec_mistake_outside(r, from.origin, "'%s' is no %s: use 'embedded' or %s", shown, kind->key, kind->form);
        return;
    }
    if (from.overridden)
        return;
    url->text = weir_arena_copy(r->arena, weir_str_of(text)).data;
    url->embedded = embedded;
}

static void add_option(struct reading *r, struct weir_url *url, const char *prefix, const struct node *value, uint32_t capacity)
{
    if (!spec_is_text(r, value, "an option"))
        return;
    weir_assert(url->option_count < capacity);
    const char *name = weir_arena_format(r->arena, "%s%s", prefix, value->name->text.data);
    url->options[url->option_count++] = (struct weir_option){name, value->text.data};
}

static void read_options(struct reading *r, const struct node *options, const struct node *replication, struct weir_url *url)
{
    uint32_t capacity = (options ? options->count : 0) + (replication ? replication->count + 1 : 0);
    url->options = weir_arena_zalloc(r->arena, (capacity + 1) * sizeof *url->options);
    if (options && spec_is_map(r, options, "'options'") && spec_check_duplicates(r, options)) {
        for (uint32_t i = 0; i < options->count; i++)
            add_option(r, url, "", options->items[i], capacity);
    }
    if (replication && replication->kind == NODE_MAP && spec_check_duplicates(r, replication)) {
        for (uint32_t i = 0; i < replication->count; i++)
            add_option(r, url, "replication.", replication->items[i], capacity);
    } else if (replication) {
        int64_t copies;
        if (spec_read_integer(r, replication, "'replication'", 1, 100, &copies))
            add_option(r, url, "", replication, capacity);
    }
}

static void read_long_form(struct reading *r, const struct engine_kind *kind, const struct node *node, bool overridden, struct weir_url *url)
{
    enum { URL, OPTIONS, REPLICATION, COUNT };
    static const char *const names[] = {"url", "options", "replication"};
    const struct node *at[COUNT] = {0};
    const char *what = weir_arena_format(r->arena, "'%s'", kind->key), *otherwise = "options of the engine go under 'options'";
    if (!spec_read_keys_or(r, node, what, otherwise, names, kind->path ? COUNT : REPLICATION, at))
        return;
    const char *text = at[URL] ? spec_read_text(r, at[URL], "'url'") : NULL;
    if (text)
        set_url(r, kind, text, (struct address_source){at[URL], NULL, overridden}, url);
    else if (!at[URL])
        spec_mistake(r, spec_place_of_name(node), NULL, "'%s' needs a 'url'", kind->key);
    read_options(r, at[OPTIONS], at[REPLICATION], url);
}

static void read_url(struct reading *r, const struct engine_kind *kind, const struct node *node, const char *flag, struct weir_url *url)
{
    const char *variable = getenv(kind->variable);
    bool overridden = flag || (variable && *variable);
    *url = (struct weir_url){.text = "embedded", .embedded = true};
    if (node && node->kind == NODE_MAP)
        read_long_form(r, kind, node, overridden, url);
    else if (node && spec_read_text(r, node, weir_arena_format(r->arena, "'%s'", kind->key)))
        set_url(r, kind, node->text.data, (struct address_source){node, NULL, overridden}, url);
    if (flag)
        set_url(r, kind, flag, (struct address_source){NULL, weir_arena_format(r->arena, "--%s", kind->key), false}, url);
    else if (overridden)
        set_url(r, kind, variable, (struct address_source){NULL, kind->variable, false}, url);
}

static const char *choose_data_dir(struct reading *r, const struct node *data)
{
    const char *variable = getenv("WEIR_DATA"), *path = "weir-data";
    if (data && spec_read_path(r, data, "'data'", &path) < 0)
        return path;
    if (r->overrides && r->overrides->data_dir)
        path = r->overrides->data_dir;
    else if (variable && *variable)
        path = variable;
    return weir_arena_copy(r->arena, weir_str_of(path)).data;
}

static const char *choose_keyspace(struct reading *r)
{
    const struct weir_plan *plan = r->plan;
    const char *after = plan->store.embedded ? NULL : after_scheme(&store_kind, plan->store.text), *slash = after ? strchr(after, '/') : NULL;
    return slash ? weir_arena_copy(r->arena, weir_str_of(slash + 1)).data : plan->pipeline;
}

void spec_read_engines(struct reading *r, const struct node *log, const struct node *registry, const struct node *store, const struct node *data)
{
    static const struct weir_overrides none;
    const struct weir_overrides *flags = r->overrides ? r->overrides : &none;
    read_url(r, &log_kind, log, flags->log, &r->plan->log);
    read_url(r, &registry_kind, registry, flags->registry, &r->plan->registry);
    read_url(r, &store_kind, store, flags->store, &r->plan->store);
    r->plan->keyspace = choose_keyspace(r);
    r->plan->data_dir = choose_data_dir(r, data);
}

static void read_topic_name(struct reading *r, const struct node *node)
{
    const char *name = spec_read_text(r, node, "the topic's name");
    if (name && !spec_is_engine_name(node->text))
        spec_mistake(r, node->at, NULL, "'%s' is no topic name: letters, digits, '.', '_' and '-', at most 100", node->raw.data);
    else if (name)
        r->plan->topic.name = name;
}

void spec_read_topic(struct reading *r, const struct node *node)
{
    enum { NAME, PARTITIONS, REPLICATION, RETENTION, COUNT };
    static const char *const names[] = {"name", "partitions", "replication", "retention"};
    const struct node *at[COUNT] = {0};
    struct weir_topic_spec *topic = &r->plan->topic;
    *topic = (struct weir_topic_spec){.name = "", .partitions = 1, .replication = 1};
    if (node && node->kind == NODE_SCALAR) {
        read_topic_name(r, node);
        return;
    }
    if (!node || !spec_read_keys(r, node, "'topic'", names, COUNT, at))
        return;
    int64_t value;
    if (at[NAME])
        read_topic_name(r, at[NAME]);
    else
        spec_mistake(r, spec_place_of_name(node), NULL, "'topic' needs a 'name'");
    if (at[PARTITIONS] && spec_read_integer(r, at[PARTITIONS], "'partitions'", 1, 1024, &value))
        topic->partitions = (int32_t)value;
    if (at[REPLICATION] && spec_read_integer(r, at[REPLICATION], "'replication'", 1, 100, &value))
        topic->replication = (int32_t)value;
    if (at[RETENTION])
        spec_read_duration(r, at[RETENTION], "'retention'", 1, &topic->retention_ms);
}
