// SPDX-License-Identifier: Apache-2.0
#include "store/cassandra/options.h"

#include "base/number.h"
#include "base/suggest.h"
#include "base/time.h"
#include <stddef.h>
#include <stdlib.h>

#define AT(member)      offsetof(struct cassandra_options, member)
#define SESSION(member) offsetof(struct cassandra_options, session.member)
#define MIB             (INT64_C(1) << 20)

const struct cassandra_option cassandra_option_table[] = {
    {"username", CASSANDRA_TEXT, SESSION(username), 0, 0, "", NULL, "login; a node that asks for one is an error without"},
    {"password", CASSANDRA_TEXT, SESSION(password), 0, 0, "", NULL, "use ${env:NAME} or ${file:PATH}"},
    {"local_dc", CASSANDRA_TEXT, SESSION(local_dc), 0, 0, "", NULL, "data centre whose nodes are asked; that of the first node that answers"},
    {"tls", CASSANDRA_SWITCH, SESSION(tls.on), 0, 0, "false", NULL, "encrypted connections"},
    {"ca", CASSANDRA_TEXT, SESSION(tls.ca_file), 0, 0, "", NULL, "PEM file of the authorities to trust; the system's"},
    {"cert", CASSANDRA_TEXT, SESSION(tls.cert_file), 0, 0, "", NULL, "PEM file of the client's certificate"},
    {"key", CASSANDRA_TEXT, SESSION(tls.key_file), 0, 0, "", NULL, "PEM file of the client's key"},
    {"insecure", CASSANDRA_SWITCH, SESSION(tls.insecure), 0, 0, "false", NULL, "certificates are not looked at"},
    {"server_name", CASSANDRA_TEXT, SESSION(tls.server_name), 0, 0, "", NULL, "what certificates must name; the node's address"},
    {"compression", CASSANDRA_CHOICE, AT(compression), 0, 0, "lz4", "lz4|none", "of what goes over the wire"},
    {"protocol", CASSANDRA_CHOICE, AT(dialect), 0, 0, "5", "5|4", "highest version of the native protocol to use"},
    {"io_threads", CASSANDRA_COUNT, SESSION(io_threads), 1, 64, "1", NULL, "threads, each with a connection to every node"},
    {"connect_timeout", CASSANDRA_DURATION, SESSION(connect_timeout_ms), 1, 600000, "5 s", NULL, "of one connection"},
    {"request_timeout", CASSANDRA_DURATION, SESSION(request_timeout_ms), 1, 600000, "12 s", NULL, "of one request; longer than the servers' own"},
    {"batch_rows_max", CASSANDRA_COUNT, AT(batch_rows_max), 1, 60000, "256", NULL, "rows of one partition that are sent as one"},
    {"batch_bytes_max", CASSANDRA_BYTES, AT(batch_bytes_max), 1024, 8 * MIB, "128 KiB", NULL, "of their values"},
    {"batches_in_flight", CASSANDRA_COUNT, AT(batches_in_flight), 1, 65536, "128", NULL, "beyond it rows gather into larger batches"},
    {"linger", CASSANDRA_DURATION, AT(linger_ms), 0, 60000, "50 ms", NULL,
     "for how long at most rows of a partition gather that had others just before; the first row after a quiet spell goes at once"},
    {"memory_max", CASSANDRA_BYTES, AT(memory_max), MIB, 65536 * MIB, "64 MiB", NULL, "of rows not yet acknowledged; beyond it reading pauses"},
    {"in_flight_bytes", CASSANDRA_BYTES, SESSION(in_flight_bytes), MIB, 65536 * MIB, "32 MiB", NULL, "of requests not yet answered"},
    {"in_flight_requests", CASSANDRA_COUNT, SESSION(in_flight_requests), 1, 65536, "1024", NULL, "not yet answered"},
    {"window_max", CASSANDRA_COUNT, SESSION(window_max), 1, 32768, "256", NULL, "requests in flight to a node, at most"},
};
const uint32_t cassandra_option_count = sizeof cassandra_option_table / sizeof *cassandra_option_table;

