// SPDX-License-Identifier: Apache-2.0
// Every kind of mistake: said at its place, in the words a user reads.
#include "base/memory.h"
#include "spec/plan.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

static const char good[] =
    "pipeline: dust\n"
    "log: embedded\n"
    "registry: embedded\n"
    "store: embedded\n"
    "timezone: UTC\n"
    "topic: {name: dust, partitions: 3}\n"
    "event:\n"
    "  format: json\n"
    "  fields: {device: string, time: long, p1: optional double, p2: optional double, n: int, ok: boolean, tag: optional string}\n"
    "  key: device\n"
    "  time: time\n"
    "feed:\n"
    "  file:\n"
    "    path: x.csv\n"
    "    delimiter: ';'\n"
    "    fields: {device: sensor_id}\n"
    "queries:\n"
    "  - table: readings\n"
    "    where: p1 > 0 and ok\n"
    "    columns: {device: text, time: bigint, p1: double}\n"
    "    key: [[device], time desc]\n"
    "  - table: hourly\n"
    "    window: tumbling 1 hour\n"
    "    group_by: [device]\n"
    "    lateness: 1 minute\n"
    "    emit: final\n"
    "    columns:\n"
    "      device: text\n"
    "      hour: bigint = epoch_s(window_start)\n"
    "      p1_avg: double = avg(p1)\n"
    "      p1_max: double = max(p1)\n"
    "      p2_avg: double = avg(p2)\n"
    "    key: [[device], hour desc]\n";

// The good file with the first `old` replaced.
static char *edited(const char *old, const char *new)
{
    const char *at = strstr(good, old);
    assert_non_null(at);
    return weir_format("%.*s%s%s", (int)(at - good), good, new, at + strlen(old));
}

static char *diagnose(const char *text, struct weir_error *err)
{
    char *out = NULL;
    size_t bytes = 0;
    FILE *stream = open_memstream(&out, &bytes);
    struct weir_plan *plan = NULL;
    *err = (struct weir_error){0};
    if (weir_plan_parse("dir/bad.yaml", weir_str_of(text), NULL, stream, false, &plan, err) == 0)
        weir_plan_free(plan);
    fclose(stream);
    return out;
}

struct mistake_case {
    const char *old, *new;
    const char *mark;    // part of `new` that the mistake is at; "" for its start
    const char *message; // what the first line says
    const char *hint;    // or NULL
};

static void expect_at(const struct mistake_case *c)
{
    struct weir_error err;
    weir_cleanup(weir_freep) char *text = edited(c->old, c->new);
    weir_cleanup(weir_freep) char *out = diagnose(text, &err);
    const char *at = text + (strstr(good, c->old) - good) + (strstr(c->new, c->mark) - c->new), *line_start = text;
    int line = 1;
    for (const char *p = text; p < at; p++) {
        if (*p == '\n') {
            line++;
            line_start = p + 1;
        }
    }
    weir_cleanup(weir_freep) char *head = weir_format("dir/bad.yaml:%d:%d: error: ", line, (int)(at - line_start) + 1);
    if (!strstr(out, head) || !strstr(out, c->message) || (c->hint && !strstr(out, c->hint)) || err.code != WEIR_BAD_CONFIG)
        fail_msg("'%s': want \"%s%s\" (%s), got:\n%s", c->new, head, c->message, c->hint ? c->hint : "", out);
    const char *first = strstr(out, ": error: ");
    if (strstr(first + 1, ": error: "))
        fail_msg("'%s': one mistake, said more than once:\n%s", c->new, out);
}

static void expect_all(const struct mistake_case *cases, size_t count)
{
    for (size_t i = 0; i < count; i++)
        expect_at(&cases[i]);
}
#define EXPECT_ALL(cases) expect_all(cases, sizeof cases / sizeof *cases)

static void the_good_file_is_good(void **state)
{
    (void)state;
    struct weir_error err;
    weir_cleanup(weir_freep) char *out = diagnose(good, &err);
    assert_string_equal(out, "");
    assert_int_equal(err.code, WEIR_OK);
}

