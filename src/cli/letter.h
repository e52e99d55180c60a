// SPDX-License-Identifier: Apache-2.0
// Dead letters as rows, and their way back into the topic.
#pragma once
#include "cli/printer.h"
#include "cli/session.h"

enum { LETTER_COLUMNS = 10 };
extern const struct printer_column letter_columns[LETTER_COLUMNS];

struct letter_texts { // room for what a letter's cells point to
    char partition[24], offset[24], schema_id[24], time[32];
};

// "sensor-events/2 at 1041", or "line 7 of the feed".
void letter_where(const struct weir_dead_letter *letter, char *out, size_t bytes);

// The value is decoded where `decoder` can, else it is the text as it is, or hexadecimal. Cells are valid as long as all that they were made of.
void letter_cells(const struct weir_dead_letter *letter, struct weir_decoder *decoder, struct letter_texts *texts, struct weir_buffer *value,
                  struct printer_cell cells[LETTER_COLUMNS]);

// Bytes as text if they are printable UTF-8, else as 0x… in hexadecimal. Appends to `out`.
void letter_bytes(struct weir_str bytes, struct weir_buffer *out);

struct letter_replay {
    uint64_t appended, kept;
};

// Appends the records of letters (reason < 0: all but late) to the plan's topic and deletes these letters, in rounds of bounded size.
int letter_replay(struct session *s, int reason, struct letter_replay *ret, struct weir_error *err);
