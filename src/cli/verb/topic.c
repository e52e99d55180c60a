// SPDX-License-Identifier: Apache-2.0
#include "base/memory.h"
#include "base/number.h"
#include "base/time.h"
#include "cli/printer.h"
#include "cli/session.h"
#include "cli/tail.h"
#include "cli/verb/verbs.h"

#define OPTION_LOG                                                                                                                                   \
    {                                                                                                                                                \
        "log", CLI_TEXT, CLI_AT(where.log), "URL", "the log instead of the file's, or of the data folder's (WEIR_LOG)"                               \
    }

// An operand that names a pipeline file stands for its topic.
static bool is_file(const char *operand)
{
    const char *dot = strrchr(operand, '.');
    return strchr(operand, '/') || (dot && (strcmp(dot, ".yaml") == 0 || strcmp(dot, ".yml") == 0));
}

static int open_topic(struct session *s, const struct cli_args *args, enum weir_open mode, const char **ret_name, struct weir_error *err)
{
    const char *operand = args->operands.items[0];
    if (is_file(operand) && session_plan(s, args, operand, err) < 0)
        return -1;
    session_begin(s, args, mode);
    if (session_log(s, err) < 0)
        return -1;
    *ret_name = s->plan ? s->plan->topic.name : operand;
    return 0;
}

static void retention_text(int64_t ms, char *out, size_t bytes)
{
    if (ms == 0)
        snprintf(out, bytes, "for ever");
    else
        weir_duration_format(ms, out, bytes);
}

static struct printer_cell number(int64_t value, char text[24])
{
    return (struct printer_cell){.text = {text, (uint32_t)weir_format_i64(value, text)}};
}

// ---- create, delete

static int create(const struct cli_args *args)
{
    struct weir_error err;
    weir_cleanup(session_close) struct session s = {0};
    const char *name;
    if (args->partitions > 100000)
        return cli_usage(args, "%llu partitions are too many", (unsigned long long)args->partitions);
    if (open_topic(&s, args, WEIR_OWNER, &name, &err) < 0)
        return cli_report(&err);
    struct weir_topic_config config = {.name = name, .partitions = 1}; // replicated as the broker does by default
    if (s.plan) {
        config.partitions = s.plan->topic.partitions;
        config.replication = s.plan->topic.replication;
        config.retention_ms = s.plan->topic.retention_ms;
    }
    config.partitions = args->partitions ? (int32_t)args->partitions : config.partitions;
    config.retention_ms = args->retention_ms ? args->retention_ms : config.retention_ms;
    if (weir_topic_create(s.log, &config, &err) < 0)
        return cli_report(&err);
    printf("topic %s is there, %d partition%s\n", name, config.partitions, config.partitions == 1 ? "" : "s");
    return WEIR_OK;
}

static int delete_topic(const struct cli_args *args)
{
    struct weir_error err;
    weir_cleanup(session_close) struct session s = {0};
    const char *name;
    if (open_topic(&s, args, WEIR_OWNER, &name, &err) < 0 || weir_topic_delete(s.log, name, &err) < 0)
        return cli_report(&err);
    printf("topic %s is gone\n", name);
    return WEIR_OK;
}

// ---- list, describe

static int print_topic(void *context, const struct weir_topic_config *config)
{
    struct printer *p = context;
    char partitions[24], retention[40];
    retention_text(config->retention_ms, retention, sizeof(retention));
    struct printer_cell cells[] = {{.text = weir_str_of(config->name)}, number(config->partitions, partitions), {.text = weir_str_of(retention)}};
    printer_row(p, cells);
    return printer_broken(p);
}

static int list(const struct cli_args *args)
{
    static const struct printer_column columns[] = {{"topic", PRINTER_TEXT}, {"partitions", PRINTER_NUMBER}, {"retention", PRINTER_TEXT}};
    struct weir_error err;
    weir_cleanup(session_close) struct session s = {0};
    session_begin(&s, args, WEIR_READER);
    if (session_log(&s, &err) < 0)
        return cli_report(&err);
    struct printer *p = printer_open(stdout, args->format, columns, 3);
    int status = weir_topic_list(s.log, print_topic, p, &err);
    printer_close(p);
    return status < 0 ? cli_report(&err) : WEIR_OK;
}

static int describe(const struct cli_args *args)
{
    static const struct printer_column columns[] = {
        {"partition", PRINTER_NUMBER}, {"start", PRINTER_NUMBER}, {"end", PRINTER_NUMBER}, {"records", PRINTER_NUMBER}, {"bytes", PRINTER_NUMBER}};
    struct weir_error err;
    weir_cleanup(session_close) struct session s = {0};
    weir_cleanup(weir_arena_drop) struct weir_arena arena = {0};
    struct weir_topic_config config;
    struct weir_partition_info *partitions;
    const char *name;
    if (open_topic(&s, args, WEIR_READER, &name, &err) < 0 || weir_topic_describe(s.log, name, &arena, &config, &partitions, &err) < 0)
        return cli_report(&err);
    struct printer *p = printer_open(stdout, args->format, columns, 5);
    for (int32_t i = 0; i < config.partitions; i++) {
        const struct weir_partition_info *info = &partitions[i];
        char text[5][24];
        struct printer_cell cells[] = {number(i, text[0]), number(info->start_offset, text[1]), number(info->end_offset, text[2]),
                                       number(info->end_offset - info->start_offset, text[3]), number(info->bytes, text[4])};
        cells[4].null = info->bytes < 0;
        printer_row(p, cells);
    }
    printer_close(p);
    return WEIR_OK;
}