static void top_level(void **state)
{
    (void)state;
    static const struct mistake_case cases[] = {
        {"pipeline:", "pipelin:", "", "unknown key 'pipelin' in a pipeline file", "did you mean 'pipeline'?"},
        {"pipeline: dust", "pipeline: a b", "a b", "'a b' is no pipeline name", NULL},
        {"log: embedded", "log: embeded", "embeded", "'embeded' is no log", "did you mean 'embedded'?"},
        {"log: embedded", "log: cassandra://a/k", "cassandra", "'cassandra://a/k' is no log: use 'embedded' or kafka://host:port", NULL},
        {"log: embedded", "log: kafka://a:99999", "kafka", "is no log", NULL},
        {"log: embedded", "log: {options: {a: b}}", "log", "'log' needs a 'url'", NULL},
        {"registry: embedded", "registry: ftp://r:8081", "ftp", "is no registry", NULL},
        {"store: embedded", "store: cassandra://a,b:9042/k-s", "cassandra", "is no store", NULL},
        {"store: embedded", "store: cassandra://a", "cassandra", "'cassandra://a' is no store", NULL},
        {"store: embedded", "store: {url: embedded, replication: many}", "many", "'replication' must be a whole number", NULL},
        {"timezone: UTC", "timezone: Europe/Rom", "Europe", "unknown time zone 'Europe/Rom'", NULL},
        {"timezone: UTC", "timezone: ../../etc/passwd", "..", "unknown time zone", NULL},
        {"{name: dust, partitions: 3}", "{name: dust, partitions: 0}", "0", "'partitions' must be a whole number from 1 to 1024, not '0'", NULL},
        {"{name: dust, partitions: 3}", "{partitions: 3, partitons: 4, name: d}", "partitons", "unknown key 'partitons' in 'topic'", "'partitions'"},
        {"{name: dust, partitions: 3}", "{name: dust, name: dusk}", "name: dusk", "'name' is given twice, first on line 6", NULL},
        {"{name: dust, partitions: 3}", "{name: du/st}", "du/st", "'du/st' is no topic name", NULL},
        {"{name: dust, partitions: 3}", "[dust]", "[", "'topic' must be a map", NULL},
        {"timezone: UTC", "timezone: ${env:WEIR_TEST_UNSET}", "$", "the environment variable 'WEIR_TEST_UNSET' is not set", NULL},
        {"timezone: UTC", "timezone: ${file:/nonexistent}", "$", "cannot read /nonexistent", NULL},
        {"timezone: UTC", "timezone: ${what}", "$", "'${what}' refers to nothing", NULL},
        {"timezone: UTC", "timezone:", "", "'timezone' has no value", NULL},
    };
    EXPECT_ALL(cases);
}

#define UNDER_OPTIONS "options of the engine go under 'options'"

static void options_beside_the_address(void **state)
{
    (void)state;
    static const struct mistake_case cases[] = {
        {"log: embedded", "log: {url: embedded, acks: 1}", "acks", "unknown key 'acks' in 'log'", UNDER_OPTIONS},
        {"registry: embedded", "registry: {url: embedded, timeout: 3 s}", "timeout", "unknown key 'timeout' in 'registry'", UNDER_OPTIONS},
        {"store: embedded", "store: {url: embedded, linger: 30 ms}", "linger", "unknown key 'linger' in 'store'", UNDER_OPTIONS},
        {"store: embedded", "store: {url: embedded, optoins: {linger: 30 ms}}", "optoins", "unknown key 'optoins' in 'store'",
         "did you mean 'options'?"},
    };
    EXPECT_ALL(cases);
    struct weir_error err;
    weir_cleanup(weir_freep) char *near = edited(cases[3].old, cases[3].new);
    weir_cleanup(weir_freep) char *out = diagnose(near, &err);
    assert_null(strstr(out, UNDER_OPTIONS)); // one remedy is enough
    weir_cleanup(weir_freep) char *elsewhere = edited("format: json", "format: json\n  zzzzzz: 1");
    weir_cleanup(weir_freep) char *said = diagnose(elsewhere, &err);
    assert_non_null(strstr(said, "unknown key 'zzzzzz' in 'event'"));
    assert_null(strstr(said, UNDER_OPTIONS));
}

