// SPDX-License-Identifier: Apache-2.0
#include "base/memory.h"
#include "base/number.h"
#include "base/time.h"
#include "cli/letter.h"
#include "cli/printer.h"
#include "cli/session.h"
#include "cli/verb/verbs.h"

static int open_letters(struct session *s, const struct cli_args *args, enum weir_open mode, struct weir_error *err)
{
    if (session_plan(s, args, args->operands.items[0], err) < 0)
        return -1;
    session_begin(s, args, mode);
    return session_dead(s, err);
}

// The reason asked for, -1 for all.
static int parse_reason(const char *name, int *ret, struct weir_error *err)
{
    enum weir_reason reason;
    *ret = -1;
    if (!name)
        return 0;
    if (weir_reason_parse(weir_str_of(name), &reason) == 0) {
        *ret = (int)reason;
        return 0;
    }
    const char *names[WEIR_REASONS];
    for (int r = 0; r < WEIR_REASONS; r++)
        names[r] = weir_reason_name((enum weir_reason)r);
    return cli_unknown(err, "reason", name, names, WEIR_REASONS);
}

// ---- list

struct tally {
    uint64_t count[WEIR_REASONS];
    char *example[WEIR_REASONS];
};

static int count_letter(void *context, const struct weir_dead_letter *letter)
{
    struct tally *t = context;
    char where[128];
    if (t->count[letter->reason]++ == 0) {
        letter_where(letter, where, sizeof(where));
        t->example[letter->reason] = weir_format("%s: %s", where, letter->text ? letter->text : "");
    }
    return 0;
}

static void print_tally(const struct tally *t, enum cli_format format)
{
    static const struct printer_column columns[] = {{"reason", PRINTER_TEXT}, {"count", PRINTER_NUMBER}, {"example", PRINTER_TEXT}};
    struct printer *p = printer_open(stdout, format, columns, 3);
    for (int r = 0; r < WEIR_REASONS; r++) {
        char count[24];
        if (t->count[r] == 0)
            continue;
        struct printer_cell cells[] = {
            {.text = weir_str_of(weir_reason_name((enum weir_reason)r))},
            {.text = {count, (uint32_t)weir_format_i64((int64_t)t->count[r], count)}},
            {.text = weir_str_of(t->example[r])},
        };
        printer_row(p, cells);
    }
    printer_close(p);
}

static int list(const struct cli_args *args)
{
    struct weir_error err;
    weir_cleanup(session_close) struct session s = {0};
    struct tally tally = {0};
    int status = open_letters(&s, args, WEIR_READER, &err);
    if (status == 0)
        status = weir_dead_scan(s.dead, -1, count_letter, &tally, &err);
    if (status == 0)
        print_tally(&tally, args->format);
    for (int r = 0; r < WEIR_REASONS; r++)
        weir_freep(&tally.example[r]);
    return status < 0 ? cli_report(&err) : WEIR_OK;
}

// ---- show

struct shown {
    struct printer *printer;
    struct weir_decoder *decoder; // NULL: values as they are
    struct weir_buffer value;
    uint64_t left;
};

static int show_letter(void *context, const struct weir_dead_letter *letter)
{
    struct shown *shown = context;
    struct letter_texts texts;
    struct printer_cell cells[LETTER_COLUMNS];
    letter_cells(letter, shown->decoder, &texts, &shown->value, cells);
    printer_row(shown->printer, cells);
    return --shown->left == 0 || printer_broken(shown->printer);
}

static int show_letters(struct session *s, const struct cli_args *args, struct weir_error *err)
{
    int reason;
    if (parse_reason(args->reason, &reason, err) < 0 || open_letters(s, args, WEIR_READER, err) < 0)
        return -1;
    struct weir_error ignored;
    if (session_decoder(s, &ignored) < 0)
        s->decoder = NULL;
    struct shown shown = {
        .printer = printer_open(stdout, args->format, letter_columns, LETTER_COLUMNS),
        .decoder = s->decoder,
        .left = args->limit ? args->limit : UINT64_MAX,
    };
    int status = weir_dead_scan(s->dead, reason, show_letter, &shown, err);
    printer_close(shown.printer);
    weir_buffer_drop(&shown.value);
    return status;
}

static int show(const struct cli_args *args)
{
    struct weir_error err;
    weir_cleanup(session_close) struct session s = {0};
    return show_letters(&s, args, &err) < 0 ? cli_report(&err) : WEIR_OK;
}

// ---- replay

static int replay(const struct cli_args *args)
{
    struct weir_error err;
    weir_cleanup(session_close) struct session s = {0};
    struct letter_replay replayed = {0};
    int reason;
    if (parse_reason(args->reason, &reason, &err) < 0)
        return cli_report(&err);
    if (reason == WEIR_LATE)
        return cli_usage(args, "late events are in the tables of plain rows already, and their windows stay closed; there is nothing to replay");
    if (open_letters(&s, args, WEIR_OWNER, &err) < 0 || session_log(&s, &err) < 0)
        return cli_report(&err);
    int status = letter_replay(&s, reason, &replayed, &err);
    printf("%llu replayed into topic %s, %llu kept\n", (unsigned long long)replayed.appended, s.plan->topic.name, (unsigned long long)replayed.kept);
    return status < 0 ? cli_report(&err) : WEIR_OK;
}

// ----

#define OPTION_REASON                                                                                                                                \
    {                                                                                                                                                \
        "reason", CLI_TEXT, CLI_AT(reason), "late|malformed|future|unknown_schema", "only letters of this reason"                                    \
    }

static const struct cli_verb verb_list = {
    .name = "list",
    .summary = "how many there are of each reason, with an example",
    .operands = "FILE",
    .operands_min = 1,
    .operands_max = 1,
    .examples = (const char *const[]){"weir dead list pipelines/iot-analytics.yaml", NULL},
    .options = (const struct cli_option[]){CLI_OPTION_FORMAT, CLI_OPTIONS_WHERE, {0}},
    .run = list,
};

static const struct cli_verb verb_show = {
    .name = "show",
    .summary = "print dead letters with their events",
    .operands = "FILE",
    .operands_min = 1,
    .operands_max = 1,
    .examples = (const char *const[]){"weir dead show dust.yaml --reason malformed --limit 10 --format json", NULL},
    .options = (const struct cli_option[]){OPTION_REASON, CLI_OPTION_LIMIT, CLI_OPTION_FORMAT, CLI_OPTIONS_WHERE, {0}},
    .run = show,
};

static const struct cli_verb verb_replay = {
    .name = "replay",
    .summary = "put the events of dead letters into the topic again",
    .operands = "FILE",
    .operands_min = 1,
    .operands_max = 1,
    .details =
        "For events that were malformed, in the future or of an unknown schema, once the cause is gone. The records are appended to the topic, then\n"
        "their letters are deleted: killed in between, a record may be appended twice (at least once). Late events are not replayed, as their\n"
        "windows stay closed; nor are lines of a feed that never became records. Not while a run has the data folder open.",
    .examples = (const char *const[]){"weir dead replay pipelines/iot-analytics.yaml --reason unknown_schema", NULL},
    .options = (const struct cli_option[]){OPTION_REASON, CLI_OPTIONS_WHERE, {0}},
    .run = replay,
};

const struct cli_verb verb_dead = {
    .name = "dead",
    .summary = "dead letters, by reason: list, show, replay",
    .operands = "",
    .verbs = (const struct cli_verb *const[]){&verb_list, &verb_show, &verb_replay, NULL},
};
