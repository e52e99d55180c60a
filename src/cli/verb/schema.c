// SPDX-License-Identifier: Apache-2.0
#include "base/memory.h"
#include "base/number.h"
#include "cli/contract.h"
#include "cli/printer.h"
#include "cli/session.h"
#include "cli/verb/verbs.h"
#include "spec/contract.h"
#include <errno.h>

enum { SCHEMA_BYTES_MAX = 1 << 20 };

static int open_registry(struct session *s, const struct cli_args *args, enum weir_open mode, struct weir_error *err)
{
    session_begin(s, args, mode);
    return session_registry(s, err);
}

static int print_version(void *context, const struct weir_subject_version *v)
{
    struct printer *p = context;
    char version[24], id[24];
    struct printer_cell cells[] = {
        {.text = weir_str_of(v->subject)},
        {.text = {version, (uint32_t)weir_format_i64(v->version, version)}},
        {.text = {id, (uint32_t)weir_format_i64(v->id, id)}},
    };
    printer_row(p, cells);
    return printer_broken(p);
}

static int list(const struct cli_args *args)
{
    static const struct printer_column columns[] = {{"subject", PRINTER_TEXT}, {"version", PRINTER_NUMBER}, {"id", PRINTER_NUMBER}};
    struct weir_error err;
    weir_cleanup(session_close) struct session s = {0};
    if (open_registry(&s, args, WEIR_READER, &err) < 0)
        return cli_report(&err);
    struct printer *p = printer_open(stdout, args->format, columns, 3);
    int status = weir_registry_list(s.registry, print_version, p, &err);
    printer_close(p);
    return status < 0 ? cli_report(&err) : WEIR_OK;
}

// ---- show

struct wanted {
    const char *subject;
    char *schema; // of the newest version
};

static int keep_newest(void *context, const struct weir_subject_version *v)
{
    struct wanted *w = context;
    if (strcmp(v->subject, w->subject) == 0) {
        weir_freep(&w->schema);
        w->schema = weir_strdup(v->schema);
    }
    return 0;
}

static int show_subject(struct weir_registry *registry, const char *subject, struct weir_error *err)
{
    struct wanted w = {.subject = subject};
    int status = weir_registry_list(registry, keep_newest, &w, err);
    if (status == 0 && !w.schema)
        status = weir_fail(err, WEIR_BAD_DATA, WEIR_STOP, "there is no subject '%.80s'; 'weir schema list' shows those there are", subject);
    if (status == 0)
        puts(w.schema);
    weir_freep(&w.schema);
    return status;
}

static int show_id(struct weir_registry *registry, int64_t id, struct weir_error *err)
{
    weir_cleanup(weir_arena_drop) struct weir_arena arena = {0};
    const char *schema;
    if (id <= 0 || id > INT32_MAX)
        return weir_fail(err, WEIR_USAGE, WEIR_STOP, "%lld is no schema id", (long long)id);
    if (weir_registry_schema(registry, (int32_t)id, &arena, &schema, err) < 0)
        return -1;
    puts(schema);
    return 0;
}

static int show(const struct cli_args *args)
{
    struct weir_error err;
    weir_cleanup(session_close) struct session s = {0};
    int64_t id;
    const char *what = args->operands.items[0];
    if (open_registry(&s, args, WEIR_READER, &err) < 0)
        return cli_report(&err);
    int status = weir_parse_i64(weir_str_of(what), &id) == 0 ? show_id(s.registry, id, &err) : show_subject(s.registry, what, &err);
    return status < 0 ? cli_report(&err) : WEIR_OK;
}

// ---- register

static int read_file(const char *path, char **ret, struct weir_error *err)
{
    FILE *file = fopen(path, "rb");
    if (!file)
        return weir_fail(err, WEIR_NO_INPUT, WEIR_STOP, "cannot read '%s': %s", path, strerror(errno));
    char *text = weir_alloc(SCHEMA_BYTES_MAX + 1);
    size_t bytes = fread(text, 1, SCHEMA_BYTES_MAX + 1, file);
    bool failed = ferror(file);
    fclose(file);
    if (!failed && bytes <= SCHEMA_BYTES_MAX && !memchr(text, 0, bytes)) {
        text[bytes] = '\0';
        *ret = text;
        return 0;
    }
    weir_freep(&text);
    if (failed)
        return weir_fail(err, WEIR_IO, WEIR_STOP, "cannot read '%s': %s", path, strerror(errno));
    return weir_fail(err, WEIR_BAD_DATA, WEIR_STOP, "'%s' is no schema: %s", path, bytes > SCHEMA_BYTES_MAX ? "over 1 MiB" : "it holds zero bytes");
}