static void events(void **state)
{
    (void)state;
    static const struct mistake_case cases[] = {
        {"format: json", "format: jsn", "jsn", "unknown format 'jsn'", "did you mean 'json'?"},
        {"format: json", "formt: json", "formt", "unknown key 'formt' in 'event'", "'format'"},
        {"n: int", "n: integer", "integer", "unknown field type 'integer'", NULL},
        {"n: int", "n: optional  dobule", "dobule", "unknown field type 'dobule'", "did you mean 'double'?"},
        {"n: int", "and: int", "and", "'and' is a word of the expression language", NULL},
        {"n: int", "a-b: int", "a-b", "'a-b' is no field name", NULL},
        {"key: device", "key: devise", "devise", "the event has no field 'devise'", "did you mean 'device'?"},
        {"key: device", "key: tag", "tag", "the key 'tag' must not be optional", NULL},
        {"key: device\n", "key: ok\n", "ok", "must be a string, int or long, not boolean", NULL},
        {"  time: time\n", "  time: device\n", "device", "the event time 'device' is string, but epoch milliseconds need int or long", NULL},
        {"  time: time\n", "  time: {field: time, unit: iso8601}\n", "time, unit", "but iso8601 needs string", NULL},
        {"  time: time\n", "  time: {field: time, unit: min}\n", "min", "unknown unit 'min'", "one of: ms, s, us, iso8601"},
        {"  time: time\n", "  time: time\n  max_ahead: soon\n", "soon", "'soon' is no duration for 'max_ahead'", NULL},
        {"  time: time\n", "  time: time\n  dedupe: {by: [devic, time], within: 1 day}\n", "devic", "the event has no field 'devic'", "'device'"},
        {"  time: time\n", "  time: time\n  dedupe: {by: [device, time]}\n", "dedupe", "'dedupe' needs 'by' and 'within'", NULL},
        {"  time: time\n", "  time: time\n  dedupe: {by: [], within: 1 day}\n", "[]", "'by' needs at least one field", NULL},
    };
    EXPECT_ALL(cases);
}

static void feeds(void **state)
{
    (void)state;
    static const struct mistake_case cases[] = {
        {"    path: x.csv", "    path: x.dat", "x.dat", "the format cannot be told from this name", NULL},
        {"delimiter: ';'", "delimiter: ';;'", "';;'", "'delimiter' must be one character", NULL},
        {"delimiter: ';'", "pace: 1y", "1y", "'1y' is no speed", NULL},
        {"delimiter: ';'", "pace: fast", "fast", "unknown pace 'fast'", NULL},
        {"delimiter: ';'", "pace: 60", "60", "'60' is no speed", NULL},
        {"delimiter: ';'", "time_format: iso", "iso", "unknown time_format 'iso'", NULL},
        {"delimiter: ';'", "unpivot: {columns: [a, a], name: tag, value: p1}", "a], name", "column 'a' is given twice", NULL},
        {"delimiter: ';'", "unpivot: {columns: [a], name: n, value: p1}", "n, value", "it must be a string, not int", NULL},
        {"fields: {device: sensor_id}", "fields: {devic: sensor_id}", "devic", "the event has no field 'devic'", "'device'"},
        {"  file:\n", "  files:\n", "files", "unknown key 'files' in 'feed'", "did you mean 'file'?"},
        {"  file:\n", "  http: {}\n  file:\n", "file", "a pipeline has one feed", NULL},
    };
    EXPECT_ALL(cases);
}

static void simulated_fields(void **state)
{
    (void)state;
#define FEED(fields) "  simulate: {rate: 5 per second, fields: {" fields "}}\n"
#define ALL          "device: {uuid: 5}, time: now, n: 1, ok: true, "
    static const char file_feed[] = "  file:\n    path: x.csv\n    delimiter: ';'\n    fields: {device: sensor_id}\n";
    static const struct mistake_case cases[] = {
        {file_feed, FEED(ALL "p1: {unifrom: [1, 2]}"), "unifrom", "unknown key 'unifrom' in simulated field 'p1'", "'uniform'"},
        {file_feed, FEED(ALL "p1: {uniform: [3, 2]}"), "[3", "the lowest value is above the highest", NULL},
        {file_feed, FEED(ALL "p1: {uniform: [3]}"), "[3", "'uniform' takes two numbers", NULL},
        {file_feed, FEED(ALL "p1: {uuid: 3}"), "uuid: 3", "'uuid' gives text, but field 'p1' is double", NULL},
        {file_feed, FEED(ALL "tag: {text: '{m}'}"), "'{m}'", "a text knows one placeholder", NULL},
        {file_feed, FEED(ALL "tag: now"), "tag", "'now' gives a time, but field 'tag' is string", NULL},
        {file_feed, FEED(ALL "p1: x"), "x}", "'x' does not fit field 'p1', which is double", NULL},
        {file_feed, FEED("time: {clock: fast}, device: {uuid: 5}, n: 1, ok: true"), "fast", "'fast' is no speed", NULL},
        {file_feed, FEED("time: now, device: {uuid: 5}, n: 1"), "fields", "field 'ok' is missing: it is not optional", NULL},
        {file_feed, FEED("time: now, device: {uuid: 5}, n: null, ok: true"), "null", "field 'n' is not optional", NULL},
        {file_feed, FEED(ALL "tag: {text: 'x{n}', members: 0}"), "0}", "'members' must be a whole number from 1 to 100000000", NULL},
        {file_feed, FEED(ALL "tag: {one_of: [a], members: 3}"), "members", "'members' goes with 'text'", NULL},
        {file_feed, "  simulate: {rate: often, fields: {" ALL "}}\n", "often", "'often' is no rate", NULL},
    };
    EXPECT_ALL(cases);
}

