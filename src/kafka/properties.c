// SPDX-License-Identifier: Apache-2.0
// The user's properties, by librdkafka's names: known, of a good value, and not against what weir's exactness stands on.
#include "kafka/inside.h"

#include "base/memory.h"
#include "base/suggest.h"
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

struct ours {
    const char *name, *value; // the one value that is not refused; NULL: none
    const char *why;
};

static const struct ours ours[] = {
    {"bootstrap.servers", NULL, "the brokers are those of the URL"},
    {"metadata.broker.list", NULL, "the brokers are those of the URL"},
    {"group.id", NULL, "the group is named after the pipeline"},
    {"group.instance.id", NULL, "it is the instance's name"},
    {"transactional.id", NULL, "it is made of the names of pipeline and instance"},
    {"group.protocol.type", "consumer", "weir is a consumer"},
    {"enable.auto.commit", "false", "offsets are committed with the state that they belong to"},
    {"auto.commit.enable", "false", "offsets are committed with the state that they belong to"},
    {"enable.auto.offset.store", "false", "offsets are committed with the state that they belong to"},
    {"isolation.level", "read_committed", "records of transactions that were given up must not be counted"},
    {"auto.offset.reset", "earliest", "a pipeline takes up the earliest record that there is"},
    {"enable.partition.eof", "true", "weir must know when it has read everything"},
    {"partition.assignment.strategy", "range", "all members of a group must share partitions in the same way"},
    {"partitioner", "murmur2_random", "events must land in the partition that a Java producer would choose"},
    {"delivery.report.only.error", "false", "weir counts what is acknowledged"},
    {"enable.gapless.guarantee", "false", "weir sends again what failed"},
    {"plugin.library.paths", NULL, "weir loads no plugins"},
};

static bool is_acks(const char *name)
{
    return strcmp(name, "acks") == 0 || strcmp(name, "request.required.acks") == 0;
}

static int check_ours(const struct weir_option *option, struct weir_error *err)
{
    for (size_t i = 0; i < sizeof ours / sizeof *ours; i++) {
        if (strcmp(option->name, ours[i].name) != 0 || (ours[i].value && strcasecmp(option->value, ours[i].value) == 0))
            continue;
        return weir_fail(err, WEIR_BAD_CONFIG, WEIR_STOP, "Kafka property '%s' cannot be %s: %s", option->name, ours[i].value ? "changed" : "set",
                         ours[i].why);
    }
    return 0;
}

// ---- what librdkafka knows, from its own list

struct catalogue {
    char *text; // the list; the names point into it
    size_t count, capacity;
    struct kafka_property *items;
};

static void catalogue_drop(struct catalogue *c)
{
    free(c->items);
    free(c->text);
}

static void catalogue_add(struct catalogue *c, char *name, char use)
{
    enum kafka_scope scope = use == 'C' ? KAFKA_CONSUMER : use == 'P' ? KAFKA_PRODUCER : KAFKA_COMMON;
    for (size_t i = 0; i < c->count; i++)
        if (strcmp(c->items[i].name, name) == 0) { // once for clients, once for topics
            c->items[i].scope = c->items[i].scope == scope ? scope : KAFKA_COMMON;
            return;
        }
    weir_grow(&c->items, &c->capacity, c->count + 1, sizeof *c->items);
    c->items[c->count++] = (struct kafka_property){.name = name, .scope = scope};
}

// Lines of "name | C/P | …" between headings.
static void catalogue_read(struct catalogue *c)
{
    size_t bytes = 0;
    FILE *out = open_memstream(&c->text, &bytes);
    weir_assert(out);
    rd_kafka_conf_properties_show(out);
    fclose(out);
    char *rest = c->text;
    for (char *line; (line = strsep(&rest, "\n"));) {
        char *bar = strstr(line, " | "), *blank = strchr(line, ' ');
        if (!bar || strncmp(line, "Property ", 9) == 0 || strlen(bar) < 6)
            continue;
        *blank = '\0';
        char use = bar[3] != ' ' ? bar[3] : bar[4];
        catalogue_add(c, line, use);
    }
}