static const char scheme[] = "cassandra://";

// ---- values

static int parse_count(const char *text, int64_t *ret)
{
    char *end;
    if (*text < '0' || *text > '9' || strlen(text) > 18)
        return -1;
    *ret = strtoll(text, &end, 10);
    return *end ? -1 : 0;
}

static int parse_bytes(const char *text, int64_t *ret)
{
    static const struct {
        const char *unit;
        unsigned shift;
    } units[] = {{"", 0}, {"B", 0}, {"KiB", 10}, {"MiB", 20}, {"GiB", 30}};
    char *end;
    if (*text < '0' || *text > '9')
        return -1;
    int64_t number = strtoll(text, &end, 10);
    end += *end == ' ';
    for (size_t i = 0; i < sizeof units / sizeof *units; i++)
        if (strcmp(end, units[i].unit) == 0 && number <= INT64_MAX >> units[i].shift) {
            *ret = number << units[i].shift;
            return 0;
        }
    return -1;
}

static bool is_choice(const char *text, const char *choices)
{
    size_t bytes = strlen(text);
    for (const char *at = choices; bytes; at++) {
        size_t word = strcspn(at, "|");
        if (word == bytes && memcmp(at, text, bytes) == 0)
            return true;
        at += word;
        if (!*at)
            break;
    }
    return false;
}

static int parse_number(enum cassandra_option_type type, const char *text, int64_t *ret)
{
    if (type == CASSANDRA_BYTES)
        return parse_bytes(text, ret);
    if (type == CASSANDRA_DURATION && weir_duration_parse(weir_str_of(text), ret) == 0)
        return 0;
    return parse_count(text, ret);
}

static const char *const forms[] = {
    [CASSANDRA_TEXT] = "a text",          [CASSANDRA_SWITCH] = "true or false",        [CASSANDRA_COUNT] = "a whole number",
    [CASSANDRA_BYTES] = "a size: 64 MiB", [CASSANDRA_DURATION] = "a duration: 500 ms", [CASSANDRA_CHOICE] = "one of",
};

static int no_value(const struct cassandra_option *option, const char *value, struct weir_error *err)
{
    return weir_fail(err, WEIR_BAD_CONFIG, WEIR_STOP, "store: option '%s' is %s%s%s, not '%.60s'", option->name, forms[option->type],
                     option->choices ? " " : "", option->choices ? option->choices : "", value);
}

static void put_number(const struct cassandra_option *option, int64_t value, struct cassandra_options *ret)
{
    char *at = (char *)ret + option->at;
    if (option->type == CASSANDRA_BYTES)
        *(size_t *)at = (size_t)value;
    else if (option->at == AT(linger_ms))
        *(int64_t *)at = value;
    else
        *(uint32_t *)at = (uint32_t)value;
}

static int put_value(const struct cassandra_option *option, const char *value, struct weir_arena *arena, struct cassandra_options *ret,
                     struct weir_error *err)
{
    char *at = (char *)ret + option->at;
    int64_t number;
    if (option->type == CASSANDRA_TEXT || option->type == CASSANDRA_CHOICE) {
        if (option->choices && !is_choice(value, option->choices))
            return no_value(option, value, err);
        *(const char **)at = *value ? weir_arena_copy(arena, weir_str_of(value)).data : NULL;
        return 0;
    }
    if (option->type == CASSANDRA_SWITCH) {
        *(bool *)at = strcmp(value, "true") == 0;
        return *(bool *)at || strcmp(value, "false") == 0 ? 0 : no_value(option, value, err);
    }
    if (parse_number(option->type, value, &number) < 0)
        return no_value(option, value, err);
    if (number < option->least || number > option->most)
        return weir_fail(err, WEIR_BAD_CONFIG, WEIR_STOP, "store: option '%s' must be from %lld to %lld, not %s", option->name,
                         (long long)option->least, (long long)option->most, value);
    put_number(option, number, ret);
    return 0;
}