static void queries(void **state)
{
    (void)state;
    static const struct mistake_case cases[] = {
        {"    lateness: 1 minute", "    latenes: 1 minute", "latenes", "unknown key 'latenes' in query 'hourly'", "did you mean 'lateness'?"},
        {"lateness: 1 minute", "lateness: 1 fortnight", "1 fortnight", "'1 fortnight' is no duration", NULL},
        {"emit: final", "emit: finally", "finally", "unknown emit 'finally'", "did you mean 'final'?"},
        {"table: hourly", "table: readings", "readings", "table 'readings' is filled twice, first by the query on line 18", NULL},
        {"table: hourly", "table: Hourly", "Hourly", "'Hourly' is no table name", NULL},
        {"window: tumbling 1 hour", "window: tumbling 1 moon", "1 moon", "'1 moon' is no duration for a window", NULL},
        {"window: tumbling 1 hour", "window: tumblin 1 hour", "tumblin", "unknown window 'tumblin'", "did you mean 'tumbling'?"},
        {"window: tumbling 1 hour", "window: sliding 1 hour", "sliding", "a sliding window says how far it slides", NULL},
        {"window: tumbling 1 hour", "window: sliding 1 hour every 7 minutes", "7 minutes", "must be a multiple of how far it slides", NULL},
        {"window: tumbling 1 hour", "window: sliding 5 minutes every 1 hour", "1 hour", "must not slide further than it is long", NULL},
        {"window: tumbling 1 hour", "window: sliding 365 days every 1 minute", "1 minute", "in 525600 windows at once; at most 10000", NULL},
        {"window: tumbling 1 hour", "window: calendar fortnight", "fortnight", "one of hour, day, week, month, year", NULL},
        {"window: tumbling 1 hour", "window: calendar dya", "dya", "a calendar window is", "did you mean 'day'?"},
        {"window: tumbling 1 hour", "window: session 0 s", "0 s", "a window lasts from 1 ms to 20 years", NULL},
        {"lateness: 1 minute", "amend: 0 s", "0 s", "'amend' is out of range", NULL},
        {"group_by: [device]", "group_by: [devic]", "devic", "the event has no field 'devic'", "'device'"},
        {"    where:", "    lateness: 1 s\n    where:", "lateness", "'lateness' needs a 'window'", NULL},
        {"    where:", "    emit: update\n    where:", "emit", "'emit' needs a 'group_by'", NULL},
        {"    where:", "    consistency: QORUM\n    where:", "QORUM", "unknown consistency level 'QORUM'", "'QUORUM'"},
        {"    where:", "    compaction: {class: LeveldCompactionStrategy}\n    where:", "Leveld", "unknown compaction class",
         "'LeveledCompactionStrategy'"},
        {"    where:", "    ttl: 8000 days\n    where:", "8000", "'ttl' is at most 20 years", NULL},
        {"    where:", "    partition_by: moth\n    where:", "moth", "unknown partition_by 'moth'", "'month'"},
        {"key: [[device], time desc]", "key: [[device]]\n    partition_by: month", "partition_by",
         "'partition_by' needs a time first among the clustering columns", NULL},
    };
    EXPECT_ALL(cases);
}