static int unknown(const struct catalogue *c, const char *name, struct weir_error *err)
{
    const char **names = weir_alloc((c->count + 1) * sizeof *names);
    for (size_t i = 0; i < c->count; i++)
        names[i] = c->items[i].name;
    char hint[256];
    bool near = weir_suggest_text(weir_str_of(name), names, c->count, hint, sizeof hint);
    free(names);
    return weir_fail(err, WEIR_BAD_CONFIG, WEIR_STOP, "there is no Kafka property '%s'%s%s", name, near ? "; " : "", near ? hint : "");
}

static enum kafka_scope scope_of(const struct catalogue *c, const char *name)
{
    for (size_t i = 0; i < c->count; i++)
        if (strcmp(c->items[i].name, name) == 0)
            return c->items[i].scope;
    return KAFKA_COMMON;
}

// ---- checking

static int check_value(const struct catalogue *c, rd_kafka_conf_t *scratch, const struct weir_option *option, struct weir_error *err)
{
    char said[300];
    switch (rd_kafka_conf_set(scratch, option->name, option->value, said, sizeof said)) {
    case RD_KAFKA_CONF_OK:
        return 0;
    case RD_KAFKA_CONF_UNKNOWN:
        return unknown(c, option->name, err);
    default:
        return weir_fail(err, WEIR_BAD_CONFIG, WEIR_STOP, "Kafka property '%s' cannot be '%s': %s", option->name, option->value, said);
    }
}

const char *kafka_property_get(const struct weir_kafka *k, const char *name)
{
    for (size_t i = 0; i < k->property_count; i++)
        if (strcmp(k->properties[i].name, name) == 0)
            return k->properties[i].value;
    return NULL;
}

bool kafka_properties_weak_acks(const struct weir_kafka *k)
{
    const char *acks = kafka_property_get(k, "acks");
    acks = acks ? acks : kafka_property_get(k, "request.required.acks");
    return acks && (strcmp(acks, "0") == 0 || strcmp(acks, "1") == 0);
}

static int check_acks(const struct weir_kafka *k, struct weir_error *err)
{
    for (size_t i = 0; i < k->property_count; i++) {
        const struct kafka_property *p = &k->properties[i];
        if (is_acks(p->name) && strcmp(p->value, "all") != 0 && strcmp(p->value, "-1") != 0 && !kafka_properties_weak_acks(k))
            return weir_fail(err, WEIR_BAD_CONFIG, WEIR_STOP, "Kafka property '%s' must be all, 1 or 0, not '%s'", p->name, p->value);
    }
    const char *idempotence = kafka_property_get(k, "enable.idempotence");
    if (idempotence && (strcasecmp(idempotence, "true") == 0) == kafka_properties_weak_acks(k))
        return weir_fail(err, WEIR_BAD_CONFIG, WEIR_STOP,
                         "Kafka property 'enable.idempotence' cannot be %s: records are sent so that none is doubled%s", idempotence,
                         kafka_properties_weak_acks(k) ? ", which needs acks: all" : ", unless acks is 0 or 1");
    return 0;
}

static int check_one(struct weir_kafka *k, const struct catalogue *c, rd_kafka_conf_t *scratch, const struct weir_option *option,
                     struct weir_error *err)
{
    if (check_ours(option, err) < 0 || check_value(c, scratch, option, err) < 0)
        return -1;
    if (kafka_property_get(k, option->name))
        return weir_fail(err, WEIR_BAD_CONFIG, WEIR_STOP, "Kafka property '%s' is given twice", option->name);
    k->properties[k->property_count++] = (struct kafka_property){weir_strdup(option->name), weir_strdup(option->value), scope_of(c, option->name)};
    return 0;
}

int kafka_properties_check(struct weir_kafka *k, uint32_t count, const struct weir_option *options, struct weir_error *err)
{
    weir_cleanup(catalogue_drop) struct catalogue c = {0};
    catalogue_read(&c);
    rd_kafka_conf_t *scratch = rd_kafka_conf_new();
    k->properties = weir_zalloc(count + 1, sizeof *k->properties);
    int rc = 0;
    for (uint32_t i = 0; rc == 0 && i < count; i++)
        rc = check_one(k, &c, scratch, &options[i], err);
    rd_kafka_conf_destroy(scratch);
    return rc < 0 ? rc : check_acks(k, err);
}