// ---- the URL

static int bad_url(const char *url, struct weir_error *err)
{
    return weir_fail(err, WEIR_BAD_CONFIG, WEIR_STOP, "'%.200s' is no address of Cassandra: cassandra://host[,host…][:port]/keyspace", url);
}

static int read_host(struct weir_str text, struct weir_arena *arena, const char **ret_host, uint16_t *port)
{
    const char *colon = memchr(text.data, ':', text.bytes);
    uint32_t bytes = colon ? (uint32_t)(colon - text.data) : text.bytes;
    int64_t number = 0;
    if (bytes == 0)
        return -1;
    if (colon) {
        struct weir_str digits = weir_arena_copy(arena, (struct weir_str){colon + 1, text.bytes - bytes - 1});
        if (parse_count(digits.data, &number) < 0 || number < 1 || number > 65535 || (*port && *port != number))
            return -1; // the nodes of a ring all listen on one port
        *port = (uint16_t)number;
    }
    *ret_host = weir_arena_copy(arena, (struct weir_str){text.data, bytes}).data;
    return 0;
}

static int read_url(const char *url, struct weir_arena *arena, struct cassandra_options *ret, struct weir_error *err)
{
    const char *at = strncmp(url, scheme, strlen(scheme)) == 0 ? url + strlen(scheme) : NULL, *slash = at ? strchr(at, '/') : NULL;
    if (!slash || weir_cassandra_keyspace(url, arena, &ret->keyspace, err) < 0)
        return bad_url(url, err);
    uint32_t count = 1;
    for (const char *c = at; c < slash; c++)
        count += *c == ',';
    const char **hosts = weir_arena_zalloc(arena, count * sizeof *hosts);
    for (uint32_t i = 0; i < count; i++) {
        uint32_t bytes = (uint32_t)strcspn(at, ",/");
        if (read_host((struct weir_str){at, bytes}, arena, &hosts[i], &ret->session.port) < 0)
            return bad_url(url, err);
        at += bytes + 1;
    }
    ret->session.hosts = hosts;
    ret->session.host_count = count;
    return 0;
}

int weir_cassandra_keyspace(const char *url, struct weir_arena *arena, const char **ret, struct weir_error *err)
{
    const char *slash = strncmp(url, scheme, strlen(scheme)) == 0 ? strchr(url + strlen(scheme), '/') : NULL;
    size_t bytes = slash ? strlen(slash + 1) : 0;
    if (bytes == 0 || bytes > 48)
        return bad_url(url, err);
    for (const char *c = slash + 1; *c; c++)
        if (!((*c >= 'a' && *c <= 'z') || (*c >= 'A' && *c <= 'Z') || (*c >= '0' && *c <= '9') || *c == '_'))
            return bad_url(url, err);
    *ret = weir_arena_copy(arena, weir_str_of(slash + 1)).data;
    return 0;
}

// ---- replication: a number, a map as CQL writes it, or options replication.class, replication.DATA_CENTRE

static void add_quoted(struct weir_buffer *map, const char *name, const char *value)
{
    const char *const parts[] = {name, value};
    weir_buffer_format(map, map->bytes ? ", " : "{");
    for (int i = 0; i < 2; i++) {
        weir_buffer_format(map, i ? ": '" : "'");
        for (const char *c = parts[i]; *c; c++)
            weir_buffer_format(map, *c == '\'' ? "''" : "%c", *c);
        weir_buffer_byte(map, '\'');
    }
}