static void http(void **state)
{
    (void)state;
#define DIGEST     "0123456789abcdef0123456789ABCDEF0123456789abcdef0123456789abcdef"
#define HTTP(what) "feed:", "http: {" what "}\nfeed:"
    static const struct mistake_case cases[] = {
        {HTTP("liste: '127.0.0.1:80'"), "liste", "unknown key 'liste' in 'http'", "did you mean 'listen'?"},
        {HTTP("listen: '8080'"), "'8080'", "'8080' is no address to listen on", "127.0.0.1:8080"},
        {HTTP("listen: '127.0.0.1:65536'"), "'127", "is no address to listen on", NULL},
        {HTTP("listen: '::1:80'"), "'::1", "is no address to listen on", "[::1]:8080"},
        {HTTP("body: 1 TB"), "1 TB", "'body' is a number of bytes up to 1 GiB, not '1 TB'", "8 MiB"},
        {HTTP("body: 2 GiB"), "2 GiB", "'body' is a number of bytes up to 1 GiB", NULL},
        {HTTP("tokens: {name: a}"), "{name", "'tokens' must be a list", NULL},
        {HTTP("tokens: [{name: a, role: reader}]"), "{name", "a token needs 'name', 'sha256' and 'role'", NULL},
        {HTTP("tokens: [{name: a, sha256: hunter2, role: reader}]"), "hunter2", "'sha256' is the token's hash: 64 hex digits", "sha256sum"},
        {HTTP("tokens: [{name: a, sha256: " DIGEST ", role: raeder}]"), "raeder", "unknown role 'raeder'", "did you mean 'reader'?"},
        {HTTP("tokens: [{name: a, sha256: " DIGEST ", role: reader}, {name: a, sha256: " DIGEST ", role: reader}]"),
         "a, sha256: " DIGEST ", role: reader}]", "two tokens are named 'a'", NULL},
        {HTTP("jwt: {issuer: i, keys: k.json}"), "jwt", "'jwt' needs 'issuer', 'audience' and 'keys'", NULL},
        {HTTP("jwt: {issuer: i, audience: a, keys: k.json, role: r}"), "role:", "unknown key 'role' in 'jwt'", NULL},
    };
    EXPECT_ALL(cases);
}

static void columns(void **state)
{
    (void)state;
    static const struct mistake_case cases[] = {
        {"device: text\n      hour", "device: txt\n      hour", "txt", "unknown column type 'txt'", "did you mean 'text'?"},
        {"device: text\n      hour", "device: string\n      hour", "string", "unknown column type 'string'", "did you mean 'text'?"},
        {"device: text\n      hour", "Device: text = device\n      hour", "Device", "'Device' is no column name", NULL},
        {"p1: double}", "p3: double}", "p3", "the event has no field 'p3'", "did you mean 'p1' or 'p2'?"},
        {"p1: double}", "p1: bigint}", "p1", "column 'p1' is bigint, but this is double", NULL},
        {"p1: double}", "p1: double = avg(p1)}", "avg", "'avg' is an aggregate: it needs a 'group_by'", NULL},
        {"p1: double}", "w: bigint = epoch_s(window_start)}", "window_start", "'window_start' cannot stand here: this query has no 'window'", NULL},
        {"p1: double}", "x: int = time}", "time", "column 'x' is int, but this is long, which may be too large: use bigint", NULL},
        {"p1: double}", "x: uuid = 'a'}", "'a'", "a uuid comes straight from a field", NULL},
        {"p1: double}", "x: int = 1 2}", "2", "'2' stands where an operator or the end should be", NULL},
        {"p1: double}", "x: int 1}", "1}", "'=' and an expression may follow", NULL},
        {"p1: double}", "x: int = n +}", "}", "the expression ends where a value should be", NULL},
        {"p1: double}", "x: boolean = n = 1}", "= 1", "'=' does not compare", "did you mean '=='?"},
        {"p1: double}", "x: boolean = ok && ok}", "&&", "'&&' is no operator", "did you mean 'and'?"},
        {"p1: double}", "x: boolean = ok == 1}", "==", "boolean cannot be compared with long by '=='", NULL},
        {"p1: double}", "x: boolean = p1 == null}", "==", "a comparison with null is never true", NULL},
        {"p1: double}", "x: double = tag + 1}", "tag", "'+' needs a number, but this is string", NULL},
        {"p1: double}", "x: int = hour(n)}", "n)", "'hour' needs a time", NULL},
        {"p1: double}", "x: text = 'open}", "'open", "this text has no closing quote", NULL},
        {"p1: double}", "x: double = (p1}", "}", "the expression ends where an operator or ')' should be", NULL},
        {"p1: double}", "x: double = 1x}", "1x", "this is neither a number nor a name", NULL},
        {"p1: double}", "x: double = -(p1 $ 2)}", "$", "this character has no meaning", NULL},
        {"p1 > 0 and ok", "p1 and ok", "p1", "'and' needs true or false, but this is double", NULL},
        {"p1 > 0 and ok", "p1 + 0", "+", "'where' must be true or false, but this is double", NULL},
        {"p1 > 0 and ok", "avg(p1) > 0", "avg", "'avg' is an aggregate: 'where' looks at one event at a time", NULL},
    };
    EXPECT_ALL(cases);
}

