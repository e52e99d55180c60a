// SPDX-License-Identifier: Apache-2.0
// Records of one schema read with another: into columns here, through a resolved reader into a generic value with avro-c, into a dict with fastavro
// (if Python has it). One record of each case over and over, the best of several rounds.
#include "base/time.h"
#include "format/avro.h"
#include "format/avro_c.h"
#include "format/avro_event.h"
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { RECORDS = 1000, ROUNDS = 200, ROUNDS_OTHER = 20, SCHEMA_ID = 1 };

#define RECORD(fields)    "{\"type\":\"record\",\"name\":\"R\",\"fields\":[{\"name\":\"ts\",\"type\":\"long\"}" fields "]}"
#define FIELD(name, type) ",{\"name\":\"" name "\",\"type\":" type "}"
#define GIVEN(name, type) ",{\"name\":\"" name "\",\"type\":" type ",\"default\":1}"
#define TEXT              "\"string\""
#define INNER(more)                                                                                                                                  \
    "{\"type\":\"record\",\"name\":\"I\",\"fields\":[{\"name\":\"x\",\"type\":\"double\"}" more ",{\"name\":\"y\",\"type\":\"string\"}]}"

struct resolution {
    const char *name, *writer, *reader, *value; // the value as the writer's default would be
    const char *path;                           // a nested column, or NULL
    struct weir_plan plan;
    struct weir_arena arena;
    struct weir_buffer record; // framed
    struct weir_decoder *decoder;
};

static struct resolution resolutions[] = {
    {.name = "reordered",
     .writer = RECORD(FIELD("a", TEXT) FIELD("b", "\"int\"") FIELD("c", "\"double\"")),
     .reader = RECORD(FIELD("c", "\"double\"") FIELD("b", "\"int\"") FIELD("a", TEXT)),
     .value = "{\"ts\":1700000000000,\"a\":\"sensor-1\",\"b\":77,\"c\":20.5}"},
    {.name = "defaults",
     .writer = RECORD(FIELD("a", TEXT)),
     .reader = RECORD(FIELD("a", TEXT) GIVEN("b", "\"int\"") GIVEN("c", "\"double\"") GIVEN("d", "\"long\"")),
     .value = "{\"ts\":1700000000000,\"a\":\"sensor-1\"}"},
    {.name = "promotions",
     .writer = RECORD(FIELD("a", "\"int\"") FIELD("b", "\"int\"") FIELD("c", "\"float\"") FIELD("d", "\"long\"")),
     .reader = RECORD(FIELD("a", "\"long\"") FIELD("b", "\"double\"") FIELD("c", "\"double\"") FIELD("d", "\"float\"")),
     .value = "{\"ts\":1700000000000,\"a\":5,\"b\":77,\"c\":20.5,\"d\":123456}"},
    {.name = "unions",
     .writer = RECORD(FIELD("a", "[\"null\",\"int\",\"double\"]") FIELD("b", "[\"string\",\"null\"]")),
     .reader = RECORD(FIELD("a", "[\"double\",\"null\",\"long\"]") FIELD("b", "[\"null\",\"string\"]")),
     .value = "{\"ts\":1700000000000,\"a\":5,\"b\":\"sensor-1\"}"},
    {.name = "nested, one column",
     .writer = RECORD(FIELD("i", INNER(",{\"name\":\"z\",\"type\":\"int\"}")) FIELD("b", "\"int\"")),
     .reader = RECORD(FIELD("i", INNER("")) FIELD("b", "\"int\"")),
     .value = "{\"ts\":1700000000000,\"i\":{\"x\":1.5,\"z\":2,\"y\":\"Roma\"},\"b\":3}",
     .path = "i.y"},
    {.name = "70 fields, 3 used"},
};

enum { CASES = sizeof resolutions / sizeof *resolutions };

static void give_up(const char *what)
{
    fprintf(stderr, "bench_avro_resolution: %s\n", what);
    exit(1);
}

