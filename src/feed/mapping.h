// SPDX-License-Identifier: Apache-2.0
// Rows of a file → events: which column fills which field, and which columns make an event each (unpivot). One implementation for CSV, where columns are
// cells under a header, one for JSON lines, where they are members of an object.
//
// A field whose column the pipeline file does not name, which is optional and which the header does not have, is null throughout.
#pragma once
#include "feed/feed.h"
#include "format/csv.h"

struct mapping {
    const struct weir_plan *plan;
    struct weir_value *values;    // by event field, of the present row
    struct weir_value *unpivoted; // by unpivot column; null: makes no event
    char why[192];                // what was wrong in the present row; "" : nothing
    int (*read)(struct mapping *m, const struct csv_row *row);
    void (*free)(struct mapping *m);
};

// `header` is the first row. A column that is not there fails with WEIR_BAD_DATA and the names near it.
int mapping_of_cells(const struct weir_plan *plan, const struct csv_row *header, struct mapping **ret, struct weir_error *err);
struct mapping *mapping_of_members(const struct weir_plan *plan);
void mapping_free(struct mapping *m);

// Reads a row into values and unpivoted, which are views of it. -1: it makes no event. Unpivot columns that do not fit are null, the rest of the row
// stands; m->why then names the first of them.
int mapping_read(struct mapping *m, const struct csv_row *row);

// Gives the events of the row just read; returns how many.
uint32_t mapping_give(struct mapping *m, const struct csv_row *row, int64_t timestamp_ms, const struct weir_feed_sink *sink);

// The event time of the row just read; false if it has none that can be told.
bool mapping_time(const struct mapping *m, int64_t *ret_ms);