static void aggregates(void **state)
{
    (void)state;
    static const struct mistake_case cases[] = {
        {"avg(p2)", "avg(p3)", "p3", "the event has no field 'p3'", "'p2'"},
        {"p1_avg: double = avg(p1)", "p1_avg: double = mean(p1)", "mean", "unknown function 'mean'", "did you mean 'avg'?"},
        {"p1_avg: double = avg(p1)", "p1_avg: double = avgg(p1)", "avgg", "unknown function 'avgg'", "did you mean 'avg'?"},
        {"p1_max: double = max(p1)", "p1_max: double = sum(device)", "device", "'sum' needs a number, but this is string", NULL},
        {"p1_max: double = max(p1)", "p1_max: double = max(ok)", "ok", "'max' needs values with an order", NULL},
        {"p1_max: double = max(p1)", "p1_max: double = max(avg(p1))", "avg", "an aggregate cannot stand inside another", NULL},
        {"p1_max: double = max(p1)", "x: double = 2 * p1", "p1", "'p1' is not in group_by; use first(p1), last(p1), min(p1)…", NULL},
        {"p1_max: double = max(p1)", "p1_max: double = max()", "max()", "'max' takes 1 argument, not 0", NULL},
        {"p1_max: double = max(p1)", "p1_max: double = median(device)", "device", "'median' needs a number, but this is string", NULL},
        {"p1_max: double = max(p1)", "p1_max: double = quantile(p1)", "quantile", "'quantile' takes 2 arguments, not 1", NULL},
        {"p1_max: double = max(p1)", "p1_max: double = quantile(p1, 99)", "99", "'quantile' needs a number from 0 to 1", NULL},
        {"p1_max: double = max(p1)", "p1_max: double = quantile(p1, p2)", "p2", "'quantile' needs a number from 0 to 1", NULL},
        {"p1_max: double = max(p1)", "p1_max: int = max(p1)", "max(p1)", "column 'p1_max' is int, but this is double: use double", NULL},
        {"p1_max: double = max(p1)", "p1_max: bigint = max(window_start)", "window_start", "it belongs to a row, not to an event", NULL},
    };
    EXPECT_ALL(cases);
}

static void keys(void **state)
{
    (void)state;
    static const struct mistake_case cases[] = {
        {"key: [[device], hour desc]", "key: [[device], our desc]", "our", "the key names 'our', which is no column of the table",
         "did you mean 'hour'?"},
        {"key: [[device], hour desc]", "key: [[device], hour down]", "down", "a clustering column is ordered asc or desc", NULL},
        {"key: [[device], hour desc]", "key: [[], hour desc]", "[], hour", "the partition key needs at least one column", NULL},
        {"key: [[device], hour desc]", "key: []", "[]", "with at least one partition column", NULL},
        {"key: [[device], hour desc]", "key: [[device, device], hour]", "device], hour", "'device' is in the key twice", NULL},
        {"key: [[device], hour desc]", "key: [[device desc], hour]", "desc], hour", "partition columns have no order", NULL},
        {"key: [[device], hour desc]", "key: [[device]]", "[[", "the key misses a column of 'window_start'", NULL},
        {"key: [[device], hour desc]", "key: [[hour]]", "[[", "the key misses a column of 'device', by which the query groups", NULL},
        {"key: [[device], time desc]", "key: [[device], p1]", "p1",
         "key column 'p1' may be null, for the event's field is optional: give it a value with coalesce", NULL},
    };
    EXPECT_ALL(cases);
}

static void yaml(void **state)
{
    (void)state;
    static const struct mistake_case cases[] = {
        {"log: embedded", "log: &a embedded", "&a", "anchors and aliases are not supported", NULL},
        {"log: embedded", "log: !!str embedded", "!!str", "tags are not supported", NULL},
        {"log: embedded", "log: \"a\\0b\"", "\"a", "a text must not hold a NUL character", NULL},
        {"{name: dust, partitions: 3}", "{name: [[[[[[[[[[[[[[[[[[[[x]]]]]]]]]]]]]]]]]]]]}", "[[[[[[x", "this is nested too deep", NULL},
    };
    expect_all(cases, 3);
    struct weir_error err;
    weir_cleanup(weir_freep) char *deep = edited(cases[3].old, cases[3].new);
    weir_cleanup(weir_freep) char *out = diagnose(deep, &err);
    assert_non_null(strstr(out, "this is nested too deep"));
    weir_cleanup(weir_freep) char *broken = diagnose("pipeline: x\ntopic: {name: d\nevent: 1\n", &err);
    assert_non_null(strstr(broken, "dir/bad.yaml:3:"));
    weir_cleanup(weir_freep) char *empty = diagnose("", &err);
    assert_non_null(strstr(empty, "dir/bad.yaml:1:1: error: the file is empty"));
    weir_cleanup(weir_freep) char *two = diagnose("a: 1\n---\nb: 2\n", &err);
    assert_non_null(strstr(two, "dir/bad.yaml:2:1: error: a file holds one pipeline"));
}