// ---- tail

static int tail(const struct cli_args *args)
{
    struct weir_error err;
    weir_cleanup(session_close) struct session s = {0};
    const char *name;
    if (open_topic(&s, args, WEIR_READER, &name, &err) < 0 || (s.plan && session_decoder(&s, &err) < 0))
        return cli_report(&err);
    struct tail_options options = {
        .topic = name,
        .partition = args->partition,
        .offset = args->offset,
        .limit = args->limit,
        .follow = args->follow,
    };
    return tail_topic(&s, &options, &err) < 0 ? cli_report(&err) : WEIR_OK;
}

// ----

static const struct cli_verb verb_create = {
    .name = "create",
    .summary = "create a topic",
    .operands = "TOPIC|FILE",
    .operands_min = 1,
    .operands_max = 1,
    .details = "One that is there with as many partitions is left as it is, but for its retention. Of a pipeline file, the file's topic.",
    .examples = (const char *const[]){"weir topic create sensor-events --partitions 3 --retention '30 days'",
                                      "weir topic create pipelines/iot-analytics.yaml", NULL},
    .options = (const struct cli_option[]){{"partitions", CLI_COUNT, CLI_AT(partitions), "N", "into how many partitions it is split (1)"},
                                           {"retention", CLI_DURATION, CLI_AT(retention_ms), "D", "how long records are kept (for ever)"},
                                           OPTION_LOG,
                                           CLI_OPTION_DATA,
                                           {0}},
    .run = create,
};

static const struct cli_verb verb_delete = {
    .name = "delete",
    .summary = "delete a topic and its records",
    .operands = "TOPIC|FILE",
    .operands_min = 1,
    .operands_max = 1,
    .examples = (const char *const[]){"weir topic delete sensor-events", "weir topic delete sensor-events --log kafka://127.0.0.1:9092", NULL},
    .options = (const struct cli_option[]){OPTION_LOG, CLI_OPTION_DATA, {0}},
    .run = delete_topic,
};

static const struct cli_verb verb_list = {
    .name = "list",
    .summary = "all topics",
    .operands = "",
    .examples = (const char *const[]){"weir topic list --data weir-data", "weir topic list --log kafka://127.0.0.1:9092", NULL},
    .options = (const struct cli_option[]){CLI_OPTION_FORMAT, OPTION_LOG, CLI_OPTION_DATA, {0}},
    .run = list,
};

static const struct cli_verb verb_describe = {
    .name = "describe",
    .summary = "a topic's partitions and their offsets",
    .operands = "TOPIC|FILE",
    .operands_min = 1,
    .operands_max = 1,
    .examples = (const char *const[]){"weir topic describe sensor-events", NULL},
    .options = (const struct cli_option[]){CLI_OPTION_FORMAT, OPTION_LOG, CLI_OPTION_DATA, {0}},
    .run = describe,
};

static const struct cli_verb verb_tail = {
    .name = "tail",
    .summary = "print a topic's records, an object a line",
    .operands = "TOPIC|FILE",
    .operands_min = 1,
    .operands_max = 1,
    .details = "Of a pipeline file, the events of its topic are decoded by their schema; of a topic's name, values are text or hexadecimal.",
    .examples = (const char *const[]){"weir topic tail pipelines/iot-analytics.yaml --follow",
                                      "weir topic tail sensor-events --partition 0 --offset 0 --limit 5", NULL},
    .options = (const struct cli_option[]){{"partition", CLI_NUMBER, CLI_AT(partition), "N", "only this partition"},
                                           {"offset", CLI_NUMBER, CLI_AT(offset), "N", "from this offset on (the last 10 of each partition)"},
                                           {"limit", CLI_COUNT, CLI_AT(limit), "N", "the last N of each partition; with --offset, N from there on"},
                                           {"follow", CLI_FLAG, CLI_AT(follow), NULL, "go on as records come"},
                                           CLI_OPTIONS_WHERE,
                                           {0}},
    .run = tail,
};

const struct cli_verb verb_topic = {
    .name = "topic",
    .summary = "topics of the log: create, delete, list, describe, tail",
    .operands = "",
    .verbs = (const struct cli_verb *const[]){&verb_create, &verb_delete, &verb_list, &verb_describe, &verb_tail, NULL},
};