static int register_file(struct session *s, const struct cli_args *args, int32_t *ret_id, struct weir_error *err)
{
    char *schema;
    if (read_file(args->operands.items[1], &schema, err) < 0)
        return -1;
    int status = open_registry(s, args, WEIR_OWNER, err);
    if (status == 0)
        status = weir_registry_register(s->registry, args->operands.items[0], schema, ret_id, err);
    weir_freep(&schema);
    return status;
}

static int register_schema(const struct cli_args *args)
{
    struct weir_error err;
    weir_cleanup(session_close) struct session s = {0};
    int32_t id;
    if (register_file(&s, args, &id, &err) < 0)
        return cli_report(&err);
    printf("%s: id %d\n", args->operands.items[0], id);
    return WEIR_OK;
}

// ---- check, diff, export

static int check(const struct cli_args *args)
{
    struct weir_error err;
    weir_cleanup(session_close) struct session s = {0};
    weir_cleanup(weir_freep) char *schema = NULL;
    bool fits;
    if (read_file(args->operands.items[1], &schema, &err) < 0 || open_registry(&s, args, WEIR_READER, &err) < 0 ||
        contract_check(stdout, s.registry, args->operands.items[0], schema, &fits, &err) < 0)
        return cli_report(&err);
    return fits ? WEIR_OK : WEIR_BAD_DATA;
}

struct last_two {
    char *newest, *before;
};

static int keep_last_two(void *context, const struct weir_subject_version *v)
{
    struct last_two *l = context;
    weir_freep(&l->before);
    l->before = l->newest;
    l->newest = weir_strdup(v->schema);
    return 0;
}

static int print_diff(const char *older, const char *newer, struct weir_error *err)
{
    uint32_t count;
    if (contract_diff(stdout, older, newer, &count, err) < 0)
        return -1;
    if (count == 0)
        puts("no difference in fields and types");
    return 0;
}

static int diff_subject(struct session *s, const struct cli_args *args, const char *file_schema, struct weir_error *err)
{
    struct last_two last = {0};
    const char *subject = args->operands.items[0];
    int rc = weir_registry_versions(s->registry, subject, keep_last_two, &last, err);
    if (rc == 0 && (!last.newest || (!file_schema && !last.before)))
        rc = weir_fail(err, WEIR_BAD_DATA, WEIR_STOP,
                       last.newest ? "'%.80s' has one version only: name a file to compare it with" : "there is no subject '%.80s'", subject);
    if (rc == 0)
        rc = file_schema ? print_diff(last.newest, file_schema, err) : print_diff(last.before, last.newest, err);
    weir_freep(&last.newest);
    weir_freep(&last.before);
    return rc;
}

static int diff(const struct cli_args *args)
{
    struct weir_error err;
    weir_cleanup(session_close) struct session s = {0};
    weir_cleanup(weir_freep) char *schema = NULL;
    if ((args->operands.count > 1 && read_file(args->operands.items[1], &schema, &err) < 0) || open_registry(&s, args, WEIR_READER, &err) < 0 ||
        diff_subject(&s, args, schema, &err) < 0)
        return cli_report(&err);
    return WEIR_OK;
}

static void print_contract(const struct weir_plan *plan, const struct weir_query_spec *query)
{
    weir_cleanup(weir_buffer_drop) struct weir_buffer schema = {0};
    weir_contract_rows(&schema, plan, query);
    weir_buffer_byte(&schema, '\n');
    fwrite(schema.data, 1, schema.bytes, stdout);
}

