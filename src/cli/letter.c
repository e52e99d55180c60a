// SPDX-License-Identifier: Apache-2.0
#include "cli/letter.h"
#include "base/number.h"
#include "base/time.h"

const struct printer_column letter_columns[LETTER_COLUMNS] = {
    {"reason", PRINTER_TEXT},      {"topic", PRINTER_TEXT}, {"partition", PRINTER_NUMBER}, {"offset", PRINTER_NUMBER}, {"query", PRINTER_TEXT},
    {"schema_id", PRINTER_NUMBER}, {"time", PRINTER_TEXT},  {"key", PRINTER_TEXT},         {"value", PRINTER_TEXT},    {"text", PRINTER_TEXT},
};

void letter_where(const struct weir_dead_letter *letter, char *out, size_t bytes)
{
    if (letter->partition < 0)
        snprintf(out, bytes, "line %lld of the feed", (long long)letter->offset);
    else
        snprintf(out, bytes, "%s/%d at %lld", letter->topic, letter->partition, (long long)letter->offset);
}

static bool is_text(struct weir_str bytes)
{
    for (uint32_t i = 0; i < bytes.bytes; i++) {
        unsigned char c = (unsigned char)bytes.data[i];
        if (c < 0x20 && c != '\t' && c != '\n' && c != '\r')
            return false;
    }
    return true;
}

void letter_bytes(struct weir_str bytes, struct weir_buffer *out)
{
    if (is_text(bytes)) {
        weir_buffer_add(out, bytes.data, bytes.bytes);
        return;
    }
    weir_buffer_format(out, "0x");
    for (uint32_t i = 0; i < bytes.bytes; i++)
        weir_buffer_format(out, "%02x", (unsigned char)bytes.data[i]);
}

static void print_value(const struct weir_dead_letter *letter, struct weir_decoder *decoder, struct weir_buffer *out)
{
    struct weir_error err;
    struct weir_record record = {
        .offset = letter->offset,
        .timestamp_ms = letter->timestamp_ms,
        .key = letter->key,
        .value = letter->value,
        .null_key = letter->null_key,
    };
    out->bytes = 0;
    if (letter->partition >= 0 && decoder && weir_record_print(decoder, &record, out, &err) == 0)
        return;
    out->bytes = 0;
    letter_bytes(letter->value, out);
}

static struct printer_cell number_cell(int64_t value, bool null, char text[24])
{
    return (struct printer_cell){.null = null, .text = {text, (uint32_t)weir_format_i64(value, text)}};
}

static struct printer_cell text_cell(const char *text)
{
    return (struct printer_cell){.null = !text, .text = weir_str_of(text ? text : "")};
}

void letter_cells(const struct weir_dead_letter *letter, struct weir_decoder *decoder, struct letter_texts *texts, struct weir_buffer *value,
                  struct printer_cell cells[LETTER_COLUMNS])
{
    weir_iso8601_format(letter->timestamp_ms, texts->time);
    print_value(letter, decoder, value);
    const struct printer_cell row[LETTER_COLUMNS] = {
        text_cell(weir_reason_name(letter->reason)),
        text_cell(letter->topic),
        number_cell(letter->partition, letter->partition < 0, texts->partition),
        number_cell(letter->offset, false, texts->offset),
        text_cell(letter->query),
        number_cell(letter->schema_id, letter->schema_id == 0, texts->schema_id),
        text_cell(texts->time),
        {.null = letter->null_key, .text = letter->key},
        {.text = weir_buffer_view(value)},
        text_cell(letter->text),
    };
    memcpy(cells, row, sizeof(row));
}

// ---- replay

enum { ROUND_BYTES_MAX = 8 << 20 };

struct round {
    struct weir_dead *dead;
    struct weir_producer *producer;
    int64_t now_ms;
    uint64_t appended, kept;
};

// A record gets a new log time: that is what makes an event that was in the future pass when its time has come.
static int collect(void *context, const struct weir_dead_letter *letter)
{
    struct round *round = context;
    if (letter->reason == WEIR_LATE || letter->partition < 0) {
        round->kept++;
        return 0;
    }
    weir_producer_add(round->producer, round->now_ms, letter->key, letter->null_key, letter->value);
    weir_producer_replayed(round->producer, round->dead, letter);
    round->appended++;
    return weir_producer_bytes(round->producer) >= ROUND_BYTES_MAX;
}

static int replay_round(struct round *round, int reason, struct weir_error *err)
{
    round->appended = round->kept = 0;
    if (weir_dead_scan(round->dead, reason, collect, round, err) < 0)
        return -1;
    if (round->appended == 0)
        return 0;
    return weir_producer_flush(round->producer, (struct weir_str){"", 0}, err);
}

int letter_replay(struct session *s, int reason, struct letter_replay *ret, struct weir_error *err)
{
    struct round round = {.dead = s->dead, .now_ms = weir_now_ms()};
    if (weir_producer_open(s->log, s->plan->topic.name, NULL, &round.producer, err) < 0)
        return -1;
    int status;
    do {
        status = replay_round(&round, reason, err);
        ret->appended += status == 0 ? round.appended : 0;
    } while (status == 0 && round.appended > 0);
    ret->kept = round.kept;
    weir_producer_close(round.producer);
    return status;
}