static void make_wide(struct resolution *r)
{
    struct weir_buffer writer = {0}, value = {0};
    weir_buffer_format(&writer, "{\"type\":\"record\",\"name\":\"R\",\"fields\":[{\"name\":\"ts\",\"type\":\"long\"}");
    weir_buffer_format(&value, "{\"ts\":1700000000000");
    for (int i = 0; i < 69; i++) {
        static const char *const types[] = {"\"long\"", "\"string\"", "\"double\"", "[\"null\",\"int\"]"};
        static const char *const values[] = {"123456", "\"sensor-1\"", "20.5", "7"};
        weir_buffer_format(&writer, ",{\"name\":\"f%d\",\"type\":%s}", i, types[i / 6 % 4]);
        weir_buffer_format(&value, ",\"f%d\":%s", i, values[i / 6 % 4]);
    }
    weir_buffer_format(&writer, "]}");
    weir_buffer_format(&value, "}");
    r->writer = weir_arena_copy(&r->arena, weir_buffer_view(&writer)).data;
    r->value = weir_arena_copy(&r->arena, weir_buffer_view(&value)).data;
    r->reader = RECORD(FIELD("f7", TEXT) FIELD("f25", "\"long\""));
    weir_buffer_drop(&writer);
    weir_buffer_drop(&value);
}

static int schema_of_bench(void *context, int32_t id, struct weir_arena *arena, const char **ret_schema, struct weir_error *err)
{
    (void)id;
    (void)err;
    *ret_schema = weir_arena_copy(arena, weir_str_of(((struct resolution *)context)->writer)).data;
    return 0;
}

static void write_record(struct resolution *r)
{
    const struct weir_avro_schema *schema;
    struct weir_error err = {.text = "its value is no JSON"};
    json_t *json = NULL, *value = json_loads(r->value, 0, NULL);
    weir_buffer_byte(&r->record, 0);
    weir_buffer_be32(&r->record, SCHEMA_ID);
    if (!value || weir_avro_parse(weir_str_of(r->writer), &r->arena, &schema, &json, &err) < 0 ||
        avro_encode_default(schema, value, &r->record, &err) < 0)
        give_up(err.text);
    json_decref(json);
    json_decref(value);
}

static void add_path(struct resolution *r)
{
    struct weir_event_spec *event = &r->plan.event;
    struct weir_field *fields = weir_arena_zalloc(&r->arena, (event->field_count + 1) * sizeof *fields);
    memcpy(fields, event->fields, event->field_count * sizeof *fields);
    fields[event->field_count] = (struct weir_field){.name = r->path, .type = WEIR_STRING, .used = true};
    event->fields = fields;
    event->nested_count = 1;
}

static void open_weir(struct resolution *r)
{
    const struct avro_source source = {.schema = schema_of_bench, .context = r};
    struct codec_decoder *codec = NULL;
    struct weir_error err;
    if (avro_event_of(r->reader, "ts", &r->arena, &r->plan.event, &err) < 0)
        give_up(err.text);
    if (r->path)
        add_path(r);
    if (avro_decoder_new(&r->plan, &source, &codec, &err) < 0)
        give_up(err.text);
    r->decoder = decoder_of_codec(&r->plan, codec);
}

static double run_weir(struct resolution *r)
{
    static struct weir_record records[RECORDS];
    struct weir_arena arena = {0};
    struct weir_rejects rejects = {0};
    struct weir_batch batch;
    struct weir_error err;
    double best_ns = 1e9;
    for (int i = 0; i < RECORDS; i++)
        records[i] = (struct weir_record){.offset = i, .value = weir_buffer_view(&r->record)};
    for (int round = 0; round < ROUNDS; round++) {
        int64_t start_us = weir_monotonic_us();
        weir_arena_reset(&arena);
        if (weir_decode(r->decoder, records, RECORDS, &arena, &batch, &rejects, &err) < 0 || rejects.count)
            give_up(rejects.count ? rejects.items[0].text : err.text);
        double ns = (double)(weir_monotonic_us() - start_us) * 1e3 / RECORDS;
        best_ns = ns < best_ns ? ns : best_ns;
    }
    weir_arena_drop(&arena);
    free(rejects.items);
    return best_ns;
}