static int export_schemas(const struct cli_args *args)
{
    struct weir_error err;
    weir_cleanup(session_close) struct session s = {0};
    if (session_plan(&s, args, args->operands.items[0], &err) < 0)
        return cli_report(&err);
    const char *table = args->operands.count > 1 ? args->operands.items[1] : NULL;
    if (table && !weir_plan_query(s.plan, table))
        return cli_usage(args, "%s has no table '%.80s'", args->operands.items[0], table);
    for (uint32_t i = 0; i < s.plan->query_count; i++)
        if (!table || strcmp(table, s.plan->queries[i].table.name) == 0)
            print_contract(s.plan, &s.plan->queries[i]);
    return WEIR_OK;
}

// ----

static const struct cli_verb verb_list = {
    .name = "list",
    .summary = "subjects, their versions and ids",
    .operands = "",
    .examples = (const char *const[]){"weir schema list --data weir-data", NULL},
    .options = (const struct cli_option[]){CLI_OPTION_FORMAT, CLI_OPTION_REGISTRY, CLI_OPTION_DATA, {0}},
    .run = list,
};

static const struct cli_verb verb_show = {
    .name = "show",
    .summary = "print a subject's newest schema, or the schema of an id",
    .operands = "SUBJECT|ID",
    .operands_min = 1,
    .operands_max = 1,
    .examples = (const char *const[]){"weir schema show sensor-events-value", "weir schema show 1", NULL},
    .options = (const struct cli_option[]){CLI_OPTION_REGISTRY, CLI_OPTION_DATA, {0}},
    .run = show,
};

static const struct cli_verb verb_register = {
    .name = "register",
    .summary = "register a schema file under a subject",
    .operands = "SUBJECT SCHEMA",
    .operands_min = 2,
    .operands_max = 2,
    .details =
        "Refused where it may not follow the subject's versions ('weir schema check' says why). While a run has the data folder open, name its\n"
        "registry: --registry http://127.0.0.1:8081",
    .examples = (const char *const[]){"weir schema register sensor-events-value schemas/sensor-event.avsc", NULL},
    .options = (const struct cli_option[]){CLI_OPTION_REGISTRY, CLI_OPTION_DATA, {0}},
    .run = register_schema,
};

static const struct cli_verb verb_fits = {
    .name = "check",
    .summary = "whether a schema file may follow a subject's versions, and why not",
    .operands = "SUBJECT SCHEMA",
    .operands_min = 2,
    .operands_max = 2,
    .details = "By the subject's compatibility level. Exit code 65 where it may not.",
    .examples = (const char *const[]){"weir schema check sensor-events-value schemas/sensor-event.avsc",
                                      "weir schema check sensor-events-value new.avsc --registry http://127.0.0.1:8081", NULL},
    .options = (const struct cli_option[]){CLI_OPTION_REGISTRY, CLI_OPTION_DATA, {0}},
    .run = check,
};

static const struct cli_verb verb_diff = {
    .name = "diff",
    .summary = "what changed between a subject's last two versions, or from its newest to a file",
    .operands = "SUBJECT [SCHEMA]",
    .operands_min = 1,
    .operands_max = 2,
    .examples = (const char *const[]){"weir schema diff sensor-events-value", "weir schema diff sensor-events-value new.avsc", NULL},
    .options = (const struct cli_option[]){CLI_OPTION_REGISTRY, CLI_OPTION_DATA, {0}},
    .run = diff,
};

static const struct cli_verb verb_export = {
    .name = "export",
    .summary = "the rows of a pipeline's tables as Avro schemas, one a line",
    .operands = "FILE [TABLE]",
    .operands_min = 1,
    .operands_max = 2,
    .examples = (const char *const[]){"weir schema export pipelines/iot-analytics.yaml hourly_aggregates > hourly.avsc", NULL},
    .options = (const struct cli_option[]){CLI_OPTION_DATA, {0}},
    .run = export_schemas,
};

const struct cli_verb verb_schema = {
    .name = "schema",
    .summary = "subjects of the registry: list, show, register, check, diff, export",
    .operands = "",
    .verbs = (const struct cli_verb *const[]){&verb_list, &verb_show, &verb_register, &verb_fits, &verb_diff, &verb_export, NULL},
};
