// SPDX-License-Identifier: Apache-2.0
#include "cli/session.h"
#include "cli/verb/verbs.h"

static int show(const struct cli_args *args)
{
    struct weir_error err;
    weir_cleanup(session_close) struct session s = {0};
    if (session_plan(&s, args, args->operands.items[0], &err) < 0)
        return cli_report(&err);
    weir_cleanup(weir_buffer_drop) struct weir_buffer text = {0};
    for (uint32_t q = 0; q < s.plan->query_count; q++) {
        if (q)
            weir_buffer_byte(&text, '\n');
        if (weir_cassandra_table_text(&text, s.plan->keyspace, &s.plan->queries[q].table, &err) < 0)
            return cli_report(&err);
    }
    fwrite(text.data, 1, text.bytes, stdout);
    return WEIR_OK;
}

static int create_all(struct session *s, const struct cli_args *args, struct weir_error *err)
{
    if (session_plan(s, args, args->operands.items[0], err) < 0)
        return -1;
    session_begin(s, args, WEIR_OWNER);
    if (session_store(s, err) < 0)
        return -1;
    for (uint32_t q = 0; q < s->plan->query_count; q++) {
        const struct weir_table *table = &s->plan->queries[q].table;
        if (weir_store_create(s->store, s->plan->keyspace, table, err) < 0)
            return -1;
        printf("table %s is there\n", table->name);
    }
    return 0;
}

static int create(const struct cli_args *args)
{
    struct weir_error err;
    weir_cleanup(session_close) struct session s = {0};
    return create_all(&s, args, &err) < 0 ? cli_report(&err) : WEIR_OK;
}

static const struct cli_option options[] = {CLI_OPTIONS_WHERE, {0}};

static const struct cli_verb verb_show = {
    .name = "show",
    .summary = "print the CQL of a pipeline's tables",
    .operands = "FILE",
    .operands_min = 1,
    .operands_max = 1,
    .examples = (const char *const[]){"weir table show pipelines/iot-analytics.yaml | cqlsh", NULL},
    .options = options,
    .run = show,
};

static const struct cli_verb verb_create = {
    .name = "create",
    .summary = "create a pipeline's tables where they are missing",
    .operands = "FILE",
    .operands_min = 1,
    .operands_max = 1,
    .examples = (const char *const[]){"weir table create pipelines/iot-analytics.yaml", NULL},
    .options = options,
    .run = create,
};

const struct cli_verb verb_table = {
    .name = "table",
    .summary = "the tables of a pipeline: show, create",
    .operands = "",
    .verbs = (const struct cli_verb *const[]){&verb_show, &verb_create, NULL},
};