static int read_replication(const char *value, struct weir_arena *arena, struct cassandra_options *ret, struct weir_error *err)
{
    int64_t copies;
    if (value[0] == '{') {
        ret->replication = weir_arena_copy(arena, weir_str_of(value)).data;
        return 0;
    }
    if (parse_count(value, &copies) < 0 || copies < 1 || copies > 100)
        return weir_fail(err, WEIR_BAD_CONFIG, WEIR_STOP, "store: option 'replication' is a number from 1 to 100 or {'class': …}, not '%.60s'",
                         value);
    ret->copies = (uint32_t)copies;
    return 0;
}

// ---- all of it

static int unknown_option(const char *name, struct weir_error *err)
{
    const char *names[sizeof cassandra_option_table / sizeof *cassandra_option_table + 1];
    char hint[160];
    for (uint32_t i = 0; i < cassandra_option_count; i++)
        names[i] = cassandra_option_table[i].name;
    names[cassandra_option_count] = "replication";
    bool near = weir_suggest_text(weir_str_of(name), names, cassandra_option_count + 1u, hint, sizeof hint);
    return weir_fail(err, WEIR_BAD_CONFIG, WEIR_STOP, "store: Cassandra has no option '%.60s'%s%s", name, near ? ": " : "", near ? hint : "");
}

static int read_option(const struct weir_option *given, struct weir_buffer *map, struct weir_arena *arena, struct cassandra_options *ret,
                       struct weir_error *err)
{
    if (strcmp(given->name, "replication") == 0)
        return read_replication(given->value, arena, ret, err);
    if (strncmp(given->name, "replication.", 12) == 0) {
        add_quoted(map, given->name + 12, given->value);
        return 0;
    }
    for (uint32_t i = 0; i < cassandra_option_count; i++)
        if (strcmp(given->name, cassandra_option_table[i].name) == 0)
            return put_value(&cassandra_option_table[i], given->value, arena, ret, err);
    return unknown_option(given->name, err);
}

static int put_defaults(struct weir_arena *arena, struct cassandra_options *ret, struct weir_error *err)
{
    *ret = (struct cassandra_options){0};
    for (uint32_t i = 0; i < cassandra_option_count; i++) {
        const struct cassandra_option *option = &cassandra_option_table[i];
        if (*option->standard && put_value(option, option->standard, arena, ret, err) < 0)
            return -1;
    }
    return 0;
}

static int finish(const struct weir_buffer *map, struct weir_arena *arena, struct cassandra_options *ret, struct weir_error *err)
{
    struct cql_tls *tls = &ret->session.tls;
    if (map->bytes)
        ret->replication = weir_arena_format(arena, "%.*s}", (int)map->bytes, (const char *)map->data);
    ret->session.no_compression = strcmp(ret->compression, "none") == 0;
    ret->session.version_max = strcmp(ret->dialect, "4") == 0 ? CQL_V4 : CQL_V5;
    if (!tls->on && (tls->ca_file || tls->cert_file || tls->key_file || tls->server_name || tls->insecure))
        return weir_fail(err, WEIR_BAD_CONFIG, WEIR_STOP, "store: options of TLS are given, but 'tls' is not true");
    if (!tls->cert_file != !tls->key_file)
        return weir_fail(err, WEIR_BAD_CONFIG, WEIR_STOP, "store: 'cert' and 'key' go together");
    if (!ret->session.username != !ret->session.password)
        return weir_fail(err, WEIR_BAD_CONFIG, WEIR_STOP, "store: 'username' and 'password' go together");
    return 0;
}

int cassandra_options_read(const char *url, uint32_t count, const struct weir_option *options, struct weir_arena *arena,
                           struct cassandra_options *ret, struct weir_error *err)
{
    weir_cleanup(weir_buffer_drop) struct weir_buffer map = {0};
    struct cassandra_options read;
    if (put_defaults(arena, &read, err) < 0 || read_url(url, arena, &read, err) < 0)
        return -1;
    for (uint32_t i = 0; i < count; i++)
        if (read_option(&options[i], &map, arena, &read, err) < 0)
            return -1;
    if (finish(&map, arena, &read, err) < 0)
        return -1;
    *ret = read;
    return 0;
}