static void picture_of_a_mistake(void **state)
{
    (void)state;
    struct weir_error err;
    weir_cleanup(weir_freep) char *text = edited("    window: tumbling 1 hour", "    windw: tumbling 1 hour");
    weir_cleanup(weir_freep) char *out = diagnose(text, &err);
    const char *want = "dir/bad.yaml:23:5: error: unknown key 'windw' in query 'hourly'\n"
                       "  23 |     windw: tumbling 1 hour\n"
                       "           ^~~~~ did you mean 'window'?\n";
    assert_memory_equal(out, want, strlen(want));
}

static void all_in_one_pass_in_the_order_of_the_file(void **state)
{
    (void)state;
    struct weir_error err;
    weir_cleanup(weir_freep) char *out = diagnose("pipeline: a b\n"
                                                  "queries:\n"
                                                  "  - table: t\n"
                                                  "    emit: finally\n"
                                                  "    group_by: [x]\n"
                                                  "    columns: {x: txt}\n"
                                                  "    key: [[y]]\n"
                                                  "event: {format: json, fields: {x: string, t: long}, key: x, time: u}\n"
                                                  "topic: {name: t}\n",
                                                  &err);
    int last = 0, count = 0;
    for (const char *at = out; (at = strstr(at, "dir/bad.yaml:")); at++, count++) {
        int line = (int)strtol(at + strlen("dir/bad.yaml:"), NULL, 10);
        assert_true(line >= last);
        last = line;
    }
    assert_int_equal(count, 5);
    assert_string_equal(err.text, "dir/bad.yaml: 5 mistakes");
}

static void secrets_are_not_shown(void **state)
{
    (void)state;
    struct weir_error err;
    setenv("WEIR_TEST_SECRET", "hunter2", 1);
    weir_cleanup(weir_freep) char *text = edited("timezone: UTC", "timezone: ${env:WEIR_TEST_SECRET}");
    weir_cleanup(weir_freep) char *out = diagnose(text, &err);
    assert_non_null(strstr(out, "dir/bad.yaml:5:11: error: unknown time zone '${env:WEIR_TEST_SECRET}'"));
    assert_null(strstr(out, "hunter2"));
}

static void columns_count_characters_and_expressions_in_quotes_are_followed(void **state)
{
    (void)state;
    struct weir_error err;
    weir_cleanup(weir_freep) char *text = edited("p1: double}", "x: boolean = tag == 'é' and q > 1}");
    weir_cleanup(weir_freep) char *out = diagnose(text, &err);
    assert_non_null(strstr(out, "dir/bad.yaml:20:71: error: the event has no field 'q'"));
    weir_cleanup(weir_freep) char *quoted = edited("p1: double}", "x: 'boolean = tag == ''it'' and q > 1'}");
    weir_cleanup(weir_freep) char *quoted_out = diagnose(quoted, &err);
    assert_non_null(strstr(quoted_out, "dir/bad.yaml:20:75: error: the event has no field 'q'"));
    weir_cleanup(weir_freep) char *folded = edited("max(p1)\n", "max(p1)\n        + avg(q)\n");
    weir_cleanup(weir_freep) char *folded_out = diagnose(folded, &err);
    assert_non_null(strstr(folded_out, "dir/bad.yaml:32:15: error: the event has no field 'q'"));
}

static char *diagnose_schema(const char *schema)
{
    char folder[] = "/tmp/weir-spec-XXXXXX";
    assert_non_null(mkdtemp(folder));
    weir_cleanup(weir_freep) char *schema_path = weir_format("%s/e.avsc", folder);
    weir_cleanup(weir_freep) char *path = weir_format("%s/p.yaml", folder);
    FILE *file = fopen(schema_path, "w");
    assert_non_null(file);
    fputs(schema, file);
    fclose(file);
    char *out = NULL;
    size_t bytes = 0;
    FILE *stream = open_memstream(&out, &bytes);
    struct weir_plan *plan;
    struct weir_error err;
    struct weir_str text = WEIR_STR("pipeline: p\ntopic: t\nevent: {format: avro, schema: e.avsc, key: id, time: t}\n"
                                    "queries: [{table: r, columns: {id: text, t: bigint, x: double = m + 1}, key: [[id], t]}]\n");
    assert_true(weir_plan_parse(path, text, NULL, stream, false, &plan, &err) < 0);
    fclose(stream);
    unlink(schema_path);
    rmdir(folder);
    return out;
}