// 1e9: it cannot.
static double run_avro_c(struct resolution *r)
{
    avro_schema_t writer, reader;
    avro_value_t value, resolved;
    double best_ns = 1e9;
    if (avro_schema_from_json_length(r->writer, strlen(r->writer), &writer) || avro_schema_from_json_length(r->reader, strlen(r->reader), &reader))
        return best_ns;
    avro_value_iface_t *generic = avro_generic_class_from_schema(reader), *resolver = avro_resolved_writer_new(writer, reader);
    if (!generic || !resolver || avro_generic_value_new(generic, &value) || avro_resolved_writer_new_value(resolver, &resolved))
        return best_ns;
    avro_resolved_writer_set_dest(&resolved, &value);
    avro_reader_t source = avro_reader_memory("", 0);
    for (int round = 0; round < ROUNDS_OTHER; round++) {
        int64_t start_us = weir_monotonic_us();
        for (int i = 0; i < RECORDS; i++) {
            avro_reader_memory_set_source(source, (char *)r->record.data + AVRO_FRAME_BYTES, (int64_t)(r->record.bytes - AVRO_FRAME_BYTES));
            avro_value_reset(&value);
            if (avro_value_read(source, &resolved))
                return 1e9;
        }
        double ns = (double)(weir_monotonic_us() - start_us) * 1e3 / RECORDS;
        best_ns = ns < best_ns ? ns : best_ns;
    }
    avro_reader_free(source);
    return best_ns;
}

static void ask(const struct resolution *r, FILE *out)
{
    struct weir_buffer hex = {0};
    for (size_t i = AVRO_FRAME_BYTES; i < r->record.bytes; i++)
        weir_buffer_format(&hex, "%02x", r->record.data[i]);
    json_t *line = json_pack("{s:s, s:s, s:s%}", "writer", r->writer, "reader", r->reader, "hex", hex.bytes ? (char *)hex.data : "", hex.bytes);
    json_dumpf(line, out, JSON_COMPACT);
    fputc('\n', out);
    json_decref(line);
    weir_buffer_drop(&hex);
}

// What fastavro says of all cases, a line each; empty where it is not to be had.
static void run_fastavro(char answers[CASES][32])
{
    char path[] = "/tmp/bench_avro_XXXXXX", command[500];
    int file = mkstemp(path);
    FILE *questions = file < 0 ? NULL : fdopen(file, "w");
    if (!questions)
        return;
    for (int i = 0; i < CASES; i++)
        ask(&resolutions[i], questions);
    fclose(questions);
    const char *python = getenv("PYTHON");
    snprintf(command, sizeof command, "%s %s/bench/avro_fastavro.py < %s 2>/dev/null", python ? python : "python3", WEIR_SOURCE_DIR, path);
    FILE *lines = popen(command, "r");
    for (int i = 0; lines && i < CASES && fgets(answers[i], 32, lines); i++)
        answers[i][strcspn(answers[i], "\n")] = 0;
    if (lines)
        pclose(lines);
    unlink(path);
}

int main(void)
{
    static char fastavro[CASES][32];
    make_wide(&resolutions[CASES - 1]);
    for (int i = 0; i < CASES; i++) {
        write_record(&resolutions[i]);
        open_weir(&resolutions[i]);
    }
    run_fastavro(fastavro);
    printf("%-22s %6s %10s %10s %10s   ns/record\n", "avro resolution", "bytes", "weir", "avro-c", "fastavro");
    for (int i = 0; i < CASES; i++) {
        struct resolution *r = &resolutions[i];
        char other[32] = "cannot";
        double weir_ns = run_weir(r), other_ns = run_avro_c(r);
        if (other_ns < 1e9)
            snprintf(other, sizeof other, "%.1f", other_ns);
        printf("%-22s %6zu %10.1f %10s %10s\n", r->name, r->record.bytes, weir_ns, other, fastavro[i][0] ? fastavro[i] : "-");
    }
    return 0;
}