static void schemas(void **state)
{
    (void)state;
    weir_cleanup(weir_freep) char *broken =
        diagnose_schema("{\"type\": \"record\", \"name\": \"E\", \"fields\": [{\"name\": \"id\", \"type\": \"strin\"}]}");
    assert_non_null(strstr(broken, "p.yaml:3:31: error: "));
    assert_non_null(strstr(broken, "e.avsc: "));
    assert_null(strstr(broken, "the event has no field"));
    weir_cleanup(weir_freep) char *no_record = diagnose_schema("\"string\"");
    assert_non_null(strstr(no_record, "an event is a record, not string"));
    weir_cleanup(weir_freep) char *map =
        diagnose_schema("{\"type\": \"record\", \"name\": \"E\", \"fields\": [{\"name\": \"id\", \"type\": \"string\"},"
                        "{\"name\": \"t\", \"type\": \"long\"},"
                        "{\"name\": \"m\", \"type\": {\"type\": \"map\", \"values\": \"int\"}}]}");
    assert_non_null(strstr(map, "p.yaml:4:65: error: field 'm' is of type map, which no expression can use"));
}

static void long_lines_are_cut_and_nothing_steers_the_terminal(void **state)
{
    (void)state;
    struct weir_error err;
    weir_cleanup(weir_freep) char *text = weir_format("pipeline: p # %300s\ntopc:%300s x # \302\233 %300s\n", "", "", "");
    weir_cleanup(weir_freep) char *out = diagnose(text, &err);
    for (const char *line = out; *line; line = strchr(line, '\n') + 1)
        assert_true(strchr(line, '\n') - line < 220);
    assert_null(strchr(out, '\033'));
    assert_null(strstr(out, "\302\233"));
}

static void colours_on_demand(void **state)
{
    (void)state;
    char *out = NULL;
    size_t bytes = 0;
    struct weir_plan *plan;
    struct weir_error err;
    FILE *stream = open_memstream(&out, &bytes);
    assert_true(weir_plan_parse("p.yaml", WEIR_STR("pipelin: x\n"), NULL, stream, true, &plan, &err) < 0);
    fclose(stream);
    assert_non_null(strstr(out, "\033[1;31merror:\033[0m unknown key 'pipelin'"));
    free(out);
}

static void groups_by_an_optional_field(void **state)
{
    (void)state;
    struct weir_error err;
    weir_cleanup(weir_freep) char *out = diagnose("pipeline: p\ntopic: t\n"
                                                  "event: {format: json, fields: {id: string, t: long, tag: optional string}, key: id, time: t}\n"
                                                  "queries: [{table: h, group_by: [tag], columns: {tag: text, n: bigint = count()}, key: [tag]}]\n",
                                                  &err);
    assert_non_null(strstr(out, "dir/bad.yaml:4:88: error: key column 'tag' may be null, for the query groups by an optional field"));
    assert_string_equal(err.text, "dir/bad.yaml: 1 mistake");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_good_file_is_good),
        cmocka_unit_test(top_level),
        cmocka_unit_test(options_beside_the_address),
        cmocka_unit_test(events),
        cmocka_unit_test(feeds),
        cmocka_unit_test(simulated_fields),
        cmocka_unit_test(queries),
        cmocka_unit_test(http),
        cmocka_unit_test(columns),
        cmocka_unit_test(aggregates),
        cmocka_unit_test(keys),
        cmocka_unit_test(yaml),
        cmocka_unit_test(picture_of_a_mistake),
        cmocka_unit_test(all_in_one_pass_in_the_order_of_the_file),
        cmocka_unit_test(secrets_are_not_shown),
        cmocka_unit_test(columns_count_characters_and_expressions_in_quotes_are_followed),
        cmocka_unit_test(schemas),
        cmocka_unit_test(long_lines_are_cut_and_nothing_steers_the_terminal),
        cmocka_unit_test(colours_on_demand),
        cmocka_unit_test(groups_by_an_optional_field),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
